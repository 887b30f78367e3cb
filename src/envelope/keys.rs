//! The key-encryption keys of a keyring.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::EnvelopeError;
use super::chunked::InputKey;
use super::header::is_key_id;
use crate::keyring::{Key, Keyring, Purpose};

/// The key-encryption keys of one purpose.
pub(super) struct KeyEncryptionKeys {
    // INVARIANT: the primary first; every key has an id that may stand in a header.
    keys: Vec<KeyEncryptionKey>,
}

struct KeyEncryptionKey {
    key: Arc<Key>,
    /// None where nothing is left of the key but its id.
    input: Option<InputKey>,
}

impl KeyEncryptionKeys {
    pub(super) fn new(keyring: &Keyring, purpose: Purpose) -> Result<Self, EnvelopeError> {
        let found = keyring.primary_first(purpose).ok_or(EnvelopeError::Config(match purpose {
            Purpose::Settings => "no primary `settings` secret",
            _ => "no primary `envelope` secret",
        }))?;
        let mut keys = Vec::new();
        for key in found {
            if !key.id().is_some_and(is_key_id) {
                return Err(EnvelopeError::Config("a key-encryption key has no key id"));
            }
            let input = key.secret().map(InputKey::new).transpose();
            let input =
                input.map_err(|_| EnvelopeError::Config("a key-encryption key is not of 32 bytes"))?;
            if input.is_none() && key.key_type().is_some() {
                return Err(EnvelopeError::Config("a key-encryption key is no secret"));
            }
            keys.push(KeyEncryptionKey { key: Arc::clone(key), input });
        }
        Ok(Self { keys })
    }

    /// The id of the key that wraps.
    pub(super) fn primary_id(&self) -> &str {
        self.keys.first().and_then(|kek| kek.key.id()).unwrap_or_default()
    }

    /// The key that wraps.
    pub(super) fn primary(&self, now_s: i64) -> Result<&InputKey, EnvelopeError> {
        self.keys.first().ok_or(EnvelopeError::Internal)?.usable(now_s)
    }

    /// The key of this id, which alone may unwrap what names it.
    pub(super) fn get(&self, id: &str, now_s: i64) -> Result<&InputKey, EnvelopeError> {
        let found = self.keys.iter().find(|kek| kek.key.id() == Some(id));
        found.ok_or(EnvelopeError::UnknownKey)?.usable(now_s)
    }
}

impl KeyEncryptionKey {
    fn usable(&self, now_s: i64) -> Result<&InputKey, EnvelopeError> {
        // A time that somebody forgot to give must not make an expired key good again.
        if now_s < 0 {
            return Err(EnvelopeError::InvalidArgument);
        }
        self.key.check_usable(now_s)?;
        self.input.as_ref().ok_or(EnvelopeError::KeyDestroyed)
    }
}
