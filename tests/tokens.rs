//! What tokens promise: types that never pass for each other, expectations that are never defaulted away,
//! and a signature that outranks every claim.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use donjon::entropy::FixedEntropy;
use donjon::keyring::Keyring;
use donjon::runtime::OsEntropy;
use donjon::signature::{Algorithm, AlgorithmSet};
use donjon::token::refresh::{RefreshState, RefreshVerdict};
use donjon::token::{
    Claims, Expected, Grant, Issuer, IssuerConfig, PurposeName, PurposeTokens, TokenError, TokenType,
    Verifier, VerifierConfig, sign_claims, sign_claims_bound,
};

const MASTER: &str = "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU";
const NOW: i64 = 1_800_000_000;

fn keyring() -> Keyring {
    Keyring::from_master(MASTER, "").unwrap()
}

fn issuer() -> Issuer {
    let config = IssuerConfig::new(
        Expected::Exactly("https://auth.example".into()),
        Expected::Exactly(vec!["api".into(), "admin".into()]),
    );
    Issuer::new(&keyring(), config).unwrap()
}

fn config(token_type: TokenType) -> VerifierConfig {
    VerifierConfig::new(
        Expected::Exactly("https://auth.example".into()),
        Expected::Exactly(vec!["api".into()]),
        Expected::Exactly(token_type),
        AlgorithmSet::one(Algorithm::EdDsa),
    )
}

fn verify_as(token_type: TokenType, token: &str) -> Result<Claims, TokenError> {
    Verifier::new(&keyring(), config(token_type)).unwrap().verify(token.as_bytes(), NOW)
}

fn lenient() -> VerifierConfig {
    let mut config = VerifierConfig::new(
        Expected::Waived,
        Expected::Waived,
        Expected::Waived,
        AlgorithmSet::one(Algorithm::EdDsa),
    );
    config.expiry = Expected::Waived;
    config
}

fn sign(claims: &str) -> String {
    sign_claims(&keyring(), None, "at+jwt", claims.as_bytes()).unwrap()
}

fn verify(config: VerifierConfig, token: &str) -> Result<Claims, TokenError> {
    Verifier::new(&keyring(), config).unwrap().verify(token.as_bytes(), NOW)
}

