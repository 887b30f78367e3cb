//! Envelopes: data at rest that opens under the right key, in the right place, whole or not at all.
//!
//! *Decides* whether what is stored is what was sealed, and for this place; which key opens it; whether
//! its key should be changed; whether what was to be forgotten is. *Inputs*: the `envelope` secrets of a
//! keyring, a passphrase, or a data key that the host's KMS unwrapped; a context; bytes; entropy. *State*:
//! none, but for streams, which hold less than one chunk. *Threat*: a stolen database; a store that moves
//! ciphertexts between rows, cuts, reorders and replays them, or makes one that opens under two keys; a
//! header that asks for gigabytes; a key rotation that loses data; a person who is to be forgotten.
//!
//! A payload is C2SP chunked-encryption ([`chunked`]) under a data key. The data key is wrapped by the same
//! construction under a key-encryption key, which never seals anything else. [`Sealer`] does both, for all
//! [kinds](Kind) of envelopes; `docs/FORMAT.md` has their bytes.
//!
//! One data key is good for 2⁵⁵ messages of up to 32 MiB (2⁷⁰ chunks in all would be too many for 192-bit
//! salts); a key-encryption key for as many wraps. Nothing counts them.

mod aead;
mod blind_index;
pub mod chunked;
mod context;
mod data_key;
mod erasure;
mod error;
mod header;
mod inspect;
mod keys;
mod passphrase;
mod reader;
mod sealer;
mod source;
mod stream;
mod wrap;

pub use blind_index::{BlindIndex, MAX_INDEX_BITS, MIN_INDEX_BITS};
pub use context::{Context, MAX_CONTEXT_LEN};
pub use erasure::{ErasedBy, Erasure};
pub use error::EnvelopeError;
pub use header::{DATA_KEY_LEN, Kind, MAX_PREFIX_LEN, MAX_WRAPPED_KEY_LEN};
pub use inspect::Inspection;
pub use passphrase::{MAX_PASSPHRASE_LEN, PassphraseParams};
pub use reader::{MAX_TAIL_LEN, Reader, Span};
pub use sealer::Sealer;
pub use stream::{Decryptor, Encryptor, Run, Workers, stream_bound};

#[cfg(feature = "ffi")]
pub(crate) use stream::Stream;
