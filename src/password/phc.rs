//! Argon2 hashes as PHC strings (C2SP phc-strings), read strictly: one text for every hash.
//!
//! `$argon2id$v=19$m=65536,t=3,p=1[,keyid=<base64>]$<salt>$<hash>`: the parameters in this order, each
//! once, without leading zeros; base64 of the standard alphabet, without padding, canonical.

use alloc::string::String;
use argon2::Algorithm;
use base64ct::{Base64Unpadded, Encoding as _};

use super::{Params, PasswordError};
use crate::json::write_integer;

/// The longest stored hash that is read, in bytes, and the room that a new one takes at most.
pub const MAX_STORED_LEN: usize = 512;

pub(super) const MIN_SALT_LEN: usize = 8;
pub(super) const MAX_SALT_LEN: usize = 48;
pub(super) const MIN_HASH_LEN: usize = 12;
pub(super) const MAX_HASH_LEN: usize = 64;

/// What names a pepper in a stored hash: eight bytes, as many as the format allows.
pub(super) type KeyId = [u8; 8];

/// Up to 64 bytes: a salt or a hash. Neither is secret to whoever holds the stored hash.
#[derive(Clone, Copy)]
pub(super) struct Bytes {
    bytes: [u8; MAX_HASH_LEN],
    len: usize,
}

impl Bytes {
    /// `len` zeros; `None` over 64.
    pub(super) fn zeroed(len: usize) -> Option<Self> {
        (len <= MAX_HASH_LEN).then_some(Self { bytes: [0; MAX_HASH_LEN], len })
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.len).unwrap_or_default()
    }

    fn decode(text: &str) -> Option<Self> {
        let mut bytes = [0; MAX_HASH_LEN];
        let len = Base64Unpadded::decode(text, &mut bytes).ok()?.len();
        Some(Self { bytes, len })
    }
}

/// An Argon2 hash, taken apart.
pub(super) struct Phc {
    pub(super) algorithm: Algorithm,
    pub(super) params: Params,
    pub(super) key_id: Option<KeyId>,
    pub(super) salt: Bytes,
    pub(super) hash: Bytes,
}

impl Phc {
    /// Reads everything behind `$argon2id$`, or the name of another variant.
    pub(super) fn read(algorithm: Algorithm, rest: &str) -> Result<Self, PasswordError> {
        let invalid = PasswordError::InvalidHash;
        let mut segments = rest.split('$');
        if segments.next() != Some("v=19") {
            return Err(invalid);
        }
        let params = segments.next().ok_or(invalid)?;
        let salt = segments.next().and_then(Bytes::decode).ok_or(invalid)?;
        let hash = segments.next().and_then(Bytes::decode).ok_or(invalid)?;
        let is_whole = segments.next().is_none()
            && (MIN_SALT_LEN..=MAX_SALT_LEN).contains(&salt.len)
            && (MIN_HASH_LEN..=MAX_HASH_LEN).contains(&hash.len);
        if !is_whole {
            return Err(invalid);
        }

        let mut params = params.split(',');
        let mut next = |prefix| params.next().and_then(|param: &str| param.strip_prefix(prefix));
        let mut cost = |prefix| next(prefix).and_then(decimal).ok_or(invalid);
        let (memory_kib, time_cost, parallelism) = (cost("m=")?, cost("t=")?, cost("p=")?);
        let key_id = match params.next() {
            None => None,
            Some(param) => Some(param.strip_prefix("keyid=").and_then(key_id).ok_or(invalid)?),
        };
        if params.next().is_some() {
            return Err(invalid);
        }
        // Last, so that what is out of bounds is at least of its format.
        let params = Params::new(memory_kib, time_cost, parallelism)?;
        Ok(Self { algorithm, params, key_id, salt, hash })
    }

