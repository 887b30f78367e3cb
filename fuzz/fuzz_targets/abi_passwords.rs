//! The C ABI of hashers and passwords as a careless or hostile host calls it. Only hashers of the smallest
//! parameters, without legacy schemes, hash and verify; those of any configuration plan.
#![no_main]

use std::ptr;

use donjon::ffi::*;
use donjon_fuzz::abi::{Host, Input, Script, checked, diagnosed, handle, record};
use libfuzzer_sys::fuzz_target;

const MOST_CALLS: usize = 32;
const SMALL: &str =
    r#"{"memory_kib":8,"time_cost":1,"memory_budget_kib":64,"max_wait_ms":0,"allow_weak":true}"#;
const WORDS: [&str; 17] = [
    r#"{"keys":[{"kid":"1","kty":"oct","alg":"HS256","purpose":"password-pepper","status":"primary","k":"T2xkLXBlcHBlci1vZi10aGUtZnV6emVyLTMyLWJ5dGU"}]}"#,
    SMALL,
    "{}",
    r#"{"preset":"owasp","legacy":["bcrypt","pbkdf2","scrypt","argon2i","argon2d"]}"#,
    r#"{"memory_kib":19456,"time_cost":2,"parallelism":1,"hash_len":64,"salt_len":48,"max_wait_ms":60000}"#,
    r#"{"preset":"rfc9106","memory_budget_kib":2097152}"#,
    "password",
    "Lanterns-over-7-Quiet-Harbours",
    r#"["ann","ann@example.org"]"#,
    "composition",
    "nist-800-63b-4",
    "nist-800-63b-4-mfa",
    "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "$argon2id$v=19$m=8,t=1,p=1,keyid=AAAAAAAAAAA$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAA",
    "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
    "pbkdf2_sha256$600000$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "1E4C9B93F3F0682250B6CF8331B7EE68FD8:3861493\r\n0018A45C4D1DEF81644B54AB7F969B88D65:0",
];

fuzz_target!(|script: &[u8]| {
    run(&mut Host::new(script, &WORDS));
});

fn run(host: &mut Host<'_>) {
    let draw = |word| Input::draw(&mut Script(&[word]), &WORDS, &[]);
    let (keys, small) = (draw(64), draw(65));
    let keyring = handle(|out| unsafe { donjon_keyring_from_jwks(keys.ptr, keys.len, out) }).unwrap();
    let new = |peppers, config: &Input| {
        let (ptr, len) = (config.ptr, config.len);
        let made = handle(|out| unsafe { donjon_hasher_new(peppers, ptr, len, out) });
        diagnosed(made, &|out, cap, out_len| unsafe {
            donjon_hasher_diagnose(peppers, ptr, len, out, cap, out_len)
        })
    };
    let smallest = [new(ptr::null(), &small).unwrap(), new(keyring, &small).unwrap()];
    // What was made of a keyring outlives it.
    unsafe { donjon_keyring_free(keyring) };
    let mut planners = Vec::new();
    for _ in 0..MOST_CALLS {
        if host.script.0.is_empty() {
            break;
        }
        let hasher = host.pick(&smallest);
        match host.script.byte() % 4 {
            0 => {
                let config = host.input();
                planners.extend(new(ptr::null(), &config));
            }
            1 => hash(host, hasher),
            2 => {
                let planner = host.script.pick(&planners).unwrap_or(hasher);
                plan(host, planner);
            }
            _ => judge(host),
        }
    }
    planners.extend(smallest);
    planners.into_iter().for_each(|hasher| unsafe { donjon_hasher_free(hasher) });
    unsafe { donjon_hasher_free(ptr::null_mut()) };
}

fn hash(host: &mut Host<'_>, hasher: *const donjon_hasher) {
    let (password, stored) = (host.input(), host.input());
    let now_s = host.script.number();
    match host.script.byte() % 3 {
        0 => host.output(&|out, cap, len| unsafe {
            donjon_hasher_hash(hasher, password.ptr, password.len, now_s, out, cap, len)
        }),
        1 => {
            let verified = record::<donjon_password_verdict>(|verdict| unsafe {
                donjon_hasher_verify(
                    hasher,
                    password.ptr,
                    password.len,
                    stored.ptr,
                    stored.len,
                    now_s,
                    verdict,
                )
            });
            assert!(verified.is_err_and(|_| true) || verified.is_ok_and(|verdict| verdict.truncated == 0));
        }
        _ => {
            let (ptr, len) = (password.ptr, password.len);
            assert_ne!(checked(unsafe { donjon_hasher_verify_unknown_user(hasher, ptr, len, now_s) }), 0);
        }
    }
}

fn plan(host: &mut Host<'_>, hasher: *const donjon_hasher) {
    let stored = host.input();
    let now_s = host.script.number();
    assert_eq!(unsafe { donjon_hasher_slots(hasher) } == 0, hasher.is_null());
    assert!(unsafe { donjon_hasher_max_wait_ms(hasher) } <= 60_000);
    let answer = record::<u32>(|out| unsafe {
        donjon_hasher_needs_rehash(hasher, stored.ptr, stored.len, now_s, out)
    });
    assert!(answer.is_ok_and(|answer| answer <= 1) || answer.is_err());
}

fn judge(host: &mut Host<'_>) {
    let (password, inputs, other) = (host.input(), host.input(), host.input());
    let (ptr, len) = (password.ptr, password.len);
    match host.script.byte() % 4 {
        0 => host.output(&|out, cap, out_len| unsafe {
            donjon_password_strength(
                other.ptr, other.len, ptr, len, inputs.ptr, inputs.len, out, cap, out_len,
            )
        }),
        1 => host.output(&|out, cap, out_len| unsafe {
            donjon_password_estimate(ptr, len, inputs.ptr, inputs.len, out, cap, out_len)
        }),
        2 => host.output(&|out, cap, out_len| unsafe {
            donjon_password_breach_prefix(ptr, len, out, cap, out_len)
        }),
        _ => {
            let _ = record::<u64>(|out| unsafe {
                donjon_password_breach_count(ptr, len, other.ptr, other.len, out)
            });
        }
    }
}
