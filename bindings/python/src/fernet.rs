//! `donjon.fernet`: what Fernet and sqlalchemy-utils' `AesEngine` wrote, read; Fernet also written.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};
use zeroize::Zeroizing;

use crate::abi::{self, Failure};
use crate::argument::{Bytes, Count, Duration, Integer, Payload, Text, now_s, wrong_type};
use crate::error::{Area, OrRaise, exception_in};
use crate::long;

/// Encrypts and decrypts Fernet tokens: the first key makes them, all of them open them.
///
/// For data that is there. A token is bound to no place: whoever can write to the database can swap two of
/// them, and the keys cannot be wrapped. New data belongs into an `Envelope`.
#[pyclass(frozen, module = "donjon.fernet")]
pub(crate) struct Fernet {
    fernet: abi::Fernet,
}

#[pymethods]
impl Fernet {
    /// A key is 32 bytes as padded base64url, a `str` or `bytes`.
    #[new]
    fn new(py: Python<'_>, keys: &Bound<'_, PyAny>) -> PyResult<Self> {
        abi::Fernet::new(&joined_keys(keys)?).map(|fernet| Self { fernet }).or_raise_in(py, Area::Envelope)
    }

    /// A token of `plaintext`.
    #[pyo3(signature = (plaintext, *, now = None))]
    fn encrypt<'py>(
        &self,
        py: Python<'py>,
        plaintext: Payload<'_, 'py>,
        now: Option<Integer>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (plaintext, now_s) = (plaintext.as_bytes(), now_s(now));
        let token = abi::bytes(py, abi::fernet_token_len(plaintext.len()), |room| {
            long::run(py, plaintext.len(), || self.fernet.encrypt(now_s, plaintext, room))
        });
        token.or_raise_in(py, Area::Envelope)
    }

    /// What the token holds. Past `ttl` it is `DecryptFailed`, as whatever else is wrong with it.
    #[pyo3(signature = (token, *, ttl = None, now = None))]
    fn decrypt<'py>(
        &self,
        py: Python<'py>,
        token: Bytes<'_>,
        ttl: Option<Duration>,
        now: Option<Integer>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (token, ttl_s, now_s) = (token.0, ttl_s(py, ttl)?, now_s(now));
        let plaintext = abi::bytes_of_up_to(py, token.len(), |room| {
            long::run(py, token.len(), || self.fernet.decrypt(now_s, ttl_s, token, room))
        });
        plaintext.or_raise_in(py, Area::Envelope)
    }

    /// The same under the first key, with the time that it had.
    fn rotate<'py>(&self, py: Python<'py>, token: Bytes<'_>) -> PyResult<Bound<'py, PyBytes>> {
        let token = token.0;
        let rotated = abi::bytes(py, token.len(), |room| {
            long::run(py, token.len(), || self.fernet.rotate(token, room))
        });
        rotated.or_raise_in(py, Area::Envelope)
    }

    /// When the token was made, in Unix seconds. This is authentic.
    fn timestamp(&self, py: Python<'_>, token: Bytes<'_>) -> PyResult<i64> {
        self.fernet.timestamp(token.0).or_raise_in(py, Area::Envelope)
    }

    fn __repr__(&self) -> &'static str {
        "Fernet(...)"
    }
}

/// A new key.
#[pyfunction]
pub(crate) fn generate_key(py: Python<'_>) -> PyResult<Bound<'_, PyString>> {
    PyString::from_bytes(py, &Zeroizing::new(abi::fernet_generate_key().or_raise_in(py, Area::Envelope)?))
}

/// The key that PBKDF2-HMAC-SHA256 makes of a password, as many services did.
#[pyfunction]
pub(crate) fn derive_key<'py>(
    py: Python<'py>,
    password: Bytes<'_>,
    salt: Bytes<'_>,
    iterations: Count,
) -> PyResult<Bound<'py, PyString>> {
    let key = py.detach(|| abi::fernet_derive_key(password.0, salt.0, iterations.0));
    PyString::from_bytes(py, &Zeroizing::new(key.or_raise_in(py, Area::Envelope)?))
}

/// What sqlalchemy-utils' `AesEngine` wrote to a column under `secret`. Nothing of it is authentic: an
/// `AesEngine` has no signature.
#[pyfunction]
#[pyo3(
    signature = (secret, text, *, padding = Text("pkcs5")),
    text_signature = "(secret, text, *, padding='pkcs5')",
)]
pub(crate) fn open_aes_engine<'py>(
    py: Python<'py>,
    secret: Bytes<'_>,
    text: Bytes<'_>,
    padding: Text<'_>,
) -> PyResult<Bound<'py, PyString>> {
    let padding = match padding.0 {
        "pkcs5" => 0,
        "naive" => 1,
        "oneandzeroes" => 2,
        "zeroes" => 3,
        _ => return Err(PyValueError::new_err("a padding is pkcs5, naive, oneandzeroes or zeroes")),
    };
    let opened = abi::aes_engine_open(secret.0, padding, text.0).or_raise_in(py, Area::Envelope)?;
    PyString::from_bytes(py, &opened)
}

/// The ABI wants commas between keys.
fn joined_keys(keys: &Bound<'_, PyAny>) -> PyResult<Zeroizing<Vec<u8>>> {
    let listed: Vec<Bound<'_, PyAny>> = if let Ok(list) = keys.cast::<PyList>() {
        list.iter().collect()
    } else if let Ok(tuple) = keys.cast::<PyTuple>() {
        tuple.iter().collect()
    } else {
        return Err(wrong_type("a list of keys", keys.as_borrowed()));
    };
    let py = keys.py();
    let keys: Vec<Bytes<'_>> = listed.iter().map(|key| key.extract()).collect::<PyResult<_>>()?;
    if keys.iter().any(|key| key.0.contains(&b',')) {
        return Err(exception_in(py, Failure::CONFIG_ERROR, Area::Envelope));
    }
    // To its whole length at once: what grows leaves copies behind.
    let mut joined = Zeroizing::new(Vec::with_capacity(keys.iter().map(|key| key.0.len() + 1).sum()));
    for (index, key) in keys.iter().enumerate() {
        if index > 0 {
            joined.push(b',');
        }
        joined.extend_from_slice(key.0);
    }
    Ok(joined)
}

/// A negative time to live is the caller's mistake, and not "of any age".
fn ttl_s(py: Python<'_>, ttl: Option<Duration>) -> PyResult<i64> {
    let Some(ttl) = ttl else { return Ok(abi::NO_TTL) };
    let seconds = ttl.as_seconds(py)?;
    if seconds < 0 {
        return Err(exception_in(py, Failure::INVALID_ARGUMENT, Area::Envelope));
    }
    Ok(seconds)
}
