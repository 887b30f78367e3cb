//! What a store knows a user by: a keyed hash of the subject, so that what is stored names no one.
//!
//! ```text
//! tag = first 16 bytes of HMAC-SHA-256(`device` secret, lp("donjon/user/v1") ‖ lp(subject))
//! ```
//!
//! A tag names records and authenticates nothing, so it outlives the end that its key was given, and a key that is
//! disabled: what was revoked under it has still to be found. A key that was destroyed finds nothing.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::bytes::length;
use crate::ct;
use crate::keyring::{Key, KeyStatus, Keyring, Purpose};

/// The bytes of a tag.
pub(crate) const TAG_LEN: usize = 16;

const LABEL: &[u8] = b"donjon/user/v1";

/// Names users, by the `device` secrets of a keyring.
#[derive(Debug, Clone)]
pub(crate) struct UserTags {
    // INVARIANT: secrets, the primary first.
    keys: Vec<Arc<Key>>,
}

impl UserTags {
    /// `None` without a primary `device` secret.
    pub(crate) fn new(keyring: &Keyring) -> Option<Self> {
        Some(Self { keys: keyring.secrets(Purpose::Device, |status| status != KeyStatus::Destroyed)? })
    }

    /// The tags that records of this subject may be under; new ones go under the first.
    pub(crate) fn tags(&self, subject: &str) -> impl Iterator<Item = [u8; TAG_LEN]> {
        let subject = subject.as_bytes();
        self.keys.iter().filter_map(move |key| {
            let mac = key.mac(&[&length(LABEL), LABEL, &length(subject), subject])?;
            mac.first_chunk().copied()
        })
    }

    /// Whether a tag is this subject's, under whichever key.
    pub(crate) fn is_of(&self, tag: &[u8; TAG_LEN], subject: &str) -> bool {
        self.tags(subject).fold(false, |found, own| found | ct::eq(&own, tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::OsEntropy;
    use crate::signature::Algorithm;

    fn keyring() -> Keyring {
        Keyring::generate(&[(Purpose::Device, Algorithm::Hs256)], 0, &mut OsEntropy).unwrap()
    }

    fn first(tags: &UserTags, subject: &str) -> [u8; TAG_LEN] {
        tags.tags(subject).next().unwrap()
    }

    #[test]
    fn a_tag_is_its_users_until_the_key_is_destroyed() {
        let keyring = keyring();
        let before = UserTags::new(&keyring).unwrap();
        let tag = first(&before, "ann");
        assert!(before.is_of(&tag, "ann") && !before.is_of(&tag, "bob") && !before.is_of(&[0; 16], "ann"));

        let rotated = keyring.rotate(Purpose::Device, None, 10, 0, &mut OsEntropy).unwrap();
        let after = UserTags::new(&rotated).unwrap();
        assert!(after.is_of(&tag, "ann"));
        assert_ne!(first(&after, "ann"), tag);

        let id = rotated.keys().find(|key| key.status() == KeyStatus::VerifyOnly).unwrap().id().unwrap();
        let disabled = rotated.with_status(id, KeyStatus::Disabled, None).unwrap();
        assert!(UserTags::new(&disabled).unwrap().is_of(&tag, "ann"));
        let destroyed = rotated.with_status(id, KeyStatus::Destroyed, None).unwrap();
        assert!(!UserTags::new(&destroyed).unwrap().is_of(&tag, "ann"));
    }

    #[test]
    fn a_keyring_that_names_nobody_is_none() {
        let keyring = keyring();
        let primary = keyring.keys().find(|key| key.status() == KeyStatus::Primary).unwrap().id().unwrap();
        assert!(
            UserTags::new(&keyring.with_status(primary, KeyStatus::Disabled, None).unwrap()).is_none(),
            "an active key does not write"
        );
        let public = Keyring::generate(&[(Purpose::Device, Algorithm::EdDsa)], 0, &mut OsEntropy).unwrap();
        assert!(UserTags::new(&public).is_none());
    }
}
