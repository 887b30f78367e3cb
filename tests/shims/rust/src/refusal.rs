//! Why a request got no answer.

use donjon::aes_engine::AesEngineError;
use donjon::client_address::ClientAddressError;
use donjon::envelope::EnvelopeError;
use donjon::error::Status;
use donjon::fernet::FernetError;
use donjon::jwks::JwksError;
use donjon::keyring::KeyringError;
use donjon::limit::LimitError;
use donjon::password::PasswordError;
use donjon::rbac::{PolicyError, RoleError};
use donjon::revocation::RevocationError;
use donjon::session::SessionError;
use donjon::token::TokenError;

/// The kernel's refusal, or the shim's own.
#[derive(Clone, Copy)]
pub(crate) enum Refusal {
    /// The line is no request, or a field is missing or of the wrong type.
    BadRequest,
    /// No such operation.
    UnsupportedOperation,
    /// The kernel said no.
    Kernel(Status),
}

impl Refusal {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::UnsupportedOperation => "unsupported_op",
            Self::Kernel(status) => status.name(),
        }
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self::Kernel(status)
    }
}

impl From<KeyringError> for Refusal {
    fn from(error: KeyringError) -> Self {
        Self::Kernel(error.status())
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        Self::Kernel(error.status())
    }
}

impl From<JwksError> for Refusal {
    fn from(error: JwksError) -> Self {
        Self::Kernel(error.status())
    }
}

impl From<PasswordError> for Refusal {
    fn from(error: PasswordError) -> Self {
        Self::Kernel(error.status())
    }
}

impl From<PolicyError> for Refusal {
    fn from(error: PolicyError) -> Self {
        Self::Kernel(error.status())
    }
}

impl From<RoleError> for Refusal {
    fn from(error: RoleError) -> Self {
        Self::Kernel(error.status())
    }
}

impl From<EnvelopeError> for Refusal {
    fn from(error: EnvelopeError) -> Self {
        Self::Kernel(error.status())
    }
}

impl From<FernetError> for Refusal {
    fn from(error: FernetError) -> Self {
        Self::Kernel(error.status())
    }
}

impl From<AesEngineError> for Refusal {
    fn from(error: AesEngineError) -> Self {
        Self::Kernel(error.status())
    }
}

impl From<LimitError> for Refusal {
    fn from(error: LimitError) -> Self {
        Self::Kernel(error.status())
    }
}

impl From<ClientAddressError> for Refusal {
    fn from(error: ClientAddressError) -> Self {
        Self::Kernel(error.status())
    }
}

impl From<RevocationError> for Refusal {
    fn from(error: RevocationError) -> Self {
        Self::Kernel(error.status())
    }
}

impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        Self::Kernel(error.status())
    }
}
