//! The hasher: what it decides, without the memory that it works in.

use alloc::string::String;
use argon2::{Algorithm, Argon2, Version};

use super::config::HasherConfig;
use super::legacy::SchemeSet;
use super::pepper::{Peppers, usable_secret};
use super::phc::{Bytes, KeyId, Phc};
use super::stored::Stored;
use super::{Block, Params, Password, PasswordError};
use crate::ct;
use crate::entropy::Entropy;
use crate::keyring::Keyring;

/// Hashes and verifies. Hashing is in two steps, so that everything is checked before any memory is
/// asked for: [`Hasher::begin`] and [`Hashing::run`]; [`Hasher::read`] and [`Verification::run`].
#[derive(Debug)]
pub struct Hasher {
    params: Params,
    hash_len: usize,
    salt_len: usize,
    memory_budget_kib: u32,
    legacy: SchemeSet,
    peppers: Option<Peppers>,
}

/// A password matches its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The hash should be made anew, while the password is at hand.
    pub needs_rehash: bool,
    /// The password is longer than what the scheme looked at: bcrypt's 72 bytes. The rest of it was
    /// never checked.
    pub truncated: bool,
}

/// The memory that a verification takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// None to speak of; a good deal of time, all the same.
    None,
    /// So many blocks of 1 KiB, given to it.
    Blocks(u32),
    /// So many KiB, which it allocates itself.
    Allocated(u32),
}

impl Hasher {
    /// A hasher of `config`, and of the `password-pepper` secrets of `peppers`, if it is given.
    ///
    /// # Errors
    /// - [`PasswordError::Config`]: as [`HasherConfig::check`]; a keyring without a primary pepper; a
    ///   pepper without an id, or one that is no secret; two peppers that a hash could not tell apart.
    pub fn new(config: &HasherConfig, peppers: Option<&Keyring>) -> Result<Self, PasswordError> {
        config.check()?;
        Ok(Self {
            params: config.params,
            hash_len: config.hash_len,
            salt_len: config.salt_len,
            memory_budget_kib: config.memory_budget_kib,
            legacy: config.legacy,
            peppers: peppers.map(Peppers::new).transpose()?,
        })
    }

    /// What a new hash costs.
    #[must_use]
    pub const fn params(&self) -> Params {
        self.params
    }

    /// Begins a hash: draws its salt, and checks its pepper.
    ///
    /// # Errors
    /// - [`PasswordError::KeyExpired`]: the primary pepper's end has passed.
    /// - [`PasswordError::Entropy`]: no entropy.
    pub fn begin(&self, now_s: i64, entropy: &mut impl Entropy) -> Result<Hashing<'_>, PasswordError> {
        let primary = self.peppers.as_ref().and_then(Peppers::primary);
        let secret = primary.map(|(_, key)| usable_secret(key, now_s)).transpose()?;
        let mut phc = self.blank(primary.map(|(id, _)| id))?;
        entropy.fill(phc.salt.as_mut_slice())?;
        Ok(Hashing { phc, secret })
    }

    /// Reads a stored hash and finds its pepper.
    ///
    /// # Errors
    /// - [`PasswordError::InvalidHash`]: not of its format.
    /// - [`PasswordError::ParamsOutOfBounds`]: more work than the bounds allow, or more memory than the
    ///   budget.
    /// - [`PasswordError::Unsupported`]: of a legacy scheme that is not enabled.
    /// - [`PasswordError::UnknownKey`], [`PasswordError::KeyDisabled`], [`PasswordError::KeyDestroyed`],
    ///   [`PasswordError::KeyExpired`]: its pepper.
    pub fn read(&self, stored: &[u8], now_s: i64) -> Result<Verification<'_>, PasswordError> {
        let stored = Stored::read(stored, self.legacy)?;
        let verification = Verification {
            needs_rehash: self.needs_rehash(&stored),
            secret: self.secret_of(&stored, now_s)?,
            stored,
        };
        match verification.memory() {
            Memory::Blocks(kib) | Memory::Allocated(kib) if kib > self.memory_budget_kib => {
                Err(PasswordError::ParamsOutOfBounds)
            }
            _ => Ok(verification),
        }
    }

    /// A verification that costs what one of this hasher's own hashes does, and fails.
    ///
    /// # Errors
    /// - [`PasswordError::Internal`]: a defect.
    pub fn decoy(&self, now_s: i64) -> Result<Verification<'_>, PasswordError> {
        let primary = self.peppers.as_ref().and_then(Peppers::primary);
        let secret = primary.and_then(|(_, key)| usable_secret(key, now_s).ok());
        Ok(Verification { needs_rehash: false, secret, stored: Stored::Decoy(self.blank(None)?) })
    }

    /// What a new hash looks like, but for its bytes.
    fn blank(&self, key_id: Option<KeyId>) -> Result<Phc, PasswordError> {
        let bytes = |len| Bytes::zeroed(len).ok_or(PasswordError::Internal);
        Ok(Phc {
            algorithm: Algorithm::Argon2id,
            params: self.params,
            key_id,
            salt: bytes(self.salt_len)?,
            hash: bytes(self.hash_len)?,
        })
    }

    fn needs_rehash(&self, stored: &Stored) -> bool {
        let Stored::Argon2(phc) = stored else { return true };
        phc.algorithm != Algorithm::Argon2id
            || phc.params != self.params
            || phc.salt.as_slice().len() < self.salt_len
            || phc.hash.as_slice().len() < self.hash_len
            || phc.key_id != self.peppers.as_ref().and_then(Peppers::primary).map(|(id, _)| id)
    }

    fn secret_of(&self, stored: &Stored, now_s: i64) -> Result<Option<&[u8]>, PasswordError> {
        let (Stored::Argon2(phc) | Stored::DjangoArgon2(phc)) = stored else { return Ok(None) };
        let Some(id) = phc.key_id else { return Ok(None) };
        let key = self.peppers.as_ref().and_then(|peppers| peppers.get(id));
        usable_secret(key.ok_or(PasswordError::UnknownKey)?, now_s).map(Some)
    }
}

