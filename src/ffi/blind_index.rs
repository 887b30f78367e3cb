//! `donjon_blind_index`.

use super::keyring::donjon_keyring;
use super::memory::{Output, Slot, bytes, free, reference};
use super::{diagnosis, guard};
use crate::envelope::BlindIndex;

/// The index of an encrypted column: keyed hashes of its values, to find equal ones by.
///
/// Whoever reads the table sees which rows have equal values, and how often each is there: do not index a
/// column of few values. Two values that differ share an index value with a probability of 2^-bits, so open
/// what was found, and compare. Bring values into one form (case, blanks, Unicode) before they come here.
pub struct donjon_blind_index(BlindIndex);

/// Makes the index of a column from the "blind-index" secrets of a keyring, which may be freed afterwards.
///
/// tenant: may be empty. Tenant, table and column each have keys of their own; 4,084 bytes together.
/// bits: 8 to 256, of which 32 find one wrong row in a column of four thousand million values.
///
/// Errors: CONFIG_ERROR (no primary; a key that is no secret; two live keys with one "epoch", modulo 256),
/// INVALID_ARGUMENT (bits), TOO_LARGE.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_blind_index_new(
    keyring: *const donjon_keyring,
    tenant: *const u8,
    tenant_len: usize,
    table: *const u8,
    table_len: usize,
    column: *const u8,
    column_len: usize,
    bits: u32,
    out: *mut *mut donjon_blind_index,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, tenant, table, column, out) = unsafe {
            (
                reference(keyring)?,
                bytes(tenant, tenant_len)?,
                bytes(table, table_len)?,
                bytes(column, column_len)?,
                Slot::new(out)?,
            )
        };
        out.put_handle(donjon_blind_index(BlindIndex::new(&keyring.0, tenant, table, column, bits)?));
        Ok(())
    })
}

/// Says why donjon_blind_index_new refuses a keyring or a column: null if it does not, else
/// `{"error":"config_error","path":"","message":"…"}`.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_blind_index_diagnose(
    keyring: *const donjon_keyring,
    tenant: *const u8,
    tenant_len: usize,
    table: *const u8,
    table_len: usize,
    column: *const u8,
    column_len: usize,
    bits: u32,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, tenant, table, column, out) = unsafe {
            (
                reference(keyring)?,
                bytes(tenant, tenant_len)?,
                bytes(table, table_len)?,
                bytes(column, column_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        diagnosis::write(BlindIndex::new(&keyring.0, tenant, table, column, bits), out)
    })
}

/// What to store for a value, beside its ciphertext: 1 + ⌈bits / 8⌉ bytes under the primary key.
///
/// now_s: for the key's end, not negative.
///
/// Errors: KEY_EXPIRED (the primary), INVALID_ARGUMENT, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_blind_index_value(
    index: *const donjon_blind_index,
    now_s: i64,
    value: *const u8,
    value_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (index, value, out) =
            unsafe { (reference(index)?, bytes(value, value_len)?, Output::new(out, cap, out_len)?) };
        out.write(&index.0.value(now_s, value)?)
    })
}

/// What to look for: what donjon_blind_index_value stores, or stored, under each key that may be used now.
/// Of equal length, one after the other, the primary's first. A disabled key's rows are not found.
///
/// now_s: for the keys' ends, not negative.
///
/// Errors: KEY_EXPIRED (the primary), INVALID_ARGUMENT, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_blind_index_candidates(
    index: *const donjon_blind_index,
    now_s: i64,
    value: *const u8,
    value_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (index, value, out) =
            unsafe { (reference(index)?, bytes(value, value_len)?, Output::new(out, cap, out_len)?) };
        out.write(&index.0.candidates(now_s, value)?.concat())
    })
}

/// Frees the index of a column; its keys are wiped.
///
/// # Safety
/// index is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_blind_index_free(index: *mut donjon_blind_index) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(index);
        Ok(())
    });
}
