//! The marker of a store, by which it is noticed that the store forgot: that it was flushed, restored from a
//! backup, or that another one answers in its place.
//!
//! ```text
//! marker = 1 ‖ count u56 ‖ since_ms i64 ‖ alive_ms i64
//! ```
//!
//! `since_ms` is when the store's knowledge begins, `alive_ms` when it was last known to be whole. `count` grows by
//! one whenever the marker is written, whatever the clocks say, so that a store that went back in time shows: to
//! others also when somebody who had not seen it has touched the marker since. It has to be touched now and then, or
//! its silence tells.

use super::RevocationError;
use crate::bytes::Reader;
use crate::time::MAX_DURATION_S;

/// The bytes of a marker.
pub const MARKER_LEN: usize = 24;

const VERSION: u8 = 1;

/// Seven bytes.
const MAX_COUNT: u64 = (1 << 56) - 1;

/// How often a marker says that the store is alive: a store that went back by less goes unnoticed.
const ALIVE_EVERY_MS: i64 = 1000;

/// How far the clocks of those who share a store may be apart.
const MAX_AHEAD_MS: i64 = 300_000;

/// How long a store keeps its marker: 10 years.
const KEEP_MS: i64 = MAX_DURATION_S * 100;

/// Since when a store knows what it was told, and when that was last seen to be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreMarker {
    // INVARIANT: count ≤ MAX_COUNT, 0 ≤ since_ms ≤ alive_ms.
    count: u64,
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
        let (head, since_ms, alive_ms) = (reader.array::<8>()?, reader.array()?, reader.array()?);
        let [VERSION, ..] = *head else { return None };
        let this = Self {
            count: u64::from_be_bytes(*head) & MAX_COUNT,
            since_ms: i64::from_be_bytes(*since_ms),
            alive_ms: i64::from_be_bytes(*alive_ms),
        };
        let is_sound = reader.0.is_empty() && 0 <= this.since_ms && this.since_ms <= this.alive_ms;
        is_sound.then_some(this)
    }

    /// The bytes to store. Of two markers the later one has the greater bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; MARKER_LEN] {
        let mut bytes = [0; MARKER_LEN];
        let head = (u64::from(VERSION) << 56) | self.count;
        let parts = head.to_be_bytes().into_iter();
        let parts = parts.chain(self.since_ms.to_be_bytes()).chain(self.alive_ms.to_be_bytes());
        for (slot, byte) in bytes.iter_mut().zip(parts) {
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
    /// - [`RevocationError::ClockBehind`]: the store's knowledge begins more than five minutes from now. This clock
    ///   is wrong, or that of whoever wrote the marker was: nothing can be said, and nobody is let in.
    pub fn decide(
        stored: &[u8],
        seen: &[u8],
        max_silence_ms: i64,
        now_ms: i64,
    ) -> Result<MarkerVerdict, RevocationError> {
        let seen = if seen.is_empty() {
            None
        } else {
            Some(Self::from_bytes(seen).ok_or(RevocationError::InvalidArgument)?)
        };
        if !(1..=MAX_DURATION_S * 1000).contains(&max_silence_ms) || now_ms < 0 {
            return Err(RevocationError::InvalidArgument);
        }
        let ahead_ms = now_ms.saturating_add(MAX_AHEAD_MS);
        let found = Self::from_bytes(stored);
        if found.is_some_and(|found| found.since_ms > ahead_ms) {
            return Err(RevocationError::ClockBehind);
        }
        let count = [found, seen].into_iter().flatten().map(|marker| marker.count).max();
        let next_count = count.unwrap_or_default().saturating_add(1).min(MAX_COUNT);
        let found =
            found.ok_or(if stored.is_empty() { MarkerReason::Missing } else { MarkerReason::Damaged });
        let (marker, write, reason) =
            match found.and_then(|found| found.outlives(seen, max_silence_ms, now_ms)) {
                Err(reason) => {
                    // A new beginning is later than the one that was seen, by a whole second: tokens are stamped in
                    // seconds.
                    let last_ms = seen.map(|seen| seen.since_ms).filter(|since_ms| *since_ms <= ahead_ms);
                    let at_ms = last_ms.map_or(now_ms, |last_ms| now_ms.max(last_ms.saturating_add(1000)));
                    let anew = Self { count: next_count, since_ms: at_ms, alive_ms: at_ms };
                    (anew, MarkerWrite::Must, Some(reason))
                }
                Ok(found) if found.is_due(now_ms, ahead_ms) => {
                    let alive_ms = now_ms.max(found.since_ms);
                    (Self { count: next_count, alive_ms, ..found }, MarkerWrite::May, None)
                }
                Ok(found) => (found, MarkerWrite::Nothing, None),
            };
        Ok(MarkerVerdict { marker, write, reason, keep_ms: KEEP_MS })
    }

    fn outlives(self, seen: Option<Self>, max_silence_ms: i64, now_ms: i64) -> Result<Self, MarkerReason> {
        // Every count is written once: another marker of the same is of a store that was set back and touched since.
        if seen.is_some_and(|seen| self != seen && self.count <= seen.count) {
            return Err(MarkerReason::RolledBack);
        }
        let is_silent = now_ms.saturating_sub(self.alive_ms) > max_silence_ms;
        if is_silent { Err(MarkerReason::Silent) } else { Ok(self) }
    }

    /// A sign of life from the future is none.
    const fn is_due(self, now_ms: i64, ahead_ms: i64) -> bool {
        now_ms.saturating_sub(self.alive_ms) >= ALIVE_EVERY_MS || self.alive_ms > ahead_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_800_000_000_000;
    const SILENCE_MS: i64 = 3_600_000;
    const SINCE_MS: i64 = NOW_MS - 1_000_000_000;
    const COUNT: u64 = 41;

    type Decided = (Option<MarkerReason>, MarkerWrite, StoreMarker);

    fn marker(count: u64, since_ms: i64, alive_ms: i64) -> [u8; MARKER_LEN] {
        StoreMarker { count, since_ms, alive_ms }.to_bytes()
    }

    fn decide(stored: &[u8], seen: &[u8], now_ms: i64) -> Decided {
        let verdict = StoreMarker::decide(stored, seen, SILENCE_MS, now_ms).unwrap();
        (verdict.reason, verdict.write, verdict.marker)
    }

    fn anew(reason: MarkerReason, count: u64, at_ms: i64) -> Decided {
        (Some(reason), MarkerWrite::Must, StoreMarker { count, since_ms: at_ms, alive_ms: at_ms })
    }

    fn goes_on(write: MarkerWrite, alive_ms: i64) -> Decided {
        let count = if write == MarkerWrite::May { COUNT + 1 } else { COUNT };
        (None, write, StoreMarker { count, since_ms: SINCE_MS, alive_ms })
    }

    #[test]
    fn a_store_that_is_whole_says_so_every_second() {
        for (age_ms, write, alive_ms) in [
            (0, MarkerWrite::Nothing, NOW_MS),
            (999, MarkerWrite::Nothing, NOW_MS - 999),
            (1000, MarkerWrite::May, NOW_MS),
            (SILENCE_MS, MarkerWrite::May, NOW_MS),
        ] {
            let stored = marker(COUNT, SINCE_MS, NOW_MS - age_ms);
            assert_eq!(decide(&stored, &[], NOW_MS), goes_on(write, alive_ms), "{age_ms}");
            assert_eq!(decide(&stored, &stored, NOW_MS), goes_on(write, alive_ms), "{age_ms}");
        }
    }

    #[test]
    fn a_store_that_forgot_begins_anew() {
        let seen = marker(COUNT, SINCE_MS, NOW_MS);
        for (seen, count) in [(&[][..], 1), (&seen, COUNT + 1)] {
            assert_eq!(decide(&[], seen, NOW_MS), anew(MarkerReason::Missing, count, NOW_MS));
            for len in 1..MARKER_LEN {
                let cut = &marker(COUNT, SINCE_MS, NOW_MS)[..len];
                assert_eq!(decide(cut, seen, NOW_MS), anew(MarkerReason::Damaged, count, NOW_MS), "{len}");
            }
            let later = marker(COUNT, NOW_MS, NOW_MS - 1);
            assert_eq!(decide(&later, seen, NOW_MS), anew(MarkerReason::Damaged, count, NOW_MS));
        }
        let silent = marker(COUNT, SINCE_MS, NOW_MS - SILENCE_MS - 1);
        assert_eq!(decide(&silent, &silent, NOW_MS), anew(MarkerReason::Silent, COUNT + 1, NOW_MS));
    }

    #[test]
    fn a_store_that_was_set_back_shows_although_somebody_has_touched_it_since() {
        let seen = marker(COUNT, SINCE_MS, NOW_MS);
        for alive_ms in [NOW_MS - 1, NOW_MS, NOW_MS + 5000] {
            let restored = marker(COUNT - 1, SINCE_MS, alive_ms);
            let found = decide(&restored, &seen, NOW_MS);
            assert_eq!(found, anew(MarkerReason::RolledBack, COUNT + 1, NOW_MS), "{alive_ms}");
        }
        let other = marker(COUNT, SINCE_MS, NOW_MS - 1);
        assert_eq!(decide(&other, &seen, NOW_MS), anew(MarkerReason::RolledBack, COUNT + 1, NOW_MS));
        let untold = marker(COUNT - 1, SINCE_MS, NOW_MS);
        assert_eq!(decide(&untold, &untold, NOW_MS).0, None, "who has not seen it cannot tell");
    }

    #[test]
    fn a_store_that_begins_anew_twice_in_one_second_begins_in_two() {
        let first = marker(COUNT, NOW_MS, NOW_MS);
        assert_eq!(decide(&[], &first, NOW_MS + 1), anew(MarkerReason::Missing, COUNT + 1, NOW_MS + 1000));
        assert_eq!(decide(&[], &first, NOW_MS + 2000), anew(MarkerReason::Missing, COUNT + 1, NOW_MS + 2000));
        assert_eq!(decide(&[], &[], 5), anew(MarkerReason::Missing, 1, 5));
    }

    #[test]
    fn one_wrong_clock_neither_moves_the_beginning_nor_keeps_the_store_silent() {
        let early = marker(COUNT, NOW_MS + MAX_AHEAD_MS, NOW_MS + MAX_AHEAD_MS);
        assert_eq!(decide(&early, &[], NOW_MS).1, MarkerWrite::Nothing);
        let future = marker(COUNT, NOW_MS + MAX_AHEAD_MS + 1, NOW_MS + MAX_AHEAD_MS + 1);
        for seen in [&[][..], &future, &marker(COUNT + 1, SINCE_MS, NOW_MS)] {
            let refused = StoreMarker::decide(&future, seen, SILENCE_MS, NOW_MS);
            assert_eq!(refused, Err(RevocationError::ClockBehind));
        }
        // Once it was deleted, what was seen of it does not bring it back.
        assert_eq!(decide(&[], &future, NOW_MS), anew(MarkerReason::Missing, COUNT + 1, NOW_MS));
        let touched = marker(COUNT, SINCE_MS, NOW_MS + MAX_AHEAD_MS + 1);
        assert_eq!(decide(&touched, &touched, NOW_MS), goes_on(MarkerWrite::May, NOW_MS));
    }

    #[test]
    fn every_byte_of_a_marker_counts() {
        let whole = marker(COUNT, SINCE_MS, NOW_MS);
        assert_eq!(whole[..8], [1, 0, 0, 0, 0, 0, 0, 41]);
        let most = StoreMarker { count: MAX_COUNT, since_ms: 0, alive_ms: 0 };
        assert_eq!(StoreMarker::from_bytes(&most.to_bytes()), Some(most));
        assert_eq!(decide(&[], &most.to_bytes(), NOW_MS).2.count, MAX_COUNT);
        let mut damaged = whole;
        damaged[0] ^= 1;
        assert_eq!(StoreMarker::from_bytes(&damaged), None);
        assert_eq!(StoreMarker::from_bytes(&marker(COUNT, -1, NOW_MS)), None);
        assert_eq!(StoreMarker::from_bytes(&[&whole[..], &[0]].concat()), None);
    }

    #[test]
    fn the_later_marker_has_the_greater_bytes() {
        let touched = decide(&marker(COUNT, SINCE_MS, NOW_MS + MAX_AHEAD_MS + 1), &[], NOW_MS).2;
        assert!(touched.to_bytes() > marker(COUNT, SINCE_MS, NOW_MS + MAX_AHEAD_MS + 1));
    }

    #[test]
    fn a_clock_that_goes_back_forgets_nothing() {
        let stored = marker(COUNT, SINCE_MS, NOW_MS);
        assert_eq!(decide(&stored, &stored, NOW_MS - 1), goes_on(MarkerWrite::Nothing, NOW_MS));
        let refused = StoreMarker::decide(&stored, &stored, SILENCE_MS, 0);
        assert_eq!(refused, Err(RevocationError::ClockBehind));
        assert_eq!(decide(&stored, &[], i64::MAX), anew(MarkerReason::Silent, COUNT + 1, i64::MAX));
    }

    #[test]
    fn what_was_seen_is_what_was_seen_before_the_read() {
        let before = marker(COUNT, SINCE_MS, NOW_MS - 20_000);
        let after = marker(COUNT + 1, SINCE_MS, NOW_MS);
        // One thread has read `before`; another then touches the marker, and raises what was seen to `after`.
        assert_eq!(decide(&before, &before, NOW_MS), goes_on(MarkerWrite::May, NOW_MS));
        // With what was seen since, the store would seem to have gone back.
        assert_eq!(decide(&before, &after, NOW_MS), anew(MarkerReason::RolledBack, COUNT + 2, NOW_MS));
    }

    #[test]
    fn what_no_correct_caller_passes_is_refused() {
        let stored = marker(COUNT, SINCE_MS, NOW_MS);
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
