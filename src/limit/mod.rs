//! Limits: how much of something one key may have, and when again; and lock-out, which counts what failed.
//!
//! *Decides* whether a cost is there now; if not, when it will be. *Inputs*: limits, as
//! [their texts](Limits::parse) say; what was stored for the key; the time, in milliseconds; the cost. *State*:
//! a few bytes per limit and key (at most 23, but for the sliding log), which hold the limit that they are of,
//! so that a changed limit gives nothing away. *Threat*: bursts at the edge of a window; requests in parallel;
//! clocks that step back; a store that loses, mixes up or invents states; numbers that wrap.
//!
//! All arithmetic is exact, in integers: 7 in a second are 700 in 100 seconds. The most that is admitted in any
//! window of one period, of a limit of N:
//!
//! | [`Algorithm`] | at most | state |
//! |---|---|---|
//! | `Gcra`, `TokenBucket` | N + burst − 1 | 23 bytes |
//! | `FixedWindow` | 2 N | 19 bytes |
//! | `SlidingWindow` | less than 2 N | 23 bytes |
//! | `SlidingLog` | N | 10 + 6 bytes for each of at most 64 |
//! | `Lockout` | N failures, then none for a period | 23 bytes |
//!
//! GCRA and the token bucket are one arithmetic: ITU-T I.371 has the proof that virtual scheduling and the
//! continuous-state leaky bucket admit the same.
//!
//! Several limits at once spend all or nothing. In one process, [`crate::runtime::LimitTable`] holds the
//! states; for many, [`Limits::script`] is the same arithmetic for Redis.
//!
//! ```
//! use donjon::limit::{Algorithm, Limits, StateBuf};
//!
//! let limits = Limits::parse("2/second; 100/hour", Algorithm::Gcra)?;
//! let (mut state, mut next) = (StateBuf::new(), StateBuf::new());
//! for allowed in [true, true, false] {
//!     let verdict = limits.spend(state.as_bytes(), 1_800_000_000_000, 1, &mut next)?;
//!     assert_eq!(verdict.allowed(), allowed);
//!     core::mem::swap(&mut state, &mut next);
//! }
//! # Ok::<(), donjon::limit::LimitError>(())
//! ```

mod bucket;
mod config;
mod convert;
mod error;
mod fixed_window;
mod headers;
mod limits;
mod lockout;
mod meter;
mod one;
mod profiles;
mod script;
mod sliding_log;
mod sliding_window;
mod spec;
mod state;
mod verdict;

pub use error::LimitError;
pub use headers::{Fields, refusal_body};
pub use limits::{Limits, MAX_LIMITS};
pub use one::{Algorithm, Limit, MAX_LOG_AMOUNT, MAX_NOW_MS, MAX_PERIOD_S, MAX_REFILL_MS};
pub use profiles::profiles;
pub use script::compare_and_set_script;
pub use spec::MAX_SPEC_LEN;
pub use state::{MAX_STATE_LEN, Standing, StateBuf, standing};
pub use verdict::{Outcome, Verdict};

#[cfg(test)]
mod tests;
