//! Passwords: hashed with Argon2id (RFC 9106), verified, judged.
//!
//! *Decides* whether a password is the one that was hashed, whether a stored hash should be made anew,
//! and whether a new password is acceptable. *Inputs*: parameters inside bounds, the peppers of a
//! keyring, stored hashes as PHC strings, entropy, memory. *State*: none; the memory that hashes work in
//! belongs to [`crate::runtime::PasswordHasher`]. *Threat*: a stolen database; a stored hash that asks
//! for terabytes; a thousand log-ins at once; a log-in that tells by its time who has an account;
//! passwords that everybody tries first.
//!
//! ```
//! use donjon::entropy::FixedEntropy;
//! use donjon::password::{Block, Hasher, HasherConfig, Password};
//!
//! let config = HasherConfig::from_json(br#"{"preset":"owasp"}"#)?;
//! let hasher = Hasher::new(&config, None)?;
//! let password = Password::new(b"correct horse battery staple")?;
//!
//! let hashing = hasher.begin(0, &mut FixedEntropy::new(&[7; 16]))?;
//! let mut memory = vec![Block::new(); 19_456];
//! let stored = hashing.run(password, &mut memory)?;
//! assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
//!
//! let verdict = hasher.read(stored.as_bytes(), 0)?.run(password, &mut memory)?;
//! assert!(!verdict.needs_rehash);
//! # Ok::<(), donjon::password::PasswordError>(())
//! ```

pub mod breach;
mod common;
mod config;
mod error;
mod estimate;
mod hasher;
mod legacy;
mod params;
mod pepper;
mod phc;
mod secret;
mod stored;
mod strength;

pub use argon2::Block;
pub use common::{MAX_USER_INPUT_LEN, MAX_USER_INPUTS, UserInputs};
pub use config::{DEFAULT_MAX_WAIT_MS, DEFAULT_MEMORY_BUDGET_KIB, HasherConfig, MAX_WAIT_MS};
pub use error::PasswordError;
pub use estimate::{MAX_ESTIMATED_CHARS, estimate};
pub use hasher::{Hasher, Hashing, Memory, Verdict, Verification};
pub use legacy::{Scheme, SchemeSet};
pub use params::{MAX_MEMORY_KIB, MAX_PARALLELISM, MAX_TIME_COST, MAX_WORK, Params};
pub use phc::MAX_STORED_LEN;
pub use secret::{MAX_PASSWORD_LEN, Password};
pub use stored::is_unusable;
pub use strength::{Check, Profile, Strength};
