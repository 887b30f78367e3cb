//! What a keyring promises: which key makes, which check, and that no secret gets out by accident.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use donjon::entropy::FixedEntropy;
use donjon::error::Status;
use donjon::keyring::{KeyStatus, Keyring, KeyringError, Purpose};
use donjon::runtime::OsEntropy;
use donjon::signature::{Algorithm, AlgorithmSet};
use donjon::token::{Expected, Grant, Issuer, IssuerConfig, TokenError, Verifier, VerifierConfig};

const MASTER: &str = "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU";
const NOW: i64 = 1_800_000_000;

fn issuer(keyring: &Keyring) -> Issuer {
    Issuer::new(keyring, IssuerConfig::new(Expected::Waived, Expected::Waived)).unwrap()
}

fn mint(keyring: &Keyring) -> String {
    issuer(keyring).access(&Grant::new("ann"), NOW, &mut OsEntropy).unwrap()
}

fn verify(keyring: &Keyring, token: &str, now_s: i64) -> Result<(), TokenError> {
    let all: AlgorithmSet =
        Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric()).collect();
    let config = VerifierConfig::new(Expected::Waived, Expected::Waived, Expected::Waived, all);
    Verifier::new(keyring, config).unwrap().verify(token.as_bytes(), now_s).map(|_| ())
}

fn ids(keyring: &Keyring, status: KeyStatus) -> Vec<String> {
    let of_tokens = keyring.keys().filter(|key| key.purpose() == Purpose::Token && key.status() == status);
    of_tokens.filter_map(|key| key.id()).map(String::from).collect()
}

fn fresh() -> Keyring {
    Keyring::generate_from_json(b"", NOW, &mut OsEntropy).unwrap()
}

#[test]
fn rotation_logs_nobody_out_and_surprises_no_verifier() {
    let before = fresh();
    let published = Keyring::from_jwks(before.public_jwks(NOW).as_bytes()).unwrap();
    let old = mint(&before);
    let after = before.rotate(Purpose::Token, None, NOW, 3_600, &mut OsEntropy).unwrap();
    let new = mint(&after);

    assert_eq!(ids(&after, KeyStatus::Primary), ids(&before, KeyStatus::Active));
    assert_eq!(ids(&after, KeyStatus::VerifyOnly), ids(&before, KeyStatus::Primary));
    for keyring in [&before, &after, &published] {
        assert_eq!(verify(keyring, &old, NOW), Ok(()));
        assert_eq!(verify(keyring, &new, NOW), Ok(()), "the next key was published beforehand");
    }
    assert_eq!(verify(&after, &new, NOW + 1_799), Ok(()));
    let late = NOW + 3_600;
    assert_eq!(verify(&after, &old, late), Err(TokenError::KeyExpired));
    assert_eq!(after.public_jwks(late).matches("\"kid\"").count(), 2);
}

#[test]
fn a_rotation_may_change_the_algorithm() {
    let before = fresh();
    let after = before.rotate(Purpose::Token, Some(Algorithm::Es256), NOW, 3_600, &mut OsEntropy).unwrap();
    assert!(after.public_jwks(NOW).contains("\"alg\":\"ES256\""));
    assert_eq!(verify(&after, &mint(&before), NOW), Ok(()));
    assert_eq!(verify(&after, &mint(&after), NOW), Ok(()));
    assert_eq!(ids(&after, KeyStatus::Active).len(), 2, "the old line's next key stays until it is disabled");
}

#[test]
fn disabled_and_destroyed_keys_refuse_with_errors_of_their_own() {
    let keyring = fresh();
    let token = mint(&keyring);
    let id = &ids(&keyring, KeyStatus::Primary)[0];

    let disabled = keyring.with_status(id, KeyStatus::Disabled, None).unwrap();
    assert_eq!(verify(&disabled, &token, NOW), Err(TokenError::KeyDisabled));
    let destroyed = keyring.with_status(id, KeyStatus::Destroyed, None).unwrap();
    assert_eq!(verify(&destroyed, &token, NOW), Err(TokenError::KeyDestroyed));
    assert!(destroyed.with_status(id, KeyStatus::Active, None).is_err(), "destroyed is for good");

    let reloaded = Keyring::from_jwks(destroyed.secret_jwks().as_bytes()).unwrap();
    assert_eq!(verify(&reloaded, &token, NOW), Err(TokenError::KeyDestroyed));
    assert_eq!(keyring.with_status("none", KeyStatus::Disabled, None).unwrap_err(), KeyringError::UnknownKey);
}

