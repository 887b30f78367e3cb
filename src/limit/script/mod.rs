//! The same arithmetic for Redis and Valkey, as Lua: one atomic script for each algorithm.
//!
//! A script spends; it decides nothing else. It answers with what was stored before and the time that it saw,
//! from which [`Limits::spend`] makes the verdict, as the script did. A state that is not of these limits it
//! leaves alone and says so: it is converted here, and put in its place by [`compare_and_set_script`].
//!
//! ```text
//! KEYS  the key
//! ARGV  now_ms, or empty for the server's clock ‖ cost ‖ the numbers of each limit
//! reply 1 spent, 0 not, 2 another's state: u8 ‖ now_ms u48 ‖ the state before
//! ```
//!
//! Every number is a whole one below 2⁵³, up to which Lua's are exact. A key has a time to live whenever it is
//! written.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::error::LimitError;
use super::limits::Limits;
use super::one::{Algorithm, Limit};
use super::state::clock;

const BEGIN: &str = include_str!("begin.lua");
const END: &str = include_str!("end.lua");

/// Replaces a value if it is what is expected.
///
/// `KEYS[1]`; `ARGV`: what is expected, empty for nothing; the value, empty to delete; its time to live in
/// milliseconds, empty to leave that as it is. Answers 1 if it did, 0 if something else was there.
#[must_use]
pub const fn compare_and_set_script() -> &'static str {
    include_str!("compare_and_set.lua")
}

impl Limits {
    /// The script that spends of these limits. It is the same for all of one algorithm.
    #[must_use]
    pub fn script(&self) -> String {
        let counting = match self.algorithm() {
            Algorithm::Gcra | Algorithm::TokenBucket => include_str!("bucket.lua"),
            Algorithm::FixedWindow => include_str!("fixed_window.lua"),
            Algorithm::SlidingWindow => include_str!("sliding_window.lua"),
            Algorithm::SlidingLog => include_str!("sliding_log.lua"),
            Algorithm::Lockout => include_str!("lockout.lua"),
        };
        let numbers = self.list().first().map_or(0, |limit| numbers(limit, 1).len());
        let constants = alloc::format!("local VERSION, NUMBERS = {}, {numbers}\n", self.algorithm().byte());
        [&constants, BEGIN, counting, END].concat()
    }

    /// The script's `ARGV`, for a cost and a time, or the server's if that is `None`. Without one, they are good
    /// for every call.
    ///
    /// # Errors
    /// - [`LimitError::InvalidArgument`]: a negative time.
    pub fn script_args(&self, cost: u32, now_ms: Option<i64>) -> Result<Vec<String>, LimitError> {
        let now = now_ms.map(clock).transpose()?;
        let mut args = [now.map_or_else(String::new, |now| now.to_string()), cost.to_string()].to_vec();
        for limit in self.list() {
            args.extend(numbers(limit, cost).iter().map(u64::to_string));
        }
        Ok(args)
    }
}

fn numbers(limit: &Limit, cost: u32) -> Vec<u64> {
    let (amount, period_s) = (u64::from(limit.amount()), u64::from(limit.period_s()));
    match limit.algorithm() {
        Algorithm::Gcra | Algorithm::TokenBucket => {
            // More than there can ever be is one more than there can be.
            let spent = limit.span(cost.min(limit.capacity().saturating_add(1)));
            let (burst, full) = (u64::from(limit.capacity()), limit.full);
            [amount, period_s, burst, spent.ms, spent.rest.into(), full.ms, full.rest.into()].to_vec()
        }
        Algorithm::Lockout => {
            let growth = limit.growth;
            [amount, period_s, growth.factor.into(), growth.max_lock_ms].to_vec()
        }
        Algorithm::FixedWindow | Algorithm::SlidingWindow | Algorithm::SlidingLog => {
            [amount, period_s].to_vec()
        }
    }
}
