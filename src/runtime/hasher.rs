//! A hasher and the memory that its hashes share.

use alloc::string::String;
use std::time::Duration;

use super::memory_pool::{MemoryPool, MemoryUse};
use crate::entropy::Entropy;
use crate::keyring::Keyring;
use crate::password::{
    Hasher, HasherConfig, Memory, Password, PasswordError, Verdict, Verification, is_unusable,
};

/// One scrypt at a time in a process. The primitive allocates by itself and aborts where it cannot, so it is
/// asked for just before whether it can; two who ask at once could both be told so of the same memory.
static SCRYPT: MemoryPool = MemoryPool::new(1, Duration::ZERO);

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
        u32::try_from(self.pool.max_wait().as_millis()).unwrap_or(u32::MAX)
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

    /// Verifies a password against a stored hash. One that says that there is no password
    /// ([`is_unusable`]) is treated as [`PasswordHasher::verify_unknown_user`] treats nobody's.
    ///
    /// # Errors
    /// - [`PasswordError::Mismatch`]: another password, or none.
    /// - [`PasswordError::Busy`], [`PasswordError::OutOfMemory`]: as [`PasswordHasher::hash`].
    /// - As [`Hasher::read`].
    pub fn verify(
        &self,
        password: Password<'_>,
        stored: &[u8],
        now_s: i64,
    ) -> Result<Verdict, PasswordError> {
        if is_unusable(stored) {
            return self.verify_unknown_user(password, now_s);
        }
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
        match verification.memory() {
            Memory::None => {
                // Work it is none the less: no more of it at once than hashes of its own.
                let _slot = self.pool.slot(self.hasher.params().memory_kib())?;
                verification.run(password, &mut [])
            }
            Memory::Blocks(kib) => verification.run(password, self.pool.blocks(kib)?.as_mut_slice()),
            Memory::Allocated(kib) => {
                // In this order: who waits to be alone holds no memory that others could hash in.
                let _alone = SCRYPT.account_within(1, self.pool.max_wait())?;
                let _share = self.pool.account(kib)?;
                verification.run(password, &mut [])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::runtime::OsEntropy;

    const OF_SCRYPT: &[u8] =
        b"$scrypt$ln=4,r=8,p=1$W+tdKyUk5BwDgJBSyjnnnA$EDfJTzv03T7aA9y1EA+mjk0w2wNuyuD7pyj8cdCv5Gs";

    fn anything() -> Password<'static> {
        Password::new(b"anything").unwrap()
    }

    #[test]
    fn one_scrypt_runs_at_a_time_whichever_hasher_it_is_of() {
        let verify = |max_wait_ms: u32| {
            let legacy = [crate::password::Scheme::Scrypt].into_iter().collect();
            let config = HasherConfig { max_wait_ms, legacy, ..HasherConfig::DEFAULT };
            let hasher = PasswordHasher::new(&config, None).unwrap();
            let verdict = hasher.verify(anything(), OF_SCRYPT, 0);
            (verdict, hasher.pool.usage().held_kib)
        };
        let alone = SCRYPT.account_within(1, Duration::from_secs(60)).unwrap();
        assert_eq!(verify(0), (Err(PasswordError::Busy), 0));
        drop(alone);
        assert_eq!(verify(60_000), (Err(PasswordError::Mismatch), 0));
    }

    #[test]
    fn a_scrypt_that_waits_to_be_alone_keeps_no_memory_from_others() {
        let hasher = PasswordHasher::from_json(
            br#"{"memory_kib":64,"memory_budget_kib":64,"time_cost":1,"legacy":["scrypt"],"allow_weak":true}"#,
            None,
        )
        .unwrap();
        let alone = SCRYPT.account_within(1, Duration::from_secs(60)).unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| hasher.verify(anything(), OF_SCRYPT, 0));
            thread::sleep(Duration::from_millis(50));
            // It takes the whole budget.
            assert!(hasher.hash(anything(), 0, &mut OsEntropy).is_ok());
            assert!(!waiting.is_finished(), "who waited gave up first");
            drop(alone);
            assert_eq!(waiting.join().unwrap(), Err(PasswordError::Mismatch));
        });
    }
}
