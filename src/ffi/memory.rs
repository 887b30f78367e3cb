//! Pointers in, copies out: the unsafe steps that every function shares.

use alloc::borrow::Cow;
use alloc::boxed::Box;

use crate::error::Status;

/// The bytes at `ptr`.
///
/// # Safety
/// Where `ptr` is not null, `len` bytes behind it are readable and unchanging for `'a`.
pub(super) unsafe fn bytes<'a>(ptr: *const u8, len: usize) -> Result<&'a [u8], Status> {
    if len == 0 {
        return Ok(&[]);
    }
    if ptr.is_null() || isize::try_from(len).is_err() {
        return Err(Status::InvalidArgument);
    }
    // SAFETY: not null, no longer than `isize::MAX`, and readable by the caller's promise.
    Ok(unsafe { core::slice::from_raw_parts(ptr, len) })
}

/// The UTF-8 text at `ptr`.
///
/// # Safety
/// As [`bytes`].
pub(super) unsafe fn text<'a>(ptr: *const u8, len: usize) -> Result<&'a str, Status> {
    // SAFETY: the caller's promise is the same.
    let bytes = unsafe { bytes(ptr, len) }?;
    core::str::from_utf8(bytes).map_err(|_| Status::InvalidArgument)
}

/// The text at `ptr`, which may be a client's. What is not UTF-8 becomes U+FFFD, which no name contains, so
/// that it is denied like every other name that nobody has.
///
/// # Safety
/// As [`bytes`].
pub(super) unsafe fn foreign_text<'a>(ptr: *const u8, len: usize) -> Result<Cow<'a, str>, Status> {
    // SAFETY: the caller's promise is the same.
    Ok(alloc::string::String::from_utf8_lossy(unsafe { bytes(ptr, len) }?))
}

/// The text at `ptr`, or `None` if it is empty.
///
/// # Safety
/// As [`bytes`].
pub(super) unsafe fn optional_text<'a>(ptr: *const u8, len: usize) -> Result<Option<&'a str>, Status> {
    // SAFETY: the caller's promise is the same.
    let text = unsafe { text(ptr, len) }?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// What a handle or a plain structure of the caller's points to.
///
/// # Safety
/// Where `ptr` is not null, it points to a live `T` that nobody changes during `'a`.
pub(super) unsafe fn reference<'a, T>(ptr: *const T) -> Result<&'a T, Status> {
    if !ptr.is_aligned() {
        return Err(Status::InvalidArgument);
    }
    // SAFETY: aligned, and live by the caller's promise.
    unsafe { ptr.as_ref() }.ok_or(Status::InvalidArgument)
}

/// What a handle points to, or `None` if it is null.
///
/// # Safety
/// As [`reference`].
pub(super) unsafe fn optional_reference<'a, T>(ptr: *const T) -> Result<Option<&'a T>, Status> {
    if ptr.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise is the same.
    unsafe { reference(ptr) }.map(Some)
}

/// A place that one `T` is written to, once, when everything else has gone well.
pub(super) struct Slot<T>(*mut T);

impl<T> Slot<T> {
    /// # Safety
    /// Where `ptr` is not null, it is valid for writing one `T`.
    pub(super) unsafe fn new(ptr: *mut T) -> Result<Self, Status> {
        if ptr.is_null() || !ptr.is_aligned() {
            return Err(Status::InvalidArgument);
        }
        Ok(Self(ptr))
    }

    pub(super) fn put(mut self, value: T) {
        self.set(value);
    }

    fn set(&mut self, value: T) {
        // SAFETY: not null, aligned, and valid for writing by the promise given to `new`.
        unsafe { self.0.write(value) }
    }
}

impl<T> Slot<*mut T> {
    /// Gives the caller a handle to own.
    pub(super) fn put_handle(self, value: T) {
        self.put(Box::into_raw(Box::new(value)));
    }
}

/// Takes a handle back and drops it.
///
/// # Safety
/// `handle` is null, or came from [`Slot::put_handle`] and was not freed.
pub(super) unsafe fn free<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: from `Box::into_raw`, and freed once, by the caller's promise.
        drop(unsafe { Box::from_raw(handle) });
    }
}

/// A byte output: `(out, cap, out_len)`.
pub(super) struct Output {
    out: *mut u8,
    cap: usize,
    out_len: Slot<usize>,
}

impl Output {
    /// # Safety
    /// Where they are not null, `cap` bytes at `out` and one `size_t` at `out_len` are writable.
    pub(super) unsafe fn new(out: *mut u8, cap: usize, out_len: *mut usize) -> Result<Self, Status> {
        if (out.is_null() && cap > 0) || isize::try_from(cap).is_err() {
            return Err(Status::InvalidArgument);
        }
        // SAFETY: the caller's promise is the same.
        let out_len = unsafe { Slot::new(out_len) }?;
        Ok(Self { out, cap, out_len })
    }

    /// Refuses now if fewer than `bound` bytes fit, before anything is made.
    pub(super) fn require(mut self, bound: usize) -> Result<Self, Status> {
        self.check_room(bound)?;
        Ok(self)
    }

    fn check_room(&mut self, needed: usize) -> Result<(), Status> {
        if self.cap >= needed {
            return Ok(());
        }
        self.out_len.set(needed);
        Err(Status::BufferTooSmall)
    }

    /// Gives `make` the first `len` bytes of the output to write, and says that they were written if it
    /// succeeds.
    pub(super) fn fill<E: Into<Status>>(
        mut self,
        len: usize,
        inputs: &[&[u8]],
        make: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<(), Status> {
        make(self.claim(len, inputs)?).map_err(Into::into)?;
        self.wrote(len);
        Ok(())
    }

    /// The first `len` bytes of the output. Refused if they do not fit, or share memory with an input.
    pub(super) fn claim(&mut self, len: usize, inputs: &[&[u8]]) -> Result<&mut [u8], Status> {
        self.check_room(len)?;
        if len == 0 {
            return Ok(&mut []);
        }
        let (start, end) = (self.out.addr(), self.out.addr().saturating_add(len));
        let overlaps = |input: &&[u8]| {
            let input_start = input.as_ptr().addr();
            !input.is_empty() && input_start < end && start < input_start.saturating_add(input.len())
        };
        if inputs.iter().any(overlaps) {
            return Err(Status::InvalidArgument);
        }
        // SAFETY: `len` ≤ `cap` bytes are writable, by the promise given to `new`, and no input's.
        Ok(unsafe { core::slice::from_raw_parts_mut(self.out, len) })
    }

    /// Says that the first `len` bytes were written.
    pub(super) fn wrote(mut self, len: usize) {
        self.out_len.set(len);
    }

    pub(super) fn write(self, bytes: &[u8]) -> Result<(), Status> {
        let this = self.require(bytes.len())?;
        if !bytes.is_empty() {
            // SAFETY: `cap` ≥ `bytes.len()` bytes are writable; `copy` allows them to overlap.
            unsafe { core::ptr::copy(bytes.as_ptr(), this.out, bytes.len()) };
        }
        this.out_len.put(bytes.len());
        Ok(())
    }
}
