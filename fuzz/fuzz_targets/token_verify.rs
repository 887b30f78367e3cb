//! Claims behind a signature that holds: whatever is accepted keeps every promise of the verifier, by a
//! reading of the claims that is not the kernel's. The first byte picks the verifier, and whether the
//! rest is a payload to sign or a token as it stands.
#![no_main]

use std::sync::LazyLock;

use donjon::keyring::Keyring;
use donjon::token::{Claims, Verifier, VerifierConfig};
use donjon_fuzz::{KEYS, signed};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const NOW_S: i64 = 1_700_000_000;
const HEADER: &[u8] = br#"{"alg":"HS256","kid":"hmac","typ":"at+jwt"}"#;

static VERIFIERS: LazyLock<[Verifier; 3]> = LazyLock::new(|| {
    let keyring = Keyring::from_jwks(KEYS.as_bytes()).unwrap();
    [
        r#"{"issuer":"a","audience":["b","c"],"type":"at+jwt","algorithms":["HS256"],"require":["sub"]}"#,
        r#"{"issuer":null,"audience":null,"type":null,"algorithms":["HS256","EdDSA"],"require":null,"leeway_s":300}"#,
        r#"{"issuer":null,"audience":null,"type":"at+jwt","algorithms":["HS256"],"legacy_type_claim":"type"}"#,
    ]
    .map(|config| Verifier::new(&keyring, VerifierConfig::from_json(config.as_bytes()).unwrap()).unwrap())
});

fuzz_target!(|data: &[u8]| {
    let Some((mode, rest)) = data.split_first() else { return };
    let which = usize::from(mode & 3).min(2);
    if mode & 4 != 0 {
        let _ = VERIFIERS[which].verify(rest, NOW_S);
        return;
    }
    let token = signed(HEADER, rest);
    let Ok(claims) = VERIFIERS[which].verify(token.as_bytes(), NOW_S) else { return };
    let read: Value = match serde_json::from_slice(rest) {
        Ok(read) => read,
        // A number that no float holds stays text with us.
        Err(error) if error.to_string().starts_with("number out of range") => return,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(serde_json::from_str::<Value>(claims.json()).unwrap(), read);
    holds(&claims, &read, which);
});

fn holds(claims: &Claims, read: &Value, which: usize) {
    let leeway = if which == 1 { 300.0 } else { 0.0 };
    let now = NOW_S as f64;
    // A float may round a fraction away that the verifier saw.
    assert!(read["exp"].as_f64().map_or(which == 1, |end| end >= now - leeway));
    assert!(read["nbf"].as_f64().is_none_or(|start| start <= now + leeway));
    assert!(read["iat"].as_f64().is_none_or(|minted| minted <= now + leeway + 3.0));
    for (name, text) in [("iss", claims.issuer()), ("sub", claims.subject()), ("jti", claims.token_id())] {
        assert_eq!(read.get(name), text.map(Value::from).as_ref());
    }
    let texts = |name: &str| read[name].as_array().into_iter().flatten().map(|text| text.as_str().unwrap());
    assert!(claims.permissions().map(|text| text.decode().into_owned()).eq(texts("permissions")));
    assert!(claims.roles().map(|text| text.decode().into_owned()).eq(texts("roles")));
    match which {
        0 => {
            let audience = &read["aud"];
            assert!(read["iss"] == "a" && read["sub"].is_string());
            assert!(audience == "b" || audience == "c" || texts("aud").any(|one| one == "b" || one == "c"));
        }
        2 => assert_eq!(read["type"], "access"),
        _ => {}
    }
}
