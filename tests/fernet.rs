//! What Fernet promises: what the specification's vectors and `cryptography` write is read, byte for byte what
//! they would write is written, and whatever is wrong with a token is one and the same error.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use base64ct::{Base64Url, Encoding as _};
use donjon::entropy::{EntropyError, FixedEntropy};
use donjon::fernet::{
    Fernet, FernetError, KEY_TEXT_LEN, MAX_FUTURE_S, MAX_ITERATIONS, MAX_KEYS, MAX_SALT_LEN, derive_key,
    generate_key, plaintext_bound, token_len,
};
use donjon::password::MAX_PASSWORD_LEN;
use donjon::runtime::OsEntropy;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const NOW: i64 = 1_800_000_000;

/// The key of the specification's vectors.
const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
const OTHER_KEY: &str = "JSjz4Fv0x2k0VzbZ5xB0tvJzTqJkX0lqXkQe0w9dW6A=";

const REFUSED: FernetError = FernetError::DecryptFailed;

fn fernet(keys: &str) -> Fernet {
    Fernet::new(keys).unwrap()
}

fn token(keys: &str, plaintext: &[u8]) -> String {
    fernet(keys).encrypt(NOW, plaintext, &mut OsEntropy).unwrap()
}

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn encoded(bytes: &[u8]) -> String {
    Base64Url::encode_string(bytes)
}

fn decoded(text: &str) -> Vec<u8> {
    Base64Url::decode_vec(text).unwrap()
}

/// The bytes and their HMAC under `KEY`: what whoever has the key could write.
fn signed(bytes: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(&decoded(KEY)[..16]).unwrap().chain_update(bytes);
    [bytes, &mac.finalize().into_bytes()].concat()
}

fn open(keys: &str, ttl_s: Option<i64>, token: &str, now_s: i64) -> Result<Vec<u8>, FernetError> {
    fernet(keys).decrypt(now_s, ttl_s, token.as_bytes()).map(|plaintext| plaintext.to_vec())
}

// ---- the vectors of github.com/fernet/spec ----

/// 1985-10-26T01:20:00-07:00
const THEN: i64 = 499_162_800;

/// `generate.json`, whose token `verify.json` reads.
const GENERATED: &str =
    "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

#[test]
fn the_generate_vector_holds() {
    let iv: [u8; 16] = core::array::from_fn(|i| u8::try_from(i).unwrap());
    let token = fernet(KEY).encrypt(THEN, b"hello", &mut FixedEntropy::new(&iv));
    assert_eq!(token.as_deref(), Ok(GENERATED));
}

#[test]
fn the_verify_vector_holds() {
    assert_eq!(open(KEY, Some(60), GENERATED, THEN + 1).unwrap(), b"hello");
    assert_eq!(fernet(KEY).timestamp(GENERATED.as_bytes()), Ok(THEN));
}

#[test]
fn the_invalid_vectors_hold() {
    for (name, token, now_s) in [
        (
            "incorrect mac",
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==",
            THEN + 1,
        ),
        ("too short", "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA==", THEN + 1),
        (
            "invalid base64",
            "%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==",
            THEN + 1,
        ),
        (
            "payload size not multiple of block size",
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm",
            THEN + 1,
        ),
        (
            "payload padding error",
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==",
            THEN + 1,
        ),
        (
            "far-future TS (unacceptable clock skew)",
            "gAAAAAAdwStRAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAnja1xKYyhd-Y6mSkTOyTGJmw2Xc2a6kBd-iX9b_qXQcw==",
            THEN + 1,
        ),
        (
            "expired TTL",
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==",
            THEN + 91,
        ),
        (
            "incorrect IV (causes padding error)",
            "gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==",
            THEN + 1,
        ),
    ] {
        assert_eq!(open(KEY, Some(60), token, now_s), Err(REFUSED), "{name}");
    }
}

// ---- tokens ----

