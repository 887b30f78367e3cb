//! Random access: any range of an envelope's plaintext from just the chunks that hold it.

use alloc::vec::Vec;
use zeroize::{Zeroize as _, Zeroizing};

use super::aead::TAG_LEN;
use super::chunked::{self, CHUNK, CHUNK_LEN, MessageKey, SEALED_CHUNK, SEALED_CHUNK_LEN};
use super::{Context, EnvelopeError, Sealer};

/// As many last bytes of an envelope as tell that it is whole. Shorter envelopes are given whole.
pub const MAX_TAIL_LEN: usize = SEALED_CHUNK_LEN - 1;

/// Which bytes of the envelope hold a range of its plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where they begin.
    pub offset: u64,
    /// How many they are.
    pub len: u64,
}

/// Opens ranges of one envelope that the host keeps. It has seen the end of it: what is shorter than what
/// was sealed makes no reader.
#[derive(Debug)]
pub struct Reader {
    key: MessageKey,
    /// Where the first chunk begins.
    chunks_at: u64,
    plaintext_len: u64,
}

/// The part of a range that there is: first chunk, chunks, and where in the first it begins.
struct Extent {
    first: u64,
    span: Span,
    skipped: usize,
    len: usize,
}

impl Reader {
    /// A reader of an envelope of `total_len` bytes, of which `prefix` is the first
    /// [`super::MAX_PREFIX_LEN`] and `tail` the last [`MAX_TAIL_LEN`], or both the whole of a shorter one.
    ///
    /// # Errors
    /// - [`EnvelopeError::DecryptFailed`]: also where the end is missing.
    /// - [`EnvelopeError::InvalidArgument`]: a tail of another length.
    /// - As [`Sealer::open`].
    pub fn new(
        sealer: &Sealer,
        context: &Context<'_>,
        now_s: i64,
        prefix: &[u8],
        tail: &[u8],
        total_len: u64,
    ) -> Result<Self, EnvelopeError> {
        let tail_len = u64::try_from(tail.len()).map_err(|_| EnvelopeError::InvalidArgument)?;
        if tail_len != total_len.min(MAX_TAIL_LEN as u64) {
            return Err(EnvelopeError::InvalidArgument);
        }
        let (key, rest) = sealer.resume(context, now_s, prefix)?;
        let chunks_at = prefix.len().saturating_sub(rest.len()) as u64;
        let message_len = total_len.checked_sub(chunks_at).ok_or(EnvelopeError::DecryptFailed)?;
        let message_len = message_len.saturating_add(chunked::START_LEN as u64);
        let plaintext_len = chunked::opened_len(message_len).ok_or(EnvelopeError::DecryptFailed)?;
        let reader = Self { key, chunks_at, plaintext_len };
        reader.check_end(tail)?;
        Ok(reader)
    }

