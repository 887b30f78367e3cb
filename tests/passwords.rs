//! What passwords promise: nothing is computed from what is out of bounds, memory stays inside its budget,
//! nobody is locked out by a rotation, and whatever passlib, Django, bcrypt and argon2-cffi wrote verifies.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use std::sync::Barrier;
use std::thread;

use donjon::entropy::{EntropyError, FixedEntropy};
use donjon::keyring::Keyring;
use donjon::password::{Hasher, HasherConfig, MAX_PASSWORD_LEN, Params, Password, PasswordError, Verdict};
use donjon::runtime::{OsEntropy, PasswordHasher};

const NOW: i64 = 1_800_000_000;

/// What the stored hashes below were made of.
const CORRECT: &str = "correct horse";

const WEAK: &str = r#"{"memory_kib":64,"time_cost":1,"memory_budget_kib":256,"allow_weak":true}"#;

const ALL_LEGACY: &str = r#"{"memory_kib":64,"time_cost":1,"memory_budget_kib":16384,"allow_weak":true,
    "legacy":["bcrypt","pbkdf2","scrypt","argon2i","argon2d"]}"#;

fn password(text: &str) -> Password<'_> {
    Password::new(text.as_bytes()).unwrap()
}

fn hasher(config: &str) -> PasswordHasher {
    PasswordHasher::new(&HasherConfig::from_json(config.as_bytes()).unwrap(), None).unwrap()
}

fn peppered(config: &str, peppers: &Keyring) -> PasswordHasher {
    PasswordHasher::new(&HasherConfig::from_json(config.as_bytes()).unwrap(), Some(peppers)).unwrap()
}

fn verify(config: &str, given: &str, stored: &str) -> Result<Verdict, PasswordError> {
    hasher(config).verify(password(given), stored.as_bytes(), NOW)
}

fn hash(hasher: &PasswordHasher) -> String {
    hasher.hash(password(CORRECT), NOW, &mut OsEntropy).unwrap()
}

// ---- Argon2id ----

#[test]
fn the_defaults_are_those_of_the_requirements() {
    let hasher = hasher("");
    let stored = hash(&hasher);
    let segments: Vec<&str> = stored.split('$').collect();
    assert_eq!(segments[..4], ["", "argon2id", "v=19", "m=65536,t=3,p=1"]);
    assert_eq!((segments[4].len(), segments[5].len()), (22, 43));
    let verdict = hasher.verify(password(CORRECT), stored.as_bytes(), NOW);
    assert_eq!(verdict, Ok(Verdict { needs_rehash: false, truncated: false }));
    assert_eq!(hasher.slots(), 4);
}

#[test]
fn every_hash_has_its_own_salt_and_only_its_password_matches() {
    let hasher = hasher(WEAK);
    let (first, second) = (hash(&hasher), hash(&hasher));
    assert_ne!(first, second);
    for stored in [first, second] {
        assert!(hasher.verify(password(CORRECT), stored.as_bytes(), NOW).is_ok());
        for wrong in ["", "correct hors", "correct horse ", "Correct horse", "correct horse\0"] {
            let verdict = hasher.verify(password(wrong), stored.as_bytes(), NOW);
            assert_eq!(verdict, Err(PasswordError::Mismatch), "{wrong:?}");
        }
    }
}

#[test]
fn the_vectors_of_rfc_9106_hold() {
    use argon2::{Algorithm, Argon2, AssociatedData, Block, ParamsBuilder, Version};

    let mut params = ParamsBuilder::new();
    params.m_cost(32).t_cost(3).p_cost(4).data(AssociatedData::new(&[4; 12]).unwrap());
    for (algorithm, tag) in [
        (Algorithm::Argon2d, "512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb"),
        (Algorithm::Argon2i, "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8"),
        (Algorithm::Argon2id, "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"),
    ] {
        let mut out = [0; 32];
        Argon2::new_with_secret(&[3; 8], algorithm, Version::V0x13, params.build().unwrap())
            .unwrap()
            .hash_password_into_with_memory(&[1; 32], &[2; 16], &mut out, &mut [Block::new(); 32])
            .unwrap();
        let hex: String = out.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, tag, "{algorithm}");
    }
}

#[test]
fn what_argon2_cffi_and_passlib_wrote_verifies_and_is_written_alike() {
    let stored =
        "$argon2id$v=19$m=64,t=2,p=2$c29tZXNhbHRzb21lc2FsdA$buIR3cR+U1IUJ8+WyIxlnaObAbutw+YzwF0bmgUKlVY";
    let same = r#"{"memory_kib":64,"time_cost":2,"parallelism":2,"memory_budget_kib":64,"allow_weak":true}"#;
    let hashed =
        hasher(same).hash(password(CORRECT), NOW, &mut FixedEntropy::new(b"somesaltsomesalt")).unwrap();
    assert_eq!(hashed, stored);
    assert_eq!(verify(same, CORRECT, stored), Ok(Verdict { needs_rehash: false, truncated: false }));
    for stored in [
        // Memory that is no multiple of four blocks per lane.
        "$argon2id$v=19$m=67,t=2,p=3$c29tZXNhbHRzb21lc2FsdA$lUAUZudGTfvpVvtnhPh114MDtm1ymGHj0h+e27eKZdQ",
        "$argon2id$v=19$m=64,t=2,p=1$6Z1z7l1rLcWY07rX2tubEw$N7oKgHeTLQ7+USst6Tgjk/+9ahguCY3G22lPBmrof7U",
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$MyShmwuSbEySn65I",
        "$argon2id$v=19$m=8,t=1,p=1$c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nz$PQOoLKlh8VANzufjBwNlh0RCmydaIwq8A56LQjov3U0ZprTG26m7MerGW640zf8PnVzmDZMN6lGoMhZqObrL9g",
    ] {
        assert_eq!(
            verify(WEAK, CORRECT, stored),
            Ok(Verdict { needs_rehash: true, truncated: false }),
            "{stored}"
        );
        assert_eq!(verify(WEAK, "wrong", stored), Err(PasswordError::Mismatch), "{stored}");
    }
}

