//! A status of the ABI becomes an exception of `donjon.errors`.

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;

use crate::abi::{self, Failure};
use crate::from_json;

/// What was refused: a status that several capabilities share is another exception in each of them.
#[derive(Clone, Copy)]
pub(crate) enum Area {
    Common,
    Password,
    Breach,
    Policy,
    Document,
    Envelope,
    Limit,
    Address,
    Session,
}

impl Area {
    const fn name(self) -> &'static str {
        match self {
            Self::Common => "common",
            Self::Password => "password",
            Self::Breach => "breach",
            Self::Policy => "policy",
            Self::Document => "document",
            Self::Envelope => "envelope",
            Self::Limit => "limit",
            Self::Address => "address",
            Self::Session => "session",
        }
    }
}

/// The exception of this status. `donjon.errors` has the classes; the ABI has their names and messages.
#[cold]
pub(crate) fn exception(py: Python<'_>, failure: Failure) -> PyErr {
    exception_in(py, failure, Area::Common)
}

/// As [`exception`], for what is not about tokens.
#[cold]
pub(crate) fn exception_in(py: Python<'_>, failure: Failure, area: Area) -> PyErr {
    static FOR_STATUS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    FOR_STATUS
        .import(py, "donjon.errors", "for_status")
        .and_then(|for_status| for_status.call1((failure.status(), area.name())))
        .map_or_else(|error| error, PyErr::from_value)
}

/// `reuse_detected` carries the state that the host must store, so that the family stays revoked.
#[cold]
pub(crate) fn with_state(py: Python<'_>, failure: Failure, state: &[u8]) -> PyErr {
    with(py, exception(py, failure), "state", PyBytes::new(py, state).as_any())
}

/// The exception with one more attribute.
#[cold]
pub(crate) fn with(py: Python<'_>, error: PyErr, name: &str, value: &Bound<'_, PyAny>) -> PyErr {
    error.value(py).setattr(name, value).map_or_else(|other| other, |()| error)
}

/// The exception of what was refused when it was loaded, with what the kernel has to say about it.
#[cold]
pub(crate) fn diagnosed(
    py: Python<'_>,
    failure: Failure,
    area: Area,
    diagnose: impl FnOnce() -> Result<Vec<u8>, Failure>,
) -> PyErr {
    let error = exception_in(py, failure, area);
    match diagnose().map(|diagnosis| from_json::answer(py, &diagnosis)) {
        Ok(Ok(diagnosis)) if !diagnosis.is_none() => with(py, error, "diagnosis", &diagnosis),
        _ => error,
    }
}

/// Lets `?` turn a failure into its exception.
pub(crate) trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
    fn or_raise_in(self, py: Python<'_>, area: Area) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T, Failure> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.or_raise_in(py, Area::Common)
    }

    fn or_raise_in(self, py: Python<'_>, area: Area) -> PyResult<T> {
        self.map_err(|failure| exception_in(py, failure, area))
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
