//! Project Wycheproof's vectors of what envelopes are made with: Cobblestone-256 through the kernel, AES-GCM and HKDF
//! through the crates that it uses. With the feature `aws-lc`, through AWS-LC as well.
//!
//! How many there are of each is pinned, so that nothing is skipped in silence.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use wycheproof::TestResult;

mod cobblestone {
    use super::*;
    use donjon::entropy::FixedEntropy;
    use donjon::envelope::{EnvelopeError, chunked};
    use miniz_oxide::inflate::decompress_to_vec_zlib;
    use sha2::{Digest as _, Sha512};
    use wycheproof::chunked_encryption::{Test, TestFlag, TestName, TestSet};

    fn check(test: &Test) {
        let name = format!("{} {}", test.tc_id, test.comment);
        let message = decompress_to_vec_zlib(&test.ct).unwrap();
        let opened = chunked::open(&test.key, &test.ctx, &message);
        if test.result == TestResult::Valid {
            let plaintext = opened.unwrap();
            assert_eq!(Some(plaintext.len()), test.msg_length, "{name}");
            assert_eq!(Sha512::digest(&plaintext)[..], test.msg_sha512.as_ref().unwrap()[..], "{name}");
            let mut salt = FixedEntropy::new(&message[..chunked::SALT_LEN]);
            assert_eq!(
                chunked::seal(&test.key, &test.ctx, &plaintext, &mut salt).unwrap(),
                message,
                "{name}"
            );
        } else if test.flags.contains(&TestFlag::InvalidKeySize) {
            assert_eq!(opened, Err(EnvelopeError::InvalidArgument), "{name}");
        } else {
            assert_eq!(opened, Err(EnvelopeError::DecryptFailed), "{name}");
        }
    }

    #[test]
    fn every_message_opens_or_does_not() {
        let set = TestSet::load(TestName::Cobblestone256).unwrap();
        let tests: Vec<&Test> = set.test_groups.iter().flat_map(|group| &group.tests).collect();
        tests.iter().for_each(|test| check(test));
        let valid = tests.iter().filter(|test| test.result == TestResult::Valid).count();
        assert_eq!((valid, tests.len()), (10, 35));
    }
}

mod aes_gcm {
    use super::*;
    use wycheproof::aead::{Test, TestName, TestSet};

    /// Nonces of 96 bits are the only ones that the construction has.
    fn tests() -> Vec<Test> {
        let set = TestSet::load(TestName::AesGcm).unwrap();
        let groups = set.test_groups.into_iter();
        let groups =
            groups.filter(|group| (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128));
        groups.flat_map(|group| group.tests).collect()
    }

    /// `seal` gives ciphertext and tag, `open` the plaintext of both.
    fn check(seal: impl Fn(&Test) -> Vec<u8>, open: impl Fn(&Test, Vec<u8>) -> Option<Vec<u8>>) {
        let (mut valid, mut invalid) = (0, 0);
        for test in tests() {
            let sealed = [&test.ct[..], &test.tag].concat();
            if test.result == TestResult::Valid {
                assert_eq!(seal(&test), sealed, "{} {}", test.tc_id, test.comment);
                assert_eq!(open(&test, sealed).unwrap(), &test.pt[..], "{} {}", test.tc_id, test.comment);
                valid += 1;
            } else {
                assert_eq!(open(&test, sealed), None, "{} {}", test.tc_id, test.comment);
                invalid += 1;
            }
        }
        assert_eq!((valid, invalid), (39, 27));
    }

    #[test]
    fn of_aes_gcm() {
        use ::aes_gcm::aead::{AeadInOut as _, KeyInit as _};

        let cipher = |test: &Test| ::aes_gcm::Aes256Gcm::new_from_slice(&test.key).unwrap();
        let nonce = |test: &Test| <[u8; 12]>::try_from(&test.nonce[..]).unwrap().into();
        check(
            |test| {
                let mut bytes = test.pt.to_vec();
                let buffer = bytes.as_mut_slice().into();
                let tag = cipher(test).encrypt_inout_detached(&nonce(test), &test.aad, buffer).unwrap();
                bytes.extend(tag);
                bytes
            },
            |test, mut bytes| {
                let (ciphertext, tag) = bytes.split_last_chunk_mut::<16>()?;
                let (buffer, tag) = (ciphertext.into(), (&*tag).into());
                cipher(test).decrypt_inout_detached(&nonce(test), &test.aad, buffer, tag).ok()?;
                bytes.truncate(bytes.len().saturating_sub(16));
                Some(bytes)
            },
        );
    }

    #[cfg(feature = "aws-lc")]
    #[test]
    fn of_aws_lc() {
        use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

        let key = |test: &Test| LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &test.key).unwrap());
        let nonce = |test: &Test| Nonce::try_assume_unique_for_key(&test.nonce).unwrap();
        check(
            |test| {
                let mut bytes = test.pt.to_vec();
                key(test)
                    .seal_in_place_append_tag(nonce(test), Aad::from(&test.aad[..]), &mut bytes)
                    .unwrap();
                bytes
            },
            |test, mut sealed| {
                let plaintext =
                    key(test).open_in_place(nonce(test), Aad::from(&test.aad[..]), &mut sealed).ok()?;
                Some(plaintext.to_vec())
            },
        );
    }
}

mod hkdf {
    use super::*;
    use ::hkdf::hmac::Hmac;
    use ::hkdf::{GenericHkdf, HmacImpl};
    use sha2::{Sha256, Sha512};
    use wycheproof::hkdf::{TestName, TestSet};

    fn check<H: HmacImpl>(name: TestName) -> (usize, usize) {
        let (mut valid, mut invalid) = (0, 0);
        for test in TestSet::load(name).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
            let mut okm = vec![0; test.size];
            let expanded = GenericHkdf::<H>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut okm);
            if test.result == TestResult::Valid {
                expanded.unwrap();
                assert_eq!(okm, &test.okm[..], "{} {}", test.tc_id, test.comment);
                valid += 1;
            } else {
                assert!(expanded.is_err(), "{} {}", test.tc_id, test.comment);
                invalid += 1;
            }
        }
        (valid, invalid)
    }

    #[test]
    fn with_sha_256() {
        assert_eq!(check::<Hmac<Sha256>>(TestName::HkdfSha256), (83, 3));
    }

    #[test]
    fn with_sha_512() {
        assert_eq!(check::<Hmac<Sha512>>(TestName::HkdfSha512), (80, 3));
    }
}
