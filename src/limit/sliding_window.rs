//! The sliding-window counter: this window's count, and of the one before it as much as still overlaps the
//! last period.

use super::Limit;
use super::meter::{Meter, Reading, mul_div_ceil};

/// When the window began, and what was spent in it and in the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SlidingWindow {
    pub(super) start: u64,
    pub(super) previous: u32,
    pub(super) current: u32,
}

impl SlidingWindow {
    /// As it is now. A start in the future is a clock that stepped back: nothing has elapsed.
    fn at(self, limit: &Limit, now: u64) -> Self {
        let period_ms = limit.period_ms();
        let next = self.start.saturating_add(period_ms);
        let window = if now >= next.saturating_add(period_ms) {
            Self { start: now, previous: 0, current: 0 }
        } else if now >= next {
            Self { start: next, previous: self.current, current: 0 }
        } else {
            self
        };
        let is_empty = window.previous == 0 && window.current == 0;
        if is_empty { Self { start: now, ..window } } else { window }
    }

    /// What counts of the window before, in this one's millisecond `elapsed`: rounded up.
    fn weighted(previous: u32, limit: &Limit, elapsed: u64) -> u32 {
        let period_ms = limit.period_ms();
        let share = mul_div_ceil(previous, period_ms.saturating_sub(elapsed), period_ms);
        u32::try_from(share).unwrap_or(u32::MAX)
    }

    fn used(self, limit: &Limit, now: u64) -> u32 {
        let elapsed = now.saturating_sub(self.start);
        Self::weighted(self.previous, limit, elapsed).saturating_add(self.current)
    }

    /// From the start of a window whose predecessor counts `previous`, until no more than `room` is left of
    /// that: the least `elapsed` with ⌈previous · (period − elapsed) / period⌉ ≤ room.
    fn until_room(previous: u32, room: u32, limit: &Limit) -> u64 {
        let period_ms = limit.period_ms();
        if previous <= room {
            return 0;
        }
        // ⌊room · period / previous⌋ of the period may be left.
        let left = u128::from(room).saturating_mul(period_ms.into()).checked_div(previous.into());
        period_ms.saturating_sub(left.and_then(|left| u64::try_from(left).ok()).unwrap_or(0))
    }
}

impl Meter for SlidingWindow {
    fn read(&self, limit: &Limit, now: u64) -> Reading {
        let window = self.at(limit, now);
        let end = window.start.saturating_add(limit.period_ms());
        let reset_at = match (window.previous, window.current) {
            (0, 0) => now,
            (_, 0) => end,
            _ => end.saturating_add(limit.period_ms()),
        };
        let reset_after_ms = reset_at.saturating_sub(now);
        let used = window.used(limit, now).min(limit.amount());
        Reading { used, reset_after_ms, keep_ms: reset_after_ms }
    }

    fn wait(&self, limit: &Limit, now: u64, cost: u32) -> u64 {
        let window = self.at(limit, now);
        let amount = limit.amount();
        if cost <= amount.saturating_sub(window.used(limit, now)) {
            return 0;
        }
        let there_at = match amount.checked_sub(window.current).and_then(|left| left.checked_sub(cost)) {
            Some(room) => window.start.saturating_add(Self::until_room(window.previous, room, limit)),
            // Not in this window, whatever is left of the one before.
            None => {
                let room = amount.saturating_sub(cost);
                let next = window.start.saturating_add(limit.period_ms());
                next.saturating_add(Self::until_room(window.current, room, limit))
            }
        };
        there_at.saturating_sub(now)
    }

    fn spend(&mut self, limit: &Limit, now: u64, cost: u32) {
        *self = self.at(limit, now);
        self.current = self.current.saturating_add(cost);
    }

    fn give_back(&mut self, limit: &Limit, spent_at: u64, now: u64, cost: u32) {
        *self = self.at(limit, now);
        if spent_at >= self.start {
            self.current = self.current.saturating_sub(cost);
        } else if spent_at.saturating_add(limit.period_ms()) >= self.start {
            self.previous = self.previous.saturating_sub(cost);
        }
    }
}
