//! What sessions promise (docs/sessions.md; ATTACKS.md 20 and 49 to 53), over random times, places, races and
//! damage. The answers to named cases are data: `tests/vectors/session-*.json`; whole histories are held against
//! a model in `tests/sessions_model.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]
#![allow(missing_docs)]

use std::collections::BTreeSet;
use std::sync::{Barrier, Mutex};
use std::thread;

use donjon::base64url;
use donjon::entropy::FixedEntropy;
use donjon::error::Status;
use donjon::keyring::{Keyring, Purpose};
use donjon::runtime::OsEntropy;
use donjon::session::{
    Client, Decision, LogIn, Moment, Reason, RefreshToken, Request, Revoke, SessionError, Sessions, Write,
};
use donjon::signature::Algorithm;
use donjon::token::refresh::RefreshState;
use proptest::prelude::*;
use proptest::sample::Index;

const NOW: i64 = 1_700_000_000_000;
const MASTER: &str = "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU";
const KEYS: &str = r#"{"keys":[{"purpose":"device","epoch":1},{"purpose":"csrf","epoch":1},{"purpose":"envelope","epoch":1}]}"#;
const HOME: Client<'_> = Client { address: b"192.0.2.7", user_agent: b"Firefox/128.0" };
const SEALED: &str = r#"{"sealed":true}"#;

fn keyring() -> Keyring {
    Keyring::from_master(MASTER, KEYS).unwrap()
}

fn sessions(config: &str) -> Sessions {
    Sessions::from_json(&keyring(), config.as_bytes()).unwrap()
}

const fn at(now_ms: i64) -> Moment {
    Moment { now_ms, store_since_ms: 0 }
}

const fn by(subject: &str) -> LogIn<'_> {
    LogIn { subject, client: HOME, label: "", data: b"" }
}

/// A user's record, and whoever writes it.
struct User {
    sessions: Sessions,
    stored: Vec<u8>,
}

impl User {
    fn new(config: &str) -> Self {
        Self { sessions: sessions(config), stored: Vec::new() }
    }

    fn keep(&mut self, decision: Decision) -> Decision {
        if decision.write != Write::Nothing {
            self.stored.clone_from(&decision.record);
        }
        decision
    }

    fn log_in(&mut self, now: i64) -> String {
        let decision = self.sessions.create(&self.stored, &by("ann"), at(now), &mut OsEntropy).unwrap();
        self.keep(decision).id().unwrap().text().to_string()
    }

    fn begin(&mut self, now: i64) -> String {
        let decision = self.sessions.begin_family(&self.stored, &by("ann"), at(now), &mut OsEntropy).unwrap();
        self.keep(decision).state().unwrap().family_text()
    }

    /// How a request fares; what is to be written is.
    fn check(&mut self, id: &str, now: i64) -> (Status, Reason) {
        let decision = self.peek(id, HOME, at(now));
        let decision = self.keep(decision);
        (decision.status, decision.reason)
    }

    fn peek(&self, id: &str, client: Client<'_>, moment: Moment) -> Decision {
        self.sessions.check(&self.stored, id.as_bytes(), &client, moment, &mut OsEntropy).unwrap()
    }

    fn is_good(&self, id: &str, now: i64) -> bool {
        self.peek(id, HOME, at(now)).status == Status::Ok
    }

    fn refresh(&mut self, family: &str, generation: u32, now: i64) -> Decision {
        let token = RefreshToken { subject: "ann", family, generation, issued_at_s: now / 1000 };
        let decision = self.sessions.refresh(&self.stored, &token, &HOME, at(now), &mut OsEntropy).unwrap();
        self.keep(decision)
    }
}

/// A share of the cases that are asked for, where each takes long.
fn a_share(of: u32) -> ProptestConfig {
    let all = ProptestConfig::default();
    ProptestConfig { cases: all.cases.div_ceil(of), ..all }
}

/// Configurations, plain and sealed.
fn plain_or_sealed() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["{}", SEALED])
}

// ATTACKS.md 49 and 53: fixation and guesses.

#[test]
fn the_id_from_before_a_log_in_is_nobodys_after_it() {
    for config in ["{}", SEALED] {
        let guest = sessions(config);
        let begun = guest.create(b"", &by(""), at(NOW), &mut OsEntropy).unwrap();
        let before = begun.id().unwrap().text();
        let mut ann = User::new(config);
        let after = ann.log_in(NOW + 1);
        assert_ne!(*before, after);
        assert_ne!(guest.key(before.as_bytes()).unwrap(), guest.key(after.as_bytes()).unwrap());
        // The attacker's id leads to a record of its own, and in the user's record there is nothing of it.
        assert_eq!(ann.check(&before, NOW + 1).0, Status::InvalidSession);
        // Nor does a record that the attacker began become the user's.
        let stolen = guest.create(&begun.record, &by("ann"), at(NOW + 1), &mut OsEntropy).unwrap();
        ann.keep(stolen);
        assert_eq!(ann.check(&before, NOW + 1).0, Status::InvalidSession);
        assert_eq!(ann.sessions.list(&ann.stored, "ann", b"", at(NOW + 1)).unwrap().len(), 1);
    }
}

