//! HMAC-SHA-2 (RFC 7518 §3.2, RFC 2104).

use ::hmac::{Hmac, KeyInit as _, Mac as _};
use alloc::vec::Vec;
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::{Algorithm, AlgorithmSet, Signature};

/// A secret and the MACs that it is long enough for, each keyed once, when the key is loaded: that is
/// half of the work of a short message.
pub(crate) struct HmacKey {
    secret: Zeroizing<Vec<u8>>,
    hs256: Hmac<Sha256>,
    hs384: Option<Hmac<Sha384>>,
    hs512: Option<Hmac<Sha512>>,
}

impl HmacKey {
    /// The fewest bytes of a secret: RFC 7518 §3.2 wants the size of the hash.
    pub(crate) const MIN_LEN: usize = 32;

    pub(crate) fn new(secret: Zeroizing<Vec<u8>>) -> Option<Self> {
        if secret.len() < Self::MIN_LEN {
            return None;
        }
        Some(Self {
            hs256: Hmac::new_from_slice(&secret).ok()?,
            hs384: (secret.len() >= 48).then(|| Hmac::new_from_slice(&secret).ok()).flatten(),
            hs512: (secret.len() >= 64).then(|| Hmac::new_from_slice(&secret).ok()).flatten(),
            secret,
        })
    }

    pub(crate) fn secret(&self) -> &[u8] {
        &self.secret
    }

    pub(crate) fn algorithms(&self) -> AlgorithmSet {
        let long = [(Algorithm::Hs384, self.hs384.is_some()), (Algorithm::Hs512, self.hs512.is_some())];
        let long = long.into_iter().filter_map(|(algorithm, fits)| fits.then_some(algorithm));
        core::iter::once(Algorithm::Hs256).chain(long).collect()
    }

    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Option<Signature> {
        match algorithm {
            Algorithm::Hs256 => Signature::new(&self.mac(&[message])),
            Algorithm::Hs384 => {
                Signature::new(&self.hs384.clone()?.chain_update(message).finalize().into_bytes())
            }
            Algorithm::Hs512 => {
                Signature::new(&self.hs512.clone()?.chain_update(message).finalize().into_bytes())
            }
            _ => None,
        }
    }

    pub(crate) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        // The whole tag, in constant time: `verify_slice` refuses a shortened one.
        match algorithm {
            Algorithm::Hs256 => self.hs256.clone().chain_update(message).verify_slice(signature).is_ok(),
            Algorithm::Hs384 => self
                .hs384
                .clone()
                .is_some_and(|mac| mac.chain_update(message).verify_slice(signature).is_ok()),
            Algorithm::Hs512 => self
                .hs512
                .clone()
                .is_some_and(|mac| mac.chain_update(message).verify_slice(signature).is_ok()),
            _ => false,
        }
    }

    /// HMAC-SHA-256 of the concatenation of `parts`, for what is bound rather than signed.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mac = parts.iter().fold(self.hs256.clone(), |mac, part| mac.chain_update(part));
        mac.finalize().into_bytes().into()
    }
}