/// A hash that lacks nothing but the password, and memory.
pub struct Hashing<'a> {
    phc: Phc,
    secret: Option<&'a [u8]>,
}

impl Hashing<'_> {
    /// The blocks of 1 KiB that it takes.
    #[must_use]
    pub const fn memory_kib(&self) -> u32 {
        self.phc.params.memory_kib()
    }

    /// Hashes, and gives the PHC string to store.
    ///
    /// # Errors
    /// - [`PasswordError::Internal`]: fewer blocks than it takes.
    pub fn run(mut self, password: Password<'_>, memory: &mut [Block]) -> Result<String, PasswordError> {
        self.phc.hash = argon2(&self.phc, self.secret, password, memory)?;
        Ok(self.phc.write())
    }
}

/// A verification that lacks nothing but the password, and memory.
pub struct Verification<'a> {
    needs_rehash: bool,
    secret: Option<&'a [u8]>,
    stored: Stored,
}

impl Verification<'_> {
    /// The memory that it takes.
    #[must_use]
    pub fn memory(&self) -> Memory {
        match &self.stored {
            Stored::Argon2(phc) | Stored::DjangoArgon2(phc) | Stored::Decoy(phc) => {
                Memory::Blocks(phc.params.memory_kib())
            }
            Stored::Scrypt(scrypt) => Memory::Allocated(scrypt.memory_kib()),
            Stored::Bcrypt(_) | Stored::Pbkdf2(_) => Memory::None,
        }
    }

    /// Whether the hash should be made anew: its scheme, its parameters or its pepper are not those of
    /// a new one, or its salt or hash is shorter.
    #[must_use]
    pub const fn needs_rehash(&self) -> bool {
        self.needs_rehash
    }

    /// Verifies. `memory`: as [`Verification::memory`] says; empty where it gives no blocks.
    ///
    /// # Errors
    /// - [`PasswordError::Mismatch`]: another password.
    /// - [`PasswordError::OutOfMemory`]: what it allocates itself could not be had.
    /// - [`PasswordError::Internal`]: fewer blocks than it takes.
    pub fn run(self, password: Password<'_>, memory: &mut [Block]) -> Result<Verdict, PasswordError> {
        let mut truncated = false;
        let matches = match &self.stored {
            Stored::Argon2(phc) | Stored::DjangoArgon2(phc) => {
                let hash = argon2(phc, self.secret, password, memory)?;
                ct::eq(hash.as_slice(), phc.hash.as_slice())
            }
            Stored::Decoy(phc) => {
                argon2(phc, self.secret, password, memory)?;
                false
            }
            Stored::Bcrypt(bcrypt) => {
                truncated = bcrypt.truncates(password);
                bcrypt.matches(password)
            }
            Stored::Pbkdf2(pbkdf2) => pbkdf2.matches(password),
            Stored::Scrypt(scrypt) => scrypt.matches(password)?,
        };
        let verdict = Verdict { needs_rehash: self.needs_rehash, truncated };
        matches.then_some(verdict).ok_or(PasswordError::Mismatch)
    }
}

/// Argon2 of the password under everything that `phc` says, its own hash aside.
fn argon2(
    phc: &Phc,
    secret: Option<&[u8]>,
    password: Password<'_>,
    memory: &mut [Block],
) -> Result<Bytes, PasswordError> {
    let internal = |_| PasswordError::Internal;
    let mut hash = phc.hash;
    let len = Some(hash.as_slice().len());
    let params =
        argon2::Params::new(phc.params.memory_kib(), phc.params.time_cost(), phc.params.parallelism(), len)
            .map_err(internal)?;
    let argon2 = Argon2::new_with_secret(secret.unwrap_or_default(), phc.algorithm, Version::V0x13, params)
        .map_err(internal)?;
    argon2
        .hash_password_into_with_memory(password.as_bytes(), phc.salt.as_slice(), hash.as_mut_slice(), memory)
        .map_err(internal)?;
    Ok(hash)
}
