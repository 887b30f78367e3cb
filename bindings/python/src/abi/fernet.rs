//! Fernet, and the columns of sqlalchemy-utils' `AesEngine`.

use super::bytes::{Room, Written, write};
use super::{Handle, Noun, Outcome, check, ffi, fill};

impl Noun for ffi::donjon_fernet {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_fernet_free;
}

pub(crate) struct Fernet(Handle<ffi::donjon_fernet>);

/// A token of any age.
pub(crate) const NO_TTL: i64 = ffi::DONJON_NO_TTL;

impl Fernet {
    /// One key, or several with commas between them.
    pub(crate) fn new(keys: &[u8]) -> Outcome<Self> {
        // SAFETY: the module's contract.
        Handle::make(|out| unsafe { ffi::donjon_fernet_new(keys.as_ptr(), keys.len(), out) }).map(Self)
    }

    pub(crate) fn encrypt(&self, now_s: i64, plaintext: &[u8], room: &mut Room) -> Outcome<Written> {
        // SAFETY: the module's contract.
        write(room, |out, cap, len| unsafe {
            ffi::donjon_fernet_encrypt(
                self.0.get(),
                now_s,
                plaintext.as_ptr(),
                plaintext.len(),
                out,
                cap,
                len,
            )
        })
    }

    pub(crate) fn decrypt(&self, now_s: i64, ttl_s: i64, token: &[u8], room: &mut Room) -> Outcome<Written> {
        // SAFETY: the module's contract.
        write(room, |out, cap, len| unsafe {
            ffi::donjon_fernet_decrypt(self.0.get(), now_s, ttl_s, token.as_ptr(), token.len(), out, cap, len)
        })
    }

    pub(crate) fn rotate(&self, token: &[u8], room: &mut Room) -> Outcome<Written> {
        // SAFETY: the module's contract.
        write(room, |out, cap, len| unsafe {
            ffi::donjon_fernet_rotate(self.0.get(), token.as_ptr(), token.len(), out, cap, len)
        })
    }

    pub(crate) fn timestamp(&self, token: &[u8]) -> Outcome<i64> {
        let mut timestamp_s = 0;
        // SAFETY: the module's contract.
        check(unsafe {
            ffi::donjon_fernet_timestamp(self.0.get(), token.as_ptr(), token.len(), &raw mut timestamp_s)
        })?;
        Ok(timestamp_s)
    }
}

pub(crate) fn fernet_token_len(plaintext_len: usize) -> usize {
    ffi::donjon_fernet_token_len(plaintext_len)
}

pub(crate) fn fernet_generate_key() -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    fill(ffi::DONJON_FERNET_KEY_LEN, |out, cap, len| unsafe {
        ffi::donjon_fernet_generate_key(out, cap, len)
    })
}

pub(crate) fn fernet_derive_key(password: &[u8], salt: &[u8], iterations: u32) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    fill(ffi::DONJON_FERNET_KEY_LEN, |out, cap, len| unsafe {
        ffi::donjon_fernet_derive_key(
            password.as_ptr(),
            password.len(),
            salt.as_ptr(),
            salt.len(),
            iterations,
            out,
            cap,
            len,
        )
    })
}

pub(crate) fn aes_engine_open(secret: &[u8], padding: u32, text: &[u8]) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    fill(text.len(), |out, cap, len| unsafe {
        ffi::donjon_aes_engine_open(
            secret.as_ptr(),
            secret.len(),
            padding,
            text.as_ptr(),
            text.len(),
            out,
            cap,
            len,
        )
    })
}
