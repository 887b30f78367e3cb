//! Any bytes as an `AesEngine` column's text, then as what was padded and encrypted: what opens is what a
//! slow reading of the padding leaves, if that is text.
#![no_main]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use donjon::aes_engine::{Padding, open};
use donjon_fuzz::abi::Script;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest as _, Sha256};

const SECRET: &[u8] = b"secretkey1234";

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let padding = Padding::ALL[usize::from(script.byte() % 4)];
    let _ = open(SECRET, padding, script.0);

    let padded = &script.0[..script.0.len() / 16 * 16];
    let opened = open(SECRET, padding, encrypted(padded).as_bytes()).ok();
    let text = unpadded(padding, padded).and_then(|bytes| str::from_utf8(bytes).ok());
    assert_eq!(opened.as_ref().map(|text| text.as_str()), text);
});

fn unpadded(padding: Padding, padded: &[u8]) -> Option<&[u8]> {
    let last = padded.last()?;
    let counted = padded.len().checked_sub(usize::from(*last)).filter(|_| (1..=16).contains(last));
    let is_filled = |len: &usize, filler| padded[*len..padded.len() - 1].iter().all(|byte| *byte == filler);
    let len = match padding {
        Padding::Pkcs5 => counted.filter(|len| is_filled(len, *last)),
        Padding::Zeroes => counted.filter(|len| is_filled(len, 0)),
        Padding::Naive => {
            let stars = padded.iter().rev().take_while(|byte| **byte == b'*').count();
            (stars > 0).then(|| padded.len() - stars)
        }
        Padding::OneAndZeroes => {
            let zeroes = padded.iter().rev().take_while(|byte| **byte == 0).count();
            let len = padded.len().checked_sub(zeroes + 1);
            len.filter(|len| zeroes < 16 && padded[*len] == 0x80)
        }
    };
    Some(&padded[..len?])
}

fn encrypted(padded: &[u8]) -> String {
    let key = Sha256::digest(SECRET);
    let cipher = cbc::Encryptor::<aes::Aes256>::new(&key, key[..16].try_into().unwrap());
    STANDARD.encode(cipher.encrypt_padded_vec::<NoPadding>(padded))
}
