//! `TokenVerifier`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::abi;
use crate::argument::{Bytes, Duration, Integer, Token, now_s};
use crate::claims::Claims;
use crate::error::{Area, OrRaise, diagnosed};
use crate::keyring::Keyring;
use crate::to_json::ObjectWriter;

/// Checks tokens against a keyring and what was expected of them. Immutable; share it between threads.
#[pyclass(frozen, module = "donjon")]
pub(crate) struct TokenVerifier {
    verifier: abi::Verifier,
}

impl TokenVerifier {
    fn of_config(py: Python<'_>, keyring: &abi::Keyring, config: &[u8]) -> PyResult<Self> {
        let verifier = abi::Verifier::new(keyring, config);
        verifier.map(|verifier| Self { verifier }).map_err(|failure| {
            diagnosed(py, failure, Area::Common, || abi::verifier_diagnose(keyring, config))
        })
    }
}

#[pymethods]
impl TokenVerifier {
    #[new]
    #[pyo3(
        signature = (
            keyring, *, issuer, audience, r#type, algorithms, leeway = Duration::seconds(0), require = None,
            require_expiry = true, legacy_type_claim = None,
        ),
        text_signature = "(keyring, *, issuer, audience, type, algorithms, leeway=0, require=None, \
            require_expiry=True, legacy_type_claim=None)",
    )]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn new(
        py: Python<'_>,
        keyring: &Bound<'_, Keyring>,
        issuer: &Bound<'_, PyAny>,
        audience: &Bound<'_, PyAny>,
        r#type: &Bound<'_, PyAny>,
        algorithms: &Bound<'_, PyAny>,
        leeway: Duration,
        require: Option<&Bound<'_, PyAny>>,
        require_expiry: bool,
        legacy_type_claim: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut config = ObjectWriter::new();
        config.value("issuer", issuer)?;
        config.text_or_texts("audience", audience)?;
        config.value("type", r#type)?;
        config.texts("algorithms", algorithms)?;
        config.integer("leeway_s", leeway.as_seconds(py)?);
        match (require, require_expiry) {
            (None, true) => {}
            (None, false) => config.null("require"),
            (Some(require), true) => config.texts("require", require)?,
            (Some(_), false) => {
                return Err(PyTypeError::new_err("require_expiry=False does not go with require"));
            }
        }
        if let Some(claim) = legacy_type_claim {
            config.value("legacy_type_claim", claim)?;
        }
        Self::of_config(py, keyring.get().handle(), config.finish().as_bytes())
    }

    /// A verifier of the kernel's own configuration, one JSON object as `include/donjon.h` has it.
    #[staticmethod]
    fn from_config(py: Python<'_>, keyring: &Bound<'_, Keyring>, config: Bytes<'_>) -> PyResult<Self> {
        Self::of_config(py, keyring.get().handle(), config.0)
    }

    /// The claims of `token`, or the exception that says why it is refused.
    #[pyo3(signature = (token, *, now = None))]
    fn verify(&self, py: Python<'_>, token: Token<'_>, now: Option<Integer>) -> PyResult<Claims> {
        self.verifier.verify(token.0, now_s(now)).map(Claims::new).or_raise(py)
    }

    fn __repr__(&self) -> &'static str {
        "TokenVerifier(...)"
    }
}