#[test]
fn an_access_token_carries_what_it_grants() {
    let grant =
        Grant::new("ann\u{e9}").with_claims(r#"{"permissions":["a:b","c"],"roles":[],"org":{"id":7}}"#);
    let token = issuer().access(&grant, NOW, &mut FixedEntropy::new(&[0xAB; 16])).unwrap();
    let claims = verify_as(TokenType::Access, &token).unwrap();
    assert_eq!(claims.subject(), Some("ann\u{e9}"));
    assert_eq!(claims.issuer(), Some("https://auth.example"));
    assert_eq!(claims.token_id(), Some("q6urq6urq6urq6urq6urqw"));
    assert_eq!(claims.expires_at().unwrap().seconds(), NOW + 1_800);
    assert_eq!(claims.permissions().map(|text| text.decode().into_owned()).collect::<Vec<_>>(), ["a:b", "c"]);
    assert_eq!(claims.roles().count(), 0);
    assert_eq!(claims.audience().count(), 2);
    assert!(claims.key_id().is_some());
    assert_eq!(
        claims.json(),
        "{\"iss\":\"https://auth.example\",\"sub\":\"ann\u{e9}\",\"aud\":[\"api\",\"admin\"],\"iat\":1800000000,\
         \"exp\":1800001800,\"jti\":\"q6urq6urq6urq6urq6urqw\",\"permissions\":[\"a:b\",\"c\"],\"roles\":[],\
         \"org\":{\"id\":7}}"
    );
}

#[test]
fn no_type_of_token_passes_for_another() {
    let state = RefreshState::begin(NOW * 1000, &mut OsEntropy).unwrap();
    let reset = PurposeName::new("reset").unwrap();
    let invite = PurposeName::new("invite").unwrap();
    let purposes = PurposeTokens::new(&keyring()).unwrap();
    let issuer = Issuer::new(&keyring(), IssuerConfig::new(Expected::Waived, Expected::Waived)).unwrap();
    let mint = |purpose| purposes.mint(purpose, "ann", b"state", 60, NOW, &mut OsEntropy).unwrap();
    let tokens = [
        (TokenType::Access, issuer.access(&Grant::new("ann"), NOW, &mut OsEntropy).unwrap()),
        (TokenType::Refresh, issuer.refresh(&state, &Grant::new("ann"), NOW).unwrap()),
        (TokenType::Purpose(reset.clone()), mint(&reset)),
        (TokenType::Purpose(invite.clone()), mint(&invite)),
    ];
    for (made_as, token) in &tokens {
        for (taken_as, _) in &tokens {
            let mut expectations = config(taken_as.clone());
            expectations.issuer = Expected::Waived;
            expectations.audience = Expected::Waived;
            let outcome = verify(expectations, token).map(|_| ());
            let expected = if made_as == taken_as { Ok(()) } else { Err(TokenError::WrongTokenType) };
            assert_eq!(outcome, expected, "{made_as:?} as {taken_as:?}");
        }
        for purpose in [&reset, &invite] {
            let is_its_own = *made_as == TokenType::Purpose(purpose.clone());
            assert_eq!(purposes.check(purpose, "ann", b"state", token.as_bytes(), NOW).is_ok(), is_its_own);
        }
    }
}

#[test]
fn a_forged_and_expired_token_is_forged() {
    let token = sign(r#"{"exp":1,"iss":"other","sub":7}"#.replace(":7", ":\"7\"").as_str());
    assert_eq!(verify_as(TokenType::Access, &token).unwrap_err(), TokenError::Expired);
    let (head, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", "A".repeat(86));
    assert_eq!(verify_as(TokenType::Access, &forged).unwrap_err(), TokenError::BadSignature);
}

#[test]
fn every_flipped_bit_and_every_truncation_is_noticed() {
    let token = sign(r#"{"exp":9999999999,"sub":"ann"}"#);
    let verifier = Verifier::new(&keyring(), lenient()).unwrap();
    assert!(verifier.verify(token.as_bytes(), NOW).is_ok());
    for at in 0..token.len() {
        assert!(verifier.verify(&token.as_bytes()[..at], NOW).is_err());
        for bit in 0..8 {
            let mut flipped = token.clone().into_bytes();
            flipped[at] ^= 1 << bit;
            assert!(verifier.verify(&flipped, NOW).is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn times_are_compared_exactly() {
    let at = |claims: &str| verify(lenient(), &sign(claims)).map(|_| ());
    assert_eq!(at(&format!(r#"{{"exp":{NOW}}}"#)), Err(TokenError::Expired));
    assert_eq!(at(&format!(r#"{{"exp":{NOW}.0000000000000000001}}"#)), Ok(()));
    assert_eq!(at(&format!(r#"{{"exp":{}}}"#, NOW + 1)), Ok(()));
    assert_eq!(at(&format!(r#"{{"nbf":{NOW}}}"#)), Ok(()));
    assert_eq!(at(&format!(r#"{{"nbf":{NOW}.1}}"#)), Err(TokenError::NotYetValid));
    assert_eq!(at(&format!(r#"{{"iat":{}}}"#, NOW + 3)), Ok(()));
    assert_eq!(at(&format!(r#"{{"iat":{}}}"#, NOW + 4)), Err(TokenError::NotYetValid));
    let with_leeway =
        |leeway_s, claims: &str| verify(VerifierConfig { leeway_s, ..lenient() }, &sign(claims)).map(|_| ());
    assert_eq!(with_leeway(60, &format!(r#"{{"exp":{}}}"#, NOW - 59)), Ok(()));
    assert_eq!(with_leeway(60, &format!(r#"{{"exp":{}}}"#, NOW - 60)), Err(TokenError::Expired));
    assert_eq!(with_leeway(60, &format!(r#"{{"nbf":{}}}"#, NOW + 60)), Ok(()));
    for leeway_s in [-1, 301, i64::MAX] {
        assert!(Verifier::new(&keyring(), VerifierConfig { leeway_s, ..lenient() }).is_err());
    }
}

#[test]
fn extreme_clocks_neither_wrap_nor_panic() {
    let token = sign(r#"{"exp":9223372036854775807,"nbf":0,"iat":0}"#);
    let config = VerifierConfig { leeway_s: 300, ..lenient() };
    let verifier = Verifier::new(&keyring(), config).unwrap();
    for now_s in [0, i64::MAX - 1] {
        assert!(verifier.verify(token.as_bytes(), now_s).is_ok());
    }
    assert_eq!(verifier.verify(token.as_bytes(), i64::MAX).map(|_| ()), Ok(()), "leeway saturates");
    for now_s in [i64::MIN, -1] {
        assert_eq!(verifier.verify(token.as_bytes(), now_s).unwrap_err(), TokenError::InvalidArgument);
    }
    let late = issuer().access(&Grant::new("ann"), i64::MAX, &mut OsEntropy).unwrap();
    assert!(verifier.verify(late.as_bytes(), i64::MAX - 1).is_ok());
    assert_eq!(issuer().access(&Grant::new("ann"), -1, &mut OsEntropy), Err(TokenError::InvalidArgument));
}

#[test]
fn the_json_form_of_a_configuration_waives_only_what_it_names() {
    let parse = |text: &str| VerifierConfig::from_json(text.as_bytes());
    let good = r#"{"issuer":null,"audience":null,"type":null,"algorithms":["EdDSA"]}"#;
    assert!(parse(good).is_ok());
    for missing in
        [r#""issuer":null,"#, r#""audience":null,"#, r#""type":null,"#, r#","algorithms":["EdDSA"]"#]
    {
        assert!(parse(&good.replace(missing, "")).is_err(), "{missing}");
    }
    for (from, to) in [
        (r#"["EdDSA"]"#, "null"),
        (r#"["EdDSA"]"#, r#"["none"]"#),
        (r#"["EdDSA"]"#, r#""EdDSA""#),
        (r#""issuer":null"#, r#""issuer":"""#),
        (r#""issuer":null"#, r#""issuer":["a"]"#),
        (r#""type":null"#, r#""type":"access""#),
        (r#""type":null"#, r#""type":null,"leeway":1"#),
        (r#""type":null"#, r#""type":null,"type":null"#),
    ] {
        assert!(parse(&good.replace(from, to)).is_err(), "{to}");
    }
    let empty = good.replace(r#"["EdDSA"]"#, "[]");
    assert!(Verifier::new(&keyring(), parse(&empty).unwrap()).is_err());
    let typeless = good.replace('}', r#","legacy_type_claim":"type"}"#);
    assert!(Verifier::new(&keyring(), parse(&typeless).unwrap()).is_err());
}

#[test]
fn a_claim_that_is_required_twice_is_required() {
    let required = |names: &[&str]| VerifierConfig {
        required: names.iter().map(ToString::to_string).collect(),
        ..lenient()
    };
    let token = sign(r#"{"sub":"ann","\u006frg":1}"#);
    assert!(verify(required(&["sub", "org", "sub"]), &token).is_ok());
    assert_eq!(verify(required(&["sub", "other"]), &token).unwrap_err(), TokenError::MissingClaim);
    let many: Vec<String> = (0..65).map(|i| i.to_string()).collect();
    assert!(Verifier::new(&keyring(), VerifierConfig { required: many, ..lenient() }).is_err());
}

#[test]
fn old_tokens_verify_by_their_type_claim_and_only_by_it() {
    let old = |claims: &str| sign_claims(&keyring(), None, "JWT", claims.as_bytes()).unwrap();
    let mut expectations = config(TokenType::Access);
    expectations.issuer = Expected::Waived;
    expectations.audience = Expected::Waived;
    expectations.legacy_type_claim = Some("token_type".into());
    let check = |token: &str| verify(expectations.clone(), token).map(|_| ());
    assert_eq!(check(&old(r#"{"exp":9999999999,"token_type":"access"}"#)), Ok(()));
    assert_eq!(check(&old(r#"{"exp":9999999999,"token_type":"refresh"}"#)), Err(TokenError::WrongTokenType));
    assert_eq!(check(&old(r#"{"exp":9999999999}"#)), Err(TokenError::MissingClaim));
    assert_eq!(check(&old(r#"{"exp":9999999999,"token_type":1}"#)), Err(TokenError::BadClaimType));
    let refresh =
        sign_claims(&keyring(), None, "rt+jwt", br#"{"exp":9999999999,"token_type":"access"}"#).unwrap();
    assert_eq!(check(&refresh), Err(TokenError::WrongTokenType), "a type in the header still counts");
}

#[test]
fn white_space_and_escapes_change_nothing_that_a_host_sees() {
    let payload =
        "{ \"sub\" : \"\\u0061nn\",\n\t\"e\\u0078p\": 9999999999 , \"permissions\":[ \"\\u0078\" ] }";
    let claims = verify(lenient(), &foreign(payload)).unwrap();
    assert_eq!(claims.subject(), Some("ann"));
    assert_eq!(claims.expires_at().unwrap().seconds(), 9_999_999_999);
    assert_eq!(claims.permissions().next().unwrap(), "x");
    assert_eq!(
        claims.json(),
        "{\"sub\":\"\\u0061nn\",\"e\\u0078p\":9999999999,\"permissions\":[\"\\u0078\"]}"
    );
}

/// A token as another library may write it: signed as it stands, white space and all.
fn foreign(payload: &str) -> String {
    use donjon::base64url::encode;
    use ed25519_dalek::{Signer as _, SigningKey};
    let keyring = keyring();
    let jwks = keyring.secret_jwks();
    let primary = jwks.split('{').find(|key| key.contains("\"primary\"") && key.contains("\"d\":")).unwrap();
    let member =
        |name: &str| primary.split(&format!("\"{name}\":\"")).nth(1).unwrap().split('"').next().unwrap();
    let seed = donjon::base64url::decode(member("d").as_bytes()).unwrap();
    let header = format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, member("kid"));
    let signed = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
    let signature = SigningKey::from_bytes(&seed.try_into().unwrap()).sign(signed.as_bytes());
    format!("{signed}.{}", encode(&signature.to_bytes()))
}

#[test]
fn what_may_not_be_minted_is_not() {
    let mint = |grant: Grant<'_>| issuer().access(&grant, NOW, &mut OsEntropy).map(|_| ()).unwrap_err();
    let grant = Grant::new("ann");
    assert_eq!(mint(Grant::new("")), TokenError::InvalidArgument);
    assert_eq!(mint(Grant::new(&"a".repeat(1025))), TokenError::TooLarge);
    assert_eq!(mint(Grant { ttl_s: Some(0), ..grant }), TokenError::InvalidArgument);
    assert_eq!(mint(Grant { ttl_s: Some(-1), ..grant }), TokenError::InvalidArgument);
    for (claims, error) in [
        ("[]", TokenError::Malformed),
        ("{} ", TokenError::Malformed),
        (r#"{"a":1,"a":2}"#, TokenError::Malformed),
        (r#"{"sub":"eve"}"#, TokenError::InvalidArgument),
        (r#"{"\u0073ub":"eve"}"#, TokenError::InvalidArgument),
        (r#"{"exp":1}"#, TokenError::InvalidArgument),
        (r#"{"permissions":"all"}"#, TokenError::BadClaimType),
        (r#"{"permissions":[1]}"#, TokenError::BadClaimType),
        (r#"{"roles":null}"#, TokenError::BadClaimType),
        (r#"{"nbf":"now"}"#, TokenError::BadClaimType),
    ] {
        if claims == "{} " {
            assert!(issuer().access(&grant.with_claims(claims), NOW, &mut OsEntropy).is_ok());
            continue;
        }
        assert_eq!(mint(grant.with_claims(claims)), error, "{claims}");
    }
    let huge = format!(r#"{{"a":"{}"}}"#, "x".repeat(16_384));
    assert_eq!(mint(grant.with_claims(&huge)), TokenError::TooLarge);
    assert!(matches!(
        issuer().access(&grant, NOW, &mut FixedEntropy::new(&[0; 15])),
        Err(TokenError::Entropy(_))
    ));
}

#[test]
fn no_token_is_longer_than_its_bound() {
    let subjects = ["a".to_string(), "\u{1}".repeat(1024), "é".repeat(512)];
    let claims = ["", "{}", r#"{ "a" : [ 1 , 2 ] }"#];
    for subject in &subjects {
        for claims in claims {
            let grant = Grant::new(subject).with_claims(claims);
            let bound = issuer().token_bound(subject.len(), claims.len());
            let access = issuer().access(&grant, i64::MAX, &mut OsEntropy).unwrap();
            let state = RefreshState::begin(0, &mut OsEntropy).unwrap();
            let refresh = issuer().refresh(&state, &grant, i64::MAX).unwrap();
            assert!(access.len() <= bound && refresh.len() <= bound);
        }
    }
    let id = "\"".repeat(128);
    let keyring = Keyring::from_secret(
        &(0..64).map(|i: u8| i.wrapping_mul(91)).collect::<Vec<_>>(),
        Algorithm::Hs512,
        Some(&id),
    )
    .unwrap();
    let token = sign_claims(&keyring, None, &"\"".repeat(64), b"{}").unwrap();
    assert!(token.len() <= sign_claims_bound(64, 2));
}

#[test]
fn successors_of_one_state_are_one_token_id_and_of_two_are_two() {
    let state = RefreshState::begin(0, &mut FixedEntropy::new(&[3; 16])).unwrap();
    let refresh = |state: &RefreshState, now_s| {
        let token = issuer().refresh(state, &Grant::new("ann"), now_s).unwrap();
        let claims = Verifier::new(&keyring(), config(TokenType::Refresh))
            .unwrap()
            .verify(token.as_bytes(), now_s)
            .unwrap();
        (
            claims.token_id().unwrap().to_string(),
            claims.family().unwrap().to_string(),
            claims.generation().unwrap(),
        )
    };
    let (id, family, generation) = refresh(&state, NOW);
    assert_eq!(refresh(&state, NOW + 5).0, id);
    let RefreshVerdict::Rotate(next) = RefreshState::rotate(Some(&state), &family, generation, 1, 0).unwrap()
    else {
        panic!()
    };
    let (next_id, next_family, next_generation) = refresh(&next, NOW);
    assert_eq!((next_family, next_generation), (family, 1));
    assert_ne!(next_id, id);
    assert_eq!(issuer().refresh(&next.revoked(), &Grant::new("ann"), NOW), Err(TokenError::Revoked));
}

#[test]
fn a_purpose_token_dies_with_its_state_its_time_and_its_subject() {
    let tokens = PurposeTokens::new(&keyring()).unwrap();
    let reset = PurposeName::new("reset").unwrap();
    let token = tokens.mint(&reset, "ann", b"old", 60, NOW, &mut OsEntropy).unwrap();
    let check = |subject, state: &[u8], now_s| tokens.check(&reset, subject, state, token.as_bytes(), now_s);
    assert_eq!(check("ann", b"old", NOW), Ok(()));
    assert_eq!(check("ann", b"old", NOW + 59), Ok(()));
    assert_eq!(check("ann", b"old", NOW + 60), Err(TokenError::Invalid));
    assert_eq!(check("ann", b"new", NOW), Err(TokenError::Invalid));
    assert_eq!(check("bob", b"old", NOW), Err(TokenError::Invalid));
    assert_eq!(check("an", b"nold", NOW), Err(TokenError::Invalid));
    assert_eq!(tokens.check(&reset, "ann", b"old", b"", NOW), Err(TokenError::Invalid));
    assert_eq!(tokens.check(&reset, "ann", b"old", &[b'.'; 100_000], NOW), Err(TokenError::Invalid));
}

#[test]
fn purpose_tokens_that_are_out_survive_a_rotation_of_either_key() {
    let config = |epoch| {
        let keys =
            ["token", "state-binding"].map(|p| format!(r#"{{"purpose":"{p}","epoch":{epoch},"oldest":1}}"#));
        Keyring::from_master(MASTER, format!(r#"{{"keys":[{}]}}"#, keys.join(","))).unwrap()
    };
    let reset = PurposeName::new("reset").unwrap();
    let before = PurposeTokens::new(&config(1)).unwrap();
    let after = PurposeTokens::new(&config(2)).unwrap();
    let token = before.mint(&reset, "ann", b"old", 60, NOW, &mut OsEntropy).unwrap();
    assert_eq!(after.check(&reset, "ann", b"old", token.as_bytes(), NOW), Ok(()));
    let newer = after.mint(&reset, "ann", b"old", 60, NOW, &mut OsEntropy).unwrap();
    assert_eq!(before.check(&reset, "ann", b"old", newer.as_bytes(), NOW), Ok(()));
}
