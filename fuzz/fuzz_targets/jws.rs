//! Any bytes as a JWS: read and verified with keys of every kind, then with a signature that holds.
#![no_main]

use std::sync::LazyLock;

use donjon::keyring::Keyring;
use donjon::signature::Algorithm;
use donjon::token::{unverified_header, verify_jws};
use donjon_fuzz::reference::Tree;
use donjon_fuzz::{KEYS, signed};
use libfuzzer_sys::fuzz_target;

static KEYRING: LazyLock<Keyring> = LazyLock::new(|| Keyring::from_jwks(KEYS.as_bytes()).unwrap());
const NOW_S: i64 = 1_700_000_000;

fuzz_target!(|data: &[u8]| {
    let verify = |jws: &[u8]| verify_jws(&KEYRING, Algorithm::ALL.into_iter().collect(), jws, NOW_S);
    let _ = (verify(data), unverified_header(data));

    // As header and payload: what then verifies names a key, and comes back as it was signed.
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (header, payload) = data.split_at(at);
    let jws = signed(header, payload);
    if let Ok(verified) = verify(jws.as_bytes()) {
        assert_eq!(verified.payload, payload);
        assert_eq!(verified.key_id.as_deref(), Some("hmac"));
        match serde_json::from_slice::<Tree>(header) {
            Ok(Tree::Object(header)) => {
                assert!(header.contains(&("alg".into(), Tree::Text("HS256".into()))));
                assert!(header.iter().all(|(name, _)| name != "crit"));
            }
            // A number that no float holds stays text with us.
            Err(error) if error.to_string().starts_with("number out of range") => {}
            other => panic!("{other:?}"),
        }
        let (forged, tag) = jws.rsplit_once('.').unwrap();
        assert!(verify(format!("{forged}A.{tag}").as_bytes()).is_err());
    }
});
