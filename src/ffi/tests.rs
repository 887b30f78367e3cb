mod sessions;

use std::ffi::CStr;
use std::mem::{align_of, offset_of, size_of};

use super::*;
use crate::envelope;
use crate::error::Status;
use crate::jwks::JWKS_STATE_LEN;
use crate::password::{MAX_PASSWORD_LEN, MAX_STORED_LEN};
use crate::token::MAX_TOKEN_LEN;
use crate::token::refresh::REFRESH_STATE_LEN;

#[test]
fn the_committed_header_is_the_generated_one() {
    let generated = include_str!(concat!(env!("OUT_DIR"), "/donjon.h"));
    let committed = include_str!("../../include/donjon.h");
    assert!(generated == committed, "include/donjon.h is out of date: run `make header`");
}

#[test]
fn every_status_has_its_constant_in_the_header() {
    let header = include_str!("../../include/donjon.h");
    for status in Status::all() {
        let constant = std::format!("#define DONJON_{} {}\n", status.name().to_uppercase(), status.code());
        assert!(header.contains(&constant), "{constant}");
        // SAFETY: the function returns a static string.
        let name = unsafe { CStr::from_ptr(donjon_status_str(status.code())) };
        assert_eq!(name.to_str().unwrap(), status.name());
        assert_eq!(donjon_status_http(status.code()), i32::from(status.http()));
    }
    // SAFETY: as above.
    assert_eq!(unsafe { CStr::from_ptr(donjon_status_str(-7)) }, c"unknown_status");
}

#[test]
fn constants_are_the_kernels() {
    assert_eq!(DONJON_TOKEN_MAX, MAX_TOKEN_LEN);
    assert_eq!(DONJON_REFRESH_STATE_LEN, REFRESH_STATE_LEN);
    assert_eq!(DONJON_MARKER_LEN, crate::revocation::MARKER_LEN);
    assert_eq!(DONJON_JWKS_STATE_LEN, JWKS_STATE_LEN);
    assert_eq!(DONJON_PASSWORD_MAX, MAX_PASSWORD_LEN);
    assert_eq!(DONJON_PASSWORD_HASH_MAX, MAX_STORED_LEN);
    assert_eq!(DONJON_CONTEXT_MAX, envelope::MAX_CONTEXT_LEN);
    assert_eq!(DONJON_ENVELOPE_PREFIX_MAX, envelope::MAX_PREFIX_LEN);
    assert_eq!(DONJON_CHUNK_LEN, envelope::chunked::CHUNK_LEN);
    assert_eq!(DONJON_DATA_KEY_LEN, envelope::DATA_KEY_LEN);
    assert_eq!(DONJON_PASSPHRASE_MAX, envelope::MAX_PASSPHRASE_LEN);
    assert_eq!(DONJON_READER_TAIL_MAX, envelope::MAX_TAIL_LEN);
    assert_eq!(DONJON_FERNET_KEY_LEN, crate::fernet::KEY_TEXT_LEN);
    assert_eq!(DONJON_NEVER, crate::time::NEVER_S);
    assert_eq!(DONJON_LIMITS_MAX, crate::limit::MAX_LIMITS);
    assert_eq!(DONJON_LIMIT_KEY_MAX, crate::runtime::MAX_LIMIT_KEY_LEN);
    assert_eq!(DONJON_LIMIT_STATE_MAX, crate::limit::MAX_STATE_LEN);
}

