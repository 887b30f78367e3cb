//! Why something about sessions was refused.

use alloc::string::String;

use crate::entropy::EntropyError;
use crate::envelope::EnvelopeError;
use crate::error::Status;

/// A configuration was refused, or a request was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The configuration would not do what it says, says nothing that is known, or lacks a key.
    #[error("configuration: {path}: {reason}")]
    Config {
        /// The place, such as `trusted_origins[2]`; empty for the whole.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An argument that no correct caller passes.
    #[error("an argument is not valid")]
    InvalidArgument,
    /// An argument over its limit.
    #[error("an argument is too long")]
    TooLarge,
    /// No session id, or more than one.
    #[error("the session is not valid")]
    InvalidSession,
    /// The CSRF token is missing, or not the session's.
    #[error("the CSRF token is not the session's")]
    CsrfFailed,
    /// A request that changes something, from a page of another site.
    #[error("the request comes from another site")]
    CrossSite,
    /// A record could not be sealed.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The operating system gave no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A defect in donjon.
    #[error("a defect in donjon")]
    Internal,
}

impl SessionError {
    pub(super) fn config(path: impl Into<String>, reason: &'static str) -> Self {
        Self::Config { path: path.into(), reason }
    }

    /// The status that the error is at the C ABI.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self {
            Self::Config { .. } => Status::ConfigError,
            Self::InvalidArgument => Status::InvalidArgument,
            Self::TooLarge => Status::TooLarge,
            Self::InvalidSession => Status::InvalidSession,
            Self::CsrfFailed => Status::CsrfFailed,
            Self::CrossSite => Status::CrossSite,
            Self::Envelope(error) => error.status(),
            Self::Entropy(_) => Status::EntropyUnavailable,
            Self::Internal => Status::InternalError,
        }
    }
}
