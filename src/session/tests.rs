use super::config::Config;
use super::*;
use crate::entropy::FixedEntropy;
use crate::error::Status;
use crate::keyring::{Keyring, Purpose};
use crate::runtime::OsEntropy;
use crate::signature::Algorithm;
use crate::time::NEVER_S;
use crate::token::refresh::RefreshState;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

const NOW: i64 = 1_800_000_000_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const HOME: Client<'_> = Client { address: b"192.0.2.7", user_agent: b"Mozilla/5.0 Firefox/140.0" };
const NOWHERE: Client<'_> = Client { address: b"", user_agent: b"" };

fn keyring() -> Keyring {
    let purposes =
        [Purpose::Device, Purpose::Csrf, Purpose::Envelope].map(|purpose| (purpose, Algorithm::Hs256));
    Keyring::generate(&purposes, 0, &mut OsEntropy).unwrap()
}

fn at(now_ms: i64) -> Moment {
    Moment { now_ms, store_since_ms: 0 }
}

/// The sessions of ann, and her record.
struct Ann {
    sessions: Sessions,
    record: Vec<u8>,
}

impl Ann {
    fn new(config: &str) -> Self {
        Self { sessions: Sessions::from_json(&keyring(), config.as_bytes()).unwrap(), record: Vec::new() }
    }

    fn try_log_in(&self, at: Moment) -> Decision {
        let log_in = LogIn { subject: "ann", client: HOME, label: "laptop", data: b"data" };
        self.sessions.create(&self.record, &log_in, at, &mut OsEntropy).unwrap()
    }

    fn log_in(&mut self, now_ms: i64) -> String {
        let decision = self.try_log_in(at(now_ms));
        assert_eq!((decision.status, decision.write), (Status::Ok, Write::Must));
        self.record.clone_from(&decision.record);
        text(&decision)
    }

    fn begin_family(&mut self, now_ms: i64) -> RefreshState {
        let log_in = LogIn { subject: "ann", client: HOME, label: "phone", data: b"" };
        let decision = self.sessions.begin_family(&self.record, &log_in, at(now_ms), &mut OsEntropy).unwrap();
        self.record.clone_from(&decision.record);
        *decision.state().unwrap()
    }

    fn ask(&self, id: &str, client: Client<'_>, at: Moment) -> Decision {
        self.sessions.check(&self.record, id.as_bytes(), &client, at, &mut OsEntropy).unwrap()
    }

    fn check(&self, id: &str, now_ms: i64) -> (Status, Reason, Write) {
        verdict(&self.ask(id, HOME, at(now_ms)))
    }

    fn refresh(&mut self, family: &str, generation: u32, client: Client<'_>, at: Moment) -> Decision {
        let token = RefreshToken { subject: "ann", family, generation, issued_at_s: NOW / 1000 };
        let decision = self.sessions.refresh(&self.record, &token, &client, at, &mut OsEntropy).unwrap();
        if decision.write != Write::Nothing {
            self.record.clone_from(&decision.record);
        }
        decision
    }

    fn revoke(&mut self, which: Revoke<'_>, now_ms: i64) -> (Decision, Vec<Session>) {
        let revoked = self.sessions.revoke(&self.record, "ann", which, at(now_ms), &mut OsEntropy).unwrap();
        if revoked.0.write != Write::Nothing {
            self.record.clone_from(&revoked.0.record);
        }
        revoked
    }

    fn list(&self, now_ms: i64) -> Vec<Session> {
        let listed = self.sessions.list(&self.record, "ann", b"", at(now_ms)).unwrap();
        listed.into_iter().map(|(session, _)| session).collect()
    }
}

fn text(decision: &Decision) -> String {
    decision.id().unwrap().text().to_string()
}

fn verdict(decision: &Decision) -> (Status, Reason, Write) {
    (decision.status, decision.reason, decision.write)
}

const GOOD: (Status, Reason, Write) = (Status::Ok, Reason::None, Write::Nothing);
const GONE: (Status, Reason, Write) = (Status::InvalidSession, Reason::Unknown, Write::Nothing);
const FOREIGN: (Status, Reason, Write) = (Status::InvalidSession, Reason::Foreign, Write::Nothing);

