//! Random sequences of everything that can happen to a user's sign-ins, held against a model that is a list and
//! one `if` after the other: what each is answered, and who is signed in afterwards.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]
#![allow(missing_docs)]

use donjon::keyring::Keyring;
use donjon::runtime::OsEntropy;
use donjon::session::{Client, Decision, LogIn, Moment, RefreshToken, Revoke, Sessions, Write};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseError;

const NOW: i64 = 1_700_000_000_000;
const MASTER: &str = "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU";
const KEYS: &str = r#"{"keys":[{"purpose":"device","epoch":1},{"purpose":"csrf","epoch":1},{"purpose":"envelope","epoch":1}]}"#;
/// Two of one network, one of another, one of the other protocol, and none.
const ADDRESSES: [&[u8]; 5] = [b"192.0.2.7", b"192.0.2.99", b"203.0.113.9", b"2001:db8::7", b""];
const NETWORKS: [u8; 5] = [1, 1, 2, 3, 0];
/// One, its update, another, and none.
const BROWSERS: [&[u8]; 4] = [b"Firefox/128.0", b"Firefox/129.0", b"Chrome/126.0", b""];
const MAKERS: [u8; 4] = [1, 1, 2, 0];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnChange {
    Report,
    StepUp,
    Invalidate,
}

impl OnChange {
    const ALL: [Self; 3] = [Self::Report, Self::StepUp, Self::Invalidate];

    const fn name(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::StepUp => "step_up",
            Self::Invalidate => "invalidate",
        }
    }
}

/// What is configured. Times are in milliseconds.
#[derive(Debug, Clone)]
struct Rules {
    idle: i64,
    absolute: i64,
    touch: i64,
    family_idle: i64,
    family_lifetime: i64,
    grace: i64,
    most: usize,
    refuses: bool,
    on_address: OnChange,
    on_browser: OnChange,
    sealed: bool,
}

impl Rules {
    fn json(&self) -> String {
        format!(
            r#"{{"idle_timeout_s":{},"absolute_timeout_s":{},"touch_interval_s":{},"family_idle_timeout_s":{},
            "family_lifetime_s":{},"refresh_grace_ms":{},"max_per_user":{},"at_limit":"{}","sealed":{},
            "address":{{"on_change":"{}"}},"user_agent":{{"on_change":"{}"}}}}"#,
            self.idle / 1000,
            self.absolute / 1000,
            self.touch / 1000,
            self.family_idle / 1000,
            self.family_lifetime / 1000,
            self.grace,
            self.most,
            if self.refuses { "refuse" } else { "evict_oldest" },
            self.sealed,
            self.on_address.name(),
            self.on_browser.name(),
        )
    }
}

fn rules(sealed: bool) -> impl Strategy<Value = Rules> {
    let times = (2_i64..=30, 0_i64..=40, 1_i64..=15, 1_i64..=30, 0_i64..=40, 0_i64..=12_000);
    let change = || select(&OnChange::ALL[..]);
    (times, 1_usize..=5, any::<bool>(), change(), change()).prop_map(
        move |(times, most, refuses, address, browser)| {
            let (idle, more, touch, family_idle, family_more, grace) = times;
            Rules {
                idle: idle * 1000,
                absolute: (idle + more) * 1000,
                touch: touch.min(idle / 2) * 1000,
                family_idle: family_idle * 1000,
                family_lifetime: (family_idle + family_more) * 1000,
                grace,
                most,
                refuses,
                on_address: address,
                on_browser: browser,
                sealed,
            }
        },
    )
}

/// From where and with what a request comes: places in `ADDRESSES` and `BROWSERS`.
type Place = (usize, usize);

#[derive(Debug, Clone)]
enum Act {
    LogIn(Place),
    Begin(Place),
    /// An id that was given out some time, and whether the touch is lost.
    Check(Index, Place, bool),
    Rotate(Index, Place),
    /// A family, and how many generations ago its token is from.
    Refresh(Index, u32, Place),
    RevokeOne(Index),
    RevokeOthers(Index),
    RevokeAll,
    /// The store is known to be whole since so long before now.
    Forget(i64),
}