#[test]
fn every_length_comes_back_and_is_as_long_as_it_was_said_to_be() {
    for len in 0..=80 {
        let plaintext = vec![7; len];
        let token = token(KEY, &plaintext);
        assert_eq!(token.len(), token_len(len));
        assert!(plaintext_bound(token.len()) >= len && plaintext_bound(token.len()) <= token.len());
        assert_eq!(open(KEY, None, &token, NOW).unwrap(), plaintext);
    }
    let megabyte = vec![9; 1 << 20];
    assert_eq!(open(KEY, Some(60), &token(KEY, &megabyte), NOW).unwrap(), megabyte);
    assert_eq!(token_len(usize::MAX), usize::MAX);
}

#[test]
fn every_bit_flip_and_every_cut_is_one_error() {
    let bytes = decoded(&token(KEY, b"seventeen letters"));
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut forged = bytes.clone();
            forged[at] ^= 1 << bit;
            assert_eq!(open(KEY, None, &encoded(&forged), NOW), Err(REFUSED), "byte {at}, bit {bit}");
        }
    }
    for len in 0..bytes.len() {
        assert_eq!(open(KEY, None, &encoded(&bytes[..len]), NOW), Err(REFUSED), "{len} bytes");
    }
    for more in 1..=33 {
        let longer = [bytes.as_slice(), &vec![0; more]].concat();
        assert_eq!(open(KEY, None, &encoded(&longer), NOW), Err(REFUSED), "{more} bytes more");
    }
}

#[test]
fn a_token_has_one_spelling() {
    // 73 + 16n bytes leave every remainder by 3, so that tokens end in none, one and two `=`.
    for len in [0, 16, 32] {
        let token = token(KEY, &vec![7; len]);
        let bare = token.trim_end_matches('=');
        let padding = &token[bare.len()..];
        for cut in 0..token.len() {
            assert_eq!(open(KEY, None, &token[..cut], NOW), Err(REFUSED), "{cut} characters");
        }
        for other in [
            format!(" {token}"),
            format!("{token}\n"),
            format!("{token}\0"),
            format!("{token}="),
            format!("{token}===="),
            format!("{bare}={padding}"),
            format!("{bare}{}", &"==="[padding.len()..]),
            format!("{}\n{}", &token[..20], &token[20..]),
            format!("{}={}", &token[..20], &token[21..]),
            format!("{bare}AAAA{padding}"),
        ] {
            assert_eq!(open(KEY, None, &other, NOW), Err(REFUSED), "{other:?}");
        }
        // Bits that nobody reads: another last character decodes to the same bytes where that is let through.
        if !padding.is_empty() {
            let unread = if padding.len() == 1 { 4 } else { 16 };
            let last = ALPHABET.find(bare.chars().last().unwrap()).unwrap();
            for other in (last + 1)..(last / unread + 1) * unread {
                let other = format!("{}{}{padding}", &bare[..bare.len() - 1], &ALPHABET[other..=other]);
                assert_eq!(open(KEY, None, &other, NOW), Err(REFUSED), "{other}");
            }
        }
    }
    // The standard alphabet.
    let token = (0..).map(|_| token(KEY, b"")).find(|token| token.contains(['-', '_'])).unwrap();
    assert_eq!(open(KEY, None, &token.replace('-', "+").replace('_', "/"), NOW), Err(REFUSED));
}

#[test]
fn another_version_is_refused_though_its_hmac_holds() {
    let mut bytes = decoded(GENERATED);
    for version in [0x00, 0x7f, 0x81, 0xff] {
        bytes[0] = version;
        assert_eq!(open(KEY, None, &encoded(&signed(&bytes[..41])), NOW), Err(REFUSED), "{version}");
    }
    bytes[0] = 0x80;
    assert_eq!(open(KEY, None, &encoded(&signed(&bytes[..41])), NOW).unwrap(), b"hello");
}

