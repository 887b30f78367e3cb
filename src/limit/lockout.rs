//! Lock-out: attempts are counted before they are made, and after so many there are none for a while.
//!
//! The attempt that reaches the limit is still made, and the lock is on while it is: of attempts in parallel
//! no more than the limit get through. One that succeeds is given back, and takes the lock with it that it
//! began. Failures are forgotten after a period without attempts; how long the locks have become, after as
//! long as the longest.

use super::Limit;
use super::meter::{Meter, Reading};

/// Attempts that failed, or are being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Lockout {
    pub(super) failures: u8,
    /// How often it was locked.
    pub(super) locks: u8,
    /// The last attempt.
    pub(super) last: u64,
    /// The end of the last lock; 0 for none.
    pub(super) until: u64,
}

impl Lockout {
    /// The state of somebody who has made `used` attempts just now.
    pub(super) fn with_used(limit: &Limit, used: u32, now: u64) -> Self {
        let mut state = Self::default();
        state.spend(limit, now, used);
        state
    }

    /// Locks no shorter than `before` did, under other numbers.
    pub(super) fn take_over(&mut self, before: Self) {
        self.locks = self.locks.max(before.locks);
        self.until = self.until.max(before.until);
    }

    fn is_locked(self, limit: &Limit) -> bool {
        u32::from(self.failures) >= limit.amount()
    }

    /// As it is now.
    fn at(self, limit: &Limit, now: u64) -> Self {
        let is_over =
            if self.is_locked(limit) { now >= self.until } else { now >= self.forgets_failures(limit) };
        let failures = if is_over { 0 } else { self.failures };
        if failures == 0 && now >= self.forgets_locks(limit) {
            return Self::default();
        }
        Self { failures, ..self }
    }

    fn forgets_failures(self, limit: &Limit) -> u64 {
        self.last.saturating_add(limit.period_ms())
    }

    fn forgets_locks(self, limit: &Limit) -> u64 {
        // Where locks never grow, how many there were says nothing.
        let memory_ms = if limit.growth.factor == 1 { 0 } else { limit.growth.max_lock_ms };
        self.last.max(self.until).saturating_add(memory_ms)
    }

    fn lock_ms(self, limit: &Limit) -> u64 {
        let longest = limit.growth.max_lock_ms;
        let grown = u64::from(limit.growth.factor).saturating_pow(self.locks.into());
        limit.period_ms().saturating_mul(grown).min(longest)
    }
}

impl Meter for Lockout {
    fn read(&self, limit: &Limit, now: u64) -> Reading {
        let state = self.at(limit, now);
        let reset_at = match state.failures {
            0 => now,
            _ if state.is_locked(limit) => state.until,
            _ => state.forgets_failures(limit),
        };
        let keep_until =
            if state == Self::default() { now } else { reset_at.max(state.forgets_locks(limit)) };
        Reading {
            used: u32::from(state.failures),
            reset_after_ms: reset_at.saturating_sub(now),
            keep_ms: keep_until.saturating_sub(now),
        }
    }

    fn wait(&self, limit: &Limit, now: u64, cost: u32) -> u64 {
        let state = self.at(limit, now);
        if state.is_locked(limit) {
            return state.until.saturating_sub(now);
        }
        let is_there = u32::from(state.failures).saturating_add(cost) <= limit.amount();
        if is_there { 0 } else { state.forgets_failures(limit).saturating_sub(now) }
    }

    fn spend(&mut self, limit: &Limit, now: u64, cost: u32) {
        *self = self.at(limit, now);
        self.failures = self.failures.saturating_add(u8::try_from(cost).unwrap_or(u8::MAX));
        self.last = self.last.max(now);
        if self.is_locked(limit) {
            self.until = self.last.saturating_add(self.lock_ms(limit));
            self.locks = self.locks.saturating_add(1);
        }
    }

    fn give_back(&mut self, limit: &Limit, spent_at: u64, now: u64, cost: u32) {
        *self = self.at(limit, now);
        // Within a period nothing that was counted has been forgotten.
        let is_counted = spent_at <= self.last && now.saturating_sub(spent_at) < limit.period_ms();
        let was_locked = self.is_locked(limit);
        if is_counted {
            self.failures = self.failures.saturating_sub(u8::try_from(cost).unwrap_or(u8::MAX));
        }
        if was_locked && !self.is_locked(limit) {
            self.locks = self.locks.saturating_sub(1);
            self.until = 0;
        }
    }
}
