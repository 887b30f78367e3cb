//! Which scheme a stored hash is of.

use argon2::Algorithm;

use super::PasswordError;
use super::legacy::{Bcrypt, Pbkdf2, Prehash, Scheme, SchemeSet, Scrypt};
use super::phc::{MAX_STORED_LEN, Phc};

/// A stored hash, taken apart and inside its bounds.
pub(super) enum Stored {
    Argon2(Phc),
    /// Behind Django's prefix, a hash like any other that should lose the prefix.
    DjangoArgon2(Phc),
    /// Nobody's: verified to take the time, and never matched.
    Decoy(Phc),
    Bcrypt(Bcrypt),
    Pbkdf2(Pbkdf2),
    Scrypt(Scrypt),
}

/// Whether what is stored says that there is no password to log in with: nothing, or what begins with
/// `!`, as Django writes it. Whoever has it is to be treated like nobody, so that no log-in tells who that is.
#[must_use]
pub fn is_unusable(stored: &[u8]) -> bool {
    matches!(stored, [] | [b'!', ..])
}

impl Stored {
    /// Reads a stored hash, of Argon2id or of one of the `enabled` schemes.
    pub(super) fn read(text: &[u8], enabled: SchemeSet) -> Result<Self, PasswordError> {
        let text = core::str::from_utf8(text).map_err(|_| PasswordError::InvalidHash)?;
        if text.len() > MAX_STORED_LEN {
            return Err(PasswordError::InvalidHash);
        }
        let format = FORMATS.iter().find(|format| text.starts_with(format.prefix));
        let format = format.ok_or(PasswordError::InvalidHash)?;
        if format.scheme.is_some_and(|scheme| !enabled.contains(scheme)) {
            return Err(PasswordError::Unsupported);
        }
        (format.read)(text)
    }
}

struct Format {
    prefix: &'static str,
    /// What enables it; `None` for Argon2id, which needs no enabling.
    scheme: Option<Scheme>,
    /// Reads a text that begins with `prefix`.
    read: fn(&str) -> Result<Stored, PasswordError>,
}

const fn format(
    prefix: &'static str,
    scheme: Option<Scheme>,
    read: fn(&str) -> Result<Stored, PasswordError>,
) -> Format {
    Format { prefix, scheme, read }
}

const FORMATS: [Format; 15] = [
    format("$argon2id$", None, |text| argon2(text).map(Stored::Argon2)),
    format("$argon2i$", Some(Scheme::Argon2i), |text| argon2(text).map(Stored::Argon2)),
    format("$argon2d$", Some(Scheme::Argon2d), |text| argon2(text).map(Stored::Argon2)),
    format("argon2$argon2id$", None, django_argon2),
    format("argon2$argon2i$", Some(Scheme::Argon2i), django_argon2),
    format("argon2$argon2d$", Some(Scheme::Argon2d), django_argon2),
    format("$2", Some(Scheme::Bcrypt), |text| bcrypt(text, "", Prehash::None)),
    format("bcrypt$", Some(Scheme::Bcrypt), |text| bcrypt(text, "bcrypt$", Prehash::None)),
    format("bcrypt_sha256$", Some(Scheme::Bcrypt), |text| bcrypt(text, "bcrypt_sha256$", Prehash::Sha256Hex)),
    format("$pbkdf2-sha256$", Some(Scheme::Pbkdf2), |text| Pbkdf2::read_passlib(text).map(Stored::Pbkdf2)),
    format("$pbkdf2-sha512$", Some(Scheme::Pbkdf2), |text| Pbkdf2::read_passlib(text).map(Stored::Pbkdf2)),
    format("pbkdf2_sha256$", Some(Scheme::Pbkdf2), |text| Pbkdf2::read_django(text).map(Stored::Pbkdf2)),
    format("pbkdf2_sha512$", Some(Scheme::Pbkdf2), |text| Pbkdf2::read_django(text).map(Stored::Pbkdf2)),
    format("$scrypt$", Some(Scheme::Scrypt), |text| Scrypt::read_passlib(text).map(Stored::Scrypt)),
    format("scrypt$", Some(Scheme::Scrypt), |text| Scrypt::read_django(text).map(Stored::Scrypt)),
];

fn argon2(text: &str) -> Result<Phc, PasswordError> {
    let (name, rest) =
        text.strip_prefix('$').and_then(|text| text.split_once('$')).ok_or(PasswordError::InvalidHash)?;
    let algorithm = Algorithm::new(name).map_err(|_| PasswordError::InvalidHash)?;
    Phc::read(algorithm, rest)
}

/// `argon2$argon2id$…` is `$argon2id$…` with the name of Django's hasher before it.
fn django_argon2(text: &str) -> Result<Stored, PasswordError> {
    let hash = text.strip_prefix("argon2").ok_or(PasswordError::InvalidHash)?;
    argon2(hash).map(Stored::DjangoArgon2)
}

fn bcrypt(text: &str, prefix: &str, prehash: Prehash) -> Result<Stored, PasswordError> {
    let hash = text.strip_prefix(prefix).ok_or(PasswordError::InvalidHash)?;
    Bcrypt::read(hash, prehash).map(Stored::Bcrypt)
}
