//! Why a document or a configuration was refused, for the operator who wrote it.

use alloc::string::{String, ToString as _};

use super::memory::Output;
use crate::client_address::ClientAddressError;
use crate::envelope::EnvelopeError;
use crate::error::Status;
use crate::json::ObjectWriter;
use crate::keyring::KeyringError;
use crate::limit::LimitError;
use crate::password::PasswordError;
use crate::rbac::PolicyError;
use crate::revocation::RevocationError;
use crate::session::SessionError;
use crate::token::TokenError;

/// A refusal: its status, its place in what was given, and one line about it.
pub(super) struct Diagnosis {
    status: Status,
    path: String,
    message: String,
}

/// Writes `null` for what could be made, or {"error","path","message"}.
pub(super) fn write<T>(outcome: Result<T, impl Into<Diagnosis>>, out: Output) -> Result<(), Status> {
    let Err(refusal) = outcome.map_err(Into::into) else { return out.write(b"null") };
    let mut text = String::new();
    ObjectWriter::open(&mut text)
        .text("error", refusal.status.name())
        .text("path", &refusal.path)
        .text("message", &refusal.message)
        .close();
    out.write(text.as_bytes())
}

impl From<PolicyError> for Diagnosis {
    fn from(error: PolicyError) -> Self {
        let status = error.status();
        match error {
            PolicyError::Refused { path, reason } => Self { status, path, message: reason },
            other => Self { status, path: String::new(), message: other.to_string() },
        }
    }
}

impl From<ClientAddressError> for Diagnosis {
    fn from(error: ClientAddressError) -> Self {
        let status = error.status();
        match error {
            ClientAddressError::Config { path, reason } => Self { status, path, message: reason.into() },
            other => Self { status, path: String::new(), message: other.to_string() },
        }
    }
}

impl From<KeyringError> for Diagnosis {
    fn from(error: KeyringError) -> Self {
        let status = error.status();
        match error {
            KeyringError::Key { index, reason } => {
                Self { status, path: alloc::format!("keys[{index}]"), message: reason.into() }
            }
            other => Self { status, path: String::new(), message: other.to_string() },
        }
    }
}

impl From<TokenError> for Diagnosis {
    fn from(error: TokenError) -> Self {
        let message = match error {
            TokenError::Config(reason) => reason.into(),
            other => other.to_string(),
        };
        Self { status: error.status(), path: String::new(), message }
    }
}

impl From<EnvelopeError> for Diagnosis {
    fn from(error: EnvelopeError) -> Self {
        let message = match error {
            EnvelopeError::Config(reason) => reason.into(),
            other => other.to_string(),
        };
        Self { status: error.status(), path: String::new(), message }
    }
}

impl From<LimitError> for Diagnosis {
    fn from(error: LimitError) -> Self {
        let (path, message) = match error {
            LimitError::Spec { .. } => ("limits", error.to_string()),
            LimitError::Config(reason) => ("", reason.into()),
            other => ("", other.to_string()),
        };
        Self { status: error.status(), path: path.into(), message }
    }
}

impl From<RevocationError> for Diagnosis {
    fn from(error: RevocationError) -> Self {
        let message = match error {
            RevocationError::Config(reason) => reason.into(),
            other => other.to_string(),
        };
        Self { status: error.status(), path: String::new(), message }
    }
}

impl From<PasswordError> for Diagnosis {
    fn from(error: PasswordError) -> Self {
        let message = match error {
            PasswordError::Config(reason) => reason.into(),
            other => other.to_string(),
        };
        Self { status: error.status(), path: String::new(), message }
    }
}

impl From<SessionError> for Diagnosis {
    fn from(error: SessionError) -> Self {
        let status = error.status();
        match error {
            SessionError::Config { path, reason } => Self { status, path, message: reason.into() },
            other => Self { status, path: String::new(), message: other.to_string() },
        }
    }
}
