//! Why a token was refused, or not made.

use crate::entropy::EntropyError;
use crate::error::Status;
use crate::keyring::Unusable;

/// A token was refused, or could not be made. A signature failure outranks every claim error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not three segments of canonical base64url, or not strict JSON.
    #[error("the token is malformed")]
    Malformed,
    /// A segment, or what is to be signed, is over its limit.
    #[error("the token is too large")]
    TooLarge,
    /// JWE, compression, or the JSON serialisation.
    #[error("this kind of token is not supported")]
    Unsupported,
    /// The algorithm is `none`, unknown, not on the list, or not the key's.
    #[error("the algorithm is not allowed")]
    AlgNotAllowed,
    /// The token demands an extension.
    #[error("a critical extension is not supported")]
    UnsupportedCritical,
    /// No usable key answers to the token.
    #[error("no usable key answers to the token")]
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
    /// The signature does not hold.
    #[error("the signature does not hold")]
    BadSignature,
    /// A claim is of the wrong JSON type or out of range.
    #[error("a claim is of the wrong type")]
    BadClaimType,
    /// A required claim is missing.
    #[error("a required claim is missing")]
    MissingClaim,
    /// The token's time is over.
    #[error("the token has expired")]
    Expired,
    /// The token's time has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Another issuer.
    #[error("the token is from another issuer")]
    InvalidIssuer,
    /// Another audience.
    #[error("the token is for another audience")]
    InvalidAudience,
    /// Another type of token.
    #[error("the token is of another type")]
    WrongTokenType,
    /// Revoked.
    #[error("the token was revoked")]
    Revoked,
    /// A single-purpose token that is not good, for whichever reason.
    #[error("the token is not good for this")]
    Invalid,
    /// An argument that no correct caller passes.
    #[error("an argument is not valid")]
    InvalidArgument,
    /// A configuration that would verify too much, or nothing.
    #[error("configuration: {0}")]
    Config(&'static str),
    /// Memory could not be had.
    #[error("not enough memory")]
    OutOfMemory,
    /// Nothing was made.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl TokenError {
    /// The status that the error is at the C ABI.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Malformed => Status::Malformed,
            Self::TooLarge => Status::TooLarge,
            Self::Unsupported => Status::Unsupported,
            Self::AlgNotAllowed => Status::AlgNotAllowed,
            Self::UnsupportedCritical => Status::UnsupportedCritical,
            Self::UnknownKey => Status::UnknownKey,
            Self::KeyDisabled => Status::KeyDisabled,
            Self::KeyDestroyed => Status::KeyDestroyed,
            Self::KeyExpired => Status::KeyExpired,
            Self::BadSignature => Status::BadSignature,
            Self::BadClaimType => Status::BadClaimType,
            Self::MissingClaim => Status::MissingClaim,
            Self::Expired => Status::Expired,
            Self::NotYetValid => Status::NotYetValid,
            Self::InvalidIssuer => Status::InvalidIssuer,
            Self::InvalidAudience => Status::InvalidAudience,
            Self::WrongTokenType => Status::WrongTokenType,
            Self::Revoked => Status::Revoked,
            Self::Invalid => Status::Invalid,
            Self::InvalidArgument => Status::InvalidArgument,
            Self::Config(_) => Status::ConfigError,
            Self::OutOfMemory => Status::OutOfMemory,
            Self::Entropy(_) => Status::EntropyUnavailable,
        }
    }
}

impl From<Unusable> for TokenError {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Disabled => Self::KeyDisabled,
            Unusable::Destroyed => Self::KeyDestroyed,
            Unusable::Expired => Self::KeyExpired,
        }
    }
}
