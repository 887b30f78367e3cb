//! When to fetch an identity provider's key set again.

use super::guard;
use super::memory::{Slot, bytes};
use crate::error::Status;
use crate::jwks::{JwksEvent, JwksPolicy, JwksState};

/// The bytes of a key set's state.
pub const DONJON_JWKS_STATE_LEN: usize = 24;

/// A token named a key that the set lacks.
pub const DONJON_JWKS_UNKNOWN_KEY: i32 = 1;
/// The host looks after the set from time to time, or for the first time.
pub const DONJON_JWKS_PERIODIC: i32 = 2;
/// A fetch brought a good set.
pub const DONJON_JWKS_FETCHED: i32 = 3;
/// A fetch failed.
pub const DONJON_JWKS_FAILED: i32 = 4;

/// Whether to fetch.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct donjon_jwks_verdict {
    /// 1: fetch now, having stored state; 0: do not, and store state.
    pub fetch: u8,
    /// Zero.
    pub reserved: [u8; 7],
    /// If not: when asking again may have another answer.
    pub retry_after_ms: i64,
    /// The next state.
    pub state: [u8; DONJON_JWKS_STATE_LEN],
}

/// Decides whether to fetch a key set now, so that tokens with invented key ids make no storm of fetches.
///
/// state: what was stored; state_len 0 at first. event: one of DONJON_JWKS_*.
/// cooldown_ms: the least time between two fetches, doubled by each failure in a row up to 32 times;
///   30,000 is a good choice. max_age_ms: the age at which a set is fetched again; 600,000 is.
///
/// Errors: MALFORMED (state), INVALID_ARGUMENT (event, a time that is not positive).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_jwks_refresh(
    state: *const u8,
    state_len: usize,
    event: i32,
    now_ms: i64,
    cooldown_ms: i64,
    max_age_ms: i64,
    verdict: *mut donjon_jwks_verdict,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (state, slot) = unsafe { (bytes(state, state_len)?, Slot::new(verdict)?) };
        let state = if state.is_empty() { Ok(JwksState::default()) } else { JwksState::from_bytes(state) };
        let event = match event {
            DONJON_JWKS_UNKNOWN_KEY => JwksEvent::UnknownKey,
            DONJON_JWKS_PERIODIC => JwksEvent::Periodic,
            DONJON_JWKS_FETCHED => JwksEvent::Fetched,
            DONJON_JWKS_FAILED => JwksEvent::Failed,
            _ => return Err(Status::InvalidArgument),
        };
        let verdict = state
            .and_then(|state| state.refresh(event, now_ms, JwksPolicy { cooldown_ms, max_age_ms }))
            .map_err(|error| error.status())?;
        slot.put(donjon_jwks_verdict {
            fetch: u8::from(verdict.fetch),
            reserved: [0; 7],
            retry_after_ms: verdict.retry_after_ms,
            state: verdict.state.to_bytes(),
        });
        Ok(())
    })
}
