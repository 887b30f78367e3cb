//! Keys as PEM: SPKI and PKCS#1 public keys, PKCS#8 and SEC1 private ones. For whoever brings the key
//! files of another library.

use alloc::boxed::Box;

use crate::signature::{Algorithm, Ed25519Key, Material, P256Key, P384Key};

/// The key of `pem`, which must be of the family of `algorithm`. A private RSA or P-384 key is refused:
/// donjon only verifies with those.
pub(super) fn read(pem: &str, algorithm: Algorithm) -> Option<Material> {
    let pem = without_parameters(pem.trim_start());
    match algorithm {
        Algorithm::EdDsa => {
            let key = Ed25519Key::from_public_pem(pem).or_else(|| Ed25519Key::from_private_pem(pem))?;
            Some(Material::Ed25519(Box::new(key)))
        }
        Algorithm::Es256 => {
            let key = P256Key::from_public_pem(pem).or_else(|| P256Key::from_private_pem(pem))?;
            Some(Material::P256(Box::new(key)))
        }
        Algorithm::Es384 => Some(Material::P384(Box::new(P384Key::from_public_pem(pem)?))),
        #[cfg(feature = "rsa")]
        Algorithm::Rs256 | Algorithm::Ps256 => {
            let key = crate::signature::RsaKey::from_public_pem(pem)?;
            Some(Material::Rsa(Box::new(key)))
        }
        _ => None,
    }
}

/// `openssl ecparam -genkey` writes the curve's name in a block of its own before the key, which says it
/// again.
fn without_parameters(pem: &str) -> &str {
    const END: &str = "-----END EC PARAMETERS-----";
    match pem.split_once(END) {
        Some((before, key)) if before.starts_with("-----BEGIN EC PARAMETERS-----") => key.trim_start(),
        _ => pem,
    }
}
