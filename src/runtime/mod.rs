//! What touches the operating system: its entropy, its memory, its locks. Decides nothing.

use crate::entropy::{Entropy, EntropyError};

mod hasher;
mod limit_table;
mod memory_pool;
mod pages;
#[cfg(feature = "ffi")]
mod shared_stream;
#[cfg(feature = "test-entropy")]
pub mod test_entropy;
mod threads;

pub use hasher::PasswordHasher;
pub use limit_table::{
    DEFAULT_TABLE_CAPACITY, LimitTable, LimitTableConfig, LimitTableStatistics, MAX_LIMIT_KEY_LEN,
    MAX_TABLE_CAPACITY, WhenFull,
};
pub use memory_pool::MemoryUse;
#[cfg(feature = "ffi")]
pub(crate) use shared_stream::SharedStream;
pub use threads::{MAX_THREADS, Threads};

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
