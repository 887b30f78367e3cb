//! What a token is for, as its `typ` says (RFC 7515 §4.1.9, RFC 9068 §2.1).

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

/// The longest name of a purpose, in bytes.
pub const MAX_PURPOSE_LEN: usize = 32;

/// The type of a token. Types never pass for each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenType {
    /// `at+jwt`: gives access.
    Access,
    /// `rt+jwt`: is traded for a new access token.
    Refresh,
    /// `JWT`: a token of another issuer that says no more of its type.
    Plain,
    /// `<purpose>+jwt`: does one thing, such as `reset`, `verify-email` or `invite`.
    Purpose(PurposeName),
}

impl TokenType {
    /// Reads a `typ` such as `at+jwt`.
    #[must_use]
    pub fn from_typ(typ: &str) -> Option<Self> {
        if typ == "JWT" {
            return Some(Self::Plain);
        }
        match typ.strip_suffix("+jwt")? {
            "at" => Some(Self::Access),
            "rt" => Some(Self::Refresh),
            purpose => PurposeName::new(purpose).map(Self::Purpose),
        }
    }

    /// The `typ`.
    #[must_use]
    pub fn typ(&self) -> String {
        match self {
            Self::Access => "at+jwt".into(),
            Self::Refresh => "rt+jwt".into(),
            Self::Plain => "JWT".into(),
            Self::Purpose(purpose) => format!("{}+jwt", purpose.as_str()),
        }
    }

    /// What the stacks before donjon wrote into a claim of their own.
    pub(super) fn legacy_name(&self) -> Option<&str> {
        match self {
            Self::Access => Some("access"),
            Self::Refresh => Some("refresh"),
            Self::Plain => None,
            Self::Purpose(purpose) => Some(purpose.as_str()),
        }
    }
}

/// The name of a purpose: lower-case letters, digits and hyphens, a letter first; neither `at` nor `rt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurposeName(Box<str>);

impl PurposeName {
    /// Checks a name.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let good = name.len() <= MAX_PURPOSE_LEN
            && name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
            && name.bytes().all(fits)
            && !matches!(name, "at" | "rt");
        good.then(|| Self(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
