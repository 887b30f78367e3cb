//! Sealers, streams, readers, and what belongs to them.

use std::mem::MaybeUninit;
use std::slice;

use super::bytes::{Room, Written, copy, write};
use super::{Failure, Handle, Keyring, Noun, Outcome, answer, check, ffi, fill};

impl Noun for ffi::donjon_sealer {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_sealer_free;
}

impl Noun for ffi::donjon_encryptor {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_encryptor_free;
}

impl Noun for ffi::donjon_decryptor {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_decryptor_free;
}

impl Noun for ffi::donjon_reader {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_reader_free;
}

impl Noun for ffi::donjon_blind_index {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_blind_index_free;
}

pub(crate) use ffi::{DONJON_CHUNK_LEN as CHUNK_LEN, DONJON_ENVELOPE_PREFIX_MAX as PREFIX_MAX};

/// Where something is sealed, encoded part by part, on the stack.
pub(crate) struct Context {
    encoded: [MaybeUninit<u8>; ffi::DONJON_CONTEXT_MAX],
    // INVARIANT: so many bytes of it are written.
    len: usize,
}

impl Context {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self { encoded: [MaybeUninit::uninit(); ffi::DONJON_CONTEXT_MAX], len: 0 }
    }

    /// A part is its length, four bytes, big-endian, and itself; the kernel refuses anything else.
    pub(crate) fn push(&mut self, part: &[u8]) -> Outcome<()> {
        let len = u32::try_from(part.len()).map_err(|_| Failure::TOO_LARGE)?;
        self.append(&len.to_be_bytes())?;
        self.append(part)
    }

    fn append(&mut self, bytes: &[u8]) -> Outcome<()> {
        let end = self.len.saturating_add(bytes.len());
        let room = self.encoded.get_mut(self.len..end).ok_or(Failure::TOO_LARGE)?;
        copy(bytes, room);
        self.len = end;
        Ok(())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        // SAFETY: the invariant of `len`.
        unsafe { slice::from_raw_parts(self.encoded.as_ptr().cast(), self.len) }
    }
}

pub(crate) struct Sealer(Handle<ffi::donjon_sealer>);

/// Argon2's.
#[derive(Clone, Copy)]
pub(crate) struct PassphraseCost {
    pub(crate) memory_kib: u32,
    pub(crate) time_cost: u32,
    pub(crate) parallelism: u32,
}

/// A header that takes the place of another one.
pub(crate) struct NewHeader {
    pub(crate) bytes: Vec<u8>,
    pub(crate) old_len: usize,
}

impl Sealer {
    pub(crate) fn new(keyring: &Keyring) -> Outcome<Self> {
        // SAFETY: the module's contract.
        Handle::make(|out| unsafe { ffi::donjon_sealer_new(keyring.0.get(), out) }).map(Self)
    }

    pub(crate) fn from_passphrase(passphrase: &[u8], cost: PassphraseCost) -> Outcome<Self> {
        // SAFETY: the module's contract.
        Handle::make(|out| unsafe {
            ffi::donjon_sealer_from_passphrase(
                passphrase.as_ptr(),
                passphrase.len(),
                cost.memory_kib,
                cost.time_cost,
                cost.parallelism,
                out,
            )
        })
        .map(Self)
    }

    pub(crate) fn from_external(data_key: &[u8], key_id: &str, wrapped_key: &[u8]) -> Outcome<Self> {
        // SAFETY: the module's contract.
        Handle::make(|out| unsafe {
            ffi::donjon_sealer_from_external(
                data_key.as_ptr(),
                data_key.len(),
                key_id.as_ptr(),
                key_id.len(),
                wrapped_key.as_ptr(),
                wrapped_key.len(),
                out,
            )
        })
        .map(Self)
    }

