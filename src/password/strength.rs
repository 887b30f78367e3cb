//! Whether a new password is acceptable, and what to tell who chose it.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::common::{self, Common};
use super::{Password, PasswordError, UserInputs};
use crate::json::{ObjectWriter, write_text};

/// What counts as special: the requirements' list.
const SPECIAL: &str = "!@#$%^&*()_+-=[]{}|;:,.<>?";

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

    /// The fewest characters, and what to say of fewer.
    const fn length(self) -> (usize, &'static str) {
        match self {
            Self::Composition => (12, "Use at least 12 characters."),
            Self::Nist => (15, "Use at least 15 characters."),
            Self::NistMfa => (8, "Use at least 8 characters."),
        }
    }
}

/// One thing that is asked of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name: `length`, `uppercase`, `lowercase`, `digits`, `special` or `common`.
    pub name: &'static str,
    /// Whether the password passes; of `common`, that it is not.
    pub passed: bool,
    /// What to do about it, as a sentence for whoever chose the password.
    pub advice: &'static str,
}

/// What a password came to under a profile.
///
/// ```
/// use donjon::password::{Password, Profile, Strength, UserInputs};
///
/// let judge = |password: &str| {
///     let inputs = UserInputs::new(["Ann Miller", "ann@example.com"])?;
///     Strength::of(Profile::Composition, Password::new(password.as_bytes())?, &inputs)
/// };
/// assert!(judge("Granite-Otter-41")?.is_valid());
/// assert!(!judge("P@ssw0rd2024!")?.is_valid());
/// assert!(!judge("Ann-Miller-1990")?.is_valid());
/// # Ok::<(), donjon::password::PasswordError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strength {
    checks: Vec<Check>,
}

impl Strength {
    /// Judges a password. Letters and their case are Unicode's, digits are 0 to 9, and a character is a
    /// code point.
    ///
    /// # Errors
    /// - [`PasswordError::Malformed`]: not UTF-8.
    pub fn of(profile: Profile, password: Password<'_>, inputs: &UserInputs) -> Result<Self, PasswordError> {
        let text = password.text()?;
        let mut checks = Vec::new();
        let mut check = |name, passed, advice| checks.push(Check { name, passed, advice });
        let (min_chars, advice) = profile.length();
        check("length", text.chars().count() >= min_chars, advice);
        if profile == Profile::Composition {
            let has = |test: fn(char) -> bool| text.chars().any(test);
            check("uppercase", has(char::is_uppercase), "Add an upper-case letter.");
            check("lowercase", has(char::is_lowercase), "Add a lower-case letter.");
            check("digits", has(|c| c.is_ascii_digit()), "Add a digit.");
            check("special", has(|c| SPECIAL.contains(c)), "Add one of !@#$%^&*()_+-=[]{}|;:,.<>?");
        }
        let common = common::find(text, inputs);
        let advice = match common {
            Some(Common::Own) => "It is made of your own name or address: choose other words.",
            Some(Common::Predictable) => "It repeats or counts: choose something harder to guess.",
            _ => "It is a common password, perhaps decorated: choose something else.",
        };
        check("common", common.is_none(), advice);
        Ok(Self { checks })
    }

    /// The checks of the profile, in their order.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Whether every check passed.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }

    /// The share of the checks that passed, 0 to 1.
    #[must_use]
    pub fn score(&self) -> f64 {
        let count = |n: usize| u32::try_from(n).map_or(0.0, f64::from);
        count(self.checks.iter().filter(|check| check.passed).count()) / count(self.checks.len())
    }

    /// The JSON form: `{"valid":false,"score":0.8333333333333334,"checks":{"length":true,…},"feedback":
    /// ["…"]}`, the score as the shortest decimal that reads back, feedback for each failed check.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut checks = String::new();
        let mut object = ObjectWriter::open(&mut checks);
        let mut feedback = String::new();
        for check in &self.checks {
            object.raw(check.name, boolean(check.passed));
            if !check.passed {
                feedback.push(if feedback.is_empty() { '[' } else { ',' });
                write_text(check.advice, &mut feedback);
            }
        }
        object.close();
        feedback.push_str(if feedback.is_empty() { "[]" } else { "]" });

        let mut out = String::new();
        let mut object = ObjectWriter::open(&mut out);
        object.raw("valid", boolean(self.is_valid())).raw("score", &self.score().to_string());
        object.raw("checks", &checks).raw("feedback", &feedback).close();
        out
    }
}

const fn boolean(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(profile: &str, password: &str) -> String {
        let profile = Profile::from_name(profile).unwrap();
        let password = Password::new(password.as_bytes()).unwrap();
        Strength::of(profile, password, &UserInputs::default()).unwrap().to_json()
    }

    #[test]
    fn the_json_is_that_of_the_contract() {
        assert_eq!(
            json("", "Granite-Otter-41"),
            r#"{"valid":true,"score":1,"checks":{"length":true,"uppercase":true,"lowercase":true,"digits":true,"special":true,"common":true},"feedback":[]}"#
        );
        assert_eq!(
            json("composition", "P@ssw0rd2024!"),
            r#"{"valid":false,"score":0.8333333333333334,"checks":{"length":true,"uppercase":true,"lowercase":true,"digits":true,"special":true,"common":false},"feedback":["It is a common password, perhaps decorated: choose something else."]}"#
        );
        assert_eq!(
            json("nist-800-63b-4", "granite otter"),
            r#"{"valid":false,"score":0.5,"checks":{"length":false,"common":true},"feedback":["Use at least 15 characters."]}"#
        );
    }

    #[test]
    fn each_profile_has_its_length_in_characters() {
        for (profile, min_chars) in [("composition", 12), ("nist-800-63b-4", 15), ("nist-800-63b-4-mfa", 8)] {
            let of =
                |chars: usize| json(profile, &"äbcž-Ö9ñqwm!üxyk".chars().take(chars).collect::<String>());
            assert!(of(min_chars).contains(r#""length":true"#), "{profile}");
            assert!(of(min_chars - 1).contains(r#""length":false"#), "{profile}");
        }
    }

    #[test]
    fn a_long_password_is_judged_whole() {
        let long = "quiet basalt otter ".repeat(200) + "A1!";
        assert!(json("", &long).starts_with(r#"{"valid":true"#));
    }

    #[test]
    fn what_is_not_text_is_malformed() {
        let password = Password::new(b"\xffabcdefghijk").unwrap();
        let judged = Strength::of(Profile::Nist, password, &UserInputs::default());
        assert_eq!(judged, Err(PasswordError::Malformed));
    }
}
