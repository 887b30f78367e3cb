//! Peppers: secrets that a hash depends on and the database does not hold.
//!
//! A pepper is a keyring's secret of the purpose `password-pepper`, and Argon2's secret input (RFC 9106
//! §3.1). A stored hash names its pepper, so that a rotation locks nobody out.

use alloc::sync::Arc;
use alloc::vec::Vec;
use sha2::{Digest as _, Sha256};

use super::PasswordError;
use super::phc::KeyId;
use crate::keyring::{Key, Keyring, Purpose};

/// The peppers of a keyring.
#[derive(Debug)]
pub(super) struct Peppers {
    // INVARIANT: the primary first; no two with one key id; all secrets, but for destroyed ones.
    keys: Vec<(KeyId, Arc<Key>)>,
}

impl Peppers {
    pub(super) fn new(keyring: &Keyring) -> Result<Self, PasswordError> {
        let peppers = keyring.primary_first(Purpose::PasswordPepper);
        let peppers = peppers.ok_or(PasswordError::Config("no primary `password-pepper` secret"))?;
        let mut keys: Vec<(KeyId, Arc<Key>)> = Vec::new();
        for key in peppers {
            let id = key.id().ok_or(PasswordError::Config("a pepper has no key id"))?;
            let id = key_id(id);
            if key.secret().is_none() && key.key_type().is_some() {
                return Err(PasswordError::Config("a pepper is no secret"));
            }
            if keys.iter().any(|(other, _)| *other == id) {
                return Err(PasswordError::Config("two peppers have one key id"));
            }
            keys.push((id, Arc::clone(key)));
        }
        Ok(Self { keys })
    }

    pub(super) fn primary(&self) -> Option<(KeyId, &Key)> {
        self.keys.first().map(|(id, key)| (*id, &**key))
    }

    pub(super) fn get(&self, id: KeyId) -> Option<&Key> {
        self.keys.iter().find(|(found, _)| *found == id).map(|(_, key)| &**key)
    }
}

/// The secret of a pepper that may be used now.
pub(super) fn usable_secret(key: &Key, now_s: i64) -> Result<&[u8], PasswordError> {
    // A time that somebody forgot to give must not make an expired pepper good again.
    if now_s < 0 {
        return Err(PasswordError::InvalidArgument);
    }
    key.check_usable(now_s)?;
    key.secret().ok_or(PasswordError::UnknownKey)
}

/// The first eight bytes of SHA-256 of the key's id: the format has no room for more.
fn key_id(id: &str) -> KeyId {
    let digest: [u8; 32] = Sha256::digest(id.as_bytes()).into();
    digest.first_chunk().copied().unwrap_or_default()
}
