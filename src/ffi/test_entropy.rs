//! Chosen bytes in the place of the operating system's, for the conformance shim alone.

use super::guard;
use super::memory::bytes;
use crate::runtime::test_entropy;

/// The bytes that calls of this thread draw from now on; once they run dry, ENTROPY_UNAVAILABLE.
/// (NULL, 0) goes back to the operating system. Only in libraries built for the conformance shim.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_test_entropy(entropy: *const u8, entropy_len: usize) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let chosen = unsafe { bytes(entropy, entropy_len) }?;
        test_entropy::choose(if entropy.is_null() { None } else { Some(chosen) });
        Ok(())
    })
}
