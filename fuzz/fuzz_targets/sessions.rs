//! Log-ins, requests, refreshes and log-outs of one user, in any order and at any time: never more sign-ins than may
//! be, never one that is not the next of those before, and what went never comes back.
#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use donjon::keyring::Keyring;
use donjon::session::{Client, Decision, LogIn, Moment, RefreshToken, Revoke, Sessions, Write};
use donjon_fuzz::abi::Script;
use donjon_fuzz::draws::Draws;
use donjon_fuzz::edits::edited;
use libfuzzer_sys::fuzz_target;

const CONFIGS: [(&str, usize); 4] = [
    (
        r#"{"max_per_user":3,"touch_interval_s":1,"idle_timeout_s":30,"absolute_timeout_s":100,"refresh_grace_ms":2000}"#,
        3,
    ),
    (
        r#"{"max_per_user":2,"sealed":true,"user_agent":{"on_change":"invalidate"},"address":{"on_change":"step_up"}}"#,
        2,
    ),
    (r#"{"max_per_user":2,"at_limit":"refuse","family_idle_timeout_s":30,"family_lifetime_s":60}"#, 2),
    (
        r#"{"max_per_user":1,"idle_timeout_s":2,"touch_interval_s":1,"absolute_timeout_s":2,"family_idle_timeout_s":2}"#,
        1,
    ),
];
const ADDRESSES: [&str; 4] = ["192.0.2.7", "192.0.2.200", "2001:db8::1", ""];
const USER_AGENTS: [&str; 3] = ["Mozilla/5.0 (X11)", "Mozilla/6.1 (X11)", "curl"];
const MOST_STEPS: usize = 32;

static SESSIONS: LazyLock<Vec<Sessions>> = LazyLock::new(|| {
    let epochs = r#"{"keys":[{"purpose":"device","epoch":2,"oldest":1},{"purpose":"csrf","epoch":1},{"purpose":"envelope","epoch":1}]}"#;
    let keyring = Keyring::from_master("pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU", epochs).unwrap();
    CONFIGS.iter().map(|(config, _)| Sessions::from_json(&keyring, config.as_bytes()).unwrap()).collect()
});

/// What a user's clients have to show.
#[derive(Default)]
struct Held {
    ids: Vec<(String, String)>,
    families: Vec<(String, u32)>,
}

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let which = usize::from(script.byte()) % CONFIGS.len();
    let (sessions, most) = (&SESSIONS[which], CONFIGS[which].1);
    let (mut record, mut draws, mut held) = (Vec::new(), Draws::default(), Held::default());
    let mut at = Moment { now_ms: script.number().max(0), store_since_ms: 0 };
    let mut gone = BTreeSet::new();
    for _ in 0..MOST_STEPS {
        if script.0.is_empty() {
            break;
        }
        match script.byte() {
            0 => at.now_ms = script.number().max(0),
            1 => at.store_since_ms = at.now_ms,
            back @ 2..24 => at.now_ms = at.now_ms.saturating_sub(i64::from(back) * 100).max(0),
            on => at.now_ms = at.now_ms.saturating_add(i64::from(on) * 20),
        }
        let before = handles(sessions, &record, at);
        let (decision, issued) = step(&mut script, sessions, &record, at, &mut draws, &mut held);
        let status = decision.status.name();
        assert!(decision.write != Write::Nothing || (decision.record.is_empty() && decision.keep_ms == 0));
        if decision.write == Write::Nothing || script.byte() == 0 {
            // Somebody else was faster, or nothing changed.
            continue;
        }
        assert!(decision.record.len() <= sessions.record_bound());
        assert_eq!(decision.keep_ms > 0, !decision.record.is_empty());
        let after = handles(sessions, &decision.record, at);
        assert!(after.len() <= most.max(before.len()), "{status}");
        for handle in &after {
            assert!(before.contains(handle) || issued.as_ref() == Some(handle), "{status}");
            assert!(!gone.contains(handle), "{status}");
        }
        // A clock that steps back brings nothing back either: it is not in the record any more.
        gone.extend(before.into_iter().filter(|handle| !after.contains(handle)));
        record = decision.record;
    }
    let changed = edited(&mut script, &record);
    if which == 1 && changed != record {
        assert!(handles(sessions, &changed, at).is_empty());
    }
});

