//! How good a password is, and whether it is known to be out. Pure steps: nothing is fetched here.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::abi;
use crate::argument::{Bytes, Password, Text};
use crate::error::{Area, OrRaise};
use crate::from_json;
use crate::to_json;

/// What `check_strength` makes a `Strength` of.
#[pyfunction]
pub(crate) fn password_strength<'py>(
    py: Python<'py>,
    password: Password<'_>,
    user_inputs: &Bound<'py, PyAny>,
    profile: Text<'_>,
) -> PyResult<Bound<'py, PyAny>> {
    let inputs = to_json::texts(user_inputs, Area::Password)?;
    let strength = abi::password_strength(profile.0, password.0, inputs.as_bytes());
    from_json::answer(py, &strength.or_raise_in(py, Area::Password)?)
}

/// What `estimate_strength` makes an `Estimate` of.
#[pyfunction]
pub(crate) fn password_estimate<'py>(
    py: Python<'py>,
    password: Password<'_>,
    user_inputs: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let inputs = to_json::texts(user_inputs, Area::Password)?;
    let estimate = py.detach(|| abi::password_estimate(password.0, inputs.as_bytes()));
    from_json::answer(py, &estimate.or_raise_in(py, Area::Password)?)
}

/// The five hex digits to ask a service of breached passwords for: they do not give the password away.
#[pyfunction]
pub(crate) fn breach_prefix<'py>(py: Python<'py>, password: Password<'_>) -> PyResult<Bound<'py, PyString>> {
    PyString::from_bytes(py, &abi::password_breach_prefix(password.0).or_raise_in(py, Area::Password)?)
}

/// How often `password` was seen in breaches, by the service's answer to `breach_prefix`.
///
/// `range` is the body of the answer. What is none, an error page say, raises `RangeRefused`.
#[pyfunction]
pub(crate) fn breach_count(py: Python<'_>, password: Password<'_>, range: Bytes<'_>) -> PyResult<u64> {
    abi::password_breach_count(password.0, range.0).or_raise_in(py, Area::Breach)
}