#[test]
fn a_leaked_primary_can_be_disabled_at_once_and_replaced() {
    let keyring = fresh();
    let leaked = mint(&keyring);
    let id = &ids(&keyring, KeyStatus::Primary)[0];
    let without = keyring.with_status(id, KeyStatus::Disabled, None).unwrap();
    let after = without.rotate(Purpose::Token, None, NOW, 3_600, &mut OsEntropy).unwrap();
    assert_eq!(ids(&after, KeyStatus::Primary), ids(&keyring, KeyStatus::Active));
    assert_eq!(verify(&after, &mint(&after), NOW), Ok(()));
    assert_eq!(verify(&after, &leaked, NOW), Err(TokenError::KeyDisabled));

    let nothing = Keyring::generate(&[], NOW, &mut OsEntropy).unwrap();
    assert!(nothing.rotate(Purpose::Token, None, NOW, 0, &mut OsEntropy).is_err());
    let begun = nothing.rotate(Purpose::Token, Some(Algorithm::Hs256), NOW, 0, &mut OsEntropy).unwrap();
    assert_eq!(begun.keys().count(), 2);
}

#[test]
fn every_host_derives_the_same_keys_from_one_master_secret() {
    let here = Keyring::from_master(MASTER, "").unwrap();
    let there = Keyring::from_master(MASTER.as_bytes(), b"").unwrap();
    assert_eq!(*here.secret_jwks(), *there.secret_jwks());
    assert_eq!(verify(&there, &mint(&here), NOW), Ok(()));
    let other = Keyring::from_master("rEOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU", "").unwrap();
    assert_eq!(verify(&other, &mint(&here), NOW), Err(TokenError::UnknownKey));
}

