//! The construction that every payload and every wrapped key is made with: C2SP chunked-encryption
//! (<https://c2sp.org/chunked-encryption>), instance Cobblestone-256.
//!
//! ```text
//! key(32) ‖ base nonce(12) ‖ commitment(32) =
//!     HKDF-Expand-SHA512(input key, "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM" ‖ 0x00 ‖ salt(24) ‖ context)
//! message = salt ‖ commitment ‖ chunk 0 ‖ chunk 1 ‖ …
//! ```
//!
//! Chunk i is AES-256-GCM under base nonce XOR i. Every chunk but the last holds 16 KiB of plaintext; the
//! last holds less, and may hold none, so that a message that was cut off never looks whole. The commitment
//! is compared before any chunk is opened, so that no message opens under two keys or contexts.

use alloc::vec::Vec;
use core::fmt;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha512;
use zeroize::{Zeroize as _, Zeroizing};

use super::EnvelopeError;
use super::aead::{self, Aes256Gcm, NONCE_LEN, TAG_LEN};
use crate::ct;
use crate::entropy::Entropy;

/// The random bytes that make each message's keys its own.
pub const SALT_LEN: usize = 24;

/// The bytes that commit to key and context.
pub const COMMITMENT_LEN: usize = 32;

/// The plaintext of a chunk that is not the last.
pub const CHUNK_LEN: usize = 16_384;

/// A chunk that is not the last.
pub const SEALED_CHUNK_LEN: usize = CHUNK_LEN + TAG_LEN;

/// The longest plaintext: 4 PiB less one byte.
pub const MAX_PLAINTEXT_LEN: u64 = (1 << 52) - 1;

/// The length of an input key.
pub const INPUT_KEY_LEN: usize = 32;

/// Salt and commitment: what stands before the first chunk.
pub(super) const START_LEN: usize = SALT_LEN + COMMITMENT_LEN;

const PREFIX: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";

/// [`CHUNK_LEN`] and [`SEALED_CHUNK_LEN`], as parts of lengths that memory does not bound.
pub(super) const CHUNK: u64 = CHUNK_LEN as u64;
pub(super) const SEALED_CHUNK: u64 = SEALED_CHUNK_LEN as u64;
const TAG: u64 = TAG_LEN as u64;
const START: u64 = START_LEN as u64;

/// The length of the message of so much plaintext; `None` over [`MAX_PLAINTEXT_LEN`].
#[must_use]
pub const fn sealed_len(plaintext_len: u64) -> Option<u64> {
    if plaintext_len > MAX_PLAINTEXT_LEN {
        return None;
    }
    // Nothing here comes near 2^64.
    let tags = (plaintext_len / CHUNK).saturating_add(1).saturating_mul(TAG);
    Some(START.saturating_add(plaintext_len).saturating_add(tags))
}

/// The length of the plaintext of a message of so many bytes; `None` if there is no such message.
#[must_use]
pub const fn opened_len(message_len: u64) -> Option<u64> {
    let Some(chunks) = message_len.checked_sub(START) else { return None };
    let Some(last) = (chunks % SEALED_CHUNK).checked_sub(TAG) else { return None };
    let len = (chunks / SEALED_CHUNK).saturating_mul(CHUNK).saturating_add(last);
    if len > MAX_PLAINTEXT_LEN { None } else { Some(len) }
}

/// Seals `plaintext` under an input key and a context, which is any bytes here.
///
/// # Errors
/// - [`EnvelopeError::InvalidArgument`]: a key that is not of [`INPUT_KEY_LEN`] bytes.
/// - [`EnvelopeError::TooLarge`]: more than an allocation holds.
/// - [`EnvelopeError::OutOfMemory`], [`EnvelopeError::Entropy`].
pub fn seal(
    key: &[u8],
    context: &[u8],
    plaintext: &[u8],
    entropy: &mut impl Entropy,
) -> Result<Vec<u8>, EnvelopeError> {
    let mut out = zeroed(message_len(plaintext.len())?)?;
    seal_into(key, context, plaintext, entropy, &mut out)?;
    Ok(out)
}

/// Opens a message. Nothing of it is returned unless the whole is authentic.
///
/// # Errors
/// - [`EnvelopeError::DecryptFailed`]: another key, another context, or no such message.
/// - [`EnvelopeError::InvalidArgument`]: as [`seal`]. - [`EnvelopeError::OutOfMemory`].
pub fn open(key: &[u8], context: &[u8], message: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
    let mut out = zeroed(plaintext_len(message.len())?)?;
    open_into(key, context, message, &mut out)?;
    Ok(out)
}

