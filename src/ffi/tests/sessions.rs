use core::mem::{offset_of, size_of, zeroed};
use core::ptr::{null, null_mut};
use std::string::String;
use std::vec;
use std::vec::Vec;

use super::super::*;
use super::in_just_the_room;
use crate::session::{Reason, Write};

const NOW: i64 = 1_800_000_000_000;

/// Text or bytes, as a caller gives them.
#[derive(Clone, Copy)]
struct Bytes(*const u8, usize);

impl Bytes {
    const NONE: Self = Self(null(), 0);

    fn of(bytes: &(impl AsRef<[u8]> + ?Sized)) -> Self {
        Self(bytes.as_ref().as_ptr(), bytes.as_ref().len())
    }
}

fn keyring() -> *mut donjon_keyring {
    let spec = r#"{"device":"HS256","csrf":"HS256"}"#;
    let mut keyring = null_mut();
    // SAFETY: pointers and lengths of live values.
    assert_eq!(unsafe { donjon_keyring_generate(spec.as_ptr(), spec.len(), 0, &raw mut keyring) }, DONJON_OK);
    keyring
}

fn sessions() -> *mut donjon_sessions {
    let (keyring, mut sessions) = (keyring(), null_mut());
    // SAFETY: pointers and lengths of live values; the keyring is freed once.
    unsafe {
        assert_eq!(donjon_sessions_new(keyring, null(), 0, &raw mut sessions), DONJON_OK);
        donjon_keyring_free(keyring);
    }
    sessions
}

/// The places that a decision goes to.
struct Places {
    issued: [u8; DONJON_SESSION_ID_LEN],
    verdict: donjon_session_verdict,
    next: Vec<u8>,
    next_len: usize,
    session: Vec<u8>,
    session_len: usize,
}

impl Places {
    fn new(sessions: *const donjon_sessions) -> Self {
        // SAFETY: a live handle; a verdict is integers.
        let (next, session, verdict) = unsafe {
            (donjon_sessions_record_bound(sessions), donjon_sessions_session_bound(sessions), zeroed())
        };
        let (next, session) = (vec![0; next], vec![0; session]);
        Self { issued: [0; DONJON_SESSION_ID_LEN], verdict, next, next_len: 0, session, session_len: 0 }
    }

    fn next(&self) -> Vec<u8> {
        self.next[..self.next_len].to_vec()
    }

    fn session(&self) -> String {
        String::from_utf8(self.session[..self.session_len].to_vec()).unwrap()
    }

    fn is_untouched(&self) -> bool {
        let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
        is_zero(&self.issued) && is_zero(&self.next) && is_zero(&self.session) && self.verdict.keep_ms == 0
    }
}

/// Everything that a function here is given; which of it, the function knows.
#[derive(Clone, Copy)]
struct Call {
    sessions: *const donjon_sessions,
    record: Bytes,
    id: Bytes,
    subject: Bytes,
    family: Bytes,
    generation: i64,
    address: Bytes,
    user_agent: Bytes,
    label: Bytes,
    data: Bytes,
    which: u32,
    now_ms: i64,
    store_since_ms: i64,
    issued: *mut u8,
    verdict: *mut donjon_session_verdict,
    next: (*mut u8, usize, *mut usize),
    session: (*mut u8, usize, *mut usize),
}

type Function = fn(&Call) -> i32;

const FUNCTIONS: [Function; 6] =
    [Call::create, Call::begin_family, Call::check, Call::rotate, Call::refresh, Call::revoke];

