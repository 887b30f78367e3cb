//! The C ABI as a careless or hostile host calls it: any sequence of calls, with any bytes, lengths, NULLs
//! and capacities. Nothing is read or written out of bounds, and a failure writes nothing.
#![no_main]

use std::cell::Cell;
use std::ptr;

use donjon::ffi::*;
use donjon_fuzz::KEYS;
use donjon_fuzz::abi::{Host, Input, Script, checked, diagnosed, handle, output, record};
use libfuzzer_sys::fuzz_target;

const MOST_CALLS: usize = 48;

const WORDS: [&str; 28] = [
    KEYS,
    r#"{"issuer":"a","audience":"b"}"#,
    r#"{"issuer":null,"audience":["b","c"],"access_ttl_s":60,"refresh_ttl_s":60}"#,
    r#"{"issuer":"a","audience":"b","type":"at+jwt","algorithms":["HS256","EdDSA","ES256"]}"#,
    r#"{"issuer":null,"audience":null,"type":null,"algorithms":["EdDSA"],"require":null,"leeway_s":300}"#,
    r#"{"issuer":"a","audience":"b","type":"rt+jwt","algorithms":["EdDSA"]}"#,
    r#"{"issuer":null,"audience":null,"type":"at+jwt","algorithms":["HS256"],"legacy_type_claim":"type"}"#,
    r#"{"permissions":["document:read"],"roles":["editor"],"name":"\u00e9"}"#,
    r#"{"sub":"ann","exp":1700001800,"iat":1700000000}"#,
    r#"["EdDSA","HS256"]"#,
    r#"{"token":"ES256","state-binding":"HS512"}"#,
    r#"{"keys":[{"purpose":"token","alg":"EdDSA","epoch":3,"oldest":1,"disabled":[1]}]}"#,
    "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU",
    "q4t7w!z%C*F-JaNdRgUkXp2s5v8y/B?E",
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n",
    r#"{"kty":"oct","kid":"new","k":"BWC7FnHMJ4LdOJPuSaT_WrUQa8YhfNcyjehDnvlUrwo"}"#,
    "HS256",
    "EdDSA",
    "ES256",
    "token",
    "state-binding",
    "ed",
    "hmac",
    "verify-only",
    "destroyed",
    "reset",
    "at+jwt",
];

fuzz_target!(|script: &[u8]| {
    run(&mut Host::new(script, &WORDS));
});

fn run(host: &mut Host<'_>) {
    let (mut keyrings, mut issuers, mut verifiers, mut purposes) = (vec![], vec![], vec![], vec![]);
    let keys = Input::draw(&mut Script(&[64]), &WORDS, &[]);
    keyrings.extend(handle(|out| unsafe { donjon_keyring_from_jwks(keys.ptr, keys.len, out) }));
    for _ in 0..MOST_CALLS {
        if host.script.0.is_empty() {
            break;
        }
        let keyring = host.pick(&keyrings);
        match host.script.byte() % 8 {
            0 => keyrings.extend(make_keyring(host, keyring)),
            1 => read_keyring(host, keyring),
            2 => {
                let (a, b) = (host.input(), host.input());
                let issuer = handle(|out| unsafe { donjon_issuer_new(keyring, a.ptr, a.len, out) });
                issuers.extend(diagnosed(issuer, &|out, cap, len| unsafe {
                    donjon_issuer_diagnose(keyring, a.ptr, a.len, out, cap, len)
                }));
                let verifier = handle(|out| unsafe { donjon_verifier_new(keyring, b.ptr, b.len, out) });
                verifiers.extend(diagnosed(verifier, &|out, cap, len| unsafe {
                    donjon_verifier_diagnose(keyring, b.ptr, b.len, out, cap, len)
                }));
                purposes.extend(handle(|out| unsafe { donjon_purpose_tokens_new(keyring, out) }));
            }
            3 => {
                let issuer = host.pick(&issuers);
                mint(host, issuer, keyring);
            }
            4 => {
                let verifier = host.pick(&verifiers);
                verify(host, verifier, keyring);
            }
            5 => {
                let tokens = host.pick(&purposes);
                purpose(host, tokens);
            }
            6 => decide(host),
            // What was made of a keyring outlives it.
            _ if keyrings.len() > 1 => unsafe { donjon_keyring_free(keyrings.swap_remove(0)) },
            _ => {}
        }
    }
    keyrings.into_iter().for_each(|keyring| unsafe { donjon_keyring_free(keyring) });
    issuers.into_iter().for_each(|issuer| unsafe { donjon_issuer_free(issuer) });
    verifiers.into_iter().for_each(|verifier| unsafe { donjon_verifier_free(verifier) });
    purposes.into_iter().for_each(|tokens| unsafe { donjon_purpose_tokens_free(tokens) });
}

