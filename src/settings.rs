//! Settings that hold secrets, sealed where they are written down: environments, configuration files, images.
//!
//! *Decides* whether a sealed text is the value of this setting. *Inputs*: the `settings` secrets of a keyring;
//! the setting's name and value. *State*: none. *Threat*: an environment that is printed, logged or committed;
//! a sealed text moved to another setting, where it would be used as something else; a plain text taken for a
//! sealed one.
//!
//! ```text
//! text = "sealed:" ‖ base64url(self-contained envelope of the value, with the context [name])
//! ```
//!
//! The host opens its settings once, at start. It still needs one secret that is not sealed: the master secret
//! or the keyring.
//!
//! ```
//! use donjon::entropy::FixedEntropy;
//! use donjon::keyring::Keyring;
//! use donjon::settings::Settings;
//!
//! let epochs = r#"{"keys":[{"purpose":"settings","epoch":1}]}"#;
//! let keyring = Keyring::from_master("pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU", epochs).unwrap();
//! let settings = Settings::new(&keyring)?;
//! let text = settings.seal("DATABASE_URL", "postgresql://app:hunter2@db", 0, &mut FixedEntropy::new(&[7; 80]))?;
//! assert!(text.starts_with("sealed:"));
//! assert_eq!(*settings.open("DATABASE_URL", text.as_bytes(), 0)?, "postgresql://app:hunter2@db");
//! assert!(settings.open("REDIS_URL", text.as_bytes(), 0).is_err());
//! # Ok::<(), donjon::envelope::EnvelopeError>(())
//! ```

use alloc::string::String;
use core::fmt;
use zeroize::Zeroizing;

use crate::base64url;
use crate::bytes::secret_text;
use crate::entropy::Entropy;
use crate::envelope::{Context, EnvelopeError, Sealer};
use crate::keyring::{Keyring, Purpose};

/// What every sealed text begins with.
pub const PREFIX: &str = "sealed:";

/// The longest value, in bytes.
pub const MAX_VALUE_LEN: usize = 64 * 1024;

/// The longest text that is read, in bytes: what Linux has room for in one environment variable.
pub const MAX_TEXT_LEN: usize = 128 * 1024;

/// Seals and opens settings.
pub struct Settings(Sealer);

impl Settings {
    /// Settings under the `settings` secrets of a keyring: sealed under the primary, opened under the one that
    /// a text names.
    ///
    /// # Errors
    /// - [`EnvelopeError::Config`]: no primary; a key that is no secret of 32 bytes, or has no id.
    pub fn new(keyring: &Keyring) -> Result<Self, EnvelopeError> {
        Sealer::of_purpose(keyring, Purpose::Settings).map(Self)
    }

    /// The length of the text of so long a value.
    ///
    /// # Errors
    /// - [`EnvelopeError::TooLarge`]: over [`MAX_VALUE_LEN`].
    pub fn text_len(&self, value_len: usize) -> Result<usize, EnvelopeError> {
        if value_len > MAX_VALUE_LEN {
            return Err(EnvelopeError::TooLarge);
        }
        let envelope_len = self.0.envelope_len(value_len)?;
        Ok(base64url::encoded_len(envelope_len).saturating_add(PREFIX.len()))
    }

    /// Seals the value of the setting `name`: no other setting opens it.
    ///
    /// # Errors
    /// - [`EnvelopeError::TooLarge`]: a value over [`MAX_VALUE_LEN`], a name over 4,092 bytes.
    /// - [`EnvelopeError::KeyExpired`]: the primary's end has passed.
    /// - [`EnvelopeError::InvalidArgument`]: a negative time. - [`EnvelopeError::Entropy`].
    pub fn seal(
        &self,
        name: &str,
        value: &str,
        now_s: i64,
        entropy: &mut impl Entropy,
    ) -> Result<String, EnvelopeError> {
        let mut text = String::with_capacity(self.text_len(value.len())?);
        let envelope = self.0.seal(&Context::new(&[name])?, now_s, value.as_bytes(), entropy)?;
        text.push_str(PREFIX);
        base64url::encode_into(&envelope, &mut text);
        Ok(text)
    }

