//! ATTACKS.md 1 to 40 where a vector would be too large, or where what counts is not the answer alone: inputs of
//! megabytes, the memory that a refusal takes, chains of decisions, key sets that no JSON writer would write.
//! The rest is data: `tests/vectors`.

// A test may panic; the counting allocator is the one thing that cannot be had without `unsafe`.
#![allow(unsafe_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use donjon::base64url;
use donjon::client_address::{ClientAddressError, Proxies};
use donjon::entropy::FixedEntropy;
use donjon::envelope::{
    Context, Decryptor, Encryptor, EnvelopeError, Inspection, MAX_PREFIX_LEN, PassphraseParams, Sealer,
};
use donjon::error::Status;
use donjon::fernet::{Fernet, FernetError, derive_key};
use donjon::jwks::{JwksEvent, JwksPolicy, JwksState};
use donjon::keyring::{Keyring, KeyringError, MAX_JWKS_LEN, MAX_KEYS};
use donjon::password::{HasherConfig, Password, PasswordError, Profile, Strength, UserInputs, breach};
use donjon::rbac::{Permission, Policy, PolicyError};
use donjon::revocation::{RevocationError, RevocationFacts};
use donjon::runtime::{OsEntropy, PasswordHasher};
use donjon::signature::{Algorithm, AlgorithmSet};
use donjon::token::refresh::{DEFAULT_GRACE_MS, RefreshState, RefreshVerdict};
use donjon::token::{
    Expected, Grant, Issuer, IssuerConfig, MAX_HEADER_LEN, MAX_PAYLOAD_LEN, MAX_TOKEN_LEN, PurposeName,
    PurposeTokens, TokenError, TokenType, Verifier, VerifierConfig, sign_claims, unverified_header,
    verify_jws,
};

const NOW_S: i64 = 1_700_000_000;
const SECRET: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
const MASTER: &str = "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU";

/// Counts what this thread allocates.
struct Counting;

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.with(|bytes| bytes.set(bytes.get() + layout.size()));
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is the same.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocated_by<T>(call: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATED.with(Cell::get);
    let result = call();
    (result, ALLOCATED.with(Cell::get) - before)
}

fn hmac_keyring() -> Keyring {
    let jwks = format!(
        r#"{{"keys":[{{"kty":"oct","kid":"t","alg":"HS256","purpose":"token","status":"primary","k":"{SECRET}"}}]}}"#
    );
    Keyring::from_jwks(jwks.as_bytes()).unwrap()
}

fn verifier_of(keyring: &Keyring, algorithm: Algorithm, token_type: TokenType) -> Verifier {
    let algorithms = AlgorithmSet::one(algorithm);
    let expected = Expected::Exactly(token_type);
    Verifier::new(keyring, VerifierConfig::new(Expected::Waived, Expected::Waived, expected, algorithms))
        .unwrap()
}

fn verifier(keyring: &Keyring) -> Verifier {
    verifier_of(keyring, Algorithm::Hs256, TokenType::Access)
}

fn segment(text: impl AsRef<[u8]>) -> String {
    base64url::encode(text.as_ref())
}

/// A token under no key: right in its shape, wrong in its signature.
fn forged(header: &str, payload: &str) -> String {
    format!("{}.{}.{}", segment(header), segment(payload), segment([7; 32]))
}

const HEADER: &str = r#"{"alg":"HS256","kid":"t","typ":"at+jwt"}"#;

