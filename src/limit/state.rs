//! What is stored for a key: one state for each of its limits, one after the other.
//!
//! ```text
//! state = tag ‖ counters                      all integers big-endian; times in milliseconds, u48
//! tag   = version and algorithm u8 ‖ amount u32 ‖ period_s u32 ‖ burst u32 (gcra, token_bucket alone)
//!
//! gcra, token_bucket   full_at u48 ‖ rest u32 (in units of 1/amount ms)
//! fixed_window         start u48 ‖ count u32
//! sliding_window       start u48 ‖ previous u32 ‖ current u32
//! sliding_log          count u8 ‖ count × u48, ascending
//! lockout              failures u8 ‖ locks u8 ‖ last u48 ‖ until u48
//! ```

use alloc::vec::Vec;
use core::fmt;

use super::bucket::{Bucket, Span};
use super::fixed_window::FixedWindow;
use super::lockout::Lockout;
use super::meter::{Meter, Reading};
use super::one::{Algorithm, Limit};
use super::sliding_log::SlidingLog;
use super::sliding_window::SlidingWindow;
use super::{LimitError, MAX_NOW_MS};

/// The bytes of the longest state of a key: that of as many sliding logs as there may be limits.
pub const MAX_STATE_LEN: usize = super::MAX_LIMITS * (10 + 6 * super::MAX_LOG_AMOUNT as usize);

/// The time, as all arithmetic sees it.
pub(super) fn clock(now_ms: i64) -> Result<u64, LimitError> {
    let now = u64::try_from(now_ms).map_err(|_| LimitError::InvalidArgument)?;
    Ok(now.min(MAX_NOW_MS))
}

/// The state of one limit.
pub(super) enum State {
    Bucket(Bucket),
    FixedWindow(FixedWindow),
    SlidingWindow(SlidingWindow),
    SlidingLog(SlidingLog),
    Lockout(Lockout),
}

impl State {
    /// The state of a limit that `used` of the capacity were spent of, just now.
    pub(super) fn with_used(limit: &Limit, used: u32, now: u64) -> Self {
        match limit.algorithm() {
            Algorithm::Gcra | Algorithm::TokenBucket if used == 0 => Self::Bucket(Bucket::FULL),
            Algorithm::Gcra | Algorithm::TokenBucket => Self::Bucket(Bucket::with_used(limit, used, now)),
            Algorithm::FixedWindow => Self::FixedWindow(FixedWindow { start: now, count: used }),
            Algorithm::SlidingWindow => {
                Self::SlidingWindow(SlidingWindow { start: now, previous: 0, current: used })
            }
            Algorithm::SlidingLog => Self::SlidingLog(SlidingLog::with_used(used, now)),
            Algorithm::Lockout if used == 0 => Self::Lockout(Lockout::default()),
            Algorithm::Lockout => Self::Lockout(Lockout::with_used(limit, used, now)),
        }
    }

    /// The state of this limit that `bytes` begin with, and what follows it.
    pub(super) fn of<'a>(limit: &Limit, bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let mut counters = Counters(limit.strip_tag(bytes)?);
        let amount = limit.amount();
        let state = match limit.algorithm() {
            Algorithm::Gcra | Algorithm::TokenBucket => {
                let full_at = Span { ms: counters.time()?, rest: counters.count(amount.saturating_sub(1))? };
                Self::Bucket(Bucket { full_at })
            }
            Algorithm::FixedWindow => {
                Self::FixedWindow(FixedWindow { start: counters.time()?, count: counters.count(amount)? })
            }
            Algorithm::SlidingWindow => Self::SlidingWindow(SlidingWindow {
                start: counters.time()?,
                previous: counters.count(amount)?,
                current: counters.count(amount)?,
            }),
            Algorithm::SlidingLog => {
                let len = counters.byte()?;
                let times: Vec<u64> = (0..len).map(|_| counters.time()).collect::<Option<_>>()?;
                if u32::from(len) > amount || !times.is_sorted() {
                    return None;
                }
                Self::SlidingLog(SlidingLog { times })
            }
            Algorithm::Lockout => {
                let (failures, locks) = (counters.byte()?, counters.byte()?);
                let (last, until) = (counters.time()?, counters.time()?);
                // A lock begins with the attempt that reached the limit.
                let is_locked = u32::from(failures) == amount;
                if u32::from(failures) > amount || (is_locked && until <= last) || last > MAX_NOW_MS {
                    return None;
                }
                Self::Lockout(Lockout { failures, locks, last, until })
            }
        };
        Some((state, counters.0))
    }

    pub(super) fn write(&self, limit: &Limit, out: &mut StateBuf) {
        out.extend(limit.tag());
        match self {
            Self::Bucket(Bucket { full_at }) => {
                out.time(full_at.ms);
                out.extend(&full_at.rest.to_be_bytes());
            }
            Self::FixedWindow(window) => {
                out.time(window.start);
                out.extend(&window.count.to_be_bytes());
            }
            Self::SlidingWindow(window) => {
                out.time(window.start);
                out.extend(&window.previous.to_be_bytes());
                out.extend(&window.current.to_be_bytes());
            }
            Self::SlidingLog(SlidingLog { times }) => {
                out.extend(&[u8::try_from(times.len()).unwrap_or(u8::MAX)]);
                for time in times {
                    out.time(*time);
                }
            }
            Self::Lockout(state) => {
                out.extend(&[state.failures, state.locks]);
                out.time(state.last);
                out.time(state.until);
            }
        }
    }

    pub(super) fn meter(&self) -> &dyn Meter {
        match self {
            Self::Bucket(meter) => meter,
            Self::FixedWindow(meter) => meter,
            Self::SlidingWindow(meter) => meter,
            Self::SlidingLog(meter) => meter,
            Self::Lockout(meter) => meter,
        }
    }

    pub(super) fn meter_mut(&mut self) -> &mut dyn Meter {
        match self {
            Self::Bucket(meter) => meter,
            Self::FixedWindow(meter) => meter,
            Self::SlidingWindow(meter) => meter,
            Self::SlidingLog(meter) => meter,
            Self::Lockout(meter) => meter,
        }
    }
}