#[test]
fn hosts_may_move_to_the_next_epoch_one_after_the_other() {
    let epoch = |epoch, oldest| {
        let config = format!(r#"{{"keys":[{{"purpose":"token","epoch":{epoch},"oldest":{oldest}}}]}}"#);
        Keyring::from_master(MASTER, config).unwrap()
    };
    let (first, second) = (epoch(1, 1), epoch(2, 1));
    assert_eq!(verify(&first, &mint(&second), NOW), Ok(()));
    assert_eq!(verify(&second, &mint(&first), NOW), Ok(()));
    assert_eq!(verify(&epoch(2, 2), &mint(&first), NOW), Err(TokenError::UnknownKey));
}

#[test]
fn derived_keys_are_disabled_but_never_said_to_be_destroyed() {
    let keyring = Keyring::from_master(MASTER, "").unwrap();
    let id = &ids(&keyring, KeyStatus::Primary)[0];
    assert!(keyring.with_status(id, KeyStatus::Destroyed, None).is_err());
    assert!(keyring.rotate(Purpose::Token, None, NOW, 0, &mut OsEntropy).is_err());
    let disabled = keyring.with_status(id, KeyStatus::Disabled, None).unwrap();
    assert_eq!(verify(&disabled, &mint(&keyring), NOW), Err(TokenError::KeyDisabled));
}

#[test]
fn a_master_secret_or_a_configuration_that_is_not_one_is_refused() {
    for master in
        ["", "changeme", "c2hvcnQ", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &format!("{MASTER}=")]
    {
        assert_eq!(Keyring::from_master(master, "").unwrap_err().status(), Status::ConfigError, "{master}");
    }
    for config in [
        "{}x",
        "[]",
        r#"{"other":[]}"#,
        r#"{"keys":{}}"#,
        r#"{"keys":[{}]}"#,
        r#"{"keys":[{"purpose":"nothing"}]}"#,
        r#"{"keys":[{"purpose":"token","epoch":0}]}"#,
        r#"{"keys":[{"purpose":"token","epoch":4294967295}]}"#,
        r#"{"keys":[{"purpose":"token","epoch":1,"oldest":2}]}"#,
        r#"{"keys":[{"purpose":"token","epoch":100,"oldest":1}]}"#,
        r#"{"keys":[{"purpose":"token","epoch":2,"disabled":[2]}]}"#,
        r#"{"keys":[{"purpose":"token","alg":"RS256"}]}"#,
        r#"{"keys":[{"purpose":"token","alg":"ES256"}]}"#,
        r#"{"keys":[{"purpose":"state-binding","alg":"EdDSA"}]}"#,
        r#"{"keys":[{"purpose":"token"},{"purpose":"token"}]}"#,
        r#"{"keys":[{"purpose":"token","extra":1}]}"#,
    ] {
        assert_eq!(
            Keyring::from_master(MASTER, config).unwrap_err().status(),
            Status::ConfigError,
            "{config}"
        );
    }
}

#[test]
fn a_keyring_survives_export_and_import() {
    let spec =
        br#"{"token":"ES256","state-binding":"HS256","csrf":"HS512","audit":"EdDSA","device":"HS384"}"#;
    let keyring = Keyring::generate_from_json(spec, NOW, &mut OsEntropy).unwrap();
    let rotated = keyring.rotate(Purpose::Token, None, NOW, 60, &mut OsEntropy).unwrap();
    let reloaded = Keyring::from_jwks(rotated.secret_jwks().as_bytes()).unwrap();
    assert_eq!(*reloaded.secret_jwks(), *rotated.secret_jwks());
    assert_eq!(reloaded.summary(), rotated.summary());
    assert_eq!(verify(&rotated, &mint(&reloaded), NOW), Ok(()));
}

#[test]
fn no_secret_stands_in_what_is_meant_for_others() {
    let keyring = Keyring::generate_from_json(
        br#"{"token":"EdDSA","state-binding":"HS256"}"#,
        NOW,
        &mut FixedEntropy::new(&(0..=255).collect::<Vec<u8>>()),
    )
    .unwrap();
    let secret = keyring.secret_jwks();
    let is_secret_member = |line: &str| line.starts_with("d\":") || line.starts_with("k\":");
    let secrets: Vec<&str> = secret
        .split(",\"")
        .filter(|member| is_secret_member(member))
        .map(|member| member.split('"').nth(2).unwrap())
        .collect();
    assert_eq!(secrets.len(), 4);
    let published = [
        keyring.public_jwks(NOW),
        keyring.summary(),
        format!("{keyring:?}"),
        format!("{:?}", issuer(&keyring)),
    ];
    for text in published {
        for secret in &secrets {
            assert!(!text.contains(secret), "{text}");
        }
    }
    assert!(!keyring.public_jwks(NOW).contains("oct"));
}

#[test]
fn a_thumbprint_is_the_example_of_rfc_7638() {
    let jwks = r#"{"keys":[{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}]}"#;
    let keyring = Keyring::from_jwks(jwks.as_bytes()).unwrap();
    assert!(keyring.summary().contains("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
}

#[test]
fn a_derived_key_stays_one_through_export_and_import() {
    let derived = Keyring::from_master(MASTER, "").unwrap();
    let reloaded = Keyring::from_jwks(derived.secret_jwks().as_bytes()).unwrap();
    let id = &ids(&reloaded, KeyStatus::Primary)[0];
    assert!(reloaded.with_status(id, KeyStatus::Destroyed, None).is_err());
    assert!(reloaded.rotate(Purpose::Token, None, NOW, 0, &mut OsEntropy).is_err());
}

#[test]
fn a_keyring_can_rotate_for_ever() {
    let mut keyring = fresh();
    for day in 0..600 {
        keyring =
            keyring.rotate(Purpose::Token, None, NOW + day * 86_400, 7 * 86_400, &mut OsEntropy).unwrap();
    }
    assert!(ids(&keyring, KeyStatus::VerifyOnly).len() <= 8);
    assert!(Keyring::from_jwks(keyring.secret_jwks().as_bytes()).is_ok());
}

#[test]
fn no_token_is_signed_with_a_key_whose_end_has_passed() {
    let jwks = fresh().secret_jwks().replacen("\"primary\"", "\"primary\",\"not_after_s\":1800000100", 1);
    let keyring = Keyring::from_jwks(jwks.as_bytes()).unwrap();
    let at = |now_s| issuer(&keyring).access(&Grant::new("ann"), now_s, &mut OsEntropy).map(|_| ());
    assert_eq!(at(NOW + 99), Ok(()));
    assert_eq!(at(NOW + 100), Err(TokenError::KeyExpired));
}

#[test]
fn an_end_before_1970_is_the_beginning_of_time_and_reads_back() {
    let keyring = fresh();
    let id = &ids(&keyring, KeyStatus::Active)[0];
    let ended = keyring.with_status(id, KeyStatus::VerifyOnly, Some(-1)).unwrap();
    assert!(Keyring::from_jwks(ended.secret_jwks().as_bytes()).is_ok());
}

#[test]
fn a_key_as_openssl_writes_it_is_read() {
    let whole = include_str!("data/ecparam.pem");
    let keyring = Keyring::from_pem(whole, Algorithm::Es256, Some("a")).unwrap();
    assert_eq!(verify(&keyring, &mint(&keyring), NOW), Ok(()));
    assert!(Keyring::from_pem(whole, Algorithm::EdDsa, None).is_err());
}

#[test]
fn what_an_identity_provider_publishes_is_read_past_what_is_unknown() {
    let jwks = r#"{"extra":1,"keys":[
        {"kty":"EC","crv":"P-521","kid":"a","x":"AA","y":"AA"},
        {"kty":"OKP","crv":"X25519","kid":"b","x":"AA"},
        {"kty":"AKP","alg":"ML-DSA-44","kid":"c","pub":"AA"},
        {"kty":"OKP","crv":"Ed25519","kid":"d","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","x5c":["AA"]},
        {"kty":"OKP","crv":"Ed25519","kid":"e","use":"enc","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    ]}"#;
    let keyring = Keyring::from_jwks(jwks.as_bytes()).unwrap();
    let read: Vec<_> = keyring.keys().map(|key| (key.id().unwrap(), key.algorithms().is_empty())).collect();
    assert_eq!(read, [("d", false), ("e", true)]);
}

#[test]
fn a_rotation_ends_no_key_that_opens_what_is_stored() {
    let spec = br#"{"envelope":"HS256","settings":"HS256","blind-index":"HS256"}"#;
    let mut keyring = Keyring::generate_from_json(spec, NOW, &mut OsEntropy).unwrap();
    for purpose in [Purpose::Envelope, Purpose::Settings, Purpose::BlindIndex] {
        for year in 0..10 {
            keyring = keyring.rotate(purpose, None, NOW + year * 31_557_600, 0, &mut OsEntropy).unwrap();
        }
        let statuses: Vec<_> =
            keyring.keys().filter(|key| key.purpose() == purpose).map(|key| key.status().name()).collect();
        assert_eq!(statuses, [vec!["verify-only"; 10], vec!["primary", "active"]].concat());
    }
    assert!(!keyring.summary().contains(r#""not_after_s":1"#), "{}", keyring.summary());
}

#[test]
fn an_end_that_an_operator_set_stays_through_a_rotation() {
    let primary = |purpose: &str| {
        let k = "zGLuHbk3xtJNkv0tRotLXLIkrXYhutSNkYf6PZ6OxnY";
        let jwks = format!(
            r#"{{"keys":[{{"kty":"oct","kid":"a","alg":"HS256","k":"{k}","purpose":"{purpose}","status":"primary","not_after_s":1900000000}}]}}"#
        );
        Keyring::from_jwks(jwks.as_bytes()).unwrap()
    };
    let rotated = primary("envelope").rotate(Purpose::Envelope, None, NOW, 60, &mut OsEntropy).unwrap();
    assert!(
        rotated.summary().contains(r#""status":"verify-only","created_s":null,"not_after_s":1900000000"#)
    );
    let again = rotated.rotate(Purpose::Envelope, None, 1_900_000_001, 60, &mut OsEntropy).unwrap();
    assert!(again.summary().contains(r#""kid":"a""#), "{}", again.summary());
}

/// The epochs in the order of the set, as the secret JWK Set has them.
fn epochs(keyring: &Keyring) -> Vec<String> {
    let set = keyring.secret_jwks();
    let after = set.split(r#""epoch":"#).skip(1);
    after.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect()).collect()
}

#[test]
fn the_keys_of_a_blind_index_count_their_epochs_and_use_none_twice() {
    let spec = br#"{"token":"EdDSA","envelope":"HS256","blind-index":"HS256"}"#;
    let made = Keyring::generate_from_json(spec, NOW, &mut OsEntropy).unwrap();
    assert_eq!(epochs(&made), ["1", "2"]);
    let rotated = made.rotate(Purpose::BlindIndex, None, NOW, 0, &mut OsEntropy).unwrap();
    assert_eq!(epochs(&rotated), ["1", "2", "3"]);
    let both = rotated.rotate(Purpose::BlindIndex, Some(Algorithm::Hs512), NOW, 0, &mut OsEntropy).unwrap();
    assert_eq!(
        epochs(&both),
        ["1", "2", "3", "4", "5"],
        "another algorithm makes a primary and an active key"
    );
    let newest =
        both.keys().filter(|key| key.status() == KeyStatus::Active).filter_map(|key| key.id()).last();
    let newest = newest.unwrap();
    let destroyed = both.with_status(newest, KeyStatus::Destroyed, None).unwrap();
    assert_eq!(epochs(&destroyed), epochs(&both), "a destroyed key keeps its epoch");
    let after = destroyed.rotate(Purpose::BlindIndex, None, NOW, 0, &mut OsEntropy).unwrap();
    assert!(epochs(&after).contains(&"6".into()), "{:?}", epochs(&after));
    let reloaded = Keyring::from_jwks(after.secret_jwks().as_bytes()).unwrap();
    assert_eq!(*reloaded.secret_jwks(), *after.secret_jwks());
}

#[test]
fn derived_keys_have_the_epochs_that_they_were_derived_for() {
    let config = r#"{"keys":[{"purpose":"blind-index","epoch":4294967294,"oldest":4294967293}]}"#;
    let derived = Keyring::from_master(MASTER, config).unwrap();
    assert_eq!(epochs(&derived), ["1", "2", "1", "2", "4294967293", "4294967294", "4294967295"]);
    let reloaded = Keyring::from_jwks(derived.secret_jwks().as_bytes()).unwrap();
    assert_eq!(epochs(&reloaded), epochs(&derived));
}

#[test]
fn an_epoch_that_is_none_is_refused() {
    let key = |epoch: &str| {
        let k = "zGLuHbk3xtJNkv0tRotLXLIkrXYhutSNkYf6PZ6OxnY";
        let jwks = format!(
            r#"{{"keys":[{{"kty":"oct","kid":"a","alg":"HS256","k":"{k}","purpose":"blind-index","epoch":{epoch}}}]}}"#
        );
        Keyring::from_jwks(jwks.as_bytes())
    };
    for epoch in ["0", "-1", "1.0", "1e0", "4294967296", "null", "true", r#""1""#, "[1]"] {
        assert!(matches!(key(epoch), Err(KeyringError::Key { index: 0, .. })), "{epoch}");
    }
    let last = key("4294967295").unwrap();
    let rotated = last.rotate(Purpose::BlindIndex, None, NOW, 0, &mut OsEntropy);
    assert_eq!(rotated.err(), Some(KeyringError::Set("no epoch is left")));
}

#[test]
fn no_rotation_makes_a_key_that_no_sealer_loads() {
    let public = [Algorithm::EdDsa, Algorithm::Es256];
    let all = [Algorithm::Hs384, Algorithm::Hs512, Algorithm::EdDsa, Algorithm::Es256];
    for (purpose, refused) in
        [(Purpose::Envelope, &all[..]), (Purpose::Settings, &all), (Purpose::BlindIndex, &public)]
    {
        let keyring = Keyring::generate(&[(purpose, Algorithm::Hs256)], NOW, &mut OsEntropy).unwrap();
        for &algorithm in refused {
            let made = Keyring::generate(&[(purpose, algorithm)], NOW, &mut OsEntropy);
            assert!(matches!(made, Err(KeyringError::Set(_))), "{algorithm:?}");
            let rotated = keyring.rotate(purpose, Some(algorithm), NOW, 0, &mut OsEntropy);
            assert!(matches!(rotated, Err(KeyringError::Set(_))), "{algorithm:?}");
            let (name, purpose) = (algorithm.name(), purpose.name());
            let config = format!(r#"{{"keys":[{{"purpose":"{purpose}","alg":"{name}","epoch":1}}]}}"#);
            assert!(Keyring::from_master(MASTER, config).is_err(), "{algorithm:?}");
        }
    }
}

#[test]
fn a_key_that_has_its_secret_was_not_destroyed() {
    let refused = |member: &str| {
        let key = format!(r#"{{"kid":"a","kty":"oct","purpose":"envelope","status":"destroyed"{member}}}"#);
        Keyring::from_jwks(format!(r#"{{"keys":[{key}]}}"#).as_bytes()).is_err()
    };
    assert!(!refused(""));
    assert!(refused(r#","k":"pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU""#));
    assert!(refused(r#","d":"pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU""#));
}
