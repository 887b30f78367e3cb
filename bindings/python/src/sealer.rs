//! `Sealer`: what seals and opens under one source of keys; `donjon.envelope` makes `Envelope` and `DataKey`
//! of it, and adds files.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::abi::{self, Ends, PassphraseCost};
use crate::argument::{Bytes, Count, Integer, Payload, Size, Text, context_of, now_s};
use crate::error::{Area, OrRaise, diagnosed};
use crate::keyring::Keyring;
use crate::long;
use crate::reader::Reader;
use crate::stream::{Decryptor, Encryptor};

/// What its keys come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Keyring,
    Passphrase,
    External,
    DataKey,
}

/// A source of keys, for `Sealer`.
#[pyclass(frozen, module = "donjon._donjon")]
pub(crate) struct KeySource {
    sealer: Arc<abi::Sealer>,
    origin: Origin,
}

impl KeySource {
    fn new(sealer: abi::Sealer, origin: Origin) -> Self {
        Self { sealer: Arc::new(sealer), origin }
    }
}

#[pymethods]
impl KeySource {
    #[staticmethod]
    fn keyring(py: Python<'_>, keyring: &Bound<'_, Keyring>) -> PyResult<Self> {
        let keyring = keyring.get().handle();
        abi::Sealer::new(keyring)
            .map(|sealer| Self::new(sealer, Origin::Keyring))
            .map_err(|failure| diagnosed(py, failure, Area::Envelope, || abi::sealer_diagnose(keyring)))
    }

    #[staticmethod]
    fn passphrase(
        py: Python<'_>,
        passphrase: Bytes<'_>,
        memory_kib: Count,
        time_cost: Count,
        parallelism: Count,
    ) -> PyResult<Self> {
        let cost =
            PassphraseCost { memory_kib: memory_kib.0, time_cost: time_cost.0, parallelism: parallelism.0 };
        let sealer = abi::Sealer::from_passphrase(passphrase.0, cost).or_raise_in(py, Area::Envelope)?;
        Ok(Self::new(sealer, Origin::Passphrase))
    }

    #[staticmethod]
    fn external(
        py: Python<'_>,
        data_key: Payload<'_, '_>,
        key_id: Text<'_>,
        wrapped_key: Payload<'_, '_>,
    ) -> PyResult<Self> {
        let (data_key, wrapped_key) = (data_key.as_bytes(), wrapped_key.as_bytes());
        let sealer = abi::Sealer::from_external(data_key, key_id.0, wrapped_key);
        Ok(Self::new(sealer.or_raise_in(py, Area::Envelope)?, Origin::External))
    }
}

/// Seals and opens under one source of keys. Immutable; share it between threads.
#[pyclass(frozen, subclass, module = "donjon._donjon")]
pub(crate) struct Sealer {
    sealer: Arc<abi::Sealer>,
    origin: Origin,
}

#[pymethods]
impl Sealer {
    #[new]
    fn new(source: &Bound<'_, KeySource>) -> Self {
        let KeySource { sealer, origin } = source.get();
        Self { sealer: Arc::clone(sealer), origin: *origin }
    }