    pub(crate) fn key_id(&self) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        answer(|out, cap, len| unsafe { ffi::donjon_sealer_key_id(self.0.get(), out, cap, len) })
    }

    pub(crate) fn sealed_len(&self, plaintext_len: usize) -> Outcome<usize> {
        let mut len = 0;
        // SAFETY: the module's contract.
        check(unsafe { ffi::donjon_sealer_sealed_len(self.0.get(), plaintext_len, &raw mut len) })?;
        Ok(len)
    }

    pub(crate) fn seal(
        &self,
        context: &[u8],
        now_s: i64,
        plaintext: &[u8],
        room: &mut Room,
    ) -> Outcome<Written> {
        // SAFETY: the module's contract.
        write(room, |out, cap, len| unsafe {
            ffi::donjon_sealer_seal(
                self.0.get(),
                context.as_ptr(),
                context.len(),
                now_s,
                plaintext.as_ptr(),
                plaintext.len(),
                out,
                cap,
                len,
            )
        })
    }

    pub(crate) fn open(
        &self,
        context: &[u8],
        now_s: i64,
        envelope: &[u8],
        room: &mut Room,
    ) -> Outcome<Written> {
        write(room, |out, cap, len| self.raw_open(context, now_s, envelope, out, cap, len))
    }

    fn raw_open(
        &self,
        context: &[u8],
        now_s: i64,
        envelope: &[u8],
        out: *mut u8,
        cap: usize,
        len: *mut usize,
    ) -> i32 {
        // SAFETY: the module's contract.
        unsafe {
            ffi::donjon_sealer_open(
                self.0.get(),
                context.as_ptr(),
                context.len(),
                now_s,
                envelope.as_ptr(),
                envelope.len(),
                out,
                cap,
                len,
            )
        }
    }

    pub(crate) fn needs_rewrap(&self, prefix: &[u8]) -> Outcome<bool> {
        let mut out = 0;
        // SAFETY: the module's contract.
        check(unsafe {
            ffi::donjon_sealer_needs_rewrap(self.0.get(), prefix.as_ptr(), prefix.len(), &raw mut out)
        })?;
        Ok(out != 0)
    }

    pub(crate) fn rewrap(&self, to: &Self, now_s: i64, prefix: &[u8]) -> Outcome<NewHeader> {
        let mut old_len = 0;
        // SAFETY: the module's contract.
        let bytes = fill(PREFIX_MAX, |out, cap, len| unsafe {
            ffi::donjon_sealer_rewrap(
                self.0.get(),
                to.0.get(),
                now_s,
                prefix.as_ptr(),
                prefix.len(),
                &raw mut old_len,
                out,
                cap,
                len,
            )
        })?;
        Ok(NewHeader { bytes, old_len })
    }

    /// A data key, and what to store of it.
    pub(crate) fn new_data_key(&self, scope: &[u8], now_s: i64) -> Outcome<(Self, Vec<u8>)> {
        let mut wrapped = Ok(Vec::new());
        let data_key = Handle::make(|data_key| {
            // SAFETY: the module's contract.
            wrapped = fill(PREFIX_MAX, |out, cap, len| unsafe {
                ffi::donjon_data_key_new(
                    self.0.get(),
                    scope.as_ptr(),
                    scope.len(),
                    now_s,
                    out,
                    cap,
                    len,
                    data_key,
                )
            });
            wrapped.as_ref().map_or_else(|failure| failure.status(), |_| ffi::DONJON_OK)
        })?;
        Ok((Self(data_key), wrapped?))
    }

    pub(crate) fn open_data_key(&self, scope: &[u8], now_s: i64, wrapped: &[u8]) -> Outcome<Self> {
        // SAFETY: the module's contract.
        Handle::make(|out| unsafe {
            ffi::donjon_data_key_open(
                self.0.get(),
                scope.as_ptr(),
                scope.len(),
                now_s,
                wrapped.as_ptr(),
                wrapped.len(),
                out,
            )
        })
        .map(Self)
    }

    pub(crate) fn rewrap_data_key(
        &self,
        to: &Self,
        scope: &[u8],
        now_s: i64,
        wrapped: &[u8],
    ) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        fill(PREFIX_MAX, |out, cap, len| unsafe {
            ffi::donjon_data_key_rewrap(
                self.0.get(),
                to.0.get(),
                scope.as_ptr(),
                scope.len(),
                now_s,
                wrapped.as_ptr(),
                wrapped.len(),
                out,
                cap,
                len,
            )
        })
    }
}

