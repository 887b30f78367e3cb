//! A password that has been given: any bytes, not too many.

use core::fmt;

use super::PasswordError;

/// The longest password, in bytes. Longer ones are refused before anything is computed from them.
pub const MAX_PASSWORD_LEN: usize = 4096;

/// A password of at most [`MAX_PASSWORD_LEN`] bytes. Any bytes: it is hashed as it is, NUL included, and
/// never cut. Not shown by `Debug`.
#[derive(Clone, Copy)]
pub struct Password<'a>(&'a [u8]);

impl<'a> Password<'a> {
    /// Takes the bytes for a password.
    ///
    /// # Errors
    /// - [`PasswordError::TooLarge`]: over [`MAX_PASSWORD_LEN`].
    pub const fn new(bytes: &'a [u8]) -> Result<Self, PasswordError> {
        if bytes.len() > MAX_PASSWORD_LEN { Err(PasswordError::TooLarge) } else { Ok(Self(bytes)) }
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The characters, for what judges a password instead of hashing it.
    ///
    /// # Errors
    /// - [`PasswordError::Malformed`]: not UTF-8.
    pub fn text(self) -> Result<&'a str, PasswordError> {
        core::str::from_utf8(self.0).map_err(|_| PasswordError::Malformed)
    }
}

impl fmt::Debug for Password<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}
