//! One envelope in pieces of any size, its chunks done in parts of any size: the same bytes as in one piece.
//! After any edit, what comes out is the beginning of what went in, and the end is never reached.
#![no_main]

use std::sync::LazyLock;

use donjon::entropy::FixedEntropy;
use donjon::envelope::{
    Context, Decryptor, Encryptor, EnvelopeError, MAX_PREFIX_LEN, Run, Sealer, Workers, stream_bound,
};
use donjon_fuzz::abi::Script;
use donjon_fuzz::edits::{edited, pieces, plaintext};
use donjon_fuzz::sealers::{self, ENTROPY, NOW_S};
use libfuzzer_sys::fuzz_target;

static SEALER: LazyLock<Sealer> = LazyLock::new(sealers::data_key);

/// Does the chunks of a push so many at a time.
struct AtATime(usize);

impl Workers for AtATime {
    fn run(&self, mut run: Run<'_>) -> Result<(), EnvelopeError> {
        while run.chunks() > self.0 {
            run.split_off_front(self.0).execute()?;
        }
        run.execute()
    }
}

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let workers = AtATime(1 + usize::from(script.byte() % 3));
    let plaintext = plaintext(&mut script);
    let entropy = || FixedEntropy::new(&ENTROPY);
    let whole = SEALER.seal(&Context::EMPTY, NOW_S, &plaintext, &mut entropy()).unwrap();
    let read = edited(&mut script, &whole);

    let (mut envelope, mut encryptor) =
        Encryptor::new(&SEALER, &Context::EMPTY, NOW_S, &mut entropy()).unwrap();
    for piece in pieces(&mut script, &plaintext) {
        let sealed = encryptor.push_on(piece, &workers).unwrap();
        assert!(sealed.len() <= stream_bound(piece.len()));
        envelope.extend(sealed);
    }
    envelope.extend(encryptor.finish().unwrap());
    assert!(encryptor.push(b"").is_err() && encryptor.finish().is_err());
    assert!(envelope == whole);

    let mut opened = Vec::new();
    let ended = open(&mut script, &read, &workers, &mut opened);
    assert!(plaintext.starts_with(&opened));
    assert_eq!(ended.is_ok(), read == whole);
    assert!(ended.is_err() || opened == plaintext);
});

fn open(
    script: &mut Script<'_>,
    envelope: &[u8],
    workers: &AtATime,
    opened: &mut Vec<u8>,
) -> Result<(), EnvelopeError> {
    let prefix = &envelope[..envelope.len().min(MAX_PREFIX_LEN)];
    let (consumed, mut decryptor) = Decryptor::new(&SEALER, &Context::EMPTY, NOW_S, prefix)?;
    for piece in pieces(script, &envelope[consumed..]) {
        let pushed = decryptor.push_on(piece, workers);
        if pushed.is_err() {
            assert!(decryptor.push(b"").is_err() && decryptor.finish().is_err());
        }
        opened.extend(pushed?);
    }
    opened.extend(decryptor.finish()?);
    Ok(())
}
