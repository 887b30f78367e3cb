//! PBKDF2 (RFC 8018 §5.2) with HMAC-SHA-256 or HMAC-SHA-512, as passlib and as Django write it.

use alloc::string::String;
use alloc::vec::Vec;
use base64ct::{Base64, Base64Unpadded, Encoding as _};
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use crate::ct;
use crate::password::phc::decimal;
use crate::password::{Password, PasswordError};

/// The most iterations: some seven times what is recommended today.
const MAX_ROUNDS: u32 = 10_000_000;

/// The hash that the HMAC is made of.
#[derive(Clone, Copy)]
enum Prf {
    Sha256,
    Sha512,
}

impl Prf {
    const fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// A PBKDF2 hash, taken apart.
pub(crate) struct Pbkdf2 {
    prf: Prf,
    rounds: u32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Pbkdf2 {
    /// passlib's `$pbkdf2-sha256$<rounds>$<salt>$<hash>`, in base64 with `.` for `+`, without padding.
    pub(crate) fn read_passlib(text: &str) -> Result<Self, PasswordError> {
        let (prf, rounds, salt, hash) = fields(text, "$pbkdf2-sha256$", "$pbkdf2-sha512$")?;
        Self::new(prf, rounds, adapted_base64(salt)?, adapted_base64(hash)?)
    }

    /// Django's `pbkdf2_sha256$<rounds>$<salt, as it is>$<hash, in padded base64>`.
    pub(crate) fn read_django(text: &str) -> Result<Self, PasswordError> {
        let (prf, rounds, salt, hash) = fields(text, "pbkdf2_sha256$", "pbkdf2_sha512$")?;
        let hash = Base64::decode_vec(hash).map_err(|_| PasswordError::InvalidHash)?;
        Self::new(prf, rounds, salt.as_bytes().to_vec(), hash)
    }

    fn new(prf: Prf, rounds: &str, salt: Vec<u8>, hash: Vec<u8>) -> Result<Self, PasswordError> {
        let rounds = decimal(rounds).ok_or(PasswordError::InvalidHash)?;
        if hash.len() != prf.len() {
            return Err(PasswordError::InvalidHash);
        }
        if !(1..=MAX_ROUNDS).contains(&rounds) {
            return Err(PasswordError::ParamsOutOfBounds);
        }
        Ok(Self { prf, rounds, salt, hash })
    }

    pub(crate) fn matches(&self, password: Password<'_>) -> bool {
        let mut out = Zeroizing::new([0; 64]);
        let Some(out) = out.get_mut(..self.prf.len()) else { return false };
        let derive = match self.prf {
            Prf::Sha256 => ::pbkdf2::pbkdf2_hmac::<Sha256>,
            Prf::Sha512 => ::pbkdf2::pbkdf2_hmac::<Sha512>,
        };
        derive(password.as_bytes(), &self.salt, self.rounds, out);
        ct::eq(out, &self.hash)
    }
}

/// Which hash, the rounds, the salt and the hash: all that both formats have, in the same places.
fn fields<'a>(
    text: &'a str,
    sha256: &str,
    sha512: &str,
) -> Result<(Prf, &'a str, &'a str, &'a str), PasswordError> {
    let prf = |prefix, prf| text.strip_prefix(prefix).map(|rest| (prf, rest));
    let found = prf(sha256, Prf::Sha256).or_else(|| prf(sha512, Prf::Sha512));
    let (prf, rest) = found.ok_or(PasswordError::InvalidHash)?;
    let mut fields = rest.split('$');
    match (fields.next(), fields.next(), fields.next(), fields.next()) {
        (Some(rounds), Some(salt), Some(hash), None) => Ok((prf, rounds, salt, hash)),
        _ => Err(PasswordError::InvalidHash),
    }
}

fn adapted_base64(text: &str) -> Result<Vec<u8>, PasswordError> {
    if text.contains('+') {
        return Err(PasswordError::InvalidHash);
    }
    let standard: String = text.chars().map(|c| if c == '.' { '+' } else { c }).collect();
    Base64Unpadded::decode_vec(&standard).map_err(|_| PasswordError::InvalidHash)
}
