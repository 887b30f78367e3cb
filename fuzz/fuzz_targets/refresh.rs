//! Refresh families and key set refreshes, from any state and at any time: a state that parses survives
//! storage, a revoked family stays revoked, a generation never goes back, and fetches keep their distance.
#![no_main]

use donjon::base64url;
use donjon::jwks::{JwksEvent, JwksPolicy, JwksState};
use donjon::time::MAX_DURATION_S;
use donjon::token::refresh::{RefreshState, RefreshVerdict};
use donjon_fuzz::abi::Script;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    if script.byte() % 2 == 0 { family(&mut script) } else { key_set(&mut script) }
});

fn family(script: &mut Script<'_>) {
    let Ok(mut state) = RefreshState::from_bytes(script.bytes(32)) else { return };
    while !script.0.is_empty() {
        assert_eq!(RefreshState::from_bytes(&state.to_bytes()), Ok(state));
        let family = base64url::encode(state.family());
        let back = u32::from(script.byte() % 4);
        let generation = state.generation().wrapping_add(1).wrapping_sub(back);
        let (now_ms, grace_ms) = (script.number(), script.number());
        let Ok(verdict) = RefreshState::rotate(Some(&state), &family, generation, now_ms, grace_ms) else {
            assert!(!(0..=300_000).contains(&grace_ms));
            continue;
        };
        match verdict {
            RefreshVerdict::Rotate(next) => {
                assert!(back == 1 && !state.is_revoked() && !next.is_revoked());
                assert_eq!(Some(next.generation()), state.generation().checked_add(1));
                state = next;
            }
            RefreshVerdict::Repeat(same) => assert!(back == 2 && !state.is_revoked() && same == state),
            RefreshVerdict::ReuseDetected(revoked) => {
                assert!(generation < state.generation() && revoked.is_revoked());
                state = revoked;
            }
            RefreshVerdict::Revoked => assert!(state.is_revoked()),
            RefreshVerdict::StateStale => assert!(generation >= state.generation()),
        }
    }
}

fn key_set(script: &mut Script<'_>) {
    let Ok(mut state) = JwksState::from_bytes(script.bytes(24)) else { return };
    let policy = JwksPolicy { cooldown_ms: script.number(), max_age_ms: script.number() };
    let mut fetched_at_ms = None;
    let mut now_ms = script.number().max(0);
    while !script.0.is_empty() {
        assert_eq!(JwksState::from_bytes(&state.to_bytes()), Ok(state));
        let events = [JwksEvent::UnknownKey, JwksEvent::Periodic, JwksEvent::Fetched, JwksEvent::Failed];
        let event = events[usize::from(script.byte() % 4)];
        now_ms = now_ms.saturating_add(script.byte().into());
        let Ok(verdict) = state.refresh(event, now_ms, policy) else {
            let is_duration = |ms: i64| (1..=MAX_DURATION_S * 1000).contains(&ms);
            assert!(!is_duration(policy.cooldown_ms) || !is_duration(policy.max_age_ms));
            return;
        };
        if verdict.fetch {
            let rested = fetched_at_ms.is_none_or(|last: i64| now_ms - last >= policy.cooldown_ms);
            assert!(rested && verdict.retry_after_ms == 0);
            fetched_at_ms = Some(now_ms);
        } else {
            assert!(verdict.retry_after_ms > 0);
        }
        state = verdict.state;
    }
}
