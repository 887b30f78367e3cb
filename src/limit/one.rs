//! One limit: an amount in a period, and how it is counted.

use core::num::{NonZeroU32, NonZeroU64};

use super::LimitError;
use super::bucket::Span;

/// The longest period, in seconds: 100 years of 360 days.
pub const MAX_PERIOD_S: u32 = 3_110_400_000;

/// The longest time in which a burst comes back, in milliseconds.
pub const MAX_REFILL_MS: u64 = 1 << 46;

/// The largest amount of a sliding log, which remembers each.
pub const MAX_LOG_AMOUNT: u32 = 64;

/// The last millisecond that is told from later ones. Sums of times stay below 2⁴⁸, the room that a state has
/// for them, and below 2⁵³, up to which Lua's numbers are exact.
pub const MAX_NOW_MS: u64 = (1 << 47) - 1;

/// The bytes of a limit in a state: its algorithm, amount, period and, where it has one, burst.
const MAX_TAG_LEN: usize = 13;

/// The same, without a burst.
const SHORT_TAG_LEN: usize = MAX_TAG_LEN - 4;

/// What every state begins with: its version, beside the algorithm.
const VERSION: u8 = 0x10;

/// How a limit is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Algorithm {
    /// Generic cell rate algorithm: evenly, with a burst. The default.
    Gcra = 1,
    /// A bucket that holds the burst and fills evenly: what [`Algorithm::Gcra`] does, by its other name.
    TokenBucket = 2,
    /// A counter that starts again one period after its first.
    FixedWindow = 3,
    /// Two counters, the older one weighted by what is left of it.
    SlidingWindow = 4,
    /// Each time remembered: exact. The default for log-in.
    SlidingLog = 5,
    /// Failures: after so many, nothing for a period.
    Lockout = 6,
}

impl Algorithm {
    const ALL: [Self; 6] = [
        Self::Gcra,
        Self::TokenBucket,
        Self::FixedWindow,
        Self::SlidingWindow,
        Self::SlidingLog,
        Self::Lockout,
    ];

    /// The algorithm of this name, [`Algorithm::Lockout`] excepted: it has a configuration of its own.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().filter(|found| *found != Self::Lockout).find(|found| found.name() == name)
    }

    /// The name, such as `sliding_log`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gcra => "gcra",
            Self::TokenBucket => "token_bucket",
            Self::FixedWindow => "fixed_window",
            Self::SlidingWindow => "sliding_window",
            Self::SlidingLog => "sliding_log",
            Self::Lockout => "lockout",
        }
    }

    const fn has_burst(self) -> bool {
        matches!(self, Self::Gcra | Self::TokenBucket)
    }

    pub(super) const fn byte(self) -> u8 {
        VERSION | self as u8
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|found| found.byte() == byte)
    }
}

/// How long a lock is, after the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Growth {
    pub(super) factor: u32,
    pub(super) max_lock_ms: u64,
}

/// An amount in a period.
// INVARIANT: amount, period and capacity are at least 1; the period is at most MAX_PERIOD_S; what a capacity
// takes to come back is at most MAX_REFILL_MS; `each`, `full` and `tag` follow from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    algorithm: Algorithm,
    amount: NonZeroU32,
    period_s: u32,
    capacity: NonZeroU32,
    pub(super) growth: Growth,
    /// What one unit takes to come back.
    pub(super) each: Span,
    /// What the whole capacity takes to come back.
    pub(super) full: Span,
    tag: [u8; MAX_TAG_LEN],
}

impl Limit {
    /// `amount` in `period_s` seconds, of which `burst` (the amount, unless given) may be had at once.
    ///
    /// # Errors
    /// - [`LimitError::Config`]: an amount, period or burst of 0; a period over [`MAX_PERIOD_S`]; a burst that
    ///   takes over [`MAX_REFILL_MS`] to come back, or is given to an algorithm without bursts; a sliding log
    ///   over [`MAX_LOG_AMOUNT`].
    pub fn new(
        algorithm: Algorithm,
        amount: u32,
        period_s: u32,
        burst: Option<u32>,
    ) -> Result<Self, LimitError> {
        let positive =
            |number| NonZeroU32::new(number).ok_or(LimitError::Config("an amount or a burst is 0"));
        let (amount, capacity) = (positive(amount)?, positive(burst.unwrap_or(amount))?);
        if period_s == 0 {
            return Err(LimitError::Config("a period is 0"));
        }
        if period_s > MAX_PERIOD_S {
            return Err(LimitError::Config("a period is over 100 years"));
        }
        if capacity != amount && !algorithm.has_burst() {
            return Err(LimitError::Config("only gcra and token_bucket have a burst"));
        }
        if algorithm == Algorithm::SlidingLog && amount.get() > MAX_LOG_AMOUNT {
            return Err(LimitError::Config("a sliding_log counts to 64"));
        }
        if algorithm == Algorithm::Lockout && amount.get() > u8::MAX.into() {
            return Err(LimitError::Config("a lock-out counts to 255"));
        }
        let period_ms = u64::from(period_s).saturating_mul(1000);
        let each = Span::of(period_ms, amount, 1);
        let full = Span::of(period_ms, amount, capacity.get());
        if full.ms > MAX_REFILL_MS {
            return Err(LimitError::Config("the burst takes over 2,000 years to come back"));
        }
        let growth = Growth { factor: 1, max_lock_ms: period_ms };
        let tag = tag(algorithm, amount.get(), period_s, capacity.get());
        Ok(Self { algorithm, amount, period_s, capacity, growth, each, full, tag })
    }