/// Why [`Sealer::new`] refuses a keyring.
pub(crate) fn sealer_diagnose(keyring: &Keyring) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    answer(|out, cap, len| unsafe { ffi::donjon_sealer_diagnose(keyring.0.get(), out, cap, len) })
}

pub(crate) fn envelope_inspect(prefix: &[u8]) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    answer(|out, cap, len| unsafe {
        ffi::donjon_envelope_inspect(prefix.as_ptr(), prefix.len(), out, cap, len)
    })
}

pub(crate) fn external_key_generate(room: &mut Room) -> Outcome<Written> {
    // SAFETY: the module's contract.
    write(room, |out, cap, len| unsafe { ffi::donjon_external_key_generate(out, cap, len) })
}

pub(crate) use ffi::DONJON_DATA_KEY_LEN as DATA_KEY_LEN;

// ---- streams ----

pub(crate) struct Encryptor(Handle<ffi::donjon_encryptor>);

impl Encryptor {
    /// The encryptor, and what stands before the first chunk.
    pub(crate) fn new(sealer: &Sealer, context: &[u8], now_s: i64, threads: u32) -> Outcome<(Self, Vec<u8>)> {
        let mut prefix = Ok(Vec::new());
        let encryptor = Handle::make(|encryptor| {
            // SAFETY: the module's contract.
            prefix = fill(PREFIX_MAX, |out, cap, len| unsafe {
                ffi::donjon_encryptor_new(
                    sealer.0.get(),
                    context.as_ptr(),
                    context.len(),
                    now_s,
                    threads,
                    out,
                    cap,
                    len,
                    encryptor,
                )
            });
            prefix.as_ref().map_or_else(|failure| failure.status(), |_| ffi::DONJON_OK)
        })?;
        Ok((Self(encryptor), prefix?))
    }
}

pub(crate) struct Decryptor(Handle<ffi::donjon_decryptor>);

impl Decryptor {
    /// The decryptor, and how much of the prefix it has read.
    pub(crate) fn new(
        sealer: &Sealer,
        context: &[u8],
        now_s: i64,
        threads: u32,
        prefix: &[u8],
    ) -> Outcome<(Self, usize)> {
        let mut consumed = 0;
        let decryptor = Handle::make(|out| {
            // SAFETY: the module's contract.
            unsafe {
                ffi::donjon_decryptor_new(
                    sealer.0.get(),
                    context.as_ptr(),
                    context.len(),
                    now_s,
                    threads,
                    prefix.as_ptr(),
                    prefix.len(),
                    &raw mut consumed,
                    out,
                )
            }
        })?;
        Ok((Self(decryptor), consumed))
    }
}

/// Either end of a stream: what is pushed comes out as chunks fill, and the rest at the end.
pub(crate) trait Stream: Send + Sync {
    /// Writes what `data` completes; without room, says how much that is and takes nothing.
    fn raw_push(&self, data: &[u8], out: *mut u8, cap: usize, len: *mut usize) -> i32;
    /// Writes what is left; without room, says how much that is and ends nothing.
    fn raw_finish(&self, out: *mut u8, cap: usize, len: *mut usize) -> i32;

    fn push(&self, data: &[u8], room: &mut Room) -> Outcome<Written> {
        write(room, |out, cap, len| self.raw_push(data, out, cap, len))
    }

    fn finish(&self, room: &mut Room) -> Outcome<Written> {
        write(room, |out, cap, len| self.raw_finish(out, cap, len))
    }
}

/// Enough room for what is left at the end.
pub(crate) fn finish_bound() -> usize {
    ffi::donjon_stream_bound(0)
}

impl Stream for Encryptor {
    fn raw_push(&self, data: &[u8], out: *mut u8, cap: usize, len: *mut usize) -> i32 {
        // SAFETY: the module's contract.
        unsafe { ffi::donjon_encryptor_push(self.0.get(), data.as_ptr(), data.len(), out, cap, len) }
    }

