//! `donjon_revocations`.

use super::keyring::donjon_keyring;
use super::memory::{Output, Slot, bytes, free, reference, text};
use super::status::DONJON_NEVER;
use super::{diagnosis, guard};
use crate::error::Status;
use crate::json::text_list;
use crate::revocation::{Revocable, Revocations, Suspect};

/// A token, by its jti.
pub const DONJON_REVOKED_TOKEN: u32 = 1;
/// A refresh family, with the access tokens that carry its id.
pub const DONJON_REVOKED_FAMILY: u32 = 2;
/// All tokens of a subject that were issued until now: "log out everywhere".
pub const DONJON_REVOKED_SUBJECT: u32 = 3;
/// All tokens that a key signed.
pub const DONJON_REVOKED_KEY: u32 = 4;

/// Names revocation records in a store, and decides by what is found there. Never changes.
pub struct donjon_revocations(Revocations);

/// Makes the rules of revocation from a keyring, which may be freed afterwards: "device" secrets name users in
/// the store.
///
/// config: empty, or {"skew_s":2,"longest_ttl_s":2592000}: how far apart the clocks of issuers may be (0 to 300),
///   and how long the longest token lives (up to 100 years). Either may be left out.
///
/// Errors: CONFIG_ERROR (no primary "device" secret; config).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_revocations_new(
    keyring: *const donjon_keyring,
    config: *const u8,
    config_len: usize,
    out: *mut *mut donjon_revocations,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, config, out) =
            unsafe { (reference(keyring)?, bytes(config, config_len)?, Slot::new(out)?) };
        out.put_handle(donjon_revocations(Revocations::new(&keyring.0, config)?));
        Ok(())
    })
}

/// Says why donjon_revocations_new refuses a configuration: null if it does not, else
/// {"error":"config_error","path":"","message":"a member is not known"}.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_revocations_diagnose(
    keyring: *const donjon_keyring,
    config: *const u8,
    config_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, config, out) =
            unsafe { (reference(keyring)?, bytes(config, config_len)?, Output::new(out, cap, out_len)?) };
        diagnosis::write(Revocations::new(&keyring.0, config), out)
    })
}

/// What to read for a token that verifies, as a JSON list of keys: of its subject, its id and its family, each
/// under every usable "device" secret, the primary's first; and of the key that signed it. What is empty is not
/// asked for. The store's marker has a key of its own, "epoch": see donjon_store_marker.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_revocations_keys(
    revocations: *const donjon_revocations,
    subject: *const u8,
    subject_len: usize,
    token_id: *const u8,
    token_id_len: usize,
    family: *const u8,
    family_len: usize,
    key_id: *const u8,
    key_id_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (revocations, suspect, out) = unsafe {
            let suspect = Suspect {
                subject: text(subject, subject_len)?,
                token_id: text(token_id, token_id_len)?,
                family: text(family, family_len)?,
                key_id: text(key_id, key_id_len)?,
                issued_at_s: None,
            };
            (reference(revocations)?, suspect, Output::new(out, cap, out_len)?)
        };
        let keys = revocations.0.keys(&suspect);
        out.write(text_list(keys.iter().map(AsRef::as_ref)).as_bytes())
    })
}

/// Decides about a token that verifies by what the store has. DONJON_OK: it was not taken back.
///
/// subject, token_id, family, key_id: as donjon_revocations_keys was given them.
/// issued_at_s: the token's iat, or DONJON_NEVER.
/// values: what was found under each of those keys, in their order: its length as a big-endian u32, then its
///   bytes; length 0 for nothing. What is damaged counts as revoked.
/// store_since_ms: from donjon_store_marker.
///
/// Errors: REVOKED, MISSING_CLAIM (no iat), INVALID_ARGUMENT (values that are not as many as the keys;
/// store_since_ms).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_revocations_check(
    revocations: *const donjon_revocations,
    subject: *const u8,
    subject_len: usize,
    token_id: *const u8,
    token_id_len: usize,
    family: *const u8,
    family_len: usize,
    key_id: *const u8,
    key_id_len: usize,
    issued_at_s: i64,
    values: *const u8,
    values_len: usize,
    store_since_ms: i64,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (revocations, suspect, values) = unsafe {
            let suspect = Suspect {
                subject: text(subject, subject_len)?,
                token_id: text(token_id, token_id_len)?,
                family: text(family, family_len)?,
                key_id: text(key_id, key_id_len)?,
                issued_at_s: time(issued_at_s),
            };
            (reference(revocations)?, suspect, bytes(values, values_len)?)
        };
        Ok(revocations.0.check(&suspect, values, store_since_ms)?)
    })
}

