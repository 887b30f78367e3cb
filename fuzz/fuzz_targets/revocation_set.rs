//! Offline sets: what was put into one is found in it, and nothing else for certain; none opens that was changed;
//! and one whose signature holds, whatever is in it, is read to its end or refused.
#![no_main]

use std::sync::LazyLock;

use donjon::entropy::FixedEntropy;
use donjon::keyring::Keyring;
use donjon::revocation::{RevocationError, RevocationSet, SetTerms, Suspect, set_bound, sign_set};
use donjon_fuzz::abi::Script;
use donjon_fuzz::edits::edited;
use donjon_fuzz::sealers::{ENTROPY, NOW_S};
use donjon_fuzz::{KEYS, lp, mac};
use libfuzzer_sys::fuzz_target;

const FORGETTABLE: u8 = 7;

static KEYRING: LazyLock<Keyring> = LazyLock::new(|| Keyring::from_jwks(KEYS.as_bytes()).unwrap());

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    if script.byte() == 0 {
        let _ = RevocationSet::open(script.0, &KEYRING, 0, NOW_S);
        return read(&resigned(script.0));
    }
    let listed = listed(&mut script);
    let records: Vec<_> = listed.iter().map(|one| one.record.as_slice()).collect();
    let records = lp(&records);
    let terms = SetTerms {
        sequence: 9,
        store_since_ms: i64::from(script.byte()) * 1000,
        skew_s: i64::from(script.byte()),
        issued_at_s: NOW_S - i64::from(script.byte()),
        valid_until_s: NOW_S + 1 + i64::from(script.byte()),
    };
    let set = sign_set(&KEYRING, terms, &records, &mut FixedEntropy::new(&ENTROPY)).unwrap();
    assert!(set.len() <= set_bound(records.len()).unwrap());

    let opened = RevocationSet::open(&set, &KEYRING, 9, NOW_S).unwrap();
    for one in &listed {
        let verdict = opened.check(&one.suspect(Some(NOW_S - 1000)), NOW_S);
        let is_listed = verdict.outcome == Err(RevocationError::Revoked);
        assert!(is_listed || one.is_forgettable, "{one:?}");
        assert_eq!(verdict.is_probable, is_listed && one.kind != 4);
        let late = opened.check(&one.suspect(None), terms.valid_until_s);
        assert_eq!(late.outcome, Err(RevocationError::OutOfDate));
    }
    assert_eq!(RevocationSet::open(&set, &KEYRING, 10, NOW_S).unwrap_err(), RevocationError::RolledBack);

    let changed = edited(&mut script, &set);
    assert!(changed == set || RevocationSet::open(&changed, &KEYRING, 0, NOW_S).is_err());
    // The same, signed by a key that everybody has: kid and signature are replaced.
    let unsigned = [b"DJR1\x04hmac", &set[7..set.len() - 66]].concat();
    read(&resigned(&edited(&mut script, &unsigned)));
});

#[derive(Debug)]
struct Listed {
    kind: u8,
    id: String,
    is_forgettable: bool,
    record: Vec<u8>,
}

impl Listed {
    fn suspect(&self, issued_at_s: Option<i64>) -> Suspect<'_> {
        let of = |kind| if self.kind == kind { self.id.as_str() } else { "" };
        Suspect { token_id: of(1), family: of(2), subject: of(3), key_id: of(4), issued_at_s }
    }
}

/// Many records out of few decisions.
fn listed(script: &mut Script<'_>) -> Vec<Listed> {
    let count = usize::from(script.byte()) * usize::from(script.byte() % 4);
    let (kinds, forgettable) = (script.byte(), script.byte() % FORGETTABLE);
    let record = |index: usize| {
        let kind = 1 + (kinds.rotate_left(index as u32) & 3);
        // Some are there twice.
        let id = format!("id-{}", index / 2 * 2);
        let is_forgettable = index % usize::from(FORGETTABLE) < usize::from(forgettable);
        let until_s = if is_forgettable { 0 } else { i64::MAX - index as i64 };
        let since_s = if kind == 3 { NOW_S - index as i64 % 900 } else { 0 };
        let record = [&[1, kind][..], &until_s.to_be_bytes(), &since_s.to_be_bytes(), id.as_bytes()].concat();
        Listed { kind, id, is_forgettable, record }
    };
    (0..count).map(record).collect()
}

fn resigned(unsigned: &[u8]) -> Vec<u8> {
    let message = [&lp(&[b"donjon/revocation-set/v1"]), unsigned].concat();
    [unsigned, &[0, 32], &mac(&message)].concat()
}

/// Whatever opens answers, and says the same of itself as it did.
fn read(set: &[u8]) {
    let Ok(opened) = RevocationSet::open(set, &KEYRING, 0, NOW_S) else { return };
    assert_eq!(opened.info().bytes, set.len());
    serde_json::from_str::<serde_json::Value>(&opened.info_json()).unwrap();
    for id in ["id-0", "id-1", "id-2", "ann", ""] {
        let suspect = Suspect { subject: id, token_id: id, family: id, key_id: id, issued_at_s: Some(NOW_S) };
        let verdict = opened.check(&suspect, NOW_S);
        assert!(!verdict.is_probable || verdict.outcome == Err(RevocationError::Revoked));
    }
}
