//! The C ABI of limits, their tables and lock-out as a careless or hostile host calls it.
#![no_main]

use donjon::ffi::*;
use donjon_fuzz::abi::{Host, Input, Script, checked, diagnosed, handle, output, record};
use libfuzzer_sys::fuzz_target;

const MOST_CALLS: usize = 48;
const WORDS: [&str; 16] = [
    r#"{"limits":"10/second; 100/hour"}"#,
    r#"{"limits":"3 per 7 seconds","algorithm":"token_bucket","burst":5}"#,
    r#"{"limits":"5/minute","algorithm":"sliding_log"}"#,
    r#"{"limits":"5/minute","algorithm":"sliding_window"}"#,
    r#"{"limits":"5/minute","algorithm":"fixed_window"}"#,
    r#"{"lockout":{"attempts":2,"growth":2}}"#,
    r#"{"profile":"session-cluster/session_create"}"#,
    r#"{"limits":"5/fortnight"}"#,
    r#"{"capacity":2}"#,
    r#"{"capacity":3,"when_full":"allow"}"#,
    r#"{"capacity":0}"#,
    "ann@example.com",
    "192.0.2.7",
    "",
    "rate_limited",
    r#"{"keys":[{"purpose":"device","epoch":1}]}"#,
];
const MASTER: &str = "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU";

fuzz_target!(|script: &[u8]| {
    run(&mut Host::new(script, &WORDS));
});

fn run(host: &mut Host<'_>) {
    let (mut limits, mut tables) = (Vec::new(), Vec::new());
    let (first, small) = (word(0), word(8));
    limits.extend(handle(|out| unsafe { donjon_limits_new(first.ptr, first.len, out) }));
    tables.extend(handle(|out| unsafe { donjon_limit_table_new(small.ptr, small.len, out) }));
    let (keyring, lockout) = lockout();
    let mut verdict = None;
    for _ in 0..MOST_CALLS {
        if host.script.0.is_empty() {
            break;
        }
        let (one, table) = (host.pick(&limits), host.pick(&tables));
        match host.script.byte() % 7 {
            0 => {
                let Input { ptr, len, .. } = &host.input();
                let made = handle(|out| unsafe { donjon_limits_new(*ptr, *len, out) });
                limits.extend(diagnosed(made, &|out, cap, out_len| unsafe {
                    donjon_limits_diagnose(*ptr, *len, out, cap, out_len)
                }));
            }
            1 => {
                let config = host.input();
                tables.extend(handle(|out| unsafe { donjon_limit_table_new(config.ptr, config.len, out) }));
            }
            2 => read(host, one, verdict.as_ref()),
            3 => verdict = spend(host, one).or(verdict),
            4 => verdict = charge(host, table, one).or(verdict),
            5 => count(host, lockout),
            // Nobody needs the limits that a table has seen.
            _ if limits.len() > 1 => unsafe { donjon_limits_free(limits.swap_remove(0)) },
            _ if tables.len() > 1 => unsafe { donjon_limit_table_free(tables.swap_remove(0)) },
            _ => {}
        }
    }
    limits.into_iter().for_each(|limits| unsafe { donjon_limits_free(limits) });
    tables.into_iter().for_each(|table| unsafe { donjon_limit_table_free(table) });
    unsafe { donjon_lockout_free(lockout) };
    unsafe { donjon_keyring_free(keyring) };
}

fn word(index: u8) -> Input {
    Input::draw(&mut Script(&[64 + index]), &WORDS, &[])
}

fn lockout() -> (*mut donjon_keyring, *mut donjon_lockout) {
    let config = word(15);
    let keyring = handle(|out| unsafe {
        donjon_keyring_from_master(MASTER.as_ptr(), MASTER.len(), config.ptr, config.len, out)
    });
    let keyring = keyring.unwrap();
    (keyring, handle(|out| unsafe { donjon_lockout_new(keyring, out) }).unwrap())
}

