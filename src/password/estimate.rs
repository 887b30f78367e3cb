//! zxcvbn's estimate of how many guesses a password takes (feature `zxcvbn`).

use alloc::string::String;

use super::{Password, PasswordError, UserInputs};

/// The estimate as JSON.
///
/// # Errors
/// - [`PasswordError::Unsupported`]: built without the feature `zxcvbn`.
pub fn estimate(_password: Password<'_>, _inputs: &UserInputs) -> Result<String, PasswordError> {
    Err(PasswordError::Unsupported)
}
