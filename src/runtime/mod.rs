//! What touches the operating system: its entropy, its memory, its locks. Decides nothing.

use crate::entropy::{Entropy, EntropyError};

mod hasher;
mod memory_pool;
mod pages;
#[cfg(feature = "test-entropy")]
pub mod test_entropy;

pub use hasher::PasswordHasher;
pub use memory_pool::MemoryUse;

/// The operating system's entropy, drawn anew at each use.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
        #[cfg(feature = "test-entropy")]
        if let Some(chosen) = test_entropy::fill(out) {
            return chosen;
        }
        getrandom::fill(out).map_err(|_| EntropyError)
    }
}
