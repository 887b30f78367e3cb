//! Where other threads go on meanwhile.

use pyo3::prelude::*;

use crate::abi;

/// For less than this, giving up the interpreter's lock would take longer than the work.
const LONG: usize = abi::CHUNK_LEN;

/// Does `work` on so many bytes, and lets other threads go on if they are many.
pub(crate) fn run<T: Send>(py: Python<'_>, len: usize, work: impl FnOnce() -> T + Send) -> T {
    if is_long(len) { py.detach(work) } else { work() }
}

pub(crate) const fn is_long(len: usize) -> bool {
    len > LONG
}