    /// The id of the key that new envelopes name; empty for a passphrase.
    #[getter]
    fn key_id<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        PyString::from_bytes(py, &self.sealer.key_id().or_raise_in(py, Area::Envelope)?)
    }

    /// An envelope of `plaintext`, which opens in this context only.
    ///
    /// `context` says where it belongs: `("users", "email", user_id)`. It is not stored.
    #[pyo3(signature = (plaintext, *, context, now = None))]
    fn seal<'py>(
        &self,
        py: Python<'py>,
        plaintext: Payload<'_, 'py>,
        context: &Bound<'py, PyAny>,
        now: Option<Integer>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let mut place = abi::Context::new();
        context_of(context, &mut place)?;
        let (place, plaintext, now_s) = (place.as_bytes(), plaintext.as_bytes(), self.now_s(now));
        let len = self.sealer.sealed_len(plaintext.len()).or_raise_in(py, Area::Envelope)?;
        let sealed = abi::bytes(py, len, |room| {
            self.run(py, plaintext.len(), || self.sealer.seal(place, now_s, plaintext, room))
        });
        sealed.or_raise_in(py, Area::Envelope)
    }

    /// What was sealed, if the whole of it is authentic; else `DecryptFailed`, whatever is wrong.
    #[pyo3(signature = (envelope, *, context, now = None))]
    fn open<'py>(
        &self,
        py: Python<'py>,
        envelope: Payload<'_, 'py>,
        context: &Bound<'py, PyAny>,
        now: Option<Integer>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let mut place = abi::Context::new();
        context_of(context, &mut place)?;
        let (place, envelope, now_s) = (place.as_bytes(), envelope.as_bytes(), self.now_s(now));
        let open = |room: &mut abi::Room| {
            self.run(py, envelope.len(), || self.sealer.open(place, now_s, envelope, room))
        };
        let opened = if !long::is_long(envelope.len()) {
            abi::bytes_of_up_to(py, envelope.len(), open)
        } else {
            abi::bytes_as_long_as_wanted(py, open)
        };
        opened.or_raise_in(py, Area::Envelope)
    }

    /// Whether the envelope is under another key than the one that new envelopes name. Its first
    /// `ENVELOPE_PREFIX_MAX` bytes are enough.
    fn needs_rewrap(&self, py: Python<'_>, envelope: Payload<'_, '_>) -> PyResult<bool> {
        self.sealer.needs_rewrap(prefix_of(envelope.as_bytes())).or_raise_in(py, Area::Envelope)
    }

    /// The envelope under the key that new ones name, or under that of `to`. What was sealed is not opened.
    #[pyo3(signature = (envelope, *, to = None, now = None))]
    fn rewrap<'py>(
        &self,
        py: Python<'py>,
        envelope: Payload<'_, 'py>,
        to: Option<&Bound<'py, Self>>,
        now: Option<Integer>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let envelope = envelope.as_bytes();
        let header = self.new_header(py, prefix_of(envelope), to, now)?;
        let payload = envelope.get(header.old_len..).unwrap_or_default();
        abi::joined(py, [&header.bytes, payload]).or_raise_in(py, Area::Envelope)
    }

    /// The header that takes the place of the envelope's, and how long that one is: for stores that can
    /// write the beginning of what they hold. `prefix` is the first `ENVELOPE_PREFIX_MAX` bytes.
    #[pyo3(signature = (prefix, *, to = None, now = None))]
    fn rewrap_header<'py>(
        &self,
        py: Python<'py>,
        prefix: Payload<'_, 'py>,
        to: Option<&Bound<'py, Self>>,
        now: Option<Integer>,
    ) -> PyResult<(Bound<'py, PyBytes>, usize)> {
        let header = self.new_header(py, prefix_of(prefix.as_bytes()), to, now)?;
        Ok((PyBytes::new(py, &header.bytes), header.old_len))
    }

    /// Seals what is pushed to it, of any length, in constant memory.
    #[pyo3(
        signature = (*, context, threads = Count(1), now = None),
        text_signature = "($self, *, context, threads=1, now=None)",
    )]
    fn encryptor(
        &self,
        py: Python<'_>,
        context: &Bound<'_, PyAny>,
        threads: Count,
        now: Option<Integer>,
    ) -> PyResult<Encryptor> {
        let mut place = abi::Context::new();
        context_of(context, &mut place)?;
        let (place, now_s) = (place.as_bytes(), self.now_s(now));
        let made = self.run(py, 0, || abi::Encryptor::new(&self.sealer, place, now_s, threads.0));
        let (encryptor, prefix) = made.or_raise_in(py, Area::Envelope)?;
        Ok(Encryptor::new(encryptor, PyBytes::new(py, &prefix).unbind()))
    }

    /// Opens an envelope that begins with `prefix`, its first `ENVELOPE_PREFIX_MAX` bytes or all of it.
    ///
    /// What is pushed to it goes on after the first `consumed` of these.
    #[pyo3(
        signature = (prefix, *, context, threads = Count(1), now = None),
        text_signature = "($self, prefix, *, context, threads=1, now=None)",
    )]
    fn decryptor(
        &self,
        py: Python<'_>,
        prefix: Payload<'_, '_>,
        context: &Bound<'_, PyAny>,
        threads: Count,
        now: Option<Integer>,
    ) -> PyResult<Decryptor> {
        let mut place = abi::Context::new();
        context_of(context, &mut place)?;
        let (place, prefix, now_s) = (place.as_bytes(), prefix_of(prefix.as_bytes()), self.now_s(now));
        let made = self.run(py, 0, || abi::Decryptor::new(&self.sealer, place, now_s, threads.0, prefix));
        let (decryptor, consumed) = made.or_raise_in(py, Area::Envelope)?;
        Ok(Decryptor::new(decryptor, consumed))
    }

    /// Reads any part of an envelope of `total_len` bytes, of which these are the first and the last.
    #[pyo3(signature = (prefix, tail, total_len, *, context, now = None))]
    fn _random_access(
        &self,
        py: Python<'_>,
        prefix: Payload<'_, '_>,
        tail: Payload<'_, '_>,
        total_len: Size,
        context: &Bound<'_, PyAny>,
        now: Option<Integer>,
    ) -> PyResult<Reader> {
        let mut place = abi::Context::new();
        context_of(context, &mut place)?;
        let (place, now_s) = (place.as_bytes(), self.now_s(now));
        let ends = Ends { prefix: prefix.as_bytes(), tail: tail.as_bytes(), total_len: total_len.0 };
        let reader = self.run(py, 0, || abi::Reader::new(&self.sealer, place, now_s, ends));
        reader.map(Reader::new).or_raise_in(py, Area::Envelope)
    }

    /// A data key for `scope`, a tenant or a subject, and what to store of it.
    #[pyo3(signature = (scope, *, now = None))]
    fn _make_data_key<'py>(
        &self,
        py: Python<'py>,
        scope: Bytes<'_>,
        now: Option<Integer>,
    ) -> PyResult<(KeySource, Bound<'py, PyBytes>)> {
        let now_s = self.now_s(now);
        let made = self.run(py, 0, || self.sealer.new_data_key(scope.0, now_s));
        let (sealer, wrapped) = made.or_raise_in(py, Area::Envelope)?;
        Ok((KeySource::new(sealer, Origin::DataKey), PyBytes::new(py, &wrapped)))
    }

    /// The data key of which `wrapped` was stored for `scope`.
    #[pyo3(signature = (wrapped, scope, *, now = None))]
    fn _unwrap_data_key(
        &self,
        py: Python<'_>,
        wrapped: Payload<'_, '_>,
        scope: Bytes<'_>,
        now: Option<Integer>,
    ) -> PyResult<KeySource> {
        let (wrapped, now_s) = (wrapped.as_bytes(), self.now_s(now));
        let sealer = self.run(py, 0, || self.sealer.open_data_key(scope.0, now_s, wrapped));
        sealer.map(|sealer| KeySource::new(sealer, Origin::DataKey)).or_raise_in(py, Area::Envelope)
    }

    /// What to store of the data key from now on: the same one, under the key that new envelopes name, or
    /// under that of `to`. Its cells stay as they are.
    #[pyo3(signature = (wrapped, scope, *, to = None, now = None))]
    fn rewrap_data_key<'py>(
        &self,
        py: Python<'py>,
        wrapped: Payload<'_, '_>,
        scope: Bytes<'_>,
        to: Option<&Bound<'py, Self>>,
        now: Option<Integer>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (to, now_s) = self.target(to, now);
        let wrapped = wrapped.as_bytes();
        let rewrap = || self.sealer.rewrap_data_key(&to.sealer, scope.0, now_s, wrapped);
        let rewrapped = if to.is_slow() { py.detach(rewrap) } else { self.run(py, 0, rewrap) };
        Ok(PyBytes::new(py, &rewrapped.or_raise_in(py, Area::Envelope)?))
    }
}

