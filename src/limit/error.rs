//! Why a limit was refused.

use crate::error::Status;

/// A limit was refused. That a limit is spent is no error: it is a [`super::Verdict`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// A text that says no limits.
    #[error("{reason} at byte {offset}")]
    Spec {
        /// What was found, or is missing.
        reason: &'static str,
        /// Where, counted from 0.
        offset: usize,
    },
    /// A configuration that limits nothing, or cannot be kept exactly.
    #[error("configuration: {0}")]
    Config(&'static str),
    /// A negative time, or fields that are none.
    #[error("an argument is not valid")]
    InvalidArgument,
    /// A key over its limit.
    #[error("the key is too long")]
    TooLarge,
    /// The operating system gave no randomness.
    #[error(transparent)]
    Entropy(#[from] crate::entropy::EntropyError),
    /// The system has no more memory.
    #[error("not enough memory")]
    OutOfMemory,
    /// A defect in donjon.
    #[error("a defect in donjon")]
    Internal,
}

impl LimitError {
    /// The status that the error is at the C ABI.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Spec { .. } | Self::Config(_) => Status::ConfigError,
            Self::InvalidArgument => Status::InvalidArgument,
            Self::TooLarge => Status::TooLarge,
            Self::Entropy(_) => Status::EntropyUnavailable,
            Self::OutOfMemory => Status::OutOfMemory,
            Self::Internal => Status::InternalError,
        }
    }
}
