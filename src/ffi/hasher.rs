//! `donjon_hasher`.

use super::keyring::donjon_keyring;
use super::memory::{Output, Slot, bytes, free, optional_reference, reference};
use super::{diagnosis, guard};
use crate::password::{Password, Verdict};
use crate::runtime::{OsEntropy, PasswordHasher};

/// The longest password, in bytes; longer ones are TOO_LARGE, before anything is computed from them.
pub const DONJON_PASSWORD_MAX: usize = 4096;

/// The longest stored hash that is read, in bytes, and the cap that donjon_hasher_hash wants.
pub const DONJON_PASSWORD_HASH_MAX: usize = 512;

/// Hashes and verifies passwords with Argon2id inside a budget of memory, which all calls on the handle
/// share: what does not fit waits for its turn. The memory is kept for the next hash, and wiped after
/// each. bcrypt and PBKDF2, which need none, take as much of the budget as a hash of the hasher's own, so
/// that no more of them run at once. scrypt's memory counts, but is allocated for each hash and not wiped;
/// one scrypt runs at a time in a process.
/// Hash in no thread while another forks: in the child, its share of the budget stays taken.
pub struct donjon_hasher(PasswordHasher);

/// A password matches.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct donjon_password_verdict {
    /// 1: hash the password anew and store that: parameters, pepper or scheme are not the hasher's.
    pub needs_rehash: u32,
    /// 1: the password is longer than what the scheme looked at (bcrypt: 72 bytes), so the rest of it
    /// was never checked.
    pub truncated: u32,
}

impl From<Verdict> for donjon_password_verdict {
    fn from(verdict: Verdict) -> Self {
        Self { needs_rehash: verdict.needs_rehash.into(), truncated: verdict.truncated.into() }
    }
}

/// Makes a hasher. The keyring may be freed afterwards.
///
/// peppers: a keyring with a primary "password-pepper" secret, which every new hash depends on; or NULL.
///   A stored hash names its pepper, so that all keys of the purpose verify.
/// config: empty for the defaults, or {"preset":"default","memory_kib":65536,"time_cost":3,
///   "parallelism":1,"hash_len":32,"salt_len":16,"memory_budget_kib":262144,"max_wait_ms":10000,
///   "legacy":["bcrypt","pbkdf2","scrypt","argon2i","argon2d"],"allow_weak":false}, any member left out.
///   "preset": "default" (64 MiB, 3 passes, 1 lane), "owasp" (19 MiB, 2, 1), "rfc9106" (2 GiB, 1, 4) or
///   "rfc9106-low-memory" (64 MiB, 3, 4); what else is given overrides it. Lanes run one after the other.
///   "memory_budget_kib": what all hashes of this handle hold at most, at least one hash's memory.
///   "max_wait_ms": how long a hash waits for its turn, up to 60,000; 0 not to wait. scrypt may wait
///   twice: for memory, and to be alone.
///   "legacy": the schemes that stored hashes are verified with besides Argon2id; none by default.
///   "allow_weak": takes parameters under OWASP's minimums, salts from 8 and hashes from 12 bytes; for
///   tests.
///
/// Errors: CONFIG_ERROR.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_hasher_new(
    peppers: *const donjon_keyring,
    config: *const u8,
    config_len: usize,
    out: *mut *mut donjon_hasher,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (peppers, config, out) =
            unsafe { (optional_reference(peppers)?, bytes(config, config_len)?, Slot::new(out)?) };
        out.put_handle(donjon_hasher(PasswordHasher::from_json(config, peppers.map(|keyring| &keyring.0))?));
        Ok(())
    })
}

/// Says why donjon_hasher_new refuses a configuration: null if it does not, else
/// `{"error":"config_error","path":"","message":"…"}`.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_hasher_diagnose(
    peppers: *const donjon_keyring,
    config: *const u8,
    config_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (peppers, config, out) = unsafe {
            (optional_reference(peppers)?, bytes(config, config_len)?, Output::new(out, cap, out_len)?)
        };
        let made = PasswordHasher::from_json(config, peppers.map(|keyring| &keyring.0));
        diagnosis::write(made, out)
    })
}

/// How long a hash waits for memory before it is BUSY, in milliseconds: for a host that queues by itself.
/// 0 for a NULL hasher.
///
/// # Safety
/// hasher is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_hasher_max_wait_ms(hasher: *const donjon_hasher) -> u32 {
    let mut max_wait_ms = 0;
    guard(|| {
        // SAFETY: the caller's handle, as the contract says.
        max_wait_ms = unsafe { reference(hasher) }?.0.max_wait_ms();
        Ok(())
    });
    max_wait_ms
}

