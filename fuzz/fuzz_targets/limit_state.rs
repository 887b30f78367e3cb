//! Any bytes as a key's state, any times and costs, under limits that change: nothing panics, a refusal and a
//! question change nothing, a clock that steps back gives nothing, and a refused cost is there when it was said.
#![no_main]

use std::sync::LazyLock;

use donjon::limit::{Limits, MAX_NOW_MS, Outcome, StateBuf, Verdict, standing};
use donjon_fuzz::abi::Script;
use libfuzzer_sys::fuzz_target;

const CONFIGS: [&str; 14] = [
    r#"{"limits":"7/second"}"#,
    r#"{"limits":"3 per 7 seconds","burst":5}"#,
    r#"{"limits":"3 per 7 seconds","algorithm":"token_bucket","burst":1}"#,
    r#"{"limits":"4294967295/100 years"}"#,
    r#"{"limits":"5/minute","algorithm":"fixed_window"}"#,
    r#"{"limits":"4294967295/second","algorithm":"fixed_window"}"#,
    r#"{"limits":"5/minute","algorithm":"sliding_window"}"#,
    r#"{"limits":"4294967295/100 years","algorithm":"sliding_window"}"#,
    r#"{"limits":"5/minute","algorithm":"sliding_log"}"#,
    r#"{"limits":"64/100 years","algorithm":"sliding_log"}"#,
    r#"{"lockout":{}}"#,
    r#"{"lockout":{"attempts":2,"lock_s":1,"growth":3,"max_lock_s":100}}"#,
    r#"{"limits":"2/second; 5/minute; 9/hour"}"#,
    r#"{"limits":"2/second; 5/minute","algorithm":"sliding_window"}"#,
];
const MOST_STEPS: usize = 24;

static LIMITS: LazyLock<Vec<Limits>> =
    LazyLock::new(|| CONFIGS.iter().map(|config| Limits::from_json(config.as_bytes()).unwrap()).collect());

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let mut limits = drawn(&mut script);
    let len = usize::from(script.byte());
    let mut state = script.bytes(len).to_vec();
    let mut now = script.number();
    for _ in 0..MOST_STEPS {
        if script.0.is_empty() {
            break;
        }
        match script.byte() {
            0 => limits = drawn(&mut script),
            1 => now = script.number(),
            back @ 2..32 => now = now.saturating_sub(i64::from(back) * 97),
            on @ 32..128 => now = now.saturating_add(i64::from(on - 32) * 97),
            _ => {}
        }
        let cost = if script.byte() < 8 { script.number() as u32 } else { u32::from(script.byte() % 4) };
        if script.byte() < 16 {
            let (spent_at, mut next) = (script.number(), StateBuf::new());
            let given = limits.give_back(&state, spent_at, now, cost, &mut next);
            assert_eq!(given.is_err(), spent_at < 0 || now < 0);
            if given.is_ok() {
                state = next.as_bytes().to_vec();
            }
        } else {
            state = spend(limits, state, now, cost);
        }
        let _ = standing(&state, now);
    }
});

fn drawn(script: &mut Script<'_>) -> &'static Limits {
    &LIMITS[usize::from(script.byte()) % CONFIGS.len()]
}

fn spend(limits: &Limits, state: Vec<u8>, now: i64, cost: u32) -> Vec<u8> {
    let at = |state: &[u8], now: i64, cost: u32| -> (Verdict, Vec<u8>) {
        let mut next = StateBuf::new();
        let verdict = limits.spend(state, now, cost, &mut next).unwrap();
        (verdict, next.as_bytes().to_vec())
    };
    if now < 0 {
        assert!(limits.spend(&state, now, cost, &mut StateBuf::new()).is_err());
        return state;
    }
    let (before, same) = at(&state, now, 0);
    let (verdict, next) = at(&state, now, cost);
    let (after, again) = at(&next, now, 0);
    assert_eq!(again, next);
    assert!(after.remaining <= after.limit && after.reset_after_ms <= after.keep_ms);
    if !verdict.allowed() || cost == 0 {
        assert_eq!((next.clone(), after), (same, before));
    }
    let is_single = limits.list().len() == 1;
    if is_single {
        assert!(after.remaining <= before.remaining);
        let (earlier, _) = at(&next, now / 2, 0);
        assert!(earlier.remaining <= after.remaining, "{earlier:?} {after:?}");
    }
    let last = MAX_NOW_MS as i64;
    if let Outcome::RetryAfterMs(wait) = verdict.outcome {
        assert!(wait > 0);
        if let Some(then) = now.checked_add(wait as i64).filter(|then| *then <= last) {
            assert!(at(&next, then, cost).0.allowed());
            assert!(!at(&next, then - 1, cost).0.allowed());
        }
    }
    if let Some(then) = now.checked_add(after.keep_ms as i64).filter(|then| *then <= last) {
        let (free, _) = at(&next, then, 0);
        assert!(free.remaining == free.limit && free.keep_ms == 0, "{free:?}");
    }
    next
}