impl Sealer {
    /// A passphrase is hashed for every envelope.
    fn is_slow(&self) -> bool {
        self.origin == Origin::Passphrase
    }

    /// Only the keys of a keyring have an end, so only they want to know the time.
    fn now_s(&self, now: Option<Integer>) -> i64 {
        match now {
            None if self.origin != Origin::Keyring => 0,
            now => now_s(now),
        }
    }

    fn run<T: Send>(&self, py: Python<'_>, len: usize, work: impl FnOnce() -> T + Send) -> T {
        if self.is_slow() { py.detach(work) } else { long::run(py, len, work) }
    }

    /// What is re-wrapped to, and when.
    fn target<'a>(&'a self, to: Option<&'a Bound<'_, Self>>, now: Option<Integer>) -> (&'a Self, i64) {
        let to = to.map_or(self, |to| to.get());
        let clocked = if self.origin == Origin::Keyring { self } else { to };
        (to, clocked.now_s(now))
    }

    fn new_header(
        &self,
        py: Python<'_>,
        prefix: &[u8],
        to: Option<&Bound<'_, Self>>,
        now: Option<Integer>,
    ) -> PyResult<abi::NewHeader> {
        let (to, now_s) = self.target(to, now);
        let rewrapped = self.run(py, 0, || self.sealer.rewrap(&to.sealer, now_s, prefix));
        rewrapped.or_raise_in(py, Area::Envelope)
    }
}

/// As much of an envelope as may be its header.
pub(crate) fn prefix_of(envelope: &[u8]) -> &[u8] {
    envelope.get(..abi::PREFIX_MAX).unwrap_or(envelope)
}

/// A new 32-byte data key, for a KMS or an HSM that wraps keys but makes none.
#[pyfunction]
pub(crate) fn generate_external_key(py: Python<'_>) -> PyResult<Bound<'_, PyBytes>> {
    abi::bytes(py, abi::DATA_KEY_LEN, abi::external_key_generate).or_raise_in(py, Area::Envelope)
}
