//! The C ABI of sessions as a careless or hostile host calls it.
#![no_main]

use std::cell::RefCell;

use donjon::ffi::*;
use donjon_fuzz::abi::{Host, Input, Script, checked, diagnosed, handle, output, record};
use libfuzzer_sys::fuzz_target;

const MOST_CALLS: usize = 40;
const WORDS: [&str; 20] = [
    "",
    r#"{"max_per_user":1,"sealed":true}"#,
    r#"{"max_per_user":2,"at_limit":"refuse","user_agent":{"on_change":"step_up"}}"#,
    r#"{"cookie":{"name":"__Secure-s","domain":"example.com"},"trusted_origins":["https://app.example"]}"#,
    r#"{"cookie":{"name":"session"}}"#,
    "ann",
    "192.0.2.7",
    "2001:db8::1",
    "Mozilla/5.0",
    "a \u{202e}label",
    "POST",
    "cross-site",
    "https://app.example",
    "app.example",
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v",
    "__Host-session=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v; a=b",
    "AAECAwQFBgcICQoLDA0ODw",
    "\u{1}\0\u{3}ann\u{1}",
    "unknown",
    "same-origin",
];
const MASTER: &str = "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU";
const EPOCHS: &str = r#"{"keys":[{"purpose":"device","epoch":1},{"purpose":"csrf","epoch":1},{"purpose":"envelope","epoch":1}]}"#;
const CANARY: u8 = 0xA5;

fuzz_target!(|script: &[u8]| {
    run(&mut Host::new(script, &WORDS));
});

/// What the host keeps of its calls.
#[derive(Default)]
struct Kept {
    record: Vec<u8>,
    id: Vec<u8>,
}

fn run(host: &mut Host<'_>) {
    let keyring = handle(|out| unsafe {
        donjon_keyring_from_master(MASTER.as_ptr(), MASTER.len(), EPOCHS.as_ptr(), EPOCHS.len(), out)
    });
    let keyring = keyring.unwrap();
    let mut all =
        Vec::from_iter(handle(|out| unsafe { donjon_sessions_new(keyring, std::ptr::null(), 0, out) }));
    let mut kept = Kept::default();
    for _ in 0..MOST_CALLS {
        if host.script.0.is_empty() {
            break;
        }
        let sessions = host.pick(&all);
        match host.script.byte() % 8 {
            0 => {
                let Input { ptr, len, .. } = &host.input();
                let keyring = if host.script.byte() == 0 { std::ptr::null() } else { keyring };
                let made = handle(|out| unsafe { donjon_sessions_new(keyring, *ptr, *len, out) });
                all.extend(diagnosed(made, &|out, cap, out_len| unsafe {
                    donjon_sessions_diagnose(keyring, *ptr, *len, out, cap, out_len)
                }));
            }
            1 => name(host, sessions, &kept),
            2 | 3 => begin(host, sessions, &mut kept),
            4 | 5 => go_on(host, sessions, &mut kept),
            6 => end(host, sessions, &mut kept),
            _ if all.len() > 1 => unsafe { donjon_sessions_free(all.swap_remove(0)) },
            _ => request(host, sessions, &kept),
        }
    }
    all.into_iter().for_each(|sessions| unsafe { donjon_sessions_free(sessions) });
    unsafe { donjon_keyring_free(keyring) };
}

/// One of what was kept, or anything.
fn input(host: &mut Host<'_>, kept: &[u8]) -> Input {
    Input::draw(&mut host.script, &WORDS, kept)
}

type Call<'a> =
    &'a dyn Fn(*mut donjon_session_verdict, *mut u8, usize, *mut usize, *mut u8, usize, *mut usize) -> i32;