    fn raw_finish(&self, out: *mut u8, cap: usize, len: *mut usize) -> i32 {
        // SAFETY: the module's contract.
        unsafe { ffi::donjon_encryptor_finish(self.0.get(), out, cap, len) }
    }
}

impl Stream for Decryptor {
    fn raw_push(&self, data: &[u8], out: *mut u8, cap: usize, len: *mut usize) -> i32 {
        // SAFETY: the module's contract.
        unsafe { ffi::donjon_decryptor_push(self.0.get(), data.as_ptr(), data.len(), out, cap, len) }
    }

    fn raw_finish(&self, out: *mut u8, cap: usize, len: *mut usize) -> i32 {
        // SAFETY: the module's contract.
        unsafe { ffi::donjon_decryptor_finish(self.0.get(), out, cap, len) }
    }
}

// ---- random access ----

pub(crate) use ffi::DONJON_READER_TAIL_MAX as TAIL_MAX;

pub(crate) struct Reader(Handle<ffi::donjon_reader>);

/// The first and the last bytes of an envelope, and how long it is.
#[derive(Clone, Copy)]
pub(crate) struct Ends<'a> {
    pub(crate) prefix: &'a [u8],
    pub(crate) tail: &'a [u8],
    pub(crate) total_len: u64,
}

impl Reader {
    pub(crate) fn new(sealer: &Sealer, context: &[u8], now_s: i64, ends: Ends<'_>) -> Outcome<Self> {
        // SAFETY: the module's contract.
        Handle::make(|out| unsafe {
            ffi::donjon_reader_new(
                sealer.0.get(),
                context.as_ptr(),
                context.len(),
                now_s,
                ends.prefix.as_ptr(),
                ends.prefix.len(),
                ends.tail.as_ptr(),
                ends.tail.len(),
                ends.total_len,
                out,
            )
        })
        .map(Self)
    }

    pub(crate) fn len(&self) -> Outcome<u64> {
        let mut len = 0;
        // SAFETY: the module's contract.
        check(unsafe { ffi::donjon_reader_len(self.0.get(), &raw mut len) })?;
        Ok(len)
    }

    /// Which bytes of the envelope hold that part of the plaintext: where they begin, and how many.
    pub(crate) fn span(&self, offset: u64, len: u64) -> Outcome<(u64, u64)> {
        let mut span = (0, 0);
        let (span_offset, span_len) = (&raw mut span.0, &raw mut span.1);
        // SAFETY: the module's contract.
        check(unsafe { ffi::donjon_reader_span(self.0.get(), offset, len, span_offset, span_len) })?;
        Ok(span)
    }

    pub(crate) fn read(&self, offset: u64, len: u64, span: &[u8], room: &mut Room) -> Outcome<Written> {
        write(room, |out, cap, written| self.raw_read(offset, len, span, out, cap, written))
    }

    fn raw_read(
        &self,
        offset: u64,
        len: u64,
        span: &[u8],
        out: *mut u8,
        cap: usize,
        written: *mut usize,
    ) -> i32 {
        // SAFETY: the module's contract.
        unsafe {
            ffi::donjon_reader_read(self.0.get(), offset, len, span.as_ptr(), span.len(), out, cap, written)
        }
    }
}

// ---- the bare construction ----

pub(crate) struct Chunked<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) context: &'a [u8],
}

