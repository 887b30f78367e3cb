//! Where random bytes come from.
//!
//! The kernel takes entropy as an argument; only the C ABI and the bindings hand it the operating
//! system's ([`crate::runtime::OsEntropy`]). No generator lives in user space, so nothing repeats
//! after `fork`.

/// The source gave no bytes; nothing was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no entropy available")]
pub struct EntropyError;

/// A source of unpredictable bytes.
pub trait Entropy {
    /// Fills `out` entirely.
    ///
    /// # Errors
    /// - [`EntropyError`]: the source failed; `out` is not to be used.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError>;
}

/// Bytes that were chosen beforehand, for tests and for comparing hosts. Runs dry instead of repeating.
#[derive(Debug)]
pub struct FixedEntropy<'a>(&'a [u8]);

impl<'a> FixedEntropy<'a> {
    /// A source that gives `bytes`, each once.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl Entropy for FixedEntropy<'_> {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
        let (drawn, rest) = self.0.split_at_checked(out.len()).ok_or(EntropyError)?;
        out.copy_from_slice(drawn);
        self.0 = rest;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_entropy_runs_dry_instead_of_repeating() {
        let mut source = FixedEntropy::new(&[1, 2, 3]);
        let mut out = [0; 2];
        source.fill(&mut out).unwrap();
        assert_eq!(out, [1, 2]);
        assert_eq!(source.fill(&mut out), Err(EntropyError));
        source.fill(&mut out[..1]).unwrap();
        assert_eq!(out, [3, 2]);
    }
}
