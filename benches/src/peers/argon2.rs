//! The two crates of Argon2, with a fresh region for every hash.

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::passwords::{MEMORY_KIB, TIME_COST};

/// RustCrypto's `argon2`: its context, made once.
pub fn rust_crypto() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, TIME_COST, 1, Some(32)).unwrap();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

pub fn rust_crypto_hash(argon2: &Argon2<'_>, password: &[u8]) -> String {
    argon2.hash_password(password).unwrap().to_string()
}

pub fn rust_crypto_verify(argon2: &Argon2<'_>, password: &[u8], stored: &str) {
    argon2.verify_password(password, &PasswordHash::new(stored).unwrap()).unwrap();
}

/// `rust-argon2`.
pub fn rust_argon2_hash(password: &[u8]) -> String {
    let config = rust_argon2::Config {
        variant: rust_argon2::Variant::Argon2id,
        mem_cost: MEMORY_KIB,
        time_cost: TIME_COST,
        lanes: 1,
        hash_length: 32,
        ..Default::default()
    };
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).unwrap();
    rust_argon2::hash_encoded(password, &salt, &config).unwrap()
}

pub fn rust_argon2_verify(password: &[u8], stored: &str) {
    assert!(rust_argon2::verify_encoded(stored, password).unwrap());
}
