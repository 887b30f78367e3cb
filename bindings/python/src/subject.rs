//! `Subject`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::abi::{self, Failure, Mode};
use crate::argument::{Instance, Text};
use crate::error::{Area, OrRaise, exception_in, with};
use crate::from_json;
use crate::policy::Policy;
use crate::to_json;

/// Somebody's roles, activated: what they may do by one policy. Immutable; share it between threads.
///
/// An `instance` is one segment more: `has("document:read", 42)` asks for `document:read:42`, and is
/// safe with whatever the path of a request says.
#[pyclass(frozen, module = "donjon")]
pub(crate) struct Subject {
    subject: abi::Subject,
    policy: Py<Policy>,
}

impl Subject {
    pub(crate) const fn new(subject: abi::Subject, policy: Py<Policy>) -> Self {
        Self { subject, policy }
    }
}

#[pymethods]
impl Subject {
    /// The policy that decides.
    #[getter]
    fn policy(&self, py: Python<'_>) -> Py<Policy> {
        self.policy.clone_ref(py)
    }

    /// Whether they have this permission.
    #[pyo3(signature = (permission, instance = None))]
    fn has(&self, py: Python<'_>, permission: Text<'_>, instance: Option<Instance<'_>>) -> PyResult<bool> {
        let instance = Instance::bytes(instance.as_ref());
        self.subject.has(permission.0.as_bytes(), instance).or_raise_in(py, Area::Policy)
    }

    /// Whether they have one of these permissions; of none, nobody has one.
    #[pyo3(signature = (permissions, instance = None))]
    fn has_any(
        &self,
        py: Python<'_>,
        permissions: &Bound<'_, PyAny>,
        instance: Option<Instance<'_>>,
    ) -> PyResult<bool> {
        self.check(py, Mode::Any, permissions, instance.as_ref())
    }

    /// Whether they have all of these permissions. An empty list is `InvalidArgument`: it demands nothing.
    #[pyo3(signature = (permissions, instance = None))]
    fn has_all(
        &self,
        py: Python<'_>,
        permissions: &Bound<'_, PyAny>,
        instance: Option<Instance<'_>>,
    ) -> PyResult<bool> {
        self.check(py, Mode::All, permissions, instance.as_ref())
    }

    /// Whether they have this role, themselves or by inheritance.
    fn has_role(&self, py: Python<'_>, role: Text<'_>) -> PyResult<bool> {
        self.subject.has_role(role.0.as_bytes()).or_raise_in(py, Area::Policy)
    }

    /// Returns if they have this permission, else raises `PermissionDenied`.
    #[pyo3(signature = (permission, instance = None))]
    fn require(&self, py: Python<'_>, permission: Text<'_>, instance: Option<Instance<'_>>) -> PyResult<()> {
        let instance = Instance::bytes(instance.as_ref());
        if self.subject.has(permission.0.as_bytes(), instance).or_raise_in(py, Area::Policy)? {
            return Ok(());
        }
        Err(self.denied(py, Mode::All, &to_json::text_alone(permission.0), instance))
    }

    /// Returns if they have one of these permissions, else raises `PermissionDenied`.
    #[pyo3(signature = (permissions, instance = None))]
    fn require_any(
        &self,
        py: Python<'_>,
        permissions: &Bound<'_, PyAny>,
        instance: Option<Instance<'_>>,
    ) -> PyResult<()> {
        self.demand(py, Mode::Any, permissions, instance.as_ref())
    }

    /// Returns if they have all of these permissions, else raises `PermissionDenied`.
    #[pyo3(signature = (permissions, instance = None))]
    fn require_all(
        &self,
        py: Python<'_>,
        permissions: &Bound<'_, PyAny>,
        instance: Option<Instance<'_>>,
    ) -> PyResult<()> {
        self.demand(py, Mode::All, permissions, instance.as_ref())
    }

    /// Returns if they have this role, themselves or by inheritance, else raises `PermissionDenied`.
    fn require_role(&self, py: Python<'_>, role: Text<'_>) -> PyResult<()> {
        if self.has_role(py, role)? {
            return Ok(());
        }
        Err(self.denial(py))
    }

    /// Why they are allowed or not: one permission or a list, of which `mode` wants `all` or `any`.
    #[pyo3(
        signature = (permissions, instance = None, *, mode = Text("all")),
        text_signature = "($self, permissions, instance=None, *, mode='all')",
    )]
    fn explain<'py>(
        &self,
        py: Python<'py>,
        permissions: &Bound<'py, PyAny>,
        instance: Option<Instance<'_>>,
        mode: Text<'_>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mode = match mode.0 {
            "any" => Mode::Any,
            "all" => Mode::All,
            _ => return Err(PyValueError::new_err("a mode is any or all")),
        };
        let permissions = if permissions.is_instance_of::<PyString>() {
            to_json::text_alone(permissions.extract::<Text<'_>>()?.0)
        } else {
            to_json::texts(permissions, Area::Policy)?
        };
        self.explanation(py, mode, &permissions, Instance::bytes(instance.as_ref()))
    }

    /// All that they may do: entries of the catalogue, and instances where they have only those.
    fn permissions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let permissions = py.detach(|| self.subject.permissions()).or_raise_in(py, Area::Policy)?;
        from_json::answer(py, &permissions)
    }

    fn __repr__(&self) -> &'static str {
        "Subject(...)"
    }
}

impl Subject {
    fn check(
        &self,
        py: Python<'_>,
        mode: Mode,
        permissions: &Bound<'_, PyAny>,
        instance: Option<&Instance<'_>>,
    ) -> PyResult<bool> {
        let permissions = to_json::texts(permissions, Area::Policy)?;
        let allowed = self.subject.check(mode, permissions.as_bytes(), Instance::bytes(instance));
        allowed.or_raise_in(py, Area::Policy)
    }

    fn demand(
        &self,
        py: Python<'_>,
        mode: Mode,
        permissions: &Bound<'_, PyAny>,
        instance: Option<&Instance<'_>>,
    ) -> PyResult<()> {
        let permissions = to_json::texts(permissions, Area::Policy)?;
        let instance = Instance::bytes(instance);
        if self.subject.check(mode, permissions.as_bytes(), instance).or_raise_in(py, Area::Policy)? {
            return Ok(());
        }
        Err(self.denied(py, mode, &permissions, instance))
    }

    fn explanation<'py>(
        &self,
        py: Python<'py>,
        mode: Mode,
        permissions: &str,
        instance: &[u8],
    ) -> PyResult<Bound<'py, PyAny>> {
        let explanation = py.detach(|| self.subject.explain(mode, permissions.as_bytes(), instance));
        from_json::answer(py, &explanation.or_raise_in(py, Area::Policy)?)
    }

    /// The exception, with the policy that it is by.
    #[cold]
    fn denial(&self, py: Python<'_>) -> PyErr {
        let error = exception_in(py, Failure::PERMISSION_DENIED, Area::Policy);
        match self.policy.get().digest(py) {
            Ok(digest) => with(py, error, "policy_digest", &digest),
            Err(_) => error,
        }
    }

    /// The exception, with the explanation for the log.
    #[cold]
    fn denied(&self, py: Python<'_>, mode: Mode, permissions: &str, instance: &[u8]) -> PyErr {
        let error = self.denial(py);
        match self.explanation(py, mode, permissions, instance) {
            Ok(explanation) => with(py, error, "explanation", &explanation),
            Err(_) => error,
        }
    }
}