#[test]
fn a_guest_cannot_be_told_to_be_a_user() {
    // A record without a subject under a user's key: whatever it says, it is of nobody.
    let guest = sessions("{}");
    let begun = guest.create(b"", &by(""), at(NOW), &mut OsEntropy).unwrap();
    let decision =
        guest.check(&begun.record, begun.id().unwrap().text().as_bytes(), &HOME, at(NOW), &mut OsEntropy);
    assert_eq!(decision.unwrap().session.unwrap().subject, "");
    assert_eq!(
        guest.create(&begun.record, &by(""), at(NOW), &mut OsEntropy).unwrap_err(),
        SessionError::InvalidArgument
    );
    assert_eq!(
        guest.begin_family(b"", &by(""), at(NOW), &mut OsEntropy).unwrap_err(),
        SessionError::InvalidArgument
    );
}

#[test]
fn what_is_drawn_for_an_id_is_256_bits_and_none_of_them_is_stored() {
    for config in ["{}", SEALED] {
        let sessions = sessions(config);
        let mut seen = BTreeSet::new();
        for round in 0_u8..=255 {
            let drawn: Vec<u8> = (0..112).map(|at: u8| at.wrapping_mul(7) ^ round).collect();
            let begun = sessions.create(b"", &by("ann"), at(NOW), &mut FixedEntropy::new(&drawn)).unwrap();
            let id = begun.id().unwrap().text();
            let bytes = base64url::decode(id.as_bytes()).unwrap();
            assert_eq!(&bytes[16..], &drawn[..32], "nothing but what was drawn");
            for secret in [&bytes[16..24], &bytes[40..48], id.as_bytes()] {
                assert!(begun.record.windows(secret.len()).all(|window| window != secret));
            }
            assert!(seen.insert(id.to_string()));
        }
        // And all of it counts.
        let mut ann = User::new(config);
        let id = ann.log_in(NOW);
        let bytes = base64url::decode(id.as_bytes()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut guess = bytes.clone();
            guess[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(ann.peek(&base64url::encode(&guess), HOME, at(NOW)).status, Status::InvalidSession);
        }
    }
}

#[test]
fn two_log_ins_have_two_ids_and_too_little_randomness_has_none() {
    let mut ann = User::new("{}");
    assert_ne!(ann.log_in(NOW), ann.log_in(NOW));
    for len in 0..32 {
        let drawn = vec![7; len];
        let refused = ann.sessions.create(b"", &by("ann"), at(NOW), &mut FixedEntropy::new(&drawn));
        assert_eq!(refused.unwrap_err().status(), Status::EntropyUnavailable);
    }
}

#[test]
fn a_new_id_ends_the_old_one_at_once() {
    for config in ["{}", SEALED] {
        let mut ann = User::new(config);
        let (old, other) = (ann.log_in(NOW), ann.log_in(NOW));
        let rotated = ann
            .sessions
            .rotate(&ann.stored, old.as_bytes(), &HOME, Some(b"admin"), at(NOW + 5), &mut OsEntropy)
            .unwrap();
        let rotated = ann.keep(rotated);
        assert_eq!((rotated.status, rotated.write), (Status::Ok, Write::Must));
        let new = rotated.id().unwrap().text();
        assert_eq!(ann.check(&old, NOW + 5), (Status::InvalidSession, Reason::Unknown));
        assert!(ann.is_good(&new, NOW + 5) && ann.is_good(&other, NOW + 5));
        assert_eq!(ann.peek(&new, HOME, at(NOW + 5)).session.unwrap().data, b"admin");
        assert_eq!(
            ann.sessions.key(new.as_bytes()),
            ann.sessions.key(old.as_bytes()),
            "the record stays where it is"
        );
    }
}

// ATTACKS.md 50: time-outs.

proptest! {
    #[test]
    fn a_session_ends_when_the_first_of_its_two_times_is_over(
        idle in 2_i64..=60, more in prop_oneof![Just(0_i64), 0_i64..=120], touch in 1_i64..=30,
        gaps in prop::collection::vec(prop_oneof![0_i64..=40_000, (0_i64..=40).prop_map(|s| s * 1_000)], 1..40),
    ) {
        let touch = touch.min(idle / 2);
        let absolute = idle + more;
        let mut ann = User::new(&format!(
            r#"{{"idle_timeout_s":{idle},"absolute_timeout_s":{absolute},"touch_interval_s":{touch}}}"#
        ));
        let id = ann.log_in(NOW);
        let (mut now, mut seen) = (NOW, NOW);
        for gap in gaps {
            now += gap;
            let (idle_end, absolute_end) = (seen + idle * 1000, NOW + absolute * 1000);
            // To the millisecond, whenever it is asked.
            prop_assert!(ann.is_good(&id, idle_end.min(absolute_end) - 1));
            for end in [idle_end, absolute_end] {
                prop_assert_eq!(ann.peek(&id, HOME, at(end)).status, Status::Expired);
            }
            let expected = if now < idle_end.min(absolute_end) {
                (Status::Ok, Reason::None)
            } else if idle_end <= absolute_end {
                (Status::Expired, Reason::Idle)
            } else {
                (Status::Expired, Reason::Absolute)
            };
            prop_assert_eq!(ann.check(&id, now), expected);
            if expected.0 == Status::Expired {
                // It is gone for good, whatever the clock says then.
                prop_assert_eq!(ann.check(&id, NOW), (Status::InvalidSession, Reason::Unknown));
                return Ok(());
            }
            if now - seen >= touch * 1000 {
                seen = now;
            }
        }
    }

    #[test]
    fn a_clock_that_steps_back_ends_nothing_and_prolongs_nothing(
        gaps in prop::collection::vec(-3_600_000_i64..=3_600_000, 1..40),
    ) {
        let mut ann = User::new("{}");
        let id = ann.log_in(NOW);
        let (mut now, mut latest) = (NOW, NOW);
        for gap in gaps {
            now = (now + gap).max(0);
            if now >= NOW + 23 * 3_600_000 || now - latest >= 7 * 3_600_000 {
                break;
            }
            prop_assert_eq!(ann.check(&id, now).0, Status::Ok);
            latest = latest.max(now);
        }
        prop_assert_eq!(ann.peek(&id, HOME, at(latest + 8 * 3_600_000)).status, Status::Expired);
        prop_assert_eq!(ann.peek(&id, HOME, at(NOW + 24 * 3_600_000)).status, Status::Expired);
    }

    #[test]
    fn a_record_that_keep_ms_has_outlived_may_be_dropped(
        config in plain_or_sealed(), gaps in prop::collection::vec(0_i64..=30_000_000, 1..8), families in any::<u8>(),
    ) {
        let mut ann = User::new(config);
        let mut now = NOW;
        for (number, gap) in gaps.into_iter().enumerate() {
            now += gap;
            let decision = if families >> number & 1 == 0 {
                ann.sessions.create(&ann.stored, &by("ann"), at(now), &mut OsEntropy).unwrap()
            } else {
                ann.sessions.begin_family(&ann.stored, &by("ann"), at(now), &mut OsEntropy).unwrap()
            };
            let end = now + ann.keep(decision).keep_ms - 60_000;
            let live = |now| ann.sessions.list(&ann.stored, "ann", b"", at(now)).unwrap().len();
            prop_assert_eq!(live(end), 0);
            prop_assert!(live(end - 1) > 0);
        }
    }

    #[test]
    fn what_began_before_the_store_did_is_over(
        began in prop::collection::vec(0_i64..=10_000, 1..5), since in 0_i64..=10_000,
    ) {
        let mut ann = User::new("{}");
        let moment = Moment { now_ms: NOW + 20_000, store_since_ms: NOW + since };
        let ids: Vec<_> = began.iter().map(|began| ann.log_in(NOW + began)).collect();
        for (id, began) in ids.iter().zip(&began) {
            let is_good = ann.peek(id, HOME, moment).status == Status::Ok;
            prop_assert_eq!(is_good, *began >= since);
        }
        // Who logs in while the clock is behind the store's is in.
        let behind = Moment { now_ms: NOW, ..moment };
        let begun = ann.sessions.create(&ann.stored, &by("ann"), behind, &mut OsEntropy).unwrap();
        let id = ann.keep(begun).id().unwrap().text().to_string();
        prop_assert_eq!(ann.peek(&id, HOME, behind).status, Status::Ok);
        prop_assert_eq!(ann.peek(&id, HOME, moment).status, Status::Ok);
    }
}

// ATTACKS.md 51: the limit, and races.

/// What somebody is about to do to the record that was read.
#[derive(Debug, Clone, Copy)]
enum Act {
    LogIn,
    Begin,
    LogOut(u8),
    LogOutOthers(u8),
    LogOutEverywhere,
    Rotate(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => Just(Act::LogIn),
        3 => Just(Act::Begin),
        2 => any::<u8>().prop_map(Act::LogOut),
        1 => any::<u8>().prop_map(Act::LogOutOthers),
        1 => Just(Act::LogOutEverywhere),
        2 => any::<u8>().prop_map(Act::Rotate),
    ]
}

/// A request that has read the record, and has not yet written it.
struct Pending {
    act: Act,
    read: Vec<u8>,
    decision: Decision,
    ends: Vec<String>,
}

impl User {
    fn ask(&self, act: Act, ids: &[String], now: i64) -> Pending {
        let (rules, read) = (&self.sessions, self.stored.clone());
        let pick = |which: u8| ids.get(usize::from(which) % ids.len().max(1)).cloned().unwrap_or_default();
        let revoke = |revoke: Revoke<'_>| {
            let (decision, gone) = rules.revoke(&read, "ann", revoke, at(now), &mut OsEntropy).unwrap();
            (decision, gone.into_iter().map(|session| session.handle).collect())
        };
        let (decision, ends) = match act {
            Act::LogIn => (rules.create(&read, &by("ann"), at(now), &mut OsEntropy).unwrap(), Vec::new()),
            Act::Begin => {
                (rules.begin_family(&read, &by("ann"), at(now), &mut OsEntropy).unwrap(), Vec::new())
            }
            Act::LogOut(which) => revoke(Revoke::One(pick(which).as_bytes())),
            Act::LogOutOthers(which) => revoke(Revoke::Others(pick(which).as_bytes())),
            Act::LogOutEverywhere => revoke(Revoke::All),
            Act::Rotate(which) => {
                let id = pick(which);
                let rotated =
                    rules.rotate(&read, id.as_bytes(), &HOME, None, at(now), &mut OsEntropy).unwrap();
                let old: Vec<_> = rules.list(&read, "ann", id.as_bytes(), at(now)).unwrap();
                let is_new = rotated.status == Status::Ok;
                let old = old.into_iter().filter(|(_, is_it)| *is_it && is_new);
                (rotated, old.map(|(session, _)| session.handle).collect())
            }
        };
        let evicted = decision.evicted.iter().map(|gone| gone.handle.clone());
        let ends = evicted.chain(ends).collect();
        Pending { act, read, decision, ends }
    }

    fn handles(&self, now: i64) -> Vec<(String, i64)> {
        let list = self.sessions.list(&self.stored, "ann", b"", at(now)).unwrap();
        list.into_iter().map(|(session, _)| (session.handle, session.created_ms)).collect()
    }
}

