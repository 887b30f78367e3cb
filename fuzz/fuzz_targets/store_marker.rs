//! Markers of a store that forgets, goes back and is silent: what was seen is never unseen, a store that was not
//! whole begins anew, and one that is whole goes on.
#![no_main]

use donjon::revocation::{MARKER_LEN, MarkerReason, MarkerWrite, StoreMarker};
use donjon::time::MAX_DURATION_S;
use donjon_fuzz::abi::Script;
use libfuzzer_sys::fuzz_target;

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
            // Another process, which has seen nothing.
            17 => seen = Vec::new(),
            18 => seen = versions[usize::from(script.byte()) % versions.len()].clone(),
            on => now_ms = now_ms.saturating_add(i64::from(on) * 200),
        }
        let silence_ms = if script.byte() < 32 { script.number() } else { 60_000 };
        let found = StoreMarker::from_bytes(&versions[stored]);
        if let Some(found) = found {
            assert_eq!(found.to_bytes(), *versions[stored]);
        }
        let Ok(verdict) = StoreMarker::decide(&versions[stored], &seen, silence_ms, now_ms) else {
            let is_seen = seen.is_empty() || StoreMarker::from_bytes(&seen).is_some();
            assert!(!is_seen || now_ms < 0 || !(1..=MAX_DURATION_S * 1000).contains(&silence_ms));
            continue;
        };
        let next = verdict.marker.to_bytes().to_vec();
        let (before, after) = (times(&seen), times(&next));
        assert!(after.0 >= before.0 && after.1 >= before.1 && after.0 <= after.1);
        match (verdict.write, verdict.reason) {
            (MarkerWrite::Nothing, None) => assert_eq!(next, versions[stored]),
            (MarkerWrite::May, None) => {
                assert_eq!(Some(after.0), found.map(|found| found.since_ms()));
                assert!(after.1 == now_ms && now_ms > times(&versions[stored]).1);
            }
            (MarkerWrite::Must, Some(reason)) => {
                // Later than the last beginning by a whole second: tokens are stamped in seconds.
                let soonest_ms =
                    if seen.is_empty() { 0 } else { before.1.max(before.0.saturating_add(1000)) };
                assert_eq!(after, (now_ms.max(soonest_ms), now_ms.max(soonest_ms)));
                assert_eq!(found.is_none(), matches!(reason, MarkerReason::Missing | MarkerReason::Damaged));
            }
            other => panic!("{other:?}"),
        }
        let again = StoreMarker::decide(&next, &next, silence_ms, now_ms).unwrap();
        assert!(again.reason.is_none() && again.write == MarkerWrite::Nothing);
        stored = versions.len();
        versions.push(next.clone());
        seen = next;
    }
});

/// Since when, and alive when; before everything for what is empty.
fn times(marker: &[u8]) -> (i64, i64) {
    let time =
        |at: usize| marker.get(at..at + 8).map_or(0, |bytes| i64::from_be_bytes(bytes.try_into().unwrap()));
    (time(8), time(16))
}