impl Chunked<'_> {
    pub(crate) fn seal(&self, plaintext: &[u8], room: &mut Room) -> Outcome<Written> {
        write(room, |out, cap, len| self.raw_seal(plaintext, out, cap, len))
    }

    pub(crate) fn open(&self, message: &[u8], room: &mut Room) -> Outcome<Written> {
        write(room, |out, cap, len| self.raw_open(message, out, cap, len))
    }

    fn raw_seal(&self, plaintext: &[u8], out: *mut u8, cap: usize, len: *mut usize) -> i32 {
        let (key, context) = (self.key, self.context);
        // SAFETY: the module's contract.
        unsafe {
            ffi::donjon_chunked_seal(
                key.as_ptr(),
                key.len(),
                context.as_ptr(),
                context.len(),
                plaintext.as_ptr(),
                plaintext.len(),
                out,
                cap,
                len,
            )
        }
    }

    fn raw_open(&self, message: &[u8], out: *mut u8, cap: usize, len: *mut usize) -> i32 {
        let (key, context) = (self.key, self.context);
        // SAFETY: the module's contract.
        unsafe {
            ffi::donjon_chunked_open(
                key.as_ptr(),
                key.len(),
                context.as_ptr(),
                context.len(),
                message.as_ptr(),
                message.len(),
                out,
                cap,
                len,
            )
        }
    }
}

// ---- blind indexes ----

pub(crate) struct BlindIndex(Handle<ffi::donjon_blind_index>);

/// Which column is searched, and how many bits of a value are stored.
#[derive(Clone, Copy)]
pub(crate) struct Column<'a> {
    pub(crate) tenant: &'a [u8],
    pub(crate) table: &'a [u8],
    pub(crate) column: &'a [u8],
    pub(crate) bits: u32,
}

impl BlindIndex {
    pub(crate) fn new(keyring: &Keyring, column: Column<'_>) -> Outcome<Self> {
        let Column { tenant, table, column, bits } = column;
        // SAFETY: the module's contract.
        Handle::make(|out| unsafe {
            ffi::donjon_blind_index_new(
                keyring.0.get(),
                tenant.as_ptr(),
                tenant.len(),
                table.as_ptr(),
                table.len(),
                column.as_ptr(),
                column.len(),
                bits,
                out,
            )
        })
        .map(Self)
    }

    pub(crate) fn value(&self, now_s: i64, value: &[u8]) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        answer(|out, cap, len| unsafe {
            ffi::donjon_blind_index_value(self.0.get(), now_s, value.as_ptr(), value.len(), out, cap, len)
        })
    }

    /// The value under each key that may still be stored, one after the other.
    pub(crate) fn candidates(&self, now_s: i64, value: &[u8]) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        answer(|out, cap, len| unsafe {
            ffi::donjon_blind_index_candidates(
                self.0.get(),
                now_s,
                value.as_ptr(),
                value.len(),
                out,
                cap,
                len,
            )
        })
    }
}

/// Why [`BlindIndex::new`] refuses a keyring or a column.
pub(crate) fn blind_index_diagnose(keyring: &Keyring, column: Column<'_>) -> Outcome<Vec<u8>> {
    let Column { tenant, table, column, bits } = column;
    // SAFETY: the module's contract.
    answer(|out, cap, len| unsafe {
        ffi::donjon_blind_index_diagnose(
            keyring.0.get(),
            tenant.as_ptr(),
            tenant.len(),
            table.as_ptr(),
            table.len(),
            column.as_ptr(),
            column.len(),
            bits,
            out,
            cap,
            len,
        )
    })
}

// ---- settings, erasure ----

pub(crate) fn setting_seal(keyring: &Keyring, name: &str, value: &[u8], now_s: i64) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    answer(|out, cap, len| unsafe {
        ffi::donjon_setting_seal(
            keyring.0.get(),
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
            now_s,
            out,
            cap,
            len,
        )
    })
}

pub(crate) fn setting_open(keyring: &Keyring, name: &str, text: &[u8], now_s: i64) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    answer(|out, cap, len| unsafe {
        ffi::donjon_setting_open(
            keyring.0.get(),
            name.as_ptr(),
            name.len(),
            text.as_ptr(),
            text.len(),
            now_s,
            out,
            cap,
            len,
        )
    })
}

pub(crate) fn erasure(
    keyring: &Keyring,
    key_ids: &[u8],
    backups_expire_s: i64,
    now_s: i64,
) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    answer(|out, cap, len| unsafe {
        ffi::donjon_erasure(
            keyring.0.get(),
            key_ids.as_ptr(),
            key_ids.len(),
            backups_expire_s,
            now_s,
            out,
            cap,
            len,
        )
    })
}
