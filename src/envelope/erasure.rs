//! Whether what was sealed under a data key is gone for good, once the wrapped data key was deleted.
//!
//! *Decides* that, from the statuses of the keys that ever wrapped it. *Inputs*: a keyring, the ids of those
//! keys, the time when the last backup that holds the wrapped data key expires, the time. *State*: none.
//! *Threat*: data that was said to be erased and comes back with a backup of the database.
//!
//! Deleting the wrapped data key where it is stored makes nothing unreadable yet: a backup has it. What it
//! sealed is gone when every key that could unwrap it is destroyed (the data keys that live on re-wrapped
//! first), or when the backups are gone. A key that was derived from a master secret is made again from it, so
//! that it is never destroyed, whatever its status says.
//!
//! Only keys of a keyring are judged: whether a KMS or a passphrase is gone, its owner knows. And the answer
//! is about this keyring. A copy of the keyring from before the key was destroyed, in a secret
//! store's history or in a host that was not restarted, opens what a backup holds: destroy it there too.

use alloc::string::String;
use alloc::vec::Vec;

use super::EnvelopeError;
use crate::json::{ObjectWriter, text_list};
use crate::keyring::{Key, KeyStatus, Keyring, Purpose};

/// What made the data unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErasedBy {
    /// Every key that wrapped the data key is destroyed: no backup helps.
    KeysDestroyed,
    /// No backup has the wrapped data key any more, though a key that would unwrap it is alive.
    BackupsExpired,
}

impl ErasedBy {
    /// The name, as the answer spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeysDestroyed => "keys_destroyed",
            Self::BackupsExpired => "backups_expired",
        }
    }
}

/// Whether data is erased, and what it waits for if it is not.
///
/// ```
/// use donjon::envelope::{ErasedBy, Erasure};
/// use donjon::keyring::Keyring;
///
/// let keyring = br#"{"keys":[{"kid":"2025","purpose":"envelope","status":"destroyed"}]}"#;
/// let erasure = Erasure::of(&Keyring::from_jwks(keyring).unwrap(), &["2025"], None, 1_800_000_000)?;
/// assert_eq!(erasure.by(), Some(ErasedBy::KeysDestroyed));
/// # Ok::<(), donjon::envelope::EnvelopeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    by: Option<ErasedBy>,
    alive: Vec<String>,
    backups_expire_s: Option<i64>,
}

impl Erasure {
    /// Judges a data key whose wrapped form was deleted where it was stored. `key_ids`: every key that ever
    /// wrapped it. `backups_expire_s`: from when on no backup has a wrapped form, if that is known.
    ///
    /// # Errors
    /// - [`EnvelopeError::UnknownKey`]: an id of no `envelope` key of the keyring; nothing is known of it, so
    ///   nothing is promised.
    /// - [`EnvelopeError::Config`]: a derived key, and no end of the backups: it would never be erased.
    /// - [`EnvelopeError::InvalidArgument`]: no ids; a negative time.
    pub fn of(
        keyring: &Keyring,
        key_ids: &[&str],
        backups_expire_s: Option<i64>,
        now_s: i64,
    ) -> Result<Self, EnvelopeError> {
        if key_ids.is_empty() || now_s < 0 || backups_expire_s.is_some_and(|end| end < 0) {
            return Err(EnvelopeError::InvalidArgument);
        }
        let mut alive: Vec<String> = Vec::new();
        for id in key_ids {
            let key = wrapping_key(keyring, id).ok_or(EnvelopeError::UnknownKey)?;
            if key.is_derived() && backups_expire_s.is_none() {
                return Err(EnvelopeError::Config(
                    "a derived key cannot be destroyed, and the backups never end",
                ));
            }
            if can_unwrap(key) && !alive.iter().any(|other| other == id) {
                alive.push((*id).into());
            }
        }
        let by = if alive.is_empty() {
            Some(ErasedBy::KeysDestroyed)
        } else {
            backups_expire_s.filter(|end| now_s >= *end).map(|_| ErasedBy::BackupsExpired)
        };
        Ok(Self { by, alive, backups_expire_s })
    }

    /// What made the data unreadable; `None` if a backup still brings it back.
    #[must_use]
    pub const fn by(&self) -> Option<ErasedBy> {
        self.by
    }

    /// Whether the data is gone for good.
    #[must_use]
    pub const fn is_erased(&self) -> bool {
        self.by.is_some()
    }

    /// The keys that are not destroyed, each once, in the order in which they were asked about.
    pub fn alive(&self) -> impl Iterator<Item = &str> {
        self.alive.iter().map(String::as_str)
    }

