//! Envelopes of any size in constant memory: bytes are pushed in, and whole chunks come out.

use alloc::vec::Vec;
use core::mem;
use zeroize::{Zeroize as _, Zeroizing};

use super::aead::TAG_LEN;
use super::chunked::{CHUNK, CHUNK_LEN, MAX_PLAINTEXT_LEN, MessageKey, SEALED_CHUNK_LEN};
use super::{Context, EnvelopeError, Sealer};
use crate::entropy::Entropy;

/// An output that every push and finish of so much input is content with, in bytes.
#[must_use]
pub const fn stream_bound(input_len: usize) -> usize {
    let chunks = (input_len / CHUNK_LEN).saturating_add(1);
    chunks.saturating_mul(SEALED_CHUNK_LEN)
}

/// Seals one envelope from plaintext that is pushed in pieces of any size. Never go on with a copy of one, as
/// after a fork: both would seal under the same key and nonces. (Streams of the C ABI refuse to.)
///
/// ```
/// use donjon::entropy::FixedEntropy;
/// use donjon::envelope::{Context, Decryptor, Encryptor, PassphraseParams, Sealer};
///
/// let sealer = Sealer::from_passphrase(b"correct horse", PassphraseParams::new(8, 1, 1)?)?;
/// let mut entropy = FixedEntropy::new(&[7; 96]);
/// let (mut envelope, mut encryptor) = Encryptor::new(&sealer, &Context::EMPTY, 0, &mut entropy)?;
/// for piece in [&b"streams of "[..], b"any size"] {
///     envelope.extend(encryptor.push(piece)?);
/// }
/// envelope.extend(encryptor.finish()?);
///
/// let (consumed, mut decryptor) = Decryptor::new(&sealer, &Context::EMPTY, 0, &envelope)?;
/// let mut plaintext = decryptor.push(&envelope[consumed..])?;
/// plaintext.extend(decryptor.finish()?);
/// assert_eq!(plaintext, b"streams of any size");
/// # Ok::<(), donjon::envelope::EnvelopeError>(())
/// ```
#[derive(Debug)]
pub struct Encryptor(Stream);

/// Opens one envelope that is pushed in pieces of any size. What comes out is authentic, chunk by chunk;
/// that it was the whole, [`Decryptor::finish`] says.
#[derive(Debug)]
pub struct Decryptor(Stream);

impl Encryptor {
    /// Begins an envelope: gives all that stands before its first chunk.
    ///
    /// # Errors
    /// As [`Sealer::seal`].
    pub fn new(
        sealer: &Sealer,
        context: &Context<'_>,
        now_s: i64,
        entropy: &mut impl Entropy,
    ) -> Result<(Vec<u8>, Self), EnvelopeError> {
        let (prefix, key) = sealer.begin(context, now_s, entropy)?;
        Ok((prefix, Self(Stream::new(key, Direction::Seal)?)))
    }

    /// Pushes plaintext: gives the chunks that it completed.
    ///
    /// # Errors
    /// - [`EnvelopeError::InvalidArgument`]: after the end.
    /// - [`EnvelopeError::TooLarge`]: over [`MAX_PLAINTEXT_LEN`] in all. - [`EnvelopeError::OutOfMemory`].
    pub fn push(&mut self, plaintext: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
        self.0.push(plaintext, &Inline)
    }

    /// [`Encryptor::push`], its chunks done by `workers`.
    ///
    /// # Errors
    /// As [`Encryptor::push`].
    pub fn push_on(&mut self, plaintext: &[u8], workers: &impl Workers) -> Result<Vec<u8>, EnvelopeError> {
        self.0.push(plaintext, workers)
    }

    /// Gives the last chunk. What was not finished does not open.
    ///
    /// # Errors
    /// As [`Encryptor::push`].
    pub fn finish(&mut self) -> Result<Vec<u8>, EnvelopeError> {
        self.0.finish()
    }

    #[cfg(feature = "ffi")]
    pub(crate) fn into_stream(self) -> Stream {
        self.0
    }
}

