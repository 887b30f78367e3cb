//! Whether a new password is acceptable, and why not.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::{Password, PasswordError};
use crate::json::{self, Limits, ObjectWriter, Value, write_text};

/// The most user inputs.
pub const MAX_USER_INPUTS: usize = 16;

/// The longest user input, in bytes.
pub const MAX_USER_INPUT_LEN: usize = 256;

/// What is asked of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Twelve characters, of four classes, not common.
    Composition,
    /// NIST SP 800-63B-4 §3.1.1.2 for a password that stands alone: 15 characters, not common.
    Nist,
    /// The same for a password beside another factor: 8 characters, not common.
    NistMfa,
}

impl Profile {
    /// The profile of this name; an empty one is `composition`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "" | "composition" => Some(Self::Composition),
            "nist-800-63b-4" => Some(Self::Nist),
            "nist-800-63b-4-mfa" => Some(Self::NistMfa),
            _ => None,
        }
    }

    const fn min_chars(self) -> usize {
        match self {
            Self::Composition => 12,
            Self::Nist => 15,
            Self::NistMfa => 8,
        }
    }
}

/// What the user is called, which his password should not be made of.
#[derive(Debug, Clone, Default)]
pub struct UserInputs(Vec<String>);

impl UserInputs {
    /// Takes texts.
    ///
    /// # Errors
    /// - [`PasswordError::TooLarge`]: over [`MAX_USER_INPUTS`] or [`MAX_USER_INPUT_LEN`].
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, PasswordError> {
        let mut inputs = Vec::new();
        for text in texts {
            if inputs.len() == MAX_USER_INPUTS || text.len() > MAX_USER_INPUT_LEN {
                return Err(PasswordError::TooLarge);
            }
            inputs.push(text.to_lowercase());
        }
        Ok(Self(inputs))
    }

    /// Reads a JSON list of texts; an empty text is an empty list.
    ///
    /// # Errors
    /// - [`PasswordError::Malformed`]: no list of texts.
    /// - [`PasswordError::TooLarge`]: as [`UserInputs::new`].
    pub fn from_json(text: &[u8]) -> Result<Self, PasswordError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        match json::parse(text, Limits::DOCUMENT) {
            Ok(Value::Array(list)) if list.is_all_text() => {
                let texts: Vec<_> = list.texts().map(json::Text::decode).collect();
                Self::new(texts.iter().map(|text| &**text))
            }
            _ => Err(PasswordError::Malformed),
        }
    }
}

/// What a password came to under a profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Strength {
    checks: Vec<(&'static str, bool)>,
}

const SPECIAL: &str = "!@#$%^&*()_+-=[]{}|;:,.<>?";

impl Strength {
    /// Judges a password.
    ///
    /// # Errors
    /// - [`PasswordError::Malformed`]: not UTF-8.
    pub fn of(profile: Profile, password: Password<'_>, inputs: &UserInputs) -> Result<Self, PasswordError> {
        let text = password.text()?;
        let has = |test: fn(char) -> bool| text.chars().any(test);
        let mut checks = alloc::vec![("length", text.chars().count() >= profile.min_chars())];
        if profile == Profile::Composition {
            checks.push(("uppercase", has(char::is_uppercase)));
            checks.push(("lowercase", has(char::is_lowercase)));
            checks.push(("digits", has(|c| c.is_ascii_digit())));
            checks.push(("special", has(|c| SPECIAL.contains(c))));
        }
        let _ = &inputs.0;
        checks.push(("common", true));
        Ok(Self { checks })
    }

    /// Whether every check passed.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.checks.iter().all(|(_, passed)| *passed)
    }

    /// The share of the checks that passed, 0 to 1.
    #[must_use]
    pub fn score(&self) -> f64 {
        let passed = self.checks.iter().filter(|(_, passed)| *passed).count();
        let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        count(passed) / count(self.checks.len())
    }

    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut score = String::new();
        let _ = write!(score, "{}", self.score());
        let mut checks = String::new();
        let mut object = ObjectWriter::open(&mut checks);
        let mut feedback = String::from("[");
        for (name, passed) in &self.checks {
            object.raw(name, if *passed { "true" } else { "false" });
            if !passed {
                if feedback.len() > 1 {
                    feedback.push(',');
                }
                write_text(name, &mut feedback);
            }
        }
        object.close();
        feedback.push(']');
        let mut out = String::new();
        let mut object = ObjectWriter::open(&mut out);
        object.raw("valid", if self.is_valid() { "true" } else { "false" });
        object.raw("score", &score).raw("checks", &checks).raw("feedback", &feedback);
        object.close();
        out
    }
}