#[test]
fn bad_padding_and_missing_blocks_are_refused_though_the_hmac_holds() {
    let bytes = decoded(GENERATED);
    assert_eq!(open(KEY, None, &encoded(&signed(&bytes[..25])), NOW), Err(REFUSED), "no block");
    assert_eq!(open(KEY, None, &encoded(&signed(&bytes[..40])), NOW), Err(REFUSED), "half a block");
    // Flipping the IV's last byte walks through every last byte of plaintext: 11 is the padding's.
    let opens = |flip: u8| {
        let mut bytes = bytes.clone();
        bytes[24] ^= flip;
        open(KEY, None, &encoded(&signed(&bytes[..41])), NOW)
    };
    let opened: Vec<u8> = (0..=255).filter(|flip| opens(*flip).is_ok()).collect();
    assert_eq!(opened, [0, 11 ^ 1], "what is there, and a padding of one byte");
    assert!((0..=255).filter(|flip| !opened.contains(flip)).all(|flip| opens(flip) == Err(REFUSED)));
}

#[test]
fn the_time_to_live_counts_from_the_timestamp_to_its_last_second() {
    let token = token(KEY, b"hello");
    for (ttl_s, age, good) in [
        (0, 0, true),
        (0, 1, false),
        (60, 60, true),
        (60, 61, false),
        (60, -60, true),
        (60, -61, false),
        (i64::MAX, i64::MAX - NOW, true),
        (i64::MAX, -60, true),
        (i64::MAX, -61, false),
    ] {
        let opened = open(KEY, Some(ttl_s), &token, NOW + age);
        assert_eq!(opened.is_ok(), good, "{ttl_s} {age}");
        assert!(opened.is_ok() || opened == Err(REFUSED));
        assert!(open(KEY, None, &token, NOW + age).is_ok());
    }
    assert_eq!(MAX_FUTURE_S, 60);
}

#[test]
fn a_timestamp_at_the_end_of_time_wraps_nowhere() {
    for timestamp in [0, 1, i64::MAX.unsigned_abs(), i64::MAX.unsigned_abs() + 1, u64::MAX - 60, u64::MAX] {
        let mut bytes = decoded(GENERATED);
        bytes[1..9].copy_from_slice(&timestamp.to_be_bytes());
        let token = encoded(&signed(&bytes[..41]));
        assert_eq!(open(KEY, None, &token, NOW).unwrap(), b"hello");
        let expected = i64::try_from(timestamp).unwrap_or(i64::MAX);
        assert_eq!(fernet(KEY).timestamp(token.as_bytes()), Ok(expected));
        let is_past = timestamp < 2;
        assert_eq!(open(KEY, Some(i64::MAX), &token, NOW).is_ok(), is_past, "{timestamp}");
        let is_near_the_end = timestamp.abs_diff(i64::MAX.unsigned_abs()) <= 1;
        assert_eq!(open(KEY, Some(60), &token, i64::MAX).is_ok(), is_near_the_end, "{timestamp}");
        let rotated = fernet(KEY).rotate(token.as_bytes(), &mut OsEntropy).unwrap();
        assert_eq!(decoded(&rotated)[1..9], timestamp.to_be_bytes());
    }
}

#[test]
fn a_negative_time_is_the_callers_mistake() {
    let fernet = fernet(KEY);
    let good = token(KEY, b"hello");
    let refused = Err(FernetError::InvalidArgument);
    assert_eq!(fernet.encrypt(-1, b"hello", &mut OsEntropy), refused);
    for token in [good.as_str(), ""] {
        let decrypt = |now_s, ttl_s| fernet.decrypt(now_s, ttl_s, token.as_bytes()).map(|_| String::new());
        assert_eq!(decrypt(-1, None), refused);
        assert_eq!(decrypt(-1, Some(60)), refused);
        assert_eq!(decrypt(i64::MIN, None), refused);
        assert_eq!(decrypt(NOW, Some(-1)), refused);
        assert_eq!(decrypt(NOW, Some(i64::MIN)), refused);
    }
}

