//! A status of the ABI becomes an exception of `donjon.errors`.

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;

use crate::abi::{self, Failure};

/// The exception of this status. `donjon.errors` has the classes; the ABI has their names and messages.
#[cold]
pub(crate) fn exception(py: Python<'_>, failure: Failure) -> PyErr {
    static FOR_STATUS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    FOR_STATUS
        .import(py, "donjon.errors", "for_status")
        .and_then(|for_status| for_status.call1((failure.status(),)))
        .map_or_else(|error| error, PyErr::from_value)
}

/// `reuse_detected` carries the state that the host must store, so that the family stays revoked.
#[cold]
pub(crate) fn with_state(py: Python<'_>, failure: Failure, state: &[u8]) -> PyErr {
    let error = exception(py, failure);
    match error.value(py).setattr("state", PyBytes::new(py, state)) {
        Ok(()) => error,
        Err(other) => other,
    }
}

/// Lets `?` turn a failure into its exception.
pub(crate) trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T, Failure> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|failure| exception(py, failure))
    }
}

/// `(number, name, message, HTTP status)` of every failure in the ABI's table.
pub(crate) fn statuses() -> Vec<(i32, &'static str, &'static str, i32)> {
    // The table is pinned and its numbers are small: what lies beyond would be another ABI version.
    (1..256)
        .filter(|&status| abi::status_name(status) != "unknown_status")
        .map(|status| {
            (status, abi::status_name(status), abi::status_message(status), abi::status_http(status))
        })
        .collect()
}

pub(crate) fn check_abi_version() -> PyResult<()> {
    let (found, wanted) = (abi::abi_version(), abi::ABI_VERSION);
    if found == wanted {
        return Ok(());
    }
    Err(PyImportError::new_err(format!("donjon's ABI is version {found}, not {wanted}")))
}
