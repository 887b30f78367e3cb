//! What a ciphertext is bound to: the place where it belongs.

use alloc::borrow::Cow;

use super::EnvelopeError;
use crate::bytes::{Reader, lp};

/// The longest encoded context, in bytes: all parts, and four bytes for each.
pub const MAX_CONTEXT_LEN: usize = 4096;

/// A list of byte strings, such as table, column and row, that is the same when sealing and when opening.
/// Encoded as the concatenation of lp(part), so that (`ab`, `c`) and (`a`, `bc`) differ.
///
/// ```
/// use donjon::envelope::Context;
///
/// assert_ne!(Context::new(&["ab", "c"])?, Context::new(&["a", "bc"])?);
/// # Ok::<(), donjon::envelope::EnvelopeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context<'a>(Cow<'a, [u8]>);

impl<'a> Context<'a> {
    /// The context of no parts: ciphertexts may then change places unnoticed.
    pub const EMPTY: Self = Self(Cow::Borrowed(&[]));

    /// The context of these parts.
    ///
    /// # Errors
    /// - [`EnvelopeError::TooLarge`]: over [`MAX_CONTEXT_LEN`].
    pub fn new(parts: &[impl AsRef<[u8]>]) -> Result<Self, EnvelopeError> {
        parts.iter().try_fold(Self::EMPTY, |context, part| context.with(part.as_ref()))
    }

    /// This context, and one more part.
    ///
    /// # Errors
    /// - [`EnvelopeError::TooLarge`]: over [`MAX_CONTEXT_LEN`].
    pub fn with(self, part: &[u8]) -> Result<Self, EnvelopeError> {
        // Asked before the part is copied.
        if part.len() > MAX_CONTEXT_LEN {
            return Err(EnvelopeError::TooLarge);
        }
        let mut encoded = self.0.into_owned();
        lp(part, &mut encoded);
        if encoded.len() > MAX_CONTEXT_LEN {
            return Err(EnvelopeError::TooLarge);
        }
        Ok(Self(Cow::Owned(encoded)))
    }

    /// The context that is encoded already. What is not an encoding is refused, so that a bare name
    /// (`users`) is not taken for one.
    ///
    /// # Errors
    /// - [`EnvelopeError::TooLarge`]: over [`MAX_CONTEXT_LEN`].
    /// - [`EnvelopeError::InvalidArgument`]: not a concatenation of lp(part).
    pub fn from_encoded(encoded: &'a [u8]) -> Result<Self, EnvelopeError> {
        if encoded.len() > MAX_CONTEXT_LEN {
            return Err(EnvelopeError::TooLarge);
        }
        let mut reader = Reader(encoded);
        while !reader.0.is_empty() {
            reader.part().ok_or(EnvelopeError::InvalidArgument)?;
        }
        Ok(Self(Cow::Borrowed(encoded)))
    }

    /// The encoding.
    #[must_use]
    pub fn as_encoded(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_is_read_as_what_it_encodes() {
        for parts in [&[][..], &[""], &["", ""], &["users", "email", "42"]] {
            let context = Context::new(parts).unwrap();
            assert_eq!(Context::from_encoded(context.as_encoded()).unwrap(), context);
        }
    }

    #[test]
    fn what_encodes_nothing_is_refused() {
        for bytes in [&b"users"[..], &[0], &[0, 0, 0], &[0, 0, 0, 1], &[0, 0, 0, 0, 9], &[255; 4]] {
            assert_eq!(Context::from_encoded(bytes), Err(EnvelopeError::InvalidArgument), "{bytes:?}");
        }
    }

    #[test]
    fn the_limit_is_the_last_length_that_passes() {
        let longest = [0; MAX_CONTEXT_LEN - 4];
        let context = Context::new(&[longest]).unwrap();
        assert_eq!(context.as_encoded().len(), MAX_CONTEXT_LEN);
        assert!(Context::from_encoded(context.as_encoded()).is_ok());
        assert_eq!(Context::new(&[&longest[..], &[]]), Err(EnvelopeError::TooLarge));
        assert_eq!(Context::new(&[[0; MAX_CONTEXT_LEN]]), Err(EnvelopeError::TooLarge));
        assert_eq!(Context::from_encoded(&[0; MAX_CONTEXT_LEN + 4]), Err(EnvelopeError::TooLarge));
    }
}
