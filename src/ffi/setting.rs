//! Sealed settings.

use super::guard;
use super::keyring::donjon_keyring;
use super::memory::{Output, bytes, reference, text};
use crate::runtime::OsEntropy;
use crate::settings::Settings;

/// Seals the value of a setting under the keyring's primary "settings" secret: a text of one line that begins
/// with `sealed:`, for an environment or a configuration file. No other setting opens it.
///
/// name: as the setting is called, up to 4,092 bytes. value: UTF-8, up to 64 KiB. now_s: for the key's end,
/// not negative.
/// cap: at least the text's length, which BUFFER_TOO_SMALL says before any work; 512 bytes more than twice
///   the value's are always enough.
///
/// Errors: CONFIG_ERROR (no primary "settings" secret, or a key that is not of 32 bytes), KEY_EXPIRED (the
/// primary), TOO_LARGE, INVALID_ARGUMENT, OUT_OF_MEMORY, ENTROPY_UNAVAILABLE, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_setting_seal(
    keyring: *const donjon_keyring,
    name: *const u8,
    name_len: usize,
    value: *const u8,
    value_len: usize,
    now_s: i64,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, name, value, out) = unsafe {
            (
                reference(keyring)?,
                text(name, name_len)?,
                text(value, value_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        let settings = Settings::new(&keyring.0)?;
        let out = out.require(settings.text_len(value.len())?)?;
        out.write(settings.seal(name, value, now_s, &mut OsEntropy)?.as_bytes())
    })
}

/// The value of a sealed setting.
///
/// cap: at least the value's length, which BUFFER_TOO_SMALL says; sealed_len is always enough.
///
/// Errors: MALFORMED (it does not begin with `sealed:`: it was never sealed); DECRYPT_FAILED (another
/// setting's, or not what was sealed); UNKNOWN_KEY, KEY_DISABLED, KEY_DESTROYED, KEY_EXPIRED (the key that it
/// names; no other is tried); CONFIG_ERROR, as donjon_setting_seal; TOO_LARGE (over 128 KiB; name),
/// INVALID_ARGUMENT, OUT_OF_MEMORY, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_setting_open(
    keyring: *const donjon_keyring,
    name: *const u8,
    name_len: usize,
    sealed: *const u8,
    sealed_len: usize,
    now_s: i64,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, name, sealed, out) = unsafe {
            (
                reference(keyring)?,
                text(name, name_len)?,
                bytes(sealed, sealed_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        out.write(Settings::new(&keyring.0)?.open(name, sealed, now_s)?.as_bytes())
    })
}
