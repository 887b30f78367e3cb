//! The AEADs that donjon chooses from, bare: AES-256-GCM under one key made once, a random nonce of 12 bytes
//! before the ciphertext, the context as associated data.

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;

pub struct AesGcm(aes_gcm::Aes256Gcm);

impl AesGcm {
    pub fn new(key: &[u8; 32]) -> Self {
        Self(aes_gcm::Aes256Gcm::new(key.into()))
    }

    pub fn seal(&self, context: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let (nonce, mut out) = begun(plaintext);
        let tag =
            self.0.encrypt_inout_detached(&nonce.into(), context, (&mut out[NONCE_LEN..]).into()).unwrap();
        out.extend_from_slice(&tag);
        out
    }

    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Vec<u8> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().unwrap();
        let (ciphertext, tag) = sealed.split_last_chunk::<TAG_LEN>().unwrap();
        let mut out = ciphertext.to_vec();
        self.0
            .decrypt_inout_detached(&(*nonce).into(), context, out.as_mut_slice().into(), tag.into())
            .unwrap();
        out
    }
}

pub struct AwsLc(LessSafeKey);

impl AwsLc {
    pub fn new(key: &[u8; 32]) -> Self {
        Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap()))
    }

    pub fn seal(&self, context: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let (nonce, mut out) = begun(plaintext);
        let (nonce, body) = (Nonce::assume_unique_for_key(nonce), &mut out[NONCE_LEN..]);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(context), body).unwrap();
        out.extend_from_slice(tag.as_ref());
        out
    }

    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Vec<u8> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().unwrap();
        let (ciphertext, tag) = sealed.split_at(sealed.len() - TAG_LEN);
        let mut out = vec![0; ciphertext.len()];
        let nonce = Nonce::assume_unique_for_key(*nonce);
        self.0.open_separate_gather(nonce, Aad::from(context), ciphertext, tag, &mut out).unwrap();
        out
    }
}

/// A fresh nonce; and it, the plaintext, and room for a tag.
fn begun(plaintext: &[u8]) -> ([u8; NONCE_LEN], Vec<u8>) {
    let mut nonce = [0; NONCE_LEN];
    getrandom::fill(&mut nonce).unwrap();
    let mut out = Vec::with_capacity(NONCE_LEN + plaintext.len() + TAG_LEN);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(plaintext);
    (nonce, out)
}
