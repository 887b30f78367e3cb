//! The states of limits in one process: a bounded table that any number of threads share.

use alloc::vec::Vec;
use core::fmt;
use std::sync::Mutex;

use siphasher::sip128::SipHasher13;

use crate::entropy::Entropy;
use crate::limit::{LimitError, Limits, Verdict};

mod candidates;
mod config;
#[cfg(test)]
mod every_order;
mod lock;
mod shard;
mod slots;
mod state;
#[cfg(test)]
mod tests;

pub use config::{DEFAULT_TABLE_CAPACITY, LimitTableConfig, MAX_TABLE_CAPACITY, WhenFull};

use lock::Lock;
use shard::Shard;
use slots::{Id, share};

/// The longest key, in bytes.
pub const MAX_LIMIT_KEY_LEN: usize = 1024;

/// The most entries of a shard: how many a search for who has to go looks at.
const MAX_SHARD: u32 = 1024;

/// The entries of a shard when the table is full: so few that none of the shards is full before, for they
/// differ by their square root, and the room that is left is five times that.
const MEAN_SHARD: u32 = 876;

/// What a table holds, and what became of what it does not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitTableStatistics {
    /// The keys that are there.
    pub entries: u64,
    /// The keys that there is room for.
    pub capacity: u64,
    /// Entries that went when nothing was left to remember of them.
    pub expired: u64,
    /// Entries that went for others to come, the nearest to a full allowance first.
    pub evicted: u64,
    /// Times that a new key found only locked ones, and no place.
    pub refused: u64,
    /// The memory that the table holds.
    pub bytes: u64,
}

/// The states of keys, in memory: bounded, for any number of threads.
///
/// Every key belongs to limits of its own: where two kinds of limits count the same address, their keys differ
/// by a prefix. A key takes 46 to 58 bytes however long it is, for it is known by its SipHash-1-3 of 128 bits
/// under a secret of the table: nobody can aim at a place in it, or find two keys that share one. States of
/// several limits and of the sliding log take their length besides.
///
/// The keys are spread over shards with a lock each. A shard that is full lets go what is expired, or else
/// the key nearest to a full allowance; one with nothing left never. There is room for the capacity, and up to a
/// fifth more, for shards are not equally full.
///
/// ```
/// use donjon::limit::{Algorithm, Limits};
/// use donjon::runtime::{LimitTable, LimitTableConfig, OsEntropy};
///
/// let limits = Limits::parse("2/minute", Algorithm::Gcra)?;
/// let table = LimitTable::new(LimitTableConfig::DEFAULT, &mut OsEntropy)?;
/// let now_ms = 1_800_000_000_000;
/// for allowed in [true, true, false] {
///     assert_eq!(table.spend(&limits, b"address:192.0.2.7", now_ms, 1)?.allowed(), allowed);
/// }
/// # Ok::<(), donjon::limit::LimitError>(())
/// ```
pub struct LimitTable(Table<Mutex<Shard>>);

impl LimitTable {
    /// An empty table.
    ///
    /// # Errors
    /// - [`LimitError::Config`]: as [`LimitTableConfig::check`].
    /// - [`LimitError::Entropy`]: no secret.
    /// - [`LimitError::OutOfMemory`]: no room for the locks of that many shards.
    pub fn new(config: LimitTableConfig, entropy: &mut impl Entropy) -> Result<Self, LimitError> {
        Table::new(config, entropy).map(Self)
    }

    /// Spends `cost` from what `key` has left; 0 asks, and spends nothing. Where there is no place for a new
    /// key, the verdict says so, and is what the table was told.
    ///
    /// # Errors
    /// - As [`Limits::spend`].
    /// - [`LimitError::TooLarge`]: a key over [`MAX_LIMIT_KEY_LEN`].
    /// - [`LimitError::OutOfMemory`]: nothing was spent.
    pub fn spend(&self, limits: &Limits, key: &[u8], now_ms: i64, cost: u32) -> Result<Verdict, LimitError> {
        self.0.spend(limits, key, now_ms, cost)
    }

