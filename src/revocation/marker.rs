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

/// How often a marker says that the store is alive.
const ALIVE_EVERY_MS: i64 = 15_000;

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
        let seen = if seen.is_empty() { Some(Self::default()) } else { Self::from_bytes(seen) };
        let seen = seen.ok_or(RevocationError::InvalidArgument)?;
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
                    let now_ms = now_ms.max(seen.alive_ms);
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
