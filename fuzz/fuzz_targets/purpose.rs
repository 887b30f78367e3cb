//! Single-purpose tokens: one is good for its own purpose, subject, state and time, and for nothing else;
//! no other bytes are good for anything.
#![no_main]

use std::sync::LazyLock;

use donjon::entropy::FixedEntropy;
use donjon::keyring::Keyring;
use donjon::token::{PurposeName, PurposeTokens};
use donjon_fuzz::KEYS;
use donjon_fuzz::abi::Script;
use libfuzzer_sys::fuzz_target;

static TOKENS: LazyLock<PurposeTokens> =
    LazyLock::new(|| PurposeTokens::new(&Keyring::from_jwks(KEYS.as_bytes()).unwrap()).unwrap());

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let mut drawn = || {
        let len = usize::from(script.byte());
        String::from_utf8_lossy(script.bytes(len)).into_owned()
    };
    let (purpose, subject, state, other) = (drawn(), drawn(), drawn(), drawn());
    let (ttl_s, now_s) = (script.number(), script.number());
    let Some(purpose) = PurposeName::new(&purpose) else { return };
    assert!(TOKENS.check(&purpose, &subject, state.as_bytes(), other.as_bytes(), now_s).is_err());
    let mut entropy = FixedEntropy::new(&[7; 16]);
    let Ok(token) = TOKENS.mint(&purpose, &subject, state.as_bytes(), ttl_s, now_s, &mut entropy) else {
        return;
    };
    let check = |purpose: &PurposeName, subject: &str, state: &str, now_s: i64| {
        TOKENS.check(purpose, subject, state.as_bytes(), token.as_bytes(), now_s).is_ok()
    };
    let end_s = now_s.saturating_add(ttl_s);
    assert!(!check(&purpose, &subject, &state, end_s));
    if now_s == end_s {
        return;
    }
    assert!(check(&purpose, &subject, &state, now_s) && check(&purpose, &subject, &state, end_s - 1));
    assert!(other == subject || !check(&purpose, &other, &state, now_s));
    assert!(other == state || !check(&purpose, &subject, &other, now_s));
    let another = PurposeName::new(&other);
    assert!(another.is_none_or(|another| another == purpose || !check(&another, &subject, &state, now_s)));
});
