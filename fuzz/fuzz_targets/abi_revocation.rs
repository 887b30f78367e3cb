//! The C ABI of revocation, of a store's marker and of offline sets as a careless or hostile host calls it.
#![no_main]

use std::cell::Cell;

use donjon::ffi::*;
use donjon_fuzz::abi::{Host, Input, checked, diagnosed, handle, record};
use libfuzzer_sys::fuzz_target;

const MOST_CALLS: usize = 40;
const WORDS: [&str; 12] = [
    "",
    r#"{"skew_s":300,"longest_ttl_s":60}"#,
    r#"{"skew_s":301}"#,
    "ann",
    "id-1",
    "AAECAwQFBgcICQoLDA0ODw",
    "hmac",
    "\0\0\0\0",
    "\0\0\0\0\0\0\0\0",
    "\0\0\0\u{13}\u{1}\u{1}\u{7f}\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0x",
    "\u{1}\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\u{7f}",
    "\0\0\0\u{13}\u{1}\u{4}\u{7f}\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0k",
];
const MASTER: &str = "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU";
/// Whose records, and who signs them.
const EPOCHS: [&str; 2] = [
    r#"{"keys":[{"purpose":"device","epoch":1}]}"#,
    r#"{"keys":[{"purpose":"token","alg":"HS256","epoch":1}]}"#,
];

fuzz_target!(|script: &[u8]| {
    run(&mut Host::new(script, &WORDS));
});

fn run(host: &mut Host<'_>) {
    let keyrings = EPOCHS.map(|epochs| {
        let made = handle(|out| unsafe {
            donjon_keyring_from_master(MASTER.as_ptr(), MASTER.len(), epochs.as_ptr(), epochs.len(), out)
        });
        made.unwrap()
    });
    let mut rules = Vec::from_iter(handle(|out| unsafe {
        donjon_revocations_new(keyrings[0], std::ptr::null(), 0, out)
    }));
    let mut sets = Vec::new();
    for _ in 0..MOST_CALLS {
        if host.script.0.is_empty() {
            break;
        }
        let (one, keyring, set) = (host.pick(&rules), host.pick(&keyrings), host.pick(&sets));
        match host.script.byte() % 8 {
            0 => {
                let Input { ptr, len, .. } = &host.input();
                let made = handle(|out| unsafe { donjon_revocations_new(keyring, *ptr, *len, out) });
                rules.extend(diagnosed(made, &|out, cap, out_len| unsafe {
                    donjon_revocations_diagnose(keyring, *ptr, *len, out, cap, out_len)
                }));
            }
            1 => ask(host, one),
            2 => write(host, one),
            3 => mark(host),
            4 => sign(host, keyring),
            5 => {
                let (bytes, last, now_s) = (host.input(), host.script.number(), host.script.number());
                sets.extend(handle(|out| unsafe {
                    donjon_revocation_set_open(bytes.ptr, bytes.len, keyring, last as u64, now_s, out)
                }));
            }
            6 => check(host, set),
            _ if rules.len() > 1 => unsafe { donjon_revocations_free(rules.swap_remove(0)) },
            _ if sets.len() > 1 => unsafe { donjon_revocation_set_free(sets.swap_remove(0)) },
            _ => host.output(&|out, cap, len| unsafe { donjon_revocation_set_info(set, out, cap, len) }),
        }
    }
    rules.into_iter().for_each(|rules| unsafe { donjon_revocations_free(rules) });
    sets.into_iter().for_each(|set| unsafe { donjon_revocation_set_free(set) });
    keyrings.into_iter().for_each(|keyring| unsafe { donjon_keyring_free(keyring) });
}

fn ask(host: &mut Host<'_>, rules: *const donjon_revocations) {
    let [subject, token_id, family, key_id, values] = [(); 5].map(|()| host.input());
    let (iat, since_ms) = (host.script.number(), host.script.number());
    match host.script.byte() % 3 {
        0 => host.output(&|out, cap, len| unsafe {
            donjon_revocations_keys(
                rules,
                subject.ptr,
                subject.len,
                token_id.ptr,
                token_id.len,
                family.ptr,
                family.len,
                key_id.ptr,
                key_id.len,
                out,
                cap,
                len,
            )
        }),
        1 => {
            checked(unsafe {
                donjon_revocations_check(
                    rules,
                    subject.ptr,
                    subject.len,
                    token_id.ptr,
                    token_id.len,
                    family.ptr,
                    family.len,
                    key_id.ptr,
                    key_id.len,
                    iat,
                    values.ptr,
                    values.len,
                    since_ms,
                )
            });
        }
        _ => {
            let _ = record(|since_s: *mut i64| unsafe {
                donjon_revocations_issue_since(
                    rules,
                    subject.ptr,
                    subject.len,
                    values.ptr,
                    values.len,
                    since_ms,
                    since_s,
                )
            });
        }
    }
}