impl Call {
    fn new(sessions: *const donjon_sessions, places: &mut Places) -> Self {
        Self {
            sessions,
            record: Bytes::NONE,
            id: Bytes::of("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            subject: Bytes::of("ann"),
            family: Bytes::of("AAAAAAAAAAAAAAAAAAAAAA"),
            generation: 0,
            address: Bytes::of("192.0.2.7"),
            user_agent: Bytes::of("Mozilla/5.0"),
            label: Bytes::NONE,
            data: Bytes::of("data"),
            which: DONJON_SESSIONS_ALL,
            now_ms: NOW,
            store_since_ms: 0,
            issued: places.issued.as_mut_ptr(),
            verdict: &raw mut places.verdict,
            next: (places.next.as_mut_ptr(), places.next.len(), &raw mut places.next_len),
            session: (places.session.as_mut_ptr(), places.session.len(), &raw mut places.session_len),
        }
    }

    fn log_in(&self, is_family: bool) -> i32 {
        let log_in = if is_family { donjon_sessions_begin_family } else { donjon_sessions_create };
        // SAFETY: pointers and lengths of live values, or what the contract says is refused.
        unsafe {
            log_in(
                self.sessions,
                self.record.0,
                self.record.1,
                self.subject.0,
                self.subject.1,
                self.address.0,
                self.address.1,
                self.user_agent.0,
                self.user_agent.1,
                self.label.0,
                self.label.1,
                self.data.0,
                self.data.1,
                self.now_ms,
                self.store_since_ms,
                self.issued,
                self.verdict,
                self.next.0,
                self.next.1,
                self.next.2,
                self.session.0,
                self.session.1,
                self.session.2,
            )
        }
    }

    fn create(&self) -> i32 {
        self.log_in(false)
    }

    fn begin_family(&self) -> i32 {
        self.log_in(true)
    }

    fn check(&self) -> i32 {
        // SAFETY: as above.
        unsafe {
            donjon_sessions_check(
                self.sessions,
                self.record.0,
                self.record.1,
                self.id.0,
                self.id.1,
                self.address.0,
                self.address.1,
                self.user_agent.0,
                self.user_agent.1,
                self.now_ms,
                self.store_since_ms,
                self.verdict,
                self.next.0,
                self.next.1,
                self.next.2,
                self.session.0,
                self.session.1,
                self.session.2,
            )
        }
    }

    fn rotate(&self) -> i32 {
        // SAFETY: as above.
        unsafe {
            donjon_sessions_rotate(
                self.sessions,
                self.record.0,
                self.record.1,
                self.id.0,
                self.id.1,
                self.address.0,
                self.address.1,
                self.user_agent.0,
                self.user_agent.1,
                self.data.0,
                self.data.1,
                self.now_ms,
                self.store_since_ms,
                self.issued,
                self.verdict,
                self.next.0,
                self.next.1,
                self.next.2,
                self.session.0,
                self.session.1,
                self.session.2,
            )
        }
    }

    fn refresh(&self) -> i32 {
        // SAFETY: as above.
        unsafe {
            donjon_sessions_refresh(
                self.sessions,
                self.record.0,
                self.record.1,
                self.subject.0,
                self.subject.1,
                self.family.0,
                self.family.1,
                self.generation,
                self.now_ms / 1000,
                self.address.0,
                self.address.1,
                self.user_agent.0,
                self.user_agent.1,
                self.now_ms,
                self.store_since_ms,
                self.issued,
                self.verdict,
                self.next.0,
                self.next.1,
                self.next.2,
                self.session.0,
                self.session.1,
                self.session.2,
            )
        }
    }

    fn revoke(&self) -> i32 {
        // SAFETY: as above.
        unsafe {
            donjon_sessions_revoke(
                self.sessions,
                self.record.0,
                self.record.1,
                self.subject.0,
                self.subject.1,
                self.which,
                self.id.0,
                self.id.1,
                self.now_ms,
                self.store_since_ms,
                self.verdict,
                self.next.0,
                self.next.1,
                self.next.2,
                self.session.0,
                self.session.1,
                self.session.2,
            )
        }
    }

    fn list(&self, out: (*mut u8, usize, *mut usize)) -> i32 {
        // SAFETY: as above.
        unsafe {
            donjon_sessions_list(
                self.sessions,
                self.record.0,
                self.record.1,
                self.subject.0,
                self.subject.1,
                self.id.0,
                self.id.1,
                self.now_ms,
                self.store_since_ms,
                out.0,
                out.1,
                out.2,
            )
        }
    }
}

#[test]
fn a_verdict_keeps_its_layout_and_its_numbers() {
    assert_eq!(
        (
            size_of::<donjon_session_verdict>(),
            offset_of!(donjon_session_verdict, reason),
            offset_of!(donjon_session_verdict, keep_ms)
        ),
        (16, 4, 8)
    );
    for (number, reason) in [
        (DONJON_SESSION_REASON_NONE, Reason::None),
        (DONJON_SESSION_REASON_UNKNOWN, Reason::Unknown),
        (DONJON_SESSION_REASON_MALFORMED, Reason::Malformed),
        (DONJON_SESSION_REASON_IDLE, Reason::Idle),
        (DONJON_SESSION_REASON_ABSOLUTE, Reason::Absolute),
        (DONJON_SESSION_REASON_ADDRESS, Reason::Address),
        (DONJON_SESSION_REASON_USER_AGENT, Reason::UserAgent),
        (DONJON_SESSION_REASON_STORE, Reason::Store),
        (DONJON_SESSION_REASON_FOREIGN, Reason::Foreign),
    ] {
        assert_eq!(number, reason as u8);
    }
    for (number, write) in [
        (DONJON_SESSION_WRITE_NOTHING, Write::Nothing),
        (DONJON_SESSION_WRITE_MUST, Write::Must),
        (DONJON_SESSION_WRITE_MAY, Write::May),
    ] {
        assert_eq!(number, write as u8);
    }
    assert_eq!(DONJON_SESSION_ID_LEN, crate::session::SESSION_ID_LEN);
}

#[test]
fn a_session_lives_through_the_abi() {
    let sessions = sessions();
    let mut places = Places::new(sessions);
    let mut call = Call::new(sessions, &mut places);
    assert_eq!(call.create(), DONJON_OK);
    let (id, record) = (places.issued, places.next());
    assert_eq!((places.verdict.status, places.verdict.write), (DONJON_OK, DONJON_SESSION_WRITE_MUST));
    assert!(places.session().ends_with(r#""network":"192.0.2.0/24","evicted":[]}"#), "{}", places.session());

    // SAFETY: pointers and lengths of live values.
    let (keys, key) = unsafe {
        (
            in_just_the_room(&|out, cap, len| {
                donjon_sessions_keys(sessions, b"ann".as_ptr(), 3, out, cap, len)
            }),
            in_just_the_room(&|out, cap, len| {
                donjon_sessions_key(sessions, id.as_ptr(), id.len(), out, cap, len)
            }),
        )
    };
    let (keys, key) = (String::from_utf8(keys).unwrap(), String::from_utf8(key).unwrap());
    assert!(keys.starts_with(&std::format!("[\"{key}\",")) && key.ends_with("}:sessions"), "{keys} {key}");

    (call.record, call.id) = (Bytes::of(&record), Bytes::of(&id));
    call.address = Bytes::of("2001:db8::1");
    call.user_agent = Bytes::NONE;
    assert_eq!(call.check(), DONJON_OK);
    let verdict = places.verdict;
    assert_eq!((verdict.status, verdict.reason), (DONJON_INVALID_SESSION, DONJON_SESSION_REASON_ADDRESS));
    assert_eq!(verdict.changes, DONJON_SESSION_CHANGED_ADDRESS | DONJON_SESSION_CHANGED_USER_AGENT);
    assert_eq!((verdict.write, places.next_len, places.session_len), (DONJON_SESSION_WRITE_MUST, 0, 0));

    call.data = Bytes::NONE;
    assert_eq!((call.rotate(), places.verdict.status), (DONJON_OK, DONJON_OK));
    assert!(places.issued != id && places.session().contains(r#""data":"ZGF0YQ""#), "{}", places.session());
    let (id, record) = (places.issued, places.next());
    (call.record, call.id) = (Bytes::of(&record), Bytes::of(&id));
    let listed = in_just_the_room(&|out, cap, len| call.list((out, cap, len)));
    assert!(listed.ends_with(br#""current":true}]"#));
    for which in [0, 4, u32::MAX] {
        assert_eq!(Call { which, ..call }.revoke(), DONJON_INVALID_ARGUMENT);
    }
    assert_eq!(Call { which: DONJON_SESSIONS_ONE, ..call }.revoke(), DONJON_OK);
    assert_eq!((places.verdict.status, places.verdict.keep_ms, places.next_len), (DONJON_OK, 0, 0));
    assert!(places.session().starts_with(r#"[{"handle":""#) && places.session().ends_with("/48\"}]"));
    // SAFETY: the handle is freed once.
    unsafe {
        donjon_sessions_free(sessions);
        donjon_sessions_free(null_mut());
        assert_eq!((donjon_sessions_record_bound(null()), donjon_sessions_session_bound(null())), (0, 0));
    }
}

#[test]
fn a_family_lives_through_the_abi() {
    let sessions = sessions();
    let mut places = Places::new(sessions);
    let mut call = Call::new(sessions, &mut places);
    assert_eq!((call.begin_family(), places.verdict.status), (DONJON_OK, DONJON_OK));
    let record = places.next();
    let family = crate::base64url::encode(&places.issued[16..32]);
    (call.record, call.family) = (Bytes::of(&record), Bytes::of(&family));
    assert_eq!((call.refresh(), places.verdict.status), (DONJON_OK, DONJON_OK));
    // The generation of the state that is to be minted, and nothing behind the state.
    assert_eq!((places.issued[7], places.issued[32..].iter().max()), (1, Some(&0)));
    let rotated = places.next();
    call.record = Bytes::of(&rotated);
    call.now_ms += 10_001;
    assert_eq!((call.refresh(), places.verdict.status), (DONJON_OK, DONJON_REUSE_DETECTED));
    assert_eq!((places.verdict.write, places.next_len), (DONJON_SESSION_WRITE_MUST, 0));
    for generation in [-1, 1 << 32, DONJON_NEVER] {
        assert_eq!(Call { generation, ..call }.refresh(), DONJON_INVALID_ARGUMENT);
    }
    for function in [Call::refresh, Call::begin_family] {
        assert_eq!(function(&Call { subject: Bytes::NONE, ..call }), DONJON_INVALID_ARGUMENT);
    }
    // SAFETY: the handle is freed once.
    unsafe { donjon_sessions_free(sessions) };
}

#[test]
fn without_room_for_the_longest_nothing_is_decided() {
    let sessions = sessions();
    let mut places = Places::new(sessions);
    let call = Call::new(sessions, &mut places);
    let (bound, session_bound) = (places.next.len(), places.session.len());
    for function in FUNCTIONS {
        let short = Call { next: (call.next.0, bound - 1, call.next.2), ..call };
        assert_eq!((function(&short), places.next_len), (DONJON_BUFFER_TOO_SMALL, bound));
        let none = Call { next: (null_mut(), 0, call.next.2), ..call };
        assert_eq!((function(&none), places.next_len), (DONJON_BUFFER_TOO_SMALL, bound));
        assert!(places.is_untouched());
    }
    for function in &FUNCTIONS[..5] {
        let short = Call { session: (call.session.0, session_bound - 1, call.session.2), ..call };
        assert_eq!((function(&short), places.session_len), (DONJON_BUFFER_TOO_SMALL, session_bound));
        assert!(places.is_untouched());
    }
    // What was revoked is as long as it is.
    assert_eq!(call.create(), DONJON_OK);
    let record = places.next();
    let revoke = Call { record: Bytes::of(&record), ..call };
    assert_eq!(revoke.revoke(), DONJON_OK);
    let gone = places.session();
    places.next.fill(7);
    let short = Call { session: (call.session.0, gone.len() - 1, call.session.2), ..revoke };
    assert_eq!((short.revoke(), places.session_len), (DONJON_BUFFER_TOO_SMALL, gone.len()));
    assert!(places.next.iter().all(|byte| *byte == 7));
    // SAFETY: the handle is freed once.
    unsafe { donjon_sessions_free(sessions) };
}

#[test]
fn a_hostile_caller_is_refused() {
    let sessions = sessions();
    let mut places = Places::new(sessions);
    let call = Call::new(sessions, &mut places);
    let misaligned = |verdict: *mut donjon_session_verdict| verdict.wrapping_byte_add(1);
    let (null_bytes, endless) = (Bytes(null(), 1), Bytes(b"a".as_ptr(), usize::MAX));
    let everybody = [
        Call { sessions: null(), ..call },
        Call { verdict: null_mut(), ..call },
        Call { verdict: misaligned(call.verdict), ..call },
        Call { record: null_bytes, ..call },
        Call { record: endless, ..call },
        Call { next: (null_mut(), 1, call.next.2), ..call },
        Call { next: (call.next.0, call.next.1, null_mut()), ..call },
        Call { session: (null_mut(), usize::MAX, call.session.2), ..call },
        Call { session: (call.session.0, call.session.1, null_mut()), ..call },
        Call { now_ms: -1, ..call },
        Call { now_ms: DONJON_NEVER, ..call },
        Call { store_since_ms: -1, ..call },
    ];
    for (number, bad) in everybody.iter().enumerate() {
        for (function, call) in FUNCTIONS.iter().enumerate() {
            assert_eq!(call(bad), DONJON_INVALID_ARGUMENT, "{function} {number}");
        }
    }
    let client = [
        Call { address: null_bytes, ..call },
        Call { address: Bytes::of("localhost"), ..call },
        Call { user_agent: endless, ..call },
    ];
    for bad in client {
        assert!(FUNCTIONS[..5].iter().all(|function| function(&bad) == DONJON_INVALID_ARGUMENT));
    }
    let issued = Call { issued: null_mut(), ..call };
    for function in [Call::create, Call::begin_family, Call::rotate, Call::refresh] {
        assert_eq!(function(&issued), DONJON_INVALID_ARGUMENT);
    }
    let texts = [null_bytes, endless, Bytes::of(b"\xff")];
    for subject in texts {
        let bad = Call { subject, ..call };
        for function in [Call::create, Call::begin_family, Call::refresh, Call::revoke] {
            assert_eq!(function(&bad), DONJON_INVALID_ARGUMENT);
        }
        assert_eq!(bad.list(call.session), DONJON_INVALID_ARGUMENT);
        let bad = Call { label: subject, data: subject, ..call };
        assert_eq!(bad.create(), DONJON_INVALID_ARGUMENT);
        assert_eq!(Call { family: subject, ..call }.refresh(), DONJON_INVALID_ARGUMENT);
    }
    for id in [null_bytes, endless] {
        let bad = Call { id, data: id, ..call };
        for function in [Call::check, Call::rotate, Call::revoke] {
            assert_eq!(function(&bad), DONJON_INVALID_ARGUMENT);
        }
        assert_eq!(bad.list(call.session), DONJON_INVALID_ARGUMENT);
    }
    let long = [b'a'; 1025];
    for function in [Call::create, Call::begin_family, Call::refresh, Call::revoke] {
        assert_eq!(function(&Call { subject: Bytes::of(&long), ..call }), DONJON_TOO_LARGE);
    }
    for function in [Call::create, Call::begin_family, Call::rotate] {
        assert_eq!(function(&Call { data: Bytes::of(&long[..513]), ..call }), DONJON_TOO_LARGE);
    }
    assert!(places.is_untouched());

    let (mut len, keyring) = (0, keyring());
    // SAFETY: pointers and lengths of live values, or what the contract says is refused; handles are freed once.
    unsafe {
        let none = null_mut();
        assert_eq!(donjon_sessions_keys(sessions, null(), 0, none, 0, &raw mut len), DONJON_INVALID_ARGUMENT);
        assert_eq!(donjon_sessions_key(sessions, null(), 0, none, 0, &raw mut len), DONJON_INVALID_SESSION);
        assert_eq!(donjon_sessions_key(null(), null(), 0, none, 0, &raw mut len), DONJON_INVALID_ARGUMENT);
        assert_eq!(donjon_sessions_new(keyring, null(), 0, null_mut()), DONJON_INVALID_ARGUMENT);
        let mut other = null_mut();
        assert_eq!(donjon_sessions_new(null(), null(), 0, &raw mut other), DONJON_INVALID_ARGUMENT);
        let config = br#"{"cookie":{"same_site":"no"}}"#;
        let refused = donjon_sessions_new(keyring, config.as_ptr(), config.len(), &raw mut other);
        assert_eq!((refused, other), (DONJON_CONFIG_ERROR, null_mut()));
        let diagnosis = in_just_the_room(&|out, cap, len| {
            donjon_sessions_diagnose(keyring, config.as_ptr(), config.len(), out, cap, len)
        });
        assert!(diagnosis.starts_with(br#"{"error":"config_error","path":"cookie.same_site","message":"#));
        let fine =
            in_just_the_room(&|out, cap, len| donjon_sessions_diagnose(keyring, null(), 0, out, cap, len));
        assert_eq!(fine, b"null");
        donjon_sessions_free(sessions);
        donjon_keyring_free(keyring);
    }
}