impl Decryptor {
    /// Reads the beginning of an envelope: its first [`super::MAX_PREFIX_LEN`] bytes, or the whole of a
    /// shorter one. Gives how many of them stand before the first chunk: push what comes after those.
    ///
    /// # Errors
    /// As [`Sealer::open`].
    pub fn new(
        sealer: &Sealer,
        context: &Context<'_>,
        now_s: i64,
        prefix: &[u8],
    ) -> Result<(usize, Self), EnvelopeError> {
        let (key, rest) = sealer.resume(context, now_s, prefix)?;
        let consumed = prefix.len().saturating_sub(rest.len());
        Ok((consumed, Self(Stream::new(key, Direction::Open)?)))
    }

    /// Pushes what comes next of the envelope: gives the plaintext of the chunks that it completed.
    ///
    /// # Errors
    /// - [`EnvelopeError::DecryptFailed`]: a chunk is not authentic; from then on always.
    /// - [`EnvelopeError::InvalidArgument`]: after the end. - [`EnvelopeError::OutOfMemory`].
    pub fn push(&mut self, sealed: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
        self.0.push(sealed, &Inline)
    }

    /// [`Decryptor::push`], its chunks done by `workers`.
    ///
    /// # Errors
    /// As [`Decryptor::push`].
    pub fn push_on(&mut self, sealed: &[u8], workers: &impl Workers) -> Result<Vec<u8>, EnvelopeError> {
        self.0.push(sealed, workers)
    }

    /// Gives the plaintext of the last chunk: the whole was there.
    ///
    /// # Errors
    /// - [`EnvelopeError::DecryptFailed`]: something is missing, or was changed.
    /// - As [`Decryptor::push`].
    pub fn finish(&mut self) -> Result<Vec<u8>, EnvelopeError> {
        self.0.finish()
    }

    #[cfg(feature = "ffi")]
    pub(crate) fn into_stream(self) -> Stream {
        self.0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Seal,
    Open,
}

impl Direction {
    const fn chunk_in(self) -> usize {
        match self {
            Self::Seal => CHUNK_LEN,
            Self::Open => SEALED_CHUNK_LEN,
        }
    }

    /// How many whole chunks so much input holds.
    const fn whole_chunks(self, input_len: usize) -> usize {
        match self {
            Self::Seal => input_len / CHUNK_LEN,
            Self::Open => input_len / SEALED_CHUNK_LEN,
        }
    }

