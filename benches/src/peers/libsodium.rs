//! libsodium's password hashing, which is Argon2id with one lane.

use std::ffi::{CStr, CString, c_char};

use libsodium_sys::{crypto_pwhash_STRBYTES, crypto_pwhash_str, crypto_pwhash_str_verify, sodium_init};

use crate::passwords::{MEMORY_KIB, TIME_COST};

pub struct Sodium;

impl Sodium {
    pub fn new() -> Self {
        // SAFETY: may be called from any thread, any number of times.
        assert!(unsafe { sodium_init() } >= 0);
        Self
    }

    pub fn hash(&self, password: &[u8]) -> String {
        let mut out: [c_char; crypto_pwhash_STRBYTES as usize] = [0; _];
        // SAFETY: `out` has the length that the call writes; the password is read for its length.
        let failed = unsafe {
            crypto_pwhash_str(
                out.as_mut_ptr(),
                password.as_ptr().cast(),
                password.len() as u64,
                TIME_COST.into(),
                MEMORY_KIB as usize * 1024,
            )
        };
        assert_eq!(failed, 0);
        // SAFETY: the call has written a text with its end.
        unsafe { CStr::from_ptr(out.as_ptr()) }.to_str().unwrap().to_owned()
    }

    pub fn verify(&self, password: &[u8], stored: &str) {
        let stored = CString::new(stored).unwrap();
        // SAFETY: both are read for their lengths.
        let differs = unsafe {
            crypto_pwhash_str_verify(stored.as_ptr(), password.as_ptr().cast(), password.len() as u64)
        };
        assert_eq!(differs, 0);
    }
}