/// Lets `call` decide. One of its outputs is as the script says, the other has room for everything.
fn decided(
    host: &mut Host<'_>,
    sessions: *const donjon_sessions,
    kept: &mut Kept,
    call: Call<'_>,
) -> Option<i32> {
    let verdict = std::cell::Cell::new(None);
    let roomy = RefCell::new(Vec::new());
    let (record_bound, session_bound) =
        unsafe { (donjon_sessions_record_bound(sessions), donjon_sessions_session_bound(sessions)) };
    let is_record = host.script.byte() % 2 == 0;
    let bound = if is_record { session_bound } else { record_bound };
    let written = output(&mut host.script, &|out, cap, len| {
        let (mut room, mut room_len) = (vec![CANARY; bound + 32], usize::MAX);
        let mut status = 0;
        let made = record(|verdict| {
            let (at, at_len) = (room.as_mut_ptr(), &raw mut room_len);
            status = if is_record {
                call(verdict, out, cap, len, at, bound, at_len)
            } else {
                call(verdict, at, bound, at_len, out, cap, len)
            };
            status
        });
        assert!(status == 0 || (room_len == usize::MAX && room.iter().all(|byte| *byte == CANARY)));
        assert!(room[bound..].iter().all(|byte| *byte == CANARY));
        if status == 0 {
            room.truncate(room_len);
            *roomy.borrow_mut() = room;
        }
        verdict.set(made.ok());
        status
    })?;
    let verdict: donjon_session_verdict = verdict.get()?;
    checked(verdict.status);
    let roomy = roomy.take();
    let (record, session) = if is_record { (written, roomy) } else { (roomy, written) };
    assert!(record.len() <= record_bound && session.len() <= session_bound && verdict.reserved == 0);
    assert!(verdict.write != 0 || (record.is_empty() && verdict.keep_ms == 0));
    if !session.is_empty() {
        serde_json::from_slice::<serde_json::Value>(&session).unwrap();
    }
    if verdict.write != 0 {
        kept.record = record;
    }
    host.last = session;
    Some(verdict.status)
}

fn name(host: &mut Host<'_>, sessions: *const donjon_sessions, kept: &Kept) {
    let (subject, id, token) = (host.input(), input(host, &kept.id), host.input());
    match host.script.byte() % 6 {
        0 => host.output(&|out, cap, len| unsafe {
            donjon_sessions_keys(sessions, subject.ptr, subject.len, out, cap, len)
        }),
        1 => host
            .output(&|out, cap, len| unsafe { donjon_sessions_key(sessions, id.ptr, id.len, out, cap, len) }),
        2 => host.output(&|out, cap, len| unsafe {
            donjon_sessions_cookie(sessions, id.ptr, id.len, out, cap, len)
        }),
        3 => host.output(&|out, cap, len| unsafe {
            donjon_sessions_csrf_token(sessions, id.ptr, id.len, out, cap, len)
        }),
        4 => host.output(&|out, cap, len| unsafe {
            donjon_sessions_csrf_cookie(sessions, token.ptr, token.len, out, cap, len)
        }),
        _ => host.output(&|out, cap, len| unsafe {
            donjon_sessions_read_cookie(sessions, token.ptr, token.len, out, cap, len)
        }),
    }
}

fn begin(host: &mut Host<'_>, sessions: *const donjon_sessions, kept: &mut Kept) {
    let stored = input(host, &kept.record);
    let [subject, address, agent, label, data] = [(); 5].map(|()| host.input());
    let (now_ms, since_ms) = (host.script.number(), host.script.number());
    let is_family = host.script.byte() % 2 == 0;
    let given = RefCell::new([CANARY; 96]);
    let status = decided(host, sessions, kept, &|verdict, next, next_cap, next_len, out, cap, len| {
        let begin = if is_family { donjon_sessions_begin_family } else { donjon_sessions_create };
        unsafe {
            begin(
                sessions,
                stored.ptr,
                stored.len,
                subject.ptr,
                subject.len,
                address.ptr,
                address.len,
                agent.ptr,
                agent.len,
                label.ptr,
                label.len,
                data.ptr,
                data.len,
                now_ms,
                since_ms,
                given.borrow_mut().as_mut_ptr(),
                verdict,
                next,
                next_cap,
                next_len,
                out,
                cap,
                len,
            )
        }
    });
    keep(
        kept,
        status,
        &given.into_inner(),
        if is_family { DONJON_REFRESH_STATE_LEN } else { DONJON_SESSION_ID_LEN },
    );
}

