//! Data keys: sealers of cells.

use super::guard;
use super::memory::{Output, Slot, bytes, reference};
use super::sealer::{DONJON_ENVELOPE_PREFIX_MAX, donjon_sealer};
use crate::runtime::OsEntropy;

/// Makes a data key for a scope (a tenant, a subject, a table): a sealer of cells, and the wrapped key to
/// store once. Where the stored key is deleted, and no backup of it opens, the cells are shredded.
///
/// wrapping: a sealer of a keyring, a KMS or a passphrase. scope: any bytes, at most DONJON_CONTEXT_MAX;
/// the same when it is opened. cap: at least DONJON_ENVELOPE_PREFIX_MAX. data_key: free it with
/// donjon_sealer_free.
///
/// Errors: INVALID_ARGUMENT (wrapping is a data key itself), otherwise as donjon_sealer_seal.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_data_key_new(
    wrapping: *const donjon_sealer,
    scope: *const u8,
    scope_len: usize,
    now_s: i64,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
    data_key: *mut *mut donjon_sealer,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (wrapping, scope, out, data_key) = unsafe {
            (
                reference(wrapping)?,
                bytes(scope, scope_len)?,
                Output::new(out, cap, out_len)?,
                Slot::new(data_key)?,
            )
        };
        let out = out.require(DONJON_ENVELOPE_PREFIX_MAX)?;
        let (made, wrapped) = wrapping.0.new_data_key(scope, now_s, &mut OsEntropy)?;
        out.write(&wrapped)?;
        data_key.put_handle(donjon_sealer(made));
        Ok(())
    })
}

/// Unwraps a stored data key: a sealer of cells.
///
/// data_key: free it with donjon_sealer_free.
///
/// Errors: as donjon_sealer_open; another scope is DECRYPT_FAILED.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_data_key_open(
    wrapping: *const donjon_sealer,
    scope: *const u8,
    scope_len: usize,
    now_s: i64,
    wrapped: *const u8,
    wrapped_len: usize,
    data_key: *mut *mut donjon_sealer,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (wrapping, scope, wrapped, data_key) = unsafe {
            (
                reference(wrapping)?,
                bytes(scope, scope_len)?,
                bytes(wrapped, wrapped_len)?,
                Slot::new(data_key)?,
            )
        };
        data_key.put_handle(donjon_sealer(wrapping.0.open_data_key(scope, now_s, wrapped)?));
        Ok(())
    })
}

/// Wraps a stored data key anew: gives what to store in its place. Its cells stay as they are.
///
/// from: opens it. to: wraps it; a sealer of a keyring, a KMS or a passphrase, often the same handle.
/// cap: at least DONJON_ENVELOPE_PREFIX_MAX.
///
/// Errors: as donjon_data_key_open, for from; as donjon_data_key_new, for to.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_data_key_rewrap(
    from: *const donjon_sealer,
    to: *const donjon_sealer,
    scope: *const u8,
    scope_len: usize,
    now_s: i64,
    wrapped: *const u8,
    wrapped_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (from, to, scope, wrapped, out) = unsafe {
            (
                reference(from)?,
                reference(to)?,
                bytes(scope, scope_len)?,
                bytes(wrapped, wrapped_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        let out = out.require(DONJON_ENVELOPE_PREFIX_MAX)?;
        out.write(&from.0.rewrap_data_key(&to.0, scope, now_s, wrapped, &mut OsEntropy)?)
    })
}