#[test]
fn a_token_of_another_key_is_refused_in_half_and_in_whole() {
    let token = token(KEY, b"hello");
    assert_eq!(open(OTHER_KEY, None, &token, NOW), Err(REFUSED));
    // The same signing half: the HMAC holds, the padding does not, and the error is the same.
    let halves = |signing: &str, encryption: &str| {
        encoded(&[&decoded(signing)[..16], &decoded(encryption)[16..]].concat())
    };
    assert_eq!(open(&halves(OTHER_KEY, KEY), None, &token, NOW), Err(REFUSED));
    let opened = open(&halves(KEY, OTHER_KEY), None, GENERATED, NOW);
    assert_eq!(opened, Err(REFUSED));
}

// ---- several keys ----

#[test]
fn the_first_key_makes_and_every_key_reads() {
    let both = format!("{KEY},{OTHER_KEY}");
    let turned = format!("{OTHER_KEY},{KEY}");
    let token = token(&both, b"hello");
    assert_eq!(open(KEY, None, &token, NOW).unwrap(), b"hello");
    assert_eq!(open(&turned, None, &token, NOW).unwrap(), b"hello");
    assert_eq!(open(OTHER_KEY, None, &token, NOW), Err(REFUSED));
}

#[test]
fn rotation_keeps_the_timestamp_and_changes_key_and_iv() {
    let old = token(KEY, b"hello");
    let rotated = fernet(&format!("{OTHER_KEY},{KEY}")).rotate(old.as_bytes(), &mut OsEntropy).unwrap();
    assert_eq!(open(OTHER_KEY, Some(60), &rotated, NOW + 60).unwrap(), b"hello");
    assert_eq!(open(OTHER_KEY, Some(60), &rotated, NOW + 61), Err(REFUSED));
    assert_eq!(open(KEY, None, &rotated, NOW), Err(REFUSED));
    let (old, rotated) = (decoded(&old), decoded(&rotated));
    assert_eq!(old[..9], rotated[..9]);
    assert_ne!(old[9..25], rotated[9..25]);
}

#[test]
fn what_does_not_open_is_not_rotated() {
    let unknown = token(OTHER_KEY, b"hello");
    assert_eq!(fernet(KEY).rotate(unknown.as_bytes(), &mut OsEntropy), Err(REFUSED));
    assert_eq!(fernet(KEY).timestamp(unknown.as_bytes()), Err(REFUSED));
    assert_eq!(fernet(KEY).timestamp(b""), Err(REFUSED));
}

#[test]
fn as_many_keys_as_may_be_are_read() {
    let keys = vec![OTHER_KEY; MAX_KEYS - 1].join(",");
    let with_last = format!("{keys},{KEY}");
    assert_eq!(open(&with_last, None, GENERATED, NOW).unwrap(), b"hello");
    assert!(matches!(Fernet::new(format!("{with_last},{KEY}")), Err(FernetError::Config(_))));
}

// ---- keys ----

#[test]
fn a_key_that_is_none_is_refused() {
    let standard = KEY.replace('-', "+").replace('_', "/");
    let short = &KEY[4..];
    for keys in [
        "",
        ",",
        "changeme",
        &KEY[..43],
        short,
        &format!("AAAA{KEY}"),
        &format!(" {KEY}"),
        &format!("{KEY}\n"),
        &format!("{}\n", &KEY[..43]),
        &format!("{KEY},"),
        &format!(",{KEY}"),
        &format!("{KEY}, {OTHER_KEY}"),
        &format!("{KEY};{OTHER_KEY}"),
        &standard,
        // The last character's lowest bits are nobody's.
        &KEY.replace("4e4=", "4e5="),
        &KEY.replace('=', "A"),
        &KEY.replace("e4=", "==="),
        &KEY.replace("cw", "=w"),
        "0000000000000000000000000000000000000000000",
    ] {
        assert!(matches!(Fernet::new(keys), Err(FernetError::Config(_))), "{keys:?}");
    }
    assert!(matches!(Fernet::new([0xff; KEY_TEXT_LEN]), Err(FernetError::Config(_))));
}

