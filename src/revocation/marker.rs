//! The marker of a store, by which it is noticed that the store forgot: that it was flushed, restored from a
//! backup, or that another one answers in its place.
//!
//! ```text
//! marker = 1 ‖ 7 zero bytes ‖ since_ms i64 ‖ alive_ms i64
//! ```
//!
//! `since_ms` is when the store's knowledge begins, `alive_ms` when it was last known to be whole: it only
//! grows, so that a store that went back in time shows. It has to grow now and then, or its silence tells.

use super::RevocationError;
use crate::bytes::Reader;
use crate::time::MAX_DURATION_S;

/// The bytes of a marker.
pub const MARKER_LEN: usize = 24;

const VERSION: [u8; 8] = [1, 0, 0, 0, 0, 0, 0, 0];

/// How often a marker says that the store is alive: a store that went back by less goes unnoticed.
const ALIVE_EVERY_MS: i64 = 1000;

/// How long a store keeps its marker: 10 years.
const KEEP_MS: i64 = MAX_DURATION_S * 100;

/// Since when a store knows what it was told, and when that was last seen to be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreMarker {
    // INVARIANT: 0 ≤ since_ms ≤ alive_ms.
    since_ms: i64,
    alive_ms: i64,
}

/// Why a store's knowledge begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkerReason {
    /// There is no marker: a new store, or one that was flushed.
    Missing = 1,
    /// What is there is no marker.
    Damaged = 2,
    /// It is older than it was before: the store was restored.
    RolledBack = 3,
    /// Nobody said for too long that the store is alive: it may have been restored since.
    Silent = 4,
}

/// Whether the marker has to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkerWrite {
    /// It is what is stored.
    Nothing = 0,
    /// By compare-and-set; if that fails, read everything again.
    Must = 1,
    /// By compare-and-set; if that fails, never mind.
    May = 2,
}

/// What a store's marker says of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkerVerdict {
    /// The marker from now on.
    pub marker: StoreMarker,
    /// Whether to write it.
    pub write: MarkerWrite,
    /// Why the store begins anew, if it does.
    pub reason: Option<MarkerReason>,
    /// How long the store has to keep it, in milliseconds.
    pub keep_ms: i64,
}

