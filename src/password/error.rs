//! Why a password was refused, or not hashed.

use crate::entropy::EntropyError;
use crate::error::Status;
use crate::keyring::Unusable;

/// A password was refused, or could not be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Not the password that was hashed, or no such user.
    #[error("the password does not match")]
    Mismatch,
    /// The stored hash is not of its format.
    #[error("the stored hash is not of its format")]
    InvalidHash,
    /// The stored hash asks for more work or memory than is allowed.
    #[error("the stored hash asks for more work or memory than is allowed")]
    ParamsOutOfBounds,
    /// The memory budget was in use for as long as the caller would wait.
    #[error("as many hashes run as the memory budget allows")]
    Busy,
    /// A legacy scheme that was not enabled, or a part that was not built in.
    #[error("this kind of hash is not enabled")]
    Unsupported,
    /// The password, or what comes with it, is over its limit.
    #[error("the password is too long")]
    TooLarge,
    /// Not UTF-8, not a JSON list of texts, not a range response.
    #[error("the input is malformed")]
    Malformed,
    /// No pepper answers to the stored hash.
    #[error("no pepper answers to the stored hash")]
    UnknownKey,
    /// The pepper was disabled.
    #[error("the pepper is disabled")]
    KeyDisabled,
    /// The pepper was destroyed.
    #[error("the pepper was destroyed")]
    KeyDestroyed,
    /// The pepper's time is over.
    #[error("the pepper is no longer used")]
    KeyExpired,
    /// A profile that does not exist.
    #[error("an argument is not valid")]
    InvalidArgument,
    /// A configuration that would hash too weakly, or not at all.
    #[error("configuration: {0}")]
    Config(&'static str),
    /// Memory could not be had.
    #[error("not enough memory")]
    OutOfMemory,
    /// Nothing was made.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A defect in donjon.
    #[error("a defect in donjon")]
    Internal,
}

impl PasswordError {
    /// The status that the error is at the C ABI.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Mismatch => Status::PasswordMismatch,
            Self::InvalidHash => Status::InvalidHash,
            Self::ParamsOutOfBounds => Status::ParamsOutOfBounds,
            Self::Busy => Status::Busy,
            Self::Unsupported => Status::Unsupported,
            Self::TooLarge => Status::TooLarge,
            Self::Malformed => Status::Malformed,
            Self::UnknownKey => Status::UnknownKey,
            Self::KeyDisabled => Status::KeyDisabled,
            Self::KeyDestroyed => Status::KeyDestroyed,
            Self::KeyExpired => Status::KeyExpired,
            Self::InvalidArgument => Status::InvalidArgument,
            Self::Config(_) => Status::ConfigError,
            Self::OutOfMemory => Status::OutOfMemory,
            Self::Entropy(_) => Status::EntropyUnavailable,
            Self::Internal => Status::InternalError,
        }
    }
}

impl From<Unusable> for PasswordError {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Disabled => Self::KeyDisabled,
            Unusable::Destroyed => Self::KeyDestroyed,
            Unusable::Expired => Self::KeyExpired,
        }
    }
}
