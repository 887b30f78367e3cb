//! `donjon_encryptor`.

use super::guard;
use super::memory::{Output, Slot, bytes, free, reference};
use super::sealer::{DONJON_ENVELOPE_PREFIX_MAX, donjon_sealer};
use crate::envelope::{Context, Encryptor, stream_bound};
use crate::error::Status;
use crate::runtime::{OsEntropy, SharedStream, Threads};

/// Seals one envelope of any size in constant memory. What is pushed from several threads comes in some
/// order. It belongs to the process that began it: after a fork, the child's copy is INVALID_ARGUMENT.
pub struct donjon_encryptor(SharedStream);

/// A cap that every push and finish of so much input is content with, of an encryptor and of a decryptor.
#[unsafe(no_mangle)]
pub extern "C" fn donjon_stream_bound(input_len: usize) -> usize {
    let mut bound = 0;
    guard(|| {
        bound = stream_bound(input_len);
        Ok(())
    });
    bound
}

/// Begins an envelope: writes all that stands before its first chunk.
///
/// context, now_s: as donjon_sealer_seal. threads: 1 to 64; pushes of 1 MiB and more are shared by so many.
/// cap: at least DONJON_ENVELOPE_PREFIX_MAX. The sealer may be freed afterwards.
///
/// Errors: as donjon_sealer_seal.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_encryptor_new(
    sealer: *const donjon_sealer,
    context: *const u8,
    context_len: usize,
    now_s: i64,
    threads: u32,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
    encryptor: *mut *mut donjon_encryptor,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sealer, context, out, encryptor) = unsafe {
            (
                reference(sealer)?,
                bytes(context, context_len)?,
                Output::new(out, cap, out_len)?,
                Slot::new(encryptor)?,
            )
        };
        let context = Context::from_encoded(context)?;
        let threads = Threads::new(threads).ok_or(Status::InvalidArgument)?;
        let out = out.require(DONJON_ENVELOPE_PREFIX_MAX)?;
        let (prefix, made) = Encryptor::new(&sealer.0, &context, now_s, &mut OsEntropy)?;
        out.write(&prefix)?;
        encryptor.put_handle(donjon_encryptor(SharedStream::new(made.into_stream(), threads)));
        Ok(())
    })
}

/// Pushes plaintext: writes the chunks that it completed, which may be none.
///
/// cap: donjon_stream_bound of the plaintext is enough. BUFFER_TOO_SMALL pushes nothing.
///
/// Errors: INVALID_ARGUMENT (after the end), TOO_LARGE, OUT_OF_MEMORY (no thread: the stream is over),
/// BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_encryptor_push(
    encryptor: *const donjon_encryptor,
    plaintext: *const u8,
    plaintext_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (encryptor, plaintext, out) = unsafe {
            (reference(encryptor)?, bytes(plaintext, plaintext_len)?, Output::new(out, cap, out_len)?)
        };
        push(&encryptor.0, plaintext, out)
    })
}

/// Ends the envelope: writes its last chunk. What was not finished does not open.
///
/// cap: donjon_stream_bound(0) is enough.
///
/// Errors: as donjon_encryptor_push.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_encryptor_finish(
    encryptor: *const donjon_encryptor,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (encryptor, out) = unsafe { (reference(encryptor)?, Output::new(out, cap, out_len)?) };
        finish(&encryptor.0, out)
    })
}

/// Frees an encryptor, and wipes its key and what it holds.
///
/// # Safety
/// encryptor is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_encryptor_free(encryptor: *mut donjon_encryptor) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(encryptor);
        Ok(())
    });
}

pub(super) fn push(stream: &SharedStream, input: &[u8], mut out: Output) -> Result<(), Status> {
    let mut written = 0;
    let place = &mut out;
    stream.push(input, |needed| {
        written = needed;
        place.claim(needed, &[input])
    })?;
    out.wrote(written);
    Ok(())
}

pub(super) fn finish(stream: &SharedStream, mut out: Output) -> Result<(), Status> {
    let mut written = 0;
    let place = &mut out;
    stream.finish(|needed| {
        written = needed;
        place.claim(needed, &[])
    })?;
    out.wrote(written);
    Ok(())
}
