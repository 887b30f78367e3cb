//! Columns of sqlalchemy-utils' `AesEngine`.

use super::guard;
use super::memory::{Output, bytes};
use crate::aes_engine::{Padding, open, plaintext_bound};
use crate::error::Status;

/// sqlalchemy-utils' padding "pkcs5".
pub const DONJON_PADDING_PKCS5: u32 = 0;
/// sqlalchemy-utils' padding "naive", which a column has that names none.
pub const DONJON_PADDING_NAIVE: u32 = 1;
/// sqlalchemy-utils' padding "oneandzeroes".
pub const DONJON_PADDING_ONE_AND_ZEROES: u32 = 2;
/// sqlalchemy-utils' padding "zeroes".
pub const DONJON_PADDING_ZEROES: u32 = 3;

fn padding(number: u32) -> Result<Padding, Status> {
    match number {
        DONJON_PADDING_PKCS5 => Ok(Padding::Pkcs5),
        DONJON_PADDING_NAIVE => Ok(Padding::Naive),
        DONJON_PADDING_ONE_AND_ZEROES => Ok(Padding::OneAndZeroes),
        DONJON_PADDING_ZEROES => Ok(Padding::Zeroes),
        _ => Err(Status::InvalidArgument),
    }
}

/// Opens the text of a column that sqlalchemy-utils' AesEngine wrote, to be sealed anew: UTF-8. There is no
/// writing it: it is not authenticated, so that whoever can write the column can change what this returns,
/// and can read it where an answer depends on what opens (a padding oracle). About one wrong secret in a
/// million opens a short value, to a text that nobody wrote.
///
/// secret: the column's, as it was configured. padding: one of DONJON_PADDING_*.
/// cap: at least the longest value that so many characters may hold, which BUFFER_TOO_SMALL says before any
///   work; text_len is always enough.
///
/// Errors: DECRYPT_FAILED (another secret, another padding, not what AesEngine wrote), INVALID_ARGUMENT
/// (padding), OUT_OF_MEMORY, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_aes_engine_open(
    secret: *const u8,
    secret_len: usize,
    padding: u32,
    text: *const u8,
    text_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (secret, text, out) =
            unsafe { (bytes(secret, secret_len)?, bytes(text, text_len)?, Output::new(out, cap, out_len)?) };
        let padding = self::padding(padding)?;
        let out = out.require(plaintext_bound(text.len()))?;
        out.write(open(secret, padding, text)?.as_bytes())
    })
}
