//! Every way that donjon says no, in one table.
//!
//! Each capability has an error type of its own; each of its variants maps to one [`Status`]. The
//! number and the name of a status are pinned: they cross the C ABI, stand in logs and in vectors, and
//! are never reused for anything else.

use core::ffi::CStr;
use core::fmt;

/// What a call came to, as every host sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
#[non_exhaustive]
pub enum Status {
    /// The call did what it says.
    Ok = 0,

    /// An argument that no correct caller passes: NULL with a length, an enum out of range.
    InvalidArgument = 1,
    /// The output buffer is too small; the length needed is given.
    BufferTooSmall = 2,
    /// Memory that the input asked for could not be had.
    OutOfMemory = 3,
    /// A defect in donjon; nothing was decided.
    InternalError = 4,
    /// The operating system gave no randomness; nothing was made.
    EntropyUnavailable = 5,
    /// A key, a key set or a configuration was refused when it was loaded.
    ConfigError = 6,
    /// The input is not of its format.
    Malformed = 7,
    /// The input is over its limit.
    TooLarge = 8,
    /// A format that exists and is deliberately not read: JWE, compressed or JSON-serialised tokens.
    Unsupported = 9,

    /// No usable key answers to the input.
    UnknownKey = 20,
    /// The key is there, and an operator disabled it.
    KeyDisabled = 21,
    /// The key was destroyed; only its id is left.
    KeyDestroyed = 22,
    /// The key verified until a time that has passed.
    KeyExpired = 23,

    /// The algorithm is not on the list, or not the key's.
    AlgNotAllowed = 40,
    /// The signature does not hold.
    BadSignature = 41,
    /// The token demands an extension that is not understood (`crit`, RFC 7515 §4.1.11).
    UnsupportedCritical = 42,
    /// A claim is of the wrong JSON type or out of range.
    BadClaimType = 43,
    /// A required claim is missing.
    MissingClaim = 44,
    /// The token's time is over.
    Expired = 45,
    /// The token's time has not come.
    NotYetValid = 46,
    /// Another issuer.
    InvalidIssuer = 47,
    /// Another audience.
    InvalidAudience = 48,
    /// A token of another type: refresh for access, reset for refresh.
    WrongTokenType = 49,
    /// A refresh token was used again after its time: its family is to be revoked.
    ReuseDetected = 50,
    /// The stored state is behind the token, or gone: log in again.
    StateStale = 51,
    /// Revoked: the token, its family, its key, or all tokens of its subject.
    Revoked = 52,
    /// A single-purpose token that is not good, for whichever reason.
    Invalid = 53,

    /// The password is not the one that was hashed, or the user is not known.
    PasswordMismatch = 60,
    /// The stored hash is not of its format.
    InvalidHash = 61,
    /// The stored hash asks for more work or memory than is allowed.
    ParamsOutOfBounds = 62,
    /// As many hashes run as the memory budget allows; none was begun.
    Busy = 63,

    /// The subject's roles do not allow it.
    PermissionDenied = 80,
    /// The policy's catalogue has no such permission.
    UnknownPermission = 81,
    /// The policy has no such role.
    UnknownRole = 82,
    /// Roles that exclude each other.
    SeparationOfDuty = 83,
    /// As many users have the role as may.
    CardinalityExceeded = 84,

    /// What is stored does not open: another key, another context, or not what was sealed.
    DecryptFailed = 100,

    /// The limit is spent.
    RateLimited = 120,
    /// A store that decisions are made from did not answer.
    StoreUnavailable = 121,

    /// No such session, or one that its store, its address or its user's limit has ended.
    InvalidSession = 140,
    /// The session stands, and its user has to authenticate again before it does.
    StepUpRequired = 141,
    /// The user has as many sessions as may be, and none is evicted for another.
    SessionLimit = 142,
    /// The CSRF token is missing, or not the session's.
    CsrfFailed = 143,
    /// A request that changes something, from a page of another site.
    CrossSite = 144,
    /// The offline revocation set is over its time, or not of its time yet.
    RevocationSetStale = 145,
}

struct Row {
    status: Status,
    name: &'static CStr,
    http: u16,
    message: &'static CStr,
}

const fn row(status: Status, name: &'static CStr, http: u16, message: &'static CStr) -> Row {
    Row { status, name, http, message }
}

