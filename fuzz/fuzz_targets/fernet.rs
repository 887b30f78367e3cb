//! Any bytes as a Fernet token, as they stand or with a signature that holds: what decrypts is, byte for
//! byte, the one way to write it.
#![no_main]

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use donjon::entropy::FixedEntropy;
use donjon::fernet::{Fernet, MAX_FUTURE_S};
use donjon_fuzz::abi::Script;
use hmac::{Hmac, KeyInit as _, Mac as _};
use libfuzzer_sys::fuzz_target;
use sha2::Sha256;

/// The key of the specification, and another.
const KEYS: [&str; 2] =
    ["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=", "DLPM9cy8snZ1dfLTKjbKLB6M7vwXKrnLeIung-kQpGY="];

static BOTH: LazyLock<Fernet> = LazyLock::new(|| Fernet::new(KEYS.join(",")).unwrap());
static EACH: LazyLock<[Fernet; 2]> = LazyLock::new(|| KEYS.map(|key| Fernet::new(key).unwrap()));

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let which = script.byte();
    let (now_s, ttl_s) = (script.number().max(0), script.number().max(0));
    let token = match KEYS.get(usize::from(which)) {
        Some(key) => signed(key, script.0),
        None => script.0.to_vec(),
    };
    let Ok(plaintext) = BOTH.decrypt(now_s, None, &token) else {
        assert!(BOTH.rotate(&token, &mut FixedEntropy::new(&[7; 16])).is_err());
        return assert!(BOTH.decrypt(now_s, Some(ttl_s), &token).is_err());
    };
    let raw = URL_SAFE.decode(&token).unwrap();
    let made = u64::from_be_bytes(raw[1..9].try_into().unwrap());
    assert_eq!(BOTH.timestamp(&token), Ok(i64::try_from(made).unwrap_or(i64::MAX)));
    let (now, ttl) = (now_s.cast_unsigned(), ttl_s.cast_unsigned());
    let is_alive =
        u128::from(now) <= u128::from(made) + u128::from(ttl) && made <= now.saturating_add(MAX_FUTURE_S);
    assert_eq!(BOTH.decrypt(now_s, Some(ttl_s), &token).is_ok(), is_alive);

    if let Ok(made_s) = i64::try_from(made) {
        let own = EACH.iter().find(|fernet| fernet.decrypt(now_s, None, &token).is_ok()).unwrap();
        let again = own.encrypt(made_s, &plaintext, &mut FixedEntropy::new(&raw[9..25]));
        assert_eq!(again.unwrap().as_bytes(), token);
    }
    let rotated = BOTH.rotate(&token, &mut FixedEntropy::new(&[7; 16])).unwrap();
    assert_eq!(EACH[0].decrypt(now_s, None, rotated.as_bytes()).unwrap(), plaintext);
    assert_eq!(BOTH.timestamp(rotated.as_bytes()), BOTH.timestamp(&token));
});

/// `content` with the HMAC that its key gives it.
fn signed(key: &str, content: &[u8]) -> Vec<u8> {
    let key = URL_SAFE.decode(key).unwrap();
    let mac =
        Hmac::<Sha256>::new_from_slice(&key[..16]).unwrap().chain_update(content).finalize().into_bytes();
    URL_SAFE.encode([content, &mac].concat()).into_bytes()
}