    /// The answer as a JSON object: `erased`, `by`, `alive` and `backups_expire_s`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        let mut object = ObjectWriter::open(&mut out);
        object.raw("erased", if self.is_erased() { "true" } else { "false" });
        object.optional_text("by", self.by.map(ErasedBy::name));
        object.raw("alive", &text_list(self.alive()));
        match self.backups_expire_s {
            Some(end) => object.integer("backups_expire_s", end),
            None => object.raw("backups_expire_s", "null"),
        };
        object.close();
        out
    }
}

fn wrapping_key<'a>(keyring: &'a Keyring, id: &str) -> Option<&'a Key> {
    keyring.keys().find(|key| key.purpose() == Purpose::Envelope && key.id() == Some(id))
}

/// Whether a wrapped data key could be opened with it, disabled or expired as it may be.
fn can_unwrap(key: &Key) -> bool {
    key.status() != KeyStatus::Destroyed || key.is_derived()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &str = r#"{"keys":[
        {"kid":"alive","purpose":"envelope","status":"primary","kty":"oct","k":"pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU"},
        {"kid":"off","purpose":"envelope","status":"disabled","kty":"oct","k":"zGLuHbk3xtJNkv0tRotLXLIkrXYhutSNkYf6PZ6OxnY"},
        {"kid":"gone","purpose":"envelope","status":"destroyed"},
        {"kid":"lost","purpose":"envelope","status":"destroyed"},
        {"kid":"said","purpose":"envelope","status":"destroyed","derived":true},
        {"kid":"token","status":"destroyed"}
    ]}"#;

    fn of(key_ids: &[&str], backups_expire_s: Option<i64>, now_s: i64) -> Result<Erasure, EnvelopeError> {
        Erasure::of(&Keyring::from_jwks(KEYS.as_bytes()).unwrap(), key_ids, backups_expire_s, now_s)
    }

    fn json(key_ids: &[&str], backups_expire_s: Option<i64>, now_s: i64) -> String {
        of(key_ids, backups_expire_s, now_s).unwrap().to_json()
    }

    #[test]
    fn it_is_erased_by_what_has_happened() {
        assert_eq!(
            json(&["gone", "lost"], None, 0),
            r#"{"erased":true,"by":"keys_destroyed","alive":[],"backups_expire_s":null}"#
        );
        assert_eq!(
            json(&["gone", "alive"], Some(50), 49),
            r#"{"erased":false,"by":null,"alive":["alive"],"backups_expire_s":50}"#
        );
        assert_eq!(
            json(&["gone", "alive"], Some(50), 50),
            r#"{"erased":true,"by":"backups_expired","alive":["alive"],"backups_expire_s":50}"#
        );
    }

    #[test]
    fn a_key_that_could_be_used_again_is_alive_and_named_once() {
        let erasure = of(&["off", "gone", "alive", "off"], None, i64::MAX).unwrap();
        assert_eq!(erasure.alive().collect::<Vec<_>>(), ["off", "alive"]);
        assert!(!erasure.is_erased());
    }

    #[test]
    fn a_derived_key_is_never_destroyed_whatever_its_status_says() {
        assert!(matches!(of(&["gone", "said"], None, 0), Err(EnvelopeError::Config(_))));
        assert_eq!(of(&["said"], Some(9), 8).unwrap().alive().next(), Some("said"));
        assert_eq!(of(&["said"], Some(9), 9).unwrap().by(), Some(ErasedBy::BackupsExpired));
        let epochs = r#"{"keys":[{"purpose":"envelope","epoch":1}]}"#;
        let derived = Keyring::from_master("pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU", epochs).unwrap();
        let id = derived.primary(Purpose::Envelope).unwrap().id().unwrap();
        assert!(matches!(Erasure::of(&derived, &[id], None, 0), Err(EnvelopeError::Config(_))));
    }

    #[test]
    fn nothing_is_promised_about_keys_that_nobody_knows() {
        for id in ["", "nobody", "Gone", "gone ", "token"] {
            assert_eq!(of(&["gone", id], None, 0), Err(EnvelopeError::UnknownKey), "{id}");
        }
        assert_eq!(of(&[], None, 0), Err(EnvelopeError::InvalidArgument));
        assert_eq!(of(&["gone"], None, -1), Err(EnvelopeError::InvalidArgument));
        assert_eq!(of(&["gone"], Some(-1), 0), Err(EnvelopeError::InvalidArgument));
    }
}
