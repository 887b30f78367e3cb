//! A key-encryption key from a passphrase: Argon2id (RFC 9106), whose cost stands in the envelope.

use alloc::vec::Vec;
use argon2::{Algorithm, Argon2, Block, Version};
use core::fmt;
use zeroize::{Zeroize as _, Zeroizing};

use super::EnvelopeError;
use super::chunked::InputKey;
use crate::entropy::Entropy;

pub(super) const SALT_LEN: usize = 16;

/// The longest passphrase, in bytes.
pub const MAX_PASSPHRASE_LEN: usize = 4096;

/// What making a key from a passphrase costs, inside its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassphraseParams {
    memory_kib: u32,
    time_cost: u32,
    parallelism: u32,
}

impl PassphraseParams {
    /// The most memory that an envelope may ask for, in KiB: 1 GiB.
    pub const MAX_MEMORY_KIB: u32 = 1 << 20;
    /// The most passes.
    pub const MAX_TIME_COST: u32 = 16;
    /// The most lanes.
    pub const MAX_PARALLELISM: u32 = 16;
    /// The most work, in KiB times passes: four passes over the most memory, some seconds.
    pub const MAX_WORK: u64 = 1 << 22;

    /// 256 MiB, three passes, one lane: a file is opened rarely, and guessed at for ever.
    pub const DEFAULT: Self = Self { memory_kib: 262_144, time_cost: 3, parallelism: 1 };

    /// Parameters, strong or weak, inside the bounds.
    ///
    /// # Errors
    /// - [`EnvelopeError::ParamsOutOfBounds`]: over [`Self::MAX_MEMORY_KIB`], [`Self::MAX_TIME_COST`],
    ///   [`Self::MAX_PARALLELISM`] or [`Self::MAX_WORK`]; zero; under 8 KiB per lane.
    pub fn new(memory_kib: u32, time_cost: u32, parallelism: u32) -> Result<Self, EnvelopeError> {
        let is_bounded = memory_kib <= Self::MAX_MEMORY_KIB
            && (1..=Self::MAX_TIME_COST).contains(&time_cost)
            && (1..=Self::MAX_PARALLELISM).contains(&parallelism)
            && memory_kib >= parallelism.saturating_mul(8)
            && u64::from(memory_kib).saturating_mul(u64::from(time_cost)) <= Self::MAX_WORK;
        is_bounded
            .then_some(Self { memory_kib, time_cost, parallelism })
            .ok_or(EnvelopeError::ParamsOutOfBounds)
    }
}

/// How a passphrase becomes a key, as a header says it; not yet held against the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kdf {
    pub(super) salt: [u8; SALT_LEN],
    pub(super) memory_kib: u32,
    pub(super) time_cost: u32,
    pub(super) parallelism: u32,
}

/// A passphrase, and what new envelopes under it cost.
pub(super) struct Passphrase {
    passphrase: Zeroizing<Vec<u8>>,
    params: PassphraseParams,
}

impl Passphrase {
    pub(super) fn new(passphrase: &[u8], params: PassphraseParams) -> Result<Self, EnvelopeError> {
        match passphrase.len() {
            0 => Err(EnvelopeError::InvalidArgument),
            1..=MAX_PASSPHRASE_LEN => Ok(Self { passphrase: Zeroizing::new(passphrase.to_vec()), params }),
            _ => Err(EnvelopeError::TooLarge),
        }
    }

    /// How a new envelope makes its key: with a salt of its own.
    pub(super) fn fresh_kdf(&self, entropy: &mut impl Entropy) -> Result<Kdf, EnvelopeError> {
        let PassphraseParams { memory_kib, time_cost, parallelism } = self.params;
        let mut salt = [0; SALT_LEN];
        entropy.fill(&mut salt)?;
        Ok(Kdf { salt, memory_kib, time_cost, parallelism })
    }

    /// Whether new envelopes cost something else than this one.
    pub(super) fn differs_from(&self, kdf: &Kdf) -> bool {
        PassphraseParams::new(kdf.memory_kib, kdf.time_cost, kdf.parallelism) != Ok(self.params)
    }

    /// The key. Refused before any work, if the header asks for more than the bounds allow.
    pub(super) fn key(&self, kdf: &Kdf) -> Result<InputKey, EnvelopeError> {
        let params = PassphraseParams::new(kdf.memory_kib, kdf.time_cost, kdf.parallelism)?;
        let internal = |_| EnvelopeError::Internal;
        let costs = argon2::Params::new(params.memory_kib, params.time_cost, params.parallelism, Some(32))
            .map_err(internal)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, costs);
        let mut memory = Memory::new(params.memory_kib)?;
        let mut key = Zeroizing::new([0; 32]);
        argon2
            .hash_password_into_with_memory(&self.passphrase, &kdf.salt, &mut *key, &mut memory.0)
            .map_err(internal)?;
        InputKey::new(&*key)
    }
}

/// Everything but the passphrase.
impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passphrase").field("params", &self.params).finish_non_exhaustive()
    }
}

/// Argon2's blocks of 1 KiB, wiped after use.
struct Memory(Vec<Block>);

impl Memory {
    fn new(kib: u32) -> Result<Self, EnvelopeError> {
        let kib = usize::try_from(kib).map_err(|_| EnvelopeError::OutOfMemory)?;
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(kib).map_err(|_| EnvelopeError::OutOfMemory)?;
        blocks.resize(kib, Block::new());
        Ok(Self(blocks))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(Block::zeroize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_is_the_last_value_that_passes() {
        for (memory_kib, time_cost, parallelism) in
            [(8, 1, 1), (128, 1, 16), (PassphraseParams::MAX_MEMORY_KIB, 4, 1), (262_144, 16, 1)]
        {
            assert!(PassphraseParams::new(memory_kib, time_cost, parallelism).is_ok(), "{memory_kib}");
        }
        for (memory_kib, time_cost, parallelism) in [
            (7, 1, 1),
            (127, 1, 16),
            (PassphraseParams::MAX_MEMORY_KIB + 1, 1, 1),
            (PassphraseParams::MAX_MEMORY_KIB, 5, 1),
            (8, 17, 1),
            (8, 0, 1),
            (8, 1, 0),
            (1024, 1, 17),
            (u32::MAX, u32::MAX, u32::MAX),
        ] {
            assert_eq!(
                PassphraseParams::new(memory_kib, time_cost, parallelism),
                Err(EnvelopeError::ParamsOutOfBounds),
                "{memory_kib} {time_cost} {parallelism}"
            );
        }
    }

    #[test]
    fn a_passphrase_is_neither_empty_nor_endless() {
        let new =
            |len: usize| Passphrase::new(&alloc::vec![b'x'; len], PassphraseParams::DEFAULT).map(|_| ());
        assert_eq!(new(0), Err(EnvelopeError::InvalidArgument));
        assert_eq!(new(MAX_PASSPHRASE_LEN), Ok(()));
        assert_eq!(new(MAX_PASSPHRASE_LEN + 1), Err(EnvelopeError::TooLarge));
    }
}
