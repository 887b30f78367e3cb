//! Refresh families: pure decisions over 32 bytes that the host stores.

use super::guard;
use super::memory::{Output, Slot, bytes, text};
use crate::error::Status;
use crate::runtime::OsEntropy;
use crate::token::refresh::{RefreshState, RefreshVerdict};

/// The bytes of a family's state.
pub const DONJON_REFRESH_STATE_LEN: usize = 32;

/// What a refresh token that was presented leads to.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct donjon_refresh_verdict {
    /// DONJON_OK: mint the token of state. DONJON_REUSE_DETECTED: store state, which revokes the family,
    /// and refuse. DONJON_REVOKED, DONJON_STATE_STALE: refuse; state is all zero.
    pub status: i32,
    /// 1: state must first replace the stored one, by compare-and-swap; where that fails, read again and
    /// ask again. 0: it is what is stored.
    pub changed: u8,
    /// Zero.
    pub reserved: [u8; 3],
    /// The next state.
    pub state: [u8; DONJON_REFRESH_STATE_LEN],
}

impl From<RefreshVerdict> for donjon_refresh_verdict {
    fn from(verdict: RefreshVerdict) -> Self {
        let (state, changed) = match verdict {
            RefreshVerdict::Rotate(state) | RefreshVerdict::ReuseDetected(state) => (state.to_bytes(), 1),
            RefreshVerdict::Repeat(state) => (state.to_bytes(), 0),
            RefreshVerdict::Revoked | RefreshVerdict::StateStale => ([0; DONJON_REFRESH_STATE_LEN], 0),
        };
        Self { status: verdict.status().code(), changed, reserved: [0; 3], state }
    }
}

/// Begins a family: mint its first token with donjon_issuer_refresh.
///
/// state: receives DONJON_REFRESH_STATE_LEN bytes.
///
/// Errors: ENTROPY_UNAVAILABLE.
///
/// # Safety
/// state points to DONJON_REFRESH_STATE_LEN writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_refresh_begin(now_ms: i64, state: *mut u8) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointer, as the contract says.
        let slot = unsafe { Slot::new(state.cast::<[u8; DONJON_REFRESH_STATE_LEN]>()) }?;
        let begun = RefreshState::begin(now_ms, &mut OsEntropy).map_err(|_| Status::EntropyUnavailable)?;
        slot.put(begun.to_bytes());
        Ok(())
    })
}

/// The family's id as its tokens carry it, in 22 characters: the key to store the state under.
///
/// Errors: MALFORMED (state), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_refresh_family(
    state: *const u8,
    state_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (state, out) = unsafe { (bytes(state, state_len)?, Output::new(out, cap, out_len)?) };
        out.write(RefreshState::from_bytes(state)?.family_text().as_bytes())
    })
}

/// Decides about a refresh token that was verified.
///
/// state: what the store has for the family; state_len 0 if nothing, which is STATE_STALE.
/// family, generation: from the token's donjon_claims.
/// grace_ms: how long after a rotation the token before it still leads to the same successor; 0 to
///   300,000, and 10,000 is a good choice.
///
/// The decision is in *verdict. Errors: MALFORMED (state), INVALID_ARGUMENT (generation, grace_ms).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_refresh_rotate(
    state: *const u8,
    state_len: usize,
    family: *const u8,
    family_len: usize,
    generation: i64,
    now_ms: i64,
    grace_ms: i64,
    verdict: *mut donjon_refresh_verdict,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (state, family, slot) =
            unsafe { (bytes(state, state_len)?, text(family, family_len)?, Slot::new(verdict)?) };
        let stored = if state.is_empty() { None } else { Some(RefreshState::from_bytes(state)?) };
        let generation = u32::try_from(generation).map_err(|_| Status::InvalidArgument)?;
        slot.put(RefreshState::rotate(stored.as_ref(), family, generation, now_ms, grace_ms)?.into());
        Ok(())
    })
}

/// The state from which no token of the family is minted any more: what a log-out stores.
///
/// out: receives DONJON_REFRESH_STATE_LEN bytes.
///
/// Errors: MALFORMED (state).
///
/// # Safety
/// The pointers are as the contract says; out points to DONJON_REFRESH_STATE_LEN writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_refresh_revoke(state: *const u8, state_len: usize, out: *mut u8) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (state, slot) =
            unsafe { (bytes(state, state_len)?, Slot::new(out.cast::<[u8; DONJON_REFRESH_STATE_LEN]>())?) };
        slot.put(RefreshState::from_bytes(state)?.revoked().to_bytes());
        Ok(())
    })
}
