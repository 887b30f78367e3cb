//! Why a token is refused, or nothing could be said of it.

use crate::entropy::EntropyError;
use crate::error::Status;
use crate::keyring::Unusable;

/// A token was revoked, or whether it was cannot be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevocationError {
    /// Taken back, or nobody can say that it was not.
    #[error("the token was revoked")]
    Revoked,
    /// The token has no `iat`, which every answer depends on.
    #[error("a required claim is missing")]
    MissingClaim,
    /// An argument that no correct caller passes.
    #[error("an argument is not valid")]
    InvalidArgument,
    /// A configuration, or a keyring, that nothing can be made of.
    #[error("configuration: {0}")]
    Config(&'static str),
    /// Not a revocation set, or not a record to put into one.
    #[error("the revocation set is malformed")]
    Malformed,
    /// More than a revocation set holds.
    #[error("too much for a revocation set")]
    TooLarge,
    /// The keyring has no token key that the set names.
    #[error("no key answers to the revocation set")]
    UnknownKey,
    /// The key was disabled.
    #[error("the key is disabled")]
    KeyDisabled,
    /// The key was destroyed.
    #[error("the key was destroyed")]
    KeyDestroyed,
    /// The key's time is over.
    #[error("the key no longer verifies")]
    KeyExpired,
    /// The set's signature does not hold.
    #[error("the signature does not hold")]
    BadSignature,
    /// The set is older than one that was there before.
    #[error("the revocation set was rolled back")]
    RolledBack,
    /// The set's time is over, or has not come.
    #[error("the revocation set is out of date")]
    OutOfDate,
    /// A store's knowledge begins in the future, by this clock.
    #[error("the store begins in the future: a clock is wrong")]
    ClockBehind,
    /// Memory could not be had.
    #[error("not enough memory")]
    OutOfMemory,
    /// Nothing was made.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl RevocationError {
    /// The status that the error is at the C ABI.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Revoked => Status::Revoked,
            Self::MissingClaim => Status::MissingClaim,
            Self::InvalidArgument => Status::InvalidArgument,
            Self::Config(_) => Status::ConfigError,
            Self::Malformed => Status::Malformed,
            Self::TooLarge => Status::TooLarge,
            Self::UnknownKey => Status::UnknownKey,
            Self::KeyDisabled => Status::KeyDisabled,
            Self::KeyDestroyed => Status::KeyDestroyed,
            Self::KeyExpired => Status::KeyExpired,
            Self::BadSignature => Status::BadSignature,
            Self::RolledBack => Status::StateStale,
            Self::OutOfDate => Status::RevocationSetStale,
            Self::ClockBehind => Status::StoreUnavailable,
            Self::OutOfMemory => Status::OutOfMemory,
            Self::Entropy(_) => Status::EntropyUnavailable,
        }
    }
}

impl From<Unusable> for RevocationError {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Disabled => Self::KeyDisabled,
            Unusable::Destroyed => Self::KeyDestroyed,
            Unusable::Expired => Self::KeyExpired,
        }
    }
}
