//! What stands before a payload: which kind of envelope, which key, and the wrapped data key.
//!
//! ```text
//! "DJN1" ‖ kind u8 ‖ kid length u8 ‖ kid ‖ [Argon2id: salt(16) ‖ KiB u32 ‖ passes u32 ‖ lanes u32] ‖ wrap length u16 ‖ wrap
//! ```

use alloc::vec::Vec;

use super::aead::TAG_LEN;
use super::passphrase::{Kdf, SALT_LEN};
use super::{EnvelopeError, chunked};
use crate::bytes::Reader;
use crate::keyring::MAX_KEY_ID_LEN;

const MAGIC: &[u8; 4] = b"DJN1";

/// The longest wrapped key of a host's own, in bytes: what AWS KMS gives at most.
pub const MAX_WRAPPED_KEY_LEN: usize = 6144;

/// As many first bytes of any envelope as tell all that stands before its first chunk. Shorter envelopes
/// are given whole.
pub const MAX_PREFIX_LEN: usize = 8 + MAX_KEY_ID_LEN + MAX_WRAPPED_KEY_LEN + chunked::START_LEN;

/// A data key, in bytes.
pub const DATA_KEY_LEN: usize = 32;

/// A data key sealed under a key-encryption key.
pub(super) const WRAP_LEN: usize = chunked::START_LEN + DATA_KEY_LEN + TAG_LEN;

/// What an envelope is, and so whose key opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Payload and wrapped data key in one, under a key of the keyring.
    SelfContained = 1,
    /// A wrapped data key, without a payload, under a key of the keyring.
    DataKey = 2,
    /// A payload under a data key that is stored elsewhere.
    Cell = 3,
    /// Payload and wrapped data key in one, under a passphrase.
    Passphrase = 4,
    /// Payload and data key in one, wrapped by the host's KMS or HSM.
    External = 5,
}

impl Kind {
    const ALL: [Self; 5] = [Self::SelfContained, Self::DataKey, Self::Cell, Self::Passphrase, Self::External];

    /// The name, as an inspection spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SelfContained => "self-contained",
            Self::DataKey => "data-key",
            Self::Cell => "cell",
            Self::Passphrase => "passphrase",
            Self::External => "external",
        }
    }

    pub(super) const fn byte(self) -> u8 {
        self as u8
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.byte() == byte)
    }
}

/// A header, checked. Says nothing about whether any key answers to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header<'a> {
    pub(super) kind: Kind,
    /// The key-encryption key's, or a cell's data key's. Empty for a passphrase.
    pub(super) key_id: &'a str,
    /// Of a passphrase; may be out of bounds, for that is an error of its own.
    pub(super) kdf: Option<Kdf>,
    pub(super) wrap: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads the header that `envelope` begins with, and gives what follows it.
    pub(super) fn read(envelope: &'a [u8]) -> Result<(Self, &'a [u8]), EnvelopeError> {
        let mut reader = Reader(envelope);
        let header = Self::read_from(&mut reader).ok_or(EnvelopeError::DecryptFailed)?;
        Ok((header, reader.0))
    }

    fn read_from(reader: &mut Reader<'a>) -> Option<Self> {
        if reader.array::<4>()? != MAGIC {
            return None;
        }
        let [kind, key_id_len] = *reader.array()?;
        let kind = Kind::from_byte(kind)?;
        let key_id = core::str::from_utf8(reader.bytes(key_id_len.into())?).ok()?;
        let kdf = if kind == Kind::Passphrase { Some(read_kdf(reader)?) } else { None };
        let wrap_len = usize::from(u16::from_be_bytes(*reader.array()?));
        if !takes_key_id(kind, key_id) || !takes_wrap(kind, wrap_len) {
            return None;
        }
        Some(Self { kind, key_id, kdf, wrap: reader.bytes(wrap_len)? })
    }

    /// The length of what [`Header::write`] writes.
    pub(super) const fn len(&self) -> usize {
        let kdf = if self.kdf.is_some() { SALT_LEN + 12 } else { 0 };
        6_usize
            .saturating_add(self.key_id.len())
            .saturating_add(kdf)
            .saturating_add(2)
            .saturating_add(self.wrap.len())
    }

    /// Appends the header.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), EnvelopeError> {
        let internal = |_| EnvelopeError::Internal;
        out.extend_from_slice(MAGIC);
        out.push(self.kind.byte());
        out.push(u8::try_from(self.key_id.len()).map_err(internal)?);
        out.extend_from_slice(self.key_id.as_bytes());
        if let Some(kdf) = &self.kdf {
            out.extend_from_slice(&kdf.salt);
            for param in [kdf.memory_kib, kdf.time_cost, kdf.parallelism] {
                out.extend_from_slice(&param.to_be_bytes());
            }
        }
        out.extend_from_slice(&u16::try_from(self.wrap.len()).map_err(internal)?.to_be_bytes());
        out.extend_from_slice(self.wrap);
        Ok(())
    }
}

