//! Key material of every type behind one face.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use crate::base64url::encoded_len;

#[cfg(feature = "rsa")]
use super::RsaKey;
use super::{Algorithm, AlgorithmSet, Ed25519Key, HmacKey, P256Key, P384Key};

/// The family of a key, as JWK's `kty` names it (RFC 7518 §6.1, RFC 8037 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// A symmetric secret, `oct`.
    Symmetric,
    /// An elliptic curve key, `EC`.
    EllipticCurve,
    /// An Edwards curve key, `OKP`.
    OctetKeyPair,
    /// An RSA key, `RSA`.
    Rsa,
}

impl KeyType {
    /// The registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Symmetric => "oct",
            Self::EllipticCurve => "EC",
            Self::OctetKeyPair => "OKP",
            Self::Rsa => "RSA",
        }
    }
}

/// A signature that donjon made: at most 64 bytes under every algorithm that signs.
#[derive(Clone, Copy)]
pub struct Signature {
    bytes: [u8; 64],
    len: usize,
}

impl Signature {
    pub(super) fn new(signature: &[u8]) -> Option<Self> {
        let mut bytes = [0; 64];
        bytes.get_mut(..signature.len())?.copy_from_slice(signature);
        Some(Self { bytes, len: signature.len() })
    }

    /// The bytes, as JWS carries them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(..)")
    }
}

/// Checked key material. Not `Debug`: it may hold a secret.
// Boxed where large: a key set is a list of these, and most of what it holds is small.
pub(crate) enum Material {
    Hmac(Box<HmacKey>),
    Ed25519(Box<Ed25519Key>),
    P256(Box<P256Key>),
    P384(Box<P384Key>),
    #[cfg(feature = "rsa")]
    Rsa(Box<RsaKey>),
}

impl Material {
    pub(crate) fn key_type(&self) -> KeyType {
        match self {
            Self::Hmac(_) => KeyType::Symmetric,
            Self::Ed25519(_) => KeyType::OctetKeyPair,
            Self::P256(_) | Self::P384(_) => KeyType::EllipticCurve,
            #[cfg(feature = "rsa")]
            Self::Rsa(_) => KeyType::Rsa,
        }
    }

    /// What the material is good for.
    pub(crate) fn algorithms(&self) -> AlgorithmSet {
        match self {
            Self::Hmac(key) => key.algorithms(),
            Self::Ed25519(_) => AlgorithmSet::one(Algorithm::EdDsa),
            Self::P256(_) => AlgorithmSet::one(Algorithm::Es256),
            Self::P384(_) => AlgorithmSet::one(Algorithm::Es384),
            #[cfg(feature = "rsa")]
            Self::Rsa(_) => [Algorithm::Rs256, Algorithm::Ps256].into_iter().collect(),
        }
    }

    pub(crate) fn can_sign(&self) -> bool {
        match self {
            Self::Hmac(_) => true,
            Self::Ed25519(key) => key.seed().is_some(),
            Self::P256(key) => key.scalar().is_some(),
            _ => false,
        }
    }

    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Option<Signature> {
        match (self, algorithm) {
            (Self::Hmac(key), _) => key.sign(algorithm, message),
            (Self::Ed25519(key), Algorithm::EdDsa) => key.sign(message),
            (Self::P256(key), Algorithm::Es256) => key.sign(message),
            _ => None,
        }
    }

    pub(crate) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match (self, algorithm) {
            (Self::Hmac(key), _) => key.verify(algorithm, message, signature),
            (Self::Ed25519(key), Algorithm::EdDsa) => key.verify(message, signature),
            (Self::P256(key), Algorithm::Es256) => key.verify(message, signature),
            (Self::P384(key), Algorithm::Es384) => key.verify(message, signature),
            #[cfg(feature = "rsa")]
            (Self::Rsa(key), _) => key.verify(algorithm, message, signature),
            _ => false,
        }
    }

    pub(crate) fn as_hmac(&self) -> Option<&HmacKey> {
        match self {
            Self::Hmac(key) => Some(key),
            _ => None,
        }
    }

    /// Whether `secret` is nothing but the public part of this key, raw or in base64url: a MAC that
    /// everybody can make.
    pub(crate) fn is_published_as(&self, secret: &[u8]) -> bool {
        let is_its_text = |public: &[u8]| {
            secret.len() == encoded_len(public.len()) && secret == crate::base64url::encode(public).as_bytes()
        };
        let is_it = |public: &[u8]| secret == public || is_its_text(public);
        let is_point = |point: &[u8]| {
            let coordinates = point.split_first().map_or(point, |(_, rest)| rest);
            let (x, y) = coordinates.split_at(coordinates.len() / 2);
            [point, coordinates, x, y].into_iter().any(is_it)
        };
        match self {
            Self::Hmac(_) => false,
            Self::Ed25519(key) => is_it(key.public()),
            Self::P256(key) => is_point(key.public().as_ref()),
            Self::P384(key) => is_point(key.public().as_ref()),
            #[cfg(feature = "rsa")]
            Self::Rsa(key) => is_it(key.modulus()),
        }
    }

    /// The members that make up the public key, in the lexical order of RFC 7638 §3.2; none for a secret.
    pub(crate) fn public_members(&self) -> Vec<(&'static str, alloc::string::String)> {
        let text = crate::base64url::encode;
        let point = |curve: &str, point: &[u8]| {
            let coordinates = point.split_first().map_or(point, |(_, rest)| rest);
            let (x, y) = coordinates.split_at(coordinates.len() / 2);
            alloc::vec![("crv", curve.into()), ("kty", "EC".into()), ("x", text(x)), ("y", text(y))]
        };
        match self {
            Self::Hmac(_) => Vec::new(),
            Self::Ed25519(key) => {
                alloc::vec![("crv", "Ed25519".into()), ("kty", "OKP".into()), ("x", text(key.public()))]
            }
            Self::P256(key) => point("P-256", key.public().as_ref()),
            Self::P384(key) => point("P-384", key.public().as_ref()),
            #[cfg(feature = "rsa")]
            Self::Rsa(key) => {
                alloc::vec![("e", text(key.exponent())), ("kty", "RSA".into()), ("n", text(key.modulus()))]
            }
        }
    }
}
