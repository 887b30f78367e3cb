//! Any bytes as a JWK Set: what is read comes back the same when it is written and read again, and no
//! secret is published.
#![no_main]

use donjon::keyring::Keyring;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let Ok(keyring) = Keyring::from_jwks(text) else { return };
    let written = keyring.secret_jwks();
    let again = Keyring::from_jwks(written.as_bytes()).unwrap();
    assert_eq!(*again.secret_jwks(), *written);
    assert_eq!(again.summary(), keyring.summary());

    for now_s in [0, 1_700_000_000, i64::MAX] {
        let public = keyring.public_jwks(now_s);
        let published: serde_json::Value = serde_json::from_str(&public).unwrap();
        for key in published["keys"].as_array().unwrap() {
            assert!(key["kty"] != "oct" && key.get("d").is_none() && key.get("k").is_none());
        }
        assert_eq!(Keyring::from_jwks(public.as_bytes()).unwrap().public_jwks(now_s), public);
    }
    for key in keyring.keys() {
        assert!(format!("{key:?}").len() < 600);
    }
});
