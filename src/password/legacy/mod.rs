//! Schemes that are verified for people on their way here from passlib, Django and others, and never
//! hashed with. Each is enabled by name; the verdict always asks to hash anew.

mod bcrypt;
mod pbkdf2;
mod scrypt;

pub(super) use bcrypt::{Bcrypt, Prehash};
pub(super) use pbkdf2::Pbkdf2;
pub(super) use scrypt::Scrypt;

/// A scheme that is verified where it was enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `$2a$`, `$2b$`, `$2y$`, and Django's `bcrypt$` and `bcrypt_sha256$`. **bcrypt cuts a password at
    /// 72 bytes**: a longer one verifies by its first 72, and the verdict says so.
    Bcrypt,
    /// PBKDF2 with HMAC-SHA-256 or HMAC-SHA-512, as passlib and Django write it.
    Pbkdf2,
    /// scrypt, as passlib and Django write it.
    Scrypt,
    /// `$argon2i$`.
    Argon2i,
    /// `$argon2d$`.
    Argon2d,
}

impl Scheme {
    /// Every scheme.
    pub const ALL: [Self; 5] = [Self::Bcrypt, Self::Pbkdf2, Self::Scrypt, Self::Argon2i, Self::Argon2d];

    /// The scheme of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == name)
    }

    /// The name, as a configuration spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bcrypt => "bcrypt",
            Self::Pbkdf2 => "pbkdf2",
            Self::Scrypt => "scrypt",
            Self::Argon2i => "argon2i",
            Self::Argon2d => "argon2d",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of schemes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SchemeSet(u8);

impl SchemeSet {
    /// No scheme.
    pub const NONE: Self = Self(0);

    /// Whether `scheme` is in the set.
    #[must_use]
    pub const fn contains(self, scheme: Scheme) -> bool {
        self.0 & scheme.bit() != 0
    }
}

impl FromIterator<Scheme> for SchemeSet {
    fn from_iter<I: IntoIterator<Item = Scheme>>(schemes: I) -> Self {
        Self(schemes.into_iter().fold(0, |bits, scheme| bits | scheme.bit()))
    }
}
