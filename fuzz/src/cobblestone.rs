//! <https://c2sp.org/chunked-encryption>, instance Cobblestone-256, read slowly: what sealing is held against.

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Key};
use hmac::{Hmac, Mac as _};
use sha2::Sha512;

pub fn seal(key: &[u8; 32], salt: &[u8; 24], context: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let info = [b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0", &salt[..], context].concat();
    let first = hmac(key, &[&info, &[1]]);
    let second = hmac(key, &[&first, &info, &[2]]);
    let derived = [first, second].concat();
    let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::try_from(&derived[..32]).unwrap());
    let mut message = [salt, &derived[44..76]].concat();
    for index in 0..=plaintext.len() / 16_384 {
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&(index as u64).to_be_bytes());
        nonce.iter_mut().zip(&derived[32..44]).for_each(|(byte, base)| *byte ^= base);
        let from = index * 16_384;
        let mut chunk = plaintext[from..plaintext.len().min(from + 16_384)].to_vec();
        cipher.encrypt_in_place(&nonce.into(), &[], &mut chunk).unwrap();
        message.extend(chunk);
    }
    message
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mac = <Hmac<Sha512> as hmac::KeyInit>::new_from_slice(key).unwrap();
    parts.iter().fold(mac, |mac, part| mac.chain_update(part)).finalize().into_bytes().to_vec()
}