/// [`seal`] into a place of just the length that [`message_len`] says.
pub(crate) fn seal_into(
    key: &[u8],
    context: &[u8],
    plaintext: &[u8],
    entropy: &mut impl Entropy,
    out: &mut [u8],
) -> Result<(), EnvelopeError> {
    let key = InputKey::new(key)?;
    let mut salt = [0; SALT_LEN];
    entropy.fill(&mut salt)?;
    key.seal(&salt, &[context], plaintext, out)
}

/// [`open`] into a place of just the length that [`plaintext_len`] says.
pub(crate) fn open_into(
    key: &[u8],
    context: &[u8],
    message: &[u8],
    out: &mut [u8],
) -> Result<(), EnvelopeError> {
    InputKey::new(key)?.open(&[context], message, out)
}

/// [`sealed_len`] of something in memory.
pub(crate) fn message_len(plaintext_len: usize) -> Result<usize, EnvelopeError> {
    let len = u64::try_from(plaintext_len).ok().and_then(sealed_len);
    len.and_then(|len| usize::try_from(len).ok()).ok_or(EnvelopeError::TooLarge)
}

/// [`opened_len`] of something in memory.
pub(crate) fn plaintext_len(message_len: usize) -> Result<usize, EnvelopeError> {
    let len = u64::try_from(message_len).ok().and_then(opened_len);
    len.and_then(|len| usize::try_from(len).ok()).ok_or(EnvelopeError::DecryptFailed)
}

/// So many zeros, or an error where there is no memory for them.
pub(super) fn zeroed(len: usize) -> Result<Vec<u8>, EnvelopeError> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|_| EnvelopeError::OutOfMemory)?;
    bytes.resize(len, 0);
    Ok(bytes)
}

/// A key that message keys are derived from, ready to.
#[derive(Clone)]
pub(super) struct InputKey(Hmac<Sha512>);

impl InputKey {
    pub(super) fn new(key: &[u8]) -> Result<Self, EnvelopeError> {
        if key.len() != INPUT_KEY_LEN {
            return Err(EnvelopeError::InvalidArgument);
        }
        Hmac::new_from_slice(key).map(Self).map_err(|_| EnvelopeError::Internal)
    }

    /// Seals a whole message under its own salt; `out` is of just its length.
    pub(super) fn seal(
        &self,
        salt: &[u8; SALT_LEN],
        context: &[&[u8]],
        plaintext: &[u8],
        out: &mut [u8],
    ) -> Result<(), EnvelopeError> {
        let (start, chunks) = out.split_first_chunk_mut().ok_or(EnvelopeError::Internal)?;
        self.begin(salt, context, start)?.seal_message(plaintext, chunks)
    }

    /// Opens a whole message; `out` is of just its length.
    pub(super) fn open(
        &self,
        context: &[&[u8]],
        message: &[u8],
        out: &mut [u8],
    ) -> Result<(), EnvelopeError> {
        let (start, chunks) = message.split_first_chunk().ok_or(EnvelopeError::DecryptFailed)?;
        self.resume(start, context)?.open_message(chunks, out)
    }

    /// Begins a message: writes salt and commitment, and gives the key of its chunks.
    pub(super) fn begin(
        &self,
        salt: &[u8; SALT_LEN],
        context: &[&[u8]],
        start: &mut [u8; START_LEN],
    ) -> Result<MessageKey, EnvelopeError> {
        let (key, commitment) = self.derive(salt, context)?;
        let (salt_out, commitment_out) = start.split_at_mut(SALT_LEN);
        salt_out.copy_from_slice(salt);
        commitment_out.copy_from_slice(&commitment);
        Ok(key)
    }

    /// The key of a message's chunks, once its commitment has been compared.
    pub(super) fn resume(
        &self,
        start: &[u8; START_LEN],
        context: &[&[u8]],
    ) -> Result<MessageKey, EnvelopeError> {
        let (salt, commitment) = start.split_first_chunk().ok_or(EnvelopeError::Internal)?;
        let (key, expected) = self.derive(salt, context)?;
        if ct::eq(commitment, &expected) { Ok(key) } else { Err(EnvelopeError::DecryptFailed) }
    }

