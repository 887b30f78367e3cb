//! Markers of a store that forgets, goes back and is silent, under clocks that jump: what was written is never taken
//! for what was before it, a store that was not whole begins anew, and one that is whole goes on.
#![no_main]

use donjon::revocation::{MARKER_LEN, MarkerReason, MarkerWrite, RevocationError, StoreMarker};
use donjon::time::MAX_DURATION_S;
use donjon_fuzz::abi::Script;
use libfuzzer_sys::fuzz_target;

const AHEAD_MS: i64 = 300_000;
const MAX_COUNT: u64 = (1 << 56) - 1;

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let mut versions: Vec<Vec<u8>> = vec![Vec::new(), script.bytes(MARKER_LEN).to_vec(), vec![0; 5]];
    let (mut stored, mut seen) = (1, Vec::new());
    let mut now_ms = script.number();
    while !script.0.is_empty() {
        match script.byte() {
            // The store is flushed, or what it was at some time.
            at @ 0..16 => stored = usize::from(at) % versions.len(),
            16 => now_ms = script.number(),
            // Another process, which has seen nothing, or something else.
            17 => seen = Vec::new(),
            18 => seen = versions[usize::from(script.byte()) % versions.len()].clone(),
            back @ 19..32 => now_ms = now_ms.saturating_sub(i64::from(back) * 10_000).max(0),
            on => now_ms = now_ms.saturating_add(i64::from(on - 32) * 200),
        }
        let silence_ms = if script.byte() < 32 { script.number() } else { 60_000 };
        let before = &versions[stored];
        let found = StoreMarker::from_bytes(before);
        assert!(found.is_none_or(|found| found.to_bytes() == **before));
        let ahead_ms = now_ms.saturating_add(AHEAD_MS);
        let verdict = match StoreMarker::decide(before, &seen, silence_ms, now_ms) {
            Ok(verdict) => verdict,
            Err(RevocationError::ClockBehind) => {
                assert!(found.unwrap().since_ms() > ahead_ms);
                continue;
            }
            Err(error) => {
                let is_seen = seen.is_empty() || StoreMarker::from_bytes(&seen).is_some();
                assert!(!is_seen || now_ms < 0 || !(1..=MAX_DURATION_S * 1000).contains(&silence_ms));
                assert_eq!(error, RevocationError::InvalidArgument);
                continue;
            }
        };
        let next = verdict.marker.to_bytes().to_vec();
        let ((count, since_ms, alive_ms), (last_count, last_since_ms, _)) = (read(&next), read(&seen));
        let (found_count, found_since_ms, found_alive_ms) = read(if found.is_some() { before } else { &[] });
        assert!(since_ms <= alive_ms && count >= last_count && count >= found_count);
        let is_written = verdict.write != MarkerWrite::Nothing;
        assert!(!is_written || count == MAX_COUNT || count == found_count.max(last_count) + 1);
        match (verdict.write, verdict.reason) {
            (MarkerWrite::Nothing, None) => assert!(next == *before && now_ms - found_alive_ms < 1000),
            (MarkerWrite::May, None) => {
                assert_eq!((since_ms, alive_ms), (found_since_ms, now_ms.max(found_since_ms)));
                assert!(now_ms - found_alive_ms >= 1000 || found_alive_ms > ahead_ms);
            }
            (MarkerWrite::Must, Some(reason)) => {
                // Later than the last beginning by a whole second: tokens are stamped in seconds.
                let is_after = !seen.is_empty() && last_since_ms <= ahead_ms;
                let soonest_ms = if is_after { last_since_ms.saturating_add(1000) } else { 0 };
                assert_eq!((since_ms, alive_ms), (now_ms.max(soonest_ms), now_ms.max(soonest_ms)));
                assert_eq!(found.is_none(), matches!(reason, MarkerReason::Missing | MarkerReason::Damaged));
                // Every count is written once: two markers of one count are of two histories.
                let is_other = found_count == last_count && *before != seen;
                let is_back = found.is_some() && !seen.is_empty() && (found_count < last_count || is_other);
                assert_eq!(reason == MarkerReason::RolledBack, is_back);
            }
            other => panic!("{other:?}"),
        }
        match StoreMarker::decide(&next, &next, silence_ms, now_ms) {
            Ok(again) => assert!(again.reason.is_none() && again.write == MarkerWrite::Nothing),
            Err(error) => assert!(error == RevocationError::ClockBehind && since_ms > ahead_ms),
        }
        // Nobody writes what is no longer there, or keeps the older of two.
        if is_written {
            stored = versions.len();
            versions.push(next.clone());
        }
        seen = seen.max(next);
    }
});

/// How often it was written, since when, and alive when; nothing for what is empty.
fn read(marker: &[u8]) -> (u64, i64, i64) {
    let number =
        |at: usize| marker.get(at..at + 8).map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()));
    (number(0) & MAX_COUNT, number(8) as i64, number(16) as i64)
}
