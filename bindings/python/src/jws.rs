//! Signatures without the claims' rules: complete claims signed, a bare JWS verified, a header read.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::abi;
use crate::argument::{Bytes, Integer, Text, Token, now_s};
use crate::error::{Area, OrRaise};
use crate::from_json;
use crate::keyring::Keyring;
use crate::to_json;

/// A verified JWS.
#[pyclass(frozen, get_all, name = "JWS", module = "donjon")]
pub(crate) struct Jws {
    /// The signed bytes.
    payload: Py<PyBytes>,
    /// The algorithm that the key was used with.
    algorithm: Py<PyString>,
    /// The key's id, if it has one.
    key_id: Option<Py<PyString>>,
}

#[pymethods]
impl Jws {
    fn __repr__(&self, py: Python<'_>) -> String {
        format!("JWS(algorithm='{}')", self.algorithm.bind(py))
    }
}

/// Verifies the signature of a compact JWS and nothing else. For tokens, use `TokenVerifier`.
#[pyfunction]
#[pyo3(signature = (keyring, jws, *, algorithms, now = None))]
pub(crate) fn verify_jws(
    py: Python<'_>,
    keyring: &Bound<'_, Keyring>,
    jws: Token<'_>,
    algorithms: &Bound<'_, PyAny>,
    now: Option<Integer>,
) -> PyResult<Jws> {
    verify_jws_of_config(py, keyring, jws, Bytes(to_json::texts(algorithms, Area::Common)?.as_bytes()), now)
}

/// `verify_jws` with its algorithms as JSON text, as the ABI takes them.
#[pyfunction]
#[pyo3(signature = (keyring, jws, algorithms, *, now = None))]
pub(crate) fn verify_jws_of_config(
    py: Python<'_>,
    keyring: &Bound<'_, Keyring>,
    jws: Token<'_>,
    algorithms: Bytes<'_>,
    now: Option<Integer>,
) -> PyResult<Jws> {
    let jws = abi::jws_verify(keyring.get().handle(), algorithms.0, jws.0, now_s(now)).or_raise(py)?;
    let key_id = jws.key_id().map(|kid| PyString::from_bytes(py, kid)).transpose()?;
    Ok(Jws {
        payload: PyBytes::new(py, jws.payload().unwrap_or_default()).unbind(),
        algorithm: PyString::from_bytes(py, jws.alg().unwrap_or_default())?.unbind(),
        key_id: key_id.map(Bound::unbind),
    })
}

/// Signs complete claims, a `dict` or JSON text: nothing is added. To issue tokens, use `TokenIssuer`.
#[pyfunction]
#[pyo3(signature = (keyring, claims, *, key_id = None, r#type = None))]
pub(crate) fn sign_token<'py>(
    py: Python<'py>,
    keyring: &Bound<'py, Keyring>,
    claims: &Bound<'py, PyAny>,
    key_id: Option<Text<'_>>,
    r#type: Option<Text<'_>>,
) -> PyResult<Bound<'py, PyString>> {
    let kid = key_id.map_or("", |kid| kid.0);
    let typ = r#type.map_or("", |typ| typ.0);
    let handle = keyring.get().handle();
    let token = if claims.is_instance_of::<PyDict>() {
        abi::token_sign(handle, kid, typ, to_json::value(claims)?.as_bytes())
    } else {
        abi::token_sign(handle, kid, typ, claims.extract::<Bytes<'_>>()?.0)
    };
    PyString::from_bytes(py, &token.or_raise(py)?)
}

/// The header of a token as a `dict`, NOT verified: good for choosing between verifiers, no more.
#[pyfunction]
pub(crate) fn unverified_header<'py>(py: Python<'py>, token: Token<'_>) -> PyResult<Bound<'py, PyDict>> {
    from_json::dict(py, &abi::unverified_header(token.0).or_raise(py)?)
}