    /// The length of the plaintext.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.plaintext_len
    }

    /// Whether there is no plaintext.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.plaintext_len == 0
    }

    /// Which bytes of the envelope [`Reader::read`] wants for this range. None beyond the end.
    #[must_use]
    pub fn span(&self, offset: u64, len: u64) -> Span {
        self.extent(offset, len).map_or(Span { offset: 0, len: 0 }, |extent| extent.span)
    }

    /// The plaintext from `offset` on, as much of `len` as there is. `span`: those bytes of the envelope
    /// that [`Reader::span`] says.
    ///
    /// # Errors
    /// - [`EnvelopeError::DecryptFailed`]: they are not authentic.
    /// - [`EnvelopeError::InvalidArgument`]: they are not as many. - [`EnvelopeError::OutOfMemory`].
    pub fn read(&self, offset: u64, len: u64, span: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
        let mut out = chunked::zeroed(self.read_len(offset, len)?)?;
        self.read_into(offset, len, span, &mut out)?;
        Ok(out)
    }

    /// How much [`Reader::read`] gives of this range.
    pub(crate) fn read_len(&self, offset: u64, len: u64) -> Result<usize, EnvelopeError> {
        let available = self.plaintext_len.saturating_sub(offset).min(len);
        usize::try_from(available).map_err(|_| EnvelopeError::TooLarge)
    }

    /// [`Reader::read`] into a place of just the length that [`Reader::read_len`] says.
    pub(crate) fn read_into(
        &self,
        offset: u64,
        len: u64,
        span: &[u8],
        out: &mut [u8],
    ) -> Result<(), EnvelopeError> {
        let needed = self.read_len(offset, len)?;
        if out.len() != needed {
            return Err(EnvelopeError::BufferTooSmall(needed));
        }
        let Some(extent) = self.extent(offset, len) else {
            return if span.is_empty() { Ok(()) } else { Err(EnvelopeError::InvalidArgument) };
        };
        if span.len() as u64 != extent.span.len || extent.len != needed {
            return Err(EnvelopeError::InvalidArgument);
        }
        let opened = self.open_range(&extent, span, out);
        if opened.is_err() {
            out.zeroize();
        }
        opened
    }

    fn open_range(&self, extent: &Extent, span: &[u8], out: &mut [u8]) -> Result<(), EnvelopeError> {
        let mut rest = out;
        let mut skipped = extent.skipped;
        // Only the chunks at both ends, of which a part is wanted, take a detour.
        let mut part = Zeroizing::new(Vec::new());
        for (index, chunk) in (extent.first..).zip(span.chunks(SEALED_CHUNK_LEN)) {
            let chunk_len = chunk.len().checked_sub(TAG_LEN).ok_or(EnvelopeError::DecryptFailed)?;
            let wanted = chunk_len.saturating_sub(skipped).min(rest.len());
            let (place, after) = rest.split_at_mut_checked(wanted).ok_or(EnvelopeError::Internal)?;
            if wanted == chunk_len {
                self.key.open_chunk(index, chunk, place)?;
            } else {
                if part.is_empty() {
                    *part = chunked::zeroed(CHUNK_LEN)?;
                }
                let whole = part.get_mut(..chunk_len).ok_or(EnvelopeError::Internal)?;
                self.key.open_chunk(index, chunk, whole)?;
                let end = skipped.saturating_add(wanted);
                place.copy_from_slice(whole.get(skipped..end).ok_or(EnvelopeError::Internal)?);
            }
            skipped = 0;
            rest = after;
        }
        if rest.is_empty() { Ok(()) } else { Err(EnvelopeError::Internal) }
    }

    /// Opens the last chunk: it is shorter than the rest, and its index is the number of those before it,
    /// so that it stands nowhere but at the end of the whole.
    fn check_end(&self, tail: &[u8]) -> Result<(), EnvelopeError> {
        let last_len = usize::try_from(self.plaintext_len % CHUNK).map_err(|_| EnvelopeError::Internal)?;
        let start =
            tail.len().checked_sub(last_len.saturating_add(TAG_LEN)).ok_or(EnvelopeError::DecryptFailed)?;
        let chunk = tail.get(start..).ok_or(EnvelopeError::Internal)?;
        let mut plaintext = Zeroizing::new(chunked::zeroed(last_len)?);
        self.key.open_chunk(self.plaintext_len / CHUNK, chunk, &mut plaintext)
    }

    /// What there is of a range; `None` if nothing.
    fn extent(&self, offset: u64, len: u64) -> Option<Extent> {
        let len = self.plaintext_len.saturating_sub(offset).min(len);
        let last_byte = offset.checked_add(len.checked_sub(1)?)?;
        let (first, last) = (offset / CHUNK, last_byte / CHUNK);
        // The last chunk of all may be shorter.
        let end = (last.saturating_add(1)).saturating_mul(SEALED_CHUNK);
        let chunks_len = chunked::sealed_len(self.plaintext_len)?.checked_sub(chunked::START_LEN as u64)?;
        let start = first.saturating_mul(SEALED_CHUNK);
        Some(Extent {
            first,
            span: Span {
                offset: self.chunks_at.saturating_add(start),
                len: end.min(chunks_len).saturating_sub(start),
            },
            skipped: usize::try_from(offset % CHUNK).ok()?,
            len: usize::try_from(len).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::FixedEntropy;

    const SIZES: [usize; 7] = [0, 1, 16_383, 16_384, 16_385, 40_000, 49_152];

    fn sealer() -> Sealer {
        Sealer::from_external(&[1; 32], "kms", b"wrapped").unwrap()
    }

    fn plaintext(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i % 253) as u8).collect()
    }

    fn envelope(len: usize) -> Vec<u8> {
        sealer().seal(&Context::EMPTY, 0, &plaintext(len), &mut FixedEntropy::new(&[3; 24])).unwrap()
    }

    fn reader(envelope: &[u8]) -> Result<Reader, EnvelopeError> {
        let prefix = &envelope[..envelope.len().min(super::super::MAX_PREFIX_LEN)];
        let tail = &envelope[envelope.len() - envelope.len().min(MAX_TAIL_LEN)..];
        Reader::new(&sealer(), &Context::EMPTY, 0, prefix, tail, envelope.len() as u64)
    }

    #[test]
    fn every_range_is_that_of_the_plaintext() {
        for size in SIZES {
            let (envelope, plaintext) = (envelope(size), plaintext(size));
            let reader = reader(&envelope).unwrap();
            assert_eq!((reader.len(), reader.is_empty()), (size as u64, size == 0));
            let edges = [0, 1, 16_383, 16_384, 16_385, 32_768, 40_000, 49_152, 60_000];
            for offset in edges {
                for len in edges.into_iter().chain([usize::MAX]) {
                    let span = reader.span(offset as u64, len as u64);
                    let bytes = &envelope[span.offset as usize..(span.offset + span.len) as usize];
                    let start = offset.min(size);
                    let end = start + len.min(size - start);
                    let read = reader.read(offset as u64, len as u64, bytes).unwrap();
                    assert_eq!(read, &plaintext[start..end], "{size} {offset} {len}");
                }
            }
        }
    }

    #[test]
    fn an_envelope_without_its_end_makes_no_reader() {
        for size in SIZES {
            let envelope = envelope(size);
            for cut in 1..envelope.len() {
                // Every chunk's end, and some around it.
                if cut % 997 == 0
                    || cut > envelope.len() - 40
                    || (envelope.len() - cut) % SEALED_CHUNK_LEN < 2
                {
                    let cut = &envelope[..envelope.len() - cut];
                    assert_eq!(reader(cut).err(), Some(EnvelopeError::DecryptFailed), "{size} {}", cut.len());
                }
            }
            let longer = [&envelope[..], &[0]].concat();
            assert_eq!(reader(&longer).err(), Some(EnvelopeError::DecryptFailed));
        }
    }

    #[test]
    fn another_span_is_refused_and_a_changed_one_fails() {
        let envelope = envelope(40_000);
        let reader = reader(&envelope).unwrap();
        let span = reader.span(100, 20_000);
        let bytes = &envelope[span.offset as usize..(span.offset + span.len) as usize];
        assert_eq!(reader.read(100, 20_000, &bytes[1..]), Err(EnvelopeError::InvalidArgument));
        assert_eq!(reader.read(50_000, 1, &bytes[..1]), Err(EnvelopeError::InvalidArgument));
        let mut changed = bytes.to_vec();
        changed[20_000] ^= 1;
        let mut out = alloc::vec![1; 20_000];
        assert_eq!(reader.read_into(100, 20_000, &changed, &mut out), Err(EnvelopeError::DecryptFailed));
        assert!(out.iter().all(|byte| *byte == 0));
    }
}
