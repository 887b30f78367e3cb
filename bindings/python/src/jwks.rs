//! The decision when to fetch a key set again; `donjon.jwks` fetches.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::abi::{self, Failure};
use crate::argument::{Bytes, Integer};
use crate::error::{OrRaise, exception};

/// Whether to fetch a key set now.
#[pyclass(frozen, get_all, name = "JWKSVerdict", module = "donjon._donjon")]
pub(crate) struct JwksVerdict {
    /// Fetch now, after storing `state`.
    fetch: bool,
    /// If not: when to ask again.
    retry_after_ms: i64,
    /// What to pass in the next time.
    state: Py<PyBytes>,
}

/// Decides about `event`: `unknown_key`, `periodic`, `fetched` or `failed`.
#[pyfunction]
#[pyo3(signature = (state, event, *, now_ms, cooldown_ms, max_age_ms))]
pub(crate) fn jwks_refresh(
    py: Python<'_>,
    state: Option<Bytes<'_>>,
    event: &str,
    now_ms: Integer,
    cooldown_ms: Integer,
    max_age_ms: Integer,
) -> PyResult<JwksVerdict> {
    let event = match event {
        "unknown_key" => abi::DONJON_JWKS_UNKNOWN_KEY,
        "periodic" => abi::DONJON_JWKS_PERIODIC,
        "fetched" => abi::DONJON_JWKS_FETCHED,
        "failed" => abi::DONJON_JWKS_FAILED,
        _ => return Err(exception(py, Failure::INVALID_ARGUMENT)),
    };
    let state = state.map_or(&[][..], |state| state.0);
    let verdict = abi::jwks_refresh(state, event, now_ms.0, cooldown_ms.0, max_age_ms.0).or_raise(py)?;
    Ok(JwksVerdict {
        fetch: verdict.fetch,
        retry_after_ms: verdict.retry_after_ms,
        state: PyBytes::new(py, &verdict.state).unbind(),
    })
}
