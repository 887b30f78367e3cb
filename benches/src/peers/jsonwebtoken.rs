//! jsonwebtoken as a service uses it: typed claims, keys and validation built once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::crypto::{CryptoProvider, KeyUtils, aws_lc, rust_crypto};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// The process has one provider; this one switches, so that both backends meet in one run.
static SWITCH: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| (backend().signer_factory)(algorithm, key),
    verifier_factory: |algorithm, key| (backend().verifier_factory)(algorithm, key),
    key_utils: KeyUtils::new_unimplemented(),
};
static RUST_CRYPTO: AtomicBool = AtomicBool::new(false);

fn backend() -> &'static CryptoProvider {
    if RUST_CRYPTO.load(Ordering::Relaxed) {
        &rust_crypto::DEFAULT_PROVIDER
    } else {
        &aws_lc::DEFAULT_PROVIDER
    }
}

#[derive(Clone, Copy)]
pub enum Backend {
    AwsLc,
    RustCrypto,
}

#[derive(Serialize, Deserialize)]
pub struct Claims {
    pub sub: String,
    pub iat: u64,
    pub exp: u64,
    pub jti: String,
    pub permissions: Vec<String>,
}

#[derive(Serialize)]
struct NewClaims<'a> {
    sub: &'a str,
    iat: u64,
    exp: u64,
    jti: &'a str,
    permissions: &'a [&'a str],
}

pub struct Peer {
    header: Header,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Peer {
    pub fn new(algorithm: Algorithm, encoding: EncodingKey, decoding: DecodingKey) -> Self {
        let _installed_before = SWITCH.install_default();
        let mut validation = Validation::new(algorithm);
        validation.leeway = 0;
        validation.validate_aud = false;
        Self { header: Header::new(algorithm), encoding, decoding, validation }
    }

    pub fn use_backend(&self, backend: Backend) {
        RUST_CRYPTO.store(matches!(backend, Backend::RustCrypto), Ordering::Relaxed);
    }

    pub fn sign(&self, subject: &str, permissions: &[&str]) -> String {
        let mut random = [0; 16];
        getrandom::fill(&mut random).unwrap();
        let jti = URL_SAFE_NO_PAD.encode(random);
        let iat = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let claims = NewClaims { sub: subject, iat, exp: iat + 1800, jti: &jti, permissions };
        jsonwebtoken::encode(&self.header, &claims, &self.encoding).unwrap()
    }

    pub fn verify(&self, token: &str) -> Claims {
        jsonwebtoken::decode(token, &self.decoding, &self.validation).unwrap().claims
    }
}