    /// Gives `key` back what was spent at `spent_at_ms`, as far as time has not.
    ///
    /// # Errors
    /// As [`LimitTable::spend`].
    pub fn give_back(
        &self,
        limits: &Limits,
        key: &[u8],
        spent_at_ms: i64,
        now_ms: i64,
        cost: u32,
    ) -> Result<(), LimitError> {
        self.0.give_back(limits, key, spent_at_ms, now_ms, cost)
    }

    /// Forgets what `key` has spent.
    ///
    /// # Errors
    /// - [`LimitError::TooLarge`]: a key over [`MAX_LIMIT_KEY_LEN`].
    pub fn forget(&self, key: &[u8]) -> Result<(), LimitError> {
        self.0.with(key, |id, shard| shard.forget(id))
    }

    /// What it holds. Looks at every shard, one after the other.
    #[must_use]
    pub fn statistics(&self) -> LimitTableStatistics {
        self.0.statistics()
    }
}

impl fmt::Debug for LimitTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LimitTable").field(&self.statistics()).finish()
    }
}

/// In lines of their own, that threads in different shards do not meet.
#[repr(align(128))]
struct Line<L>(L);

/// A table whose shards have a lock of this kind.
struct Table<L> {
    hasher: SipHasher13,
    shards: Vec<Line<L>>,
    config: LimitTableConfig,
}

impl<L: Lock<Shard>> Table<L> {
    fn new(config: LimitTableConfig, entropy: &mut impl Entropy) -> Result<Self, LimitError> {
        config.check()?;
        let mut key = [0; 16];
        entropy.fill(&mut key)?;
        let (count, most) = shards(config.capacity);
        let mut shards = Vec::new();
        shards.try_reserve_exact(count).map_err(|_| LimitError::OutOfMemory)?;
        shards.resize_with(count, || Line(L::new(Shard::new(most))));
        Ok(Self { hasher: SipHasher13::new_with_key(&key), shards, config })
    }

    fn spend(&self, limits: &Limits, key: &[u8], now_ms: i64, cost: u32) -> Result<Verdict, LimitError> {
        let when_full = self.config.when_full;
        self.with(key, |id, shard| shard.spend(id, limits, now_ms, cost, when_full))?
    }

    fn give_back(
        &self,
        limits: &Limits,
        key: &[u8],
        spent_at_ms: i64,
        now_ms: i64,
        cost: u32,
    ) -> Result<(), LimitError> {
        self.with(key, |id, shard| shard.give_back(id, limits, spent_at_ms, now_ms, cost))?
    }

    fn statistics(&self) -> LimitTableStatistics {
        let own = self.shards.capacity().saturating_mul(size_of::<Line<L>>());
        let mut statistics = LimitTableStatistics {
            capacity: self.config.capacity.into(),
            bytes: own as u64,
            ..LimitTableStatistics::default()
        };
        for Line(lock) in &self.shards {
            let (len, counts, bytes) = lock.with(|shard| (shard.len(), shard.counts(), shard.bytes()));
            for (sum, part) in [
                (&mut statistics.entries, len as u64),
                (&mut statistics.expired, counts.expired),
                (&mut statistics.evicted, counts.evicted),
                (&mut statistics.refused, counts.refused),
                (&mut statistics.bytes, bytes as u64),
            ] {
                *sum = sum.saturating_add(part);
            }
        }
        statistics
    }

    fn with<R>(&self, key: &[u8], act: impl FnOnce(Id, &mut Shard) -> R) -> Result<R, LimitError> {
        if key.len() > MAX_LIMIT_KEY_LEN {
            return Err(LimitError::TooLarge);
        }
        let (high, low) = self.hasher.hash(key).as_u64();
        let Line(lock) = self.shards.get(share(high, self.shards.len())).ok_or(LimitError::Internal)?;
        Ok(lock.with(|shard| act(Id { high, low }, shard)))
    }
}

/// How many shards, and the most entries of each. One is exact.
fn shards(capacity: u32) -> (usize, usize) {
    let count = if capacity <= MAX_SHARD { 1 } else { capacity.div_ceil(MEAN_SHARD) };
    let mean = capacity.div_ceil(count.max(1));
    let slack = if count == 1 { 0 } else { mean.isqrt().saturating_add(1).saturating_mul(5) };
    (count as usize, mean.saturating_add(slack).min(MAX_SHARD) as usize)
}
