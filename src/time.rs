//! Time as the kernel sees it: an argument, an integer, its unit in its name.
//!
//! Seconds and milliseconds count from the Unix epoch. Arithmetic saturates; [`NEVER_S`] stands for a
//! time that is not there wherever a plain integer crosses the C ABI.

/// "No such time", in seconds or milliseconds, at the C ABI.
pub const NEVER_S: i64 = i64::MIN;

/// The longest duration that anything is configured with, in seconds: 100 years of 365.25 days. It keeps
/// sums of times in range, and fits the durations of every host.
pub const MAX_DURATION_S: i64 = 3_155_760_000;

/// The most leeway that a verifier grants, in seconds.
pub const MAX_LEEWAY_S: i64 = 300;

/// A moment as tokens carry it (RFC 7519 `NumericDate`): whole seconds, and whether a fraction
/// follows. That is all that comparing exactly with a whole `now` needs, so nothing is ever rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumericDate {
    seconds: i64,
    has_fraction: bool,
}

impl NumericDate {
    /// The moment `seconds`, plus a fraction of a second if `has_fraction`.
    #[must_use]
    pub const fn new(seconds: i64, has_fraction: bool) -> Self {
        Self { seconds, has_fraction }
    }

    /// The whole seconds, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Whether the moment lies strictly after `now_s`.
    #[must_use]
    pub const fn is_after(self, now_s: i64) -> bool {
        self.seconds > now_s || (self.seconds == now_s && self.has_fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_counts_exactly() {
        assert!(NumericDate::new(10, true).is_after(10));
        assert!(!NumericDate::new(10, false).is_after(10));
        assert!(!NumericDate::new(9, true).is_after(10));
        assert!(NumericDate::new(11, false).is_after(10));
    }
}
