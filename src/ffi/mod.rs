//! The C ABI. The contract is written once, at the head of `include/donjon.h`.
//!
//! This is the only place that touches raw pointers. A function here checks its pointers, makes slices
//! of them, calls the kernel, and copies the answer out; `guard` turns what came of it into a status.

#![allow(unsafe_code, non_camel_case_types)]
#![warn(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

mod aes_engine;
mod blind_index;
mod chunked;
mod context;
mod data_key;
mod decryptor;
mod diagnosis;
mod encryptor;
mod erasure;
mod fernet;
mod hasher;
mod issuer;
mod jwks;
mod keyring;
mod limit_table;
mod limits;
mod lockout;
mod memory;
mod password;
mod permission;
mod policy;
mod proxies;
mod purpose;
mod reader;
mod refresh;
mod revocation;
mod revocation_set;
mod revocations;
mod sealer;
mod session_requests;
mod sessions;
mod setting;
mod status;
mod store_marker;
mod subject;
#[cfg(feature = "test-entropy")]
mod test_entropy;
mod verifier;

pub use aes_engine::*;
pub use blind_index::*;
pub use chunked::*;
pub use context::*;
pub use data_key::*;
pub use decryptor::*;
pub use encryptor::*;
pub use erasure::*;
pub use fernet::*;
pub use hasher::*;
pub use issuer::*;
pub use jwks::*;
pub use keyring::*;
pub use limit_table::*;
pub use limits::*;
pub use lockout::*;
pub use password::*;
pub use permission::*;
pub use policy::*;
pub use proxies::*;
pub use purpose::*;
pub use reader::*;
pub use refresh::*;
pub use revocation::*;
pub use revocation_set::*;
pub use revocations::*;
pub use sealer::*;
pub use session_requests::*;
pub use sessions::*;
pub use setting::*;
pub use status::*;
pub use store_marker::*;
pub use subject::*;
#[cfg(feature = "test-entropy")]
pub use test_entropy::*;
pub use verifier::*;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::aes_engine::AesEngineError;
use crate::client_address::ClientAddressError;
use crate::envelope::EnvelopeError;
use crate::error::Status;
use crate::fernet::FernetError;
use crate::keyring::KeyringError;
use crate::limit::LimitError;
use crate::password::PasswordError;
use crate::revocation::RevocationError;
use crate::session::SessionError;
use crate::token::TokenError;

/// Runs `call` and returns its status. A panic is a defect in donjon; it never crosses into C.
fn guard(call: impl FnOnce() -> Result<(), Status>) -> i32 {
    // Handles are immutable, so what a panic left behind is as consistent as it was before.
    let outcome = catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(Status::InternalError));
    outcome.map_or_else(Status::code, |()| Status::Ok.code())
}

impl From<AesEngineError> for Status {
    fn from(error: AesEngineError) -> Self {
        error.status()
    }
}

impl From<ClientAddressError> for Status {
    fn from(error: ClientAddressError) -> Self {
        error.status()
    }
}

impl From<EnvelopeError> for Status {
    fn from(error: EnvelopeError) -> Self {
        error.status()
    }
}

impl From<FernetError> for Status {
    fn from(error: FernetError) -> Self {
        error.status()
    }
}

impl From<TokenError> for Status {
    fn from(error: TokenError) -> Self {
        error.status()
    }
}

impl From<KeyringError> for Status {
    fn from(error: KeyringError) -> Self {
        error.status()
    }
}

impl From<LimitError> for Status {
    fn from(error: LimitError) -> Self {
        error.status()
    }
}

impl From<RevocationError> for Status {
    fn from(error: RevocationError) -> Self {
        error.status()
    }
}

impl From<PasswordError> for Status {
    fn from(error: PasswordError) -> Self {
        error.status()
    }
}

impl From<SessionError> for Status {
    fn from(error: SessionError) -> Self {
        error.status()
    }
}

#[cfg(test)]
mod tests;