/// The counters of a state, read one after the other.
struct Counters<'a>(&'a [u8]);

impl Counters<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take().map(|[byte]| byte)
    }

    fn count(&mut self, most: u32) -> Option<u32> {
        self.take().map(u32::from_be_bytes).filter(|count| *count <= most)
    }

    fn time(&mut self) -> Option<u64> {
        let [a, b, c, d, e, f] = self.take()?;
        Some(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }
}

/// The states of a key, as bytes. One limit's takes no allocation, but for the sliding log's.
#[derive(Clone, Default)]
pub struct StateBuf {
    /// What there is, as long as it fits.
    inline: [u8; Self::INLINE],
    len: usize,
    /// All of it, where it does not.
    spilled: Vec<u8>,
}

impl StateBuf {
    const INLINE: usize = 24;

    /// No state: nothing was ever spent.
    #[must_use]
    pub const fn new() -> Self {
        Self { inline: [0; Self::INLINE], len: 0, spilled: Vec::new() }
    }

    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        if self.len > Self::INLINE { &self.spilled } else { self.inline.get(..self.len).unwrap_or_default() }
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.spilled.clear();
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        if let Some(room) = self.inline.get_mut(self.len..end) {
            room.copy_from_slice(bytes);
        } else {
            if self.spilled.is_empty() {
                self.spilled.extend_from_slice(self.inline.get(..self.len).unwrap_or_default());
            }
            self.spilled.extend_from_slice(bytes);
        }
        self.len = end;
    }

    fn time(&mut self, ms: u64) {
        // What is over 48 bits is nobody's time.
        let [a, b, bytes @ ..] = ms.to_be_bytes();
        self.extend(if a == 0 && b == 0 { &bytes } else { &[0xFF; 6] });
    }
}

/// Equal as bytes.
impl PartialEq for StateBuf {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for StateBuf {}

impl fmt::Debug for StateBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().fmt(f)
    }
}

/// How the states of a key stand, to somebody who has to forget one of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// They say nothing any more.
    Expired,
    /// Something is left of every limit.
    Open {
        /// How much is used of the limit of which most is: 0 for nothing, 65,535 for nearly all.
        used_share: u16,
    },
    /// Nothing is left of one of the limits.
    Locked {
        /// When the states say nothing any more, in milliseconds from now.
        keep_ms: u64,
    },
}

/// How the states that are stored for a key stand. Damaged ones are locked, for as long as nobody looks at them
/// with their limits.
#[must_use]
pub fn standing(state: &[u8], now_ms: i64) -> Standing {
    let Ok(now) = clock(now_ms) else { return Standing::Locked { keep_ms: u64::MAX } };
    let (mut share, mut keep_ms) = (0, 0);
    let read = each_stored(state, |limit, state| {
        let Reading { used, keep_ms: keep, .. } = state.meter().read(&limit, now);
        // What is kept although nothing is used is how long locks have become.
        share = share.max(if used == 0 && keep > 0 { 0xFFFE } else { limit.share(used) });
        keep_ms = keep_ms.max(keep);
    });
    if read.is_none() {
        return Standing::Locked { keep_ms: u64::MAX };
    }
    match u16::try_from(share) {
        _ if keep_ms == 0 => Standing::Expired,
        Ok(used_share) if used_share < u16::MAX => Standing::Open { used_share },
        _ => Standing::Locked { keep_ms },
    }
}

/// Gives `visit` every limit and state that `bytes` hold; `None` if they are damaged, perhaps after some.
pub(super) fn each_stored(mut bytes: &[u8], mut visit: impl FnMut(Limit, State)) -> Option<()> {
    while !bytes.is_empty() {
        let limit = Limit::of_state(bytes)?;
        let (state, rest) = State::of(&limit, bytes)?;
        visit(limit, state);
        bytes = rest;
    }
    Some(())
}