proptest! {
    #![proptest_config(a_share(2))]

    #[test]
    fn however_requests_race_there_are_never_more_than_may_be_and_what_ended_stays_so(
        most in 1_usize..=5, refuses in any::<bool>(),
        turns in prop::collection::vec((0_usize..6, act(), 0_i64..=2_000), 1..80),
    ) {
        let at_limit = if refuses { "refuse" } else { "evict_oldest" };
        let mut ann = User::new(&format!(r#"{{"max_per_user":{most},"at_limit":"{at_limit}"}}"#));
        let mut workers: [Option<Pending>; 6] = Default::default();
        let (mut now, mut ids, mut ended) = (NOW, Vec::new(), BTreeSet::new());
        for (worker, act, gap) in turns {
            now += gap;
            // A worker that has read writes; one that has not, reads.
            let Some(pending) = workers[worker].take() else {
                workers[worker] = Some(ann.ask(act, &ids, now));
                continue;
            };
            if pending.decision.write != Write::Must {
                continue;
            }
            if pending.read != ann.stored {
                // The compare-and-set finds another record: ask again.
                workers[worker] = Some(ann.ask(pending.act, &ids, now));
                continue;
            }
            let before = ann.handles(now);
            ann.keep(pending.decision.clone());
            let after = ann.handles(now);
            prop_assert!(after.len() <= most);
            for (position, handle) in pending.decision.evicted.iter().map(|gone| &gone.handle).enumerate() {
                prop_assert!(!refuses);
                prop_assert_eq!(&before[position].0, handle, "the oldest goes first");
            }
            ended.extend(pending.ends);
            prop_assert!(after.iter().all(|(handle, _)| !ended.contains(handle)), "what ended does not come back");
            prop_assert!(before.iter().all(|seen| after.contains(seen) || ended.contains(&seen.0)), "nobody else goes");
            ids.extend(pending.decision.id().map(|id| id.text().to_string()));
        }
    }
}

#[test]
fn of_log_ins_at_once_five_are_left_and_each_was_let_in() {
    for config in ["{}", SEALED] {
        let (rules, stored) = (sessions(config), Mutex::new(Vec::new()));
        let barrier = Barrier::new(8);
        let log_in = || {
            barrier.wait();
            let mut ids = Vec::new();
            for _ in 0..20 {
                loop {
                    let read: Vec<u8> = stored.lock().unwrap().clone();
                    let decision = rules.create(&read, &by("ann"), at(NOW), &mut OsEntropy).unwrap();
                    let mut now = stored.lock().unwrap();
                    if *now == read {
                        now.clone_from(&decision.record);
                        ids.push(decision.id().unwrap().text().to_string());
                        break;
                    }
                }
            }
            ids
        };
        let ids: Vec<String> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(log_in)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let ann = User { sessions: rules, stored: stored.into_inner().unwrap() };
        assert_eq!(ids.len(), 160);
        assert_eq!(ids.iter().filter(|id| ann.is_good(id, NOW)).count(), 5);
        assert_eq!(ann.handles(NOW).len(), 5);
    }
}

#[test]
fn the_sixth_ends_the_oldest_or_does_not_begin() {
    let mut ann = User::new("{}");
    let ids: Vec<_> = (0..6).map(|number| ann.log_in(NOW + number)).collect();
    let good: Vec<_> = ids.iter().map(|id| ann.is_good(id, NOW + 9)).collect();
    assert_eq!(good, [false, true, true, true, true, true]);
    let mut ann = User::new(r#"{"at_limit":"refuse"}"#);
    let ids: Vec<_> = (0..5).map(|number| ann.log_in(NOW + number)).collect();
    let refused = ann.sessions.create(&ann.stored, &by("ann"), at(NOW + 9), &mut OsEntropy).unwrap();
    assert_eq!((refused.status, refused.write), (Status::SessionLimit, Write::Nothing));
    assert!(refused.id().is_none() && ids.iter().all(|id| ann.is_good(id, NOW + 9)));
    // One that ran out makes room.
    let later = NOW + 8 * 3_600_000;
    let begun = ann.sessions.create(&ann.stored, &by("ann"), at(later), &mut OsEntropy).unwrap();
    assert_eq!((begun.status, begun.evicted.len()), (Status::Ok, 0));
}

// ATTACKS.md 52: another address, another browser.

fn address() -> impl Strategy<Value = std::net::IpAddr> {
    let near =
        prop::sample::select(vec![0xC000_0207_u32, 0xC000_02FF, 0xC000_0307, 0xC100_0207, 0x4000_0207]);
    let v4 = prop_oneof![any::<u32>(), near].prop_map(|bits| std::net::Ipv4Addr::from(bits).into());
    let base = 0x2001_0db8_0000_0000_0000_0000_0000_0001_u128;
    let v6 = prop_oneof![any::<u128>(), (0_u32..128).prop_map(move |bit| base ^ 1 << bit), Just(base)];
    prop_oneof![v4, v6.prop_map(|bits| std::net::Ipv6Addr::from(bits).into())]
}

/// The bits of an address; those of a mapped one are IPv4's.
fn bits(address: std::net::IpAddr) -> (u32, u128) {
    match address.to_canonical() {
        std::net::IpAddr::V4(address) => (32, u32::from(address).into()),
        std::net::IpAddr::V6(address) => (128, u128::from(address)),
    }
}

proptest! {
    #[test]
    fn an_address_has_changed_if_a_bit_of_its_prefix_has(
        first in address(), second in address(), v4 in 1_u32..=32, v6 in 1_u32..=128, is_mapped in any::<bool>(),
        change in prop::sample::select(vec!["report", "step_up", "invalidate"]),
    ) {
        let mut ann = User::new(&format!(
            r#"{{"address":{{"on_change":"{change}","ipv4_prefix":{v4},"ipv6_prefix":{v6}}}}}"#
        ));
        let as_text = |address: std::net::IpAddr| match address {
            std::net::IpAddr::V4(v4) if is_mapped => v4.to_ipv6_mapped().to_string(),
            other => other.to_string(),
        };
        let (first_text, second_text) = (first.to_string(), as_text(second));
        let log_in = LogIn { client: Client { address: first_text.as_bytes(), ..HOME }, ..by("ann") };
        let begun = ann.sessions.create(b"", &log_in, at(NOW), &mut OsEntropy).unwrap();
        let id = ann.keep(begun).id().unwrap().text().to_string();
        let ((of, first), (others, second)) = (bits(first), bits(second));
        let prefix = if of == 32 { v4 } else { v6 };
        let is_same = of == others && (first ^ second).checked_shr(of - prefix).unwrap_or(0) == 0;
        let there = Client { address: second_text.as_bytes(), ..HOME };
        let decision = ann.peek(&id, there, at(NOW + 1));
        prop_assert_eq!(decision.changes.address, !is_same);
        let expected = match (is_same, change) {
            (true, _) | (false, "report") => (Status::Ok, Write::Nothing),
            (false, "step_up") => (Status::StepUpRequired, Write::Nothing),
            (false, _) => (Status::InvalidSession, Write::Must),
        };
        prop_assert_eq!((decision.status, decision.write), expected);
        // After another log-in, or what stands for one, it is at home there.
        let rotated = ann
            .sessions
            .rotate(&ann.stored, id.as_bytes(), &there, None, at(NOW + 2), &mut OsEntropy)
            .unwrap();
        let id = ann.keep(rotated).id().unwrap().text().to_string();
        let decision = ann.peek(&id, there, at(NOW + 3));
        prop_assert_eq!((decision.status, decision.changes.address), (Status::Ok, false));
    }

    #[test]
    fn an_update_is_the_same_browser_and_anything_else_is_not(
        before in "[a-zA-Z ()/;]{1,30}", versions in prop::array::uniform2("[0-9._]{0,10}"),
        letter in prop::char::range('a', 'z'), place in any::<Index>(),
    ) {
        let mut ann = User::new(r#"{"user_agent":{"on_change":"invalidate"}}"#);
        let [first, second] = versions.map(|version| format!("{before}{version}"));
        let log_in = LogIn { client: Client { user_agent: first.as_bytes(), ..HOME }, ..by("ann") };
        let begun = ann.sessions.create(b"", &log_in, at(NOW), &mut OsEntropy).unwrap();
        let id = ann.keep(begun).id().unwrap().text().to_string();
        let fares = |agent: &str| ann.peek(&id, Client { user_agent: agent.as_bytes(), ..HOME }, at(NOW)).status;
        prop_assert_eq!(fares(&second), Status::Ok);
        let mut other = second.clone();
        other.insert(place.index(before.len() + 1), letter);
        prop_assert_eq!(fares(&other), Status::InvalidSession);
        prop_assert_eq!(fares(""), Status::InvalidSession);
    }
}

// ATTACKS.md 20: refresh families.

proptest! {
    #[test]
    fn of_a_family_one_token_lives_and_any_other_ends_it(
        grace in 0_i64..=20_000, sealed in any::<bool>(),
        uses in prop::collection::vec((0_u32..=3, 0_i64..=30_000), 1..40),
    ) {
        let mut ann = User::new(&format!(r#"{{"refresh_grace_ms":{grace},"sealed":{sealed}}}"#));
        let (family, session) = (ann.begin(NOW), ann.log_in(NOW));
        let (mut now, mut generation, mut rotated) = (NOW, 0_u32, NOW);
        for (back, gap) in uses {
            now += gap;
            let used = generation.saturating_sub(back);
            let decision = ann.refresh(&family, used, now);
            if used == generation {
                prop_assert_eq!((decision.status, decision.write), (Status::Ok, Write::Must));
                (generation, rotated) = (generation + 1, now);
                prop_assert_eq!(decision.state().unwrap().generation(), generation);
            } else if used + 1 == generation && now - rotated <= grace {
                // A repeat: the same successor, and nobody is logged out.
                prop_assert_eq!((decision.status, decision.write), (Status::Ok, Write::Nothing));
                prop_assert_eq!(decision.state().unwrap().generation(), generation);
            } else {
                prop_assert_eq!((decision.status, decision.write), (Status::ReuseDetected, Write::Must));
                prop_assert!(decision.state().is_none());
                // Within the grace too, and whichever of its tokens it is.
                for each in 0..=generation + 1 {
                    prop_assert_eq!(ann.refresh(&family, each, now).status, Status::Revoked);
                }
                prop_assert!(ann.is_good(&session, now), "the others stay");
                return Ok(());
            }
        }
    }
}

#[test]
fn two_refreshes_at_once_have_one_successor_and_nobody_is_logged_out() {
    for config in ["{}", SEALED] {
        let mut ann = User::new(config);
        let family = ann.begin(NOW);
        let (rules, stored) = (&ann.sessions, Mutex::new(ann.stored.clone()));
        let barrier = Barrier::new(8);
        let refresh = || {
            barrier.wait();
            loop {
                let read: Vec<u8> = stored.lock().unwrap().clone();
                let token =
                    RefreshToken { subject: "ann", family: &family, generation: 0, issued_at_s: NOW / 1000 };
                let decision = rules.refresh(&read, &token, &HOME, at(NOW + 5), &mut OsEntropy).unwrap();
                let mut now = stored.lock().unwrap();
                if decision.write == Write::Nothing || *now == read {
                    if decision.write == Write::Must {
                        now.clone_from(&decision.record);
                    }
                    break (decision.status, decision.state().map(RefreshState::to_bytes));
                }
            }
        };
        let outcomes: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(refresh)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(
            outcomes.iter().all(|outcome| *outcome == outcomes[0] && outcome.0 == Status::Ok),
            "{outcomes:?}"
        );
        assert_eq!(RefreshState::from_bytes(&outcomes[0].1.unwrap()).unwrap().generation(), 1);
    }
}

#[test]
fn a_family_that_was_logged_out_is_refreshed_by_nobody() {
    let mut ann = User::new("{}");
    let (family, other) = (ann.begin(NOW), ann.begin(NOW));
    assert_eq!(ann.refresh(&family, 0, NOW + 1).status, Status::Ok);
    let (gone, revoked) = ann
        .sessions
        .revoke(&ann.stored, "ann", Revoke::One(family.as_bytes()), at(NOW + 2), &mut OsEntropy)
        .unwrap();
    assert_eq!(revoked[0].handle, family);
    ann.keep(gone);
    // 0 is within the grace.
    for generation in 0..3 {
        assert_eq!(ann.refresh(&family, generation, NOW + 2).status, Status::Revoked);
    }
    assert_eq!(ann.refresh(&other, 0, NOW + 2).status, Status::Ok);
    let (gone, _) =
        ann.sessions.revoke(&ann.stored, "ann", Revoke::All, at(NOW + 3), &mut OsEntropy).unwrap();
    assert!(ann.keep(gone).record.is_empty());
    assert_eq!(ann.refresh(&other, 1, NOW + 3).status, Status::Revoked);
}

proptest! {
    #[test]
    fn damage_lets_nobody_in_and_is_never_a_panic(
        config in plain_or_sealed(), noise in prop::collection::vec(any::<u8>(), 0..300),
        at_byte in any::<Index>(), byte in 1_u8..=255, now in prop_oneof![Just(0), Just(i64::MAX), NOW - 10..NOW + 10],
    ) {
        let mut ann = User::new(config);
        let (id, family) = (ann.log_in(NOW), ann.begin(NOW));
        let good = ann.stored.clone();
        let cut = good[..at_byte.index(good.len())].to_vec();
        let behind = [&good[..], &noise, &[0]].concat();
        for stored in [cut, behind, noise] {
            ann.stored = stored;
            let decision = ann.peek(&id, HOME, at(now));
            prop_assert_eq!((decision.status, decision.write), (Status::InvalidSession, Write::Nothing));
            prop_assert!(decision.session.is_none());
            prop_assert!(ann.handles(now).is_empty());
            prop_assert_ne!(ann.refresh(&family, 0, now).status, Status::Ok);
            for revoke in [Revoke::One(id.as_bytes()), Revoke::Others(id.as_bytes())] {
                let (decision, gone) = ann.sessions.revoke(&ann.stored, "ann", revoke, at(now), &mut OsEntropy).unwrap();
                prop_assert_eq!((decision.status, gone.len()), (Status::InvalidSession, 0));
            }
            let new = ann.log_in(NOW);
            prop_assert!(ann.is_good(&new, NOW), "the next log-in replaces it");
        }
        // A byte that is another: sealed it is seen; plain it may be another label, and never another's session.
        let mut flipped = good.clone();
        flipped[at_byte.index(good.len())] ^= byte;
        ann.stored = flipped;
        let decision = ann.peek(&id, HOME, at(now));
        if config == SEALED {
            prop_assert_eq!(decision.status, Status::InvalidSession);
        }
        prop_assert!(decision.session.is_none_or(|session| session.subject == "ann"));
        let other = base64url::encode(&[7; 48]);
        prop_assert_eq!(ann.peek(&other, HOME, at(now)).status, Status::InvalidSession);
        ann.refresh(&family, 0, now);
    }

    #[test]
    fn a_record_that_the_store_moved_to_another_user_is_of_no_use(
        config in plain_or_sealed(), subjects in prop::array::uniform2("[a-z]{1,8}"),
    ) {
        let [ann, bob] = &subjects;
        prop_assume!(ann != bob);
        let rules = sessions(config);
        let begun = rules.create(b"", &by(ann), at(NOW), &mut OsEntropy).unwrap();
        let record = &begun.record;
        prop_assert!(rules.list(record, bob, b"", at(NOW)).unwrap().is_empty());
        let token = RefreshToken { subject: bob, family: "A", generation: 0, issued_at_s: NOW / 1000 };
        let refreshed = rules.refresh(record, &token, &HOME, at(NOW), &mut OsEntropy).unwrap();
        prop_assert_eq!((refreshed.status, refreshed.reason), (Status::Revoked, Reason::Foreign));
        // Bob's next log-in knows nothing of ann's sessions.
        let id = begun.id().unwrap().text();
        let next = rules.create(record, &by(bob), at(NOW), &mut OsEntropy).unwrap();
        prop_assert!(next.evicted.is_empty());
        let checked = rules.check(&next.record, id.as_bytes(), &HOME, at(NOW), &mut OsEntropy).unwrap();
        prop_assert_eq!(checked.status, Status::InvalidSession);
        prop_assert_eq!(rules.list(&next.record, bob, b"", at(NOW)).unwrap().len(), 1);
        // Nor does bob's id open ann's record where the tag is cut from hers.
        let forged = [&base64url::decode(id.as_bytes()).unwrap()[..16], &[9; 32]].concat();
        let checked =
            rules.check(record, base64url::encode(&forged).as_bytes(), &HOME, at(NOW), &mut OsEntropy).unwrap();
        prop_assert_eq!(checked.status, Status::InvalidSession);
    }

    #[test]
    fn no_record_and_no_session_is_longer_than_its_bound(
        config in plain_or_sealed(), subject in "\\PC{0,250}[\\x00-\\x1f]{0,20}x", label in "\\PC{0,80}",
        data in prop::collection::vec(any::<u8>(), 0..=512), count in 1_usize..=64,
    ) {
        let rules = sessions(&config.replace('}', if config == SEALED { r#","max_per_user":64}"# } else { r#""max_per_user":64}"# }));
        let client = Client { address: b"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", ..HOME };
        let log_in = LogIn { subject: &subject, client, label: &label, data: &data };
        let mut stored = Vec::new();
        for _ in 0..count {
            let decision = rules.create(&stored, &log_in, at(NOW), &mut OsEntropy).unwrap();
            prop_assert!(decision.record.len() <= rules.record_bound());
            prop_assert!(decision.session_json(true).len() <= rules.session_bound());
            stored = decision.record;
        }
        let crowded = sessions(&config.replace('}', if config == SEALED { r#","max_per_user":1}"# } else { r#""max_per_user":1}"# }));
        let decision = crowded.create(&stored, &log_in, at(NOW), &mut OsEntropy).unwrap();
        prop_assert_eq!(decision.evicted.len(), count);
        prop_assert!(decision.session_json(true).len() <= crowded.session_bound());
    }
}

#[test]
fn after_a_rotation_of_the_device_key_sessions_go_on_where_they_are() {
    let purposes =
        [Purpose::Device, Purpose::Csrf, Purpose::Envelope].map(|purpose| (purpose, Algorithm::Hs256));
    let before = Keyring::generate(&purposes, 0, &mut OsEntropy).unwrap();
    let after = before.rotate(Purpose::Device, None, 10, 0, &mut OsEntropy).unwrap();
    for config in ["{}", SEALED] {
        let rules = Sessions::from_json(&before, config.as_bytes()).unwrap();
        let begun = rules.create(b"", &by("ann"), at(NOW), &mut OsEntropy).unwrap();
        let id = begun.id().unwrap().text();
        let rules = Sessions::from_json(&after, config.as_bytes()).unwrap();
        let keys = rules.keys("ann").unwrap();
        let own = rules.key(id.as_bytes()).unwrap();
        assert!(keys.contains(&own) && keys[0] != own);
        let touched =
            rules.check(&begun.record, id.as_bytes(), &HOME, at(NOW + 60_000), &mut OsEntropy).unwrap();
        assert_eq!((touched.status, touched.write), (Status::Ok, Write::May));
        let again =
            rules.check(&touched.record, id.as_bytes(), &HOME, at(NOW + 60_001), &mut OsEntropy).unwrap();
        assert_eq!((again.status, again.write), (Status::Ok, Write::Nothing));
        // A log-in goes under the new key.
        let next = rules.create(b"", &by("ann"), at(NOW), &mut OsEntropy).unwrap();
        assert_eq!(rules.key(next.id().unwrap().text().as_bytes()).unwrap(), keys[0]);
    }
}

proptest! {
    #[test]
    fn the_cookie_that_was_set_is_read_among_all_others(
        others in prop::collection::vec("[a-z]{0,5}(=[!-:<-~]{0,10})?", 0..6), place in any::<Index>(),
        blanks in "[ \t]{0,3}", secure in any::<bool>(),
    ) {
        let rules = sessions(if secure { "{}" } else { r#"{"cookie":{"name":"session_id","insecure":true}}"# });
        let id = base64url::encode(&[7; 48]);
        let set = rules.web().cookie(id.as_bytes()).unwrap();
        let (pair, attributes) = set.split_once(';').unwrap();
        prop_assert_eq!(attributes.contains("; Secure;"), secure);
        prop_assert!(attributes.contains("; HttpOnly;"));
        let mut pieces = others;
        let at = place.index(pieces.len() + 1);
        pieces.insert(at, pair.to_owned());
        let header = pieces.join(&format!(";{blanks}"));
        prop_assert_eq!(rules.web().read_cookie(header.as_bytes()).unwrap(), Some(id.as_str()));
        pieces.push(pair.to_owned());
        prop_assert!(rules.web().read_cookie(pieces.join("; ").as_bytes()).is_err());
        pieces.retain(|piece| piece != pair);
        let without = pieces.join("; ");
        prop_assert_eq!(rules.web().read_cookie(without.as_bytes()).unwrap(), None);
        let cleared = rules.web().cookie(b"").unwrap();
        let empty = format!("{}=;", pair.split_once('=').unwrap().0);
        prop_assert!(cleared.starts_with(&empty) && cleared.contains("; Max-Age=0;"));
    }

    #[test]
    fn a_csrf_token_is_of_its_session_alone(
        ids in prop::array::uniform2(prop::array::uniform32(any::<u8>())), bit in 0_usize..384,
    ) {
        let rules = sessions("{}");
        let [first, second] = ids.map(|random| base64url::encode(&[&[1; 16][..], &random].concat()));
        let token = rules.web().csrf_token(first.as_bytes(), &mut OsEntropy).unwrap();
        let request = Request { method: b"POST", host: b"app.example.com", ..Request::default() };
        let check = |id: &str, token: &str| rules.web().check_request(id.as_bytes(), &request, token.as_bytes());
        prop_assert_eq!(check(&first, &token), Ok(()));
        if first != second {
            prop_assert_eq!(check(&second, &token), Err(SessionError::CsrfFailed));
        }
        let mut forged = base64url::decode(token.as_bytes()).unwrap();
        forged[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(check(&first, &base64url::encode(&forged)), Err(SessionError::CsrfFailed));
        prop_assert_eq!(check(&first, ""), Err(SessionError::CsrfFailed));
        // From another site it is of no use.
        let elsewhere = Request { sec_fetch_site: b"cross-site", ..request };
        prop_assert_eq!(
            rules.web().check_request(first.as_bytes(), &elsewhere, token.as_bytes()),
            Err(SessionError::CrossSite)
        );
    }

    #[test]
    fn an_origin_that_is_not_the_host_changes_nothing(
        origin in "(https?://)?[a-z.:@/#?\\\\ -]{0,30}", method in "POST|PUT|PATCH|DELETE|[A-Z]{1,8}|[a-z]{1,8}",
    ) {
        let rules = sessions(r#"{"csrf_token":"not_required"}"#);
        let request = Request { method: method.as_bytes(), origin: origin.as_bytes(), host: b"app.example.com", ..Request::default() };
        let is_safe = matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS");
        let is_own = ["", "https://app.example.com", "http://app.example.com"].contains(&origin.as_str());
        prop_assert_eq!(rules.web().check_request(b"", &request, b"").is_ok(), is_safe || is_own);
    }
}