#[test]
fn structures_keep_their_layout() {
    assert_eq!(
        (size_of::<donjon_limit_verdict>(), offset_of!(donjon_limit_verdict, reset_after_ms)),
        (48, 24)
    );
    assert_eq!((size_of::<donjon_span>(), align_of::<donjon_span>()), (8, 4));
    assert_eq!(
        (size_of::<donjon_claims>(), offset_of!(donjon_claims, json), offset_of!(donjon_claims, key_id)),
        (104, 32, 96)
    );
    assert_eq!(size_of::<donjon_jws>(), 24);
    assert_eq!((size_of::<donjon_refresh_verdict>(), offset_of!(donjon_refresh_verdict, state)), (40, 8));
    assert_eq!(
        (size_of::<donjon_revocation_facts>(), offset_of!(donjon_revocation_facts, token_revoked)),
        (40, 32)
    );
    assert_eq!((size_of::<donjon_marker_verdict>(), offset_of!(donjon_marker_verdict, reason)), (24, 17));
    assert_eq!(
        (size_of::<donjon_password_verdict>(), offset_of!(donjon_password_verdict, truncated)),
        (8, 4)
    );
    assert_eq!((size_of::<donjon_jwks_verdict>(), offset_of!(donjon_jwks_verdict, state)), (40, 16));
    assert_eq!(
        (size_of::<donjon_limit_table_statistics>(), offset_of!(donjon_limit_table_statistics, bytes)),
        (48, 40)
    );
    assert_eq!(
        (
            size_of::<donjon_client>(),
            offset_of!(donjon_client, bucket),
            offset_of!(donjon_client, bucket_len)
        ),
        (100, 48, 98)
    );
}

#[test]
fn a_panic_becomes_a_status() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(std::boxed::Box::new(|_| {}));
    let status = guard(|| panic!("on purpose"));
    std::panic::set_hook(hook);
    assert_eq!(status, DONJON_INTERNAL_ERROR);
}

#[test]
fn every_export_is_guarded() {
    let sources = [
        ("aes_engine", include_str!("aes_engine.rs")),
        ("blind_index", include_str!("blind_index.rs")),
        ("chunked", include_str!("chunked.rs")),
        ("context", include_str!("context.rs")),
        ("data_key", include_str!("data_key.rs")),
        ("decryptor", include_str!("decryptor.rs")),
        ("encryptor", include_str!("encryptor.rs")),
        ("erasure", include_str!("erasure.rs")),
        ("fernet", include_str!("fernet.rs")),
        ("hasher", include_str!("hasher.rs")),
        ("issuer", include_str!("issuer.rs")),
        ("jwks", include_str!("jwks.rs")),
        ("keyring", include_str!("keyring.rs")),
        ("limit_table", include_str!("limit_table.rs")),
        ("limits", include_str!("limits.rs")),
        ("lockout", include_str!("lockout.rs")),
        ("password", include_str!("password.rs")),
        ("permission", include_str!("permission.rs")),
        ("policy", include_str!("policy.rs")),
        ("proxies", include_str!("proxies.rs")),
        ("purpose", include_str!("purpose.rs")),
        ("reader", include_str!("reader.rs")),
        ("refresh", include_str!("refresh.rs")),
        ("revocation", include_str!("revocation.rs")),
        ("revocation_set", include_str!("revocation_set.rs")),
        ("revocations", include_str!("revocations.rs")),
        ("sealer", include_str!("sealer.rs")),
        ("session_requests", include_str!("session_requests.rs")),
        ("sessions", include_str!("sessions.rs")),
        ("setting", include_str!("setting.rs")),
        ("store_marker", include_str!("store_marker.rs")),
        ("subject", include_str!("subject.rs")),
        ("test_entropy", include_str!("test_entropy.rs")),
        ("verifier", include_str!("verifier.rs")),
    ];
    // What is public here is exported; the status file has nothing but look-ups in a table.
    let public =
        include_str!("mod.rs").lines().filter_map(|line| line.strip_prefix("pub use ")?.strip_suffix("::*;"));
    let public: std::vec::Vec<&str> = public.filter(|file| *file != "status").collect();
    assert_eq!(public, sources.map(|(file, _)| file));

    for (file, source) in sources {
        for export in source.split("#[unsafe(no_mangle)]").skip(1) {
            let body = export.split("\n}").next().unwrap();
            // What takes no pointer and calls a `const fn` has nothing that could panic.
            let is_arithmetic = (body.contains("_bound(") || body.contains("_len(")) && !body.contains('*');
            assert!(body.contains("guard(|| ") || is_arithmetic, "{file}: {body}");
        }
    }
}

