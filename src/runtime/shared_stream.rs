//! A stream that several threads may hold: one push at a time, in one process.

use std::process;
use std::sync::{Mutex, MutexGuard};

use super::Threads;
use crate::envelope::{EnvelopeError, Stream};

/// A stream behind a lock, and the threads of its pushes.
pub(crate) struct SharedStream {
    stream: Mutex<Stream>,
    threads: Threads,
    /// The process that began it. After a fork both would go on with the same key and the same nonces.
    process: u32,
}

impl SharedStream {
    pub(crate) fn new(stream: Stream, threads: Threads) -> Self {
        Self { stream: Mutex::new(stream), threads, process: process::id() }
    }

    /// Pushes into the place that `place` gives for as many bytes as come out. Where it gives none,
    /// nothing is pushed.
    pub(crate) fn push<'a, E: From<EnvelopeError>>(
        &self,
        input: &[u8],
        place: impl FnOnce(usize) -> Result<&'a mut [u8], E>,
    ) -> Result<(), E> {
        let mut stream = self.lock()?;
        let out = place(stream.pushed_len(input.len())?)?;
        Ok(stream.push_into(input, out, &self.threads)?)
    }

    /// Finishes into the place that `place` gives.
    pub(crate) fn finish<'a, E: From<EnvelopeError>>(
        &self,
        place: impl FnOnce(usize) -> Result<&'a mut [u8], E>,
    ) -> Result<(), E> {
        let mut stream = self.lock()?;
        let out = place(stream.finished_len()?)?;
        Ok(stream.finish_into(out)?)
    }

    /// A push that panicked may have used a nonce and not counted it: the stream is over.
    fn lock(&self) -> Result<MutexGuard<'_, Stream>, EnvelopeError> {
        if process::id() != self.process {
            return Err(EnvelopeError::InvalidArgument);
        }
        self.stream.lock().map_err(|_| EnvelopeError::Internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::FixedEntropy;
    use crate::envelope::{Context, Encryptor, Sealer};

    #[test]
    fn a_stream_goes_on_in_the_process_that_began_it_alone() {
        let sealer = Sealer::from_external(&[1; 32], "kms", b"wrapped").unwrap();
        let (_, encryptor) =
            Encryptor::new(&sealer, &Context::EMPTY, 0, &mut FixedEntropy::new(&[2; 24])).unwrap();
        let mut stream = SharedStream::new(encryptor.into_stream(), Threads::new(1).unwrap());
        let push = |stream: &SharedStream| stream.push(b"x", |_| Ok::<_, EnvelopeError>(&mut []));
        assert_eq!(push(&stream), Ok(()));
        // What a forked child sees.
        stream.process = stream.process.wrapping_add(1);
        assert_eq!(push(&stream), Err(EnvelopeError::InvalidArgument));
        assert_eq!(stream.finish(|_| Ok::<_, EnvelopeError>(&mut [])), Err(EnvelopeError::InvalidArgument));
    }
}
