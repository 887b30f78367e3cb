//! A sealer of each source, under published keys.

use donjon::entropy::FixedEntropy;
use donjon::envelope::{PassphraseParams, Sealer};
use donjon::keyring::Keyring;

use crate::KEYS;

pub const NOW_S: i64 = 1_700_000_000;
pub const ENTROPY: [u8; 128] = [7; 128];

pub fn all() -> [Sealer; 4] {
    let keyring = Keyring::from_jwks(KEYS.as_bytes()).unwrap();
    let cheap = PassphraseParams::new(8, 1, 1).unwrap();
    [
        Sealer::new(&keyring).unwrap(),
        Sealer::from_passphrase(b"correct horse", cheap).unwrap(),
        Sealer::from_external(&[1; 32], "kms", b"wrapped").unwrap(),
        data_key(),
    ]
}

/// Seals without a header of note.
pub fn data_key() -> Sealer {
    let wrapping = Sealer::from_external(&[2; 32], "kms", b"other").unwrap();
    wrapping.new_data_key(b"", NOW_S, &mut FixedEntropy::new(&ENTROPY)).unwrap().0
}

/// Whether opening these bytes under a passphrase costs more than a fuzzer has: their header asks for 256 KiB
/// or more.
pub fn are_costly(envelope: &[u8]) -> bool {
    envelope.starts_with(b"DJN1\x04\0") && envelope.get(22..25).is_some_and(|memory| memory != [0; 3])
}
