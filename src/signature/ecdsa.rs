//! ECDSA on P-256 and P-384 (RFC 7518 §3.4): `r ‖ s`, fixed width. Signing is deterministic (RFC 6979).

use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};
use zeroize::Zeroizing;

use super::Signature;

pub(crate) struct P256Key {
    public: p256::ecdsa::VerifyingKey,
    secret: Option<p256::ecdsa::SigningKey>,
}

impl P256Key {
    /// `point`: the uncompressed SEC1 encoding, `4 ‖ x ‖ y`.
    pub(crate) fn from_public(point: &[u8]) -> Option<Self> {
        let public = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
        Some(Self { public, secret: None })
    }

    pub(crate) fn from_scalar(scalar: &[u8]) -> Option<Self> {
        p256::ecdsa::SigningKey::from_slice(scalar).ok().map(Self::from_secret)
    }

    pub(crate) fn from_public_pem(pem: &str) -> Option<Self> {
        let public = p256::ecdsa::VerifyingKey::from_public_key_pem(pem).ok()?;
        Some(Self { public, secret: None })
    }

    pub(crate) fn from_private_pem(pem: &str) -> Option<Self> {
        let secret = p256::SecretKey::from_pkcs8_pem(pem).ok();
        let secret = secret.or_else(|| p256::SecretKey::from_sec1_pem(pem).ok())?;
        Some(Self::from_secret(secret.into()))
    }

    fn from_secret(secret: p256::ecdsa::SigningKey) -> Self {
        Self { public: *secret.verifying_key(), secret: Some(secret) }
    }

    /// `4 ‖ x ‖ y`.
    pub(crate) fn public(&self) -> impl AsRef<[u8]> {
        self.public.to_sec1_point(false)
    }

    pub(crate) fn scalar(&self) -> Option<Zeroizing<[u8; 32]>> {
        self.secret.as_ref().map(|secret| Zeroizing::new(secret.to_bytes().into()))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Option<Signature> {
        let signature: p256::ecdsa::Signature = self.secret.as_ref()?.sign(message);
        Signature::new(&signature.to_bytes())
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        // Zero and over-large r and s do not parse.
        p256::ecdsa::Signature::from_slice(signature)
            .is_ok_and(|signature| self.public.verify(message, &signature).is_ok())
    }
}

pub(crate) struct P384Key {
    public: p384::ecdsa::VerifyingKey,
}

impl P384Key {
    /// `point`: the uncompressed SEC1 encoding, `4 ‖ x ‖ y`.
    pub(crate) fn from_public(point: &[u8]) -> Option<Self> {
        p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(|public| Self { public })
    }

    pub(crate) fn from_public_pem(pem: &str) -> Option<Self> {
        p384::ecdsa::VerifyingKey::from_public_key_pem(pem).ok().map(|public| Self { public })
    }

    /// `4 ‖ x ‖ y`.
    pub(crate) fn public(&self) -> impl AsRef<[u8]> {
        self.public.to_sec1_point(false)
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        p384::ecdsa::Signature::from_slice(signature)
            .is_ok_and(|signature| self.public.verify(message, &signature).is_ok())
    }
}
