//! Byte strings: several as one, so that (`ab`, `c`) and (`a`, `bc`) differ, and secret ones as text.

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

/// The text that secret bytes are, not copied. What is not UTF-8 is wiped.
pub(crate) fn secret_text(mut bytes: Zeroizing<Vec<u8>>) -> Option<Zeroizing<String>> {
    core::str::from_utf8(&bytes).ok()?;
    String::from_utf8(core::mem::take(&mut *bytes)).ok().map(Zeroizing::new)
}