#[test]
fn whatever_differs_from_a_new_hash_asks_to_be_made_anew() {
    let made_with = |config: &str| hash(&hasher(config));
    let now = r#"{"memory_kib":64,"time_cost":2,"hash_len":32,"salt_len":16,"allow_weak":true}"#;
    let asks = |config: &str| {
        let stored = made_with(config);
        let asks = hasher(now).needs_rehash(stored.as_bytes(), NOW).unwrap();
        assert_eq!(verify(now, CORRECT, &stored).unwrap().needs_rehash, asks);
        asks
    };
    assert!(!asks(now));
    assert!(!asks(r#"{"memory_kib":64,"time_cost":2,"hash_len":64,"salt_len":48,"allow_weak":true}"#));
    for other in [
        r#"{"memory_kib":63,"time_cost":2,"allow_weak":true}"#,
        r#"{"memory_kib":65,"time_cost":2,"allow_weak":true}"#,
        r#"{"memory_kib":64,"time_cost":1,"allow_weak":true}"#,
        r#"{"memory_kib":64,"time_cost":2,"parallelism":2,"allow_weak":true}"#,
        r#"{"memory_kib":64,"time_cost":2,"hash_len":31,"allow_weak":true}"#,
        r#"{"memory_kib":64,"time_cost":2,"salt_len":15,"allow_weak":true}"#,
    ] {
        assert!(asks(other), "{other}");
    }
}

// ---- ATTACKS.md 22 ----

#[test]
fn a_stored_hash_over_the_bounds_is_refused_before_any_memory_is_asked_for() {
    let hasher = hasher(r#"{"memory_kib":64,"time_cost":1,"memory_budget_kib":4194304,"allow_weak":true}"#);
    for params in [
        "m=4194304,t=1,p=1",
        "m=2097153,t=1,p=1",
        "m=4294967295,t=1,p=1",
        "m=4294967296,t=1,p=1",
        "m=99999999999999999999999999,t=1,p=1",
        "m=65536,t=4294967295,p=1",
        "m=65536,t=101,p=1",
        "m=2097152,t=5,p=1",
        "m=65536,t=0,p=1",
        "m=0,t=1,p=1",
        "m=7,t=1,p=1",
        "m=65536,t=1,p=0",
        "m=65536,t=1,p=17",
        "m=31,t=1,p=4",
        "m=65536,t=1,p=16777215",
    ] {
        let stored = format!("$argon2id$v=19${params}$c29tZXNhbHQ$MyShmwuSbEySn65I");
        let verdict = hasher.verify(password(CORRECT), stored.as_bytes(), NOW);
        assert_eq!(verdict, Err(PasswordError::ParamsOutOfBounds), "{params}");
        assert_eq!(
            hasher.needs_rehash(stored.as_bytes(), NOW),
            Err(PasswordError::ParamsOutOfBounds),
            "{params}"
        );
    }
    assert_eq!((hasher.memory_use().leases, hasher.memory_use().peak_kib), (0, 0));
}

#[test]
fn a_stored_hash_over_the_budget_is_refused() {
    let stored = "$argon2id$v=19$m=257,t=1,p=1$c29tZXNhbHQ$MyShmwuSbEySn65I";
    assert_eq!(verify(WEAK, CORRECT, stored), Err(PasswordError::ParamsOutOfBounds));
    let stored = "$argon2id$v=19$m=256,t=1,p=1$c29tZXNhbHQ$MyShmwuSbEySn65I";
    assert_eq!(verify(WEAK, CORRECT, stored), Err(PasswordError::Mismatch));
}

#[test]
fn what_is_not_exactly_a_phc_string_is_invalid() {
    let good = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$MyShmwuSbEySn65I";
    assert!(verify(WEAK, CORRECT, good).is_ok());
    let salt = |salt: &str| format!("$argon2id$v=19$m=8,t=1,p=1${salt}$MyShmwuSbEySn65I");
    let tag = |tag: &str| format!("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ${tag}");
    let params = |params: &str| format!("$argon2id$v=19${params}$c29tZXNhbHQ$MyShmwuSbEySn65I");
    let mut bad: Vec<String> = [
        "m=8,t=1",
        "m=8,t=1,p=1,",
        "t=1,m=8,p=1",
        "m=8,m=8,t=1,p=1",
        "m=8,t=1,p=1,p=1",
        "m=08,t=1,p=1",
        "m=+8,t=1,p=1",
        "m=-8,t=1,p=1",
        "m= 8,t=1,p=1",
        "m=8 ,t=1,p=1",
        "m=0x8,t=1,p=1",
        "m=,t=1,p=1",
        "M=8,t=1,p=1",
        "m=8,t=1,p=1,x=1",
        "m=8,t=1,p=1,data=c29tZQ",
        "m=8,t=1,p=1,keyid=",
        "m=8,t=1,p=1,keyid=AAAAAAAAAA",
        "m=8,t=1,p=1,keyid=AAAAAAAAAAAA",
        "m=8,t=1,p=1,keyid=AAAAAAAAAAB",
        "m=8,t=1,p=1,keyid=AAAAAAAAAAA,keyid=AAAAAAAAAAA",
        "m=8,t=1,keyid=AAAAAAAAAAA,p=1",
        "m=8;t=1;p=1",
        "",
    ]
    .map(params)
    .into();
    // Seven and 49 bytes; padding, white space, another alphabet, trailing bits.
    bad.extend(
        ["c29tZXNhbA", &"A".repeat(66), "c29tZXNhbHQ=", "c29tZXNhbHQ\n", "c29tZXNhb-Q", "c29tZXNhbHR", ""]
            .map(salt),
    );
    bad.extend(
        [
            "MyShmwuSbEySn64",
            &"A".repeat(87),
            "MyShmwuSbEySn65I=",
            "MyShmwuSbEySn6_I",
            "MyShmwuSbEySn65IA",
            "",
        ]
        .map(tag),
    );
    bad.extend(
        [
            "$",
            "argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$MyShmwuSbEySn65I",
            " $argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$MyShmwuSbEySn65I",
            "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$MyShmwuSbEySn65I\n",
            "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$MyShmwuSbEySn65I$",
            "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ",
            "$argon2id$v=16$m=8,t=1,p=1$c29tZXNhbHQ$MyShmwuSbEySn65I",
            "$argon2id$v=019$m=8,t=1,p=1$c29tZXNhbHQ$MyShmwuSbEySn65I",
            "$argon2id$v=20$m=8,t=1,p=1$c29tZXNhbHQ$MyShmwuSbEySn65I",
            "$argon2id$m=8,t=1,p=1$c29tZXNhbHQ$MyShmwuSbEySn65I",
            "$Argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$MyShmwuSbEySn65I",
            "$argon2$v=19$m=8,t=1,p=1$c29tZXNhbHQ$MyShmwuSbEySn65I",
            "$6$salt$hash",
            "plain text",
        ]
        .map(String::from),
    );
    bad.push(salt(&"c29tZXNhbHQ".repeat(60)));
    for stored in bad {
        assert_eq!(verify(WEAK, CORRECT, &stored), Err(PasswordError::InvalidHash), "{stored:?}");
    }
    let not_text = hasher(WEAK).verify(password(CORRECT), b"$argon2id$\xff", NOW);
    assert_eq!(not_text, Err(PasswordError::InvalidHash));
}

// ---- ATTACKS.md 23: legacy schemes ----

const SCHEMES: [&str; 5] = ["bcrypt", "pbkdf2", "scrypt", "argon2i", "argon2d"];

const LEGACY: [(&str, &str); 13] = [
    ("bcrypt", "$2a$04$2an084kV6dH3jFi9guBRN.pWeR463O9LUlhHp0XCb.gh.XEhj/VFG"),
    ("bcrypt", "$2b$04$7xefP7kKpVZpljlacx6XOurYwPTjbus/ynendfrqDZMqUmd3kHwAW"),
    ("bcrypt", "$2y$04$7xefP7kKpVZpljlacx6XOurYwPTjbus/ynendfrqDZMqUmd3kHwAW"),
    ("bcrypt", "bcrypt$$2b$04$J.9oDaIcjnn59Eh/2lvnG.JlWui3p50jByrMvm99ScrLP4LjcPsNW"),
    ("bcrypt", "bcrypt_sha256$$2b$04$GQ4RjZMJKgrWTaCJLHu/H.xbtK2pBQWgQpdE8l1rzDDPsaD04Ck.C"),
    ("pbkdf2", "$pbkdf2-sha256$10$I4QwZozR.r8$.3wjrPPXQujWXeD0icFG5uLU1d8lbtS4TzFareGo8tU"),
    (
        "pbkdf2",
        "$pbkdf2-sha512$1000$NaZ0rtUaQ0jpnfMeQ.gd4w$/WH/pq9raT0tmynJdAmwffkDOc7klgRfRZ.jKCJwClBc1.4ZDcg6ZbfDZcFRtVVh3MQa1dljHLhKBtydFmKJ2Q",
    ),
    ("pbkdf2", "pbkdf2_sha256$1000$seasalt1234$wZh3FFsq+Yipey/PjKHa1qqPszjOeenweS9wGdKg/Cg="),
    (
        "pbkdf2",
        "pbkdf2_sha512$1000$seasalt1234$JBAdVVh69bnAWsOd9qdaIV4/KY0B01ogHAlhxhfP+ZYYmEySaPcqd2PmvoU5ngA80nMWQaXNgezMEVQMW4mfmw==",
    ),
    ("scrypt", "$scrypt$ln=10,r=8,p=1$W+tdKyUk5BwDgJBSyjnnnA$EDfJTzv03T7aA9y1EA+mjk0w2wNuyuD7pyj8cdCv5Gs"),
    (
        "scrypt",
        "scrypt$1024$seasalt1234$8$5$5epHXUXKbuRI5S7q60qCZsjArwO53oVNTJ38SxjXX9cQTy6y8EB1tVJbFF+az626XaLk1Y1nJGHWEqzcv1nU9Q==",
    ),
    (
        "argon2i",
        "$argon2i$v=19$m=64,t=2,p=2$c29tZXNhbHRzb21lc2FsdA$puc453Cpq1DFRL695M7MD8xMTPSjus4jpty4H6duI0g",
    ),
    (
        "argon2d",
        "$argon2d$v=19$m=64,t=2,p=2$c29tZXNhbHRzb21lc2FsdA$QZTHvrUkQpGX4mmv0/mw2kqiWXZe8rdPm8RaTCpYulM",
    ),
];

#[test]
fn legacy_hashes_verify_where_their_scheme_is_enabled_and_ask_to_be_made_anew() {
    for (scheme, stored) in LEGACY {
        let only = format!(
            r#"{{"memory_kib":64,"time_cost":1,"memory_budget_kib":16384,"allow_weak":true,"legacy":["{scheme}"]}}"#
        );
        assert_eq!(
            verify(&only, CORRECT, stored),
            Ok(Verdict { needs_rehash: true, truncated: false }),
            "{stored}"
        );
        // No NUL at the end: HMAC, and so PBKDF2 and scrypt, cannot tell it from none (RFC 2104 §2).
        for wrong in ["", "correct hors", "correct horse!"] {
            assert_eq!(verify(&only, wrong, stored), Err(PasswordError::Mismatch), "{stored} {wrong:?}");
        }
        assert_eq!(hasher(&only).needs_rehash(stored.as_bytes(), NOW), Ok(true));
        let others: Vec<&str> = SCHEMES.into_iter().filter(|other| *other != scheme).collect();
        let others = only.replace(&format!("\"{scheme}\""), &format!("\"{}\"", others.join("\",\"")));
        for disabled in [WEAK, &others] {
            assert_eq!(verify(disabled, CORRECT, stored), Err(PasswordError::Unsupported), "{stored}");
            let asked = hasher(disabled).needs_rehash(stored.as_bytes(), NOW);
            assert_eq!(asked, Err(PasswordError::Unsupported), "{stored}");
        }
    }
}

#[test]
fn djangos_argon2_is_no_legacy_scheme_and_loses_its_prefix() {
    let stored = "argon2$argon2id$v=19$m=64,t=2,p=2$c29tZXNhbHRzb21lc2FsdA$buIR3cR+U1IUJ8+WyIxlnaObAbutw+YzwF0bmgUKlVY";
    let same = r#"{"memory_kib":64,"time_cost":2,"parallelism":2,"memory_budget_kib":64,"allow_weak":true}"#;
    assert_eq!(verify(same, CORRECT, stored), Ok(Verdict { needs_rehash: true, truncated: false }));
    assert_eq!(verify(same, "wrong", stored), Err(PasswordError::Mismatch));
    let argon2i = stored.replace("argon2id", "argon2i");
    assert_eq!(verify(same, CORRECT, &argon2i), Err(PasswordError::Unsupported));
    assert_eq!(verify(ALL_LEGACY, CORRECT, &argon2i), Err(PasswordError::Mismatch));
}

#[test]
fn bcrypt_says_that_it_looked_at_72_bytes_only() {
    let stored = "$2b$04$N8MMfNPHXsJZMZpCniWggeRZDj2kSIXaz1jw16b3VwndSuMqzL7eu"; // 72 times "a"
    let verdict = |len: usize| verify(ALL_LEGACY, &"a".repeat(len), stored);
    assert_eq!(verdict(71), Err(PasswordError::Mismatch));
    assert_eq!(verdict(72), Ok(Verdict { needs_rehash: true, truncated: false }));
    assert_eq!(verdict(73), Ok(Verdict { needs_rehash: true, truncated: true }));
    assert_eq!(verdict(MAX_PASSWORD_LEN), Ok(Verdict { needs_rehash: true, truncated: true }));

    // Django's prehash leaves nothing off.
    let stored = "bcrypt_sha256$$2b$04$t8NycrndbBeoJKwW7PObTuDp3Noqz7HIQ4mo5Lu2m9hJJmV1Qnr2S"; // 100 times "x"
    let verdict = |len: usize| verify(ALL_LEGACY, &"x".repeat(len), stored);
    assert_eq!(verdict(100), Ok(Verdict { needs_rehash: true, truncated: false }));
    assert_eq!(verdict(99), Err(PasswordError::Mismatch));
}

#[test]
fn bcrypt_takes_empty_passwords_nul_and_bytes_over_127_as_they_are() {
    for (given, stored) in [
        ("", "$2b$04$l4It5O/jvIK1/IVJO1Vjs.9I/PPojENK28UeFhlQDbZ2nwVbGWA5q"),
        ("ab\0cd", "$2b$04$0Dc0.1QsCA0LLhBFPyrE5Ovv6Mwoqy.zbQI/6avbZoaGxwpQF2VfS"),
        ("grüße\u{1f511}", "$2b$05$1HX.7DFpxSKIaJRw11.jSuCQAESXX7dXmSdqnm4OfYVDOJ46C6WxC"),
    ] {
        assert!(verify(ALL_LEGACY, given, stored).is_ok(), "{stored}");
    }
    let cut = verify(ALL_LEGACY, "ab", "$2b$04$0Dc0.1QsCA0LLhBFPyrE5Ovv6Mwoqy.zbQI/6avbZoaGxwpQF2VfS");
    assert_eq!(cut, Err(PasswordError::Mismatch));
}

#[test]
fn legacy_hashes_are_read_as_strictly() {
    for stored in [
        "$2b$4$7xefP7kKpVZpljlacx6XOurYwPTjbus/ynendfrqDZMqUmd3kHwAW",
        "$2b$03$7xefP7kKpVZpljlacx6XOurYwPTjbus/ynendfrqDZMqUmd3kHwAW",
        "$2b$32$7xefP7kKpVZpljlacx6XOurYwPTjbus/ynendfrqDZMqUmd3kHwAW",
        "$2x$04$7xefP7kKpVZpljlacx6XOurYwPTjbus/ynendfrqDZMqUmd3kHwAW",
        "$2b$04$7xefP7kKpVZpljlacx6XOurYwPTjbus/ynendfrqDZMqUmd3kHwA",
        "$2b$04$7xefP7kKpVZpljlacx6XOurYwPTjbus/ynendfrqDZMqUmd3kHwAWW",
        "$2b$04$7xefP7kKpVZpljlacx6XOurYwPTjbus/ynendfrqDZMqUmd3kHw+W",
        "bcrypt$2b$04$7xefP7kKpVZpljlacx6XOurYwPTjbus/ynendfrqDZMqUmd3kHwAW",
        "$pbkdf2-sha256$010$I4QwZozR.r8$.3wjrPPXQujWXeD0icFG5uLU1d8lbtS4TzFareGo8tU",
        "$pbkdf2-sha256$10$I4QwZozR+r8$.3wjrPPXQujWXeD0icFG5uLU1d8lbtS4TzFareGo8tU",
        "$pbkdf2-sha256$10$I4QwZozR.r8$.3wjrPPXQujWXeD0icFG5uLU1d8lbtS4TzFareGo8t",
        "$pbkdf2-sha256$10$I4QwZozR.r8",
        "$pbkdf2-sha512$10$I4QwZozR.r8$.3wjrPPXQujWXeD0icFG5uLU1d8lbtS4TzFareGo8tU",
        "pbkdf2_sha256$1000$seasalt1234$wZh3FFsq+Yipey/PjKHa1qqPszjOeenweS9wGdKg/Cg",
        "pbkdf2_sha256$1000$seasalt1234$wZh3FFsq+Yipey/PjKHa1qqPszjOeenweS9wGdKg/Cg=$",
        "$scrypt$ln=10,r=8$W+tdKyUk5BwDgJBSyjnnnA$EDfJTzv03T7aA9y1EA+mjk0w2wNuyuD7pyj8cdCv5Gs",
        "$scrypt$r=8,ln=10,p=1$W+tdKyUk5BwDgJBSyjnnnA$EDfJTzv03T7aA9y1EA+mjk0w2wNuyuD7pyj8cdCv5Gs",
        "$scrypt$ln=10,r=8,p=1$W+tdKyUk5BwDgJBSyjnnnA$",
        // The first half of a good hash: scrypt's shorter outputs begin its longer ones.
        "$scrypt$ln=10,r=8,p=1$W+tdKyUk5BwDgJBSyjnnnA$EDfJTzv03T7aA9y1EA+mjg",
        "scrypt$1024$seasalt1234$8$5$5epHXUXKbuRI5S7q60qCZsjArwO53oVNTJ38SxjXX9c=",
        "scrypt$1023$seasalt1234$8$5$5epHXUXKbuRI5S7q60qCZsjArwO53oVNTJ38SxjXX9cQTy6y8EB1tVJbFF+az626XaLk1Y1nJGHWEqzcv1nU9Q==",
        "scrypt$1024$seasalt1234$8$5epHXUXKbuRI5S7q60qCZsjArwO53oVNTJ38SxjXX9cQTy6y8EB1tVJbFF+az626XaLk1Y1nJGHWEqzcv1nU9Q==",
    ] {
        assert_eq!(verify(ALL_LEGACY, CORRECT, stored), Err(PasswordError::InvalidHash), "{stored}");
    }
}

#[test]
fn legacy_hashes_have_bounds_too() {
    let scrypt = |params: &str| {
        format!("$scrypt${params}$W+tdKyUk5BwDgJBSyjnnnA$EDfJTzv03T7aA9y1EA+mjk0w2wNuyuD7pyj8cdCv5Gs")
    };
    let pbkdf2 = |rounds: &str| {
        format!("$pbkdf2-sha256${rounds}$I4QwZozR.r8$.3wjrPPXQujWXeD0icFG5uLU1d8lbtS4TzFareGo8tU")
    };
    let django = |n: &str| {
        format!(
            "scrypt${n}$seasalt1234$8$5$5epHXUXKbuRI5S7q60qCZsjArwO53oVNTJ38SxjXX9cQTy6y8EB1tVJbFF+az626XaLk1Y1nJGHWEqzcv1nU9Q=="
        )
    };
    for stored in [
        "$2b$17$7xefP7kKpVZpljlacx6XOurYwPTjbus/ynendfrqDZMqUmd3kHwAW".into(),
        "$2b$31$7xefP7kKpVZpljlacx6XOurYwPTjbus/ynendfrqDZMqUmd3kHwAW".into(),
        pbkdf2("0"),
        pbkdf2("10000001"),
        pbkdf2("99999999999"),
        scrypt("ln=0,r=8,p=1"),
        scrypt("ln=63,r=8,p=1"),
        scrypt("ln=10,r=0,p=1"),
        scrypt("ln=10,r=8,p=0"),
        scrypt("ln=10,r=8,p=65"),
        scrypt("ln=4294967295,r=4294967295,p=4294967295"),
        // 16 MiB and what it works in are over the budget of 16 MiB.
        scrypt("ln=14,r=8,p=1"),
        django("2147483648"),
        django("4294967296"),
    ] {
        let hasher = hasher(ALL_LEGACY);
        let verdict = hasher.verify(password(CORRECT), stored.as_bytes(), NOW);
        assert_eq!(verdict, Err(PasswordError::ParamsOutOfBounds), "{stored}");
        assert_eq!(hasher.memory_use().leases, 0);
    }
    let hasher = hasher(ALL_LEGACY);
    let verdict = hasher.verify(password(CORRECT), scrypt("ln=13,r=8,p=1").as_bytes(), NOW);
    assert_eq!(verdict, Err(PasswordError::Mismatch));
    assert_eq!(hasher.memory_use().peak_kib, 8 * 1024 + 2, "scrypt's memory counts");
}

// ---- ATTACKS.md 24 ----

#[test]
fn a_password_over_the_limit_is_refused_and_one_within_it_is_never_cut() {
    let megabyte = vec![b'a'; 1_000_000];
    assert!(matches!(Password::new(&megabyte), Err(PasswordError::TooLarge)));
    assert!(matches!(Password::new(&megabyte[..MAX_PASSWORD_LEN + 1]), Err(PasswordError::TooLarge)));
    let hasher = hasher(WEAK);
    let longest = Password::new(&megabyte[..MAX_PASSWORD_LEN]).unwrap();
    let stored = hasher.hash(longest, NOW, &mut OsEntropy).unwrap();
    assert!(hasher.verify(longest, stored.as_bytes(), NOW).is_ok());
    let cut = Password::new(&megabyte[..MAX_PASSWORD_LEN - 1]).unwrap();
    assert_eq!(hasher.verify(cut, stored.as_bytes(), NOW), Err(PasswordError::Mismatch));
}

#[test]
fn nul_and_bytes_that_are_no_text_count_like_any_other() {
    // By argon2-cffi.
    let stored = b"$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$2L2A9jErwNimbK0ODXC0DiaHFVlDyOeSs5dkmIX5tfU";
    let verify = |bytes: &[u8]| hasher(WEAK).verify(Password::new(bytes).unwrap(), stored, NOW);
    assert!(verify(b"ab\0cd\xff").is_ok());
    for other in [&b"ab"[..], b"ab\0", b"ab\0cd", b"ab\0cd\xfe", b"ab\0cd\xef\xbf\xbd"] {
        assert_eq!(verify(other), Err(PasswordError::Mismatch), "{other:?}");
    }
}

// ---- ATTACKS.md 25 ----

#[test]
fn an_unknown_user_takes_the_memory_of_a_known_one_and_never_gets_in() {
    let known = hasher(WEAK);
    let stored = hash(&known);
    let before = known.memory_use();
    let known_verdict = known.verify(password("wrong"), stored.as_bytes(), NOW);
    let unknown = hasher(WEAK);
    let unknown_verdict = unknown.verify_unknown_user(password("wrong"), NOW);
    assert_eq!(known_verdict, Err(PasswordError::Mismatch));
    assert_eq!(unknown_verdict, known_verdict);
    assert_eq!(unknown.memory_use().leases, known.memory_use().leases - before.leases);
    assert_eq!(unknown.memory_use().peak_kib, known.memory_use().peak_kib);
    assert_eq!(unknown.verify_unknown_user(password(""), NOW), Err(PasswordError::Mismatch));
    assert_eq!(unknown.verify_unknown_user(password(CORRECT), NOW), Err(PasswordError::Mismatch));
}

#[test]
fn an_account_without_a_usable_password_is_like_no_account() {
    for stored in ["", "!", "!aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA3bC6dE9f", "!$2b$04$7xefP7kK"] {
        for config in [WEAK, ALL_LEGACY] {
            let (known, unknown) = (hasher(config), hasher(config));
            let verdict = known.verify(password(CORRECT), stored.as_bytes(), NOW);
            assert_eq!(verdict, Err(PasswordError::Mismatch), "{stored:?}");
            assert_eq!(unknown.verify_unknown_user(password(CORRECT), NOW), verdict);
            assert_eq!(known.memory_use(), unknown.memory_use(), "{stored:?} costs what nobody's does");
            assert_eq!(known.memory_use().leases, 1);
            let asked = known.needs_rehash(stored.as_bytes(), NOW);
            assert_eq!(asked, Err(PasswordError::InvalidHash), "{stored:?}");
        }
    }
    assert_eq!(verify(ALL_LEGACY, CORRECT, " !"), Err(PasswordError::InvalidHash));
}

#[test]
fn the_decoy_is_a_whole_hash() {
    use donjon::password::{Block, Memory};

    let config = HasherConfig::from_json(WEAK.as_bytes()).unwrap();
    let decoy = Hasher::new(&config, None).unwrap();
    let decoy = decoy.decoy(NOW).unwrap();
    assert_eq!(decoy.memory(), Memory::Blocks(64));
    let mut memory = vec![Block::new(); 64];
    assert_eq!(decoy.run(password("anything"), &mut memory), Err(PasswordError::Mismatch));
    assert!(
        memory.iter().all(|block| block.as_ref().iter().any(|&word| word != 0)),
        "every block was filled"
    );
}

// ---- ATTACKS.md 26 ----

#[test]
fn a_crowd_of_log_ins_stays_inside_the_budget_and_all_are_served() {
    // 16 MiB for hashes of 2 MiB: eight at once, 64 who want to.
    let hasher = hasher(
        r#"{"memory_kib":2048,"time_cost":1,"memory_budget_kib":16384,"max_wait_ms":60000,"allow_weak":true}"#,
    );
    assert_eq!(hasher.slots(), 8);
    let stored = hash(&hasher);
    let start = Barrier::new(64);
    thread::scope(|scope| {
        for index in 0..64 {
            let (hasher, stored, start) = (&hasher, &stored, &start);
            scope.spawn(move || {
                start.wait();
                // Half of them with memory of another size, so that idle memory has to make room.
                let other = "$argon2id$v=19$m=3000,t=1,p=1$c29tZXNhbHQ$MyShmwuSbEySn65I";
                for _ in 0..4 {
                    let verdict = if index % 2 == 0 {
                        hasher.verify(password(CORRECT), stored.as_bytes(), NOW).map(|_| ())
                    } else {
                        hasher.verify(password(CORRECT), other.as_bytes(), NOW).map(|_| ())
                    };
                    let expected = if index % 2 == 0 { Ok(()) } else { Err(PasswordError::Mismatch) };
                    assert_eq!(verdict, expected);
                    assert!(hasher.memory_use().held_kib <= 16_384);
                }
            });
        }
    });
    let memory = hasher.memory_use();
    assert_eq!(memory.leases, 1 + 64 * 4);
    assert!(memory.peak_kib <= 16_384, "{memory:?}");
    assert!(memory.peak_kib > 2048, "they did run at once: {memory:?}");
}

#[test]
fn bcrypt_and_pbkdf2_take_a_slot_too() {
    for (scheme, stored) in LEGACY.into_iter().filter(|(scheme, _)| ["bcrypt", "pbkdf2"].contains(scheme)) {
        let hasher = hasher(ALL_LEGACY);
        assert!(hasher.verify(password(CORRECT), stored.as_bytes(), NOW).is_ok());
        let used = hasher.memory_use();
        assert_eq!((used.leases, used.peak_kib), (1, 64), "{scheme} counts as a hash of the hasher's own");
        assert_eq!(used.held_kib, 0, "{scheme} holds no memory");
    }
}

#[test]
fn who_may_not_wait_is_told_that_it_is_busy() {
    let hasher = hasher(
        r#"{"memory_kib":64,"memory_budget_kib":64,"max_wait_ms":0,"time_cost":100,"allow_weak":true}"#,
    );
    let start = Barrier::new(8);
    let verdicts: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    let verdicts: Vec<_> =
                        (0..8).map(|_| hasher.hash(password(CORRECT), NOW, &mut OsEntropy)).collect();
                    verdicts
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let done = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
    let busy = verdicts.iter().filter(|verdict| **verdict == Err(PasswordError::Busy)).count();
    assert_eq!(done + busy, 64);
    assert!(done > 0 && busy > 0, "{done} done, {busy} busy");
    assert_eq!(hasher.memory_use().peak_kib, 64);
}

// ---- Peppers ----

/// A 32-byte secret, in base64url; the last character of its text tells secrets apart.
fn pepper(id: &str, status: &str, last: char) -> String {
    format!(
        r#"{{"kty":"oct","kid":"{id}","purpose":"password-pepper","alg":"HS256","status":"{status}","k":"DbRbAqlQ955F7JM64Ygv1n0ky3IZwGcOtVwDqlH4n0{last}"}}"#
    )
}

fn keyring(keys: &[String]) -> Keyring {
    Keyring::from_jwks(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes()).unwrap()
}

/// Made by argon2-cffi, with the secret of `pepper("pepper-1", …, 'Y')`.
const PEPPERED: &str = "$argon2id$v=19$m=64,t=2,p=2,keyid=5UmJA4+gt5M$c29tZXNhbHRzb21lc2FsdA$aPxhwfnxgPFyBjdS2iDIsFEz+k2r3UerUhA9F+3PU94";

const LIKE_PEPPERED: &str =
    r#"{"memory_kib":64,"time_cost":2,"parallelism":2,"memory_budget_kib":64,"allow_weak":true}"#;

#[test]
fn a_pepper_is_argon2s_secret_input_and_named_by_its_key_id() {
    let hasher = peppered(LIKE_PEPPERED, &keyring(&[pepper("pepper-1", "primary", 'Y')]));
    let stored = hasher.hash(password(CORRECT), NOW, &mut FixedEntropy::new(b"somesaltsomesalt"));
    assert_eq!(stored.as_deref(), Ok(PEPPERED));
    let verdict = hasher.verify(password(CORRECT), PEPPERED.as_bytes(), NOW);
    assert_eq!(verdict, Ok(Verdict { needs_rehash: false, truncated: false }));
    let without = PEPPERED.replace(",keyid=5UmJA4+gt5M", "");
    assert_eq!(hasher.verify(password(CORRECT), without.as_bytes(), NOW), Err(PasswordError::Mismatch));
}

#[test]
fn a_rotation_locks_nobody_out_and_asks_to_hash_anew() {
    let unpeppered = hash(&hasher(WEAK));
    let first = keyring(&[pepper("pepper-1", "primary", 'Y')]);
    let old = hash(&peppered(WEAK, &first));
    let both = keyring(&[pepper("pepper-1", "active", 'Y'), pepper("pepper-2", "primary", 'c')]);
    let hasher = peppered(WEAK, &both);
    let new = hash(&hasher);
    for (stored, needs_rehash) in [(&unpeppered, true), (&old, true), (&new, false)] {
        let verdict = hasher.verify(password(CORRECT), stored.as_bytes(), NOW).unwrap();
        assert_eq!(verdict.needs_rehash, needs_rehash, "{stored}");
        assert_eq!(hasher.needs_rehash(stored.as_bytes(), NOW), Ok(needs_rehash));
        assert_eq!(hasher.verify(password("wrong"), stored.as_bytes(), NOW), Err(PasswordError::Mismatch));
    }
    assert_ne!(new.split('$').nth(3), old.split('$').nth(3));
    assert_eq!(hasher.verify_unknown_user(password(CORRECT), NOW), Err(PasswordError::Mismatch));
    // Without peppers, the password of nobody who has one can be verified.
    assert_eq!(verify(WEAK, CORRECT, &old), Err(PasswordError::UnknownKey));
}

#[test]
fn another_secret_under_the_same_key_id_does_not_match() {
    let hasher = peppered(LIKE_PEPPERED, &keyring(&[pepper("pepper-1", "primary", 'c')]));
    let verdict = hasher.verify(password(CORRECT), PEPPERED.as_bytes(), NOW);
    assert_eq!(verdict, Err(PasswordError::Mismatch));
}

#[test]
fn a_pepper_that_may_not_be_used_says_why() {
    let ring = keyring(&[pepper("pepper-1", "active", 'Y'), pepper("pepper-2", "primary", 'c')]);
    let verify = |ring: &Keyring, now_s: i64| {
        let hasher = peppered(LIKE_PEPPERED, ring);
        let verdict = hasher.verify(password(CORRECT), PEPPERED.as_bytes(), now_s);
        assert_eq!(
            hasher.needs_rehash(PEPPERED.as_bytes(), now_s),
            verdict.map(|verdict| verdict.needs_rehash)
        );
        verdict.map(|_| ())
    };
    let with = |status, not_after_s| ring.with_status("pepper-1", status, not_after_s).unwrap();
    use donjon::keyring::KeyStatus;
    assert_eq!(verify(&ring, NOW), Ok(()));
    assert_eq!(verify(&with(KeyStatus::VerifyOnly, Some(NOW)), -1), Err(PasswordError::InvalidArgument));
    assert_eq!(verify(&with(KeyStatus::VerifyOnly, Some(NOW + 1)), NOW), Ok(()));
    assert_eq!(verify(&with(KeyStatus::VerifyOnly, Some(NOW)), NOW), Err(PasswordError::KeyExpired));
    assert_eq!(verify(&with(KeyStatus::Disabled, None), NOW), Err(PasswordError::KeyDisabled));
    assert_eq!(verify(&with(KeyStatus::Destroyed, None), NOW), Err(PasswordError::KeyDestroyed));
    let without = keyring(&[pepper("pepper-2", "primary", 'c')]);
    assert_eq!(verify(&without, NOW), Err(PasswordError::UnknownKey));
}

#[test]
fn an_expired_primary_pepper_makes_no_hash() {
    let key =
        pepper("pepper-1", "primary", 'Y').replace(r#""status""#, r#""not_after_s":1800000000,"status""#);
    let hasher = peppered(WEAK, &keyring(&[key]));
    assert!(hasher.hash(password(CORRECT), NOW - 1, &mut OsEntropy).is_ok());
    assert_eq!(hasher.hash(password(CORRECT), NOW, &mut OsEntropy), Err(PasswordError::KeyExpired));
    assert_eq!(hasher.memory_use().leases, 1);
    assert_eq!(hasher.verify_unknown_user(password(CORRECT), NOW), Err(PasswordError::Mismatch));
}

#[test]
fn a_keyring_without_a_usable_pepper_is_refused() {
    let config = HasherConfig::from_json(WEAK.as_bytes()).unwrap();
    let refused = |ring: &Keyring| {
        let made = PasswordHasher::new(&config, Some(ring)).map(|_| ());
        assert!(matches!(made, Err(PasswordError::Config(_))), "{made:?}");
    };
    refused(&Keyring::from_master("pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU", "").unwrap());
    refused(&keyring(&[pepper("pepper-1", "active", 'Y')]));
    refused(&keyring(&[pepper("", "primary", 'Y').replace(r#""kid":"","#, "")]));
    let derived = r#"{"keys":[{"purpose":"password-pepper","alg":"HS256","epoch":2,"oldest":1}]}"#;
    let derived = Keyring::from_master("pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU", derived).unwrap();
    assert!(PasswordHasher::new(&config, Some(&derived)).is_ok());
}

// ---- And the rest ----

#[test]
fn no_entropy_no_hash() {
    let hasher = hasher(WEAK);
    let hashed = hasher.hash(password(CORRECT), NOW, &mut FixedEntropy::new(&[7; 15]));
    assert_eq!(hashed, Err(PasswordError::Entropy(EntropyError)));
    assert_eq!(hasher.memory_use().leases, 0);
}

#[test]
fn too_little_memory_given_is_an_error_and_no_hash() {
    let config = HasherConfig::from_json(WEAK.as_bytes()).unwrap();
    let kernel = Hasher::new(&config, None).unwrap();
    assert_eq!(kernel.params(), Params::new(64, 1, 1).unwrap());
    let mut memory = vec![donjon::password::Block::new(); 63];
    let hashed = kernel.begin(NOW, &mut OsEntropy).unwrap().run(password(CORRECT), &mut memory);
    assert_eq!(hashed, Err(PasswordError::Internal));
}

#[test]
fn a_password_and_a_keyring_never_stand_in_debug() {
    let ring = keyring(&[pepper("pepper-1", "primary", 'Y')]);
    let shown = format!("{:?} {:?}", password(CORRECT), peppered(WEAK, &ring));
    assert!(!shown.contains("correct") && !shown.contains("DbRb"), "{shown}");
}