fn read(host: &mut Host<'_>, limits: *const donjon_limits, verdict: Option<&donjon_limit_verdict>) {
    let verdict = verdict.map_or(std::ptr::null(), |verdict| verdict);
    let (cost, now_ms, fields) =
        (host.script.number() as u32, host.script.number(), host.script.byte().into());
    let code = host.input();
    match host.script.byte() % 7 {
        0 => host.output(&|out, cap, len| unsafe { donjon_limits_describe(limits, out, cap, len) }),
        1 => host.output(&|out, cap, len| unsafe { donjon_limits_script(limits, out, cap, len) }),
        2 => host.output(&|out, cap, len| unsafe {
            donjon_limits_script_args(limits, cost, now_ms, out, cap, len)
        }),
        3 => host.output(&|out, cap, len| unsafe {
            donjon_limits_headers(limits, verdict, now_ms, fields, out, cap, len)
        }),
        4 => host.output(&|out, cap, len| unsafe {
            donjon_limits_refusal(verdict, now_ms, code.ptr, code.len, out, cap, len)
        }),
        5 => host.output(&|out, cap, len| unsafe { donjon_limit_profiles(out, cap, len) }),
        _ => host.output(&|out, cap, len| unsafe { donjon_compare_and_set_script(out, cap, len) }),
    }
}

/// The state is what the last call wrote, or anything; the verdict is written with it, or not at all.
fn spend(host: &mut Host<'_>, limits: *const donjon_limits) -> Option<donjon_limit_verdict> {
    let state = host.input();
    let (now_ms, spent_at_ms, cost) =
        (host.script.number(), host.script.number(), host.script.number() as u32);
    if host.script.byte() % 4 == 0 {
        host.output(&|out, cap, len| unsafe {
            donjon_limits_give_back(limits, state.ptr, state.len, spent_at_ms, now_ms, cost, out, cap, len)
        });
        return None;
    }
    let verdict = std::cell::Cell::new(None);
    let written = output(&mut host.script, &|out, cap, len| {
        let mut status = 0;
        let decided = record(|decided| {
            status = unsafe {
                donjon_limits_spend(limits, state.ptr, state.len, now_ms, cost, decided, out, cap, len)
            };
            status
        });
        verdict.set(decided.ok());
        status
    });
    let verdict = verdict.get()?;
    assert!(verdict.allowed + verdict.never_allowed <= 1 && verdict.remaining <= verdict.limit);
    assert!(written.as_ref().is_none_or(|state| state.len() <= DONJON_LIMIT_STATE_MAX));
    host.last = written.unwrap_or_default();
    Some(verdict)
}

fn charge(
    host: &mut Host<'_>,
    table: *const donjon_limit_table,
    limits: *const donjon_limits,
) -> Option<donjon_limit_verdict> {
    let key = host.input();
    let (now_ms, spent_at_ms, cost) =
        (host.script.number(), host.script.number(), host.script.number() as u32);
    match host.script.byte() % 8 {
        0 => _ = checked(unsafe { donjon_limit_table_forget(table, key.ptr, key.len) }),
        1 => {
            let given = unsafe {
                donjon_limit_table_give_back(table, limits, key.ptr, key.len, spent_at_ms, now_ms, cost)
            };
            checked(given);
        }
        2 => {
            if let Ok(statistics) = record(|out| unsafe { donjon_limit_table_stats(table, out) }) {
                assert!(statistics.entries <= statistics.capacity);
            }
        }
        _ => {
            let decided = record(|out| unsafe {
                donjon_limit_table_spend(table, limits, key.ptr, key.len, now_ms, cost, out)
            });
            return decided.ok();
        }
    }
    None
}

fn count(host: &mut Host<'_>, lockout: *const donjon_lockout) {
    let lockout = if host.script.byte() == 0 { std::ptr::null() } else { lockout };
    let [account, address, subject, state, device] = [(); 5].map(|()| host.input());
    let (now_s, ttl_s) = (host.script.number(), host.script.number());
    if host.script.byte() % 2 == 0 {
        host.output(&|out, cap, len| unsafe {
            donjon_lockout_device_token(
                lockout,
                subject.ptr,
                subject.len,
                state.ptr,
                state.len,
                ttl_s,
                now_s,
                out,
                cap,
                len,
            )
        });
        return;
    }
    host.output(&|out, cap, len| unsafe {
        donjon_lockout_counters(
            lockout,
            account.ptr,
            account.len,
            address.ptr,
            address.len,
            subject.ptr,
            subject.len,
            state.ptr,
            state.len,
            device.ptr,
            device.len,
            now_s,
            out,
            cap,
            len,
        )
    });
}
