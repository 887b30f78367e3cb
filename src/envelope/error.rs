//! Why nothing was sealed, or nothing opened.

use crate::entropy::EntropyError;
use crate::error::Status;
use crate::keyring::Unusable;

/// Nothing was sealed, or nothing opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Another key, another context, or not what was sealed. Which of them is not said.
    #[error("the data does not open under this key and context")]
    DecryptFailed,
    /// No key answers to the id that the header names.
    #[error("no key answers to the envelope")]
    UnknownKey,
    /// The key was disabled.
    #[error("the key is disabled")]
    KeyDisabled,
    /// The key was destroyed.
    #[error("the key was destroyed")]
    KeyDestroyed,
    /// The key's time is over.
    #[error("the key is no longer used")]
    KeyExpired,
    /// The header asks for more of Argon2 than is allowed.
    #[error("the envelope asks for more work or memory than is allowed")]
    ParamsOutOfBounds,
    /// The input is not of its format.
    #[error("the input is malformed")]
    Malformed,
    /// A context, a plaintext or a passphrase over its limit.
    #[error("the input is over its limit")]
    TooLarge,
    /// So many bytes are written, and the output is not of that length.
    #[error("the output is not of the length needed")]
    BufferTooSmall(usize),
    /// What no correct caller passes: a negative time, an empty passphrase, a stream that has ended.
    #[error("an argument is not valid")]
    InvalidArgument,
    /// A keyring that cannot seal.
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

impl EnvelopeError {
    /// The status that the error is at the C ABI.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::DecryptFailed => Status::DecryptFailed,
            Self::UnknownKey => Status::UnknownKey,
            Self::KeyDisabled => Status::KeyDisabled,
            Self::KeyDestroyed => Status::KeyDestroyed,
            Self::KeyExpired => Status::KeyExpired,
            Self::ParamsOutOfBounds => Status::ParamsOutOfBounds,
            Self::Malformed => Status::Malformed,
            Self::TooLarge => Status::TooLarge,
            Self::BufferTooSmall(_) => Status::BufferTooSmall,
            Self::InvalidArgument => Status::InvalidArgument,
            Self::Config(_) => Status::ConfigError,
            Self::OutOfMemory => Status::OutOfMemory,
            Self::Entropy(_) => Status::EntropyUnavailable,
            Self::Internal => Status::InternalError,
        }
    }
}

impl From<Unusable> for EnvelopeError {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Disabled => Self::KeyDisabled,
            Unusable::Destroyed => Self::KeyDestroyed,
            Unusable::Expired => Self::KeyExpired,
        }
    }
}
