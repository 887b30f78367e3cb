//! Sealing and opening: a cell of a column, a megabyte, a file.

pub mod file;

use std::hint::black_box;
use std::time::{SystemTime, UNIX_EPOCH};

use donjon::envelope::{Context, Sealer};
use donjon::keyring::{Keyring, Purpose};
use donjon::runtime::OsEntropy;
use donjon::signature::Algorithm;

use crate::measure::{Runner, race};
use crate::peers::aead::{AesGcm, AwsLc};
use crate::report::report_all;

/// Which AES-GCM donjon was built with: the benchmarks are built twice.
pub const BACKEND: &str = if cfg!(feature = "aws-lc") { "aws-lc" } else { "portable" };

const PARTS: [&str; 3] = ["users", "email", "5f0c2a9e-4b7d-4c1e-9a53-0d8e6f7b2c14"];
const SIZES: [(usize, &str); 3] = [(64, "64 B cell"), (1024, "1 KiB cell"), (1 << 20, "1 MiB")];

pub fn measure() {
    let sealer = sealer();
    let (data_key, _) = sealer.new_data_key(b"tenant", now_s(), &mut OsEntropy).unwrap();
    for (len, name) in SIZES {
        compare(&data_key, name, &vec![0x5a; len]);
    }
    file::measure();
}

/// A keyring's sealer, as an application has it.
pub fn sealer() -> Sealer {
    let keyring =
        Keyring::generate(&[(Purpose::Envelope, Algorithm::Hs256)], now_s(), &mut OsEntropy).unwrap();
    Sealer::new(&keyring).unwrap()
}

pub fn now_s() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

fn compare(data_key: &Sealer, name: &str, plaintext: &[u8]) {
    let key = [7; 32];
    let (aes_gcm, aws_lc) = (AesGcm::new(&key), AwsLc::new(&key));
    let ours_seal = || {
        let context = Context::new(black_box(&PARTS)).unwrap();
        data_key.seal(&context, now_s(), black_box(plaintext), &mut OsEntropy).unwrap()
    };
    let ours_open = |cell: &[u8]| {
        let context = Context::new(black_box(&PARTS)).unwrap();
        data_key.open(&context, now_s(), black_box(cell)).unwrap()
    };
    // The peers take a context as bytes, put together likewise.
    let place = || PARTS.join("\0").into_bytes();
    let sealed = (ours_seal(), aes_gcm.seal(&place(), plaintext), aws_lc.seal(&place(), plaintext));

    // All of them open what they sealed; the bare ones each other's.
    assert_eq!(ours_open(&sealed.0), plaintext);
    assert_eq!(aes_gcm.open(&place(), &sealed.2), plaintext);
    assert_eq!(aws_lc.open(&place(), &sealed.1), plaintext);

    let measured = race(&mut [
        Runner { name: "donjon", call: &mut || drop(black_box(ours_seal())) },
        Runner {
            name: "bare aes-gcm 0.11",
            call: &mut || drop(black_box(aes_gcm.seal(&place(), black_box(plaintext)))),
        },
        Runner {
            name: "bare aws-lc-rs 1",
            call: &mut || drop(black_box(aws_lc.seal(&place(), black_box(plaintext)))),
        },
    ]);
    report_all(&format!("envelopes {name} seal, {BACKEND}"), &measured, None);
    let measured = race(&mut [
        Runner { name: "donjon", call: &mut || drop(black_box(ours_open(&sealed.0))) },
        Runner {
            name: "bare aes-gcm 0.11",
            call: &mut || drop(black_box(aes_gcm.open(&place(), black_box(&sealed.1)))),
        },
        Runner {
            name: "bare aws-lc-rs 1",
            call: &mut || drop(black_box(aws_lc.open(&place(), black_box(&sealed.2)))),
        },
    ]);
    report_all(&format!("envelopes {name} open, {BACKEND}"), &measured, None);
}
