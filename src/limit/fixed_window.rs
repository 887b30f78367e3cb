//! The fixed window: a counter that begins with its first and starts again one period later.

use super::Limit;
use super::meter::{Meter, Reading};

/// When the window began, and what was spent in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FixedWindow {
    pub(super) start: u64,
    pub(super) count: u32,
}

impl FixedWindow {
    /// As it is now. A start in the future is a clock that stepped back: the window goes on.
    fn at(self, limit: &Limit, now: u64) -> Self {
        let is_over = now >= self.end(limit);
        if is_over || self.count == 0 { Self { start: now, count: 0 } } else { self }
    }

    fn end(self, limit: &Limit) -> u64 {
        self.start.saturating_add(limit.period_ms())
    }
}

impl Meter for FixedWindow {
    fn read(&self, limit: &Limit, now: u64) -> Reading {
        let window = self.at(limit, now);
        let reset_after_ms = if window.count > 0 { window.end(limit).saturating_sub(now) } else { 0 };
        Reading { used: window.count, reset_after_ms, keep_ms: reset_after_ms }
    }

    fn wait(&self, limit: &Limit, now: u64, cost: u32) -> u64 {
        let window = self.at(limit, now);
        let is_there = cost <= limit.amount().saturating_sub(window.count);
        if is_there { 0 } else { window.end(limit).saturating_sub(now) }
    }

    fn spend(&mut self, limit: &Limit, now: u64, cost: u32) {
        *self = self.at(limit, now);
        self.count = self.count.saturating_add(cost);
    }

    fn give_back(&mut self, limit: &Limit, spent_at: u64, now: u64, cost: u32) {
        if self.start <= spent_at && now < self.end(limit) {
            self.count = self.count.saturating_sub(cost);
        }
    }
}
