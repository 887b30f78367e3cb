//! The crates that were weighed for ES256 and EdDSA, side by side: `cargo run --release --example primitives`.

use std::hint::black_box;
use std::time::Instant;

use p256::ecdsa::signature::{Signer as _, Verifier as _};

const SECRET: [u8; 32] = [7; 32];
/// As long as what a token's signature covers.
const MESSAGE: [u8; 376] = [b'm'; 376];

fn main() {
    es256();
    eddsa();
}

fn es256() {
    let ours = p256::ecdsa::SigningKey::from_slice(&SECRET).unwrap();
    let public = *ours.verifying_key();
    let point = public.to_sec1_point(false).as_bytes().to_vec();
    let signature: p256::ecdsa::Signature = ours.sign(&MESSAGE);
    let bytes = signature.to_bytes();

    let ring_random = ring::rand::SystemRandom::new();
    let ring = ring::signature::EcdsaKeyPair::from_private_key_and_public_key(
        &ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        &SECRET,
        &point,
        &ring_random,
    )
    .unwrap();
    let ring_public =
        ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_FIXED, &point);
    let aws_random = aws_lc_rs::rand::SystemRandom::new();
    let aws = aws_lc_rs::signature::EcdsaKeyPair::from_private_key_and_public_key(
        &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        &SECRET,
        &point,
    )
    .unwrap();
    let aws_public =
        aws_lc_rs::signature::ParsedPublicKey::new(&aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED, &point)
            .unwrap();

    race(
        "ES256 sign",
        &[
            ("p256", &|| _ = black_box::<p256::ecdsa::Signature>(ours.sign(black_box(&MESSAGE)))),
            ("ring", &|| _ = black_box(ring.sign(&ring_random, black_box(&MESSAGE)).unwrap())),
            ("aws-lc-rs", &|| _ = black_box(aws.sign(&aws_random, black_box(&MESSAGE)).unwrap())),
        ],
    );
    race(
        "ES256 verify",
        &[
            ("p256", &|| public.verify(black_box(&MESSAGE), &signature).unwrap()),
            ("ring", &|| ring_public.verify(black_box(&MESSAGE), &bytes).unwrap()),
            ("aws-lc-rs", &|| aws_public.verify_sig(black_box(&MESSAGE), &bytes).unwrap()),
        ],
    );
}

fn eddsa() {
    let dalek = ed25519_dalek::SigningKey::from_bytes(&SECRET);
    let public = dalek.verifying_key();
    let signature = dalek.sign(&MESSAGE);
    let bytes = signature.to_bytes();

    let ring = ring::signature::Ed25519KeyPair::from_seed_unchecked(&SECRET).unwrap();
    let ring_public = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, public.as_bytes());
    let aws = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&SECRET).unwrap();
    let aws_public =
        aws_lc_rs::signature::ParsedPublicKey::new(&aws_lc_rs::signature::ED25519, public.as_bytes())
            .unwrap();

    race(
        "EdDSA sign",
        &[
            ("ed25519-dalek", &|| _ = black_box(dalek.sign(black_box(&MESSAGE)))),
            ("ring", &|| _ = black_box(ring.sign(black_box(&MESSAGE)))),
            ("aws-lc-rs", &|| _ = black_box(aws.sign(black_box(&MESSAGE)))),
        ],
    );
    race(
        "EdDSA verify",
        &[
            ("ed25519-dalek, strict", &|| public.verify_strict(black_box(&MESSAGE), &signature).unwrap()),
            ("ring", &|| ring_public.verify(black_box(&MESSAGE), &bytes).unwrap()),
            ("aws-lc-rs", &|| aws_public.verify_sig(black_box(&MESSAGE), &bytes).unwrap()),
        ],
    );
}

/// The least time per call of each, over rounds that alternate.
fn race(title: &str, contenders: &[(&str, &dyn Fn())]) {
    const CALLS: u32 = 40;
    let mut least = vec![f64::INFINITY; contenders.len()];
    for _ in 0..150 {
        for ((_, call), least) in contenders.iter().zip(&mut least) {
            let start = Instant::now();
            (0..CALLS).for_each(|_| call());
            *least = least.min(start.elapsed().as_nanos() as f64 / f64::from(CALLS));
        }
    }
    for ((name, _), nanoseconds) in contenders.iter().zip(least) {
        println!("{title:<13} {name:<22} {:>7.1} µs", nanoseconds / 1000.0);
    }
}