    /// The value of the setting `name`.
    ///
    /// # Errors
    /// - [`EnvelopeError::Malformed`]: the text does not begin with [`PREFIX`]: it was never sealed.
    /// - [`EnvelopeError::DecryptFailed`]: another setting's, or not what was sealed.
    /// - [`EnvelopeError::UnknownKey`], [`EnvelopeError::KeyDisabled`], [`EnvelopeError::KeyDestroyed`],
    ///   [`EnvelopeError::KeyExpired`]: the key that it names. No other is tried.
    /// - [`EnvelopeError::TooLarge`]: a text over [`MAX_TEXT_LEN`], a name over 4,092 bytes.
    /// - [`EnvelopeError::InvalidArgument`]: a negative time.
    pub fn open(&self, name: &str, text: &[u8], now_s: i64) -> Result<Zeroizing<String>, EnvelopeError> {
        let envelope = text.strip_prefix(PREFIX.as_bytes()).ok_or(EnvelopeError::Malformed)?;
        if text.len() > MAX_TEXT_LEN {
            return Err(EnvelopeError::TooLarge);
        }
        let envelope = base64url::decode(envelope).map_err(|_| EnvelopeError::DecryptFailed)?;
        let value = Zeroizing::new(self.0.open(&Context::new(&[name])?, now_s, &envelope)?);
        // Only texts are sealed, so that no host stumbles over, and shows, one that is none.
        secret_text(value).ok_or(EnvelopeError::DecryptFailed)
    }
}