fn go_on(host: &mut Host<'_>, sessions: *const donjon_sessions, kept: &mut Kept) {
    let (stored, id) = (input(host, &kept.record), input(host, &kept.id));
    let [subject, address, agent, data] = [(); 4].map(|()| host.input());
    let (now_ms, since_ms) = (host.script.number(), host.script.number());
    let (which, generation, iat) = (host.script.byte() % 3, host.script.number(), host.script.number());
    let given = RefCell::new([CANARY; 96]);
    let status = decided(host, sessions, kept, &|verdict, next, next_cap, next_len, out, cap, len| {
        let given = given.borrow_mut().as_mut_ptr();
        unsafe {
            match which {
                0 => donjon_sessions_check(
                    sessions,
                    stored.ptr,
                    stored.len,
                    id.ptr,
                    id.len,
                    address.ptr,
                    address.len,
                    agent.ptr,
                    agent.len,
                    now_ms,
                    since_ms,
                    verdict,
                    next,
                    next_cap,
                    next_len,
                    out,
                    cap,
                    len,
                ),
                1 => donjon_sessions_rotate(
                    sessions,
                    stored.ptr,
                    stored.len,
                    id.ptr,
                    id.len,
                    address.ptr,
                    address.len,
                    agent.ptr,
                    agent.len,
                    data.ptr,
                    data.len,
                    now_ms,
                    since_ms,
                    given,
                    verdict,
                    next,
                    next_cap,
                    next_len,
                    out,
                    cap,
                    len,
                ),
                _ => donjon_sessions_refresh(
                    sessions,
                    stored.ptr,
                    stored.len,
                    subject.ptr,
                    subject.len,
                    id.ptr,
                    id.len,
                    generation,
                    iat,
                    address.ptr,
                    address.len,
                    agent.ptr,
                    agent.len,
                    now_ms,
                    since_ms,
                    given,
                    verdict,
                    next,
                    next_cap,
                    next_len,
                    out,
                    cap,
                    len,
                ),
            }
        }
    });
    keep(
        kept,
        status,
        &given.into_inner(),
        [0, DONJON_SESSION_ID_LEN, DONJON_REFRESH_STATE_LEN][usize::from(which)],
    );
}

/// An id, or the family that a state is of, where one was given out; nothing else was touched.
fn keep(kept: &mut Kept, status: Option<i32>, given: &[u8; 96], len: usize) {
    assert!(given[len..].iter().all(|byte| *byte == CANARY));
    if status != Some(DONJON_OK) {
        assert!(status.is_none() || given.iter().all(|byte| *byte == CANARY));
        return;
    }
    match len {
        DONJON_SESSION_ID_LEN => kept.id = given[..len].to_vec(),
        DONJON_REFRESH_STATE_LEN => kept.id = donjon::base64url::encode(&given[16..32]).into_bytes(),
        _ => {}
    }
}

fn end(host: &mut Host<'_>, sessions: *const donjon_sessions, kept: &mut Kept) {
    let (stored, id, subject) = (input(host, &kept.record), input(host, &kept.id), host.input());
    let (now_ms, since_ms) = (host.script.number(), host.script.number());
    let which = u32::from(host.script.byte() % 5);
    if host.script.byte() % 2 == 0 {
        return host.output(&|out, cap, len| unsafe {
            donjon_sessions_list(
                sessions,
                stored.ptr,
                stored.len,
                subject.ptr,
                subject.len,
                id.ptr,
                id.len,
                now_ms,
                since_ms,
                out,
                cap,
                len,
            )
        });
    }
    let (next_cap, verdict) = (unsafe { donjon_sessions_record_bound(sessions) }, std::cell::Cell::new(None));
    let next = RefCell::new((vec![CANARY; next_cap], 0));
    host.output(&|out, cap, len| {
        let (mut next, mut status) = (next.borrow_mut(), 0);
        let (at, at_len) = (next.0.as_mut_ptr(), &raw mut next.1);
        let made = record(|verdict| {
            status = unsafe {
                donjon_sessions_revoke(
                    sessions,
                    stored.ptr,
                    stored.len,
                    subject.ptr,
                    subject.len,
                    which,
                    id.ptr,
                    id.len,
                    now_ms,
                    since_ms,
                    verdict,
                    at,
                    next_cap,
                    at_len,
                    out,
                    cap,
                    len,
                )
            };
            status
        });
        verdict.set(made.ok());
        status
    });
    let verdict: Option<donjon_session_verdict> = verdict.get();
    if verdict.is_some_and(|verdict| verdict.write != 0) {
        let (next, len) = next.into_inner();
        kept.record = next[..len].to_vec();
    }
}

fn request(host: &mut Host<'_>, sessions: *const donjon_sessions, kept: &Kept) {
    let id = input(host, &kept.id);
    let [method, site, origin, target, token] = [(); 5].map(|()| host.input());
    checked(unsafe {
        donjon_sessions_check_request(
            sessions, id.ptr, id.len, method.ptr, method.len, site.ptr, site.len, origin.ptr, origin.len,
            target.ptr, target.len, token.ptr, token.len,
        )
    });
    let mut script = Script(&[255]);
    let cleared = output(&mut script, &|out, cap, len| unsafe {
        donjon_sessions_cookie(sessions, std::ptr::null(), 0, out, cap, len)
    });
    assert!(cleared.is_none_or(|cookie| cookie.len() <= DONJON_SET_COOKIE_MAX));
}
