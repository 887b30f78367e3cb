//! A hasher and the memory that its hashes share.

use alloc::string::String;
use std::time::Duration;

use super::memory_pool::{Lease, MemoryPool, MemoryUse};
use crate::entropy::Entropy;
use crate::keyring::Keyring;
use crate::password::{Hasher, HasherConfig, Memory, Password, PasswordError, Verdict, Verification};

/// Hashes and verifies passwords inside a budget of memory: what does not fit waits for its turn, and
/// not forever.
///
/// ```
/// use donjon::password::{HasherConfig, Password, PasswordError};
/// use donjon::runtime::{OsEntropy, PasswordHasher};
///
/// let hasher = PasswordHasher::new(&HasherConfig::from_json(br#"{"preset":"owasp"}"#)?, None)?;
/// let stored = hasher.hash(Password::new(b"correct horse")?, 0, &mut OsEntropy)?;
/// assert!(hasher.verify(Password::new(b"correct horse")?, stored.as_bytes(), 0).is_ok());
///
/// let wrong = hasher.verify(Password::new(b"battery staple")?, stored.as_bytes(), 0);
/// assert_eq!(wrong, Err(PasswordError::Mismatch));
/// # Ok::<(), PasswordError>(())
/// ```
#[derive(Debug)]
pub struct PasswordHasher {
    hasher: Hasher,
    pool: MemoryPool,
}

impl PasswordHasher {
    /// A hasher of `config` and, if it is given, of the peppers of a keyring.
    ///
    /// # Errors
    /// - [`PasswordError::Config`]: as [`Hasher::new`].
    pub fn new(config: &HasherConfig, peppers: Option<&Keyring>) -> Result<Self, PasswordError> {
        let max_wait = Duration::from_millis(config.max_wait_ms.into());
        Ok(Self {
            hasher: Hasher::new(config, peppers)?,
            pool: MemoryPool::new(config.memory_budget_kib, max_wait),
        })
    }

    /// A hasher of the JSON form of a configuration.
    ///
    /// # Errors
    /// - [`PasswordError::Config`]: as [`HasherConfig::from_json`] and [`Hasher::new`].
    pub fn from_json(config: &[u8], peppers: Option<&Keyring>) -> Result<Self, PasswordError> {
        Self::new(&HasherConfig::from_json(config)?, peppers)
    }

    /// How long a hash waits for memory, in milliseconds.
    #[must_use]
    pub fn max_wait_ms(&self) -> u32 {
        self.pool.max_wait_ms()
    }

    /// How many hashes of its own parameters run at once.
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.pool.budget_kib().checked_div(self.hasher.params().memory_kib()).unwrap_or(0)
    }

    /// The memory that is held, and was given out.
    #[must_use]
    pub fn memory_use(&self) -> MemoryUse {
        self.pool.usage()
    }

    /// Hashes a password: a PHC string to store.
    ///
    /// # Errors
    /// - [`PasswordError::Busy`]: no memory within the budget for as long as the hasher waits.
    /// - [`PasswordError::OutOfMemory`]: the system has none.
    /// - As [`Hasher::begin`].
    pub fn hash(
        &self,
        password: Password<'_>,
        now_s: i64,
        entropy: &mut impl Entropy,
    ) -> Result<String, PasswordError> {
        let hashing = self.hasher.begin(now_s, entropy)?;
        let mut lease = self.pool.blocks(hashing.memory_kib())?;
        hashing.run(password, lease.as_mut_slice())
    }

    /// Verifies a password against a stored hash.
    ///
    /// # Errors
    /// - [`PasswordError::Mismatch`]: another password.
    /// - [`PasswordError::Busy`], [`PasswordError::OutOfMemory`]: as [`PasswordHasher::hash`].
    /// - As [`Hasher::read`].
    pub fn verify(
        &self,
        password: Password<'_>,
        stored: &[u8],
        now_s: i64,
    ) -> Result<Verdict, PasswordError> {
        self.run(self.hasher.read(stored, now_s)?, password)
    }

    /// Does what [`PasswordHasher::verify`] does for a hash of the hasher's own parameters, and fails: so
    /// that the time a log-in takes does not tell who has an account.
    ///
    /// # Errors
    /// - [`PasswordError::Mismatch`]: always, unless
    /// - [`PasswordError::Busy`], [`PasswordError::OutOfMemory`]: as [`PasswordHasher::hash`].
    pub fn verify_unknown_user(&self, password: Password<'_>, now_s: i64) -> Result<Verdict, PasswordError> {
        self.run(self.hasher.decoy(now_s)?, password)
    }

    /// Whether a stored hash should be made anew, as [`Verdict::needs_rehash`] without the password.
    ///
    /// # Errors
    /// As [`Hasher::read`].
    pub fn needs_rehash(&self, stored: &[u8], now_s: i64) -> Result<bool, PasswordError> {
        Ok(self.hasher.read(stored, now_s)?.needs_rehash())
    }

    fn run(&self, verification: Verification<'_>, password: Password<'_>) -> Result<Verdict, PasswordError> {
        let mut lease = match verification.memory() {
            Memory::None => None,
            Memory::Blocks(kib) => Some(self.pool.blocks(kib)?),
            Memory::Allocated(kib) => Some(self.pool.account(kib)?),
        };
        verification.run(password, lease.as_mut().map_or(&mut [], Lease::as_mut_slice))
    }
}