fn make_keyring(host: &mut Host<'_>, keyring: *const donjon_keyring) -> Option<*mut donjon_keyring> {
    let which = host.script.byte() % 8;
    let (a, b, c) = (host.input(), host.input(), host.input());
    let (now_s, later_s) = (host.script.number(), host.script.number());
    let made = handle(|out| unsafe {
        match which {
            0 => donjon_keyring_generate(a.ptr, a.len, now_s, out),
            1 => donjon_keyring_from_jwks(a.ptr, a.len, out),
            2 => donjon_keyring_from_master(a.ptr, a.len, b.ptr, b.len, out),
            3 => donjon_keyring_from_secret(a.ptr, a.len, b.ptr, b.len, c.ptr, c.len, out),
            4 => donjon_keyring_from_pem(a.ptr, a.len, b.ptr, b.len, c.ptr, c.len, out),
            5 => donjon_keyring_import(keyring, a.ptr, a.len, out),
            6 => donjon_keyring_rotate(keyring, a.ptr, a.len, b.ptr, b.len, now_s, later_s, out),
            _ => donjon_keyring_set_status(keyring, a.ptr, a.len, b.ptr, b.len, later_s, out),
        }
    });
    match which {
        1 => {
            diagnosed(made, &|out, cap, len| unsafe { donjon_keyring_diagnose(a.ptr, a.len, out, cap, len) })
        }
        _ => made,
    }
}

fn read_keyring(host: &mut Host<'_>, keyring: *const donjon_keyring) {
    let now_s = host.script.number();
    match host.script.byte() % 3 {
        0 => host.output(&|out, cap, len| unsafe { donjon_keyring_to_jwks(keyring, out, cap, len) }),
        1 => {
            host.output(&|out, cap, len| unsafe { donjon_keyring_public_jwks(keyring, now_s, out, cap, len) })
        }
        _ => host.output(&|out, cap, len| unsafe { donjon_keyring_summary(keyring, out, cap, len) }),
    }
}

fn mint(host: &mut Host<'_>, issuer: *const donjon_issuer, keyring: *const donjon_keyring) {
    let (a, b, c) = (host.input(), host.input(), host.input());
    let (ttl_s, since_s, now_s) = (host.script.number(), host.script.number(), host.script.number());
    match host.script.byte() % 3 {
        0 => host.output(&|out, cap, len| unsafe {
            let _ = donjon_issuer_bound(issuer, a.len, b.len);
            donjon_issuer_access(issuer, a.ptr, a.len, b.ptr, b.len, ttl_s, since_s, now_s, out, cap, len)
        }),
        1 => host.output(&|out, cap, len| unsafe {
            donjon_issuer_refresh(
                issuer, a.ptr, a.len, b.ptr, b.len, c.ptr, c.len, ttl_s, since_s, now_s, out, cap, len,
            )
        }),
        _ => host.output(&|out, cap, len| unsafe {
            let _ = donjon_token_sign_bound(b.len, c.len);
            donjon_token_sign(keyring, a.ptr, a.len, b.ptr, b.len, c.ptr, c.len, out, cap, len)
        }),
    }
}

fn verify(host: &mut Host<'_>, verifier: *const donjon_verifier, keyring: *const donjon_keyring) {
    let (token, algorithms) = (host.input(), host.input());
    let now_s = host.script.number();
    match host.script.byte() % 3 {
        0 => {
            let claims = Cell::new(None);
            let written = output(&mut host.script, &|out, cap, len| {
                set(&claims, |claims| unsafe {
                    donjon_verifier_verify(verifier, token.ptr, token.len, now_s, claims, out, cap, len)
                })
            });
            if let (Some(claims), Some(buffer)) = (claims.get(), written) {
                check_claims(&claims, &buffer);
            }
        }
        1 => {
            let jws = Cell::new(None);
            let written = output(&mut host.script, &|out, cap, len| {
                set(&jws, |jws| unsafe {
                    let (algorithms, jws_text) = (&algorithms, &token);
                    donjon_jws_verify(
                        keyring,
                        algorithms.ptr,
                        algorithms.len,
                        jws_text.ptr,
                        jws_text.len,
                        now_s,
                        jws,
                        out,
                        cap,
                        len,
                    )
                })
            });
            if let (Some(jws), Some(buffer)) = (jws.get(), written) {
                let jws: donjon_jws = jws;
                let _ = [jws.payload, jws.alg, jws.key_id].map(|span| stretch(&buffer, span).len());
            }
        }
        _ => host.output(&|out, cap, len| unsafe {
            donjon_jws_unverified_header(token.ptr, token.len, out, cap, len)
        }),
    }
}

