//! The bare construction.

use super::guard;
use super::memory::{Output, bytes};
use crate::envelope::chunked;
use crate::runtime::OsEntropy;

/// Seals bytes with C2SP chunked-encryption (Cobblestone-256) and nothing around it, for what other
/// implementations are to open. Sealers do the same, and look after keys.
///
/// key: 32 random bytes. context: any bytes, as they are. cap: at least the plaintext's length,
/// 72 bytes, and 16 for each whole 16 KiB.
///
/// Errors: INVALID_ARGUMENT, TOO_LARGE, ENTROPY_UNAVAILABLE, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_chunked_seal(
    key: *const u8,
    key_len: usize,
    context: *const u8,
    context_len: usize,
    plaintext: *const u8,
    plaintext_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (key, context, plaintext, out) = unsafe {
            (
                bytes(key, key_len)?,
                bytes(context, context_len)?,
                bytes(plaintext, plaintext_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        out.fill(chunked::message_len(plaintext.len())?, &[key, context, plaintext], |out| {
            chunked::seal_into(key, context, plaintext, &mut OsEntropy, out)
        })
    })
}

/// Opens what donjon_chunked_seal, or another implementation, sealed.
///
/// cap: at least the plaintext's length, which BUFFER_TOO_SMALL says; the message's is always enough.
///
/// Errors: DECRYPT_FAILED, INVALID_ARGUMENT (key), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_chunked_open(
    key: *const u8,
    key_len: usize,
    context: *const u8,
    context_len: usize,
    message: *const u8,
    message_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (key, context, message, out) = unsafe {
            (
                bytes(key, key_len)?,
                bytes(context, context_len)?,
                bytes(message, message_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        out.fill(chunked::plaintext_len(message.len())?, &[key, context, message], |out| {
            chunked::open_into(key, context, message, out)
        })
    })
}
