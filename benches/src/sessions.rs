//! A token looked up in a signed set of revoked ones; a session checked in its user's record.

use std::hint::black_box;

use donjon::keyring::Keyring;
use donjon::revocation::{
    Revocable, RevocationError, RevocationSet, Revocations, SetTerms, Suspect, set_bound, sign_set,
};
use donjon::runtime::OsEntropy;

use crate::measure::{Runner, race};
use crate::report::{report_bound, report_bytes};

const MASTER: &str = "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU";
const EPOCHS: &str =
    r#"{"keys":[{"purpose":"token","epoch":1},{"purpose":"device","epoch":1},{"purpose":"csrf","epoch":1}]}"#;
const NOW_S: i64 = 1_800_000_000;
const IDS: usize = 1_000_000;
const WANTED_NS: f64 = 150.0;
const BYTES_PER_ID: u64 = 4;
/// As many as no cache of a processor holds the places of.
const ASKED: usize = 1 << 16;

pub fn measure() {
    let keyring = Keyring::from_master(MASTER, EPOCHS).unwrap();
    let set = signed_set(&keyring);
    compare(&set, "that is not revoked", |number| id(IDS + number), Ok(()));
    compare(&set, "that is revoked", |number| id(number * (IDS / ASKED)), Err(RevocationError::Revoked));
}

fn id(number: usize) -> String {
    // As long as an issuer's: 16 bytes in base64url.
    format!("{:022x}", (number as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835) >> 40)
}

fn signed_set(keyring: &Keyring) -> RevocationSet {
    let rules = Revocations::new(keyring, b"").unwrap();
    let mut records = Vec::new();
    for number in 0..IDS {
        let what = Revocable::Token { subject: "ann", token_id: &id(number) };
        let written = rules.revoke(what, b"", Some(NOW_S + 1_800), NOW_S * 1000, 0).unwrap();
        records.extend_from_slice(&u32::try_from(written.value.len()).unwrap().to_be_bytes());
        records.extend_from_slice(&written.value);
    }
    let terms = SetTerms {
        sequence: 1,
        store_since_ms: 0,
        skew_s: 2,
        issued_at_s: NOW_S,
        valid_until_s: NOW_S + 600,
    };
    let bytes = sign_set(keyring, terms, &records, &mut OsEntropy).unwrap();
    assert!(set_bound(records.len()).unwrap() >= bytes.len());
    report_bytes(
        "revocation set of 1,000,000 ids",
        bytes.len() as u64,
        "4 B for an id",
        BYTES_PER_ID * IDS as u64,
    );
    RevocationSet::open(&bytes, keyring, 0, NOW_S).unwrap()
}

fn compare(
    set: &RevocationSet,
    what: &str,
    of: impl Fn(usize) -> String,
    wanted: Result<(), RevocationError>,
) {
    let ids: Vec<String> = (0..ASKED).map(of).collect();
    let wrong = ids.iter().filter(|id| check(set, id) != wanted).count();
    assert!(wrong <= 2, "{wrong} of {ASKED} lookups were not as wanted");
    let mut turn = ids.iter().cycle();
    let measured = race(&mut [Runner {
        name: "donjon",
        call: &mut || {
            black_box(check(set, black_box(turn.next().unwrap()))).ok();
        },
    }]);
    report_bound(&format!("revocation set of 1,000,000, a token {what}"), measured[0].1, "150 ns", WANTED_NS);
}

/// All that a verifier asks: the token, its subject and its key.
fn check(set: &RevocationSet, token_id: &str) -> Result<(), RevocationError> {
    let suspect = Suspect { subject: "ben", token_id, family: "", key_id: "k1", issued_at_s: Some(NOW_S) };
    set.check(&suspect, NOW_S + 1).outcome
}