#[test]
fn no_debug_output_has_a_key() {
    let shown = format!("{:?}", fernet(&format!("{KEY},{OTHER_KEY}")));
    assert_eq!(shown, "Fernet { keys: 2 }");
}

#[test]
fn a_generated_key_is_the_entropy_and_never_the_same_twice() {
    let chosen = generate_key(&mut FixedEntropy::new(&[0xff; 32])).unwrap();
    assert_eq!(*chosen, "__________________________________________8=");
    assert_ne!(generate_key(&mut OsEntropy).unwrap(), generate_key(&mut OsEntropy).unwrap());
    assert_eq!(generate_key(&mut OsEntropy).unwrap().len(), KEY_TEXT_LEN);
    let dry = generate_key(&mut FixedEntropy::new(&[0; 31]));
    assert_eq!(dry, Err(FernetError::Entropy(EntropyError)));
    let dry = fernet(KEY).encrypt(NOW, b"", &mut FixedEntropy::new(&[0; 15]));
    assert_eq!(dry, Err(FernetError::Entropy(EntropyError)));
}

const DERIVED: [(&[u8], &[u8], u32, &str); 4] = [
    (
        b"correct horse battery staple",
        b"sessions-salt",
        100_000,
        "Z1uKqh1hQsrEnL9SKbavbiV1pTsaSCeAd-lwvEEDl5c=",
    ),
    (b"password", b"salt", 1, "Eg-2z_z4syxD5yJSVsT4N6hlSMkszDVICAWYfLcL4Xs="),
    (b"", b"", 2, "lzmEEdaupDp3rO-SImq4J41NsGaL0denanJfdoCsRcU="),
    (
        &[0, 255],
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        1000,
        "BEzUe40RJNabU3MQia033jIo4m4SHfapNDLOKgkqtdo=",
    ),
];

/// What `cryptography` wrote under the first of them.
const WRITTEN_UNDER_DERIVED: &str =
    "gAAAAABrSdIAb7HHf1uIRaHRyP3vVIgyZIzS7xGsyjG2d0-zJBWqr5inNCOGBe1AvLy2uteMO9FvXg5BQEGAtBv9YqjTtdqKqA==";

/// What `PBKDF2HMAC(SHA256(), 32, salt, iterations)` of `cryptography` derives, in `urlsafe_b64encode`.
#[test]
fn a_derived_key_is_what_cryptography_derives() {
    for (password, salt, iterations, key) in DERIVED {
        assert_eq!(*derive_key(password, salt, iterations).unwrap(), key);
    }
    let key = derive_key(DERIVED[0].0, DERIVED[0].1, DERIVED[0].2).unwrap();
    assert_eq!(open(&key, None, WRITTEN_UNDER_DERIVED, NOW).unwrap(), "grüße".as_bytes());
}

#[test]
fn derivation_is_refused_out_of_its_bounds_before_any_work() {
    let started = std::time::Instant::now();
    for iterations in [0, MAX_ITERATIONS + 1, u32::MAX] {
        assert_eq!(derive_key(b"password", b"salt", iterations), Err(FernetError::ParamsOutOfBounds));
    }
    let long = vec![0; MAX_PASSWORD_LEN + 1];
    assert_eq!(derive_key(&long, b"salt", MAX_ITERATIONS), Err(FernetError::TooLarge));
    let long = vec![0; MAX_SALT_LEN + 1];
    assert_eq!(derive_key(b"password", &long, MAX_ITERATIONS), Err(FernetError::TooLarge));
    assert!(started.elapsed().as_millis() < 500);
    assert!(derive_key(&[0; MAX_PASSWORD_LEN], &[0; MAX_SALT_LEN], 1).is_ok());
}
