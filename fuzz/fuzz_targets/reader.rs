//! Any range of an envelope's plaintext is that slice of it. After any edit, a range is that slice or fails,
//! and an envelope whose end is not its end makes no reader.
#![no_main]

use std::sync::LazyLock;

use donjon::entropy::FixedEntropy;
use donjon::envelope::{Context, MAX_PREFIX_LEN, MAX_TAIL_LEN, Reader, Sealer};
use donjon_fuzz::abi::Script;
use donjon_fuzz::edits::{edited, plaintext};
use donjon_fuzz::sealers::{self, ENTROPY, NOW_S};
use libfuzzer_sys::fuzz_target;

static SEALER: LazyLock<Sealer> = LazyLock::new(sealers::data_key);

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let plaintext = plaintext(&mut script);
    let whole = SEALER.seal(&Context::EMPTY, NOW_S, &plaintext, &mut FixedEntropy::new(&ENTROPY)).unwrap();
    let envelope = edited(&mut script, &whole);
    let prefix = &envelope[..envelope.len().min(MAX_PREFIX_LEN)];
    let tail = &envelope[envelope.len().saturating_sub(MAX_TAIL_LEN)..];
    let total_len = envelope.len() as u64;
    let Ok(reader) = Reader::new(&SEALER, &Context::EMPTY, NOW_S, prefix, tail, total_len) else {
        return assert!(envelope != whole);
    };
    assert_eq!((envelope.len(), reader.len()), (whole.len(), plaintext.len() as u64));
    while !script.0.is_empty() {
        let (offset, len) = (drawn(&mut script), drawn(&mut script));
        let span = reader.span(offset, len);
        let sealed = &envelope[span.offset as usize..][..span.len as usize];
        match reader.read(offset, len, sealed) {
            Ok(range) => {
                let rest = plaintext.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
                assert!(range == rest[..rest.len().min(usize::try_from(len).unwrap())]);
            }
            Err(_) => assert!(envelope != whole),
        }
        assert!(sealed.is_empty() || reader.read(offset, len, &sealed[1..]).is_err());
    }
});

/// A number of any size, and often one of the plaintext's.
fn drawn(script: &mut Script<'_>) -> u64 {
    match script.byte() {
        exponent @ 0..16 => u64::from(script.byte()) << exponent,
        near @ 16..32 => 16_384 * u64::from(1 + script.byte() % 3) + u64::from(near) - 24,
        _ => script.number().cast_unsigned(),
    }
}
