//! `Claims`: what a verified token says.

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::abi::{self, Fields, Span};
use crate::argument::Text;
use crate::from_json;

/// The claims of a verified token: typed where they are registered, and a read-only mapping of all.
///
/// Holds the verified bytes and decodes what is asked for when it is asked for, afresh each time: no
/// caller can change what another one reads.
#[pyclass(frozen, mapping, module = "donjon")]
pub(crate) struct Claims {
    verified: abi::Claims,
}

impl Claims {
    pub(crate) const fn new(verified: abi::Claims) -> Self {
        Self { verified }
    }

    pub(crate) fn bytes(&self, span: impl FnOnce(&Fields) -> Span) -> Option<&[u8]> {
        self.verified.bytes(span(&self.verified.fields))
    }

    pub(crate) const fn generation_number(&self) -> i64 {
        self.verified.fields.generation
    }

    fn raw_json(&self) -> &[u8] {
        self.bytes(|fields| fields.json).unwrap_or_default()
    }

    fn text<'py>(
        &self,
        py: Python<'py>,
        span: impl FnOnce(&Fields) -> Span,
    ) -> PyResult<Option<Bound<'py, PyString>>> {
        self.bytes(span).map(|text| PyString::from_bytes(py, text)).transpose()
    }

    fn texts<'py>(
        &self,
        py: Python<'py>,
        span: impl FnOnce(&Fields) -> Span,
    ) -> PyResult<Bound<'py, PyTuple>> {
        self.bytes(span).map_or_else(|| Ok(PyTuple::empty(py)), |json| from_json::texts(py, json))
    }
}

const fn moment(seconds: i64) -> Option<i64> {
    if seconds == abi::NEVER { None } else { Some(seconds) }
}

#[pymethods]
impl Claims {
    /// `sub`.
    #[getter]
    fn subject<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyString>>> {
        self.text(py, |fields| fields.subject)
    }

    /// `iss`.
    #[getter]
    fn issuer<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyString>>> {
        self.text(py, |fields| fields.issuer)
    }

    /// `aud`, always as a tuple.
    #[getter]
    fn audience<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.texts(py, |fields| fields.audience)
    }

    /// `jti`.
    #[getter]
    fn token_id<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyString>>> {
        self.text(py, |fields| fields.token_id)
    }

    /// `exp`, in Unix seconds, rounded down.
    #[getter]
    fn expires_at(&self) -> Option<i64> {
        moment(self.verified.fields.expires_at_s)
    }

    /// `nbf`, in Unix seconds, rounded down.
    #[getter]
    fn not_before(&self) -> Option<i64> {
        moment(self.verified.fields.not_before_s)
    }

    /// `iat`, in Unix seconds, rounded down.
    #[getter]
    fn issued_at(&self) -> Option<i64> {
        moment(self.verified.fields.issued_at_s)
    }

    /// `permissions`; empty if the token has none.
    #[getter]
    fn permissions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.texts(py, |fields| fields.permissions)
    }

    /// `roles`; empty if the token has none.
    #[getter]
    fn roles<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.texts(py, |fields| fields.roles)
    }

    /// The family of a refresh token.
    #[getter]
    fn family<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyString>>> {
        self.text(py, |fields| fields.family)
    }

    /// The generation of a refresh token.
    #[getter]
    fn generation(&self) -> Option<i64> {
        u32::try_from(self.generation_number()).is_ok().then(|| self.generation_number())
    }

    /// The `kid` of the key that verified the token.
    #[getter]
    fn key_id<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyString>>> {
        self.text(py, |fields| fields.key_id)
    }

    /// All claims as compact JSON.
    #[getter]
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        PyString::from_bytes(py, self.raw_json())
    }

    /// All claims as a new `dict`.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        from_json::dict(py, self.raw_json())
    }

    fn __getitem__<'py>(&self, name: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.find(&name)?.ok_or_else(|| PyKeyError::new_err(name.unbind()))
    }

    /// The claim `name`, or `default`.
    #[pyo3(signature = (name, default=None, /))]
    fn get<'py>(
        &self,
        name: Bound<'py, PyAny>,
        default: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.find(&name)?.or(default))
    }

    fn __contains__(&self, name: Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.find(&name)?.is_some())
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        from_json::names(py, self.raw_json()).map(|names| names.len())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let names = PyTuple::new(py, from_json::names(py, self.raw_json())?)?;
        names.try_iter().map(Bound::into_any)
    }

    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.to_dict(py)?.call_method0("keys")
    }

    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.to_dict(py)?.call_method0("values")
    }

    fn items<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.to_dict(py)?.call_method0("items")
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        match other.cast::<Self>() {
            Ok(other) => self.to_dict(py)?.eq(other.get().to_dict(py)?),
            Err(_) => self.to_dict(py)?.eq(other),
        }
    }

    /// Names who the token is about and no more: further claims may be personal data.
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let part = |text: Option<Bound<'_, PyString>>| match text {
            Some(text) => text.repr().map(|text| text.to_string()),
            None => Ok("None".to_owned()),
        };
        let (issuer, subject) = (part(self.issuer(py)?)?, part(self.subject(py)?)?);
        let expires_at = self.expires_at().map_or_else(|| "None".to_owned(), |at| at.to_string());
        Ok(format!("Claims(issuer={issuer}, subject={subject}, expires_at={expires_at})"))
    }
}

impl Claims {
    /// A name that is no text is not there, as in any mapping.
    fn find<'py>(&self, name: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match name.extract::<Text<'_>>() {
            Ok(Text(text)) => from_json::member(name.py(), self.raw_json(), text),
            Err(_) => Ok(None),
        }
    }
}
