//! Status codes and the version.

use core::ffi::c_char;

use crate::error::Status;

/// The version of the ABI: changes only when a program built against it would break. The soname
/// carries it.
pub const DONJON_ABI_VERSION: u32 = 1;

/// "No such time", wherever a time is optional.
pub const DONJON_NEVER: i64 = i64::MIN;

/// The call did what it says.
pub const DONJON_OK: i32 = 0;
/// An argument that no correct caller passes: NULL with a length, an enum out of range.
pub const DONJON_INVALID_ARGUMENT: i32 = 1;
/// The output buffer is too small; *out_len has the length needed.
pub const DONJON_BUFFER_TOO_SMALL: i32 = 2;
/// Memory that the input asked for could not be had.
pub const DONJON_OUT_OF_MEMORY: i32 = 3;
/// A defect in donjon; nothing was decided.
pub const DONJON_INTERNAL_ERROR: i32 = 4;
/// The operating system gave no randomness; nothing was made.
pub const DONJON_ENTROPY_UNAVAILABLE: i32 = 5;
/// A key, a key set or a configuration was refused when it was loaded.
pub const DONJON_CONFIG_ERROR: i32 = 6;
/// The input is not of its format.
pub const DONJON_MALFORMED: i32 = 7;
/// The input is over its limit.
pub const DONJON_TOO_LARGE: i32 = 8;
/// A format that is deliberately not read: JWE, compressed or JSON-serialised tokens.
pub const DONJON_UNSUPPORTED: i32 = 9;
/// No usable key answers to the token.
pub const DONJON_UNKNOWN_KEY: i32 = 20;
/// The key is there, and an operator disabled it.
pub const DONJON_KEY_DISABLED: i32 = 21;
/// The key was destroyed; only its id is left.
pub const DONJON_KEY_DESTROYED: i32 = 22;
/// The key verified until a time that has passed.
pub const DONJON_KEY_EXPIRED: i32 = 23;
/// The algorithm is not on the list, or not the key's.
pub const DONJON_ALG_NOT_ALLOWED: i32 = 40;
/// The signature does not hold.
pub const DONJON_BAD_SIGNATURE: i32 = 41;
/// The token demands an extension that is not understood.
pub const DONJON_UNSUPPORTED_CRITICAL: i32 = 42;
/// A claim is of the wrong JSON type or out of range.
pub const DONJON_BAD_CLAIM_TYPE: i32 = 43;
/// A required claim is missing.
pub const DONJON_MISSING_CLAIM: i32 = 44;
/// The token's time is over.
pub const DONJON_EXPIRED: i32 = 45;
/// The token's time has not come.
pub const DONJON_NOT_YET_VALID: i32 = 46;
/// Another issuer.
pub const DONJON_INVALID_ISSUER: i32 = 47;
/// Another audience.
pub const DONJON_INVALID_AUDIENCE: i32 = 48;
/// A token of another type: refresh for access, reset for refresh.
pub const DONJON_WRONG_TOKEN_TYPE: i32 = 49;
/// A refresh token was used again after its time: its family is to be revoked.
pub const DONJON_REUSE_DETECTED: i32 = 50;
/// The stored state is behind the token, or gone: log in again.
pub const DONJON_STATE_STALE: i32 = 51;
/// The token, its family, its key or all tokens of its subject were revoked.
pub const DONJON_REVOKED: i32 = 52;
/// A single-purpose token that is not good, for whichever reason.
pub const DONJON_INVALID: i32 = 53;
/// The password is not the one that was hashed, or the user is not known.
pub const DONJON_PASSWORD_MISMATCH: i32 = 60;
/// The stored hash is not of its format.
pub const DONJON_INVALID_HASH: i32 = 61;
/// The stored hash asks for more work or memory than is allowed.
pub const DONJON_PARAMS_OUT_OF_BOUNDS: i32 = 62;
/// As many hashes run as the memory budget allows; none was begun.
pub const DONJON_BUSY: i32 = 63;
/// The subject's roles do not allow it.
pub const DONJON_PERMISSION_DENIED: i32 = 80;
/// The policy's catalogue has no such permission.
pub const DONJON_UNKNOWN_PERMISSION: i32 = 81;
/// The policy has no such role.
pub const DONJON_UNKNOWN_ROLE: i32 = 82;
/// Roles that exclude each other.
pub const DONJON_SEPARATION_OF_DUTY: i32 = 83;
/// As many users have the role as may.
pub const DONJON_CARDINALITY_EXCEEDED: i32 = 84;
/// What is stored does not open: another key, another context, or not what was sealed.
pub const DONJON_DECRYPT_FAILED: i32 = 100;
/// rate_limited: the limit is spent.
pub const DONJON_RATE_LIMITED: i32 = 120;
/// store_unavailable: the store did not answer. Never a function's of this library: hosts answer it whose
/// store is down.
pub const DONJON_STORE_UNAVAILABLE: i32 = 121;
/// No such session, or one that its store, its address or its user's limit has ended.
pub const DONJON_INVALID_SESSION: i32 = 140;
/// The session stands, and its user has to authenticate again before it does.
pub const DONJON_STEP_UP_REQUIRED: i32 = 141;
/// The user has as many sessions as may be, and none is evicted for another.
pub const DONJON_SESSION_LIMIT: i32 = 142;
/// The CSRF token is missing, or not the session's.
pub const DONJON_CSRF_FAILED: i32 = 143;
/// A request that changes something, from a page of another site.
pub const DONJON_CROSS_SITE: i32 = 144;
/// The offline revocation set is over its time, or not of its time yet.
pub const DONJON_REVOCATION_SET_STALE: i32 = 145;

/// The version of the ABI that this library has; compare it with DONJON_ABI_VERSION on load.
#[unsafe(no_mangle)]
pub extern "C" fn donjon_abi_version() -> u32 {
    DONJON_ABI_VERSION
}

/// The version of the library, such as "0.1.0". Static.
#[unsafe(no_mangle)]
pub extern "C" fn donjon_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The pinned name of a status, such as "bad_signature"; "unknown_status" for any other number. Static.
#[unsafe(no_mangle)]
pub extern "C" fn donjon_status_str(status: i32) -> *const c_char {
    Status::from_code(status).map_or(c"unknown_status", Status::name_c).as_ptr()
}

/// One line about a status for the operator's log; a client is told nothing but the HTTP status. Static.
#[unsafe(no_mangle)]
pub extern "C" fn donjon_status_message(status: i32) -> *const c_char {
    Status::from_code(status).map_or(c"unknown status", Status::message_c).as_ptr()
}

/// What a web service answers to a request that ended in this status: 401 for the client's token, 500
/// for the service's own mistake and for unknown numbers.
#[unsafe(no_mangle)]
pub extern "C" fn donjon_status_http(status: i32) -> i32 {
    Status::from_code(status).map_or(500, Status::http).into()
}
