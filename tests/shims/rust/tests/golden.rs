//! The derivations that `tests/vectors/golden` pins.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;

use donjon::keyring::Keyring;
use donjon::password::{HasherConfig, Password};
use donjon::runtime::PasswordHasher;
use donjon::token::refresh::RefreshState;
use donjon::token::{Expected, Grant, Issuer, IssuerConfig};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

fn read(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/golden").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn by_id(keys: &Value) -> Vec<&Value> {
    let mut keys: Vec<&Value> = keys.as_array().unwrap().iter().collect();
    keys.sort_by_key(|key| key["kid"].as_str());
    keys
}

#[test]
fn a_master_secret_gives_the_same_keyring_for_ever() {
    for case in read("master.json")["cases"].as_array().unwrap() {
        let config = if case["config"].is_null() { String::new() } else { case["config"].to_string() };
        let keyring = Keyring::from_master(case["master"].as_str().unwrap(), config).unwrap();
        let given: Value = serde_json::from_str(&keyring.secret_jwks()).unwrap();
        let (expected, given) = (by_id(&case["keys"]), by_id(&given["keys"]));
        assert_eq!(expected.len(), given.len(), "{}", case["name"]);
        for (expected, given) in expected.iter().zip(given) {
            for (name, value) in expected.as_object().unwrap().iter().filter(|(name, _)| *name != "epoch") {
                assert_eq!(&given[name], value, "{}: {name} of {expected}", case["name"]);
            }
        }
    }
}

#[test]
fn a_refresh_token_s_id_is_the_same_whoever_mints_it() {
    let golden = read("refresh_jti.json");
    let signer = json!({"kty": "oct", "kid": "t", "alg": "HS256", "purpose": "token", "status": "primary",
        "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"});
    let keyring = json!({"keys": [signer, golden["state_binding_key"]]}).to_string();
    let keyring = Keyring::from_jwks(keyring.as_bytes()).unwrap();
    let issuer = Issuer::new(&keyring, IssuerConfig::new(Expected::Waived, Expected::Waived)).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let family = donjon::base64url::decode(case["family"].as_str().unwrap().as_bytes()).unwrap();
        let generation = u32::try_from(case["generation"].as_u64().unwrap()).unwrap();
        let state = [&[1, 0, 0, 0][..], &generation.to_be_bytes(), &[0; 8], &family].concat();
        let state = RefreshState::from_bytes(&state).unwrap();
        for (subject, now_s) in [("ann", 0), ("bob", 1_700_000_000)] {
            let token = issuer.refresh(&state, &Grant::new(subject), now_s).unwrap();
            let payload = donjon::base64url::decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
            let claims: Value = serde_json::from_slice(&payload).unwrap();
            for name in ["jti", "family", "generation"] {
                assert_eq!(claims[name], case[name], "{}", case["name"]);
            }
        }
    }
}

fn bytes(hex: &Value) -> Vec<u8> {
    let digits = hex.as_str().unwrap().as_bytes();
    let byte = |pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

#[test]
fn hashes_of_donjon_and_of_the_libraries_before_it_are_read_for_ever() {
    let config = br#"{"legacy":["bcrypt","pbkdf2","scrypt","argon2i","argon2d"]}"#;
    let config = HasherConfig::from_json(config).unwrap();
    for name in ["hashes.json", "foreign.json"] {
        let golden = read(name);
        let peppers = golden.get("peppers").map(|keys| json!({ "keys": keys }).to_string());
        let peppers = peppers.map(|jwks| Keyring::from_jwks(jwks.as_bytes()).unwrap());
        let hasher = PasswordHasher::new(&config, peppers.as_ref()).unwrap();
        for case in golden["cases"].as_array().unwrap() {
            let password = bytes(&case["password_hex"]);
            let stored = case["hash"].as_str().unwrap().as_bytes();
            let verdict = hasher.verify(Password::new(&password).unwrap(), stored, 0);
            assert!(verdict.is_ok(), "{name}: {}: {verdict:?}", case["name"]);
        }
    }
}

/// How many golden cases a file of vectors has, and the digest of their requests and answers.
fn golden(name: &str) -> (usize, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors").join(name).with_extension("json");
    let document: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let cases = document["cases"].as_array().unwrap().iter().filter(|case| case["golden"] == json!(true));
    let (mut count, mut digest) = (0, Sha256::new());
    for case in cases {
        count += 1;
        digest.update(case["request"].to_string());
        digest.update(case["answer"].to_string());
    }
    (count, digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// The vectors' own test opens them; this one sees to it that they stay. New ones change a line here, old ones none.
#[test]
fn what_was_stored_once_is_in_the_vectors_for_ever() {
    for (name, count, digest) in [
        ("chunked", 22, "139afbd48c871835"),
        ("envelopes", 22, "a6e950fd30205870"),
        ("cells", 9, "efe3047b9a78c02d"),
        ("passphrase", 16, "61d66bf31a950d8c"),
        ("external", 9, "dfdec67bcbaf683f"),
        ("streams", 11, "fa66e8f8c7499eeb"),
        ("blind_index", 20, "9b11bf3a87995477"),
        ("settings", 10, "29aaa68016ca85da"),
        ("fernet", 10, "0f94ad2f6bbe3842"),
        ("aes_engine", 32, "4c0f1901ed99f562"),
        ("session-keys", 35, "a7d312aa2ea9581d"),
        ("session-records", 4, "7ca208e00f4f7173"),
        ("revocation-keys", 33, "3b6186c84cc91c5a"),
        ("revocation-records", 5, "594e6a847a59a408"),
        ("store-marker", 2, "54e8742f126b0340"),
        ("revocation-set", 3, "38c5998e38fbabe0"),
        ("revocation-set-checking", 10, "a07309b346f691e6"),
    ] {
        assert_eq!(golden(name), (count, digest.into()), "{name}");
    }
}