    const fn chunk_out(self) -> usize {
        match self {
            Self::Seal => SEALED_CHUNK_LEN,
            Self::Open => CHUNK_LEN,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Live,
    Finished,
    Failed,
}

/// Chunks of one message, in order: bytes wait until they fill one.
#[derive(Debug)]
pub(crate) struct Stream {
    key: MessageKey,
    direction: Direction,
    /// Of the next chunk.
    index: u64,
    // INVARIANT: less than one chunk, with room for one from the start, so that it never moves.
    held: Zeroizing<Vec<u8>>,
    state: State,
}

impl Stream {
    fn new(key: MessageKey, direction: Direction) -> Result<Self, EnvelopeError> {
        let mut held = Zeroizing::new(Vec::new());
        held.try_reserve_exact(SEALED_CHUNK_LEN).map_err(|_| EnvelopeError::OutOfMemory)?;
        Ok(Self { key, direction, index: 0, held, state: State::Live })
    }

    fn push(&mut self, input: &[u8], workers: &impl Workers) -> Result<Vec<u8>, EnvelopeError> {
        let mut out = super::chunked::zeroed(self.pushed_len(input.len())?)?;
        self.push_into(input, &mut out, workers)?;
        Ok(out)
    }

    fn finish(&mut self) -> Result<Vec<u8>, EnvelopeError> {
        let mut out = super::chunked::zeroed(self.finished_len()?)?;
        self.finish_into(&mut out)?;
        Ok(out)
    }

    /// How much a push of so much gives.
    pub(crate) fn pushed_len(&self, input_len: usize) -> Result<usize, EnvelopeError> {
        self.check_live()?;
        let waiting = self.held.len().checked_add(input_len).ok_or(EnvelopeError::TooLarge)?;
        let chunks = self.direction.whole_chunks(waiting);
        let total = u64::try_from(chunks).ok().and_then(|chunks| self.index.checked_add(chunks));
        if total.is_none_or(|total| total > MAX_PLAINTEXT_LEN / CHUNK) {
            return Err(EnvelopeError::TooLarge);
        }
        chunks.checked_mul(self.direction.chunk_out()).ok_or(EnvelopeError::TooLarge)
    }

    /// How much the finish gives.
    pub(crate) fn finished_len(&self) -> Result<usize, EnvelopeError> {
        self.check_live()?;
        match self.direction {
            Direction::Seal => self.held.len().checked_add(TAG_LEN).ok_or(EnvelopeError::Internal),
            // Too short for a tag: what there is fails in `finish_into`, once and for all.
            Direction::Open => Ok(self.held.len().saturating_sub(TAG_LEN)),
        }
    }

    /// Pushes into a place of just the length that [`Stream::pushed_len`] says.
    pub(crate) fn push_into(
        &mut self,
        input: &[u8],
        out: &mut [u8],
        workers: &impl Workers,
    ) -> Result<(), EnvelopeError> {
        let needed = self.pushed_len(input.len())?;
        if out.len() != needed {
            return Err(EnvelopeError::BufferTooSmall(needed));
        }
        // Should anything below panic, a nonce may have been used and not counted: the stream is over.
        self.state = State::Failed;
        let pushed = self.push_chunks(input, out, workers);
        self.settle(pushed, out, State::Live)
    }

    /// Finishes into a place of just the length that [`Stream::finished_len`] says.
    pub(crate) fn finish_into(&mut self, out: &mut [u8]) -> Result<(), EnvelopeError> {
        let needed = self.finished_len()?;
        if out.len() != needed {
            return Err(EnvelopeError::BufferTooSmall(needed));
        }
        self.state = State::Failed;
        let finished = self.chunk(&self.held, self.index, out);
        self.held.zeroize();
        self.settle(finished, out, State::Finished)
    }

    fn push_chunks(
        &mut self,
        input: &[u8],
        mut out: &mut [u8],
        workers: &impl Workers,
    ) -> Result<(), EnvelopeError> {
        let (chunk_in, chunk_out) = (self.direction.chunk_in(), self.direction.chunk_out());
        let mut input = input;
        if !self.held.is_empty() {
            let missing = chunk_in.saturating_sub(self.held.len()).min(input.len());
            let (filling, rest) = input.split_at_checked(missing).ok_or(EnvelopeError::Internal)?;
            self.held.extend_from_slice(filling);
            input = rest;
            if self.held.len() < chunk_in {
                return Ok(());
            }
            let (place, after) = out.split_at_mut_checked(chunk_out).ok_or(EnvelopeError::Internal)?;
            self.chunk(&self.held, self.index, place)?;
            self.held.zeroize();
            self.index = self.index.saturating_add(1);
            out = after;
        }
        let whole = self.direction.whole_chunks(input.len());
        let (direct, rest) =
            input.split_at_checked(whole.saturating_mul(chunk_in)).ok_or(EnvelopeError::Internal)?;
        if whole > 0 {
            workers.run(Run { stream: self, index: self.index, input: direct, out })?;
        }
        self.index = self.index.saturating_add(u64::try_from(whole).map_err(|_| EnvelopeError::Internal)?);
        self.held.extend_from_slice(rest);
        Ok(())
    }

    /// After a failure nothing of the output is left, and nothing more comes.
    fn settle(
        &mut self,
        done: Result<(), EnvelopeError>,
        out: &mut [u8],
        state: State,
    ) -> Result<(), EnvelopeError> {
        if done.is_ok() {
            self.state = state;
        } else {
            out.zeroize();
            self.held.zeroize();
        }
        done
    }

    fn chunk(&self, input: &[u8], index: u64, out: &mut [u8]) -> Result<(), EnvelopeError> {
        match self.direction {
            Direction::Seal => self.key.seal_chunk(index, input, out),
            Direction::Open => self.key.open_chunk(index, input, out),
        }
    }

    const fn check_live(&self) -> Result<(), EnvelopeError> {
        match (self.state, self.direction) {
            (State::Live, _) => Ok(()),
            (State::Failed, Direction::Open) => Err(EnvelopeError::DecryptFailed),
            (State::Failed, Direction::Seal) => Err(EnvelopeError::Internal),
            (State::Finished, _) => Err(EnvelopeError::InvalidArgument),
        }
    }
}

/// Who does the chunks of one push: several threads, or a pool of the host's own.
pub trait Workers {
    /// Splits `run` as it likes, and executes all parts of it, or fails.
    ///
    /// # Errors
    /// That of a part.
    fn run(&self, run: Run<'_>) -> Result<(), EnvelopeError>;
}

/// The thread that pushes.
struct Inline;

impl Workers for Inline {
    fn run(&self, run: Run<'_>) -> Result<(), EnvelopeError> {
        run.execute()
    }
}

/// Whole chunks in a row, none of which is the last. They depend on nothing but their index.
#[derive(Debug)]
pub struct Run<'a> {
    stream: &'a Stream,
    index: u64,
    input: &'a [u8],
    out: &'a mut [u8],
}

impl<'a> Run<'a> {
    /// How many chunks they are.
    #[must_use]
    pub const fn chunks(&self) -> usize {
        self.stream.direction.whole_chunks(self.input.len())
    }

    /// The first `chunks` chunks, leaving the others.
    #[must_use = "a part that is not executed is missing"]
    pub fn split_off_front(&mut self, chunks: usize) -> Self {
        let chunks = chunks.min(self.chunks());
        let (input, input_rest) =
            self.input.split_at(chunks.saturating_mul(self.stream.direction.chunk_in()));
        let out = mem::take(&mut self.out);
        let (out, out_rest) =
            out.split_at_mut(chunks.saturating_mul(self.stream.direction.chunk_out()).min(out.len()));
        let front = Self { stream: self.stream, index: self.index, input, out };
        self.index = self.index.saturating_add(u64::try_from(chunks).unwrap_or(u64::MAX));
        self.input = input_rest;
        self.out = out_rest;
        front
    }

    /// Seals or opens them.
    ///
    /// # Errors
    /// - [`EnvelopeError::DecryptFailed`]: one is not authentic.
    pub fn execute(self) -> Result<(), EnvelopeError> {
        let inputs = self.input.chunks_exact(self.stream.direction.chunk_in());
        let places = self.out.chunks_exact_mut(self.stream.direction.chunk_out());
        let mut index = self.index;
        for (input, place) in inputs.zip(places) {
            self.stream.chunk(input, index, place)?;
            index = index.saturating_add(1);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    use crate::entropy::FixedEntropy;

    fn data_key() -> Sealer {
        let wrapping = Sealer::from_external(&[1; 32], "kms", b"wrapped").unwrap();
        wrapping.new_data_key(b"", 0, &mut FixedEntropy::new(&[2; 56])).unwrap().0
    }

    fn sealed(plaintext: &[u8]) -> Vec<u8> {
        data_key().seal(&Context::EMPTY, 0, plaintext, &mut FixedEntropy::new(&[3; 24])).unwrap()
    }

    #[test]
    fn pieces_of_every_size_give_what_one_piece_gives() {
        let plaintext: Vec<u8> = (0..40_000_u32).map(|i| (i % 253) as u8).collect();
        let whole = sealed(&plaintext);
        for size in [1, 15, 16, 17, 16_383, 16_384, 16_385, 16_400, 32_768, 40_000] {
            let mut entropy = FixedEntropy::new(&[3; 24]);
            let (mut envelope, mut encryptor) =
                Encryptor::new(&data_key(), &Context::EMPTY, 0, &mut entropy).unwrap();
            for piece in plaintext.chunks(size) {
                envelope.extend(encryptor.push(piece).unwrap());
            }
            envelope.extend(encryptor.finish().unwrap());
            assert_eq!(envelope, whole, "{size}");

            let (consumed, mut decryptor) =
                Decryptor::new(&data_key(), &Context::EMPTY, 0, &envelope).unwrap();
            let mut opened = Vec::new();
            for piece in envelope[consumed..].chunks(size) {
                opened.extend(decryptor.push(piece).unwrap());
            }
            opened.extend(decryptor.finish().unwrap());
            assert_eq!(opened, plaintext, "{size}");
        }
    }

    #[test]
    fn a_bound_is_enough_for_every_state_of_the_stream() {
        for held in [0, 1, 16_383] {
            let mut entropy = FixedEntropy::new(&[3; 24]);
            let (_, mut encryptor) = Encryptor::new(&data_key(), &Context::EMPTY, 0, &mut entropy).unwrap();
            encryptor.push(&vec![0; held]).unwrap();
            for len in [0, 1, 16_383, 16_384, 16_385, 100_000] {
                assert!(encryptor.0.pushed_len(len).unwrap() <= stream_bound(len), "{held} {len}");
            }
            assert!(encryptor.0.finished_len().unwrap() <= stream_bound(0));
        }
        assert!(stream_bound(usize::MAX) >= usize::MAX / 2);
    }

    #[test]
    fn a_stream_that_ended_takes_nothing_more() {
        let mut entropy = FixedEntropy::new(&[3; 24]);
        let (_, mut encryptor) = Encryptor::new(&data_key(), &Context::EMPTY, 0, &mut entropy).unwrap();
        encryptor.finish().unwrap();
        assert_eq!(encryptor.push(b""), Err(EnvelopeError::InvalidArgument));
        assert_eq!(encryptor.finish(), Err(EnvelopeError::InvalidArgument));
    }

    #[test]
    fn a_stream_that_failed_fails_for_ever() {
        let mut envelope = sealed(&[5; 20_000]);
        let (consumed, mut decryptor) = Decryptor::new(&data_key(), &Context::EMPTY, 0, &envelope).unwrap();
        let intact = envelope.clone();
        envelope[consumed] ^= 1;
        assert_eq!(decryptor.push(&envelope[consumed..]), Err(EnvelopeError::DecryptFailed));
        assert_eq!(decryptor.push(&intact[consumed..]), Err(EnvelopeError::DecryptFailed));
        assert_eq!(decryptor.finish(), Err(EnvelopeError::DecryptFailed));
    }

    #[test]
    fn a_stream_whose_workers_panicked_uses_no_nonce_again() {
        struct Panicking;
        impl Workers for Panicking {
            fn run(&self, _: Run<'_>) -> Result<(), EnvelopeError> {
                panic!("a worker of the host's");
            }
        }
        let mut entropy = FixedEntropy::new(&[3; 24]);
        let (_, mut encryptor) = Encryptor::new(&data_key(), &Context::EMPTY, 0, &mut entropy).unwrap();
        let push = core::panic::AssertUnwindSafe(|| encryptor.push_on(&[0; CHUNK_LEN], &Panicking));
        assert!(std::panic::catch_unwind(push).is_err());
        assert_eq!(encryptor.push(&[0; CHUNK_LEN]), Err(EnvelopeError::Internal));
        assert_eq!(encryptor.finish(), Err(EnvelopeError::Internal));
    }

    #[test]
    fn what_was_cut_off_does_not_finish() {
        let envelope = sealed(&[5; 33_000]);
        let (consumed, _) = Decryptor::new(&data_key(), &Context::EMPTY, 0, &envelope).unwrap();
        for cut in [0, 1, 15, 16, 16_399, 16_400, 16_401, 32_799, 32_800, 32_801, 32_816] {
            let (_, mut decryptor) = Decryptor::new(&data_key(), &Context::EMPTY, 0, &envelope).unwrap();
            decryptor.push(&envelope[consumed..consumed + cut]).unwrap();
            assert_eq!(decryptor.finish(), Err(EnvelopeError::DecryptFailed), "{cut}");
        }
    }
}