/// What donjon_issuer_access and donjon_issuer_refresh have to be told as since_s, so that a new token of the
/// subject lives; DONJON_NEVER for nothing.
///
/// values: as for donjon_revocations_check, of the keys of the subject alone.
///
/// Errors: REVOKED (a record is damaged, and no token would live until the subject is revoked again),
/// INVALID_ARGUMENT (values that are not as many as the keys; store_since_ms).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_revocations_issue_since(
    revocations: *const donjon_revocations,
    subject: *const u8,
    subject_len: usize,
    values: *const u8,
    values_len: usize,
    store_since_ms: i64,
    since_s: *mut i64,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (revocations, subject, values, slot) = unsafe {
            (
                reference(revocations)?,
                text(subject, subject_len)?,
                bytes(values, values_len)?,
                Slot::new(since_s)?,
            )
        };
        let since_s = revocations.0.issue_since(subject, values, store_since_ms)?;
        slot.put(since_s.unwrap_or(DONJON_NEVER));
        Ok(())
    })
}

/// The key that a revocation is written under.
///
/// kind: DONJON_REVOKED_*.
/// subject: whose token or family it is, or who is logged out everywhere; of a key it is of no matter.
/// id: the jti, the family or the key's id, of 1 to 1,024 bytes; of a subject it is of no matter.
///
/// Errors: INVALID_ARGUMENT (kind, id, an empty subject that is logged out), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_revocations_key(
    revocations: *const donjon_revocations,
    kind: u32,
    subject: *const u8,
    subject_len: usize,
    id: *const u8,
    id_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (revocations, subject, id, out) = unsafe {
            (
                reference(revocations)?,
                text(subject, subject_len)?,
                text(id, id_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        out.write(revocations.0.key(revocable(kind, subject, id)?)?.as_bytes())
    })
}

/// The record that a revocation is, to be written over what is stored by compare-and-set; where that fails, read
/// again and ask again.
///
/// kind, subject, id: as for donjon_revocations_key.
/// stored: what is there now; empty for nothing.
/// until_s: when the token, the last token of the family, or the key ends anyway; DONJON_NEVER: as long from now
///   as the longest token lives. Of a subject it is of no matter: all its tokens die that were issued until now,
///   and the second of two such revocations in one second takes those with it that came in between.
/// store_since_ms: from donjon_store_marker, of the read that stored is from; only for a subject.
/// keep_ms: receives how long the store has to keep the record.
///
/// Errors: INVALID_ARGUMENT (as donjon_revocations_key; store_since_ms), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_revocations_revoke(
    revocations: *const donjon_revocations,
    kind: u32,
    subject: *const u8,
    subject_len: usize,
    id: *const u8,
    id_len: usize,
    stored: *const u8,
    stored_len: usize,
    until_s: i64,
    now_ms: i64,
    store_since_ms: i64,
    keep_ms: *mut i64,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (revocations, subject, id, stored) = unsafe {
            (
                reference(revocations)?,
                text(subject, subject_len)?,
                text(id, id_len)?,
                bytes(stored, stored_len)?,
            )
        };
        // SAFETY: as above.
        let (slot, out) = unsafe { (Slot::new(keep_ms)?, Output::new(out, cap, out_len)?) };
        let what = revocable(kind, subject, id)?;
        let written = revocations.0.revoke(what, stored, time(until_s), now_ms, store_since_ms)?;
        out.write(&written.value)?;
        slot.put(written.keep_ms);
        Ok(())
    })
}

/// Frees the rules of revocation.
///
/// # Safety
/// revocations is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_revocations_free(revocations: *mut donjon_revocations) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(revocations);
        Ok(())
    });
}

fn revocable<'a>(kind: u32, subject: &'a str, id: &'a str) -> Result<Revocable<'a>, Status> {
    match kind {
        DONJON_REVOKED_TOKEN => Ok(Revocable::Token { subject, token_id: id }),
        DONJON_REVOKED_FAMILY => Ok(Revocable::Family { subject, family: id }),
        DONJON_REVOKED_SUBJECT => Ok(Revocable::Subject(subject)),
        DONJON_REVOKED_KEY => Ok(Revocable::Key(id)),
        _ => Err(Status::InvalidArgument),
    }
}

/// A time that may be none.
pub(super) fn time(time_s: i64) -> Option<i64> {
    Some(time_s).filter(|&time_s| time_s != DONJON_NEVER)
}