#[test]
fn attack_9_megabytes_are_refused_and_nothing_is_allocated() {
    let keyring = hmac_keyring();
    let verifier = verifier(&keyring);
    let megabyte = 1 << 20;
    let huge = "A".repeat(megabyte);
    let tokens = [
        ".".repeat(megabyte),
        ".".repeat(3_000),
        ".".repeat(MAX_TOKEN_LEN),
        huge.clone(),
        format!("{huge}.{huge}.{huge}"),
        format!("{}.{huge}.{}", segment(HEADER), segment([7; 32])),
        format!("{}..{huge}", segment(HEADER)),
        format!("{huge}.."),
        format!("{{{huge}"),
        format!("{}{{", " ".repeat(megabyte)),
        "[".repeat(megabyte),
        format!("{}.{}.{}", segment("[".repeat(MAX_HEADER_LEN)), segment("{}"), segment([7; 32])),
        format!("{}.{}.{}", segment(r#"{"a":"#.repeat(MAX_HEADER_LEN / 5)), segment("{}"), segment([7; 32])),
        forged(HEADER, &"[".repeat(MAX_PAYLOAD_LEN)),
    ];
    for token in &tokens {
        let (error, allocated) = allocated_by(|| verifier.verify(token.as_bytes(), NOW_S).unwrap_err());
        assert!(
            matches!(
                error,
                TokenError::TooLarge
                    | TokenError::Malformed
                    | TokenError::Unsupported
                    | TokenError::BadSignature
            ),
            "{error}"
        );
        assert_eq!(allocated, 0, "{error}: {}…", token.get(..20).unwrap_or(token));
        let (bare, allocated) = allocated_by(|| unverified_header(token.as_bytes()).is_err());
        assert!(bare || token.starts_with(&segment(HEADER)));
        assert!(allocated <= 4 * MAX_HEADER_LEN);
    }
}

#[test]
fn attack_9_a_forged_token_costs_no_allocation_whatever_its_header_says() {
    let keyring = hmac_keyring();
    let verifier = verifier(&keyring);
    let headers = [
        HEADER.to_owned(),
        r#"{"alg":"none"}"#.into(),
        r#"{"alg":"HS256","kid":"nobody"}"#.into(),
        format!(r#"{{"alg":"HS256","kid":"{}"}}"#, "k".repeat(3_000)),
        format!(r#"{{"alg":"HS256","kid":"t","jwk":{{"kty":"oct","k":"{}"}}}}"#, "A".repeat(2_000)),
        r#"{"alg":"HS256","kid":"t","crit":["a","b","c","d","e"]}"#.into(),
        format!(r#"{{"alg":"HS256","kid":"t","x5c":["{}"]}}"#, "A".repeat(3_000)),
        r#"{"alg":"HS256","alg":"HS256"}"#.into(),
        r#"{"alg":"HS256","kid":"t","zip":"DEF"}"#.into(),
        format!("{{{}}}", (0..600).map(|i| format!(r#""{i}":1"#)).collect::<Vec<_>>().join(",")),
    ];
    for header in &headers {
        for payload in
            ["{}".to_owned(), "x".repeat(MAX_PAYLOAD_LEN), format!(r#"{{"a":"{}"}}"#, "a".repeat(9_000))]
        {
            let token = forged(header, &payload);
            let (result, allocated) = allocated_by(|| verifier.verify(token.as_bytes(), NOW_S).map(|_| ()));
            assert!(result.is_err());
            assert_eq!(allocated, 0, "{header:.60}");
        }
    }
}

#[test]
fn attack_9_limits_are_exact() {
    let keyring = hmac_keyring();
    let verifier = verifier(&keyring);
    let padded = |size: usize| {
        let frame = format!(r#"{{"sub":"ann","exp":{},"p":""}}"#, NOW_S + 1);
        frame.replace(r#""p":"""#, &format!(r#""p":"{}""#, "x".repeat(size - frame.len())))
    };
    let token = sign_claims(&keyring, None, "at+jwt", padded(MAX_PAYLOAD_LEN).as_bytes()).unwrap();
    assert_eq!(verifier.verify(token.as_bytes(), NOW_S).unwrap().json().len(), MAX_PAYLOAD_LEN);
    let over = sign_claims(&keyring, None, "at+jwt", padded(MAX_PAYLOAD_LEN + 1).as_bytes());
    assert_eq!(over.unwrap_err(), TokenError::TooLarge);
    assert_eq!(verifier.verify(&vec![b'.'; MAX_TOKEN_LEN], NOW_S).unwrap_err(), TokenError::Malformed);
    assert_eq!(verifier.verify(&vec![b'.'; MAX_TOKEN_LEN + 1], NOW_S).unwrap_err(), TokenError::TooLarge);
}

#[test]
fn attack_13_the_twin_of_a_revoked_es256_token_has_the_same_id() {
    let mut keyring = None;
    // Entropy that both keys of a generated keyring can be made of.
    for seed in 1..=u8::MAX {
        let entropy: Vec<u8> = (0..=u8::MAX).map(|i| i.wrapping_mul(seed).wrapping_add(seed)).collect();
        let purposes = [(donjon::keyring::Purpose::Token, Algorithm::Es256)];
        keyring =
            keyring.or_else(|| Keyring::generate(&purposes, NOW_S, &mut FixedEntropy::new(&entropy)).ok());
    }
    let keyring = keyring.unwrap();
    let issuer = Issuer::new(&keyring, IssuerConfig::new(Expected::Waived, Expected::Waived)).unwrap();
    let token = issuer.access(&Grant::new("ann"), NOW_S, &mut FixedEntropy::new(&[7; 16])).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = base64url::decode(signature.as_bytes()).unwrap();
    let twin = [&signature[..32], &negated(&signature[32..])].concat();
    assert_ne!(twin, signature);
    let twin = format!("{signed}.{}", segment(twin));
    let verifier = verifier_of(&keyring, Algorithm::Es256, TokenType::Access);
    let [original, twin] = [token, twin].map(|token| verifier.verify(token.as_bytes(), NOW_S).unwrap());
    let revoked = original.token_id().unwrap();
    for claims in [&original, &twin] {
        let facts = RevocationFacts {
            issued_at_s: Some(NOW_S),
            subject_since_s: None,
            store_since_s: Some(0),
            skew_s: 2,
            is_token_revoked: claims.token_id() == Some(revoked),
            is_family_revoked: false,
            is_key_revoked: false,
        };
        assert_eq!(facts.check(), Err(RevocationError::Revoked));
    }
}

/// The order of P-256 less a scalar, both big-endian.
fn negated(scalar: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA,
        0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
    ];
    let mut borrow = 0;
    let mut out = vec![0; 32];
    for at in (0..32).rev() {
        let digit = i16::from(ORDER[at]) - i16::from(scalar[at]) - borrow;
        borrow = i16::from(digit < 0);
        out[at] = u8::try_from(digit.rem_euclid(256)).unwrap();
    }
    out
}

#[test]
fn attack_14_a_depth_bomb_is_refused_wherever_json_is_read() {
    let keyring = hmac_keyring();
    for depth in [33, 1_000, 100_000] {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let inner = if open == "[" { "" } else { "1" };
            let bomb = format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
            for text in [bomb.clone(), open.repeat(depth)] {
                assert!(matches!(
                    Keyring::from_jwks(text.as_bytes()),
                    Err(KeyringError::Json(_) | KeyringError::Set(_))
                ));
                assert!(keyring.import(text.as_bytes()).is_err());
                assert!(Keyring::from_master(MASTER, &text).is_err());
                assert!(VerifierConfig::from_json(text.as_bytes()).is_err());
                assert!(IssuerConfig::from_json(text.as_bytes()).is_err());
                let claims = format!(r#"{{"x":{text}}}"#);
                let refused = sign_claims(&keyring, None, "at+jwt", claims.as_bytes()).unwrap_err();
                assert!(matches!(refused, TokenError::Malformed | TokenError::TooLarge), "{refused}");
            }
        }
    }
}

#[test]
fn attack_14_a_key_set_that_two_readers_would_read_differently_is_refused() {
    let good = format!(r#"{{"kty":"oct","kid":"t","alg":"HS256","k":"{SECRET}"}}"#);
    assert!(Keyring::from_jwks(format!(r#"{{"keys":[{good}]}}"#).as_bytes()).is_ok());
    let inner = good.trim_matches(['{', '}']);
    let sets: Vec<Vec<u8>> = [
        format!(r#"{{"keys":[{good}],"keys":[]}}"#),
        format!(r#"{{"keys":[],"\u006beys":[{good}]}}"#),
        format!(r#"{{"keys":[{{{inner},"alg":"HS256"}}]}}"#),
        format!(r#"{{"keys":[{{{inner},"kty":"RSA"}}]}}"#),
        format!(r#"{{"keys":[{{{inner},"k":"{SECRET}"}}]}}"#),
        format!(r#"{{"keys":[{{{inner},"x":{{"a":1,"a":1}}}}]}}"#),
        format!(r#"{{"keys":[{good}]}} "#) + "x",
        format!(r#"{{"keys":[{good},]}}"#),
        format!(r#"{{"keys":[{{{inner},"x":NaN}}]}}"#),
        format!(r#"{{"keys":[{{{inner},"x":01}}]}}"#),
        format!(r#"{{"keys":[{{{inner},"x":"\ud800"}}]}}"#),
        format!(r#"{{"keys":[{{{inner},"not_after_s":9223372036854775808}}]}}"#),
        format!(r#"{{"keys":[{{{inner},"not_after_s":1e3}}]}}"#),
        format!(r#"{{"keys":[{{{inner},"created_s":1.0}}]}}"#),
        format!("\u{feff}{{\"keys\":[{good}]}}"),
        String::new(),
    ]
    .into_iter()
    .map(String::into_bytes)
    .chain([[br#"{"keys":[],"x":""#, &[0xFF][..], br#""}"#].concat()])
    .collect();
    for set in sets {
        let error = Keyring::from_jwks(&set).unwrap_err();
        assert_eq!(error.status(), Status::ConfigError, "{}", String::from_utf8_lossy(&set));
    }
}

#[test]
fn attack_6_and_9_key_sets_are_bounded() {
    let key = |i: usize| format!(r#"{{"kty":"oct","kid":"k{i}","alg":"HS256","k":"{SECRET}"}}"#);
    let set = |keys: usize| format!(r#"{{"keys":[{}]}}"#, (0..keys).map(key).collect::<Vec<_>>().join(","));
    assert_eq!(Keyring::from_jwks(set(MAX_KEYS).as_bytes()).unwrap().keys().count(), MAX_KEYS);
    assert!(Keyring::from_jwks(set(MAX_KEYS + 1).as_bytes()).is_err());
    let huge = format!(r#"{{"keys":[],"x":"{}"}}"#, "x".repeat(MAX_JWKS_LEN));
    let (result, allocated) = allocated_by(|| Keyring::from_jwks(huge.as_bytes()).is_err());
    assert!(result);
    assert_eq!(allocated, 0);
}

#[test]
fn attack_7_ten_thousand_unknown_keys_make_no_storm() {
    let policy = JwksPolicy { cooldown_ms: 30_000, max_age_ms: 600_000 };
    let mut state = JwksState::default();
    let mut fetches = 0;
    for i in 0..10_000 {
        // A thousand a second; and the state goes through the host's store each time.
        let verdict = state.refresh(JwksEvent::UnknownKey, NOW_S * 1_000 + i, policy).unwrap();
        fetches += i64::from(verdict.fetch);
        state = JwksState::from_bytes(&verdict.state.to_bytes()).unwrap();
    }
    assert_eq!(fetches, 1);
}

fn refresh_parts() -> (Issuer, Verifier, RefreshState) {
    let keyring = Keyring::from_master(MASTER, "").unwrap();
    let issuer = Issuer::new(&keyring, IssuerConfig::new(Expected::Waived, Expected::Waived)).unwrap();
    let state = RefreshState::begin(NOW_S * 1_000, &mut FixedEntropy::new(&[9; 16])).unwrap();
    (issuer, verifier_of(&keyring, Algorithm::EdDsa, TokenType::Refresh), state)
}

/// What a host does with a refresh token: verify, decide, and say which state to store.
fn present(verifier: &Verifier, token: &str, stored: &RefreshState, now_ms: i64) -> RefreshVerdict {
    let claims = verifier.verify(token.as_bytes(), now_ms / 1_000).unwrap();
    let (family, generation) = (claims.family().unwrap(), claims.generation().unwrap());
    RefreshState::rotate(Some(stored), family, generation, now_ms, DEFAULT_GRACE_MS).unwrap()
}

#[test]
fn attack_20_two_concurrent_refreshes_end_in_one_family_and_nobody_is_logged_out() {
    let (issuer, verifier, begun) = refresh_parts();
    let mint = |state: &RefreshState| issuer.refresh(state, &Grant::new("ann"), NOW_S).unwrap();
    let first = mint(&begun);
    let now_ms = NOW_S * 1_000;
    // Both read the state that was begun; one compare-and-swap wins, the other reads again and decides again.
    let RefreshVerdict::Rotate(winner) = present(&verifier, &first, &begun, now_ms) else { panic!() };
    let RefreshVerdict::Rotate(loser) = present(&verifier, &first, &begun, now_ms + 3) else { panic!() };
    assert_ne!(winner.to_bytes(), loser.to_bytes());
    let RefreshVerdict::Repeat(again) = present(&verifier, &first, &winner, now_ms + 3) else { panic!() };
    let ids = [mint(&winner), mint(&again)].map(|token| {
        let claims = verifier.verify(token.as_bytes(), NOW_S).unwrap();
        (claims.token_id().unwrap().to_owned(), claims.generation())
    });
    assert_eq!(ids[0], ids[1]);
    // Either of the two tokens goes on.
    assert!(matches!(present(&verifier, &mint(&again), &again, now_ms + 60_000), RefreshVerdict::Rotate(_)));
}

#[test]
fn attack_20_a_replay_after_the_grace_ends_the_family_for_thief_and_owner() {
    let (issuer, verifier, begun) = refresh_parts();
    let now_ms = NOW_S * 1_000;
    let stolen = issuer.refresh(&begun, &Grant::new("ann"), NOW_S).unwrap();
    let RefreshVerdict::Rotate(current) = present(&verifier, &stolen, &begun, now_ms) else { panic!() };
    let owner = issuer.refresh(&current, &Grant::new("ann"), NOW_S).unwrap();
    let late_ms = now_ms + DEFAULT_GRACE_MS + 1;
    let RefreshVerdict::ReuseDetected(revoked) = present(&verifier, &stolen, &current, late_ms) else {
        panic!()
    };
    for (token, at_ms) in [(&stolen, late_ms), (&owner, late_ms), (&stolen, now_ms + 1), (&owner, now_ms + 1)]
    {
        assert_eq!(present(&verifier, token, &revoked, at_ms), RefreshVerdict::Revoked);
    }
    assert_eq!(issuer.refresh(&revoked, &Grant::new("ann"), NOW_S).unwrap_err(), TokenError::Revoked);
}

#[test]
fn attack_12_and_14_no_token_survives_a_changed_character() {
    for algorithm in ["HS256", "ES256", "EdDSA"] {
        let (keyring, algorithm) = match algorithm {
            "HS256" => (hmac_keyring(), Algorithm::Hs256),
            "ES256" => (es256_keyring(), Algorithm::Es256),
            _ => (Keyring::from_master(MASTER, "").unwrap(), Algorithm::EdDsa),
        };
        let issuer = Issuer::new(&keyring, IssuerConfig::new(Expected::Waived, Expected::Waived)).unwrap();
        let token = issuer.access(&Grant::new("ann"), NOW_S, &mut FixedEntropy::new(&[7; 16])).unwrap();
        let verifier = verifier_of(&keyring, algorithm, TokenType::Access);
        assert!(verifier.verify(token.as_bytes(), NOW_S).is_ok());
        for at in 0..token.len() {
            for bit in [0x01, 0x20, 0x80] {
                let mut changed = token.clone().into_bytes();
                changed[at] ^= bit;
                assert!(verifier.verify(&changed, NOW_S).is_err(), "{at} {bit}");
                assert!(verify_jws(&keyring, AlgorithmSet::one(algorithm), &changed, NOW_S).is_err());
            }
            assert!(verifier.verify(&token.as_bytes()[..at], NOW_S).is_err());
            assert!(
                verifier
                    .verify(&[&token.as_bytes()[..at], &token.as_bytes()[at + 1..]].concat(), NOW_S)
                    .is_err()
            );
        }
    }
}

fn es256_keyring() -> Keyring {
    // RFC 7515 appendix A.3.
    let jwk = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"a3","alg":"ES256","purpose":"token","status":"primary",
        "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        "d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}]}"#;
    Keyring::from_jwks(jwk.as_bytes()).unwrap()
}

#[test]
fn attack_18_the_issuer_refuses_what_it_would_not_verify() {
    let keyring = hmac_keyring();
    let issuer = Issuer::new(&keyring, IssuerConfig::new(Expected::Waived, Expected::Waived)).unwrap();
    let mint = |subject: &str, claims: &str| {
        issuer.access(&Grant::new(subject).with_claims(claims), NOW_S, &mut FixedEntropy::new(&[7; 16]))
    };
    let bad = [
        r#"{"permissions":"a"}"#,
        r#"{"permissions":null}"#,
        r#"{"permissions":[1]}"#,
        r#"{"permissions":["a",["b"]]}"#,
        r#"{"roles":{"admin":true}}"#,
        r#"{"sub":"eve"}"#,
        r#"{"\u0073ub":"eve"}"#,
        r#"{"exp":1}"#,
        r#"{"nbf":"1"}"#,
        r#"{"jti":"x"}"#,
        r#"{"family":"x"}"#,
        r#"{"x":1,"x":2}"#,
        r#"{"x":1}{"sub":"eve"}"#,
        r#"{"x":1},"sub":"eve""#,
        r#""x":1"#,
        "[]",
        "null",
        "{",
    ];
    for claims in bad {
        assert!(mint("ann", claims).is_err(), "{claims}");
    }
    assert!(mint("", "").is_err());
    let verifier = verifier(&keyring);
    for claims in ["", "{}", r#" { "permissions" : [ "a" ] , "x" : {"sub":"eve"} } "#] {
        let token = mint("ann", claims).unwrap();
        assert_eq!(verifier.verify(token.as_bytes(), NOW_S).unwrap().subject(), Some("ann"));
    }
}

#[test]
fn a_list_of_critical_names_is_refused_as_it_is_read() {
    // As many as fit, which were once compared each with each: 6 ms a token. Nothing compares them now.
    let names = vec!["\"a\""; 1000].join(",");
    let header = format!(r#"{{"alg":"EdDSA","crit":[{names}]}}"#);
    let token = format!("{}.e30.{}", base64url::encode(header.as_bytes()), "A".repeat(86));
    let keyring = Keyring::from_master(MASTER, "").unwrap();
    let algorithms = AlgorithmSet::one(Algorithm::EdDsa);
    let error = verify_jws(&keyring, algorithms, token.as_bytes(), NOW_S).unwrap_err();
    assert_eq!(error, TokenError::UnsupportedCritical);
}

fn weak_hasher() -> PasswordHasher {
    let config = br#"{"memory_kib":8,"time_cost":1,"allow_weak":true,"memory_budget_kib":2097152,
        "legacy":["bcrypt","pbkdf2","scrypt","argon2i","argon2d"]}"#;
    PasswordHasher::new(&HasherConfig::from_json(config).unwrap(), None).unwrap()
}

#[test]
fn attack_22_a_stored_hash_that_asks_for_gigabytes_is_refused_before_anything_is_allocated() {
    let hasher = weak_hasher();
    let password = Password::new(b"correct horse").unwrap();
    let argon2 = |params: &str| {
        format!("$argon2id$v=19${params}$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
    };
    for stored in [
        argon2("m=4194304,t=1,p=1"),
        argon2("m=4294967295,t=4294967295,p=16777215"),
        argon2("m=2097152,t=5,p=1"),
        argon2("m=8,t=1,p=0"),
        argon2("m=15,t=1,p=2"),
        "$scrypt$ln=31,r=8,p=1$HScmhATmu/g8s0XQe0YJgA$TlcT/b/wFNH8VRpEqXsFXXK4GSl0b7TTsXwq9bWMUKk".into(),
        "$2b$31$6MGqnQGP6CxJ1pVg8uYzVeoHGidwOQkDL2UL0qf9JVSYnjAHH04/2".into(),
        "pbkdf2_sha256$4294967295$salt$M+XJCZJYGSzgR+bFI81HKb3UAwgTng+5Gf6DF7V9yf4=".into(),
    ] {
        let (refused, bytes) = allocated_by(|| hasher.verify(password, stored.as_bytes(), NOW_S));
        assert_eq!(refused, Err(PasswordError::ParamsOutOfBounds), "{stored}");
        assert!(bytes < 1024, "{stored}: {bytes}");
    }
    let endless = "$".repeat(1 << 20);
    let (refused, bytes) = allocated_by(|| hasher.verify(password, endless.as_bytes(), NOW_S));
    assert!(refused == Err(PasswordError::InvalidHash) && bytes < 1024);
    assert_eq!(hasher.memory_use().peak_kib, 0);
}

#[test]
fn attack_24_a_megabyte_of_password_is_refused_and_nothing_is_allocated() {
    let megabyte = vec![b'x'; 1 << 20];
    let (refused, bytes) = allocated_by(|| Password::new(&megabyte).map(|_| ()));
    assert!(refused == Err(PasswordError::TooLarge) && bytes == 0);
    // The same for what is judged and looked up: there is no other way to them than through a password.
    let longest = Password::new(&megabyte[..4096]).unwrap();
    let (judged, bytes) =
        allocated_by(|| Strength::of(Profile::Composition, longest, &UserInputs::default()));
    assert!(judged.is_ok_and(|strength| !strength.is_valid()) && bytes < 1 << 20);
    assert!(breach::count(longest, b"no range").is_err());
}

#[test]
fn attack_27_a_reset_token_is_used_once_however_many_try_at_once() {
    use std::sync::{Arc, Barrier, Mutex};

    let spec = br#"{"token":"EdDSA","state-binding":"HS256"}"#;
    let keyring = Keyring::generate_from_json(spec, NOW_S, &mut OsEntropy).unwrap();
    let tokens = Arc::new(PurposeTokens::new(&keyring).unwrap());
    let hasher = Arc::new(weak_hasher());
    let hash = |password: &str| {
        hasher.hash(Password::new(password.as_bytes()).unwrap(), NOW_S, &mut OsEntropy).unwrap()
    };
    let reset = PurposeName::new("reset").unwrap();
    let first = hash("forgotten");
    let token = tokens.mint(&reset, "ann", first.as_bytes(), 600, NOW_S, &mut OsEntropy).unwrap();
    let store = Arc::new(Mutex::new(first));
    let start = Arc::new(Barrier::new(8));
    let attempts: Vec<_> = (0..8)
        .map(|number| {
            let (tokens, hasher, store) = (Arc::clone(&tokens), Arc::clone(&hasher), Arc::clone(&store));
            let (start, token) = (Arc::clone(&start), token.clone());
            std::thread::spawn(move || {
                let reset = PurposeName::new("reset").unwrap();
                let seen = store.lock().unwrap().clone();
                start.wait();
                let good = tokens.check(&reset, "ann", seen.as_bytes(), token.as_bytes(), NOW_S).is_ok();
                let password = format!("chosen by {number}");
                let password = Password::new(password.as_bytes()).unwrap();
                let new = hasher.hash(password, NOW_S, &mut OsEntropy).unwrap();
                // The host's compare-and-swap: on the hash that the token was checked against.
                let mut stored = store.lock().unwrap();
                let is_first = good && *stored == seen;
                if is_first {
                    *stored = new;
                }
                is_first
            })
        })
        .collect();
    let used = attempts.into_iter().map(|attempt| attempt.join().unwrap());
    assert_eq!(used.filter(|used| *used).count(), 1);
    let stored = store.lock().unwrap().clone();
    assert_eq!(
        tokens.check(&reset, "ann", stored.as_bytes(), token.as_bytes(), NOW_S),
        Err(TokenError::Invalid)
    );
}

#[test]
fn attack_29_a_megabyte_of_permission_is_refused_and_nothing_is_allocated() {
    for text in [":".repeat(1 << 20), "a,".repeat(1 << 19), "a:".repeat(1 << 19), "*".repeat(1 << 20)] {
        let (refused, bytes) = allocated_by(|| Permission::parse(&text).is_err());
        assert!(refused && bytes == 0);
    }
}

#[test]
fn attack_33_policies_without_end_load_in_bounded_memory_or_are_refused() {
    let document = |roles: &str| {
        format!(r#"{{"permissions":["document:read:{{id}}","document:edit"],"roles":{{{roles}}}}}"#)
    };
    let roles = |count: usize, role: &dyn Fn(usize) -> String| {
        document(&(0..count).map(role).collect::<Vec<_>>().join(","))
    };
    let many = roles(100_000, &|n| format!(r#""r{n}":{{"allow":["document:read:{n}","document:edit"]}}"#));
    let (policy, bytes) = allocated_by(|| Policy::from_json(many.as_bytes()).unwrap());
    // All that was ever allocated; most of it was given back.
    assert!(bytes < 64 * many.len(), "{bytes} for {}", many.len());
    assert!(policy.allows(&["r99999"], None, "document:read", Some("99999")));
    assert!(!policy.allows(&["r99999"], None, "document:read", Some("99998")));

    let deep = |last: &str| {
        let chain = |n| format!(r#""r{n}":{{"inherits":["r{}"]}}"#, n + 1);
        roles(10_000, &|n| if n < 9_999 { chain(n) } else { format!(r#""r9999":{last}"#) })
    };
    let name = format!(r#""{}":{{}}"#, "x".repeat(1 << 20));
    for text in [deep("{}"), deep(r#"{"inherits":["r0"]}"#), document(&name)] {
        let Err(PolicyError::Refused { path, reason }) = Policy::from_json(text.as_bytes()) else {
            panic!("it loaded");
        };
        assert!(
            path.starts_with("roles.") && path.len() + reason.len() < 4096,
            "{}",
            path.len() + reason.len()
        );
    }
}

fn data_sealer() -> Sealer {
    Sealer::from_external(&[7; 32], "kms", b"wrapped").unwrap()
}

fn cheap_passphrase() -> Sealer {
    Sealer::from_passphrase(b"words", PassphraseParams::new(8, 1, 1).unwrap()).unwrap()
}

#[test]
fn attack_35_a_stream_of_a_gigabyte_holds_one_chunk_in_either_direction() {
    let (sealer, piece, pieces) = (data_sealer(), vec![5; 1 << 20], 1024);
    let (prefix, mut encryptor) = Encryptor::new(&sealer, &Context::EMPTY, NOW_S, &mut OsEntropy).unwrap();
    let (_, mut decryptor) = Decryptor::new(&sealer, &Context::EMPTY, NOW_S, &prefix).unwrap();
    let mut returned = 0;
    let ((), allocated) = allocated_by(|| {
        for _ in 0..pieces {
            let sealed = encryptor.push(&piece).unwrap();
            let opened = decryptor.push(&sealed).unwrap();
            assert!(opened.iter().all(|byte| *byte == 5));
            returned += sealed.len() + opened.len();
        }
        let last = encryptor.finish().unwrap();
        decryptor.push(&last).unwrap();
        returned += last.len() + decryptor.finish().unwrap().len();
    });
    // What came out was allocated to come out, and nothing else ever.
    assert!(allocated <= returned + 1024, "{allocated} for {returned}");
}

#[test]
fn attack_35_an_envelope_without_its_end_releases_no_chunk_that_it_lacks() {
    let sealer = data_sealer();
    let context = Context::new(&["files", "1"]).unwrap();
    let envelope = sealer.seal(&context, NOW_S, &[5; 4 * 16_384], &mut OsEntropy).unwrap();
    // An exact multiple of the chunk's size ends in an empty chunk of 16 bytes; without it all chunks are good.
    let cut = &envelope[..envelope.len() - 16];
    assert_eq!(sealer.open(&context, NOW_S, cut), Err(EnvelopeError::DecryptFailed));
    let (consumed, mut decryptor) = Decryptor::new(&sealer, &context, NOW_S, &cut[..MAX_PREFIX_LEN]).unwrap();
    assert_eq!(decryptor.push(&cut[consumed..]).unwrap(), [5; 4 * 16_384]);
    assert_eq!(decryptor.finish(), Err(EnvelopeError::DecryptFailed));
}

#[test]
fn attack_37_lengths_that_a_header_tells_allocate_nothing() {
    let sealer = data_sealer();
    let header = |kind: u8, key_id_len: u8, rest: &[u8]| [b"DJN1", &[kind, key_id_len][..], rest].concat();
    let megabyte = vec![b'k'; 1 << 20];
    let envelopes = [
        header(1, 255, b"k"),
        header(1, 128, &megabyte),
        header(1, 1, b"k\xff\xff"),
        header(2, 1, b"k\xff\xffwrap"),
        header(3, 16, b"0123456789abcdef\xff\xff"),
        header(4, 0, &[0xff; 30]),
        header(4, 255, &megabyte),
        header(5, 1, b"k\xff\xff"),
        header(5, 1, &[b"k\x18\x01", &megabyte[..]].concat()),
        header(9, 1, &megabyte),
        megabyte.clone(),
        Vec::new(),
    ];
    for envelope in &envelopes {
        for sealer in [&sealer, &cheap_passphrase()] {
            let (opened, allocated) = allocated_by(|| sealer.open(&Context::EMPTY, NOW_S, envelope));
            assert_eq!((opened, allocated), (Err(EnvelopeError::DecryptFailed), 0));
            let (begun, allocated) =
                allocated_by(|| Decryptor::new(sealer, &Context::EMPTY, NOW_S, envelope).err());
            assert_eq!((begun, allocated), (Some(EnvelopeError::DecryptFailed), 0));
        }
        let (inspected, allocated) = allocated_by(|| Inspection::new(envelope).is_err());
        assert!(inspected && allocated == 0);
    }
    let parts = vec![[0_u8; 64]; 1 << 16];
    let (context, allocated) = allocated_by(|| Context::new(&parts).err());
    assert_eq!(context, Some(EnvelopeError::TooLarge));
    assert!(allocated < 1 << 16, "{allocated}");
}

#[test]
fn attack_38_a_token_of_a_megabyte_that_is_none_is_refused_and_none_of_it_decrypted() {
    let fernet = Fernet::new("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=").unwrap();
    for token in ["A".repeat(1 << 20), "gAAA".repeat(1 << 18), "=".repeat(1 << 20), "\u{e9}".repeat(1 << 19)]
    {
        let (refused, allocated) = allocated_by(|| fernet.decrypt(NOW_S, None, token.as_bytes()).err());
        assert_eq!(refused, Some(FernetError::DecryptFailed));
        assert!(allocated <= token.len(), "{allocated}");
    }
}

#[test]
fn attack_40_work_and_memory_over_the_bounds_are_refused_before_either() {
    let sealer = cheap_passphrase();
    let envelope = sealer.seal(&Context::EMPTY, NOW_S, b"words", &mut OsEntropy).unwrap();
    let ask = |memory_kib: u32, time_cost: u32, parallelism: u32| {
        let mut asking = envelope.clone();
        let costs = [memory_kib, time_cost, parallelism].map(u32::to_be_bytes).concat();
        asking[22..34].copy_from_slice(&costs);
        allocated_by(|| sealer.open(&Context::EMPTY, NOW_S, &asking))
    };
    assert_eq!(ask(8, 1, 1).0.unwrap(), b"words");
    for (memory_kib, time_cost, parallelism) in [
        (u32::MAX, u32::MAX, u32::MAX),
        (u32::MAX, 1, 1),
        ((1 << 20) + 1, 1, 1),
        (1 << 20, 5, 1),
        (1 << 19, 9, 1),
        (1 << 18, 17, 1),
        (8, u32::MAX, 1),
        (1024, 1, 17),
        (8, 1, u32::MAX),
        (7, 1, 1),
        (8, 1, 2),
        (0, 0, 0),
    ] {
        let (refused, allocated) = ask(memory_kib, time_cost, parallelism);
        assert_eq!(refused, Err(EnvelopeError::ParamsOutOfBounds), "{memory_kib} {time_cost} {parallelism}");
        assert!(allocated < 4096, "{allocated}");
    }
    for iterations in [0, 10_000_001, u32::MAX] {
        assert_eq!(derive_key(b"words", b"salt", iterations).err(), Some(FernetError::ParamsOutOfBounds));
    }
}

#[test]
fn attack_47_headers_of_megabytes_are_decided_about_and_nothing_is_allocated() {
    let refused = ClientAddressError::Peer;
    for (header, entries, last) in [
        ("x-forwarded-for", ["1.2.3.4, ", "10.1.1.1,", ",", "\n", "\0"], "203.0.113.7"),
        ("forwarded", ["for=\"", "\\\"", "for=10.1.1.1;", ",", "for=\"[::1]\", "], "for=203.0.113.7"),
        ("x-real-ip", ["1.2.3.4", " ", ",", "\n", "[::"], "203.0.113.7"),
    ] {
        let trusted = format!(r#"{{"header":"{header}","trusted":["10.0.0.0/8"]}}"#);
        let counted = format!(r#"{{"header":"{header}","hops":255}}"#);
        let (trusted, counted) = (
            Proxies::from_json(trusted.as_bytes()).unwrap(),
            Proxies::from_json(counted.as_bytes()).unwrap(),
        );
        for entry in entries {
            let lines = entry.repeat((1 << 20) / entry.len());
            let appended = format!("{lines}, {last}");
            let ((client, far, alone), allocated) = allocated_by(|| {
                let client = trusted.client(b"10.0.0.1", appended.as_bytes());
                (client, counted.client(b"", appended.as_bytes()), trusted.client(lines.as_bytes(), b""))
            });
            assert_eq!((alone, allocated), (Err(refused.clone()), 0), "{header} {entry:?}");
            let expected = if header == "x-real-ip" { "10.0.0.1" } else { "203.0.113.7" };
            assert_eq!(client.unwrap().ip.to_string(), expected, "{header} {entry:?}");
            assert!(far.is_err() || entry.contains('1'), "{header} {entry:?}");
        }
    }
}