    /// Locks for `lock_s` seconds after so many failed attempts, and `growth` times as long whenever that is
    /// followed by as many, up to `max_lock_s`.
    ///
    /// # Errors
    /// - [`LimitError::Config`]: as [`Limit::new`]; over 255 attempts; a growth of 0 or over 100; a longest lock
    ///   that is shorter than the first, or over [`MAX_PERIOD_S`].
    pub fn lockout(attempts: u32, lock_s: u32, growth: u32, max_lock_s: u32) -> Result<Self, LimitError> {
        if !(1..=100).contains(&growth) {
            return Err(LimitError::Config("growth is from 1 to 100"));
        }
        if !(lock_s..=MAX_PERIOD_S).contains(&max_lock_s) {
            return Err(LimitError::Config("max_lock_s is from lock_s to 100 years"));
        }
        let limit = Self::new(Algorithm::Lockout, attempts, lock_s, None)?;
        // What never grows is never longer than the first.
        let max_lock_s = if growth == 1 { lock_s } else { max_lock_s };
        let max_lock_ms = u64::from(max_lock_s).saturating_mul(1000);
        Ok(Self { growth: Growth { factor: growth, max_lock_ms }, ..limit })
    }

    /// The limit whose tag `state` begins with.
    pub(super) fn of_state(state: &[u8]) -> Option<Self> {
        let (&byte, rest) = state.split_first()?;
        let algorithm = Algorithm::from_byte(byte)?;
        let (amount, rest) = rest.split_first_chunk()?;
        let (period_s, rest) = rest.split_first_chunk()?;
        let burst = if algorithm.has_burst() { Some(u32::from_be_bytes(*rest.first_chunk()?)) } else { None };
        Self::new(algorithm, u32::from_be_bytes(*amount), u32::from_be_bytes(*period_s), burst).ok()
    }

    /// How it is counted.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// How much in a period.
    #[must_use]
    pub const fn amount(&self) -> u32 {
        self.amount.get()
    }

    /// The period, in seconds.
    #[must_use]
    pub const fn period_s(&self) -> u32 {
        self.period_s
    }

    /// How much may be had at once: the burst, where there is one, else the amount.
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        self.capacity.get()
    }

    pub(super) fn period_ms(&self) -> u64 {
        u64::from(self.period_s).saturating_mul(1000)
    }

    /// How much of `used` of the capacity is used: 0 for nothing, 65,535 for all of it.
    pub(super) fn share(&self, used: u32) -> u64 {
        u64::from(used).saturating_mul(0xFFFF) / NonZeroU64::from(self.capacity)
    }

    /// What `units` take to come back.
    pub(super) fn span(&self, units: u32) -> Span {
        // Nearly always one, and two divisions.
        if units == 1 { self.each } else { Span::of(self.period_ms(), self.amount, units) }
    }

    /// What follows the tag of this limit, if `state` begins with it.
    pub(super) fn strip_tag<'a>(&self, state: &'a [u8]) -> Option<&'a [u8]> {
        // Of a length that is known, so that nothing is called to compare it.
        if self.algorithm.has_burst() {
            state.split_first_chunk().and_then(|(tag, rest)| (*tag == self.tag).then_some(rest))
        } else {
            let (tag, rest) = state.split_first_chunk::<SHORT_TAG_LEN>()?;
            (self.tag.first_chunk() == Some(tag)).then_some(rest)
        }
    }

    /// What every state of this limit begins with.
    pub(super) fn tag(&self) -> &[u8] {
        let len = if self.algorithm.has_burst() { MAX_TAG_LEN } else { SHORT_TAG_LEN };
        self.tag.get(..len).unwrap_or_default()
    }
}

fn tag(algorithm: Algorithm, amount: u32, period_s: u32, capacity: u32) -> [u8; MAX_TAG_LEN] {
    let mut tag = [0; MAX_TAG_LEN];
    let bytes = [algorithm.byte()].into_iter();
    let bytes = bytes.chain(amount.to_be_bytes()).chain(period_s.to_be_bytes()).chain(capacity.to_be_bytes());
    for (place, byte) in tag.iter_mut().zip(bytes) {
        *place = byte;
    }
    tag
}
