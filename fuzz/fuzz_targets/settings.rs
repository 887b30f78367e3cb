//! A setting's name, its value, and what became of the sealed text: it opens as it was sealed, under its own
//! name, or not at all. What was never sealed is told apart.
#![no_main]

use std::sync::LazyLock;

use donjon::entropy::FixedEntropy;
use donjon::envelope::EnvelopeError;
use donjon::keyring::Keyring;
use donjon::settings::{PREFIX, Settings};
use donjon_fuzz::KEYS;
use donjon_fuzz::abi::Script;
use donjon_fuzz::edits::edited;
use donjon_fuzz::sealers::{ENTROPY, NOW_S};
use libfuzzer_sys::fuzz_target;

static SETTINGS: LazyLock<Settings> =
    LazyLock::new(|| Settings::new(&Keyring::from_jwks(KEYS.as_bytes()).unwrap()).unwrap());

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let mut drawn = || {
        let len = usize::from(script.byte());
        String::from_utf8_lossy(script.bytes(len)).into_owned()
    };
    let (name, value, other) = (drawn(), drawn(), drawn());
    let open = |name: &str, text: &[u8]| SETTINGS.open(name, text, NOW_S);
    let text = SETTINGS.seal(&name, &value, NOW_S, &mut FixedEntropy::new(&ENTROPY)).unwrap();
    assert_eq!(SETTINGS.text_len(value.len()), Ok(text.len()));
    assert_eq!(open(&other, text.as_bytes()).is_ok(), other == name);

    let read = edited(&mut script, text.as_bytes());
    assert_eq!(
        open(&name, &read).ok().map(|value| value.to_string()),
        (read == text.as_bytes()).then_some(value)
    );
    for text in [&read[..], script.0] {
        assert_eq!(open(&name, text) == Err(EnvelopeError::Malformed), !text.starts_with(PREFIX.as_bytes()));
    }
});
