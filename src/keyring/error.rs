//! Why a key or a key set was refused.

use crate::entropy::EntropyError;
use crate::error::Status;
use crate::json::JsonError;

/// A keyring could not be loaded, made or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// The text is not a strict JSON document.
    #[error("key set: {0}")]
    Json(#[from] JsonError),
    /// The set, or what it is derived from, is not acceptable.
    #[error("key set: {0}")]
    Set(&'static str),
    /// One key is not acceptable; keys count from 0.
    #[error("key {index}: {reason}")]
    Key {
        /// The key's place in the set.
        index: usize,
        /// What is wrong with it; never what it is.
        reason: &'static str,
    },
    /// No key has this id.
    #[error("no such key")]
    UnknownKey,
    /// Nothing was made.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl KeyringError {
    /// The status that the error is at the C ABI.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Json(_) | Self::Set(_) | Self::Key { .. } => Status::ConfigError,
            Self::UnknownKey => Status::UnknownKey,
            Self::Entropy(_) => Status::EntropyUnavailable,
        }
    }
}