impl StoreMarker {
    /// Reads a marker.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let (&VERSION, since_ms, alive_ms) = (reader.array()?, reader.array()?, reader.array()?) else {
            return None;
        };
        let this = Self { since_ms: i64::from_be_bytes(*since_ms), alive_ms: i64::from_be_bytes(*alive_ms) };
        let is_sound = reader.0.is_empty() && 0 <= this.since_ms && this.since_ms <= this.alive_ms;
        is_sound.then_some(this)
    }

    /// The bytes to store.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; MARKER_LEN] {
        let mut bytes = [0; MARKER_LEN];
        let times = self.since_ms.to_be_bytes().into_iter().chain(self.alive_ms.to_be_bytes());
        for (slot, byte) in bytes.iter_mut().zip(VERSION.into_iter().chain(times)) {
            *slot = byte;
        }
        bytes
    }

    /// When the store's knowledge begins: what is older is dead. 0: it always knew.
    #[must_use]
    pub const fn since_ms(&self) -> i64 {
        self.since_ms
    }

    /// Decides about a store whose marker is `stored` (empty for none), where `seen` is the last that this
    /// process had seen of it *before* it began to read (empty for none). After `max_silence_ms` without a
    /// sign of life, the store may have been restored unseen.
    ///
    /// # Errors
    /// - [`RevocationError::InvalidArgument`]: `seen` is no marker; a silence that is not 1 ms to 100 years; a
    ///   negative time.
    pub fn decide(
        stored: &[u8],
        seen: &[u8],
        max_silence_ms: i64,
        now_ms: i64,
    ) -> Result<MarkerVerdict, RevocationError> {
        // A new beginning is later than the one that was seen, by a whole second: tokens are stamped in seconds.
        let (seen, soonest_ms) = if seen.is_empty() {
            (Self::default(), 0)
        } else {
            let seen = Self::from_bytes(seen).ok_or(RevocationError::InvalidArgument)?;
            (seen, seen.alive_ms.max(seen.since_ms.saturating_add(1000)))
        };
        if !(1..=MAX_DURATION_S * 1000).contains(&max_silence_ms) || now_ms < 0 {
            return Err(RevocationError::InvalidArgument);
        }
        let found = Self::from_bytes(stored).ok_or(if stored.is_empty() {
            MarkerReason::Missing
        } else {
            MarkerReason::Damaged
        });
        let (marker, write, reason) =
            match found.and_then(|found| found.outlives(seen, max_silence_ms, now_ms)) {
                Err(reason) => {
                    let now_ms = now_ms.max(soonest_ms);
                    (Self { since_ms: now_ms, alive_ms: now_ms }, MarkerWrite::Must, Some(reason))
                }
                Ok(found) if now_ms.saturating_sub(found.alive_ms) >= ALIVE_EVERY_MS => {
                    (Self { alive_ms: now_ms, ..found }, MarkerWrite::May, None)
                }
                Ok(found) => (found, MarkerWrite::Nothing, None),
            };
        Ok(MarkerVerdict { marker, write, reason, keep_ms: KEEP_MS })
    }

    fn outlives(self, seen: Self, max_silence_ms: i64, now_ms: i64) -> Result<Self, MarkerReason> {
        if self.alive_ms < seen.alive_ms || self.since_ms < seen.since_ms {
            return Err(MarkerReason::RolledBack);
        }
        let is_silent = now_ms.saturating_sub(self.alive_ms) > max_silence_ms;
        if is_silent { Err(MarkerReason::Silent) } else { Ok(self) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_800_000_000_000;
    const SILENCE_MS: i64 = 3_600_000;
    const SINCE_MS: i64 = NOW_MS - 1_000_000_000;

    fn marker(since_ms: i64, alive_ms: i64) -> [u8; MARKER_LEN] {
        StoreMarker { since_ms, alive_ms }.to_bytes()
    }

    fn decide(stored: &[u8], seen: &[u8], now_ms: i64) -> (Option<MarkerReason>, MarkerWrite, StoreMarker) {
        let verdict = StoreMarker::decide(stored, seen, SILENCE_MS, now_ms).unwrap();
        (verdict.reason, verdict.write, verdict.marker)
    }

    fn anew(reason: MarkerReason, at_ms: i64) -> (Option<MarkerReason>, MarkerWrite, StoreMarker) {
        (Some(reason), MarkerWrite::Must, StoreMarker { since_ms: at_ms, alive_ms: at_ms })
    }

    fn goes_on(write: MarkerWrite, alive_ms: i64) -> (Option<MarkerReason>, MarkerWrite, StoreMarker) {
        (None, write, StoreMarker { since_ms: SINCE_MS, alive_ms })
    }

    #[test]
    fn a_store_that_is_whole_says_so_every_second() {
        for (age_ms, write, alive_ms) in [
            (0, MarkerWrite::Nothing, NOW_MS),
            (999, MarkerWrite::Nothing, NOW_MS - 999),
            (1000, MarkerWrite::May, NOW_MS),
            (SILENCE_MS, MarkerWrite::May, NOW_MS),
        ] {
            let stored = marker(SINCE_MS, NOW_MS - age_ms);
            assert_eq!(decide(&stored, &[], NOW_MS), goes_on(write, alive_ms), "{age_ms}");
            assert_eq!(decide(&stored, &stored, NOW_MS), goes_on(write, alive_ms), "{age_ms}");
        }
    }

    #[test]
    fn a_store_that_forgot_begins_anew_and_never_before_what_was_seen() {
        let seen = marker(SINCE_MS, NOW_MS + 700);
        for (seen, at_ms) in [(&[][..], NOW_MS), (&seen, NOW_MS + 700)] {
            assert_eq!(decide(&[], seen, NOW_MS), anew(MarkerReason::Missing, at_ms));
            for len in 1..MARKER_LEN {
                let cut = &marker(SINCE_MS, NOW_MS)[..len];
                assert_eq!(decide(cut, seen, NOW_MS), anew(MarkerReason::Damaged, at_ms), "{len}");
            }
            let later = marker(NOW_MS, NOW_MS - 1);
            assert_eq!(decide(&later, seen, NOW_MS), anew(MarkerReason::Damaged, at_ms));
        }
        let restored = marker(SINCE_MS, NOW_MS + 699);
        assert_eq!(decide(&restored, &seen, NOW_MS), anew(MarkerReason::RolledBack, NOW_MS + 700));
        let restored = marker(SINCE_MS - 1, NOW_MS + 700);
        assert_eq!(decide(&restored, &seen, NOW_MS), anew(MarkerReason::RolledBack, NOW_MS + 700));
        let silent = marker(SINCE_MS, NOW_MS - SILENCE_MS - 1);
        assert_eq!(decide(&silent, &silent, NOW_MS), anew(MarkerReason::Silent, NOW_MS));
    }

    #[test]
    fn a_store_that_begins_anew_twice_in_one_second_begins_in_two() {
        let first = marker(NOW_MS, NOW_MS);
        assert_eq!(decide(&[], &first, NOW_MS + 1), anew(MarkerReason::Missing, NOW_MS + 1000));
        assert_eq!(decide(&[], &first, NOW_MS + 2000), anew(MarkerReason::Missing, NOW_MS + 2000));
        assert_eq!(decide(&[], &[], 5), anew(MarkerReason::Missing, 5));
    }

    #[test]
    fn every_byte_of_a_marker_counts() {
        let whole = marker(SINCE_MS, NOW_MS);
        for at in 0..8 {
            let mut damaged = whole;
            damaged[at] ^= 1;
            assert_eq!(StoreMarker::from_bytes(&damaged), None, "{at}");
        }
        assert_eq!(StoreMarker::from_bytes(&marker(-1, NOW_MS)), None);
        assert_eq!(StoreMarker::from_bytes(&[&whole[..], &[0]].concat()), None);
    }

    #[test]
    fn a_clock_that_goes_back_forgets_nothing() {
        let stored = marker(SINCE_MS, NOW_MS);
        for now_ms in [0, NOW_MS - 1] {
            assert_eq!(decide(&stored, &stored, now_ms), goes_on(MarkerWrite::Nothing, NOW_MS));
        }
        assert_eq!(decide(&stored, &[], i64::MAX), anew(MarkerReason::Silent, i64::MAX));
    }

    #[test]
    fn what_was_seen_is_what_was_seen_before_the_read() {
        let (before, after) = (marker(SINCE_MS, NOW_MS - 20_000), marker(SINCE_MS, NOW_MS));
        // One thread has read `before`; another then touches the marker, and raises what was seen to `after`.
        assert_eq!(decide(&before, &before, NOW_MS), goes_on(MarkerWrite::May, NOW_MS));
        // With what was seen since, the store would seem to have gone back.
        assert_eq!(decide(&before, &after, NOW_MS), anew(MarkerReason::RolledBack, NOW_MS));
    }

    #[test]
    fn what_no_correct_caller_passes_is_refused() {
        let stored = marker(SINCE_MS, NOW_MS);
        for (seen, silence_ms, now_ms) in [
            (&stored[..23], SILENCE_MS, NOW_MS),
            (&stored, 0, NOW_MS),
            (&stored, MAX_DURATION_S * 1000 + 1, NOW_MS),
            (&stored, SILENCE_MS, -1),
        ] {
            let refused = StoreMarker::decide(&stored, seen, silence_ms, now_ms);
            assert_eq!(refused, Err(RevocationError::InvalidArgument));
        }
    }
}