const TABLE: [Row; 46] = [
    row(Status::Ok, c"ok", 200, c"success"),
    row(Status::InvalidArgument, c"invalid_argument", 500, c"an argument is not valid"),
    row(Status::BufferTooSmall, c"buffer_too_small", 500, c"the output buffer is too small"),
    row(Status::OutOfMemory, c"out_of_memory", 503, c"not enough memory"),
    row(Status::InternalError, c"internal_error", 500, c"a defect in donjon"),
    row(Status::EntropyUnavailable, c"entropy_unavailable", 503, c"the operating system gave no randomness"),
    row(Status::ConfigError, c"config_error", 500, c"the key, key set or configuration was refused"),
    row(Status::Malformed, c"malformed", 401, c"the input is not of its format"),
    row(Status::TooLarge, c"too_large", 401, c"the input is over its limit"),
    row(Status::Unsupported, c"unsupported", 401, c"the input's format is not supported"),
    row(Status::UnknownKey, c"unknown_key", 401, c"no usable key answers to the input"),
    row(Status::KeyDisabled, c"key_disabled", 401, c"the key is disabled"),
    row(Status::KeyDestroyed, c"key_destroyed", 401, c"the key was destroyed"),
    row(Status::KeyExpired, c"key_expired", 401, c"the key no longer verifies"),
    row(Status::AlgNotAllowed, c"alg_not_allowed", 401, c"the algorithm is not allowed"),
    row(Status::BadSignature, c"bad_signature", 401, c"the signature does not hold"),
    row(Status::UnsupportedCritical, c"unsupported_critical", 401, c"a critical extension is not supported"),
    row(Status::BadClaimType, c"bad_claim_type", 401, c"a claim is of the wrong type"),
    row(Status::MissingClaim, c"missing_claim", 401, c"a required claim is missing"),
    row(Status::Expired, c"expired", 401, c"the token has expired"),
    row(Status::NotYetValid, c"not_yet_valid", 401, c"the token is not valid yet"),
    row(Status::InvalidIssuer, c"invalid_issuer", 401, c"the token is from another issuer"),
    row(Status::InvalidAudience, c"invalid_audience", 401, c"the token is for another audience"),
    row(Status::WrongTokenType, c"wrong_token_type", 401, c"the token is of another type"),
    row(
        Status::ReuseDetected,
        c"reuse_detected",
        401,
        c"a refresh token was used again: its family is to be revoked",
    ),
    row(
        Status::StateStale,
        c"state_stale",
        401,
        c"the stored state is missing or behind the token: log in again",
    ),
    row(Status::Revoked, c"revoked", 401, c"the token was revoked"),
    row(Status::Invalid, c"invalid", 400, c"the token is not good for this"),
    row(Status::PasswordMismatch, c"password_mismatch", 401, c"the password does not match"),
    row(Status::InvalidHash, c"invalid_hash", 500, c"the stored hash is not of its format"),
    row(
        Status::ParamsOutOfBounds,
        c"params_out_of_bounds",
        500,
        c"the stored hash asks for more work or memory than is allowed",
    ),
    row(Status::Busy, c"busy", 503, c"as many hashes run as the memory budget allows"),
    row(Status::PermissionDenied, c"permission_denied", 403, c"the roles do not allow it"),
    row(
        Status::UnknownPermission,
        c"unknown_permission",
        500,
        c"the policy's catalogue has no such permission",
    ),
    row(Status::UnknownRole, c"unknown_role", 500, c"the policy has no such role"),
    row(Status::SeparationOfDuty, c"separation_of_duty", 403, c"the roles exclude each other"),
    row(Status::CardinalityExceeded, c"cardinality_exceeded", 403, c"as many users have the role as may"),
    row(Status::DecryptFailed, c"decrypt_failed", 500, c"the data does not open under this key and context"),
    row(Status::RateLimited, c"rate_limited", 429, c"the limit is spent"),
    row(Status::StoreUnavailable, c"store_unavailable", 503, c"the store did not answer"),
    row(Status::InvalidSession, c"invalid_session", 401, c"the session is not valid"),
    row(Status::StepUpRequired, c"step_up_required", 401, c"the user has to authenticate again"),
    row(Status::SessionLimit, c"session_limit", 409, c"the user has as many sessions as may be"),
    row(
        Status::CsrfFailed,
        c"csrf_failed",
        403,
        c"the request does not show that it comes from the session's own pages",
    ),
    row(Status::CrossSite, c"cross_site", 403, c"the request comes from another site"),
    row(Status::RevocationSetStale, c"revocation_set_stale", 503, c"the revocation set is out of date"),
];

impl Status {
    /// Every status, in the order of its numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.status)
    }

    /// The status with this number, if there is one.
    #[must_use]
    pub fn from_code(code: i32) -> Option<Self> {
        Self::all().find(|status| status.code() == code)
    }

    /// The pinned number.
    #[must_use]
    pub const fn code(self) -> i32 {
        self as i32
    }

    /// The pinned name, such as `bad_signature`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name_c().to_str().unwrap_or_default()
    }

    /// One line for an operator's log. A client is told nothing but the HTTP status.
    #[must_use]
    pub fn message(self) -> &'static str {
        self.message_c().to_str().unwrap_or_default()
    }

    /// What a web service answers: 401 for the client's token, 500 for the service's own mistake.
    #[must_use]
    pub fn http(self) -> u16 {
        self.row().map_or(500, |row| row.http)
    }

    pub(crate) fn name_c(self) -> &'static CStr {
        self.row().map_or(c"unknown_status", |row| row.name)
    }

    pub(crate) fn message_c(self) -> &'static CStr {
        self.row().map_or(c"unknown status", |row| row.message)
    }

    fn row(self) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.status == self)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;

    #[test]
    fn numbers_and_names_are_unique_and_in_order() {
        let codes: Vec<i32> = Status::all().map(Status::code).collect();
        assert!(codes.is_sorted_by(|a, b| a < b));
        assert_eq!(Status::all().map(Status::name).collect::<BTreeSet<_>>().len(), TABLE.len());
        for status in Status::all() {
            assert_eq!(Status::from_code(status.code()), Some(status));
        }
    }
}
