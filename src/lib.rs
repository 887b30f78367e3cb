//! A security kernel that services embed: the security decisions of an application, made the same way in
//! every host.
//!
//! Everything here is a pure function of its arguments: keys, the clock and entropy are passed in, and
//! nothing is read from a file, the network or the environment. Hosts are reached through one C ABI
//! (feature `ffi`, `include/donjon.h`), which the Python and Go packages go through too.
//!
//! # Capabilities
//!
//! - [`keyring`] – which keys there are, what each is for, and which of them may be used now.
//! - [`token`] – mints and checks access, refresh and single-purpose tokens, and decides about refresh
//!   families.
//! - [`session`] – who is logged in, where, and for how much longer: sessions with cookies, refresh families,
//!   CSRF tokens, requests from other sites.
//! - [`revocation`] – whether a token that verifies was taken back since: by a store's records, or by a signed
//!   set without one.
//! - [`password`] – hashes and verifies passwords, and judges new ones.
//! - [`rbac`] – decides what roles allow, from a policy document.
//! - [`envelope`] – seals what is stored and opens it again: cells, files, streams; rotates keys, and
//!   forgets.
//! - [`limit`] – how much of something a key may have, and when again: rate limits, and lock-out.
//! - [`lockout`] – which counters an attempt to log in is charged to.
//! - [`settings`] – seals the secrets of an environment, each for its own setting.
//! - [`fernet`], [`aes_engine`] – read what `cryptography` and sqlalchemy-utils encrypted, for those on their
//!   way here.
//! - [`client_address`] – decides who sent a request that came through proxies.
//! - [`jwks`] – decides when to fetch an identity provider's key set again.
//!
//! # What they share
//!
//! - [`signature`] – signatures over bytes, the key deciding the algorithm.
//! - [`json`], [`base64url`] – strict reading, one canonical form.
//! - [`ct`] – comparison of secrets; [`time`] – integers with units; [`entropy`] – random bytes as an
//!   argument.
//! - [`error`] – every way of saying no, in one table.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod aes_engine;
pub mod base64url;
mod bytes;
pub mod client_address;
pub mod ct;
pub mod entropy;
pub mod envelope;
pub mod error;
pub mod fernet;
pub mod json;
pub mod jwks;
pub mod keyring;
pub mod limit;
pub mod lockout;
pub mod password;
pub mod rbac;
pub mod revocation;
#[cfg(feature = "std")]
pub mod runtime;
pub mod session;
pub mod settings;
pub mod signature;
pub mod time;
pub mod token;
mod user_tag;

#[cfg(feature = "ffi")]
pub mod ffi;