/// What happens, and how long after the last.
#[derive(Debug, Clone)]
struct Step {
    gap: i64,
    act: Act,
}

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let place =
        || (0..ADDRESSES.len(), 0..BROWSERS.len()).prop_map(|(a, b)| if a + b > 4 { (0, 0) } else { (a, b) });
    let which = any::<Index>;
    let act = prop_oneof![
        5 => place().prop_map(Act::LogIn),
        3 => place().prop_map(Act::Begin),
        9 => (which(), place(), any::<bool>()).prop_map(|(which, place, lost)| Act::Check(which, place, lost)),
        2 => (which(), place()).prop_map(|(which, place)| Act::Rotate(which, place)),
        6 => (which(), prop_oneof![5 => Just(0_u32), 3 => Just(1), 1 => Just(2)], place())
            .prop_map(|(which, back, place)| Act::Refresh(which, back, place)),
        2 => which().prop_map(Act::RevokeOne),
        1 => which().prop_map(Act::RevokeOthers),
        1 => Just(Act::RevokeAll),
        1 => (0_i64..=40_000).prop_map(Act::Forget),
    ];
    // Whole seconds among them, so that what ends then is asked for in that very millisecond.
    let gap = prop_oneof![
        4 => Just(0_i64), 3 => 0_i64..=3_000, 5 => (0_i64..=20).prop_map(|s| s * 1_000),
        2 => 0_i64..=20_000, 1 => -9_000_i64..=0,
    ];
    prop::collection::vec((gap, act).prop_map(|(gap, act)| Step { gap, act }), 1..most)
}

/// A sign-in as the model has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SignIn {
    /// The session's id, or the family.
    name: String,
    /// Of a family: the generation that lives, and since when.
    generation: Option<(u32, i64)>,
    created: i64,
    seen: i64,
    network: u8,
    maker: u8,
}

impl SignIn {
    fn new(name: String, generation: Option<(u32, i64)>, at: i64, place: Place) -> Self {
        Self { name, generation, created: at, seen: at, network: NETWORKS[place.0], maker: MAKERS[place.1] }
    }

    /// Whether it is somewhere else now, and somebody else's; what was not known is not compared.
    const fn changes(&self, place: Place) -> (bool, bool) {
        let is_moved = self.network != 0 && self.network != NETWORKS[place.0];
        let is_other = self.maker != 0 && self.maker != MAKERS[place.1];
        (is_moved, is_other)
    }

    fn moves(&mut self, place: Place, now: i64) {
        self.seen = self.seen.max(now);
        (self.network, self.maker) = (NETWORKS[place.0], MAKERS[place.1]);
    }
}

struct World {
    rules: Rules,
    sessions: Sessions,
    stored: Vec<u8>,
    now: i64,
    since: i64,
    live: Vec<SignIn>,
    /// Every id that was given out.
    ids: Vec<String>,
    /// Every family, and the last generation of it that went out.
    families: Vec<(String, u32)>,
}

