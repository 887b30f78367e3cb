//! Why a policy was refused, and why a role may not be had.

use alloc::string::String;

use crate::error::Status;
use crate::json::JsonError;

/// A policy document was refused: what is wrong with it, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Not a strict JSON document.
    #[error("{0}")]
    Json(#[from] JsonError),
    /// Over one of the limits.
    #[error("{0}")]
    TooLarge(&'static str),
    /// The document contradicts itself, or names what it does not declare.
    #[error("{path}: {reason}")]
    Refused {
        /// The place, such as `roles.editor.allow[2]`.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A line of a casbin file that the plain RBAC model does not have.
    #[error("line {line}: {reason}")]
    Casbin {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl PolicyError {
    pub(super) fn refused(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Refused { path: path.into(), reason: reason.into() }
    }

    /// The status that the error is at the C ABI.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self {
            Self::Json(_) | Self::Casbin { .. } => Status::Malformed,
            Self::TooLarge(_) => Status::TooLarge,
            Self::Refused { .. } => Status::ConfigError,
        }
    }
}

/// Roles that may not be assigned, or not be active together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RoleError {
    /// The policy has no such role.
    #[error("the policy has no such role")]
    Unknown,
    /// A constraint allows fewer of these roles together.
    #[error("the roles exclude each other")]
    SeparationOfDuty,
    /// As many users have the role as may.
    #[error("as many users have the role as may")]
    CardinalityExceeded,
    /// A tenant that is empty, over 128 bytes, or has white space, a control character or `@` in it.
    #[error("not a tenant")]
    Tenant,
    /// More roles or permissions than a subject may have.
    #[error("too many roles or permissions")]
    TooMany,
}

impl RoleError {
    /// The status that the error is at the C ABI.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Unknown => Status::UnknownRole,
            Self::SeparationOfDuty => Status::SeparationOfDuty,
            Self::CardinalityExceeded => Status::CardinalityExceeded,
            Self::Tenant => Status::InvalidArgument,
            Self::TooMany => Status::TooLarge,
        }
    }
}
