//! `PurposeTokens`: the calls; `donjon.purpose` adds how they are consumed.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::abi::{self, Use};
use crate::argument::{Bytes, Duration, Integer, Text, Token, now_s};
use crate::error::OrRaise;
use crate::keyring::Keyring;

/// Mints and checks tokens for one purpose each, bound to a state.
#[pyclass(frozen, subclass, module = "donjon._donjon")]
pub(crate) struct PurposeTokens {
    tokens: abi::PurposeTokens,
}

#[pymethods]
impl PurposeTokens {
    #[new]
    fn new(py: Python<'_>, keyring: &Bound<'_, Keyring>) -> PyResult<Self> {
        abi::PurposeTokens::new(keyring.get().handle()).map(|tokens| Self { tokens }).or_raise(py)
    }

    /// A token for `purpose` and `subject` that is good while `state` is what it is now.
    #[pyo3(signature = (purpose, subject, *, state, ttl, now = None))]
    fn mint<'py>(
        &self,
        py: Python<'py>,
        purpose: Text<'_>,
        subject: Text<'_>,
        state: Bytes<'_>,
        ttl: Duration,
        now: Option<Integer>,
    ) -> PyResult<Bound<'py, PyString>> {
        let used = Use { purpose: purpose.0, subject: subject.0.as_bytes(), state: state.0 };
        let token = self.tokens.mint(used, ttl.as_seconds(py)?, now_s(now)).or_raise(py)?;
        PyString::from_bytes(py, &token)
    }

    /// Returns if the token is good, and raises `InvalidToken` whatever is wrong with it.
    #[pyo3(signature = (token, purpose, subject, *, state, now = None))]
    fn check(
        &self,
        py: Python<'_>,
        token: Token<'_>,
        purpose: Text<'_>,
        subject: Text<'_>,
        state: Bytes<'_>,
        now: Option<Integer>,
    ) -> PyResult<()> {
        let used = Use { purpose: purpose.0, subject: subject.0.as_bytes(), state: state.0 };
        self.tokens.check(used, token.0, now_s(now)).or_raise(py)
    }

    fn __repr__(&self) -> &'static str {
        "PurposeTokens(...)"
    }
}
