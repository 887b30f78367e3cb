//! `Policy`.

use donjon::json::{self, Value};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::abi::{self, Failure};
use crate::argument::{Bytes, Instance, Integer, Text};
use crate::claims::Claims;
use crate::error::{Area, OrRaise, diagnosed, exception_in};
use crate::from_json;
use crate::subject::Subject;
use crate::to_json::{self, Document};

/// A catalogue of permissions and the roles that have them. Immutable; share it between threads.
///
/// `document` is JSON text or a `dict`. What is wrong with it raises `InvalidPolicy`, which says where.
#[pyclass(frozen, module = "donjon")]
pub(crate) struct Policy {
    policy: abi::Policy,
}

impl Policy {
    fn load(py: Python<'_>, document: &[u8]) -> PyResult<Self> {
        let policy = py.detach(|| abi::Policy::new(document));
        policy.map(|policy| Self { policy }).map_err(|failure| {
            diagnosed(py, failure, Area::Document, || py.detach(|| abi::policy_diagnose(document)))
        })
    }
}

#[pymethods]
impl Policy {
    #[new]
    fn new(py: Python<'_>, document: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::load(py, Document::of_policy(document)?.as_bytes())
    }

    /// One of the policies that come with donjon: `deepinsight`, `session-cluster`.
    #[staticmethod]
    fn shipped(py: Python<'_>, name: Text<'_>) -> PyResult<Self> {
        Self::load(py, &abi::policy_shipped(name.0).or_raise_in(py, Area::Policy)?)
    }

