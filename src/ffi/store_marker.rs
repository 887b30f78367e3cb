//! The marker of a store: a pure decision over 24 bytes that the host stores.

use super::guard;
use super::memory::{Slot, bytes};
use crate::revocation::{MarkerReason, MarkerWrite, StoreMarker};

/// The bytes of a store's marker.
pub const DONJON_MARKER_LEN: usize = 24;

/// There is no marker: a new store, or one that was flushed.
pub const DONJON_MARKER_MISSING: u8 = 1;
/// What is stored is no marker.
pub const DONJON_MARKER_DAMAGED: u8 = 2;
/// The marker is older than it was before: the store was restored.
pub const DONJON_MARKER_ROLLED_BACK: u8 = 3;
/// Nobody said for too long that the store is alive: it may have been restored since.
pub const DONJON_MARKER_SILENT: u8 = 4;

/// What a store's marker says of the store.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct donjon_marker_verdict {
    /// When the store's knowledge begins: sessions and tokens from before are dead. 0: it always knew.
    pub since_ms: i64,
    /// How long the store has to keep the marker.
    pub keep_ms: i64,
    /// 1: the marker must be written, by compare-and-set, before anything is decided by this; where that fails,
    /// read everything again. 2: it may be written; if that fails, never mind. 0: it is what is stored.
    pub write: u8,
    /// DONJON_MARKER_*: why the store begins anew; 0: it does not. Worth a log line.
    pub reason: u8,
    /// Zero.
    pub reserved: [u8; 6],
}

/// Decides whether a store that holds sessions or revocations still knows what it was told. Its marker lies under
/// the key "epoch", and is read together with whatever is asked of the store.
///
/// stored: what is there; empty for nothing.
/// seen: the latest marker that this process saw of the store *before it began this read*; empty for none.
///   Afterwards what is seen is raised to the new marker, never lowered: the later one has the greater bytes.
/// max_silence_ms: after so long without a sign of life the store counts as restored; 1 to 100 years. The marker
///   is due every second while anybody asks.
/// marker: receives DONJON_MARKER_LEN bytes, the marker from now on.
///
/// Errors: INVALID_ARGUMENT (seen is no marker; max_silence_ms, now_ms), STORE_UNAVAILABLE (by this clock the store's
/// knowledge begins in the future: let nobody in, and do not count the marker as seen).
///
/// # Safety
/// The pointers are as the contract says; marker points to DONJON_MARKER_LEN writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_store_marker(
    stored: *const u8,
    stored_len: usize,
    seen: *const u8,
    seen_len: usize,
    max_silence_ms: i64,
    now_ms: i64,
    marker: *mut u8,
    verdict: *mut donjon_marker_verdict,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (stored, seen, marker, slot) = unsafe {
            (
                bytes(stored, stored_len)?,
                bytes(seen, seen_len)?,
                Slot::new(marker.cast::<[u8; DONJON_MARKER_LEN]>())?,
                Slot::new(verdict)?,
            )
        };
        let decided = StoreMarker::decide(stored, seen, max_silence_ms, now_ms)?;
        marker.put(decided.marker.to_bytes());
        slot.put(donjon_marker_verdict {
            since_ms: decided.marker.since_ms(),
            keep_ms: decided.keep_ms,
            write: match decided.write {
                MarkerWrite::Nothing => 0,
                MarkerWrite::Must => 1,
                MarkerWrite::May => 2,
            },
            reason: match decided.reason {
                None => 0,
                Some(MarkerReason::Missing) => DONJON_MARKER_MISSING,
                Some(MarkerReason::Damaged) => DONJON_MARKER_DAMAGED,
                Some(MarkerReason::RolledBack) => DONJON_MARKER_ROLLED_BACK,
                Some(MarkerReason::Silent) => DONJON_MARKER_SILENT,
            },
            reserved: [0; 6],
        });
        Ok(())
    })
}
