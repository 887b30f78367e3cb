//! Byte strings: several as one, so that (`ab`, `c`) and (`a`, `bc`) differ, read piece by piece, and secret
//! ones as text.

use alloc::string::String;
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// Appends `lp(part)`: the length of `part` as a big-endian u32, then `part`.
pub(crate) fn lp(part: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&length(part));
    out.extend_from_slice(part);
}

/// The four bytes that `lp` puts before `part`.
// Nothing that comes here reaches 4 GiB: tokens, key ids and states are bounded far below. A longer
// part would saturate, and be told apart from its like by its bytes alone.
pub(crate) fn length(part: &[u8]) -> [u8; 4] {
    u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes()
}

/// What is left to be read.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (read, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(read)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (read, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(read)
    }

    /// The part that `lp` wrote.
    pub(crate) fn part(&mut self) -> Option<&'a [u8]> {
        let len = u32::from_be_bytes(*self.array()?);
        self.bytes(usize::try_from(len).ok()?)
    }
}

/// The text that secret bytes are, not copied. What is not UTF-8 is wiped.
pub(crate) fn secret_text(mut bytes: Zeroizing<Vec<u8>>) -> Option<Zeroizing<String>> {
    core::str::from_utf8(&bytes).ok()?;
    String::from_utf8(core::mem::take(&mut *bytes)).ok().map(Zeroizing::new)
}