    fn derive(
        &self,
        salt: &[u8; SALT_LEN],
        context: &[&[u8]],
    ) -> Result<(MessageKey, [u8; COMMITMENT_LEN]), EnvelopeError> {
        let mut derived = Zeroizing::new([0; aead::KEY_LEN + NONCE_LEN + COMMITMENT_LEN]);
        self.expand(
            |mac| {
                mac.update(PREFIX);
                mac.update(salt);
                context.iter().for_each(|part| mac.update(part));
            },
            &mut *derived,
        );
        let read = || {
            let (key, rest) = derived.split_first_chunk()?;
            let (base_nonce, commitment) = rest.split_first_chunk()?;
            let message_key = MessageKey { cipher: Aes256Gcm::new(key)?, base_nonce: *base_nonce };
            Some((message_key, commitment.try_into().ok()?))
        };
        read().ok_or(EnvelopeError::Internal)
    }

    /// HKDF-Expand (RFC 5869 §2.3) with SHA-512; this key is the PRK. `info` feeds the information.
    // Not the `hkdf` crate's: it refuses a PRK shorter than the hash, which the specification gives it.
    pub(super) fn expand(&self, info: impl Fn(&mut Hmac<Sha512>), out: &mut [u8]) {
        let mut previous = Zeroizing::new([0; 64]);
        for (counter, block) in (1..=u8::MAX).zip(out.chunks_mut(64)) {
            let mut mac = self.0.clone();
            if counter > 1 {
                mac.update(&*previous);
            }
            info(&mut mac);
            mac.update(&[counter]);
            previous.copy_from_slice(&mac.finalize().into_bytes());
            block.copy_from_slice(previous.get(..block.len()).unwrap_or_default());
        }
    }
}

/// Nothing of the key.
impl fmt::Debug for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageKey").finish_non_exhaustive()
    }
}

/// The key of one message's chunks.
pub(super) struct MessageKey {
    cipher: Aes256Gcm,
    base_nonce: [u8; NONCE_LEN],
}

impl MessageKey {
    /// The nonce of chunk `index`: the base nonce XOR the index, big-endian.
    fn nonce(&self, index: u64) -> [u8; NONCE_LEN] {
        let mut nonce = self.base_nonce;
        let low = nonce.last_chunk_mut::<8>();
        low.into_iter().flatten().zip(index.to_be_bytes()).for_each(|(byte, count)| *byte ^= count);
        nonce
    }

    pub(super) fn seal_chunk(
        &self,
        index: u64,
        plaintext: &[u8],
        out: &mut [u8],
    ) -> Result<(), EnvelopeError> {
        self.cipher.seal(self.nonce(index), plaintext, out).ok_or(EnvelopeError::Internal)
    }

    pub(super) fn open_chunk(&self, index: u64, sealed: &[u8], out: &mut [u8]) -> Result<(), EnvelopeError> {
        self.cipher.open(self.nonce(index), sealed, out).ok_or(EnvelopeError::DecryptFailed)
    }

    /// All chunks of a message; `out` is of just their length.
    pub(super) fn seal_message(&self, plaintext: &[u8], out: &mut [u8]) -> Result<(), EnvelopeError> {
        let mut whole = plaintext.chunks_exact(CHUNK_LEN);
        let mut places = out.chunks_mut(SEALED_CHUNK_LEN);
        let mut index = 0;
        for (chunk, place) in whole.by_ref().zip(places.by_ref()) {
            self.seal_chunk(index, chunk, place)?;
            index = index.saturating_add(1);
        }
        self.seal_chunk(index, whole.remainder(), places.next().ok_or(EnvelopeError::Internal)?)
    }

    /// All chunks of a message; `out` is of just the plaintext's length, and holds zeros or what it held
    /// before where they are not authentic.
    pub(super) fn open_message(&self, chunks: &[u8], out: &mut [u8]) -> Result<(), EnvelopeError> {
        let opened = self.open_each(chunks, out);
        if opened.is_err() {
            out.zeroize();
        }
        opened
    }