fn purpose(host: &mut Host<'_>, tokens: *const donjon_purpose_tokens) {
    let (purpose, subject, state) = (host.input(), host.input(), host.input());
    let (ttl_s, now_s) = (host.script.number(), host.script.number());
    if host.script.byte() % 2 == 0 {
        host.output(&|out, cap, len| unsafe {
            let _ = donjon_purpose_tokens_bound(purpose.len, subject.len);
            donjon_purpose_tokens_mint(
                tokens,
                purpose.ptr,
                purpose.len,
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
    } else {
        let token = host.input();
        checked(unsafe {
            donjon_purpose_tokens_check(
                tokens,
                purpose.ptr,
                purpose.len,
                subject.ptr,
                subject.len,
                state.ptr,
                state.len,
                token.ptr,
                token.len,
                now_s,
            )
        });
    }
}

fn decide(host: &mut Host<'_>) {
    let (state, family) = (host.input(), host.input());
    let (a, b, c) = (host.script.number(), host.script.number(), host.script.number());
    match host.script.byte() % 6 {
        0 => {
            let state = record::<[u8; 32]>(|out| unsafe { donjon_refresh_begin(a, out.cast()) });
            host.last = state.map_or(vec![], Vec::from);
        }
        1 => {
            let verdict = record(|verdict| unsafe {
                donjon_refresh_rotate(state.ptr, state.len, family.ptr, family.len, a, b, c, verdict)
            });
            host.last = verdict.map_or(vec![], |verdict: donjon_refresh_verdict| verdict.state.to_vec());
        }
        2 => {
            let state =
                record::<[u8; 32]>(|out| unsafe { donjon_refresh_revoke(state.ptr, state.len, out.cast()) });
            host.last = state.map_or(vec![], Vec::from);
        }
        3 => {
            let event = host.script.byte().into();
            let verdict = record(|verdict| unsafe {
                donjon_jwks_refresh(state.ptr, state.len, event, a, b, c, verdict)
            });
            host.last = verdict.map_or(vec![], |verdict: donjon_jwks_verdict| verdict.state.to_vec());
        }
        4 => {
            let facts = donjon_revocation_facts {
                issued_at_s: a,
                subject_since_s: b,
                store_since_s: c,
                skew_s: host.script.number(),
                token_revoked: host.script.byte(),
                family_revoked: host.script.byte(),
                key_revoked: host.script.byte(),
                reserved: [0; 5],
            };
            checked(unsafe { donjon_revocation_check(&facts) });
            assert_eq!(unsafe { donjon_revocation_check(ptr::null()) }, 1);
        }
        _ => unsafe {
            let status = a as i32;
            for text in [donjon_status_str(status), donjon_status_message(status), donjon_version()] {
                assert!(!std::ffi::CStr::from_ptr(text).is_empty());
            }
            assert!((100..600).contains(&donjon_status_http(status)));
        },
    }
}
/// Keeps what `call` fills.
fn set<T: Copy>(cell: &Cell<Option<T>>, call: impl FnOnce(*mut T) -> i32) -> i32 {
    match record(call) {
        Ok(filled) => {
            cell.set(Some(filled));
            0
        }
        Err(status) => status,
    }
}

/// Every span lies in the buffer; text is text, and JSON is JSON.
fn check_claims(claims: &donjon_claims, buffer: &[u8]) {
    let text = |span: &donjon_span| str::from_utf8(stretch(buffer, *span)).unwrap();
    let is_json = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    assert!(is_json(text(&claims.json)));
    for raw in [&claims.audience, &claims.permissions, &claims.roles].map(text) {
        assert!(raw.is_empty() || is_json(raw), "{raw}");
    }
    let _ = [&claims.issuer, &claims.subject, &claims.token_id, &claims.family, &claims.key_id].map(text);
}

/// The bytes of a span; none where it is absent.
fn stretch(buffer: &[u8], span: donjon_span) -> &[u8] {
    if span.offset == u32::MAX {
        return &[];
    }
    &buffer[span.offset as usize..][..span.length as usize]
}
