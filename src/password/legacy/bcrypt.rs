//! bcrypt: `$2b$<cost>$<salt, 22 characters><hash, 31 characters>`, and what Django makes of it.

use alloc::vec::Vec;
use base64ct::{Base64Bcrypt, Encoding as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::ct;
use crate::password::{Password, PasswordError};

/// The bytes of a password that bcrypt looks at.
const MAX_KEY_LEN: usize = 72;

const MIN_COST: u32 = 4;
/// As much work as some forty default Argon2 hashes; the format goes up to 31, which is hours.
const MAX_COST: u32 = 16;

/// What becomes of the password before bcrypt sees it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prehash {
    /// Nothing.
    None,
    /// Django's `bcrypt_sha256`: the hexadecimal digits of its SHA-256.
    Sha256Hex,
}

/// A bcrypt hash, taken apart.
pub(crate) struct Bcrypt {
    prehash: Prehash,
    cost: u32,
    salt: [u8; 16],
    hash: [u8; 23],
}

impl Bcrypt {
    /// Reads a hash from its `$2b$` on.
    pub(crate) fn read(text: &str, prehash: Prehash) -> Result<Self, PasswordError> {
        let invalid = PasswordError::InvalidHash;
        let rest = ["$2a$", "$2b$", "$2y$"].iter().find_map(|version| text.strip_prefix(version));
        let (cost, rest) = rest.and_then(|rest| rest.split_once('$')).ok_or(invalid)?;
        let (salt, hash) = rest.split_at_checked(22).ok_or(invalid)?;
        let cost = match cost.as_bytes() {
            [tens @ b'0'..=b'3', units @ b'0'..=b'9'] => {
                let digit = |byte: u8| u32::from(byte.saturating_sub(b'0'));
                digit(*tens).saturating_mul(10).saturating_add(digit(*units))
            }
            _ => return Err(invalid),
        };
        let this = Self { prehash, cost, salt: decode(salt)?, hash: decode(hash)? };
        match cost {
            MIN_COST..=MAX_COST => Ok(this),
            _ if (MIN_COST..=31).contains(&cost) => Err(PasswordError::ParamsOutOfBounds),
            _ => Err(invalid),
        }
    }

    /// Whether the password is longer than what bcrypt looks at.
    pub(crate) const fn truncates(&self, password: Password<'_>) -> bool {
        matches!(self.prehash, Prehash::None) && password.as_bytes().len() > MAX_KEY_LEN
    }

    pub(crate) fn matches(&self, password: Password<'_>) -> bool {
        let mut key = Zeroizing::new(Vec::with_capacity(MAX_KEY_LEN));
        match self.prehash {
            Prehash::None => key.extend(password.as_bytes().iter().take(MAX_KEY_LEN)),
            Prehash::Sha256Hex => {
                let digest = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(password.as_bytes())));
                key.extend(digest.iter().flat_map(|byte| [hex_digit(byte >> 4), hex_digit(byte & 0xF)]));
            }
        }
        // The terminating NUL counts, where it still fits.
        if key.len() < MAX_KEY_LEN {
            key.push(0);
        }
        let hash = Zeroizing::new(::bcrypt::bcrypt(self.cost, self.salt, &key));
        hash.split_last().is_some_and(|(_, hash)| ct::eq(hash, &self.hash))
    }
}

const fn hex_digit(nibble: u8) -> u8 {
    let base = if nibble < 10 { b'0' } else { b'a'.wrapping_sub(10) };
    base.wrapping_add(nibble)
}

fn decode<const N: usize>(text: &str) -> Result<[u8; N], PasswordError> {
    let mut bytes = [0; N];
    let written = Base64Bcrypt::decode(text, &mut bytes).map_err(|_| PasswordError::InvalidHash)?.len();
    if written == N { Ok(bytes) } else { Err(PasswordError::InvalidHash) }
}