/// How long to keep it is written with the record, or not at all.
fn write(host: &mut Host<'_>, rules: *const donjon_revocations) {
    let [subject, id, stored] = [(); 3].map(|()| host.input());
    let kind = u32::from(host.script.byte() % 6);
    let [until_s, now_ms, since_ms] = [(); 3].map(|()| host.script.number());
    if host.script.byte() % 4 == 0 {
        return host.output(&|out, cap, len| unsafe {
            donjon_revocations_key(rules, kind, subject.ptr, subject.len, id.ptr, id.len, out, cap, len)
        });
    }
    let kept = Cell::new(None);
    host.output(&|out, cap, len| {
        let mut status = 0;
        let keep_ms = record(|keep_ms: *mut i64| {
            status = unsafe {
                donjon_revocations_revoke(
                    rules,
                    kind,
                    subject.ptr,
                    subject.len,
                    id.ptr,
                    id.len,
                    stored.ptr,
                    stored.len,
                    until_s,
                    now_ms,
                    since_ms,
                    keep_ms,
                    out,
                    cap,
                    len,
                )
            };
            status
        });
        kept.set(keep_ms.ok());
        status
    });
    assert!(kept.get().is_none_or(|keep_ms| keep_ms > 0));
}

fn mark(host: &mut Host<'_>) {
    let (stored, seen) = (host.input(), host.input());
    let (silence_ms, now_ms) = (host.script.number(), host.script.number());
    let mut marker = [0xA5; DONJON_MARKER_LEN + 8];
    let verdict = record(|verdict: *mut donjon_marker_verdict| unsafe {
        donjon_store_marker(
            stored.ptr,
            stored.len,
            seen.ptr,
            seen.len,
            silence_ms,
            now_ms,
            marker.as_mut_ptr(),
            verdict,
        )
    });
    let (marker, behind) = marker.split_at(DONJON_MARKER_LEN);
    assert!(behind == [0xA5; 8] && (verdict.is_ok() || marker == [0xA5; DONJON_MARKER_LEN]));
    if let Ok(verdict) = verdict {
        assert!(
            (verdict.reason == 0) == (verdict.write != 1) && verdict.keep_ms > 0 && verdict.since_ms >= 0
        );
        host.last = marker.to_vec();
    }
}

fn sign(host: &mut Host<'_>, keyring: *const donjon_keyring) {
    let records = host.input();
    let [sequence, since_ms, skew_s, issued_at_s, ttl_s] = [(); 5].map(|()| host.script.number());
    host.output(&|out, cap, len| unsafe {
        donjon_revocation_set_sign(
            keyring,
            sequence as u64,
            since_ms,
            skew_s,
            issued_at_s,
            issued_at_s.saturating_add(ttl_s),
            records.ptr,
            records.len,
            out,
            cap,
            len,
        )
    });
    assert!(records.len <= 1 << 31 || donjon_revocation_set_bound(records.len) == 0);
}

fn check(host: &mut Host<'_>, set: *const donjon_revocation_set) {
    let [subject, token_id, family, key_id] = [(); 4].map(|()| host.input());
    let (iat, now_s) = (host.script.number(), host.script.number());
    let mut is_probable = 0xA5;
    let status = checked(unsafe {
        donjon_revocation_set_check(
            set,
            subject.ptr,
            subject.len,
            token_id.ptr,
            token_id.len,
            family.ptr,
            family.len,
            key_id.ptr,
            key_id.len,
            iat,
            now_s,
            &mut is_probable,
        )
    });
    assert!(is_probable == 0xA5 || (is_probable <= 1 && [DONJON_OK, DONJON_REVOKED].contains(&status)));
}
