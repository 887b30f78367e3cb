//! Any bytes where a revocation would lie: only nothing is none. And what is written over them revokes what it is
//! about, until its end, and nothing that was issued after it.
#![no_main]

use std::sync::LazyLock;

use donjon::keyring::Keyring;
use donjon::revocation::{DEFAULT_SKEW_S, Revocable, RevocationError, Revocations, Suspect, issue_time};
use donjon::time::MAX_DURATION_S;
use donjon_fuzz::abi::Script;
use donjon_fuzz::lp;
use libfuzzer_sys::fuzz_target;

const SKEW_S: i64 = 5;

static RULES: LazyLock<Revocations> = LazyLock::new(|| {
    let epochs = r#"{"keys":[{"purpose":"device","epoch":2,"oldest":1}]}"#;
    let master = "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU";
    let keyring = Keyring::from_master(master, epochs).unwrap();
    Revocations::new(&keyring, format!(r#"{{"skew_s":{SKEW_S},"longest_ttl_s":3600}}"#).as_bytes()).unwrap()
});

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let kind = 1 + script.byte() % 4;
    let len = usize::from(script.byte());
    let id = String::from_utf8_lossy(script.bytes(len)).into_owned();
    let (now_ms, until_s, iat_s) = (script.number(), script.number(), script.number());
    let store_since_ms = script.number();
    let stored = script.0;

    let of = |own| if own == kind { id.as_str() } else { "" };
    let (subject, token_id, family, key_id) = (of(3), of(1), of(2), of(4));
    let suspect = Suspect { subject, token_id, family, key_id, issued_at_s: Some(iat_s) };
    let what = match kind {
        1 => Revocable::Token { subject, token_id },
        2 => Revocable::Family { subject, family },
        3 => Revocable::Subject(subject),
        _ => Revocable::Key(key_id),
    };
    let written = RULES.revoke(what, stored, Some(until_s), now_ms, store_since_ms);
    assert_eq!(written.is_err(), id.is_empty() || id.len() > 1024 || (kind == 3 && store_since_ms < 0));
    let Ok(written) = written else { return };
    let keys = RULES.keys(&suspect);
    assert_eq!(Ok(&keys[0]), RULES.key(what).as_ref());

    // The record lies under each of the keys in turn.
    let values = |record: &[u8], at: usize| {
        let values: Vec<_> = (0..keys.len()).map(|index| if index == at { record } else { b"" }).collect();
        lp(&values)
    };
    let check = |record: &[u8], at: usize| RULES.check(&suspect, &values(record, at), store_since_ms);
    if store_since_ms < 0 {
        return assert_eq!(check(b"", 0), Err(RevocationError::InvalidArgument));
    }
    let store_since_s = if store_since_ms == 0 { 0 } else { store_since_ms / 1000 + SKEW_S + 1 };
    let is_known = iat_s >= store_since_s;
    for at in 0..keys.len() {
        assert_eq!(check(b"", at).is_ok(), is_known);
        for record in [stored, &written.value].into_iter().filter(|record| !record.is_empty()) {
            let is_outlived =
                since_s(record, subject).is_some_and(|since_s| iat_s > since_s.saturating_add(SKEW_S));
            assert_eq!(check(record, at).is_ok(), is_outlived && is_known);
        }
        if kind == 3 {
            // What was issued before, as the store had it, is taken back; what is issued now lives.
            let before = issued_at_s(subject, &values(b"", at), now_ms, store_since_ms);
            let after = issued_at_s(subject, &values(&written.value, at), now_ms, store_since_ms);
            for (iat_s, is_good) in [(before, false), (after, after < i64::MAX)] {
                let suspect = Suspect { issued_at_s: Some(iat_s), ..suspect };
                let checked = RULES.check(&suspect, &values(&written.value, at), store_since_ms);
                assert_eq!(checked.is_ok(), is_good, "{iat_s}");
            }
        }
    }
    let since_s = since_s(&written.value, subject);
    assert_eq!(since_s.is_some(), kind == 3);
    assert!(since_s.is_none_or(|since_s| since_s >= now_ms.max(0) / 1000));
    let until_s = |record: &[u8]| i64::from_be_bytes(record[2..10].try_into().unwrap());
    let left_ms = until_s(&written.value).saturating_mul(1000).saturating_sub(now_ms.max(0)).max(0);
    assert_eq!(written.keep_ms, left_ms.saturating_add(60_000).min(MAX_DURATION_S * 1000));
    let again = RULES.revoke(what, &written.value, Some(i64::MIN), 0, 0).unwrap();
    assert!(until_s(&again.value) >= until_s(&written.value));
});

/// Since when a record says that its subject's tokens are revoked, if it is about this subject.
fn since_s(record: &[u8], subject: &str) -> Option<i64> {
    let is_of = record.len() > 18 && record[..2] == [1, 3] && record[18..] == *subject.as_bytes();
    (is_of && !subject.is_empty()).then(|| i64::from_be_bytes(record[10..18].try_into().unwrap()))
}

/// When a token is issued, by what lies under the subject's keys.
fn issued_at_s(subject: &str, values: &[u8], now_ms: i64, store_since_ms: i64) -> i64 {
    let since_s = RULES.issue_since(subject, values, store_since_ms).unwrap();
    issue_time(now_ms.max(0) / 1000, since_s, DEFAULT_SKEW_S)
}
