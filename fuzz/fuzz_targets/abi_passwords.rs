//! The C ABI of hashers and passwords as a careless or hostile host calls it. Only hashers of the smallest
//! parameters, without legacy schemes, hash and verify; those of any configuration plan.
#![no_main]

use std::ptr;

use donjon::ffi::*;
use donjon_fuzz::abi::{Input, Script, checked, diagnosed, handle, output, record};
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
    Host { script: Script(script), last: Vec::new() }.run();
});

struct Host<'a> {
    script: Script<'a>,
    /// What the last call wrote: hashes go back in.
    last: Vec<u8>,
}

impl Host<'_> {
    fn input(&mut self) -> Input {
        Input::draw(&mut self.script, &WORDS, &self.last)
    }

    fn output(&mut self, call: &dyn Fn(*mut u8, usize, *mut usize) -> i32) {
        if let Some(written) = output(&mut self.script, call) {
            self.last = written;
        }
    }

    fn run(&mut self) {
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
            if self.script.0.is_empty() {
                break;
            }
            let hasher = self.script.pick(&smallest).unwrap_or(ptr::null_mut());
            match self.script.byte() % 4 {
                0 => {
                    let config = self.input();
                    planners.extend(new(ptr::null(), &config));
                }
                1 => self.hash(hasher),
                2 => {
                    let planner = self.script.pick(&planners).unwrap_or(hasher);
                    self.plan(planner);
                }
                _ => self.judge(),
            }
        }
        planners.extend(smallest);
        planners.into_iter().for_each(|hasher| unsafe { donjon_hasher_free(hasher) });
        unsafe { donjon_hasher_free(ptr::null_mut()) };
    }

    fn hash(&mut self, hasher: *const donjon_hasher) {
        let (password, stored) = (self.input(), self.input());
        let now_s = self.script.number();
        match self.script.byte() % 3 {
            0 => self.output(&|out, cap, len| unsafe {
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
                assert!(
                    verified.is_err_and(|_| true) || verified.is_ok_and(|verdict| verdict.truncated == 0)
                );
            }
            _ => {
                let (ptr, len) = (password.ptr, password.len);
                assert_ne!(checked(unsafe { donjon_hasher_verify_unknown_user(hasher, ptr, len, now_s) }), 0);
            }
        }
    }

    fn plan(&mut self, hasher: *const donjon_hasher) {
        let stored = self.input();
        let now_s = self.script.number();
        assert_eq!(unsafe { donjon_hasher_slots(hasher) } == 0, hasher.is_null());
        assert!(unsafe { donjon_hasher_max_wait_ms(hasher) } <= 60_000);
        let answer = record::<u32>(|out| unsafe {
            donjon_hasher_needs_rehash(hasher, stored.ptr, stored.len, now_s, out)
        });
        assert!(answer.is_ok_and(|answer| answer <= 1) || answer.is_err());
    }

    fn judge(&mut self) {
        let (password, inputs, other) = (self.input(), self.input(), self.input());
        let (ptr, len) = (password.ptr, password.len);
        match self.script.byte() % 4 {
            0 => self.output(&|out, cap, out_len| unsafe {
                donjon_password_strength(
                    other.ptr, other.len, ptr, len, inputs.ptr, inputs.len, out, cap, out_len,
                )
            }),
            1 => self.output(&|out, cap, out_len| unsafe {
                donjon_password_estimate(ptr, len, inputs.ptr, inputs.len, out, cap, out_len)
            }),
            2 => self.output(&|out, cap, out_len| unsafe {
                donjon_password_breach_prefix(ptr, len, out, cap, out_len)
            }),
            _ => {
                let _ = record::<u64>(|out| unsafe {
                    donjon_password_breach_count(ptr, len, other.ptr, other.len, out)
                });
            }
        }
    }
}
