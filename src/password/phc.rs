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