/// How many hashes of the hasher's own parameters run at once: the number of threads that are worth
/// having. 0 for a NULL hasher.
///
/// # Safety
/// hasher is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_hasher_slots(hasher: *const donjon_hasher) -> u32 {
    let mut slots = 0;
    guard(|| {
        // SAFETY: the caller's handle, as the contract says.
        slots = unsafe { reference(hasher) }?.0.slots();
        Ok(())
    });
    slots
}

/// Hashes a password: a PHC string to store. Takes tens of milliseconds, and may wait.
///
/// password: any bytes, never cut. now_s: for the pepper's end; not negative, where there is one.
/// cap: at least DONJON_PASSWORD_HASH_MAX.
///
/// Errors: TOO_LARGE (password), BUSY, OUT_OF_MEMORY, KEY_EXPIRED (the primary pepper),
/// ENTROPY_UNAVAILABLE, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_hasher_hash(
    hasher: *const donjon_hasher,
    password: *const u8,
    password_len: usize,
    now_s: i64,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (hasher, password, out) =
            unsafe { (reference(hasher)?, bytes(password, password_len)?, Output::new(out, cap, out_len)?) };
        let out = out.require(DONJON_PASSWORD_HASH_MAX)?;
        let stored = hasher.0.hash(Password::new(password)?, now_s, &mut OsEntropy)?;
        out.write(stored.as_bytes())
    })
}

/// Verifies a password against a stored hash: OK if it matches. Takes tens of milliseconds, and may wait.
///
/// Stored hashes: Argon2id as a PHC string; those of the schemes that the configuration enables: bcrypt,
/// and PBKDF2, scrypt and Argon2 as passlib and Django write them. An empty text, and Django's unusable
/// password (any text that begins with `!`), say that there is no password: they cost what an unknown user
/// costs, and are PASSWORD_MISMATCH.
/// now_s: for the peppers' ends; not negative, where there are any. out: written on OK only.
///
/// Errors: PASSWORD_MISMATCH; TOO_LARGE (password); INVALID_HASH, PARAMS_OUT_OF_BOUNDS, UNSUPPORTED (a
/// legacy scheme that is not enabled); UNKNOWN_KEY, KEY_DISABLED, KEY_DESTROYED, KEY_EXPIRED (its pepper);
/// BUSY, OUT_OF_MEMORY.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_hasher_verify(
    hasher: *const donjon_hasher,
    password: *const u8,
    password_len: usize,
    hash: *const u8,
    hash_len: usize,
    now_s: i64,
    out: *mut donjon_password_verdict,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (hasher, password, hash, out) = unsafe {
            (reference(hasher)?, bytes(password, password_len)?, bytes(hash, hash_len)?, Slot::new(out)?)
        };
        let verdict = hasher.0.verify(Password::new(password)?, hash, now_s)?;
        out.put(verdict.into());
        Ok(())
    })
}

/// What to call where no such user is known: costs what donjon_hasher_verify costs for a hash of the
/// hasher's own parameters, and never is OK.
///
/// Errors: PASSWORD_MISMATCH, TOO_LARGE, BUSY, OUT_OF_MEMORY.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_hasher_verify_unknown_user(
    hasher: *const donjon_hasher,
    password: *const u8,
    password_len: usize,
    now_s: i64,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (hasher, password) = unsafe { (reference(hasher)?, bytes(password, password_len)?) };
        hasher.0.verify_unknown_user(Password::new(password)?, now_s)?;
        Ok(())
    })
}

/// Whether a stored hash should be made anew at the user's next log-in: 1 or 0.
///
/// Errors: as donjon_hasher_verify, as far as the stored hash goes. An empty text, and one that begins with
/// `!`, is INVALID_HASH: there is nothing to make anew.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_hasher_needs_rehash(
    hasher: *const donjon_hasher,
    hash: *const u8,
    hash_len: usize,
    now_s: i64,
    out: *mut u32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (hasher, hash, out) = unsafe { (reference(hasher)?, bytes(hash, hash_len)?, Slot::new(out)?) };
        out.put(hasher.0.needs_rehash(hash, now_s)?.into());
        Ok(())
    })
}

/// Frees a hasher and its memory.
///
/// # Safety
/// hasher is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_hasher_free(hasher: *mut donjon_hasher) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(hasher);
        Ok(())
    });
}
