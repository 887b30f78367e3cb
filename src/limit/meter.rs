//! What all algorithms answer.

use super::Limit;

/// How a limit stands at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// How much of the capacity is used; never more than it.
    pub(super) used: u32,
    /// Until all of it is there again.
    pub(super) reset_after_ms: u64,
    /// Until the state says nothing any more.
    pub(super) keep_ms: u64,
}

/// The state of one limit, counted by its algorithm. `now` is at most [`super::MAX_NOW_MS`].
pub(super) trait Meter {
    /// How the limit stands.
    fn read(&self, limit: &Limit, now: u64) -> Reading;

    /// How long until `cost`, which is from 1 to the capacity, is there: 0 if it is, else the first
    /// millisecond in which it is, should nobody else spend.
    fn wait(&self, limit: &Limit, now: u64, cost: u32) -> u64;

    /// Spends what is there.
    fn spend(&mut self, limit: &Limit, now: u64, cost: u32);

    /// Takes back what was spent at `spent_at`, as far as time has not given it back already. Never more.
    fn give_back(&mut self, limit: &Limit, spent_at: u64, now: u64, cost: u32);
}

/// ⌈`a` · `b` / `c`⌉, for c > 0.
pub(super) fn mul_div_ceil(a: u32, b: u64, c: u64) -> u64 {
    match u64::from(a).checked_mul(b) {
        Some(product) => product.div_ceil(c),
        None => {
            let product = u128::from(a).saturating_mul(b.into());
            u64::try_from(product.div_ceil(c.into())).unwrap_or(u64::MAX)
        }
    }
}
