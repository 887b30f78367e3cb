use std::hint::black_box;
use std::time::Instant;

type Op<'a> = (&'static str, Box<dyn Fn() + 'a>);

fn race(title: &str, ops: &[Op<'_>]) {
    let mut best = vec![f64::INFINITY; ops.len()];
    for _ in 0..150 {
        for (i, (_, op)) in ops.iter().enumerate() {
            let n = 40;
            let start = Instant::now();
            for _ in 0..n { op(); }
            best[i] = best[i].min(start.elapsed().as_nanos() as f64 / n as f64);
        }
    }
    for (i, (name, _)) in ops.iter().enumerate() {
        println!("{title:<14} {name:<22} {:>9.0} ns", best[i]);
    }
}

fn main() {
    use p256::ecdsa::signature::{Signer as _, Verifier as _};
    let message = vec![b'm'; 360];
    // ES256
    let scalar = [7u8; 32];
    let p_sign = p256::ecdsa::SigningKey::from_slice(&scalar).unwrap();
    let p_verify = *p_sign.verifying_key();
    let point = p_verify.to_sec1_point(false).as_bytes().to_vec();
    let rng = ring::rand::SystemRandom::new();
    let r_sign = ring::signature::EcdsaKeyPair::from_private_key_and_public_key(&ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING, &scalar, &point, &rng).unwrap();
    let r_verify = ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_FIXED, point.clone());
    let arng = aws_lc_rs::rand::SystemRandom::new();
    let a_sign = aws_lc_rs::signature::EcdsaKeyPair::from_private_key_and_public_key(&aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING, &scalar, &point).unwrap();
    let a_verify = aws_lc_rs::signature::ParsedPublicKey::new(&aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED, point.clone()).unwrap();
    let sig: p256::ecdsa::Signature = p_sign.sign(&message);
    let bytes = sig.to_bytes();
    r_verify.verify(&message, &bytes).unwrap();
    a_verify.verify_sig(&message, &bytes).unwrap();
    p_verify.verify(&message, &p256::ecdsa::Signature::from_slice(r_sign.sign(&rng, &message).unwrap().as_ref()).unwrap()).unwrap();
    race("ES256 sign", &[
        ("p256", Box::new(|| { black_box::<p256::ecdsa::Signature>(p_sign.sign(black_box(&message))); })),
        ("ring", Box::new(|| { black_box(r_sign.sign(&rng, black_box(&message)).unwrap()); })),
        ("aws-lc-rs", Box::new(|| { black_box(a_sign.sign(&arng, black_box(&message)).unwrap()); })),
    ]);
    race("ES256 verify", &[
        ("p256", Box::new(|| { p_verify.verify(black_box(&message), &p256::ecdsa::Signature::from_slice(&bytes).unwrap()).unwrap() })),
        ("ring", Box::new(|| { r_verify.verify(black_box(&message), &bytes).unwrap() })),
        ("aws-lc-rs", Box::new(|| { a_verify.verify_sig(black_box(&message), &bytes).unwrap() })),
    ]);
    {
        use p256_13::ecdsa::signature::{Signer as _, Verifier as _};
        let k = p256_13::ecdsa::SigningKey::from_slice(&scalar).unwrap();
        let v = *k.verifying_key();
        race("ES256 0.13", &[
            ("p256 0.13 sign", Box::new(|| { black_box::<p256_13::ecdsa::Signature>(k.sign(black_box(&message))); })),
            ("p256 0.13 verify", Box::new(|| { v.verify(black_box(&message), &p256_13::ecdsa::Signature::from_slice(&bytes).unwrap()).unwrap() })),
        ]);
    }
    {
        // per-key comb
        use p256::{ProjectivePoint, Scalar};
        use p256::elliptic_curve::Group;
        use p256::elliptic_curve::group::Curve;
        type T = primeorder::LookupTable<ProjectivePoint>;
        let make = |mut q: ProjectivePoint| -> Vec<T> { (0..33).map(|_| { let t = T::new(q); for _ in 0..8 { q = q.double(); } t }).collect() };
        let q: ProjectivePoint = (*p_verify.as_affine()).into();
        let t = make(q); let g = make(ProjectivePoint::GENERATOR);
        let mul2 = |a: &Scalar, b: &Scalar| {
            let da = primeorder::Radix16Decomposition::<primeorder::Radix16Digits<p256::NistP256>>::new(a);
            let db = primeorder::Radix16Decomposition::<primeorder::Radix16Digits<p256::NistP256>>::new(b);
            let mut hi = ProjectivePoint::IDENTITY;
            let mut lo = g[32].select_vartime(da[64]) + t[32].select_vartime(db[64]);
            for i in 0..32 {
                hi += &g[i].select_vartime(da[2*i+1]); hi += &t[i].select_vartime(db[2*i+1]);
                lo += &g[i].select_vartime(da[2*i]); lo += &t[i].select_vartime(db[2*i]);
            }
            for _ in 0..4 { hi = Group::double(&hi); }
            lo + hi
        };
        let a = Scalar::from(123456789u64).invert().unwrap(); let b = Scalar::from(987654321u64).invert().unwrap();
        assert_eq!(mul2(&a,&b), ProjectivePoint::GENERATOR*a + q*b);
        race("ES256 comb", &[("lincomb comb + affine + inv", Box::new(|| { black_box(mul2(black_box(&a), &b).to_affine()); black_box(black_box(a).invert_vartime().unwrap()); })),
          ("p256 own lincomb", Box::new(|| { use p256::elliptic_curve::ops::MulByGeneratorVartime; black_box(ProjectivePoint::mul_by_generator_and_mul_add_vartime(black_box(&a), &b, &q)); })),
          ("add", Box::new(|| { black_box(black_box(q)+q); })),("double", Box::new(|| { black_box(Group::double(&black_box(q))); })),
          ("to_affine", Box::new(|| { black_box(black_box(q).to_affine()); })),("inv", Box::new(|| { black_box(black_box(a).invert_vartime().unwrap()); }))]);
    }
    {
        use ed25519_dalek2::Signer as _;
        let k = ed25519_dalek2::SigningKey::from_bytes(&scalar);
        let sig = k.sign(&message); let v = k.verifying_key();
        race("EdDSA dalek 2", &[("sign", Box::new(|| {black_box(k.sign(black_box(&message)));})),("verify_strict", Box::new(|| v.verify_strict(&message,&sig).unwrap()))]);
    }
    // EdDSA
    let d_sign = ed25519_dalek::SigningKey::from_bytes(&scalar);
    let d_verify = d_sign.verifying_key();
    let public = d_verify.to_bytes();
    let r_sign = ring::signature::Ed25519KeyPair::from_seed_unchecked(&scalar).unwrap();
    let r_verify = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, public);
    let a_sign = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&scalar).unwrap();
    let a_verify = aws_lc_rs::signature::ParsedPublicKey::new(&aws_lc_rs::signature::ED25519, public).unwrap();
    let bytes = d_sign.sign(&message).to_bytes();
    assert_eq!(bytes, r_sign.sign(&message).as_ref());
    assert_eq!(bytes, a_sign.sign(&message).as_ref());
    r_verify.verify(&message, &bytes).unwrap();
    a_verify.verify_sig(&message, &bytes).unwrap();
    race("EdDSA sign", &[
        ("ed25519-dalek", Box::new(|| { black_box(d_sign.sign(black_box(&message))); })),
        ("ring", Box::new(|| { black_box(r_sign.sign(black_box(&message))); })),
        ("aws-lc-rs", Box::new(|| { black_box(a_sign.sign(black_box(&message))); })),
    ]);
    race("EdDSA verify", &[
        ("ed25519-dalek strict", Box::new(|| { d_verify.verify_strict(black_box(&message), &ed25519_dalek::Signature::from_bytes(&bytes)).unwrap() })),
        ("ed25519-dalek", Box::new(|| { d_verify.verify(black_box(&message), &ed25519_dalek::Signature::from_bytes(&bytes)).unwrap() })),
        ("ring", Box::new(|| { r_verify.verify(black_box(&message), &bytes).unwrap() })),
        ("aws-lc-rs", Box::new(|| { a_verify.verify_sig(black_box(&message), &bytes).unwrap() })),
    ]);
    // HS256 over the same message
    let rk = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &scalar);
    let ak = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &scalar);
    race("HS256 mac", &[
        ("ring", Box::new(|| { black_box(ring::hmac::sign(&rk, black_box(&message))); })),
        ("aws-lc-rs", Box::new(|| { black_box(aws_lc_rs::hmac::sign(&ak, black_box(&message))); })),
    ]);
}
