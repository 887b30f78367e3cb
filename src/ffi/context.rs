//! Contexts.

use super::guard;
use super::memory::{Output, bytes};
use crate::envelope::Context;

/// The longest context, in bytes: all parts, and four bytes for each.
pub const DONJON_CONTEXT_MAX: usize = 4096;

/// Appends a part to a context: the place that a ciphertext belongs to, such as table, column and row. It
/// begins empty, and must be the same when sealing and when opening.
///
/// A part is encoded as its length, four bytes big-endian, and itself, so that ("ab", "c") and ("a", "bc")
/// differ; functions that take a context refuse what is not encoded so.
/// out: the context with the part; may be where context is. cap: DONJON_CONTEXT_MAX is enough for any.
///
/// Errors: TOO_LARGE, INVALID_ARGUMENT (no context), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_context_append(
    context: *const u8,
    context_len: usize,
    part: *const u8,
    part_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (context, part, out) = unsafe {
            (bytes(context, context_len)?, bytes(part, part_len)?, Output::new(out, cap, out_len)?)
        };
        out.write(Context::from_encoded(context)?.with(part)?.as_encoded())
    })
}
