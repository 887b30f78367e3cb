//! `donjon_limit_table`.

use super::guard;
use super::limits::{donjon_limit_verdict, donjon_limits};
use super::memory::{Slot, bytes, free, reference};
use crate::runtime::{LimitTable, LimitTableConfig, LimitTableStatistics, OsEntropy};

/// The longest key of a table, in bytes; longer ones are TOO_LARGE.
pub const DONJON_LIMIT_KEY_MAX: usize = 1024;

/// The states of limits in one process, bounded: some 60 bytes for a key, however long it is. When it is full,
/// what is expired goes, then the key nearest to a full allowance; one with nothing left never. Looks after its
/// own locks.
pub struct donjon_limit_table(LimitTable);

/// What a table holds, and what became of what it does not.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct donjon_limit_table_statistics {
    /// The keys that are there.
    pub entries: u64,
    /// The keys that there is room for.
    pub capacity: u64,
    /// Entries that went when nothing was left to remember of them.
    pub expired: u64,
    /// Entries that went for others to come.
    pub evicted: u64,
    /// Times that a new key found only locked ones, and no place.
    pub refused: u64,
    /// The memory that the table holds, in bytes.
    pub bytes: u64,
}

impl From<LimitTableStatistics> for donjon_limit_table_statistics {
    fn from(statistics: LimitTableStatistics) -> Self {
        let LimitTableStatistics { entries, capacity, expired, evicted, refused, bytes } = statistics;
        Self { entries, capacity, expired, evicted, refused, bytes }
    }
}

/// Makes a table.
///
/// config: empty for the defaults, or {"capacity":100000,"when_full":"refuse"}, any member left out.
///   "capacity": how many keys there is room for, up to 100,000,000; up to a fifth more may be there.
///   "when_full": what becomes of a new key where only keys are that have nothing left: "refuse", or "allow",
///   uncounted. Both are counted as refused, and the verdict has table_full.
///
/// Errors: CONFIG_ERROR, ENTROPY_UNAVAILABLE, OUT_OF_MEMORY.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_limit_table_new(
    config: *const u8,
    config_len: usize,
    out: *mut *mut donjon_limit_table,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (config, out) = unsafe { (bytes(config, config_len)?, Slot::new(out)?) };
        let config = LimitTableConfig::from_json(config)?;
        out.put_handle(donjon_limit_table(LimitTable::new(config, &mut OsEntropy)?));
        Ok(())
    })
}

/// Spends a cost of all limits for a key, or of none; and keeps the state.
///
/// key: up to DONJON_LIMIT_KEY_MAX bytes. One key belongs to one donjon_limits: put a prefix before what several
///   of them count. now_ms, cost: as donjon_limits_spend; a clock that does not step, such as the monotonic one
///   with an offset, is best.
///
/// Errors: INVALID_ARGUMENT (now_ms), TOO_LARGE (key), OUT_OF_MEMORY. A limit that is spent is no error.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_limit_table_spend(
    table: *const donjon_limit_table,
    limits: *const donjon_limits,
    key: *const u8,
    key_len: usize,
    now_ms: i64,
    cost: u32,
    out: *mut donjon_limit_verdict,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (table, limits, key, out) =
            unsafe { (reference(table)?, reference(limits)?, bytes(key, key_len)?, Slot::new(out)?) };
        out.put(table.0.spend(&limits.0, key, now_ms, cost)?.into());
        Ok(())
    })
}

/// Gives a key back what was spent at spent_at_ms, as far as time has not: never more than was spent.
///
/// Errors: INVALID_ARGUMENT (a time), TOO_LARGE (key), OUT_OF_MEMORY.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_limit_table_give_back(
    table: *const donjon_limit_table,
    limits: *const donjon_limits,
    key: *const u8,
    key_len: usize,
    spent_at_ms: i64,
    now_ms: i64,
    cost: u32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (table, limits, key) = unsafe { (reference(table)?, reference(limits)?, bytes(key, key_len)?) };
        Ok(table.0.give_back(&limits.0, key, spent_at_ms, now_ms, cost)?)
    })
}

/// Forgets what a key has spent.
///
/// Errors: TOO_LARGE (key).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_limit_table_forget(
    table: *const donjon_limit_table,
    key: *const u8,
    key_len: usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (table, key) = unsafe { (reference(table)?, bytes(key, key_len)?) };
        Ok(table.0.forget(key)?)
    })
}

/// What a table holds, and what became of what it does not. Looks at all of its parts, one after the other.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_limit_table_stats(
    table: *const donjon_limit_table,
    out: *mut donjon_limit_table_statistics,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (table, out) = unsafe { (reference(table)?, Slot::new(out)?) };
        out.put(table.0.statistics().into());
        Ok(())
    })
}

/// Frees a table.
///
/// # Safety
/// table is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_limit_table_free(table: *mut donjon_limit_table) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(table);
        Ok(())
    });
}
