//! `donjon_purpose_tokens`.

use super::guard;
use super::keyring::donjon_keyring;
use super::memory::{Output, Slot, bytes, free, reference, text};
use crate::error::Status;
use crate::runtime::OsEntropy;
use crate::token::{PurposeName, PurposeTokens, purpose_token_bound};

/// Mints and checks single-purpose tokens (password reset, e-mail verification, invitation), each bound
/// to a state: once that has changed, the token is dead.
pub struct donjon_purpose_tokens(PurposeTokens);

/// Makes the tokens of a keyring, which may be freed afterwards.
///
/// Errors: CONFIG_ERROR (no primary token key that signs, or no primary "state-binding" secret).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_purpose_tokens_new(
    keyring: *const donjon_keyring,
    out: *mut *mut donjon_purpose_tokens,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, out) = unsafe { (reference(keyring)?, Slot::new(out)?) };
        out.put_handle(donjon_purpose_tokens(PurposeTokens::new(&keyring.0)?));
        Ok(())
    })
}

/// The bytes that a purpose token takes at most: the cap that donjon_purpose_tokens_mint wants.
#[unsafe(no_mangle)]
pub extern "C" fn donjon_purpose_tokens_bound(purpose_len: usize, subject_len: usize) -> usize {
    purpose_token_bound(purpose_len, subject_len)
}

/// Mints a token (typ: the purpose and "+jwt") that does one thing for subject as long as state is what it is now.
///
/// purpose: such as "reset", "verify-email", "invite": lower-case letters, digits, hyphens; up to 32.
/// state: what the token may change once: the stored password hash, the address. Up to 4,096 bytes.
/// cap: at least donjon_purpose_tokens_bound(purpose_len, subject_len).
///
/// Errors: INVALID_ARGUMENT (purpose, an empty subject, ttl_s), TOO_LARGE, BUFFER_TOO_SMALL,
/// ENTROPY_UNAVAILABLE.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_purpose_tokens_mint(
    tokens: *const donjon_purpose_tokens,
    purpose: *const u8,
    purpose_len: usize,
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
        let (tokens, purpose, subject, state, out) = unsafe {
            (
                reference(tokens)?,
                text(purpose, purpose_len)?,
                text(subject, subject_len)?,
                bytes(state, state_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        let purpose = PurposeName::new(purpose).ok_or(Status::InvalidArgument)?;
        let out = out.require(purpose_token_bound(purpose_len, subject_len))?;
        let token = tokens.0.mint(&purpose, subject, state, ttl_s, now_s, &mut OsEntropy)?;
        out.write(token.as_bytes())
    })
}

/// Checks a token of this purpose, subject and state. A good one is not used up: replace the old state
/// by compare-and-swap, so that of two uses at once one fails.
///
/// Errors: INVALID, whatever is wrong with the token; INVALID_ARGUMENT (purpose, pointers).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_purpose_tokens_check(
    tokens: *const donjon_purpose_tokens,
    purpose: *const u8,
    purpose_len: usize,
    subject: *const u8,
    subject_len: usize,
    state: *const u8,
    state_len: usize,
    token: *const u8,
    token_len: usize,
    now_s: i64,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (tokens, purpose, subject, state, token) = unsafe {
            (
                reference(tokens)?,
                text(purpose, purpose_len)?,
                text(subject, subject_len)?,
                bytes(state, state_len)?,
                bytes(token, token_len)?,
            )
        };
        let purpose = PurposeName::new(purpose).ok_or(Status::InvalidArgument)?;
        tokens.0.check(&purpose, subject, state, token, now_s)?;
        Ok(())
    })
}

/// Frees the tokens of a keyring.
///
/// # Safety
/// tokens is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_purpose_tokens_free(tokens: *mut donjon_purpose_tokens) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(tokens);
        Ok(())
    });
}