/// What a step comes to: a status, and whether anything has to be written.
type Outcome = (&'static str, bool);

impl World {
    fn new(rules: Rules) -> Self {
        let keyring = Keyring::from_master(MASTER, KEYS).unwrap();
        let sessions = Sessions::from_json(&keyring, rules.json().as_bytes()).unwrap();
        let (stored, live) = (Vec::new(), Vec::new());
        Self { rules, sessions, stored, now: NOW, since: 0, live, ids: Vec::new(), families: Vec::new() }
    }

    const fn at(&self) -> Moment {
        Moment { now_ms: self.now, store_since_ms: self.since }
    }

    const fn is_over(&self, sign_in: &SignIn) -> bool {
        let (idle, absolute) = match sign_in.generation {
            None => (self.rules.idle, self.rules.absolute),
            Some(_) => (self.rules.family_idle, self.rules.family_lifetime),
        };
        sign_in.created < self.since
            || self.now >= sign_in.seen + idle
            || self.now >= sign_in.created + absolute
    }

    /// Why one that is over is: the status.
    const fn end_of(&self, sign_in: &SignIn) -> &'static str {
        match (sign_in.created < self.since, sign_in.generation) {
            (true, None) => "invalid_session",
            (true, Some(_)) => "state_stale",
            (false, _) => "expired",
        }
    }

    /// What a host does with a decision. A touch may get lost.
    fn store(&mut self, decision: Decision, is_lost: bool) -> Outcome {
        let status = decision.status.name();
        if decision.write == Write::Must || (decision.write == Write::May && !is_lost) {
            self.stored = decision.record;
            // Whatever is written lets go of what is over.
            let over: Vec<SignIn> =
                self.live.iter().filter(|sign_in| self.is_over(sign_in)).cloned().collect();
            self.live.retain(|sign_in| !over.contains(sign_in));
        }
        (status, decision.write == Write::Must)
    }

    fn act(&mut self, act: &Act) -> Result<(), TestCaseError> {
        match act {
            Act::LogIn(place) => self.log_in(*place, false),
            Act::Begin(place) => self.log_in(*place, true),
            Act::Check(which, place, is_lost) => self.check(which, *place, *is_lost),
            Act::Rotate(which, place) => self.rotate(which, *place),
            Act::Refresh(which, back, place) => self.refresh(which, *back, *place),
            Act::RevokeOne(which) => self.revoke(which, false),
            Act::RevokeOthers(which) => self.revoke(which, true),
            Act::RevokeAll => {
                let (decision, revoked) = self
                    .sessions
                    .revoke(&self.stored, "ann", Revoke::All, self.at(), &mut OsEntropy)
                    .unwrap();
                let live = self.live.iter().filter(|sign_in| !self.is_over(sign_in)).count();
                prop_assert_eq!(revoked.len(), live);
                self.live.clear();
                let was_empty = self.stored.is_empty();
                prop_assert_eq!(self.store(decision, false), ("ok", !was_empty));
                Ok(())
            }
            Act::Forget(ago) => {
                self.since = self.since.max(self.now - ago);
                Ok(())
            }
        }?;
        self.is_as_listed()
    }

    /// The list is the model's, in its order.
    fn is_as_listed(&self) -> Result<(), TestCaseError> {
        let listed = self.sessions.list(&self.stored, "ann", b"", self.at()).unwrap();
        let listed: Vec<_> =
            listed.iter().map(|(session, _)| (session.created_ms, session.seen_ms)).collect();
        let live = self.live.iter().filter(|sign_in| !self.is_over(sign_in));
        let live: Vec<_> = live.map(|sign_in| (sign_in.created, sign_in.seen)).collect();
        prop_assert!(live.len() <= self.rules.most);
        prop_assert_eq!(listed, live);
        Ok(())
    }

    fn log_in(&mut self, place: Place, is_family: bool) -> Result<(), TestCaseError> {
        let log_in = LogIn { subject: "ann", client: client(place), label: "", data: b"" };
        let (sessions, at) = (&self.sessions, self.at());
        let decision = if is_family {
            sessions.begin_family(&self.stored, &log_in, at, &mut OsEntropy)
        } else {
            sessions.create(&self.stored, &log_in, at, &mut OsEntropy)
        }
        .unwrap();
        let mut live: Vec<SignIn> =
            self.live.iter().filter(|sign_in| !self.is_over(sign_in)).cloned().collect();
        if live.len() >= self.rules.most && self.rules.refuses {
            prop_assert_eq!(self.store(decision, false), ("session_limit", false));
            return Ok(());
        }
        let mut evicted = Vec::new();
        while live.len() >= self.rules.most {
            evicted.push(live.remove(0).generation.is_some());
        }
        let told: Vec<bool> = decision.evicted.iter().map(|gone| gone.kind.name() == "tokens").collect();
        prop_assert_eq!(told, evicted);
        let created = self.now.max(self.since);
        let sign_in = if is_family {
            let family = decision.state().unwrap().family_text();
            self.families.push((family.clone(), 0));
            SignIn::new(family, Some((0, self.now)), created, place)
        } else {
            let id = decision.id().unwrap().text().to_string();
            self.ids.push(id.clone());
            SignIn::new(id, None, created, place)
        };
        let behind = live.iter().filter(|other| other.created <= created).count();
        live.insert(behind, sign_in);
        self.live = live;
        prop_assert_eq!(self.store(decision, false), ("ok", true));
        Ok(())
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.live.iter().position(|sign_in| sign_in.name == name)
    }

    fn check(&mut self, which: &Index, place: Place, is_lost: bool) -> Result<(), TestCaseError> {
        if self.ids.is_empty() {
            return Ok(());
        }
        let id = which.get(&self.ids).clone();
        let decision = self
            .sessions
            .check(&self.stored, id.as_bytes(), &client(place), self.at(), &mut OsEntropy)
            .unwrap();
        let Some(found) = self.find(&id) else {
            prop_assert_eq!(self.store(decision, is_lost), ("invalid_session", false));
            return Ok(());
        };
        let sign_in = &self.live[found];
        if self.is_over(sign_in) {
            let end = self.end_of(sign_in);
            prop_assert_eq!(self.store(decision, is_lost), (end, false));
            return Ok(());
        }
        let (is_moved, is_other) = sign_in.changes(place);
        prop_assert_eq!((decision.changes.address, decision.changes.user_agent), (is_moved, is_other));
        let does = |change| {
            (is_moved && self.rules.on_address == change) || (is_other && self.rules.on_browser == change)
        };
        let expected = if does(OnChange::Invalidate) {
            self.live.remove(found);
            ("invalid_session", true)
        } else if does(OnChange::StepUp) {
            ("step_up_required", false)
        } else {
            if self.now - sign_in.seen >= self.rules.touch && !is_lost {
                self.live[found].seen = self.now;
            }
            ("ok", false)
        };
        prop_assert_eq!(self.store(decision, is_lost), expected);
        Ok(())
    }

    fn rotate(&mut self, which: &Index, place: Place) -> Result<(), TestCaseError> {
        if self.ids.is_empty() {
            return Ok(());
        }
        let id = which.get(&self.ids).clone();
        let decision = self
            .sessions
            .rotate(&self.stored, id.as_bytes(), &client(place), Some(b"more"), self.at(), &mut OsEntropy)
            .unwrap();
        let expected = match self.find(&id) {
            None => ("invalid_session", false),
            Some(found) if self.is_over(&self.live[found]) => (self.end_of(&self.live[found]), false),
            Some(found) => {
                let new = decision.id().unwrap().text().to_string();
                self.live[found].name.clone_from(&new);
                self.live[found].moves(place, self.now);
                self.ids.push(new);
                ("ok", true)
            }
        };
        prop_assert_eq!(self.store(decision, false), expected);
        Ok(())
    }

    fn refresh(&mut self, which: &Index, back: u32, place: Place) -> Result<(), TestCaseError> {
        if self.families.is_empty() {
            return Ok(());
        }
        let at = which.index(self.families.len());
        let (family, last) = self.families[at].clone();
        let generation = last.saturating_sub(back);
        let token = RefreshToken { subject: "ann", family: &family, generation, issued_at_s: i64::MAX };
        let decision =
            self.sessions.refresh(&self.stored, &token, &client(place), self.at(), &mut OsEntropy).unwrap();
        let Some(found) = self.find(&family) else {
            prop_assert_eq!(self.store(decision, false), ("revoked", false));
            return Ok(());
        };
        let sign_in = &self.live[found];
        let (current, rotated) = sign_in.generation.unwrap();
        if !self.is_over(sign_in) {
            let told = (decision.changes.address, decision.changes.user_agent);
            prop_assert_eq!(told, sign_in.changes(place));
        }
        let expected = if self.is_over(sign_in) {
            (self.end_of(sign_in), false)
        } else if generation == current {
            prop_assert_eq!(decision.state().unwrap().generation(), current + 1);
            self.live[found].generation = Some((current + 1, self.now));
            self.live[found].moves(place, self.now);
            self.families[at].1 = current + 1;
            ("ok", true)
        } else if generation + 1 == current && self.now <= rotated + self.rules.grace {
            prop_assert_eq!(decision.state().unwrap().generation(), current);
            ("ok", false)
        } else {
            self.live.remove(found);
            ("reuse_detected", true)
        };
        prop_assert_eq!(self.store(decision, false), expected);
        Ok(())
    }

    fn revoke(&mut self, which: &Index, others: bool) -> Result<(), TestCaseError> {
        let families = self.families.iter().map(|(family, _)| family.clone());
        let names: Vec<String> = self.ids.iter().cloned().chain(families).collect();
        if names.is_empty() {
            return Ok(());
        }
        let name = which.get(&names);
        let revoke = if others { Revoke::Others(name.as_bytes()) } else { Revoke::One(name.as_bytes()) };
        let (decision, revoked) =
            self.sessions.revoke(&self.stored, "ann", revoke, self.at(), &mut OsEntropy).unwrap();
        let live: Vec<SignIn> = self.live.iter().filter(|sign_in| !self.is_over(sign_in)).cloned().collect();
        let expected = if live.iter().all(|sign_in| sign_in.name != *name) {
            prop_assert!(revoked.is_empty());
            ("invalid_session", false)
        } else {
            let (named, rest): (Vec<_>, Vec<_>) = live.into_iter().partition(|sign_in| sign_in.name == *name);
            let (goes, stays) = if others { (rest, named) } else { (named, rest) };
            prop_assert_eq!(revoked.len(), goes.len());
            if !goes.is_empty() {
                self.live = stays;
            }
            ("ok", !goes.is_empty())
        };
        prop_assert_eq!(self.store(decision, false), expected);
        Ok(())
    }
}

const fn client(place: Place) -> Client<'static> {
    Client { address: ADDRESSES[place.0], user_agent: BROWSERS[place.1] }
}

fn walk(rules: Rules, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut world = World::new(rules);
    for step in steps {
        world.now += step.gap;
        world.act(&step.act)?;
    }
    Ok(())
}

/// A share of the cases that are asked for, where each takes long.
fn a_share(of: u32) -> ProptestConfig {
    let all = ProptestConfig::default();
    ProptestConfig { cases: all.cases.div_ceil(of), ..all }
}

proptest! {
    #[test]
    fn whatever_happens_is_as_the_model_has_it(rules in rules(false), steps in steps(80)) {
        walk(rules, &steps)?;
    }
}

proptest! {
    #![proptest_config(a_share(8))]

    #[test]
    fn sealed_it_is_the_same(rules in rules(true), steps in steps(40)) {
        walk(rules, &steps)?;
    }
}
