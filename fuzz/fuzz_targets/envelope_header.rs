//! Any bytes as an envelope or as a stored data key, before sealers of every source: what opens was sealed.
//! The first byte picks an envelope to edit, or takes the rest as it stands.
#![no_main]

use std::sync::LazyLock;

use donjon::entropy::FixedEntropy;
use donjon::envelope::{Context, Inspection, Kind, Sealer};
use donjon_fuzz::abi::Script;
use donjon_fuzz::edits::edited;
use donjon_fuzz::sealers::{self, ENTROPY, NOW_S, are_costly};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const PLAINTEXT: &[u8] = b"4 000 EUR";
const SCOPE: &[u8] = b"acme";

static SEALERS: LazyLock<[Sealer; 4]> = LazyLock::new(sealers::all);
/// An envelope of each sealer, and a data key of each that wraps.
static SEALED: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let entropy = || FixedEntropy::new(&ENTROPY);
    let envelopes =
        SEALERS.iter().map(|sealer| sealer.seal(&Context::EMPTY, NOW_S, PLAINTEXT, &mut entropy()).unwrap());
    let data_keys =
        SEALERS[..3].iter().map(|sealer| sealer.new_data_key(SCOPE, NOW_S, &mut entropy()).unwrap().1);
    envelopes.chain(data_keys).collect()
});

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let envelope = match SEALED.get(usize::from(script.byte())) {
        Some(sealed) => edited(&mut script, sealed),
        None => script.0.to_vec(),
    };
    let inspected = Inspection::new(&envelope);
    if let Ok(inspection) = inspected {
        check(&inspection, &envelope);
    }
    if are_costly(&envelope) {
        return;
    }
    for sealer in &*SEALERS {
        let opened = sealer.open(&Context::EMPTY, NOW_S, &envelope);
        assert!(opened.as_ref().map_or(true, |plaintext| plaintext == PLAINTEXT && is_sealed(&envelope)));
        assert!(sealer.open(&Context::new(&["elsewhere"]).unwrap(), NOW_S, &envelope).is_err());
        assert!(inspected.is_ok() || sealer.needs_rewrap(&envelope).is_err());
        // A new header before the same payload opens as the old one did.
        if let Ok((header, old_len)) =
            sealer.rewrap(sealer, NOW_S, &envelope, &mut FixedEntropy::new(&ENTROPY))
        {
            let rewrapped = [&header, &envelope[old_len..]].concat();
            assert_eq!(sealer.open(&Context::EMPTY, NOW_S, &rewrapped), opened);
            assert_eq!(sealer.needs_rewrap(&rewrapped), Ok(false));
        }
        assert!(sealer.open_data_key(SCOPE, NOW_S, &envelope).is_err() || is_sealed(&envelope));
        assert!(sealer.open_data_key(b"other", NOW_S, &envelope).is_err());
    }
});

fn is_sealed(envelope: &[u8]) -> bool {
    SEALED.iter().any(|sealed| sealed == envelope)
}

fn check(inspection: &Inspection<'_>, envelope: &[u8]) {
    let said: Value = serde_json::from_str(&inspection.to_json()).unwrap();
    assert_eq!(
        (&said["kind"], &said["key_id"]),
        (&inspection.kind().name().into(), &inspection.key_id().into())
    );
    assert!(inspection.header_len() <= envelope.len());
    assert_eq!(inspection.key_id().is_empty(), inspection.kind() == Kind::Passphrase);
    assert_eq!(said["memory_kib"].is_number(), inspection.kind() == Kind::Passphrase);
    assert_eq!(said["wrapped_key"].is_string(), inspection.kind() == Kind::External);
}
