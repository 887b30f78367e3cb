//! Signing and verifying one access token.

use std::hint::black_box;
use std::time::{SystemTime, UNIX_EPOCH};

use donjon::keyring::Keyring;
use donjon::runtime::OsEntropy;
use donjon::signature::{Algorithm, AlgorithmSet};
use donjon::token::{Expected, Grant, Issuer, IssuerConfig, TokenType, Verifier, VerifierConfig};
use jsonwebtoken::{DecodingKey, EncodingKey};

use crate::measure::{Runner, race};
use crate::peers::jsonwebtoken::{Backend, Peer};
use crate::report::report_all;

const SUBJECT: &str = "5f0c2a9e-4b7d-4c1e-9a53-0d8e6f7b2c14";
const PERMISSIONS: [&str; 7] = [
    "document:read",
    "document:write",
    "document:share",
    "comment:write",
    "folder:read",
    "user:invite",
    "audit:read",
];
const KEY_ID: &str = "2026-11";

const SECRET: &[u8] = b"q4t7w!z%C*F-JaNdRgUkXp2s5v8y/B?E";
const P256_PEM: &str = include_str!("p256.pem");
const P256_PUBLIC_PEM: &str = include_str!("p256.pub.pem");
const ED25519_PEM: &str = include_str!("ed25519.pem");
const ED25519_PUBLIC_PEM: &str = include_str!("ed25519.pub.pem");

pub fn measure() {
    let keyring = Keyring::from_secret(SECRET, Algorithm::Hs256, Some(KEY_ID)).unwrap();
    let peer = Peer::new(
        jsonwebtoken::Algorithm::HS256,
        EncodingKey::from_secret(SECRET),
        DecodingKey::from_secret(SECRET),
    );
    compare("HS256", &Donjon::new(&keyring, Algorithm::Hs256), &peer, Some(0.35), Some(0.6));

    let keyring = Keyring::from_pem(P256_PEM, Algorithm::Es256, Some(KEY_ID)).unwrap();
    let peer = Peer::new(
        jsonwebtoken::Algorithm::ES256,
        EncodingKey::from_ec_pem(P256_PEM.as_bytes()).unwrap(),
        DecodingKey::from_ec_pem(P256_PUBLIC_PEM.as_bytes()).unwrap(),
    );
    compare("ES256", &Donjon::new(&keyring, Algorithm::Es256), &peer, None, None);

    let keyring = Keyring::from_pem(ED25519_PEM, Algorithm::EdDsa, Some(KEY_ID)).unwrap();
    let peer = Peer::new(
        jsonwebtoken::Algorithm::EdDSA,
        EncodingKey::from_ed_pem(ED25519_PEM.as_bytes()).unwrap(),
        DecodingKey::from_ed_pem(ED25519_PUBLIC_PEM.as_bytes()).unwrap(),
    );
    compare("EdDSA", &Donjon::new(&keyring, Algorithm::EdDsa), &peer, None, None);
}

fn compare(
    algorithm: &str,
    ours: &Donjon,
    peer: &Peer,
    verify_wanted: Option<f64>,
    sign_wanted: Option<f64>,
) {
    let token = ours.sign();
    check(ours, peer, &token);

    let with = |backend, call: &dyn Fn()| {
        peer.use_backend(backend);
        call();
    };
    let verify = || drop(black_box(peer.verify(black_box(&token))));
    let sign = || drop(black_box(peer.sign(SUBJECT, &PERMISSIONS)));
    let verified = race(&mut [
        Runner { name: "donjon", call: &mut || ours.verify(black_box(&token)) },
        Runner { name: "jsonwebtoken 11, aws-lc-rs", call: &mut || with(Backend::AwsLc, &verify) },
        Runner { name: "jsonwebtoken 11, rust_crypto", call: &mut || with(Backend::RustCrypto, &verify) },
    ]);
    report_all(&format!("tokens {algorithm} verify"), &verified, verify_wanted);
    let signed = race(&mut [
        Runner { name: "donjon", call: &mut || drop(black_box(ours.sign())) },
        Runner { name: "jsonwebtoken 11, aws-lc-rs", call: &mut || with(Backend::AwsLc, &sign) },
        Runner { name: "jsonwebtoken 11, rust_crypto", call: &mut || with(Backend::RustCrypto, &sign) },
    ]);
    report_all(&format!("tokens {algorithm} sign"), &signed, sign_wanted);
}

/// Both sides read the same out of the same token, and what each peer signs donjon verifies.
fn check(ours: &Donjon, peer: &Peer, token: &str) {
    let claims = ours.verifier.verify(token.as_bytes(), now_s()).unwrap();
    assert_eq!(claims.subject(), Some(SUBJECT));
    assert!(claims.permissions().eq(PERMISSIONS));
    for backend in [Backend::AwsLc, Backend::RustCrypto] {
        peer.use_backend(backend);
        let read = peer.verify(token);
        assert_eq!((read.sub.as_str(), Some(read.jti.as_str())), (SUBJECT, claims.token_id()));
        assert_eq!(read.exp - read.iat, 1800);
        assert_eq!(read.permissions, PERMISSIONS);
        let signed = peer.sign(SUBJECT, &PERMISSIONS);
        assert!(ours.untyped.verify(signed.as_bytes(), now_s()).unwrap().permissions().eq(PERMISSIONS));
    }
    assert_ne!(ours.sign(), ours.sign());
}

struct Donjon {
    issuer: Issuer,
    verifier: Verifier,
    /// Takes the peer's tokens, which have no `typ` of ours.
    untyped: Verifier,
}

impl Donjon {
    fn new(keyring: &Keyring, algorithm: Algorithm) -> Self {
        let algorithms = AlgorithmSet::one(algorithm);
        let expecting =
            |token_type| VerifierConfig::new(Expected::Waived, Expected::Waived, token_type, algorithms);
        let verifier = |token_type| Verifier::new(keyring, expecting(token_type)).unwrap();
        Self {
            issuer: Issuer::new(keyring, IssuerConfig::new(Expected::Waived, Expected::Waived)).unwrap(),
            verifier: verifier(Expected::Exactly(TokenType::Access)),
            untyped: verifier(Expected::Waived),
        }
    }

    fn sign(&self) -> String {
        self.issuer
            .access(&Grant::new(SUBJECT).with_permissions(&PERMISSIONS), now_s(), &mut OsEntropy)
            .unwrap()
    }

    fn verify(&self, token: &str) {
        let claims = self.verifier.verify(token.as_bytes(), now_s()).unwrap();
        black_box((claims.subject(), claims.token_id(), claims.issued_at(), claims.expires_at()));
        for permission in claims.permissions() {
            black_box(permission.decode());
        }
    }
}

fn now_s() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed()
}
