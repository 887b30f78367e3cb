//! `Encryptor` and `Decryptor`: envelopes of any size, in pieces.

use std::sync::{Mutex, MutexGuard};

use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyBytes;

use crate::abi::{self, Stream};
use crate::argument::Payload;
use crate::error::{Area, OrRaise};
use crate::long;

/// Seals what is pushed to it. The envelope is `prefix`, then what each `push` returned, then `finish`.
#[pyclass(frozen, module = "donjon")]
pub(crate) struct Encryptor {
    stream: Mutex<abi::Encryptor>,
    /// What the envelope begins with.
    #[pyo3(get)]
    prefix: Py<PyBytes>,
}

impl Encryptor {
    pub(crate) const fn new(encryptor: abi::Encryptor, prefix: Py<PyBytes>) -> Self {
        Self { stream: Mutex::new(encryptor), prefix }
    }
}

#[pymethods]
impl Encryptor {
    /// What of the envelope is complete with `data`; it may be empty.
    fn push<'py>(&self, py: Python<'py>, data: Payload<'_, 'py>) -> PyResult<Bound<'py, PyBytes>> {
        push(py, &self.stream, data.as_bytes())
    }

    /// The end of the envelope. After this, nothing can be pushed.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        finish(py, &self.stream)
    }
}

/// Opens what is pushed to it. What it returns is authentic; that it was all, only `finish` says.
#[pyclass(frozen, module = "donjon")]
pub(crate) struct Decryptor {
    stream: Mutex<abi::Decryptor>,
    /// How much of the prefix it has read: push what comes after.
    #[pyo3(get)]
    consumed: usize,
}

impl Decryptor {
    pub(crate) const fn new(decryptor: abi::Decryptor, consumed: usize) -> Self {
        Self { stream: Mutex::new(decryptor), consumed }
    }
}

#[pymethods]
impl Decryptor {
    /// What is authentic of the plaintext by now; it may be empty.
    fn push<'py>(&self, py: Python<'py>, data: Payload<'_, 'py>) -> PyResult<Bound<'py, PyBytes>> {
        push(py, &self.stream, data.as_bytes())
    }

    /// The rest of the plaintext. `DecryptFailed` if what was pushed is not the whole envelope.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        finish(py, &self.stream)
    }
}

/// Threads that push to one stream take turns, from the question how much comes out to the answer.
fn lock<'a, S>(py: Python<'_>, stream: &'a Mutex<S>) -> MutexGuard<'a, S> {
    stream.lock_py_attached(py).unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn push<'py>(py: Python<'py>, stream: &Mutex<impl Stream>, data: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let turn = lock(py, stream);
    let stream = &*turn;
    let pushed =
        abi::bytes_as_long_as_wanted(py, |room| long::run(py, data.len(), || stream.push(data, room)));
    pushed.or_raise_in(py, Area::Envelope)
}

fn finish<'py>(py: Python<'py>, stream: &Mutex<impl Stream>) -> PyResult<Bound<'py, PyBytes>> {
    let stream = lock(py, stream);
    abi::bytes_of_up_to(py, abi::finish_bound(), |room| stream.finish(room)).or_raise_in(py, Area::Envelope)
}
