//! `bytes` of Python that the ABI writes: nothing is filled with zeros before, and nothing copied after.

use std::mem::MaybeUninit;
use std::{ptr, slice};

use pyo3::ffi as python;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::{Failure, Outcome, check};

/// Room for what a call writes.
pub(crate) type Room = [MaybeUninit<u8>];

/// What came of a call that was given room. Made only here.
pub(crate) struct Written(Extent);

#[derive(Clone, Copy)]
enum Extent {
    /// So many bytes are written, to the start of the room.
    All(usize),
    /// So many would be; nothing was done.
    Wanted(usize),
}

/// Has `call` write to `room`.
pub(super) fn write(
    room: &mut Room,
    call: impl FnOnce(*mut u8, usize, *mut usize) -> i32,
) -> Outcome<Written> {
    let mut len = 0;
    match check(call(room.as_mut_ptr().cast(), room.len(), &raw mut len)) {
        Ok(()) if len <= room.len() => Ok(Written(Extent::All(len))),
        Ok(()) => Err(Failure::INTERNAL_ERROR),
        Err(Failure::BUFFER_TOO_SMALL) => Ok(Written(Extent::Wanted(len))),
        Err(failure) => Err(failure),
    }
}

/// A `bytes` of what `write` writes, which says how long that is before it does anything.
pub(crate) fn bytes_as_long_as_wanted<'py>(
    py: Python<'py>,
    write: impl Fn(&mut Room) -> Outcome<Written>,
) -> Outcome<Bound<'py, PyBytes>> {
    match write(&mut [])?.0 {
        // There was nothing to write, so it is done.
        Extent::All(_) => Ok(PyBytes::new(py, &[])),
        Extent::Wanted(len) => bytes(py, len, write),
    }
}

/// A `bytes` of just `len`, which `write` fills; it may give up the interpreter's lock meanwhile.
pub(crate) fn bytes<'py>(
    py: Python<'py>,
    len: usize,
    write: impl FnOnce(&mut Room) -> Outcome<Written>,
) -> Outcome<Bound<'py, PyBytes>> {
    let size = python::Py_ssize_t::try_from(len).map_err(|_| Failure::OUT_OF_MEMORY)?;
    // SAFETY: where there is no text to copy, CPython leaves the bytes as they are; the object is ours.
    let object =
        unsafe { Bound::from_owned_ptr_or_opt(py, python::PyBytes_FromStringAndSize(ptr::null(), size)) };
    let Some(object) = object else {
        drop(PyErr::take(py));
        return Err(Failure::OUT_OF_MEMORY);
    };
    // SAFETY: it is a `bytes` of `len` that nobody else has seen, so it may still be written to; but for
    // the empty one, which is shared, and where there is nothing to write.
    let room = unsafe { slice::from_raw_parts_mut(python::PyBytes_AsString(object.as_ptr()).cast(), len) };
    match write(room)?.0 {
        Extent::All(written) if written == len => object.cast_into().map_err(|_| Failure::INTERNAL_ERROR),
        _ => Err(Failure::INTERNAL_ERROR),
    }
}

/// As [`bytes`], where only a bound of the length is known: written elsewhere, and copied.
pub(crate) fn bytes_of_up_to<'py>(
    py: Python<'py>,
    bound: usize,
    write: impl FnOnce(&mut Room) -> Outcome<Written>,
) -> Outcome<Bound<'py, PyBytes>> {
    const USUAL: usize = 2048;
    if let Some(room) = [MaybeUninit::uninit(); USUAL].get_mut(..bound) {
        return copied(py, room, write);
    }
    let mut room: Vec<u8> = Vec::new();
    room.try_reserve_exact(bound).map_err(|_| Failure::OUT_OF_MEMORY)?;
    copied(py, room.spare_capacity_mut(), write)
}

fn copied<'py>(
    py: Python<'py>,
    room: &mut Room,
    write: impl FnOnce(&mut Room) -> Outcome<Written>,
) -> Outcome<Bound<'py, PyBytes>> {
    let Extent::All(len) = write(room)?.0 else { return Err(Failure::INTERNAL_ERROR) };
    // SAFETY: `len` bytes of the room are written.
    Ok(PyBytes::new(py, unsafe { slice::from_raw_parts(room.as_ptr().cast(), len) }))
}

/// Copies `bytes` to a room that is as long.
pub(super) fn copy(bytes: &[u8], room: &mut Room) {
    for (place, byte) in room.iter_mut().zip(bytes) {
        place.write(*byte);
    }
}

/// A `bytes` of the parts, one after the other.
pub(crate) fn joined<'py>(py: Python<'py>, parts: [&[u8]; 2]) -> Outcome<Bound<'py, PyBytes>> {
    let len = parts.iter().map(|part| part.len()).sum();
    bytes(py, len, |room| {
        let [first, second] = parts;
        let (start, end) = room.split_at_mut_checked(first.len()).ok_or(Failure::INTERNAL_ERROR)?;
        copy(first, start);
        copy(second, end);
        Ok(Written(Extent::All(len)))
    })
}
