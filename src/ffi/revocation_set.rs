//! `donjon_revocation_set`.

use super::guard;
use super::keyring::donjon_keyring;
use super::memory::{Output, Slot, bytes, free, reference, text};
use super::revocations::time;
use crate::error::Status;
use crate::revocation::{RevocationError, RevocationSet, SetTerms, Suspect, set_bound, sign_set};
use crate::runtime::OsEntropy;

/// An offline revocation set whose signature holds. Never changes.
pub struct donjon_revocation_set(RevocationSet);

/// The bytes of a revocation set at most, made of records of so many bytes; 0 if those are too many.
#[unsafe(no_mangle)]
pub extern "C" fn donjon_revocation_set_bound(records_len: usize) -> usize {
    set_bound(records_len).unwrap_or(0)
}

/// Signs a revocation set with the keyring's primary token key, for those who cannot ask the store.
///
/// sequence: higher than that of every set before.
/// store_since_ms: of the store's marker, read with the records.
/// skew_s: that of the rules of revocation.
/// issued_at_s, valid_until_s: now, and up to 86,400 seconds later; from then on the set refuses every token.
/// records: all revocation records of the store, each behind its length as a big-endian u32. Those that may be
///   forgotten are left out.
/// cap: at least donjon_revocation_set_bound(records_len).
///
/// Errors: CONFIG_ERROR (no primary token key that signs and has an id), KEY_EXPIRED, MALFORMED (one of records is
/// none), TOO_LARGE (over 2 GiB of records, or 65,535 keys), INVALID_ARGUMENT, BUFFER_TOO_SMALL,
/// ENTROPY_UNAVAILABLE, OUT_OF_MEMORY.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_revocation_set_sign(
    keyring: *const donjon_keyring,
    sequence: u64,
    store_since_ms: i64,
    skew_s: i64,
    issued_at_s: i64,
    valid_until_s: i64,
    records: *const u8,
    records_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, records, out) =
            unsafe { (reference(keyring)?, bytes(records, records_len)?, Output::new(out, cap, out_len)?) };
        let out = out.require(set_bound(records_len).ok_or(Status::TooLarge)?)?;
        let terms = SetTerms { sequence, store_since_ms, skew_s, issued_at_s, valid_until_s };
        out.write(&sign_set(&keyring.0, terms, records, &mut OsEntropy)?)
    })
}

/// Opens a revocation set, and keeps a copy of its bytes.
///
/// keyring: with the token key that signed it; it may be freed afterwards.
/// last_sequence: that of the last set that was opened; 0 for none.
///
/// Errors: MALFORMED, UNKNOWN_KEY, KEY_DISABLED, KEY_DESTROYED, KEY_EXPIRED, BAD_SIGNATURE, STATE_STALE (older than
/// the last), REVOCATION_SET_STALE (its time is over, or has not come), OUT_OF_MEMORY.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_revocation_set_open(
    set: *const u8,
    set_len: usize,
    keyring: *const donjon_keyring,
    last_sequence: u64,
    now_s: i64,
    out: *mut *mut donjon_revocation_set,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (set, keyring, out) = unsafe { (bytes(set, set_len)?, reference(keyring)?, Slot::new(out)?) };
        out.put_handle(donjon_revocation_set(RevocationSet::open(set, &keyring.0, last_sequence, now_s)?));
        Ok(())
    })
}

/// Decides about a token that verifies, without a store. DONJON_OK: it was not taken back before the set was
/// signed. What is empty is not looked up.
///
/// issued_at_s: the token's iat, or DONJON_NEVER.
/// is_probable: receives 1, with REVOKED, where the answer rests on a hash that one token in about a million shares
///   with a revoked one: ask the store, where it can be reached. 0: it is certain. Written with DONJON_OK and
///   REVOKED alike.
///
/// Errors: REVOKED, REVOCATION_SET_STALE (refuse, whatever the token), MISSING_CLAIM (no iat).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_revocation_set_check(
    set: *const donjon_revocation_set,
    subject: *const u8,
    subject_len: usize,
    token_id: *const u8,
    token_id_len: usize,
    family: *const u8,
    family_len: usize,
    key_id: *const u8,
    key_id_len: usize,
    issued_at_s: i64,
    now_s: i64,
    is_probable: *mut u8,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (set, suspect, slot) = unsafe {
            let suspect = Suspect {
                subject: text(subject, subject_len)?,
                token_id: text(token_id, token_id_len)?,
                family: text(family, family_len)?,
                key_id: text(key_id, key_id_len)?,
                issued_at_s: time(issued_at_s),
            };
            (reference(set)?, suspect, Slot::new(is_probable)?)
        };
        let verdict = set.0.check(&suspect, now_s);
        if matches!(verdict.outcome, Ok(()) | Err(RevocationError::Revoked)) {
            slot.put(verdict.is_probable.into());
        }
        Ok(verdict.outcome?)
    })
}

/// What a revocation set says of itself, as JSON: {"sequence","issued_at_s","valid_until_s","store_since_s","ids",
/// "subjects","keys","bytes","false_positive_rate"}: ids are tokens and families; the rate is that of one look-up
/// of a token or a family that is not among them.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_revocation_set_info(
    set: *const donjon_revocation_set,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (set, out) = unsafe { (reference(set)?, Output::new(out, cap, out_len)?) };
        out.write(set.0.info_json().as_bytes())
    })
}

/// Frees a revocation set.
///
/// # Safety
/// set is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_revocation_set_free(set: *mut donjon_revocation_set) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(set);
        Ok(())
    });
}
