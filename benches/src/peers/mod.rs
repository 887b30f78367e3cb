//! The peers, each as its own documentation sets it up.

pub mod aead;
pub mod age;
pub mod argon2;
pub mod casbin;
pub mod cedar;
pub mod governor;
pub mod jsonwebtoken;
pub mod libsodium;
