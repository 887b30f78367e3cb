//! The sliding log: every time that something was spent, for one period. Exact, and as large as its amount.

use alloc::vec::Vec;

use super::Limit;
use super::meter::{Meter, Reading};

/// The times, ascending; one for each unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct SlidingLog {
    pub(super) times: Vec<u64>,
}

impl SlidingLog {
    pub(super) fn with_used(used: u32, now: u64) -> Self {
        Self { times: (0..used).map(|_| now).collect() }
    }

    /// Those that still count. One in the future is a clock that stepped back, and counts.
    fn live(&self, limit: &Limit, now: u64) -> &[u64] {
        let over = self.times.partition_point(|time| time.saturating_add(limit.period_ms()) <= now);
        self.times.get(over..).unwrap_or_default()
    }
}

impl Meter for SlidingLog {
    fn read(&self, limit: &Limit, now: u64) -> Reading {
        let live = self.live(limit, now);
        let until = |last: &u64| last.saturating_add(limit.period_ms()).saturating_sub(now);
        let reset_after_ms = live.last().map_or(0, until);
        let used = u32::try_from(live.len()).unwrap_or(u32::MAX);
        Reading { used, reset_after_ms, keep_ms: reset_after_ms }
    }

    fn wait(&self, limit: &Limit, now: u64, cost: u32) -> u64 {
        let live = self.live(limit, now);
        let wanted = live.len().saturating_add(usize::try_from(cost).unwrap_or(usize::MAX));
        let amount = usize::try_from(limit.amount()).unwrap_or(usize::MAX);
        // So many have to go first, the oldest before the others.
        let Some(last_to_go) = wanted.saturating_sub(amount).checked_sub(1) else { return 0 };
        let time = live.get(last_to_go).copied().unwrap_or(now);
        time.saturating_add(limit.period_ms()).saturating_sub(now)
    }

    fn spend(&mut self, limit: &Limit, now: u64, cost: u32) {
        self.times = self.live(limit, now).to_vec();
        // In order, also where the clock stepped back.
        let time = self.times.last().map_or(now, |last| now.max(*last));
        self.times.extend((0..cost).map(|_| time));
    }

    fn give_back(&mut self, limit: &Limit, spent_at: u64, now: u64, cost: u32) {
        if now.saturating_sub(spent_at) >= limit.period_ms() {
            return;
        }
        // After a clock that stepped back it stands later than it was spent; what stood before it stays.
        let first = self.times.partition_point(|time| *time < spent_at);
        let cost = usize::try_from(cost).unwrap_or(usize::MAX);
        let end = first.saturating_add(cost).min(self.times.len());
        self.times.drain(first..end);
    }
}
