//! `donjon_lockout`.

use alloc::string::String;
use alloc::vec::Vec;

use super::guard;
use super::keyring::donjon_keyring;
use super::memory::{Output, Slot, bytes, free, reference, text};
use super::purpose::donjon_purpose_tokens_bound;
use crate::json::{ObjectWriter, list};
use crate::lockout::{Attempt, Counter, Device, Lockout};
use crate::runtime::OsEntropy;

/// Names the counters that an attempt to log in is charged to, and makes device tokens. Never changes.
pub struct donjon_lockout(Lockout);

/// Makes a lock-out from a keyring, which may be freed afterwards: its primary "device" secret names counters;
/// its token keys and "state-binding" secrets make and check device tokens.
///
/// Errors: CONFIG_ERROR (one of them is missing).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_lockout_new(
    keyring: *const donjon_keyring,
    out: *mut *mut donjon_lockout,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, out) = unsafe { (reference(keyring)?, Slot::new(out)?) };
        out.put_handle(donjon_lockout(Lockout::new(&keyring.0)?));
        Ok(())
    })
}

/// The counters that an attempt to log in is charged to, as JSON: the address's and the account's,
/// [{"key":"address:…","on_success":"give_back"},{"key":"account:…","on_success":"forget"}], or, with a good
/// device token, that device's alone.
///
/// Spend 1 of each key, in this order, *before* hashing, of limits that {"lockout":{...}} makes; if one refuses, give back what
/// was spent of the others and do not hash. After a success forget the key, or give back what was spent; after a
/// failure do nothing. Do the same for accounts that do not exist.
///
/// account: as it was typed, in the form in which equal ones are equal; 1 to 1,024 bytes. address: the client's,
///   from donjon_proxies_client: its bucket; empty for none.
/// device: the device token that the client sent; empty for none. subject, state: what it has to be bound to:
///   the account's subject and its stored hash; empty if the account is not known. A token that is not good is
///   as if there were none.
///
/// Errors: INVALID_ARGUMENT (an empty account), TOO_LARGE, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_lockout_counters(
    lockout: *const donjon_lockout,
    account: *const u8,
    account_len: usize,
    address: *const u8,
    address_len: usize,
    subject: *const u8,
    subject_len: usize,
    state: *const u8,
    state_len: usize,
    device: *const u8,
    device_len: usize,
    now_s: i64,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (lockout, account, address, out) = unsafe {
            (
                reference(lockout)?,
                bytes(account, account_len)?,
                bytes(address, address_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        // SAFETY: as above.
        let (subject, state, token) =
            unsafe { (text(subject, subject_len)?, bytes(state, state_len)?, bytes(device, device_len)?) };
        let device = (!token.is_empty()).then_some(Device { token, subject, state });
        let counters = lockout.0.counters(&Attempt { account, address, device }, now_s)?;
        let describe = |counter: &Counter| {
            let mut text = String::new();
            ObjectWriter::open(&mut text)
                .text("key", &counter.key)
                .text("on_success", counter.on_success.name())
                .close();
            text
        };
        out.write(list(&counters.iter().map(describe).collect::<Vec<_>>()).as_bytes())
    })
}

/// Makes a device token (typ: device+jwt), to give to a client after it has logged in: it is good for the
/// account's counter alone, until state, the stored hash, changes. It never logs in.
///
/// cap: at least donjon_purpose_tokens_bound(6, subject_len).
///
/// Errors: INVALID_ARGUMENT (an empty subject, ttl_s, now_s), TOO_LARGE, KEY_EXPIRED, BUFFER_TOO_SMALL,
/// ENTROPY_UNAVAILABLE.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_lockout_device_token(
    lockout: *const donjon_lockout,
    subject: *const u8,
    subject_len: usize,
    state: *const u8,
    state_len: usize,
    ttl_s: i64,
    now_s: i64,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (lockout, subject, state, out) = unsafe {
            (
                reference(lockout)?,
                text(subject, subject_len)?,
                bytes(state, state_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        let out = out.require(donjon_purpose_tokens_bound("device".len(), subject_len))?;
        out.write(lockout.0.device_token(subject, state, ttl_s, now_s, &mut OsEntropy)?.as_bytes())
    })
}

/// Frees a lock-out.
///
/// # Safety
/// lockout is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_lockout_free(lockout: *mut donjon_lockout) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(lockout);
        Ok(())
    });
}
