//! `donjon_reader`.

use super::guard;
use super::memory::{Output, Slot, bytes, free, reference};
use super::sealer::donjon_sealer;
use crate::envelope::{Context, MAX_TAIL_LEN, Reader};

/// As many last bytes of an envelope as tell that it is whole.
pub const DONJON_READER_TAIL_MAX: usize = 16399;

/// Opens any range of an envelope that the host keeps, from just the chunks that hold it.
pub struct donjon_reader(Reader);

/// Makes a reader, once the end of the envelope has been seen to be its end.
///
/// context, now_s: as donjon_sealer_open. prefix: the envelope's first DONJON_ENVELOPE_PREFIX_MAX bytes,
/// tail: its last DONJON_READER_TAIL_MAX bytes, or both all of a shorter one. total_len: of all of it.
///
/// Errors: as donjon_sealer_open; INVALID_ARGUMENT (a tail of another length).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_reader_new(
    sealer: *const donjon_sealer,
    context: *const u8,
    context_len: usize,
    now_s: i64,
    prefix: *const u8,
    prefix_len: usize,
    tail: *const u8,
    tail_len: usize,
    total_len: u64,
    out: *mut *mut donjon_reader,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sealer, context, prefix, tail, out) = unsafe {
            (
                reference(sealer)?,
                bytes(context, context_len)?,
                bytes(prefix, prefix_len)?,
                bytes(tail, tail_len)?,
                Slot::new(out)?,
            )
        };
        let context = Context::from_encoded(context)?;
        out.put_handle(donjon_reader(Reader::new(&sealer.0, &context, now_s, prefix, tail, total_len)?));
        Ok(())
    })
}

/// The length of the plaintext.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_reader_len(reader: *const donjon_reader, out: *mut u64) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (reader, out) = unsafe { (reference(reader)?, Slot::new(out)?) };
        out.put(reader.0.len());
        Ok(())
    })
}

/// Which bytes of the envelope donjon_reader_read wants for a range of plaintext; none beyond its end.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_reader_span(
    reader: *const donjon_reader,
    offset: u64,
    len: u64,
    span_offset: *mut u64,
    span_len: *mut u64,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (reader, span_offset, span_len) =
            unsafe { (reference(reader)?, Slot::new(span_offset)?, Slot::new(span_len)?) };
        let span = reader.0.span(offset, len);
        span_offset.put(span.offset);
        span_len.put(span.len);
        Ok(())
    })
}

/// Opens a range of plaintext: as much of len as there is from offset on.
///
/// span: the bytes of the envelope that donjon_reader_span says. cap: at least what comes out; len is
/// always enough.
///
/// Errors: DECRYPT_FAILED (they are not authentic), INVALID_ARGUMENT (they are not as many), TOO_LARGE,
/// OUT_OF_MEMORY, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_reader_read(
    reader: *const donjon_reader,
    offset: u64,
    len: u64,
    span: *const u8,
    span_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (reader, span, out) =
            unsafe { (reference(reader)?, bytes(span, span_len)?, Output::new(out, cap, out_len)?) };
        out.fill(reader.0.read_len(offset, len)?, &[span], |out| reader.0.read_into(offset, len, span, out))
    })
}

/// Frees a reader, and wipes its key.
///
/// # Safety
/// reader is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_reader_free(reader: *mut donjon_reader) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(reader);
        Ok(())
    });
}

const _: () = assert!(DONJON_READER_TAIL_MAX == MAX_TAIL_LEN);