#[test]
fn a_session_is_over_at_its_first_deadline_and_not_before() {
    let mut ann = Ann::new(r#"{"idle_timeout_s":100,"absolute_timeout_s":150,"touch_interval_s":10}"#);
    let id = ann.log_in(NOW);
    assert_eq!(ann.check(&id, NOW + 99_999).2, Write::May);
    let expired = |reason| (Status::Expired, reason, Write::May);
    assert_eq!(ann.check(&id, NOW + 100_000), expired(Reason::Idle));
    // Both are over, and this was first.
    assert_eq!(ann.check(&id, NOW + 150_000), expired(Reason::Idle));
    let used = ann.ask(&id, HOME, at(NOW + 60_000));
    let session = used.session.unwrap();
    assert_eq!((session.seen_ms, session.expires_ms), (NOW + 60_000, NOW + 150_000));
    assert_eq!(used.keep_ms, 90_000 + 60_000);
    ann.record = used.record;
    assert_eq!(ann.check(&id, NOW + 149_999).0, Status::Ok);
    let ended = ann.ask(&id, HOME, at(NOW + 150_000));
    assert_eq!(verdict(&ended), expired(Reason::Absolute));
    assert!(ended.record.is_empty() && ended.keep_ms == 0 && ended.session.is_none());
}

#[test]
fn deadlines_at_once_are_the_idle_one() {
    let mut ann = Ann::new(r#"{"idle_timeout_s":100,"absolute_timeout_s":100,"touch_interval_s":50}"#);
    let id = ann.log_in(NOW);
    assert_eq!(ann.check(&id, NOW + 100_000).1, Reason::Idle);
}

#[test]
fn it_is_noted_once_in_an_interval_that_a_session_is_used() {
    let mut ann = Ann::new("{}");
    let id = ann.log_in(NOW);
    assert_eq!(ann.check(&id, NOW), GOOD);
    assert_eq!(ann.check(&id, NOW + MINUTE - 1), GOOD);
    let touched = ann.ask(&id, HOME, at(NOW + MINUTE));
    assert_eq!(verdict(&touched), (Status::Ok, Reason::None, Write::May));
    ann.record = touched.record;
    assert_eq!(ann.check(&id, NOW + MINUTE), GOOD);
    assert_eq!(ann.list(NOW + MINUTE)[0].seen_ms, NOW + MINUTE);
}

#[test]
fn a_clock_that_steps_back_ends_nothing_and_lowers_nothing() {
    let mut ann = Ann::new("{}");
    let id = ann.log_in(NOW);
    assert_eq!(ann.check(&id, 0), GOOD);
    let session = ann.ask(&id, HOME, at(0)).session.unwrap();
    assert_eq!((session.seen_ms, session.expires_ms), (NOW, NOW + 8 * HOUR));
    let rotated =
        ann.sessions.rotate(&ann.record, id.as_bytes(), &HOME, None, at(0), &mut OsEntropy).unwrap();
    assert_eq!(rotated.session.unwrap().seen_ms, NOW);
    // One that begins before the others is the oldest.
    ann.log_in(NOW - HOUR);
    assert_eq!(ann.list(NOW).iter().map(|session| session.created_ms).collect::<Vec<_>>(), [NOW - HOUR, NOW]);
}

#[test]
fn no_time_is_too_late() {
    let mut ann = Ann::new("{}");
    ann.log_in(i64::MAX);
    assert!(ann.record.is_empty());
    let id = ann.log_in(i64::MAX - 1);
    assert_eq!(ann.check(&id, i64::MAX - 1), GOOD);
    assert_eq!(ann.check(&id, i64::MAX).0, Status::Expired);
    for at in [at(-1), Moment { now_ms: 0, store_since_ms: -1 }] {
        let asked = ann.sessions.check(&ann.record, id.as_bytes(), &HOME, at, &mut OsEntropy);
        assert_eq!(asked.unwrap_err(), SessionError::InvalidArgument);
        assert_eq!(
            ann.sessions.list(&ann.record, "ann", b"", at).unwrap_err(),
            SessionError::InvalidArgument
        );
    }
}

#[test]
fn the_oldest_goes_and_of_those_as_old_the_first() {
    let mut ann = Ann::new(r#"{"max_per_user":3}"#);
    let ids: Vec<_> = (0..3).map(|_| ann.log_in(NOW)).collect();
    let handles: Vec<_> = ann.list(NOW).into_iter().map(|session| session.handle).collect();
    let fourth = ann.try_log_in(at(NOW));
    let evicted: Vec<_> = fourth.evicted.iter().map(|evicted| evicted.handle.clone()).collect();
    assert_eq!(evicted, handles[..1]);
    ann.record = fourth.record.clone();
    assert_eq!(ann.check(&ids[0], NOW), GONE);
    assert_eq!((ann.check(&ids[1], NOW), ann.check(&text(&fourth), NOW)), (GOOD, GOOD));
    let family = ann.begin_family(NOW + 1);
    assert_eq!(ann.check(&ids[1], NOW + 1), GONE);
    // A new one never makes room for itself, not even by a clock that is behind.
    let late = ann.log_in(NOW - 1);
    assert_eq!(ann.check(&late, NOW), GOOD);
    assert_eq!(ann.list(NOW).iter().filter(|session| session.handle == family.family_text()).count(), 1);
    assert_eq!(ann.list(NOW).len(), 3);
}

#[test]
fn a_limit_that_was_lowered_evicts_as_many_as_are_too_many() {
    let mut ann = Ann::new(r#"{"max_per_user":5}"#);
    (0..5).for_each(|_| drop(ann.log_in(NOW)));
    let lower = Config::read(br#"{"max_per_user":2}"#).unwrap().0;
    ann.sessions.config = lower;
    assert_eq!(ann.try_log_in(at(NOW)).evicted.len(), 4);
}

#[test]
fn only_the_living_count() {
    for config in [r#"{"max_per_user":2}"#, r#"{"max_per_user":2,"at_limit":"refuse"}"#] {
        let mut ann = Ann::new(config);
        ann.log_in(NOW);
        ann.log_in(NOW + 1);
        let next = ann.try_log_in(at(NOW + 8 * HOUR));
        assert_eq!((next.status, next.evicted.len()), (Status::Ok, 0));
        ann.record = next.record;
        assert_eq!(ann.list(NOW + 8 * HOUR).len(), 2);
    }
}

#[test]
fn where_nobody_is_evicted_one_more_is_refused() {
    let mut ann = Ann::new(r#"{"max_per_user":1,"at_limit":"refuse"}"#);
    let id = ann.log_in(NOW);
    let refused = ann.try_log_in(at(NOW));
    assert_eq!(verdict(&refused), (Status::SessionLimit, Reason::None, Write::Nothing));
    assert!(refused.issued.is_none() && refused.record.is_empty() && refused.session.is_none());
    assert_eq!(ann.revoke(Revoke::One(id.as_bytes()), NOW).0.status, Status::Ok);
    ann.log_in(NOW);
}

#[test]
fn what_began_before_the_store_did_is_over() {
    let mut ann = Ann::new("{}");
    let id = ann.log_in(NOW);
    let family = ann.begin_family(NOW).family_text();
    let since = |store_since_ms| Moment { now_ms: NOW + 1, store_since_ms };
    assert_eq!(ann.ask(&id, HOME, since(NOW)).status, Status::Ok);
    let over = ann.ask(&id, HOME, since(NOW + 1));
    assert_eq!(verdict(&over), (Status::InvalidSession, Reason::Store, Write::May));
    assert!(ann.sessions.list(&ann.record, "ann", b"", since(NOW + 1)).unwrap().is_empty());
    // A store that began in what this clock takes for the future: a session is good there from the start.
    let ahead = Moment { now_ms: NOW, store_since_ms: NOW + HOUR };
    let begun = ann.try_log_in(ahead);
    assert_eq!(begun.session.as_ref().unwrap().created_ms, NOW + HOUR);
    ann.record = begun.record.clone();
    assert_eq!(ann.ask(&text(&begun), HOME, ahead).status, Status::Ok);
    let lost = ann.refresh(&family, 0, HOME, since(NOW + 1));
    assert_eq!((lost.status, lost.reason), (Status::StateStale, Reason::Store));
}

#[test]
fn another_network_or_browser_does_what_is_configured() {
    let elsewhere = Client { address: b"198.51.100.7", ..HOME };
    let chrome = Client { user_agent: b"Chrome/140.0", ..HOME };
    let both = Client { address: b"2001:db8::1", user_agent: b"" };
    let updated = Client { address: b"[::ffff:192.0.2.200]:443", user_agent: b"Mozilla/5.0 Firefox/141.0" };
    let (invalid, step_up) = (Status::InvalidSession, Status::StepUpRequired);
    for (address, user_agent, expected) in [
        ("report", "report", [(Status::Ok, Reason::None); 3]),
        (
            "step_up",
            "report",
            [(step_up, Reason::Address), (Status::Ok, Reason::None), (step_up, Reason::Address)],
        ),
        (
            "step_up",
            "step_up",
            [(step_up, Reason::Address), (step_up, Reason::UserAgent), (step_up, Reason::Address)],
        ),
        (
            "step_up",
            "invalidate",
            [(step_up, Reason::Address), (invalid, Reason::UserAgent), (invalid, Reason::UserAgent)],
        ),
        (
            "invalidate",
            "step_up",
            [(invalid, Reason::Address), (step_up, Reason::UserAgent), (invalid, Reason::Address)],
        ),
    ] {
        let mut ann = Ann::new(&alloc::format!(
            r#"{{"address":{{"on_change":"{address}"}},"user_agent":{{"on_change":"{user_agent}"}}}}"#
        ));
        let id = ann.log_in(NOW);
        let rest = ann.log_in(NOW);
        assert_eq!(ann.ask(&id, updated, at(NOW)).changes, Changes::default());
        for (client, expected) in [elsewhere, chrome, both].into_iter().zip(expected) {
            let decision = ann.ask(&id, client, at(NOW + HOUR));
            assert_eq!((decision.status, decision.reason), expected, "{address} {user_agent}");
            let changes = Changes {
                address: client.address != HOME.address,
                user_agent: client.user_agent != HOME.user_agent,
            };
            assert_eq!(decision.changes, changes);
            match decision.status {
                Status::Ok => assert_eq!(decision.write, Write::May),
                Status::StepUpRequired => {
                    assert_eq!(decision.write, Write::Nothing);
                    assert_eq!(decision.session.unwrap().seen_ms, NOW);
                }
                _ => {
                    assert_eq!((decision.write, decision.session), (Write::Must, None));
                    assert_eq!(Ann { record: decision.record, ..Ann::new("{}") }.list(NOW + HOUR).len(), 1);
                }
            }
        }
        assert_eq!(ann.check(&rest, NOW), GOOD);
    }
}

#[test]
fn what_was_not_there_at_the_log_in_is_not_compared_and_what_was_is_missed() {
    let ann = Ann::new(r#"{"address":{"ipv4_prefix":8,"ipv6_prefix":32}}"#);
    let begin = |client| {
        let log_in = LogIn { subject: "ann", client, label: "", data: b"" };
        ann.sessions.create(b"", &log_in, at(NOW), &mut OsEntropy).unwrap()
    };
    let changes = |begun: &Decision, client| {
        let id = text(begun);
        ann.sessions.check(&begun.record, id.as_bytes(), &client, at(NOW), &mut OsEntropy).unwrap().changes
    };
    let all = Changes { address: true, user_agent: true };
    assert_eq!(changes(&begin(NOWHERE), HOME), Changes::default());
    assert_eq!(changes(&begin(HOME), NOWHERE), all);
    let near = Client { address: b"192.255.0.1", ..HOME };
    assert_eq!(changes(&begin(HOME), near), Changes::default());
    let v6 = Client { address: b"2001:db8:1::1", ..NOWHERE };
    let begun = begin(v6);
    assert_eq!(begun.session.as_ref().unwrap().network.unwrap().to_string(), "2001:db8::/32");
    assert_eq!(changes(&begun, Client { address: b"2001:db8:ffff::", ..v6 }), Changes::default());
    assert!(changes(&begun, Client { address: b"2001:db9::", ..v6 }).address);
    let bad = Client { address: b"localhost", ..HOME };
    let log_in = LogIn { subject: "ann", client: bad, label: "", data: b"" };
    let refused = ann.sessions.create(b"", &log_in, at(NOW), &mut OsEntropy).unwrap_err();
    assert_eq!(refused, SessionError::InvalidArgument);
}

#[test]
fn a_new_id_takes_the_place_of_the_old_one() {
    let mut ann = Ann::new("{}");
    let (id, other) = (ann.log_in(NOW), ann.log_in(NOW));
    let abroad = Client { address: b"2001:db8::1", user_agent: b"" };
    for (data, kept) in [(None, &b"data"[..]), (Some(&b"new"[..]), b"new"), (Some(b""), b"")] {
        let rotated = ann
            .sessions
            .rotate(&ann.record, id.as_bytes(), &abroad, data, at(NOW + HOUR), &mut OsEntropy)
            .unwrap();
        assert_eq!(verdict(&rotated), (Status::Ok, Reason::None, Write::Must));
        let next = text(&rotated);
        let session = rotated.session.unwrap();
        assert_eq!((session.created_ms, session.seen_ms), (NOW, NOW + HOUR));
        assert_eq!((session.label.as_str(), session.data.as_slice()), ("laptop", kept));
        let after = Ann { record: rotated.record, ..Ann::new("{}") };
        let ask = |id: &str| {
            ann.sessions.check(&after.record, id.as_bytes(), &abroad, at(NOW + HOUR), &mut OsEntropy).unwrap()
        };
        assert_eq!((verdict(&ask(&id)), verdict(&ask(&next))), (GONE, GOOD));
        assert_eq!(ask(&next).changes, Changes::default());
        assert_eq!(ask(&next).session.unwrap().handle, after.list(NOW + HOUR)[0].handle);
        assert_eq!(ask(&other).status, Status::InvalidSession);
    }
    let data = [0; MAX_DATA_LEN + 1];
    let refused =
        ann.sessions.rotate(&ann.record, id.as_bytes(), &HOME, Some(&data), at(NOW), &mut OsEntropy);
    assert_eq!(refused.unwrap_err(), SessionError::TooLarge);
    let ended = ann
        .sessions
        .rotate(&ann.record, id.as_bytes(), &HOME, None, at(NOW + 8 * HOUR), &mut OsEntropy)
        .unwrap();
    assert_eq!(verdict(&ended), (Status::Expired, Reason::Idle, Write::May));
    assert!(ended.issued.is_none());
}

#[test]
fn a_family_rotates_repeats_within_the_grace_and_dies_of_reuse() {
    let mut ann = Ann::new("{}");
    let session = ann.log_in(NOW);
    let family = ann.begin_family(NOW).family_text();
    let abroad = Client { address: b"2001:db8::1", user_agent: b"okhttp" };
    let moved = Changes { address: true, user_agent: true };
    let rotated = ann.refresh(&family, 0, abroad, at(NOW + HOUR));
    assert_eq!((verdict(&rotated), rotated.changes), ((Status::Ok, Reason::None, Write::Must), moved));
    assert_eq!(rotated.state().unwrap().generation(), 1);
    let view = rotated.session.as_ref().unwrap();
    assert_eq!((view.kind, view.seen_ms, &view.handle), (Kind::Tokens, NOW + HOUR, &family));
    assert_eq!(view.network.unwrap().to_string(), "2001:db8::/48");

    let repeated = ann.refresh(&family, 0, abroad, at(NOW + HOUR + 10_000));
    assert_eq!((verdict(&repeated), repeated.changes), (GOOD, Changes::default()));
    assert_eq!(repeated.state(), rotated.state());
    let ahead = ann.refresh(&family, 2, abroad, at(NOW + HOUR));
    assert_eq!(verdict(&ahead), (Status::StateStale, Reason::Unknown, Write::Nothing));

    let before = ann.record.clone();
    let reused = ann.refresh(&family, 0, HOME, at(NOW + HOUR + 10_001));
    assert_eq!(verdict(&reused), (Status::ReuseDetected, Reason::None, Write::Must));
    assert!(reused.session.is_none() && reused.issued.is_none());
    for generation in 0..2 {
        let revoked = ann.refresh(&family, generation, HOME, at(NOW + HOUR + 10_001));
        assert_eq!(verdict(&revoked), (Status::Revoked, Reason::Unknown, Write::Nothing));
    }
    assert_eq!(ann.check(&session, NOW + HOUR).0, Status::Ok);
    ann.record = before;
    assert_eq!(ann.refresh(&family, 1, HOME, at(NOW + HOUR + 10_001)).status, Status::Ok);
}

#[test]
fn a_family_ends_when_it_is_not_used_and_when_its_time_is_over() {
    let mut ann = Ann::new(r#"{"family_idle_timeout_s":100,"family_lifetime_s":150}"#);
    let family = ann.begin_family(NOW).family_text();
    let idle = ann.sessions.refresh(
        &ann.record,
        &RefreshToken { subject: "ann", family: &family, generation: 0, issued_at_s: NEVER_S },
        &HOME,
        at(NOW + 100_000),
        &mut OsEntropy,
    );
    assert_eq!(verdict(&idle.unwrap()), (Status::Expired, Reason::Idle, Write::May));
    assert_eq!(ann.refresh(&family, 0, HOME, at(NOW + 99_999)).status, Status::Ok);
    let over = ann.refresh(&family, 1, HOME, at(NOW + 150_000));
    assert_eq!(verdict(&over), (Status::Expired, Reason::Absolute, Write::May));
    assert!(ann.record.is_empty());
}

#[test]
fn a_family_that_is_not_there_was_revoked_or_the_store_has_lost_it() {
    let mut ann = Ann::new("{}");
    let family = ann.begin_family(NOW).family_text();
    ann.record.clear();
    let ask = |issued_at_s, store_since_ms, record: &[u8]| {
        let token = RefreshToken { subject: "ann", family: &family, generation: 0, issued_at_s };
        let at = Moment { now_ms: NOW, store_since_ms };
        verdict(&ann.sessions.refresh(record, &token, &HOME, at, &mut OsEntropy).unwrap())
    };
    let revoked = |reason| (Status::Revoked, reason, Write::Nothing);
    let stale = |reason| (Status::StateStale, reason, Write::Nothing);
    assert_eq!(ask(0, 0, b""), revoked(Reason::Unknown));
    assert_eq!(ask(NEVER_S, 0, b""), stale(Reason::Store));
    assert_eq!(ask(NOW / 1000, NOW, b""), stale(Reason::Store));
    assert_eq!(ask(NOW / 1000 + 1, NOW + 999, b""), revoked(Reason::Unknown));
    assert_eq!(ask(0, 0, b"damaged"), revoked(Reason::Foreign));
    assert_eq!(ask(NEVER_S, 0, b"damaged"), stale(Reason::Foreign));
    let mut bob = Ann::new("{}");
    bob.begin_family(NOW);
    let token = RefreshToken { subject: "bob", family: &family, generation: 0, issued_at_s: 0 };
    let decision = bob.sessions.refresh(&bob.record, &token, &HOME, at(NOW), &mut OsEntropy).unwrap();
    assert_eq!(verdict(&decision), revoked(Reason::Foreign));
    let nobody = RefreshToken { subject: "", ..token };
    let refused = bob.sessions.refresh(&bob.record, &nobody, &HOME, at(NOW), &mut OsEntropy).unwrap_err();
    assert_eq!(refused, SessionError::InvalidArgument);
}

#[test]
fn one_goes_or_the_others_or_all() {
    let mut ann = Ann::new("{}");
    let ids = [ann.log_in(NOW), ann.log_in(NOW + 1), ann.log_in(NOW + 2)];
    let family = ann.begin_family(NOW + 3).family_text();
    let handles: Vec<_> = ann.list(NOW).into_iter().map(|session| session.handle).collect();
    let gone = |revoked: &[Session]| revoked.iter().map(|session| session.handle.clone()).collect::<Vec<_>>();

    let (decision, revoked) = ann.revoke(Revoke::One(handles[1].as_bytes()), NOW);
    assert_eq!(
        (verdict(&decision), gone(&revoked)),
        ((Status::Ok, Reason::None, Write::Must), handles[1..2].to_vec())
    );
    assert_eq!((ann.check(&ids[1], NOW), ann.check(&ids[0], NOW)), (GONE, GOOD));
    for unknown in [&handles[1], &ids[1], &String::new(), &"A".repeat(64), &"A".repeat(22), &"?".repeat(22)] {
        for which in [Revoke::One(unknown.as_bytes()), Revoke::Others(unknown.as_bytes())] {
            let (decision, revoked) = ann.revoke(which, NOW);
            assert_eq!((verdict(&decision), revoked.len()), (GONE, 0), "{unknown}");
        }
    }
    let (decision, revoked) = ann.revoke(Revoke::Others(ids[2].as_bytes()), NOW);
    assert_eq!(
        (decision.write, gone(&revoked)),
        (Write::Must, [handles[0].clone(), family.clone()].to_vec())
    );
    assert_eq!((ann.check(&ids[0], NOW), ann.check(&ids[2], NOW)), (GONE, GOOD));
    assert_eq!(ann.refresh(&family, 0, HOME, at(NOW)).status, Status::Revoked);
    let (decision, revoked) = ann.revoke(Revoke::Others(handles[2].as_bytes()), NOW);
    assert_eq!((verdict(&decision), revoked.len()), (GOOD, 0));
    // One that has ended is not there.
    let (decision, _) = ann.revoke(Revoke::One(ids[2].as_bytes()), NOW + 9 * HOUR);
    assert_eq!(verdict(&decision), GONE);
    let (decision, revoked) = ann.revoke(Revoke::All, NOW);
    assert_eq!((decision.write, revoked.len(), decision.record.len()), (Write::Must, 1, 0));
    assert_eq!(verdict(&ann.revoke(Revoke::All, NOW).0), GOOD);
}

#[test]
fn all_is_all_even_what_cannot_be_read() {
    let mut ann = Ann::new("{}");
    ann.record = b"damaged".to_vec();
    assert_eq!(verdict(&ann.revoke(Revoke::One(&[b'A'; 22]), NOW).0), GONE);
    let (decision, revoked) = ann.revoke(Revoke::All, NOW);
    assert_eq!((decision.status, decision.write, revoked.len()), (Status::Ok, Write::Must, 0));
    assert!(ann.record.is_empty());
}

#[test]
fn who_logs_out_need_not_say_who_it_is() {
    for config in ["{}", r#"{"sealed":true}"#] {
        let mut ann = Ann::new(config);
        let id = ann.log_in(NOW);
        let bytes = id.as_bytes();
        let listed = ann.sessions.list(&ann.record, "", bytes, at(NOW)).unwrap();
        assert!(listed.len() == 1 && listed[0].0.subject == "ann" && listed[0].1);
        assert!(ann.sessions.list(&ann.record, "", b"", at(NOW)).unwrap().is_empty());
        let other = Ann::new(config).log_in(NOW);
        assert!(ann.sessions.list(&ann.record, "", other.as_bytes(), at(NOW)).unwrap().is_empty());
        let revoke = |which| ann.sessions.revoke(&ann.record, "", which, at(NOW), &mut OsEntropy).unwrap();
        assert_eq!(verdict(&revoke(Revoke::One(other.as_bytes())).0), GONE);
        assert_eq!(revoke(Revoke::One(bytes)).1[0].subject, "ann");
    }
}

#[test]
fn nobody_has_a_session_and_no_more() {
    for config in ["{}", r#"{"sealed":true}"#] {
        let ann = Ann::new(config);
        let nobody = LogIn { subject: "", client: HOME, label: "", data: b"cart" };
        let begun = ann.sessions.create(b"", &nobody, at(NOW), &mut OsEntropy).unwrap();
        let id = text(&begun);
        let checked =
            ann.sessions.check(&begun.record, id.as_bytes(), &HOME, at(NOW), &mut OsEntropy).unwrap();
        assert_eq!(verdict(&checked), GOOD);
        assert_eq!((checked.session.unwrap().data, begun.evicted.len()), (b"cart".to_vec(), 0));
        assert_ne!(ann.sessions.key(id.as_bytes()), ann.sessions.key(&[b'A'; 64]));
        let revoked =
            ann.sessions.revoke(&begun.record, "", Revoke::One(id.as_bytes()), at(NOW), &mut OsEntropy);
        assert_eq!(revoked.unwrap().1.len(), 1);
        let again = ann.sessions.create(&begun.record, &nobody, at(NOW), &mut OsEntropy).unwrap_err();
        assert_eq!(again, SessionError::InvalidArgument);
        let family = ann.sessions.begin_family(b"", &nobody, at(NOW), &mut OsEntropy).unwrap_err();
        assert_eq!(family, SessionError::InvalidArgument);
        assert_eq!(ann.sessions.keys(""), Err(SessionError::InvalidArgument));
    }
}

#[test]
fn a_record_under_another_users_key_is_as_if_there_were_none() {
    let keyring = keyring();
    let sessions = Sessions::from_json(&keyring, b"{}").unwrap();
    let begin = |subject, stored: &[u8]| {
        let log_in = LogIn { subject, client: HOME, label: "", data: b"" };
        sessions.create(stored, &log_in, at(NOW), &mut OsEntropy).unwrap()
    };
    let ann = begin("ann", b"");
    // Bob's sessions are not ann's, and what is written for him has nothing of hers.
    let bob = begin("bob", &ann.record);
    let listed = |record: &[u8], subject| sessions.list(record, subject, b"", at(NOW)).unwrap().len();
    assert_eq!(
        (listed(&bob.record, "bob"), listed(&bob.record, "ann"), listed(&ann.record, "bob")),
        (1, 0, 0)
    );
    // A store that gives bob's session ann's name.
    let renamed = [&ann.record[..3], b"bob", &ann.record[6..]].concat();
    let check = |record: &[u8], begun: &Decision| {
        let id = text(begun);
        verdict(&sessions.check(record, id.as_bytes(), &HOME, at(NOW), &mut OsEntropy).unwrap())
    };
    assert_eq!(
        (check(&ann.record, &ann), check(&renamed, &ann), check(&ann.record, &bob)),
        (GOOD, FOREIGN, GONE)
    );

    // A tag of before stays good, and where it is the record stays too.
    let later = keyring.rotate(Purpose::Device, None, NOW, 0, &mut OsEntropy).unwrap();
    let sessions = Sessions::from_json(&later, b"{}").unwrap();
    let keys = sessions.keys("ann").unwrap();
    let key = sessions.key(text(&ann).as_bytes()).unwrap();
    assert!(keys[0] != key && keys.contains(&key));
    let rotated =
        sessions.rotate(&ann.record, text(&ann).as_bytes(), &HOME, None, at(NOW), &mut OsEntropy).unwrap();
    assert_eq!(sessions.key(text(&rotated).as_bytes()).unwrap(), key);
    let checked = sessions.check(&rotated.record, text(&rotated).as_bytes(), &HOME, at(NOW), &mut OsEntropy);
    assert_eq!(verdict(&checked.unwrap()), GOOD);
}

#[test]
fn a_damaged_record_is_as_if_there_were_none() {
    for config in ["{}", r#"{"sealed":true}"#] {
        let mut ann = Ann::new(config);
        let id = ann.log_in(NOW);
        ann.begin_family(NOW);
        let (whole, count) = (ann.record.clone(), 2);
        let is_absent = |ann: &Ann| {
            let asked = ann.check(&id, NOW);
            let log_in = ann.try_log_in(at(NOW));
            let left = ann.sessions.list(&log_in.record, "ann", b"", at(NOW)).unwrap();
            asked == FOREIGN && left.len() == 1
        };
        for len in 1..whole.len() {
            ann.record = whole[..len].to_vec();
            assert!(is_absent(&ann), "{config} {len}");
        }
        ann.record = [&whole[..], b"\0"].concat();
        assert!(is_absent(&ann));
        for at in 0..whole.len() {
            for bit in 0..8 {
                ann.record.clone_from(&whole);
                ann.record[at] ^= 1 << bit;
                // Where a record is not sealed, another is a record too; but never one that is longer.
                let listed = ann.list(NOW).len();
                assert!(listed <= count && (config == "{}" || listed == 0), "{config} {at} {bit}");
                assert!(config == "{}" || ann.check(&id, NOW) == FOREIGN, "{config} {at} {bit}");
            }
        }
        ann.record = whole;
        assert_eq!((ann.list(NOW).len(), ann.check(&id, NOW)), (count, GOOD));
    }
}

/// A record of these entries, each `(created, seen, credential)` of one kind.
fn record(kind: u8, entries: &[(i64, i64, [u8; 32])]) -> Vec<u8> {
    let mut out = [&[1, 0, 3][..], b"ann", &[u8::try_from(entries.len()).unwrap()]].concat();
    for (created, seen, credential) in entries {
        out.push(kind);
        out.extend(credential);
        out.extend(created.to_be_bytes());
        out.extend(seen.to_be_bytes());
        out.extend([0; 12]);
    }
    out
}

#[test]
fn no_record_is_read_that_is_not_written() {
    let ann = Ann::new("{}");
    let listed = |record: &[u8]| ann.sessions.list(record, "ann", b"", at(NOW)).unwrap().len();
    let hash = |first| core::array::from_fn(|at| if at == 0 { first } else { 7 });
    let good = record(1, &[(NOW, NOW, hash(1)), (NOW, NOW + 1, hash(2))]);
    assert_eq!(listed(&good), 2);
    let many: Vec<_> = (0..65).map(|first| (NOW, NOW, hash(first))).collect();
    assert_eq!(listed(&record(1, &many[..64])), 64);
    let state = |revoked| {
        let state = RefreshState::begin(NOW, &mut FixedEntropy::new(&[7; 16])).unwrap();
        if revoked { state.revoked().to_bytes() } else { state.to_bytes() }
    };
    assert_eq!(listed(&record(2, &[(NOW, NOW, state(false))])), 1);
    let mut twins = hash(1);
    twins[31] = 0;
    for (why, damaged) in [
        ("none", record(1, &[])),
        ("too many", record(1, &many)),
        ("out of order", record(1, &[(NOW, NOW, hash(1)), (NOW - 1, NOW, hash(2))])),
        ("twice", record(1, &[(NOW, NOW, hash(1)), (NOW, NOW, hash(1))])),
        ("of one handle", record(1, &[(NOW, NOW, hash(1)), (NOW, NOW, twins)])),
        ("one family twice", record(2, &[(NOW, NOW, state(false)), (NOW, NOW, state(true))])),
        ("seen before it began", record(1, &[(NOW, NOW - 1, hash(1))])),
        ("begun before time began", record(1, &[(-1, NOW, hash(1))])),
        ("an unknown kind", record(3, &[(NOW, NOW, hash(1))])),
        ("no state", record(2, &[(NOW, NOW, hash(2))])),
    ] {
        assert_eq!(listed(&damaged), 0, "{why}");
    }
    // Lengths over their bounds, and labels that are not clean: the last entry ends in a label's and data's lengths.
    let with = |label: &[u8], data: &[u8]| {
        let data_len = u16::try_from(data.len()).unwrap().to_be_bytes();
        let start = &good[..good.len() - 3];
        listed(&[start, &[u8::try_from(label.len()).unwrap()], label, &data_len, data].concat())
    };
    assert_eq!((with(&[b'a'; 64], &[0; 512]), with(&[b'a'; 65], b""), with(b"", &[0; 513])), (2, 0, 0));
    assert_eq!((with(b"\n", b""), with(b"\xff", b""), with("\u{202e}".as_bytes(), b"")), (0, 0, 0));
    let subject = |len: u16| {
        let subject = "a".repeat(len.into());
        let record = [&[1][..], &len.to_be_bytes(), subject.as_bytes(), &good[6..]].concat();
        ann.sessions.list(&record, &subject, b"", at(NOW)).map(|listed| listed.len())
    };
    assert_eq!((subject(1024), subject(1025)), (Ok(2), Err(SessionError::TooLarge)));
}

#[test]
fn a_sealed_record_opens_under_its_key_alone() {
    let mut ann = Ann::new(r#"{"sealed":true}"#);
    let id = ann.log_in(NOW);
    assert!(ann.record.starts_with(&[2]) && !ann.record.windows(6).any(|window| window == b"laptop"));
    assert_eq!(ann.check(&id, NOW), GOOD);
    let tagged = SessionId::draw(&[9; 16], &mut OsEntropy).unwrap().text();
    assert_eq!(ann.check(&tagged, NOW), FOREIGN);
    // One that is not sealed is not taken where they are to be, nor the other way round.
    let mut plain = Ann::new("{}");
    let open = plain.log_in(NOW);
    core::mem::swap(&mut plain.record, &mut ann.record);
    assert_eq!((ann.check(&open, NOW), plain.check(&id, NOW)), (FOREIGN, FOREIGN));
}

#[test]
fn the_longest_has_the_room_that_is_said() {
    for config in [r#"{"max_per_user":64}"#, r#"{"max_per_user":64,"sealed":true}"#] {
        let sessions = Sessions::from_json(&keyring(), config.as_bytes()).unwrap();
        let subject = "\u{1}".repeat(MAX_SUBJECT_LEN);
        let client = Client { address: b"1234:1234:1234:1234:1234:1234:1234:1234", user_agent: b"x" };
        let label = "\"".repeat(MAX_LABEL_LEN);
        let log_in = LogIn { subject: &subject, client, label: &label, data: &[0; MAX_DATA_LEN] };
        let (mut record, latest) = (Vec::new(), at(i64::MAX / 2));
        for _ in 0..64 {
            let log_in = sessions.create(&record, &log_in, latest, &mut OsEntropy).unwrap();
            assert!(log_in.evicted.is_empty());
            record = log_in.record;
        }
        assert_eq!(record.len(), sessions.record_bound(), "{config}");
        let mut fewer = sessions;
        fewer.config.max_per_user = 1;
        let last = fewer.create(&record, &log_in, latest, &mut OsEntropy).unwrap();
        assert_eq!(last.evicted.len(), 64);
        let json = last.session_json(true).len();
        assert!((fewer.session_bound() - 500..=fewer.session_bound()).contains(&json), "{json}");
        let over = LogIn { subject: &(subject.clone() + "a"), ..log_in };
        assert_eq!(fewer.create(b"", &over, latest, &mut OsEntropy).unwrap_err(), SessionError::TooLarge);
        let over = LogIn { data: &[0; MAX_DATA_LEN + 1], ..log_in };
        assert_eq!(fewer.create(b"", &over, latest, &mut OsEntropy).unwrap_err(), SessionError::TooLarge);
    }
}

#[test]
fn a_session_is_told_as_json() {
    let mut ann = Ann::new("{}");
    let begun = ann.try_log_in(at(NOW));
    let session = begun.session.as_ref().unwrap();
    let expected = alloc::format!(
        r#"{{"handle":"{}","subject":"ann","kind":"cookie","label":"laptop","data":"ZGF0YQ","created_ms":{NOW},"seen_ms":{NOW},"expires_ms":{},"network":"192.0.2.0/24","evicted":[]}}"#,
        session.handle,
        NOW + 8 * HOUR
    );
    assert_eq!(begun.session_json(true), expected);
    ann.record.clone_from(&begun.record);
    assert!(ann.ask(&text(&begun), NOWHERE, at(NOW)).session_json(false).is_empty());
    let shown = alloc::format!("{begun:?}");
    assert!(!shown.contains(&text(&begun)) && !shown.contains("ZGF0YQ"), "{shown}");
}

#[test]
fn what_sessions_need_is_there_from_the_start() {
    for (missing, reason) in
        [(Purpose::Device, "no primary `device` secret"), (Purpose::Csrf, "no primary `csrf` secret")]
    {
        let others = [Purpose::Device, Purpose::Csrf].into_iter().filter(|purpose| *purpose != missing);
        let others: Vec<_> = others.map(|purpose| (purpose, Algorithm::Hs256)).collect();
        let keyring = Keyring::generate(&others, 0, &mut OsEntropy).unwrap();
        let expected = SessionError::config("", reason);
        assert_eq!(Sessions::from_json(&keyring, b"{}").unwrap_err(), expected);
    }
    let both = [Purpose::Device, Purpose::Csrf].map(|purpose| (purpose, Algorithm::Hs256));
    let keyring = Keyring::generate(&both, 0, &mut OsEntropy).unwrap();
    assert!(Sessions::from_json(&keyring, b"").is_ok());
    let refused = Sessions::from_json(&keyring, br#"{"sealed":true}"#).unwrap_err();
    assert!(matches!(refused, SessionError::Config { path, .. } if path == "sealed"));
}

#[test]
fn without_entropy_nothing_begins() {
    let ann = Ann::new("{}");
    let log_in = LogIn { subject: "ann", client: HOME, label: "", data: b"" };
    for len in 0..32 {
        let short = ann.sessions.create(b"", &log_in, at(NOW), &mut FixedEntropy::new(&[7; 32][..len]));
        assert!(matches!(short.unwrap_err(), SessionError::Entropy(_)));
    }
}
