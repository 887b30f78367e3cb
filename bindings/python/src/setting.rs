//! Secrets among settings: sealed where they are written down, opened when a service starts.

use pyo3::prelude::*;
use pyo3::types::PyString;
use zeroize::Zeroizing;

use crate::abi;
use crate::argument::{Bytes, Integer, Text, now_s};
use crate::error::{Area, OrRaise};
use crate::keyring::Keyring;

/// The text to write down for the setting `name`: it begins with `sealed:`, and opens under that name only.
///
/// The keyring has a key of the purpose `settings`.
#[pyfunction]
#[pyo3(signature = (keyring, name, value, *, now = None))]
pub(crate) fn seal_setting<'py>(
    py: Python<'py>,
    keyring: &Bound<'py, Keyring>,
    name: Text<'_>,
    value: Text<'_>,
    now: Option<Integer>,
) -> PyResult<Bound<'py, PyString>> {
    let sealed = abi::setting_seal(keyring.get().handle(), name.0, value.0.as_bytes(), now_s(now));
    PyString::from_bytes(py, &sealed.or_raise_in(py, Area::Envelope)?)
}

/// The value that was sealed for the setting `name`.
#[pyfunction]
#[pyo3(signature = (keyring, name, text, *, now = None))]
pub(crate) fn open_setting<'py>(
    py: Python<'py>,
    keyring: &Bound<'py, Keyring>,
    name: Text<'_>,
    text: Bytes<'_>,
    now: Option<Integer>,
) -> PyResult<Bound<'py, PyString>> {
    let opened = abi::setting_open(keyring.get().handle(), name.0, text.0, now_s(now));
    PyString::from_bytes(py, &Zeroizing::new(opened.or_raise_in(py, Area::Envelope)?))
}