fn handles(sessions: &Sessions, record: &[u8], at: Moment) -> Vec<String> {
    let listed = sessions.list(record, "ann", b"", at).unwrap();
    assert!(listed.iter().is_sorted_by_key(|(session, _)| session.created_ms));
    assert!(listed.iter().all(|(session, _)| session.expires_ms > at.now_ms && session.subject == "ann"));
    listed.into_iter().map(|(session, _)| session.handle).collect()
}

/// One step, and the handle of what it issued.
fn step(
    script: &mut Script<'_>,
    sessions: &Sessions,
    record: &[u8],
    at: Moment,
    draws: &mut Draws,
    held: &mut Held,
) -> (Decision, Option<String>) {
    let client = Client {
        address: script.pick(&ADDRESSES).unwrap_or_default().as_bytes(),
        user_agent: script.pick(&USER_AGENTS).unwrap_or_default().as_bytes(),
    };
    let log_in = LogIn { subject: "ann", client, label: "label", data: b"data" };
    let alive = handles(sessions, record, at);
    let (id, handle) =
        held.ids.get(usize::from(script.byte())).or(held.ids.last()).cloned().unwrap_or_default();
    match script.byte() % 8 {
        0 | 1 => begun(sessions.create(record, &log_in, at, draws).unwrap(), held),
        2 => begun(sessions.begin_family(record, &log_in, at, draws).unwrap(), held),
        3 | 4 => {
            let decision = sessions.check(record, id.as_bytes(), &client, at, draws).unwrap();
            let is_good = matches!(decision.status.name(), "ok" | "step_up_required");
            assert!(!is_good || alive.contains(&handle));
            assert_eq!(is_good, decision.session.as_ref().is_some_and(|session| session.handle == handle));
            (decision, None)
        }
        5 => {
            let decision = sessions.rotate(record, id.as_bytes(), &client, None, at, draws).unwrap();
            assert_eq!(decision.status.name() == "ok", alive.contains(&handle) && !handle.is_empty());
            begun(decision, held)
        }
        6 => {
            let Some((family, newest)) = held.families.last().cloned() else {
                return begun(sessions.begin_family(record, &log_in, at, draws).unwrap(), held);
            };
            let generation = newest.saturating_sub(u32::from(script.byte() % 4));
            let token = RefreshToken { subject: "ann", family: &family, generation, issued_at_s: i64::MAX };
            let decision = sessions.refresh(record, &token, &client, at, draws).unwrap();
            assert_eq!(decision.status.name() == "ok", decision.state().is_some());
            assert!(decision.state().is_none() || alive.contains(&family));
            if let Some(state) = decision.state() {
                held.families.push((family.clone(), state.generation()));
            }
            if decision.status.name() == "reuse_detected" {
                assert!(!handles(sessions, &decision.record, at).contains(&family));
            }
            (decision, None)
        }
        _ => {
            let name = if script.byte() % 2 == 0 { &id } else { &handle }.as_bytes();
            let which = match script.byte() % 4 {
                0 => Revoke::All,
                1 => Revoke::Others(name),
                _ => Revoke::One(name),
            };
            let (decision, went) = sessions.revoke(record, "ann", which, at, draws).unwrap();
            let left = handles(sessions, &decision.record, at);
            assert!(went.iter().all(|one| alive.contains(&one.handle) && !left.contains(&one.handle)));
            assert!(decision.write == Write::Nothing || went.len() + left.len() == alive.len());
            (decision, None)
        }
    }
}

fn begun(decision: Decision, held: &mut Held) -> (Decision, Option<String>) {
    let Some(session) = decision.session.as_ref().filter(|_| decision.issued.is_some()) else {
        return (decision, None);
    };
    let handle = session.handle.clone();
    if let Some(id) = decision.id() {
        held.ids.push((id.text().to_string(), handle.clone()));
    }
    if let Some(state) = decision.state() {
        held.families.push((handle.clone(), state.generation()));
    }
    (decision, Some(handle))
}
