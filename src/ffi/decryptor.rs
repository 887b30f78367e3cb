//! `donjon_decryptor`.

use super::encryptor::{finish, push};
use super::guard;
use super::memory::{Output, Slot, bytes, free, reference};
use super::sealer::donjon_sealer;
use crate::envelope::{Context, Decryptor};
use crate::error::Status;
use crate::runtime::{SharedStream, Threads};

/// Opens one envelope of any size in constant memory. What it writes is authentic, chunk by chunk; that it
/// was the whole, donjon_decryptor_finish says: until then, use nothing of it that the rest could change.
/// It belongs to the process that began it, as an encryptor does.
pub struct donjon_decryptor(SharedStream);

/// Reads the beginning of an envelope.
///
/// context, now_s: as donjon_sealer_open. threads: as donjon_encryptor_new.
/// prefix: the envelope's first DONJON_ENVELOPE_PREFIX_MAX bytes, or all of a shorter one.
/// consumed: how many of them stand before the first chunk; push what comes after those.
///
/// Errors: as donjon_sealer_open.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_decryptor_new(
    sealer: *const donjon_sealer,
    context: *const u8,
    context_len: usize,
    now_s: i64,
    threads: u32,
    prefix: *const u8,
    prefix_len: usize,
    consumed: *mut usize,
    decryptor: *mut *mut donjon_decryptor,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sealer, context, prefix, consumed, decryptor) = unsafe {
            (
                reference(sealer)?,
                bytes(context, context_len)?,
                bytes(prefix, prefix_len)?,
                Slot::new(consumed)?,
                Slot::new(decryptor)?,
            )
        };
        let context = Context::from_encoded(context)?;
        let threads = Threads::new(threads).ok_or(Status::InvalidArgument)?;
        let (len, made) = Decryptor::new(&sealer.0, &context, now_s, prefix)?;
        consumed.put(len);
        decryptor.put_handle(donjon_decryptor(SharedStream::new(made.into_stream(), threads)));
        Ok(())
    })
}

/// Pushes what comes next of the envelope: writes the plaintext of the chunks that it completed.
///
/// cap: donjon_stream_bound of the input is enough. BUFFER_TOO_SMALL pushes nothing.
///
/// Errors: DECRYPT_FAILED (a chunk is not authentic; from then on always), INVALID_ARGUMENT (after the
/// end), TOO_LARGE, OUT_OF_MEMORY (no thread), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_decryptor_push(
    decryptor: *const donjon_decryptor,
    sealed: *const u8,
    sealed_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (decryptor, sealed, out) =
            unsafe { (reference(decryptor)?, bytes(sealed, sealed_len)?, Output::new(out, cap, out_len)?) };
        push(&decryptor.0, sealed, out)
    })
}

/// Ends the envelope: writes the plaintext of its last chunk. OK says that the whole was there.
///
/// cap: donjon_stream_bound(0) is enough.
///
/// Errors: as donjon_decryptor_push.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_decryptor_finish(
    decryptor: *const donjon_decryptor,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (decryptor, out) = unsafe { (reference(decryptor)?, Output::new(out, cap, out_len)?) };
        finish(&decryptor.0, out)
    })
}

/// Frees a decryptor, and wipes its key and what it holds.
///
/// # Safety
/// decryptor is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_decryptor_free(decryptor: *mut donjon_decryptor) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(decryptor);
        Ok(())
    });
}
