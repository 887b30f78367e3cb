//! Fernet tokens: a version, a timestamp, an IV, the ciphertext, and an HMAC over all of them.
//!
//! ```text
//! token = base64url(0x80 ‖ timestamp u64 ‖ IV(16) ‖ AES-128-CBC(plaintext, PKCS #7) ‖ HMAC-SHA-256(32))
//! ```

use alloc::string::String;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::FernetError;
use super::key::Key;
use crate::base64url;

pub(super) const IV_LEN: usize = 16;
pub(super) const TAG_LEN: usize = 32;

const VERSION: u8 = 0x80;
const BLOCK_LEN: usize = 16;
const TIMESTAMP_LEN: usize = 8;
const HEADER_LEN: usize = 1 + TIMESTAMP_LEN + IV_LEN;

/// The characters of the token of so many bytes; saturates.
#[must_use]
pub const fn token_len(plaintext_len: usize) -> usize {
    bytes_len(plaintext_len).div_ceil(3).saturating_mul(4)
}

/// The longest plaintext that a token of so many characters may hold.
#[must_use]
pub const fn plaintext_bound(token_len: usize) -> usize {
    // One byte of padding at least.
    base64url::decoded_len(token_len).saturating_sub(HEADER_LEN + TAG_LEN + 1)
}

const fn bytes_len(plaintext_len: usize) -> usize {
    let ciphertext_len = (plaintext_len / BLOCK_LEN).saturating_add(1).saturating_mul(BLOCK_LEN);
    ciphertext_len.saturating_add(HEADER_LEN + TAG_LEN)
}

/// Writes the token of `plaintext`.
pub(super) fn write(
    key: &Key,
    timestamp: u64,
    iv: &[u8; IV_LEN],
    plaintext: &[u8],
) -> Result<String, FernetError> {
    // Room enough from the start: bytes that move leave copies of the plaintext behind.
    let mut bytes = Zeroizing::new(reserved(bytes_len(plaintext.len()))?);
    bytes.push(VERSION);
    bytes.extend_from_slice(&timestamp.to_be_bytes());
    bytes.extend_from_slice(iv);
    bytes.extend_from_slice(plaintext);
    bytes.resize(bytes_len(plaintext.len()).saturating_sub(TAG_LEN), 0);
    let body = bytes.get_mut(HEADER_LEN..).ok_or(FernetError::Internal)?;
    key.encrypt(iv, body, plaintext.len())?;
    let tag = key.tag(&bytes);
    bytes.extend_from_slice(&tag);

    let mut text = reserved(token_len(plaintext.len()))?;
    base64url::encode_to_bytes(&bytes, &mut text);
    text.resize(token_len(plaintext.len()), b'=');
    String::from_utf8(text).map_err(|_| FernetError::Internal)
}

fn reserved(len: usize) -> Result<Vec<u8>, FernetError> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(len).map_err(|_| FernetError::OutOfMemory)?;
    Ok(bytes)
}

/// A token taken apart, of no key yet.
pub(super) struct Token {
    /// When it was made, in Unix seconds.
    pub(super) timestamp: u64,
    // INVARIANT: a header, whole blocks, at least one, and a tag.
    bytes: Zeroizing<Vec<u8>>,
}

impl Token {
    pub(super) fn read(text: &[u8]) -> Result<Self, FernetError> {
        let unpadded = unpadded(text).ok_or(FernetError::DecryptFailed)?;
        let len = base64url::decoded_len(unpadded.len());
        let blocks_len = len.checked_sub(HEADER_LEN + TAG_LEN).ok_or(FernetError::DecryptFailed)?;
        if blocks_len == 0 || !blocks_len.is_multiple_of(BLOCK_LEN) {
            return Err(FernetError::DecryptFailed);
        }
        let mut bytes = Zeroizing::new(reserved(len)?);
        bytes.resize(len, 0);
        let Ok([VERSION, rest @ ..]) = base64url::decode_to_slice(unpadded, &mut bytes) else {
            return Err(FernetError::DecryptFailed);
        };
        let timestamp = u64::from_be_bytes(*rest.first_chunk().ok_or(FernetError::DecryptFailed)?);
        Ok(Self { timestamp, bytes })
    }

    /// Whether the key made this token.
    pub(super) fn is_signed_by(&self, key: &Key) -> bool {
        let parts = self.bytes.split_last_chunk::<TAG_LEN>();
        parts.is_some_and(|(signed, tag)| key.has_signed(signed, tag))
    }

    /// The plaintext, if `key` made the token. In place, so that a file is not in memory twice.
    pub(super) fn decrypt(self, key: &Key) -> Result<Zeroizing<Vec<u8>>, FernetError> {
        let mut bytes = self.bytes;
        let signed_len = bytes.len().saturating_sub(TAG_LEN);
        bytes.truncate(signed_len);
        let (header, body) = bytes.split_at_mut_checked(HEADER_LEN).ok_or(FernetError::Internal)?;
        let iv = header.last_chunk().ok_or(FernetError::Internal)?;
        let len = key.decrypt(iv, body)?;
        bytes.truncate(HEADER_LEN.saturating_add(len));
        bytes.drain(..HEADER_LEN);
        Ok(bytes)
    }
}

/// Base64url without the padding that ends its last group of four; `None` where that is not as it has to be.
// What is left is strictly unpadded base64url to whoever decodes it, so `=` stands nowhere else.
fn unpadded(text: &[u8]) -> Option<&[u8]> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    Some(text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text))
}
