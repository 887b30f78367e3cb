//! RSA with SHA-256 (RFC 7518 §3.3, §3.5), for verifying the tokens of external identity providers.
//! There is no private key here, so the timing of private-key operations is nobody's concern.

use ::rsa::pkcs1::DecodeRsaPublicKey as _;
use ::rsa::pkcs8::DecodePublicKey as _;
use ::rsa::signature::Verifier as _;
use ::rsa::traits::PublicKeyParts as _;
use ::rsa::{BoxedUint, RsaPublicKey, pkcs1v15, pss};
use alloc::boxed::Box;
use sha2::Sha256;

use super::Algorithm;

pub(crate) struct RsaKey {
    rs256: pkcs1v15::VerifyingKey<Sha256>,
    ps256: pss::VerifyingKey<Sha256>,
    modulus: Box<[u8]>,
    exponent: Box<[u8]>,
}

impl RsaKey {
    /// The sizes of a modulus, in bits. Fewer is broken; more costs the verifier more than it gains.
    pub(crate) const BITS: core::ops::RangeInclusive<usize> = 2048..=8192;

    /// Big-endian, without leading zeros (RFC 7518 §6.3.1).
    pub(crate) fn from_parts(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let minimal = |bytes: &[u8]| bytes.first().is_some_and(|&byte| byte != 0);
        if !minimal(modulus) || !minimal(exponent) || modulus.len() > 1024 || exponent.len() > 5 {
            return None;
        }
        let integer = BoxedUint::from_be_slice_vartime;
        Self::checked(
            RsaPublicKey::new_with_size_limits(integer(modulus), integer(exponent), Self::BITS).ok()?,
        )
    }

    pub(crate) fn from_public_pem(pem: &str) -> Option<Self> {
        let spki = RsaPublicKey::from_public_key_pem(pem).ok();
        Self::checked(spki.or_else(|| RsaPublicKey::from_pkcs1_pem(pem).ok())?)
    }

    fn checked(key: RsaPublicKey) -> Option<Self> {
        let bits = usize::try_from(key.n().bits_vartime()).ok()?;
        let odd_and_not_one = key.e().bits_vartime() > 1;
        if !Self::BITS.contains(&bits) || !odd_and_not_one {
            return None;
        }
        Some(Self {
            modulus: key.n_bytes(),
            exponent: key.e_bytes(),
            rs256: pkcs1v15::VerifyingKey::new(key.clone()),
            // RFC 7518 §3.5: the salt is as long as the hash.
            ps256: pss::VerifyingKey::new(key),
        })
    }

    pub(crate) fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    pub(crate) fn exponent(&self) -> &[u8] {
        &self.exponent
    }

    pub(crate) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if signature.len() != self.modulus.len() {
            return false;
        }
        match algorithm {
            Algorithm::Rs256 => pkcs1v15::Signature::try_from(signature)
                .is_ok_and(|signature| self.rs256.verify(message, &signature).is_ok()),
            Algorithm::Ps256 => pss::Signature::try_from(signature)
                .is_ok_and(|signature| self.ps256.verify(message, &signature).is_ok()),
            _ => false,
        }
    }
}
