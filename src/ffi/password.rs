//! Judging passwords: `donjon_password_*`.

use super::guard;
use super::memory::{Output, Slot, bytes, text};
use crate::error::Status;
use crate::password::{Password, Profile, Strength, UserInputs, breach, estimate};

/// Judges a new password: {"valid":false,"score":0.8333333333333334,"checks":{"length":true,
/// "uppercase":true,"lowercase":true,"digits":true,"special":true,"common":false},"feedback":["..."]}.
/// The score is the share of the checks that passed.
///
/// profile: empty or "composition": 12 characters, upper and lower case, a digit, one of
///   !@#$%^&*()_+-=[]{}|;:,.<>?, not common. "nist-800-63b-4": 15 characters, not common.
///   "nist-800-63b-4-mfa", for a password beside another factor: 8 characters, not common.
/// user_inputs: a JSON list of what the user is called (name, address), which the password should not be
///   made of; empty for none. Up to 16 texts of up to 256 bytes.
///
/// Errors: INVALID_ARGUMENT (profile), TOO_LARGE (password, user_inputs), MALFORMED (the password is not
/// UTF-8, user_inputs), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_password_strength(
    profile: *const u8,
    profile_len: usize,
    password: *const u8,
    password_len: usize,
    user_inputs: *const u8,
    user_inputs_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (profile, password, user_inputs, out) = unsafe {
            (
                text(profile, profile_len)?,
                bytes(password, password_len)?,
                bytes(user_inputs, user_inputs_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        let profile = Profile::from_name(profile).ok_or(Status::InvalidArgument)?;
        let inputs = UserInputs::from_json(user_inputs)?;
        let strength = Strength::of(profile, Password::new(password)?, &inputs)?;
        out.write(strength.to_json().as_bytes())
    })
}

/// zxcvbn's estimate of how many guesses a password takes: {"score":2,"guesses_log10":7.2,
/// "feedback":{"warning":"..." or null,"suggestions":["..."]}}, the score from 0 to 4. Only the first 100
/// characters are looked at, fewer of a text full of symbols that may stand for letters. Takes up to
/// some tenths of a second.
///
/// user_inputs: as donjon_password_strength.
///
/// Errors: UNSUPPORTED (the library was built without zxcvbn), TOO_LARGE, MALFORMED, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_password_estimate(
    password: *const u8,
    password_len: usize,
    user_inputs: *const u8,
    user_inputs_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (password, user_inputs, out) = unsafe {
            (
                bytes(password, password_len)?,
                bytes(user_inputs, user_inputs_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        let inputs = UserInputs::from_json(user_inputs)?;
        let estimate: Result<_, Status> = estimate(Password::new(password)?, &inputs).map_err(Into::into);
        out.write(estimate?.as_bytes())
    })
}

/// Which range of breached passwords to fetch: the first five hexadecimal digits, in upper case, of the
/// password's SHA-1. Only they leave the host.
///
/// Errors: TOO_LARGE, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_password_breach_prefix(
    password: *const u8,
    password_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (password, out) = unsafe { (bytes(password, password_len)?, Output::new(out, cap, out_len)?) };
        out.write(&breach::prefix(Password::new(password)?))
    })
}

/// How often the password was seen in breaches, by the range that was fetched; 0 if it is not in it.
///
/// range: lines of 35 hexadecimal digits, a colon and a count, up to 1 MiB.
///
/// Errors: TOO_LARGE, MALFORMED (anything else in range, or nothing: an error page is no all-clear).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_password_breach_count(
    password: *const u8,
    password_len: usize,
    range: *const u8,
    range_len: usize,
    out: *mut u64,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (password, range, out) =
            unsafe { (bytes(password, password_len)?, bytes(range, range_len)?, Slot::new(out)?) };
        out.put(breach::count(Password::new(password)?, range)?);
        Ok(())
    })
}
