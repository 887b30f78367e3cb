//! `donjon_fernet`.

use super::guard;
use super::memory::{Output, Slot, bytes, free, reference};
use crate::fernet::{Fernet, derive_key, generate_key, plaintext_bound, token_len};
use crate::runtime::OsEntropy;

/// The characters of a Fernet key.
pub const DONJON_FERNET_KEY_LEN: usize = 44;

/// "However old the token is", for donjon_fernet_decrypt.
pub const DONJON_NO_TTL: i64 = -1;

/// Fernet keys (github.com/fernet/spec): for what Python's cryptography.fernet wrote, and for as long as a
/// migration has to write it. Seal what is new with a donjon_sealer: a Fernet token opens wherever it is
/// moved to.
///
/// Whatever is wrong with a token is DECRYPT_FAILED; its HMAC is checked before its time and its padding.
/// Keys and tokens are read strictly: canonical, padded base64url, and nothing around it.
pub struct donjon_fernet(Fernet);

/// Reads keys: one of DONJON_FERNET_KEY_LEN characters, or several separated by commas, at most 64. The first
/// makes tokens, all of them read.
///
/// Errors: CONFIG_ERROR.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_fernet_new(
    keys: *const u8,
    keys_len: usize,
    out: *mut *mut donjon_fernet,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keys, out) = unsafe { (bytes(keys, keys_len)?, Slot::new(out)?) };
        out.put_handle(donjon_fernet(Fernet::new(keys)?));
        Ok(())
    })
}

/// The characters of the token of so many bytes, just as donjon_fernet_encrypt writes it. SIZE_MAX if there
/// is no such token.
#[unsafe(no_mangle)]
pub extern "C" fn donjon_fernet_token_len(plaintext_len: usize) -> usize {
    token_len(plaintext_len)
}

/// Makes a token, under the first key.
///
/// now_s: stands in the token, for anyone to read; not negative.
/// cap: at least donjon_fernet_token_len(plaintext_len).
///
/// Errors: INVALID_ARGUMENT, OUT_OF_MEMORY, ENTROPY_UNAVAILABLE, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_fernet_encrypt(
    fernet: *const donjon_fernet,
    now_s: i64,
    plaintext: *const u8,
    plaintext_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (fernet, plaintext, out) = unsafe {
            (reference(fernet)?, bytes(plaintext, plaintext_len)?, Output::new(out, cap, out_len)?)
        };
        let out = out.require(token_len(plaintext.len()))?;
        out.write(fernet.0.encrypt(now_s, plaintext, &mut OsEntropy)?.as_bytes())
    })
}

/// The plaintext of a token that one of the keys made.
///
/// ttl_s: the token was made at most so long ago, and no more than 60 s from now; DONJON_NO_TTL for a token
///   of any time. No other negative number, and now_s neither.
/// cap: at least the longest plaintext that so many characters may hold, which BUFFER_TOO_SMALL says before
///   any work; token_len is always enough.
///
/// Errors: DECRYPT_FAILED, INVALID_ARGUMENT, OUT_OF_MEMORY, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_fernet_decrypt(
    fernet: *const donjon_fernet,
    now_s: i64,
    ttl_s: i64,
    token: *const u8,
    token_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (fernet, token, out) =
            unsafe { (reference(fernet)?, bytes(token, token_len)?, Output::new(out, cap, out_len)?) };
        let out = out.require(plaintext_bound(token.len()))?;
        let ttl_s = Some(ttl_s).filter(|&ttl_s| ttl_s != DONJON_NO_TTL);
        out.write(&fernet.0.decrypt(now_s, ttl_s, token)?)
    })
}

/// The same plaintext and time under the first key, whichever of the keys made the token.
///
/// cap: at least token_len; the new token is just as long.
///
/// Errors: DECRYPT_FAILED, OUT_OF_MEMORY, ENTROPY_UNAVAILABLE, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_fernet_rotate(
    fernet: *const donjon_fernet,
    token: *const u8,
    token_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (fernet, token, out) =
            unsafe { (reference(fernet)?, bytes(token, token_len)?, Output::new(out, cap, out_len)?) };
        let out = out.require(token.len())?;
        out.write(fernet.0.rotate(token, &mut OsEntropy)?.as_bytes())
    })
}

/// When a token was made, if one of the keys made it: Unix seconds, INT64_MAX for what is beyond them.
///
/// Errors: DECRYPT_FAILED, OUT_OF_MEMORY.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_fernet_timestamp(
    fernet: *const donjon_fernet,
    token: *const u8,
    token_len: usize,
    out: *mut i64,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (fernet, token, out) = unsafe { (reference(fernet)?, bytes(token, token_len)?, Slot::new(out)?) };
        out.put(fernet.0.timestamp(token)?);
        Ok(())
    })
}

/// SECRET: a fresh key.
///
/// cap: at least DONJON_FERNET_KEY_LEN.
///
/// Errors: ENTROPY_UNAVAILABLE, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_fernet_generate_key(out: *mut u8, cap: usize, out_len: *mut usize) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let out = unsafe { Output::new(out, cap, out_len) }?.require(DONJON_FERNET_KEY_LEN)?;
        out.write(generate_key(&mut OsEntropy)?.as_bytes())
    })
}

/// SECRET: the key of a password, by PBKDF2 with HMAC-SHA-256, as services derive it with
/// cryptography's PBKDF2HMAC. 100,000 iterations take some tens of milliseconds.
///
/// salt: the one that the data was written with. Where it was random and stored nowhere, the data is lost.
/// iterations: 1 to 10,000,000. password, salt: up to 4,096 bytes each.
/// cap: at least DONJON_FERNET_KEY_LEN.
///
/// Errors: PARAMS_OUT_OF_BOUNDS (iterations, before any work), TOO_LARGE, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_fernet_derive_key(
    password: *const u8,
    password_len: usize,
    salt: *const u8,
    salt_len: usize,
    iterations: u32,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (password, salt, out) = unsafe {
            (bytes(password, password_len)?, bytes(salt, salt_len)?, Output::new(out, cap, out_len)?)
        };
        let out = out.require(DONJON_FERNET_KEY_LEN)?;
        out.write(derive_key(password, salt, iterations)?.as_bytes())
    })
}

/// Frees Fernet keys; they are wiped.
///
/// # Safety
/// fernet is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_fernet_free(fernet: *mut donjon_fernet) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(fernet);
        Ok(())
    });
}
