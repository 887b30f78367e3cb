//! AES-256-GCM (NIST SP 800-38D), from one of two crates that give the same bytes.
//!
//! `aes-gcm` is the portable one. With the feature `aws-lc`, AWS-LC takes its place: vector AES makes it
//! several times as fast on long messages, and it costs a C compiler and 700 KiB.

use zeroize::Zeroize as _;

pub(super) const KEY_LEN: usize = 32;
pub(super) const NONCE_LEN: usize = 12;
pub(super) const TAG_LEN: usize = 16;

pub(super) struct Aes256Gcm(backend::Key);

impl Aes256Gcm {
    pub(super) fn new(key: &[u8; KEY_LEN]) -> Option<Self> {
        backend::key(key).map(Self)
    }

    /// Writes the ciphertext of `plaintext` and its tag. `None` if `out` is not just as long as both.
    #[must_use]
    pub(super) fn seal(&self, nonce: [u8; NONCE_LEN], plaintext: &[u8], out: &mut [u8]) -> Option<()> {
        let (ciphertext, tag) = out.split_at_mut_checked(plaintext.len())?;
        backend::seal(&self.0, nonce, plaintext, ciphertext, tag.try_into().ok()?)
    }

    /// Writes the plaintext of `sealed`. `None` if it is not authentic; `out` then holds zeros.
    #[must_use]
    pub(super) fn open(&self, nonce: [u8; NONCE_LEN], sealed: &[u8], out: &mut [u8]) -> Option<()> {
        let (ciphertext, tag) = sealed.split_last_chunk()?;
        let opened = backend::open(&self.0, nonce, ciphertext, tag, out);
        if opened.is_none() {
            out.zeroize();
        }
        opened
    }
}

#[cfg(not(feature = "aws-lc"))]
mod backend {
    use aes_gcm::aead::inout::InOutBuf;
    use aes_gcm::aead::{AeadInOut as _, KeyInit as _};

    use super::{KEY_LEN, NONCE_LEN, TAG_LEN};

    pub(super) type Key = aes_gcm::Aes256Gcm;

    pub(super) fn key(key: &[u8; KEY_LEN]) -> Option<Key> {
        Some(Key::new(key.into()))
    }

    pub(super) fn seal(
        key: &Key,
        nonce: [u8; NONCE_LEN],
        plaintext: &[u8],
        ciphertext: &mut [u8],
        tag: &mut [u8; TAG_LEN],
    ) -> Option<()> {
        let buffer = InOutBuf::new(plaintext, ciphertext).ok()?;
        *tag = key.encrypt_inout_detached(&nonce.into(), &[], buffer).ok()?.into();
        Some(())
    }

    pub(super) fn open(
        key: &Key,
        nonce: [u8; NONCE_LEN],
        ciphertext: &[u8],
        tag: &[u8; TAG_LEN],
        out: &mut [u8],
    ) -> Option<()> {
        let buffer = InOutBuf::new(ciphertext, out).ok()?;
        key.decrypt_inout_detached(&nonce.into(), &[], buffer, tag.into()).ok()
    }
}

#[cfg(feature = "aws-lc")]
mod backend {
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

    use super::{KEY_LEN, NONCE_LEN, TAG_LEN};

    // "Less safe" for the nonces are ours to choose: the construction counts them.
    pub(super) type Key = LessSafeKey;

    pub(super) fn key(key: &[u8; KEY_LEN]) -> Option<Key> {
        UnboundKey::new(&AES_256_GCM, key).ok().map(LessSafeKey::new)
    }

    pub(super) fn seal(
        key: &Key,
        nonce: [u8; NONCE_LEN],
        plaintext: &[u8],
        ciphertext: &mut [u8],
        tag: &mut [u8; TAG_LEN],
    ) -> Option<()> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        key.seal_out_of_place_scatter(nonce, Aad::empty(), plaintext, ciphertext, &[], tag).ok()
    }

    pub(super) fn open(
        key: &Key,
        nonce: [u8; NONCE_LEN],
        ciphertext: &[u8],
        tag: &[u8; TAG_LEN],
        out: &mut [u8],
    ) -> Option<()> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        key.open_separate_gather(nonce, Aad::empty(), ciphertext, tag, out).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NIST's GCM test case 14 (McGrew and Viega, appendix B), AES-256 without associated data.
    #[test]
    fn seals_and_opens_the_published_case() {
        let cipher = Aes256Gcm::new(&[0; 32]).unwrap();
        let mut sealed = [0; 32];
        cipher.seal([0; 12], &[0; 16], &mut sealed).unwrap();
        assert_eq!(
            sealed,
            [
                0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5, 0xd3, 0xba, 0xf3, 0x9d,
                0x18, 0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99, 0x6b, 0xf0, 0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a,
                0xb9, 0x19,
            ]
        );
        let mut out = [9; 16];
        cipher.open([0; 12], &sealed, &mut out).unwrap();
        assert_eq!(out, [0; 16]);
    }

    #[test]
    fn what_is_not_authentic_leaves_zeros() {
        let cipher = Aes256Gcm::new(&[1; 32]).unwrap();
        let mut sealed = [0; 40];
        cipher.seal([2; 12], &[3; 24], &mut sealed).unwrap();
        for byte in 0..sealed.len() {
            let mut forged = sealed;
            forged[byte] ^= 1;
            let mut out = [9; 24];
            assert!(cipher.open([2; 12], &forged, &mut out).is_none());
            assert_eq!(out, [0; 24]);
        }
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        let cipher = Aes256Gcm::new(&[1; 32]).unwrap();
        assert!(cipher.seal([0; 12], &[0; 8], &mut [0; 23]).is_none());
        assert!(cipher.seal([0; 12], &[0; 8], &mut [0; 25]).is_none());
        assert!(cipher.open([0; 12], &[0; 15], &mut []).is_none());
        assert!(cipher.open([0; 12], &[0; 24], &mut [0; 7]).is_none());
    }
}
