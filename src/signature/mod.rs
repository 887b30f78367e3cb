//! Signatures over bytes: the key decides the algorithm, the message never does.
//!
//! *Decides* whether a signature holds under a key and an algorithm that the key was made for.
//! *Inputs*: key material that was checked when it was loaded, bytes. *State*: none.
//! *Threat*: a key used under an algorithm that it is not for; malleable or degenerate signatures.
//!
//! | algorithm | signs | verifies | source |
//! |---|---|---|---|
//! | `HS256` `HS384` `HS512` | yes | yes | RFC 7518 §3.2 |
//! | `ES256` | yes, deterministically (RFC 6979) | yes | RFC 7518 §3.4 |
//! | `EdDSA` (Ed25519) | yes | strictly | RFC 8037, RFC 9864 |
//! | `ES384` `RS256` `PS256` | no | yes | RFC 7518 §3.3–3.5 |

mod algorithm;
mod ecdsa;
mod eddsa;
mod hmac;
mod material;
#[cfg(feature = "rsa")]
mod rsa;

pub use algorithm::{Algorithm, AlgorithmSet};
pub use material::{KeyType, Signature};

pub(crate) use ecdsa::{P256Key, P384Key};
pub(crate) use eddsa::Ed25519Key;
pub(crate) use hmac::HmacKey;
pub(crate) use material::Material;
#[cfg(feature = "rsa")]
pub(crate) use rsa::RsaKey;
