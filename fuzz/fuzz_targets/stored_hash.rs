//! Any bytes as a stored hash: read and planned, never run. What is read asks for no more than the bounds
//! and the budget, and of Argon2 it is the only way to write that hash.
#![no_main]

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use donjon::keyring::Keyring;
use donjon::password::{
    Hasher, HasherConfig, MAX_PARALLELISM, MAX_TIME_COST, MAX_WORK, Memory, PasswordError, Scheme,
};
use donjon_fuzz::KEYS;
use libfuzzer_sys::fuzz_target;

const NOW_S: i64 = 1_700_000_000;

static PEPPERS: LazyLock<Keyring> = LazyLock::new(|| Keyring::from_jwks(KEYS.as_bytes()).unwrap());
static BARE: LazyLock<Hasher> = LazyLock::new(|| Hasher::new(&HasherConfig::DEFAULT, None).unwrap());
static PEPPERED: LazyLock<Hasher> = LazyLock::new(|| {
    let config = HasherConfig { legacy: Scheme::ALL.into_iter().collect(), ..HasherConfig::DEFAULT };
    Hasher::new(&config, Some(&PEPPERS)).unwrap()
});

fuzz_target!(|stored: &[u8]| {
    let Ok(verification) = PEPPERED.read(stored, NOW_S) else {
        assert!(BARE.read(stored, NOW_S).is_err());
        return;
    };
    let text = str::from_utf8(stored).unwrap();
    let is_argon2 = text.starts_with("$argon2") || text.starts_with("argon2$");
    // By how it begins: a salt of Django's may read "argon2id" too.
    let is_argon2id = text.starts_with("$argon2id$") || text.starts_with("argon2$argon2id$");
    let kib = match verification.memory() {
        Memory::Blocks(kib) => {
            assert!(is_argon2);
            check_argon2(text, kib);
            kib
        }
        Memory::Allocated(kib) => kib,
        Memory::None => 0,
    };
    assert!(kib <= HasherConfig::DEFAULT.memory_budget_kib);
    match BARE.read(stored, NOW_S) {
        // Without a pepper, where a pepper is configured: to be made anew with it.
        Ok(_) => {
            assert!(verification.needs_rehash() && is_argon2id && !text.contains(",keyid="))
        }
        Err(PasswordError::Unsupported) => assert!(!is_argon2id),
        Err(error) => assert_eq!(error, PasswordError::UnknownKey),
    }
});

/// Reads it again, by its fields.
fn check_argon2(text: &str, kib: u32) {
    let fields: Vec<&str> = text.split('$').collect();
    let [_, _, "v=19", params, salt, hash] = fields[..] else { panic!("{text}") };
    for field in [salt, hash] {
        assert_eq!(BASE64.encode(BASE64.decode(field).unwrap()), field);
    }
    let params: Vec<u32> =
        params.split(',').take(3).map(|param| param.split_once('=').unwrap().1.parse().unwrap()).collect();
    let [memory_kib, time_cost, parallelism] = params[..] else { panic!("{text}") };
    assert!(memory_kib == kib && memory_kib >= 8 * parallelism);
    assert!((1..=MAX_TIME_COST).contains(&time_cost) && (1..=MAX_PARALLELISM).contains(&parallelism));
    assert!(u64::from(memory_kib) * u64::from(time_cost) <= MAX_WORK);
}
