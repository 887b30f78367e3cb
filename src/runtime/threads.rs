//! Chunks of one push, on several threads.

use alloc::vec::Vec;
use std::thread;

use crate::envelope::{EnvelopeError, Run, Workers};

/// The most threads of one push.
pub const MAX_THREADS: u32 = 64;

/// Fewer chunks than these, 512 KiB, are done before another thread has started.
const MIN_CHUNKS: usize = 32;

/// So many threads for each push that is long enough to share; they end with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads(u32);

impl Threads {
    /// `None` if there are none of them, or over [`MAX_THREADS`].
    #[must_use]
    pub fn new(threads: u32) -> Option<Self> {
        (1..=MAX_THREADS).contains(&threads).then_some(Self(threads))
    }
}

impl Workers for Threads {
    fn run(&self, mut run: Run<'_>) -> Result<(), EnvelopeError> {
        let most = usize::try_from(self.0).unwrap_or(1);
        let threads = most.min(run.chunks() / MIN_CHUNKS);
        if threads <= 1 {
            return run.execute();
        }
        let share = run.chunks().div_ceil(threads);
        thread::scope(|scope| {
            let mut others = Vec::new();
            for _ in 1..threads {
                let part = run.split_off_front(share);
                let spawned = thread::Builder::new().spawn_scoped(scope, move || part.execute());
                others.push(spawned.map_err(|_| EnvelopeError::OutOfMemory)?);
            }
            let own = run.execute();
            let joined = others.into_iter().map(|other| other.join().unwrap_or(Err(EnvelopeError::Internal)));
            joined.fold(own, Result::and)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::FixedEntropy;
    use crate::envelope::{Context, Decryptor, Encryptor, Sealer};

    #[test]
    fn any_number_of_threads_gives_the_same_bytes() {
        let sealer = Sealer::from_external(&[1; 32], "kms", b"wrapped").unwrap();
        let plaintext: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 249) as u8).collect();
        let whole = sealer.seal(&Context::EMPTY, 0, &plaintext, &mut FixedEntropy::new(&[2; 24])).unwrap();
        for threads in [1, 2, 3, 64] {
            let threads = Threads::new(threads).unwrap();
            let mut entropy = FixedEntropy::new(&[2; 24]);
            let (mut sealed, mut encryptor) =
                Encryptor::new(&sealer, &Context::EMPTY, 0, &mut entropy).unwrap();
            sealed.extend(encryptor.push_on(&plaintext, &threads).unwrap());
            sealed.extend(encryptor.finish().unwrap());
            assert!(sealed == whole);

            let open = |envelope: &[u8]| {
                let (consumed, mut decryptor) =
                    Decryptor::new(&sealer, &Context::EMPTY, 0, envelope).unwrap();
                let mut opened = decryptor.push_on(&envelope[consumed..], &threads)?;
                opened.extend(decryptor.finish()?);
                Ok(opened)
            };
            assert!(open(&sealed).unwrap() == plaintext);
            sealed[1_000_000] ^= 1;
            assert_eq!(open(&sealed), Err(EnvelopeError::DecryptFailed));
        }
        assert_eq!((Threads::new(0), Threads::new(MAX_THREADS + 1)), (None, None));
    }
}