#[test]
fn a_refused_configuration_is_diagnosed_and_a_good_one_is_not() {
    let diagnosed = |call: &dyn Fn(*mut u8, usize, *mut usize) -> i32| {
        let (mut out, mut len) = ([0; 512], 0);
        assert_eq!(call(out.as_mut_ptr(), out.len(), &raw mut len), DONJON_OK);
        std::string::String::from_utf8(out[..len].to_vec()).unwrap()
    };
    let hasher = |config: &str| {
        // SAFETY: pointers and lengths of live values.
        diagnosed(&|out, cap, len| unsafe {
            donjon_hasher_diagnose(core::ptr::null(), config.as_ptr(), config.len(), out, cap, len)
        })
    };
    assert_eq!(hasher(""), "null");
    assert!(hasher(r#"{"preset":"rfc9106"}"#).contains("budget"), "{}", hasher(r#"{"preset":"rfc9106"}"#));
    let jwks = |jwks: &str| {
        // SAFETY: as above.
        diagnosed(&|out, cap, len| unsafe {
            donjon_keyring_diagnose(jwks.as_ptr(), jwks.len(), out, cap, len)
        })
    };
    assert_eq!(jwks(r#"{"keys":[]}"#), "null");
    let weak = jwks(r#"{"keys":[{"kty":"oct","k":"c2VjcmV0","alg":"HS256"}]}"#);
    assert!(weak.starts_with(r#"{"error":"config_error","path":"keys[0]","message":"#), "{weak}");
    assert!(!weak.contains("c2VjcmV0"));
}

/// A keyring with a primary key of each purpose that seals or indexes.
fn keyring() -> *mut donjon_keyring {
    let spec = r#"{"envelope":"HS256","settings":"HS256","blind-index":"HS256"}"#;
    let mut keyring = core::ptr::null_mut();
    // SAFETY: pointers and lengths of live values.
    assert_eq!(unsafe { donjon_keyring_generate(spec.as_ptr(), spec.len(), 0, &raw mut keyring) }, DONJON_OK);
    keyring
}

/// Calls with no room, and with just as much as that call asked for.
fn in_just_the_room(call: &dyn Fn(*mut u8, usize, *mut usize) -> i32) -> std::vec::Vec<u8> {
    let mut len = 0;
    assert_eq!(call(core::ptr::null_mut(), 0, &raw mut len), DONJON_BUFFER_TOO_SMALL);
    let mut out = std::vec![0; len];
    assert_eq!(call(out.as_mut_ptr(), len - 1, &raw mut len), DONJON_BUFFER_TOO_SMALL);
    assert_eq!(len, out.len());
    assert_eq!(call(out.as_mut_ptr(), out.len(), &raw mut len), DONJON_OK);
    out.truncate(len);
    out
}

#[test]
fn a_fernet_token_is_made_and_read_in_just_the_room_that_was_asked_for() {
    // SAFETY: pointers and lengths of live values, throughout.
    let key = in_just_the_room(&|out, cap, len| unsafe { donjon_fernet_generate_key(out, cap, len) });
    let mut fernet = core::ptr::null_mut();
    // SAFETY: as above.
    assert_eq!(unsafe { donjon_fernet_new(key.as_ptr(), key.len(), &raw mut fernet) }, DONJON_OK);
    // SAFETY: as above.
    let token = in_just_the_room(&|out, cap, len| unsafe {
        donjon_fernet_encrypt(fernet, 7, b"hello".as_ptr(), 5, out, cap, len)
    });
    assert_eq!(token.len(), donjon_fernet_token_len(5));
    // SAFETY: as above.
    let rotated = in_just_the_room(&|out, cap, len| unsafe {
        donjon_fernet_rotate(fernet, token.as_ptr(), token.len(), out, cap, len)
    });
    assert_eq!(rotated.len(), token.len());
    let decrypt = |now_s, ttl_s, out, cap, len| {
        // SAFETY: as above.
        unsafe { donjon_fernet_decrypt(fernet, now_s, ttl_s, rotated.as_ptr(), rotated.len(), out, cap, len) }
    };
    assert_eq!(in_just_the_room(&|out, cap, len| decrypt(0, DONJON_NO_TTL, out, cap, len)), b"hello");
    let status = |now_s, ttl_s| {
        let (mut out, mut len) = ([0; 64], 0);
        decrypt(now_s, ttl_s, out.as_mut_ptr(), out.len(), &raw mut len)
    };
    assert_eq!(status(67, 60), DONJON_OK);
    assert_eq!(status(68, 60), DONJON_DECRYPT_FAILED);
    assert_eq!(status(67, -2), DONJON_INVALID_ARGUMENT);
    assert_eq!(status(-1, DONJON_NO_TTL), DONJON_INVALID_ARGUMENT);
    let mut made_s = 0;
    // SAFETY: as above; the handle is freed once.
    unsafe {
        let timestamp = donjon_fernet_timestamp(fernet, token.as_ptr(), token.len(), &raw mut made_s);
        assert_eq!((timestamp, made_s), (DONJON_OK, 7));
        donjon_fernet_free(fernet);
        donjon_fernet_free(core::ptr::null_mut());
    }
}

#[test]
fn the_paddings_of_aes_engine_have_their_numbers() {
    for (padding, text) in [
        (DONJON_PADDING_PKCS5, "VUV4WxkdtQgtr5MMkBImKA=="),
        (DONJON_PADDING_NAIVE, "rRa3mno6Qjb4BqrBdLvGvg=="),
        (DONJON_PADDING_ONE_AND_ZEROES, "gIToKp2/PLTfpkJTXa/q3w=="),
        (DONJON_PADDING_ZEROES, "6Sc3W3UAnAHIWd7OaDLRZg=="),
    ] {
        let open = |padding, out, cap, len| {
            let secret = b"secretkey1234";
            // SAFETY: pointers and lengths of live values.
            unsafe {
                donjon_aes_engine_open(
                    secret.as_ptr(),
                    secret.len(),
                    padding,
                    text.as_ptr(),
                    text.len(),
                    out,
                    cap,
                    len,
                )
            }
        };
        assert_eq!(in_just_the_room(&|out, cap, len| open(padding, out, cap, len)), b"secret_user");
        let (mut out, mut len) = ([0; 24], 0);
        for other in [4, u32::MAX] {
            assert_eq!(open(other, out.as_mut_ptr(), 24, &raw mut len), DONJON_INVALID_ARGUMENT);
        }
    }
}

#[test]
fn a_setting_is_sealed_and_opened_in_just_the_room_that_was_asked_for() {
    let keyring = keyring();
    // SAFETY: pointers and lengths of live values, throughout.
    let text = in_just_the_room(&|out, cap, len| unsafe {
        donjon_setting_seal(keyring, b"K".as_ptr(), 1, b"hunter2".as_ptr(), 7, 0, out, cap, len)
    });
    // SAFETY: as above.
    let value = in_just_the_room(&|out, cap, len| unsafe {
        donjon_setting_open(keyring, b"K".as_ptr(), 1, text.as_ptr(), text.len(), 0, out, cap, len)
    });
    assert_eq!(value, b"hunter2");
    // SAFETY: the handle is freed once.
    unsafe { donjon_keyring_free(keyring) };
}

#[test]
fn the_candidates_of_an_index_stand_one_after_the_other() {
    let (keyring, mut index) = (keyring(), core::ptr::null_mut());
    // SAFETY: pointers and lengths of live values, throughout.
    unsafe {
        let (table, column) = (b"users", b"email");
        let new = |bits, out| {
            let none = core::ptr::null();
            donjon_blind_index_new(keyring, none, 0, table.as_ptr(), 5, column.as_ptr(), 5, bits, out)
        };
        assert_eq!(new(7, &raw mut index), DONJON_INVALID_ARGUMENT);
        assert_eq!(new(20, &raw mut index), DONJON_OK);
        let value = in_just_the_room(&|out, cap, len| {
            donjon_blind_index_value(index, 0, b"ann".as_ptr(), 3, out, cap, len)
        });
        let candidates = in_just_the_room(&|out, cap, len| {
            donjon_blind_index_candidates(index, 0, b"ann".as_ptr(), 3, out, cap, len)
        });
        // The primary's, and the next one's.
        assert_eq!((value.len(), candidates.len()), (4, 8));
        assert!(candidates.starts_with(&value));
        donjon_blind_index_free(index);
        donjon_keyring_free(keyring);
    }
}

#[test]
fn an_erasure_without_an_end_of_the_backups_says_so() {
    let jwks = r#"{"keys":[{"kid":"old","purpose":"envelope","status":"destroyed"}]}"#;
    let mut keyring = core::ptr::null_mut();
    // SAFETY: pointers and lengths of live values, throughout.
    unsafe {
        assert_eq!(donjon_keyring_from_jwks(jwks.as_ptr(), jwks.len(), &raw mut keyring), DONJON_OK);
        let erasure = |key_ids: &str, backups_expire_s, out, cap, len| {
            donjon_erasure(keyring, key_ids.as_ptr(), key_ids.len(), backups_expire_s, 0, out, cap, len)
        };
        let answer = in_just_the_room(&|out, cap, len| erasure(r#"["old"]"#, DONJON_NEVER, out, cap, len));
        assert_eq!(answer, br#"{"erased":true,"by":"keys_destroyed","alive":[],"backups_expire_s":null}"#);
        let (mut out, mut len) = ([0; 256], 0);
        for (key_ids, backups_expire_s, status) in [
            ("[]", DONJON_NEVER, DONJON_INVALID_ARGUMENT),
            (r#"["old"]"#, -1, DONJON_INVALID_ARGUMENT),
            (r#"["new"]"#, DONJON_NEVER, DONJON_UNKNOWN_KEY),
            ("", DONJON_NEVER, DONJON_MALFORMED),
            ("[1]", DONJON_NEVER, DONJON_MALFORMED),
            (r#""old""#, DONJON_NEVER, DONJON_MALFORMED),
        ] {
            assert_eq!(erasure(key_ids, backups_expire_s, out.as_mut_ptr(), 256, &raw mut len), status);
        }
        donjon_keyring_free(keyring);
    }
}

#[test]
fn the_client_of_a_request_is_written_with_zeros_behind_it() {
    let config = r#"{"header":"forwarded","hops":1,"ipv6_prefix":128}"#;
    let refused = r#"{"trusted":["10.0.0.0/8","10.0.0.5/8"]}"#;
    let mut proxies = core::ptr::null_mut();
    // SAFETY: pointers and lengths of live values, throughout; the handle is freed once.
    unsafe {
        assert_eq!(donjon_proxies_new(config.as_ptr(), config.len(), &raw mut proxies), DONJON_OK);
        // The longest texts that there are.
        let lines = br#"for="[2001:db8:ffff:1111:2222:3333:4444:5555%25eth0]:65535""#;
        let mut client: donjon_client = core::mem::zeroed();
        let status =
            donjon_proxies_client(proxies, b"@".as_ptr(), 1, lines.as_ptr(), lines.len(), &raw mut client);
        let ip = b"2001:db8:ffff:1111:2222:3333:4444:5555";
        assert_eq!((status, client.from_header, usize::from(client.ip_len)), (DONJON_OK, 1, ip.len()));
        assert!(client.ip.starts_with(ip) && client.ip[ip.len()..].iter().all(|byte| *byte == 0));
        let bucket = b"2001:db8:ffff:1111:2222:3333:4444:5555/128";
        assert_eq!((usize::from(client.bucket_len), client.reserved), (bucket.len(), 0));
        assert!(
            client.bucket.starts_with(bucket) && client.bucket[bucket.len()..].iter().all(|byte| *byte == 0)
        );

        let none = core::ptr::null();
        let ask =
            |peer: &[u8], client| donjon_proxies_client(proxies, peer.as_ptr(), peer.len(), none, 0, client);
        assert_eq!(ask(b"@", &raw mut client), DONJON_MALFORMED);
        assert_eq!(ask(b"::1", core::ptr::null_mut()), DONJON_INVALID_ARGUMENT);
        // What was refused changed nothing.
        assert_eq!((client.from_header, usize::from(client.ip_len)), (1, ip.len()));
        assert_eq!(ask(b"::ffff:1.2.3.4", &raw mut client), DONJON_OK);
        assert_eq!(
            (&client.ip[..8], &client.bucket[..8], client.from_header),
            (&b"1.2.3.4\0"[..], &b"1.2.3.4\0"[..], 0)
        );
        donjon_proxies_free(proxies);
        donjon_proxies_free(core::ptr::null_mut());

        let mut other = core::ptr::null_mut();
        assert_eq!(donjon_proxies_new(refused.as_ptr(), refused.len(), &raw mut other), DONJON_CONFIG_ERROR);
        assert!(other.is_null());
        let diagnosis = in_just_the_room(&|out, cap, len| {
            donjon_proxies_diagnose(refused.as_ptr(), refused.len(), out, cap, len)
        });
        let expected = r#"{"error":"config_error","path":"trusted[1]","message":"the address has bits behind the prefix"}"#;
        assert_eq!(core::str::from_utf8(&diagnosis).unwrap(), expected);
        assert_eq!(
            in_just_the_room(&|out, cap, len| donjon_proxies_diagnose(none, 0, out, cap, len)),
            b"null"
        );
    }
}

#[test]
fn a_revocation_goes_into_a_store_and_into_a_set() {
    let spec = r#"{"token":"EdDSA","device":"HS256"}"#;
    let (mut keyring, mut rules, mut set) =
        (core::ptr::null_mut(), core::ptr::null_mut(), core::ptr::null_mut());
    let (ann, id, none) = (b"ann".as_ptr(), b"t1".as_ptr(), core::ptr::null());
    // SAFETY: pointers and lengths of live values, throughout; each handle is freed once.
    unsafe {
        assert_eq!(donjon_keyring_generate(spec.as_ptr(), spec.len(), 0, &raw mut keyring), DONJON_OK);
        assert_eq!(donjon_revocations_new(keyring, none, 0, &raw mut rules), DONJON_OK);
        let diagnosis = in_just_the_room(&|out, cap, len| {
            donjon_revocations_diagnose(keyring, b"{\"skew\":1}".as_ptr(), 10, out, cap, len)
        });
        assert!(diagnosis.ends_with(br#""message":"a member is not known"}"#));

        // Of the subject and the token, under the primary secret and the next one.
        let keys = in_just_the_room(&|out, cap, len| {
            donjon_revocations_keys(rules, ann, 3, id, 2, none, 0, none, 0, out, cap, len)
        });
        let keys = std::string::String::from_utf8(keys).unwrap();
        assert_eq!(keys.matches("\"{").count(), 4);
        let key = in_just_the_room(&|out, cap, len| {
            donjon_revocations_key(rules, DONJON_REVOKED_TOKEN, ann, 3, id, 2, out, cap, len)
        });
        assert_eq!(keys.split('"').nth(5).unwrap().as_bytes(), key);

        let keep_ms = core::cell::Cell::new(0_i64);
        let revoke = |kind, until_s, keep_ms, out, cap, len| {
            donjon_revocations_revoke(
                rules, kind, ann, 3, id, 2, none, 0, until_s, 5000, 0, keep_ms, out, cap, len,
            )
        };
        let record = in_just_the_room(&|out, cap, len| revoke(1, 65, keep_ms.as_ptr(), out, cap, len));
        assert_eq!((record.len(), keep_ms.get()), (20, 420_000));
        for kind in [0, 5, u32::MAX] {
            let (mut out, mut len) = ([0; 64], 0);
            let status = revoke(kind, 65, keep_ms.as_ptr(), out.as_mut_ptr(), 64, &raw mut len);
            assert_eq!(status, DONJON_INVALID_ARGUMENT);
        }

        let check = |values: &[u8], issued_at_s| {
            let (values, len) = (values.as_ptr(), values.len());
            donjon_revocations_check(rules, ann, 3, id, 2, none, 0, none, 0, issued_at_s, values, len, 0)
        };
        let found = [&[0; 8][..], &[0, 0, 0, 20], &record, &[0; 4]].concat();
        assert_eq!((check(&[0; 16], 5), check(&found, 5)), (DONJON_OK, DONJON_REVOKED));
        assert_eq!(
            (check(&[0; 12], 5), check(&[0; 16], DONJON_NEVER)),
            (DONJON_INVALID_ARGUMENT, DONJON_MISSING_CLAIM)
        );
        let mut since_s = 0;
        let issue =
            |since_ms, out| donjon_revocations_issue_since(rules, ann, 3, [0; 8].as_ptr(), 8, since_ms, out);
        assert_eq!((issue(0, &raw mut since_s), since_s), (DONJON_OK, DONJON_NEVER));
        assert_eq!((issue(9000, &raw mut since_s), since_s), (DONJON_OK, 9));

        let records = [&[0, 0, 0, 20][..], &record].concat();
        let sign = |out, cap, len| {
            let (records, records_len) = (records.as_ptr(), records.len());
            donjon_revocation_set_sign(keyring, 3, 0, 2, 5, 65, records, records_len, out, cap, len)
        };
        let bound = donjon_revocation_set_bound(records.len());
        let (mut bytes, mut len) = (std::vec![0; bound], 0);
        assert_eq!(
            (sign(bytes.as_mut_ptr(), bound - 1, &raw mut len), len),
            (DONJON_BUFFER_TOO_SMALL, bound)
        );
        assert_eq!(sign(bytes.as_mut_ptr(), bound, &raw mut len), DONJON_OK);
        assert_eq!(donjon_revocation_set_bound(usize::MAX), 0);

        let open =
            |last, now_s, out| donjon_revocation_set_open(bytes.as_ptr(), len, keyring, last, now_s, out);
        assert_eq!(open(4, 5, &raw mut set), DONJON_STATE_STALE);
        assert_eq!(open(3, 65, &raw mut set), DONJON_REVOCATION_SET_STALE);
        assert!(set.is_null());
        assert_eq!(open(3, 5, &raw mut set), DONJON_OK);
        let mut is_probable = 9;
        let check = |id: &[u8], now_s, is_probable| {
            let id_len = id.len();
            donjon_revocation_set_check(
                set,
                ann,
                3,
                id.as_ptr(),
                id_len,
                none,
                0,
                none,
                0,
                5,
                now_s,
                is_probable,
            )
        };
        assert_eq!((check(b"t1", 65, &raw mut is_probable), is_probable), (DONJON_REVOCATION_SET_STALE, 9));
        assert_eq!((check(b"t1", 5, &raw mut is_probable), is_probable), (DONJON_REVOKED, 1));
        assert_eq!((check(b"t2", 5, &raw mut is_probable), is_probable), (DONJON_OK, 0));
        let info = in_just_the_room(&|out, cap, len| donjon_revocation_set_info(set, out, cap, len));
        assert!(info.starts_with(br#"{"sequence":3,"issued_at_s":5,"#));

        donjon_revocation_set_free(set);
        donjon_revocation_set_free(core::ptr::null_mut());
        donjon_revocations_free(rules);
        donjon_revocations_free(core::ptr::null_mut());
        donjon_keyring_free(keyring);
    }
}

#[test]
fn the_reasons_of_a_marker_have_their_numbers() {
    let mut verdict =
        donjon_marker_verdict { since_ms: 0, keep_ms: 0, write: 9, reason: 9, reserved: [9; 6] };
    let mut decide = |stored: &[u8], seen: &[u8], now_ms| {
        let mut marker = [9; DONJON_MARKER_LEN];
        let (stored_len, seen_len) = (stored.len(), seen.len());
        // SAFETY: pointers and lengths of live values.
        let status = unsafe {
            donjon_store_marker(
                stored.as_ptr(),
                stored_len,
                seen.as_ptr(),
                seen_len,
                60_000,
                now_ms,
                marker.as_mut_ptr(),
                &raw mut verdict,
            )
        };
        assert_eq!((status, verdict.reserved), (DONJON_OK, [0; 6]));
        (verdict.reason, verdict.write, verdict.since_ms, marker)
    };
    let (reason, write, since_ms, first) = decide(&[], &[], 1000);
    assert_eq!((reason, write, since_ms), (DONJON_MARKER_MISSING, 1, 1000));
    assert_eq!(decide(&first, &first, 1999), (0, 0, 1000, first));
    let (reason, write, since_ms, second) = decide(&first, &first, 2000);
    assert_eq!((reason, write, since_ms), (0, 2, 1000));
    assert_eq!(decide(&first, &second, 2000).0, DONJON_MARKER_ROLLED_BACK);
    assert_eq!(decide(&second, &second, 62_001).0, DONJON_MARKER_SILENT);
    assert_eq!(decide(&first[1..], &[], 1000).0, DONJON_MARKER_DAMAGED);
}
