//! A Rust archive of somebody else's, with an allocator, a panic and a name of
//! its own. Every Rust archive brings the standard library along.

use std::panic::catch_unwind;

/// Allocates, panics, catches, and returns how much it had allocated.
#[unsafe(no_mangle)]
pub extern "C" fn second_archive(len: usize) -> usize {
    let caught = catch_unwind(|| {
        let text = "x".repeat(len);
        std::panic::resume_unwind(Box::new(text));
    });
    caught.err().and_then(|text| text.downcast::<String>().ok()).map_or(0, |text| text.len())
}