/// A passphrase has no id; every other key has one, of which nothing can break a log.
fn takes_key_id(kind: Kind, id: &str) -> bool {
    match kind {
        Kind::Passphrase => id.is_empty(),
        _ => is_key_id(id),
    }
}

/// Whether this may stand as a key id in a header.
pub(super) fn is_key_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_KEY_ID_LEN && !id.chars().any(char::is_control)
}

const fn takes_wrap(kind: Kind, len: usize) -> bool {
    match kind {
        Kind::SelfContained | Kind::DataKey | Kind::Passphrase => len == WRAP_LEN,
        Kind::Cell => len == 0,
        Kind::External => 1 <= len && len <= MAX_WRAPPED_KEY_LEN,
    }
}

fn read_kdf(reader: &mut Reader<'_>) -> Option<Kdf> {
    Some(Kdf {
        salt: *reader.array()?,
        memory_kib: u32::from_be_bytes(*reader.array()?),
        time_cost: u32::from_be_bytes(*reader.array()?),
        parallelism: u32::from_be_bytes(*reader.array()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(kind: Kind, key_id: &str, wrap: &[u8]) -> Vec<u8> {
        let kdf = Kdf { salt: [7; SALT_LEN], memory_kib: 8, time_cost: 1, parallelism: 1 };
        let header = Header { kind, key_id, kdf: (kind == Kind::Passphrase).then_some(kdf), wrap };
        let mut out = Vec::new();
        header.write(&mut out).unwrap();
        assert_eq!(out.len(), header.len());
        out
    }

    #[test]
    fn what_was_written_is_read_and_the_rest_left() {
        let longest = "k".repeat(MAX_KEY_ID_LEN);
        for (kind, key_id, wrap_len) in [
            (Kind::SelfContained, &*longest, WRAP_LEN),
            (Kind::DataKey, "k", WRAP_LEN),
            (Kind::Cell, "ключ", 0),
            (Kind::Passphrase, "", WRAP_LEN),
            (Kind::External, "arn:aws:kms", MAX_WRAPPED_KEY_LEN),
            (Kind::External, &*longest, 1),
        ] {
            let wrap = alloc::vec![3; wrap_len];
            let mut bytes = written(kind, key_id, &wrap);
            let len = bytes.len();
            bytes.extend_from_slice(b"rest");
            let (header, rest) = Header::read(&bytes).unwrap();
            assert_eq!((header.kind, header.key_id, header.wrap), (kind, key_id, &wrap[..]));
            assert_eq!((header.len(), rest), (len, &b"rest"[..]));
            for cut in 0..len {
                assert_eq!(Header::read(&bytes[..cut]), Err(EnvelopeError::DecryptFailed), "{kind:?} {cut}");
            }
        }
    }

    #[test]
    fn a_header_out_of_its_bounds_is_none() {
        for (kind, key_id, wrap_len) in [
            (Kind::SelfContained, "k", WRAP_LEN - 1),
            (Kind::SelfContained, "k", WRAP_LEN + 1),
            (Kind::SelfContained, "", WRAP_LEN),
            (Kind::DataKey, "k\n", WRAP_LEN),
            (Kind::Cell, "k", 1),
            (Kind::Cell, "", 0),
            (Kind::Passphrase, "k", WRAP_LEN),
            (Kind::External, "k", 0),
            (Kind::External, "k", MAX_WRAPPED_KEY_LEN + 1),
        ] {
            let bytes = written(kind, key_id, &alloc::vec![3; wrap_len]);
            assert_eq!(
                Header::read(&bytes),
                Err(EnvelopeError::DecryptFailed),
                "{kind:?} {key_id} {wrap_len}"
            );
        }
        let long = written(Kind::Cell, &"k".repeat(MAX_KEY_ID_LEN + 1), &[]);
        assert_eq!(Header::read(&long), Err(EnvelopeError::DecryptFailed));
        for (at, byte) in [(0, b'E'), (3, b'2'), (4, 0), (4, 6), (4, 255), (6, 0xff)] {
            let mut bytes = written(Kind::Cell, "k", &[]);
            bytes[at] = byte;
            assert_eq!(Header::read(&bytes), Err(EnvelopeError::DecryptFailed), "{at} {byte}");
        }
    }

    #[test]
    fn the_longest_header_fits_the_prefix() {
        let external = written(Kind::External, &"k".repeat(MAX_KEY_ID_LEN), &[3; MAX_WRAPPED_KEY_LEN]);
        assert_eq!(external.len() + chunked::START_LEN, MAX_PREFIX_LEN);
    }
}
