use std::ffi::CStr;
use std::mem::{align_of, offset_of, size_of};

use super::*;
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
    assert_eq!(DONJON_JWKS_STATE_LEN, JWKS_STATE_LEN);
    assert_eq!(DONJON_PASSWORD_MAX, MAX_PASSWORD_LEN);
    assert_eq!(DONJON_PASSWORD_HASH_MAX, MAX_STORED_LEN);
    assert_eq!(DONJON_NEVER, crate::time::NEVER_S);
}

#[test]
fn structures_keep_their_layout() {
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
    assert_eq!(
        (size_of::<donjon_password_verdict>(), offset_of!(donjon_password_verdict, truncated)),
        (8, 4)
    );
    assert_eq!((size_of::<donjon_jwks_verdict>(), offset_of!(donjon_jwks_verdict, state)), (40, 16));
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
        include_str!("hasher.rs"),
        include_str!("issuer.rs"),
        include_str!("jwks.rs"),
        include_str!("keyring.rs"),
        include_str!("password.rs"),
        include_str!("purpose.rs"),
        include_str!("refresh.rs"),
        include_str!("revocation.rs"),
        include_str!("test_entropy.rs"),
        include_str!("verifier.rs"),
    ];
    let mut exports = 0;
    for source in sources {
        for export in source.split("#[unsafe(no_mangle)]").skip(1) {
            let body = export.split("\n}").next().unwrap();
            // What takes no pointer and calls a `const fn` has nothing that could panic.
            let is_arithmetic = body.contains("_bound(") && !body.contains('*');
            assert!(body.contains("guard(|| ") || is_arithmetic, "{body}");
            exports += 1;
        }
    }
    assert!(exports >= 28, "{exports}");
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
