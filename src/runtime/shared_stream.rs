//! A stream that several threads may hold: one push at a time.

use std::sync::{Mutex, MutexGuard};

use super::Threads;
use crate::envelope::{EnvelopeError, Stream};

/// A stream behind a lock, and the threads of its pushes.
pub(crate) struct SharedStream {
    stream: Mutex<Stream>,
    threads: Threads,
}

impl SharedStream {
    pub(crate) const fn new(stream: Stream, threads: Threads) -> Self {
        Self { stream: Mutex::new(stream), threads }
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
        self.stream.lock().map_err(|_| EnvelopeError::Internal)
    }
}
