//! Lets the conformance shim choose what [`super::OsEntropy`] draws, on its own thread.

use alloc::vec::Vec;
use core::cell::RefCell;

use crate::entropy::{Entropy as _, EntropyError, FixedEntropy};

std::thread_local! {
    static CHOSEN: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// The bytes that this thread draws next; `None` for the operating system's.
pub fn choose(bytes: Option<&[u8]>) {
    CHOSEN.set(bytes.map(<[u8]>::to_vec));
}

/// Fills `out` from the chosen bytes, if any were chosen.
pub(super) fn fill(out: &mut [u8]) -> Option<Result<(), EntropyError>> {
    CHOSEN.with_borrow_mut(|chosen| {
        let chosen = chosen.as_mut()?;
        let drawn = FixedEntropy::new(chosen).fill(out);
        if drawn.is_ok() {
            chosen.drain(..out.len());
        }
        Some(drawn)
    })
}
