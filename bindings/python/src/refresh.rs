//! The decision about a refresh family, for hosts that keep families in their own way.

use pyo3::prelude::*;

use crate::abi;
use crate::argument::{Bytes, Integer, Text, now_ms};
use crate::error::OrRaise;

/// What becomes of a refresh token, and of its family.
#[pyclass(frozen, get_all, module = "donjon.refresh")]
pub(crate) struct RefreshVerdict {
    /// `"ok"`, `"reuse_detected"`, `"revoked"` or `"state_stale"`.
    status: &'static str,
    /// Whether `state` must replace the stored one.
    changed: bool,
    /// The family's state from now on.
    state: abi::RefreshState,
}

#[pymethods]
impl RefreshVerdict {
    fn __repr__(&self) -> String {
        format!("RefreshVerdict(status={:?})", self.status)
    }
}

/// The state of a new family.
#[pyfunction(name = "begin")]
#[pyo3(signature = (*, now = None))]
pub(crate) fn refresh_begin(py: Python<'_>, now: Option<Integer>) -> PyResult<abi::RefreshState> {
    abi::refresh_begin(now_ms(now)).or_raise(py)
}

/// Decides about a verified refresh token of `family` and `generation`.
#[pyfunction(name = "rotate")]
#[pyo3(signature = (state, family, generation, *, now_ms, grace_ms))]
pub(crate) fn refresh_rotate(
    py: Python<'_>,
    state: Option<Bytes<'_>>,
    family: Text<'_>,
    generation: Integer,
    now_ms: Integer,
    grace_ms: Integer,
) -> PyResult<RefreshVerdict> {
    let state = state.map_or(&[][..], |state| state.0);
    let verdict = abi::refresh_rotate(state, family.0.as_bytes(), generation.0, now_ms.0, grace_ms.0);
    let verdict = verdict.or_raise(py)?;
    let status = verdict.status.map_or_else(|failure| failure.status(), |()| 0);
    Ok(RefreshVerdict { status: abi::status_name(status), changed: verdict.changed, state: verdict.state })
}

/// The state that refuses the family from now on: a log-out.
#[pyfunction(name = "revoke")]
pub(crate) fn refresh_revoke(py: Python<'_>, state: Bytes<'_>) -> PyResult<abi::RefreshState> {
    abi::refresh_revoke(state.0).or_raise(py)
}