/// Nothing of the keys.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settings(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::OsEntropy;
    use alloc::format;

    const SECRETS: [&str; 2] =
        ["pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU", "zGLuHbk3xtJNkv0tRotLXLIkrXYhutSNkYf6PZ6OxnY"];
    const NOW: i64 = 1_800_000_000;
    const FAILED: EnvelopeError = EnvelopeError::DecryptFailed;

    fn key(number: usize, purpose: &str, status: &str) -> String {
        let k = SECRETS[number];
        // A destroyed key has none.
        let secret = if status == "destroyed" { "" } else { &*format!(r#""k":"{k}","#) };
        format!(
            r#"{{"kty":"oct","kid":"{number}","alg":"HS256",{secret}"purpose":"{purpose}","status":"{status}"}}"#
        )
    }

    fn keyring(keys: &[String]) -> Keyring {
        Keyring::from_jwks(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes()).unwrap()
    }

    fn settings(keys: &[String]) -> Settings {
        Settings::new(&keyring(keys)).unwrap()
    }

    fn primary() -> Settings {
        settings(&[key(0, "settings", "primary")])
    }

    fn sealed(value: &str) -> String {
        primary().seal("DATABASE_URL", value, NOW, &mut OsEntropy).unwrap()
    }

    fn open(settings: &Settings, text: &str) -> Result<String, EnvelopeError> {
        settings.open("DATABASE_URL", text.as_bytes(), NOW).map(|value| String::clone(&value))
    }

    #[test]
    fn a_value_comes_back_under_its_name_alone() {
        for value in ["", "hunter2", "zoë\n", "sealed:AAAA", &"x".repeat(MAX_VALUE_LEN)] {
            let text = sealed(value);
            assert_eq!(text.len(), primary().text_len(value.len()).unwrap());
            assert!(text.len() <= MAX_TEXT_LEN);
            assert_eq!(open(&primary(), &text).unwrap(), value);
            for name in ["", "DATABASE", "DATABASE_URL ", "database_url", "DATABASE_URL\0"] {
                assert_eq!(primary().open(name, text.as_bytes(), NOW), Err(FAILED), "{name:?}");
            }
        }
    }

    #[test]
    fn what_was_never_sealed_is_said_to_be_that() {
        let text = sealed("hunter2");
        for plain in ["", "hunter2", "sealed", "Sealed:", &text.replace("sealed:", ""), &format!(" {text}")] {
            assert_eq!(open(&primary(), plain), Err(EnvelopeError::Malformed), "{plain}");
        }
        assert_eq!(primary().open("DATABASE_URL", &[0xff; 9], NOW), Err(EnvelopeError::Malformed));
    }

    #[test]
    fn every_other_text_is_one_error() {
        let text = sealed("hunter2");
        for len in PREFIX.len()..text.len() {
            assert_eq!(open(&primary(), text.split_at(len).0), Err(FAILED), "{len}");
        }
        for other in ["=", "\n", " ", "A", "AAAA"] {
            assert_eq!(open(&primary(), &format!("{text}{other}")), Err(FAILED), "{other:?}");
        }
        // The id of the key stands in the header: another one there is another key.
        let payload = base64url::decode(text.replace(PREFIX, "").as_bytes()).unwrap();
        for at in (0..payload.len()).filter(|at| *at != 6) {
            let mut forged = payload.clone();
            forged[at] ^= 0x10;
            let forged = format!("{PREFIX}{}", base64url::encode(&forged));
            assert_eq!(open(&primary(), &forged), Err(FAILED), "{at}");
        }
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let long = "x".repeat(MAX_VALUE_LEN + 1);
        assert_eq!(primary().seal("K", &long, NOW, &mut OsEntropy), Err(EnvelopeError::TooLarge));
        let long = format!("{PREFIX}{}", "A".repeat(MAX_TEXT_LEN));
        assert_eq!(open(&primary(), &long), Err(EnvelopeError::TooLarge));
        let name = "n".repeat(4093);
        assert_eq!(primary().seal(&name, "", NOW, &mut OsEntropy), Err(EnvelopeError::TooLarge));
        assert_eq!(primary().open(&name, sealed("").as_bytes(), NOW), Err(EnvelopeError::TooLarge));
        let name = "n".repeat(4092);
        let text = primary().seal(&name, "", NOW, &mut OsEntropy).unwrap();
        assert!(primary().open(&name, text.as_bytes(), NOW).is_ok());
    }

    #[test]
    fn a_key_of_another_purpose_neither_seals_nor_opens() {
        let envelopes = keyring(&[key(0, "envelope", "primary"), key(1, "settings", "primary")]);
        let settings = Settings::new(&envelopes).unwrap();
        let context = Context::new(&["DATABASE_URL"]).unwrap();
        let envelope = Sealer::new(&envelopes).unwrap().seal(&context, NOW, b"x", &mut OsEntropy).unwrap();
        let text = format!("{PREFIX}{}", base64url::encode(&envelope));
        assert_eq!(open(&settings, &text), Err(EnvelopeError::UnknownKey));
        let only_envelopes = keyring(&[key(0, "envelope", "primary")]);
        assert!(matches!(Settings::new(&only_envelopes), Err(EnvelopeError::Config(_))));
    }

    #[test]
    fn the_key_that_a_text_names_opens_it_or_says_why_not() {
        let text = sealed("hunter2");
        let with = |status| settings(&[key(1, "settings", "primary"), key(0, "settings", status)]);
        assert_eq!(open(&with("verify-only"), &text).unwrap(), "hunter2");
        assert_eq!(open(&with("disabled"), &text), Err(EnvelopeError::KeyDisabled));
        assert_eq!(open(&with("destroyed"), &text), Err(EnvelopeError::KeyDestroyed));
        let without = settings(&[key(1, "settings", "primary")]);
        assert_eq!(open(&without, &text), Err(EnvelopeError::UnknownKey));
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_though_they_were_sealed() {
        let context = Context::new(&["DATABASE_URL"]).unwrap();
        let envelope = primary().0.seal(&context, NOW, &[0xff, 0xfe], &mut OsEntropy).unwrap();
        let text = format!("{PREFIX}{}", base64url::encode(&envelope));
        assert_eq!(open(&primary(), &text), Err(FAILED));
    }

    #[test]
    fn a_negative_time_is_the_callers_mistake() {
        let text = sealed("hunter2");
        let refused = EnvelopeError::InvalidArgument;
        assert_eq!(primary().open("DATABASE_URL", text.as_bytes(), -1), Err(refused));
        assert_eq!(primary().seal("DATABASE_URL", "", -1, &mut OsEntropy), Err(refused));
    }
}
