//! Revocation: the decision over what the host's store says.

use super::guard;
use super::memory::reference;
use super::status::DONJON_NEVER;
use crate::revocation::RevocationFacts;

/// What the host's store says about one token.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct donjon_revocation_facts {
    /// The token's iat, or DONJON_NEVER.
    pub issued_at_s: i64,
    /// The subject's last "log out everywhere", or DONJON_NEVER. To log out everywhere, store
    /// max(now, the last one + 1): the second of two in one second also puts out who came in between.
    pub subject_since_s: i64,
    /// When the store's marker was written; DONJON_NEVER if it is gone, which refuses every token.
    pub store_since_s: i64,
    /// How far apart the clocks may be: 0 to 300. Issuers stamp for 2; with more, a log-in right after a
    /// "log out everywhere" is refused for that long.
    pub skew_s: i64,
    /// Not 0: the token's jti is listed.
    pub token_revoked: u8,
    /// Not 0: its family is revoked.
    pub family_revoked: u8,
    /// Not 0: the key that signed it is listed.
    pub key_revoked: u8,
    /// Zero.
    pub reserved: [u8; 5],
}

/// Decides whether a token that verifies was taken back since. DONJON_OK: it was not.
///
/// Errors: REVOKED, MISSING_CLAIM (no iat), INVALID_ARGUMENT (skew_s).
///
/// # Safety
/// The pointer is as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_revocation_check(facts: *const donjon_revocation_facts) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointer, as the contract says.
        let facts = unsafe { reference(facts) }?;
        let time = |time_s: i64| Some(time_s).filter(|&time_s| time_s != DONJON_NEVER);
        RevocationFacts {
            issued_at_s: time(facts.issued_at_s),
            subject_since_s: time(facts.subject_since_s),
            store_since_s: time(facts.store_since_s),
            skew_s: facts.skew_s,
            is_token_revoked: facts.token_revoked != 0,
            is_family_revoked: facts.family_revoked != 0,
            is_key_revoked: facts.key_revoked != 0,
        }
        .check()?;
        Ok(())
    })
}