    fn open_each(&self, chunks: &[u8], out: &mut [u8]) -> Result<(), EnvelopeError> {
        let mut whole = chunks.chunks_exact(SEALED_CHUNK_LEN);
        let mut rest = out;
        let mut index = 0;
        for chunk in whole.by_ref() {
            let (place, after) = rest.split_at_mut_checked(CHUNK_LEN).ok_or(EnvelopeError::DecryptFailed)?;
            self.open_chunk(index, chunk, place)?;
            rest = after;
            index = index.saturating_add(1);
        }
        // The last is always shorter than the rest, so that a cut at a chunk's end is seen.
        self.open_chunk(index, whole.remainder(), rest)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    use crate::entropy::FixedEntropy;

    const SIZES: [usize; 8] = [0, 1, 16_383, 16_384, 16_385, 32_768, 49_152, 50_000];

    fn message(len: usize) -> Vec<u8> {
        let plaintext: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
        seal(&[7; 32], b"place", &plaintext, &mut FixedEntropy::new(&[9; 24])).unwrap()
    }

    #[test]
    fn every_size_has_its_length_and_opens() {
        for len in SIZES {
            let message = message(len);
            assert_eq!(message.len() as u64, sealed_len(len as u64).unwrap());
            assert_eq!(opened_len(message.len() as u64), Some(len as u64));
            let plaintext = open(&[7; 32], b"place", &message).unwrap();
            assert!(plaintext.iter().enumerate().all(|(i, byte)| *byte == (i % 251) as u8));
            assert_eq!(plaintext.len(), len);
        }
    }

    #[test]
    fn no_message_has_a_length_that_no_plaintext_gives() {
        for len in
            (0..START_LEN + TAG_LEN).chain([START_LEN + SEALED_CHUNK_LEN, START_LEN + SEALED_CHUNK_LEN + 15])
        {
            assert_eq!(opened_len(len as u64), None, "{len}");
            assert_eq!(open(&[7; 32], b"", &vec![0; len]), Err(EnvelopeError::DecryptFailed));
        }
        let longest = sealed_len(MAX_PLAINTEXT_LEN).unwrap();
        assert_eq!(opened_len(longest), Some(MAX_PLAINTEXT_LEN));
        assert_eq!((sealed_len(MAX_PLAINTEXT_LEN + 1), opened_len(longest + 1)), (None, None));
        assert_eq!((sealed_len(u64::MAX), opened_len(u64::MAX)), (None, None));
    }

    #[test]
    fn another_key_or_context_does_not_open_it() {
        let message = message(20_000);
        for (key, context) in [([8; 32], &b"place"[..]), ([7; 32], b"plac"), ([7; 32], b"")] {
            assert_eq!(open(&key, context, &message), Err(EnvelopeError::DecryptFailed));
        }
    }

    #[test]
    fn chunks_have_an_order() {
        let message = message(50_000);
        let (start, chunks) = message.split_at(START_LEN);
        let chunk = |i: usize| &chunks[i * SEALED_CHUNK_LEN..((i + 1) * SEALED_CHUNK_LEN).min(chunks.len())];
        let of = |order: &[usize]| order.iter().fold(start.to_vec(), |m, i| [&m, chunk(*i)].concat());
        assert!(open(&[7; 32], b"place", &of(&[0, 1, 2, 3])).is_ok());
        for order in [&[1, 0, 2, 3][..], &[0, 1, 3], &[0, 0, 1, 2, 3], &[0, 1, 2], &[3], &[]] {
            assert_eq!(open(&[7; 32], b"place", &of(order)), Err(EnvelopeError::DecryptFailed), "{order:?}");
        }
    }

    #[test]
    fn a_failure_leaves_nothing_of_the_chunks_before_it() {
        let mut message = message(40_000);
        *message.last_mut().unwrap() ^= 1;
        let mut out = vec![1; 40_000];
        assert_eq!(open_into(&[7; 32], b"place", &message, &mut out), Err(EnvelopeError::DecryptFailed));
        assert!(out.iter().all(|byte| *byte == 0));
    }

    /// RFC 5869 has no case of SHA-512 with a short PRK; the crate refuses it, but takes a long one. HMAC pads
    /// the short one with zeros to the same key.
    #[test]
    fn expand_is_that_of_the_crate() {
        let mut padded = [0; 64];
        padded[..32].fill(5);
        for len in [1, 64, 76, 128, 255] {
            let (mut ours, mut theirs) = (vec![0; len], vec![0; len]);
            InputKey::new(&[5; 32]).unwrap().expand(|mac| mac.update(b"info"), &mut ours);
            hkdf::Hkdf::<Sha512>::from_prk(&padded).unwrap().expand(b"info", &mut theirs).unwrap();
            assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn an_input_key_has_one_length() {
        for len in [0, 31, 33, 64] {
            let sealed = seal(&vec![0; len], b"", b"", &mut FixedEntropy::new(&[0; 24]));
            assert_eq!(sealed, Err(EnvelopeError::InvalidArgument), "{len}");
        }
    }
}
