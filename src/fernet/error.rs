//! Why a Fernet token was not made, or not opened.

use crate::entropy::EntropyError;
use crate::error::Status;

/// Nothing was encrypted, or nothing decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FernetError {
    /// Not a token of these keys, or one whose time is over. Which of them is not said.
    #[error("the token does not open under these keys")]
    DecryptFailed,
    /// Keys that are none.
    #[error("configuration: {0}")]
    Config(&'static str),
    /// A negative time.
    #[error("an argument is not valid")]
    InvalidArgument,
    /// No iterations of PBKDF2, or more than are allowed.
    #[error("the key asks for no work, or for more than is allowed")]
    ParamsOutOfBounds,
    /// A password or a salt over its limit.
    #[error("the password or the salt is too long")]
    TooLarge,
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

impl FernetError {
    /// The status that the error is at the C ABI.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::DecryptFailed => Status::DecryptFailed,
            Self::Config(_) => Status::ConfigError,
            Self::InvalidArgument => Status::InvalidArgument,
            Self::ParamsOutOfBounds => Status::ParamsOutOfBounds,
            Self::TooLarge => Status::TooLarge,
            Self::OutOfMemory => Status::OutOfMemory,
            Self::Entropy(_) => Status::EntropyUnavailable,
            Self::Internal => Status::InternalError,
        }
    }
}
