//! GCRA and the token bucket: a bucket that fills evenly, known by the time at which it is full.
//!
//! That time is the theoretical arrival time of ITU-T I.371's virtual scheduling. It is exact: one unit takes
//! period / amount to come back, which is whole milliseconds and a number of units of 1/amount milliseconds.

use core::num::{NonZeroU32, NonZeroU64};

use super::Limit;
use super::meter::{Meter, Reading};

/// A time, or a length of time, of one limit: exact.
// INVARIANT: `rest` is less than the limit's amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) ms: u64,
    /// In units of 1/amount milliseconds.
    pub(super) rest: u32,
}

impl Span {
    /// `units` · `period_ms` / `amount`.
    pub(super) fn of(period_ms: u64, amount: NonZeroU32, units: u32) -> Self {
        let (amount, units) = (NonZeroU64::from(amount), u64::from(units));
        let (whole, part) = (period_ms / amount, period_ms % amount);
        // Both are less than 2³².
        let parts = units.saturating_mul(part);
        let ms = units.saturating_mul(whole).saturating_add(parts / amount);
        Self { ms, rest: u32::try_from(parts % amount).unwrap_or(0) }
    }

    const fn at(ms: u64) -> Self {
        Self { ms, rest: 0 }
    }

    fn plus(self, other: Self, amount: u32) -> Self {
        let ms = self.ms.saturating_add(other.ms);
        match self.rest.checked_add(other.rest) {
            Some(rest) if rest < amount => Self { ms, rest },
            sum => Self {
                ms: ms.saturating_add(1),
                rest: match sum {
                    Some(rest) => rest.saturating_sub(amount),
                    // Over 2³², by less than the amount.
                    None => self.rest.wrapping_add(other.rest).wrapping_sub(amount),
                },
            },
        }
    }

    /// This less `other`; nothing, if that is more.
    fn less(self, other: Self, amount: u32) -> Self {
        if self <= other {
            return Self::at(0);
        }
        let ms = self.ms.saturating_sub(other.ms);
        match self.rest.checked_sub(other.rest) {
            Some(rest) => Self { ms, rest },
            None => Self {
                ms: ms.saturating_sub(1),
                rest: amount.saturating_sub(other.rest.saturating_sub(self.rest)),
            },
        }
    }

    fn ceil_ms(self) -> u64 {
        self.ms.saturating_add(u64::from(self.rest > 0))
    }
}

/// When the bucket is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) full_at: Span,
}

impl Bucket {
    pub(super) const FULL: Self = Self { full_at: Span::at(0) };

    /// The bucket that `used` were taken out of just now.
    pub(super) fn with_used(limit: &Limit, used: u32, now: u64) -> Self {
        Self { full_at: Span::at(now).plus(limit.span(used), limit.amount()) }
    }

    /// When it would be full, had `cost` been spent.
    fn after(&self, limit: &Limit, now: u64, cost: u32) -> Span {
        self.full_at.max(Span::at(now)).plus(limit.span(cost), limit.amount())
    }
}

impl Meter for Bucket {
    fn read(&self, limit: &Limit, now: u64) -> Reading {
        let owed = self.full_at.less(Span::at(now), limit.amount());
        let used = if owed >= limit.full { limit.capacity() } else { units_of(limit, owed) };
        let reset_after_ms = owed.ceil_ms();
        Reading { used, reset_after_ms, keep_ms: reset_after_ms }
    }

    fn wait(&self, limit: &Limit, now: u64, cost: u32) -> u64 {
        let latest = Span::at(now).plus(limit.full, limit.amount());
        self.after(limit, now, cost).less(latest, limit.amount()).ceil_ms()
    }

    fn spend(&mut self, limit: &Limit, now: u64, cost: u32) {
        self.full_at = self.after(limit, now, cost);
    }

    fn give_back(&mut self, limit: &Limit, spent_at: u64, now: u64, cost: u32) {
        // Since then time gave back as much as has passed, at most.
        let passed = Span::at(now.saturating_sub(spent_at));
        let owed = limit.span(cost).less(passed, limit.amount());
        self.full_at = self.full_at.less(owed, limit.amount());
    }
}

/// ⌈owed / what one unit takes⌉.
fn units_of(limit: &Limit, owed: Span) -> u32 {
    let (amount, period_ms) = (limit.amount(), limit.period_ms());
    let parts = owed.ms.checked_mul(amount.into()).and_then(|parts| parts.checked_add(owed.rest.into()));
    let units = match parts {
        Some(parts) => parts.div_ceil(period_ms),
        None => {
            let parts = u128::from(owed.ms).saturating_mul(amount.into()).saturating_add(owed.rest.into());
            u64::try_from(parts.div_ceil(period_ms.into())).unwrap_or(u64::MAX)
        }
    };
    u32::try_from(units).unwrap_or(u32::MAX).min(limit.capacity())
}
