//! Whether data was erased.

use super::guard;
use super::keyring::donjon_keyring;
use super::memory::{Output, bytes, reference};
use super::policy::Texts;
use super::status::DONJON_NEVER;
use crate::envelope::Erasure;
use crate::keyring::MAX_KEYS;

/// Judges whether what was sealed under a data key is gone for good, once its wrapped form was deleted where
/// it was stored. A backup still has that, so the keys that wrapped it must be destroyed (what lives on
/// re-wrapped first), or the backups gone:
/// {"erased":true,"by":"keys_destroyed","alive":[],"backups_expire_s":null}. "by" is "keys_destroyed",
/// "backups_expired" or null; "alive" the keys that are not destroyed.
///
/// The answer is about this keyring: a copy of it from before a key was destroyed still opens.
///
/// key_ids: a JSON list of the ids of every key that ever wrapped the data key. backups_expire_s: from when on
///   no backup has a wrapped form, or DONJON_NEVER if that is never or not known.
///
/// Errors: UNKNOWN_KEY (no "envelope" key of the keyring); CONFIG_ERROR (a derived key, which cannot be
/// destroyed, and no end of the backups); INVALID_ARGUMENT (no ids, a negative time); MALFORMED (not a list of
/// strings), TOO_LARGE (over 512 of them), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_erasure(
    keyring: *const donjon_keyring,
    key_ids: *const u8,
    key_ids_len: usize,
    backups_expire_s: i64,
    now_s: i64,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, key_ids, out) =
            unsafe { (reference(keyring)?, bytes(key_ids, key_ids_len)?, Output::new(out, cap, out_len)?) };
        let key_ids = Texts::read(key_ids, MAX_KEYS)?;
        let backups_expire_s = Some(backups_expire_s).filter(|&end| end != DONJON_NEVER);
        let erasure = Erasure::of(&keyring.0, &key_ids.all(), backups_expire_s, now_s)?;
        out.write(erasure.to_json().as_bytes())
    })
}
