//! `Session`: one sign-in, as the kernel describes it.

use donjon::base64url;
use donjon::json::{self, Members, Text, Value};
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
        let members = Members::open(text, from_json::ANSWER).map_err(|_| defect(py))?;
        Self::of(py, members, changes)
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
                Value::Object(members) => Self::of(py, members.iter(), 0),
                _ => Err(defect(py)),
            })
            .collect()
    }

    /// Takes each member where the kernel writes it: every request has a session read, so none is searched for.
    fn of<'a>(
        py: Python<'_>,
        mut members: impl Iterator<Item = (Text<'a>, Value<'a>)>,
        changes: u8,
    ) -> PyResult<Self> {
        let mut next = |name| match members.next() {
            Some((found, value)) if found == name => Ok(value),
            _ => Err(defect(py)),
        };
        let mut session = Self {
            handle: string(py, next("handle")?)?,
            subject: string(py, next("subject")?)?,
            kind: string(py, next("kind")?)?,
            label: string(py, next("label")?)?,
            data: data(py, next("data")?)?,
            created_ms: number(py, next("created_ms")?)?,
            seen_ms: number(py, next("seen_ms")?)?,
            expires_ms: number(py, next("expires_ms")?)?,
            network: match next("network")? {
                Value::Null => None,
                network => Some(string(py, network)?),
            },
            current: false,
            evicted: PyTuple::empty(py).unbind(),
            changes: changed(py, changes)?.unbind(),
        };
        match members.next() {
            None => {}
            Some((name, Value::Bool(current))) if name == "current" => session.current = current,
            Some((name, Value::Array(evicted))) if name == "evicted" => {
                session.evicted = evictions(py, evicted)?.unbind();
            }
            Some(_) => return Err(defect(py)),
        }
        Ok(session)
    }
}

fn string(py: Python<'_>, value: Value<'_>) -> PyResult<Py<PyString>> {
    let Value::Text(text) = value else { return Err(defect(py)) };
    Ok(from_json::string(py, text).unbind())
}

fn data(py: Python<'_>, value: Value<'_>) -> PyResult<Py<PyBytes>> {
    let Value::Text(text) = value else { return Err(defect(py)) };
    let data = base64url::decode(text.raw().as_bytes()).map_err(|_| defect(py))?;
    Ok(PyBytes::new(py, &data).unbind())
}

fn number(py: Python<'_>, value: Value<'_>) -> PyResult<i64> {
    let Value::Number(number) = value else { return Err(defect(py)) };
    number.integer().ok_or_else(|| defect(py))
}

/// A tuple of `donjon.types.Evicted`.
fn evictions<'py>(py: Python<'py>, evicted: json::Array<'_>) -> PyResult<Bound<'py, PyTuple>> {
    static EVICTED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
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