    pub(super) fn write(&self) -> String {
        let mut out = String::with_capacity(MAX_STORED_LEN / 2);
        out.push('$');
        out.push_str(self.algorithm.as_str());
        for (name, value) in [
            ("$v=19$m=", self.params.memory_kib()),
            (",t=", self.params.time_cost()),
            (",p=", self.params.parallelism()),
        ] {
            out.push_str(name);
            write_integer(value.into(), &mut out);
        }
        if let Some(key_id) = &self.key_id {
            out.push_str(",keyid=");
            out.push_str(&Base64Unpadded::encode_string(key_id));
        }
        for bytes in [&self.salt, &self.hash] {
            out.push('$');
            out.push_str(&Base64Unpadded::encode_string(bytes.as_slice()));
        }
        out
    }
}

fn key_id(text: &str) -> Option<KeyId> {
    Bytes::decode(text)?.as_slice().try_into().ok()
}

/// A decimal number without a sign or leading zeros. What does not fit is `u32::MAX`, which is over every
/// bound that is checked next.
pub(super) fn decimal(text: &str) -> Option<u32> {
    let is_canonical =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    (is_canonical && !text.is_empty()).then(|| text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Phc, PasswordError> {
        Phc::read(Algorithm::Argon2id, text.strip_prefix("$argon2id$").ok_or(PasswordError::InvalidHash)?)
    }

    fn encode(bytes: &[u8]) -> String {
        Base64Unpadded::encode_string(bytes)
    }

    #[test]
    fn the_longest_hash_fits() {
        let longest = alloc::format!(
            "$argon2id$v=19$m=2097152,t=4,p=16,keyid={}${}${}",
            encode(&[255; 8]),
            encode(&[255; MAX_SALT_LEN]),
            encode(&[255; MAX_HASH_LEN])
        );
        assert!(longest.len() <= MAX_STORED_LEN);
        assert_eq!(read(&longest).unwrap().write(), longest);
    }

    #[test]
    fn numbers_have_one_form() {
        assert_eq!(decimal("0"), Some(0));
        assert_eq!(decimal("4294967295"), Some(u32::MAX));
        assert_eq!(decimal("99999999999999999999999"), Some(u32::MAX));
        for bad in ["", "00", "01", "+1", "-1", "1 ", "1e3", "1.0", "\u{661}"] {
            assert_eq!(decimal(bad), None, "{bad:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_read_is_written_alike(
            parallelism in 1_u32..=16,
            memory in 0_u32..80_000,
            time_cost in 1_u32..=100,
            key_id in proptest::option::of(proptest::array::uniform8(0_u8..)),
            salt in proptest::collection::vec(0_u8.., MIN_SALT_LEN..=MAX_SALT_LEN),
            hash in proptest::collection::vec(0_u8.., MIN_HASH_LEN..=MAX_HASH_LEN),
        ) {
            let memory_kib = memory + 8 * parallelism;
            let key_id = key_id.map(|id| alloc::format!(",keyid={}", encode(&id))).unwrap_or_default();
            let text = alloc::format!(
                "$argon2id$v=19$m={memory_kib},t={time_cost},p={parallelism}{key_id}${}${}",
                encode(&salt),
                encode(&hash)
            );
            let phc = read(&text).unwrap();
            assert_eq!(phc.params, Params::new(memory_kib, time_cost, parallelism).unwrap());
            assert_eq!((phc.salt.as_slice(), phc.hash.as_slice()), (&*salt, &*hash));
            assert_eq!(phc.write(), text);
        }

        #[test]
        fn whatever_is_read_has_no_other_form(at in 0_usize..80, byte in "[ -~]", delete: bool) {
            let mut text = String::from("$argon2id$v=19$m=4096,t=3,p=1,keyid=AAAAAAAAAAA$c29tZXNhbHQ$MyShmwuSbEySn65I");
            let end = if delete { (at + 1).min(text.len()) } else { at };
            if at <= text.len() {
                text.replace_range(at..end, &byte);
            }
            if let Ok(phc) = read(&text) {
                assert_eq!(phc.write(), text);
            }
        }
    }
}
