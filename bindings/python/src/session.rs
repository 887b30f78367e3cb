//! `Session`: one sign-in, as the kernel describes it.

use donjon::base64url;
use donjon::json::{self, Value};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyString, PyTuple};

use crate::abi::{self, Failure};
use crate::error::exception;
use crate::from_json;

/// A sign-in: a session with a cookie, or a family of refresh tokens. Nothing of it lets anybody in.
#[pyclass(frozen, get_all, module = "donjon")]
pub(crate) struct Session {
    /// What it is called in lists, and where it is revoked. For tokens it is their family.
    handle: Py<PyString>,
    /// Whose it is; empty before the log-in.
    subject: Py<PyString>,
    /// `"cookie"` or `"tokens"`.
    kind: Py<PyString>,
    /// What the user knows the device by.
    label: Py<PyString>,
    /// What the service keeps with it.
    data: Py<PyBytes>,
    created_ms: i64,
    /// When it was last used, give or take the touch interval.
    seen_ms: i64,
    /// When it ends if it is not used again.
    expires_ms: i64,
    /// The network that it was begun from.
    network: Option<Py<PyString>>,
    /// Whether it is the one that the list was asked for with.
    current: bool,
    /// What had to go for it: `handle` and `kind` of each.
    evicted: Py<PyTuple>,
    /// What is not as it was, where that is only to be reported: of `"address"` and `"user_agent"`.
    changes: Py<PyTuple>,
}

#[pymethods]
impl Session {
    /// Names whose it is and no more: its data may be personal.
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let repr = |text: &Py<PyString>| text.bind(py).repr().map(|text| text.to_string());
        let (handle, subject, kind) = (repr(&self.handle)?, repr(&self.subject)?, repr(&self.kind)?);
        Ok(format!("Session(handle={handle}, subject={subject}, kind={kind})"))
    }

    fn __eq__(&self, py: Python<'_>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        match other.cast::<Self>() {
            Ok(other) => self.fields(py)?.eq(other.get().fields(py)?),
            Err(_) => Ok(false),
        }
    }
}

impl Session {
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        (
            (&self.handle, &self.subject, &self.kind, &self.label, &self.data),
            (self.created_ms, self.seen_ms, self.expires_ms, &self.network),
            (self.current, &self.evicted, &self.changes),
        )
            .into_pyobject(py)
    }

    /// The session that `text` describes.
    pub(crate) fn of_json(py: Python<'_>, text: &[u8], changes: u8) -> PyResult<Self> {
        match json::parse(text, from_json::ANSWER) {
            Ok(Value::Object(members)) => Self::of(py, &members, changes),
            _ => Err(defect(py)),
        }
    }

    /// The sessions of a list.
    pub(crate) fn list_of_json(py: Python<'_>, text: &[u8]) -> PyResult<Vec<Self>> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let Ok(Value::Array(sessions)) = json::parse(text, from_json::ANSWER) else { return Err(defect(py)) };
        sessions
            .iter()
            .map(|session| match session {
                Value::Object(members) => Self::of(py, &members, 0),
                _ => Err(defect(py)),
            })
            .collect()
    }

    fn of(py: Python<'_>, members: &json::Object<'_>, changes: u8) -> PyResult<Self> {
        let text = |name| match members.get(name) {
            Some(Value::Text(text)) => Ok(from_json::string(py, text)),
            _ => Err(defect(py)),
        };
        let number = |name| match members.get(name) {
            Some(Value::Number(number)) => number.integer().ok_or_else(|| defect(py)),
            _ => Err(defect(py)),
        };
        let network = match members.get("network") {
            Some(Value::Text(network)) => Some(from_json::string(py, network).unbind()),
            _ => None,
        };
        let data = base64url::decode(text("data")?.to_str()?.as_bytes()).map_err(|_| defect(py))?;
        Ok(Self {
            handle: text("handle")?.unbind(),
            subject: text("subject")?.unbind(),
            kind: text("kind")?.unbind(),
            label: text("label")?.unbind(),
            data: PyBytes::new(py, &data).unbind(),
            created_ms: number("created_ms")?,
            seen_ms: number("seen_ms")?,
            expires_ms: number("expires_ms")?,
            network,
            current: matches!(members.get("current"), Some(Value::Bool(true))),
            evicted: evicted(py, members)?.unbind(),
            changes: changed(py, changes)?.unbind(),
        })
    }
}

/// A tuple of `donjon.types.Evicted`.
fn evicted<'py>(py: Python<'py>, members: &json::Object<'_>) -> PyResult<Bound<'py, PyTuple>> {
    static EVICTED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let Some(Value::Array(evicted)) = members.get("evicted") else { return Ok(PyTuple::empty(py)) };
    let evicted: PyResult<Vec<_>> = evicted
        .iter()
        .map(|one| {
            let Value::Object(one) = one else { return Err(defect(py)) };
            let (Some(Value::Text(handle)), Some(Value::Text(kind))) = (one.get("handle"), one.get("kind"))
            else {
                return Err(defect(py));
            };
            let class = EVICTED.import(py, "donjon.types", "Evicted")?;
            class.call1((from_json::string(py, handle), from_json::string(py, kind)))
        })
        .collect();
    PyTuple::new(py, evicted?)
}

/// The names of what has changed.
pub(crate) fn changed(py: Python<'_>, changes: u8) -> PyResult<Bound<'_, PyTuple>> {
    if changes == 0 {
        return Ok(PyTuple::empty(py));
    }
    let names = [(abi::CHANGED_ADDRESS, "address"), (abi::CHANGED_USER_AGENT, "user_agent")];
    PyTuple::new(
        py,
        names.into_iter().filter(|(bit, _)| changes & bit != 0).map(|(_, name)| name).collect::<Vec<_>>(),
    )
}

/// The kernel wrote this.
#[cold]
fn defect(py: Python<'_>) -> PyErr {
    exception(py, Failure::INTERNAL_ERROR)
}
