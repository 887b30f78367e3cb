//! Ed25519 (RFC 8032, RFC 8037), verified strictly: canonical S, no small-order point on either side.

use ed25519_dalek::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};

use super::Signature;

pub(crate) struct Ed25519Key {
    public: VerifyingKey,
    secret: Option<SigningKey>,
}

impl Ed25519Key {
    pub(crate) fn from_public(bytes: &[u8; 32]) -> Option<Self> {
        Self::checked(VerifyingKey::from_bytes(bytes).ok()?, None)
    }

    pub(crate) fn from_seed(seed: &[u8; 32]) -> Option<Self> {
        let secret = SigningKey::from_bytes(seed);
        Self::checked(secret.verifying_key(), Some(secret))
    }

    pub(crate) fn from_public_pem(pem: &str) -> Option<Self> {
        Self::checked(VerifyingKey::from_public_key_pem(pem).ok()?, None)
    }

    pub(crate) fn from_private_pem(pem: &str) -> Option<Self> {
        let secret = SigningKey::from_pkcs8_pem(pem).ok()?;
        Self::checked(secret.verifying_key(), Some(secret))
    }

    fn checked(public: VerifyingKey, secret: Option<SigningKey>) -> Option<Self> {
        // A point has one encoding (RFC 8032 §5.1.3); decompression alone takes y ≥ p as well.
        let canonical = public.to_edwards().compress().as_bytes() == public.as_bytes();
        (canonical && !public.is_weak()).then_some(Self { public, secret })
    }

    pub(crate) fn public(&self) -> &[u8; 32] {
        self.public.as_bytes()
    }

    pub(crate) fn seed(&self) -> Option<&[u8; 32]> {
        self.secret.as_ref().map(SigningKey::as_bytes)
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Option<Signature> {
        Signature::new(&self.secret.as_ref()?.sign(message).to_bytes())
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.public.verify_strict(message, &signature).is_ok())
    }
}