    /// The policy of casbin's `p` and `g` lines, and who has which roles by them.
    #[staticmethod]
    fn from_casbin<'py>(py: Python<'py>, csv: Bytes<'_>) -> PyResult<(Self, Bound<'py, PyAny>)> {
        let imported = py.detach(|| abi::policy_import_casbin(csv.0)).or_raise_in(py, Area::Document)?;
        let defect = || exception_in(py, Failure::INTERNAL_ERROR, Area::Policy);
        let Ok(Value::Object(members)) = json::parse(&imported, from_json::ANSWER) else {
            return Err(defect());
        };
        match (members.get("policy"), members.get("assignments")) {
            (Some(Value::Object(policy)), Some(Value::Object(assignments))) => Ok((
                Self::load(py, policy.raw().as_bytes())?,
                from_json::answer(py, assignments.raw().as_bytes())?,
            )),
            _ => Err(defect()),
        }
    }

    /// The JSON Schema of policy documents.
    #[staticmethod]
    fn schema(py: Python<'_>) -> PyResult<Bound<'_, PyString>> {
        PyString::from_bytes(py, &abi::policy_schema().or_raise_in(py, Area::Policy)?)
    }

    /// The document in its canonical form: the same policy is the same text.
    #[getter]
    fn document<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        PyString::from_bytes(py, &self.policy.document().or_raise_in(py, Area::Policy)?)
    }

    /// SHA-256 of the canonical document.
    #[getter]
    pub(crate) fn digest<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyBytes::new(py, &self.policy.digest().or_raise_in(py, Area::Policy)?).into_any())
    }

    /// What each role gains and loses in effective permissions where `after` takes this policy's place.
    fn diff<'py>(&self, py: Python<'py>, after: &Bound<'_, Self>) -> PyResult<Bound<'py, PyAny>> {
        let after = &after.get().policy;
        let diff = py.detach(|| self.policy.diff(after)).or_raise_in(py, Area::Policy)?;
        from_json::answer(py, &diff)
    }

    /// What is allowed to be in a policy and is likely a mistake.
    fn lint<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let findings = py.detach(|| self.policy.lint()).or_raise_in(py, Area::Policy)?;
        from_json::answer(py, &findings)
    }

    /// Which role has which permission: a `dict`, or text to read as Markdown or HTML.
    #[pyo3(
        signature = (format = Text("json")),
        text_signature = "($self, format='json')",
    )]
    fn matrix<'py>(&self, py: Python<'py>, format: Text<'_>) -> PyResult<Bound<'py, PyAny>> {
        let number = match format.0 {
            "json" => abi::DONJON_MATRIX_JSON,
            "markdown" => abi::DONJON_MATRIX_MARKDOWN,
            "html" => abi::DONJON_MATRIX_HTML,
            _ => return Err(PyValueError::new_err("a matrix is json, markdown or html")),
        };
        let matrix = py.detach(|| self.policy.matrix(number)).or_raise_in(py, Area::Policy)?;
        if number == abi::DONJON_MATRIX_JSON {
            from_json::answer(py, &matrix)
        } else {
            PyString::from_bytes(py, &matrix).map(Bound::into_any)
        }
    }

    /// The roles that have `permission`.
    fn who_can<'py>(&self, py: Python<'py>, permission: Text<'_>) -> PyResult<Bound<'py, PyAny>> {
        let permission = permission.0.as_bytes();
        let roles = py.detach(|| self.policy.who_can(permission)).or_raise_in(py, Area::Policy)?;
        from_json::answer(py, &roles)
    }

    /// Returns if somebody who has `roles` may be given `role`, and raises why not.
    ///
    /// `members` is how many have `role` now: count them and assign in one transaction. A tenant's role is
    /// `role@tenant`.
    #[pyo3(signature = (roles, role, *, members))]
    fn assign(
        &self,
        py: Python<'_>,
        roles: &Bound<'_, PyAny>,
        role: Text<'_>,
        members: Integer,
    ) -> PyResult<()> {
        let negative = |_| exception_in(py, Failure::INVALID_ARGUMENT, Area::Policy);
        let members = u64::try_from(members.0).map_err(negative)?;
        let roles = to_json::texts(roles, Area::Policy)?;
        self.policy.assign(roles.as_bytes(), role.0.as_bytes(), members).or_raise_in(py, Area::Policy)
    }

    /// Returns if the catalogue has `permission`. To be asked when a service starts.
    fn check_permission(&self, py: Python<'_>, permission: Text<'_>) -> PyResult<()> {
        self.policy.check_permission(permission.0.as_bytes()).or_raise_in(py, Area::Policy)
    }

    /// Returns if the policy has `role`. To be asked when a service starts.
    fn check_role(&self, py: Python<'_>, role: Text<'_>) -> PyResult<()> {
        self.policy.check_role(role.0.as_bytes()).or_raise_in(py, Area::Policy)
    }

    /// Somebody with these roles, in `tenant` if one is given.
    ///
    /// `permissions` are those of a token: they narrow what the roles allow and add nothing to it.
    #[pyo3(signature = (roles, *, tenant = None, permissions = None))]
    fn subject(
        slf: &Bound<'_, Self>,
        roles: &Bound<'_, PyAny>,
        tenant: Option<Text<'_>>,
        permissions: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Subject> {
        let subject = slf.get().activate(slf.py(), roles, tenant, permissions)?;
        Ok(Subject::new(subject, slf.clone().unbind()))
    }

    /// Whom verified claims are about: `roles`, narrowed by `permissions` if the token has them.
    #[pyo3(signature = (claims, *, tenant = None))]
    fn subject_of(
        slf: &Bound<'_, Self>,
        claims: &Bound<'_, Claims>,
        tenant: Option<Text<'_>>,
    ) -> PyResult<Subject> {
        let (policy, claims) = (&slf.get().policy, claims.get());
        let roles = claims.bytes(|fields| fields.roles).unwrap_or(b"[]");
        let permissions = claims.bytes(|fields| fields.permissions).unwrap_or_default();
        let tenant = or_none(tenant);
        let subject = slf.py().detach(|| abi::Subject::new(policy, roles, tenant, permissions));
        let subject = subject.or_raise_in(slf.py(), Area::Policy)?;
        Ok(Subject::new(subject, slf.clone().unbind()))
    }

    /// `subject(...).has(permission, instance)`, where it is asked once.
    #[pyo3(signature = (roles, permission, instance = None, *, tenant = None, permissions = None))]
    fn allows(
        &self,
        py: Python<'_>,
        roles: &Bound<'_, PyAny>,
        permission: Text<'_>,
        instance: Option<Instance<'_>>,
        tenant: Option<Text<'_>>,
        permissions: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        let subject = self.activate(py, roles, tenant, permissions)?;
        let instance = Instance::bytes(instance.as_ref());
        subject.has(permission.0.as_bytes(), instance).or_raise_in(py, Area::Policy)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let digest = self.policy.digest().or_raise_in(py, Area::Policy)?;
        let start: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("<Policy {start}>"))
    }
}

impl Policy {
    fn activate(
        &self,
        py: Python<'_>,
        roles: &Bound<'_, PyAny>,
        tenant: Option<Text<'_>>,
        permissions: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<abi::Subject> {
        let roles = to_json::texts(roles, Area::Policy)?;
        // An empty list of a token narrows to nothing, where an absent one narrows nothing.
        let narrowed = permissions.map(|texts| to_json::texts(texts, Area::Policy)).transpose()?;
        let narrowed = narrowed.as_deref().unwrap_or_default();
        let tenant = or_none(tenant);
        py.detach(|| abi::Subject::new(&self.policy, roles.as_bytes(), tenant, narrowed.as_bytes()))
            .or_raise_in(py, Area::Policy)
    }
}

/// The ABI takes the empty text for "none": in no tenant, only roles of all tenants count.
fn or_none(tenant: Option<Text<'_>>) -> &[u8] {
    tenant.map_or(&[], |tenant| tenant.0.as_bytes())
}

/// Whether `granted` covers `required`, by themselves: no policy knows either.
#[pyfunction]
pub(crate) fn permission_implies(py: Python<'_>, granted: Text<'_>, required: Text<'_>) -> PyResult<bool> {
    abi::permission_implies(granted.0.as_bytes(), required.0.as_bytes()).or_raise_in(py, Area::Policy)
}
