//! Why there is no client's address.

use alloc::string::String;

use crate::error::Status;

/// A configuration was refused, or there is no address to speak of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientAddressError {
    /// The configuration would not do what it says, or says nothing that is known.
    #[error("configuration: {path}: {reason}")]
    Config {
        /// The place, such as `trusted[2]`; empty for the whole.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The peer is no address (a Unix socket has none), and no header may speak for it.
    #[error("the peer is no address")]
    Peer,
}

impl ClientAddressError {
    pub(super) fn config(path: impl Into<String>, reason: &'static str) -> Self {
        Self::Config { path: path.into(), reason }
    }

    /// The status that the error is at the C ABI.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self {
            Self::Config { .. } => Status::ConfigError,
            Self::Peer => Status::Malformed,
        }
    }
}
