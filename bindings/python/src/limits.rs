//! `Limits`.

use donjon::json::{self, Value};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};

use crate::abi::{self, Failure};
use crate::argument::{Bytes, Count, Integer, Payload, Text, now_ms_or_clock};
use crate::error::{Area, OrRaise, diagnosed, exception_in};
use crate::from_json;
use crate::to_json::ObjectWriter;
use crate::verdict::Verdict;

/// How much may be spent in how long: `10/minute`, `5 per 1 hour`, `10/second; 100/hour`.
///
/// Up to 8 limits, with `;`, `,` or `|` between them, are spent all or nothing. The units are `second`,
/// `minute`, `hour`, `day`, `month` (30 days) and `year` (360 days). What is wrong with the text is a
/// `ConfigError`, which says where. The algorithms are `gcra`, `token_bucket`, `fixed_window`,
/// `sliding_window` and `sliding_log`; `burst` is for the first two. Immutable; share it between threads.
///
/// This is the arithmetic alone: it takes the state of a key and gives the next. A `LimitTable` keeps the
/// states in this process, the stores of `donjon.limits` keep them elsewhere.
#[pyclass(frozen, module = "donjon")]
pub(crate) struct Limits {
    limits: abi::Limits,
    config: Box<str>,
}

impl Limits {
    fn of_config(py: Python<'_>, config: &[u8]) -> PyResult<Self> {
        let limits = abi::Limits::new(config)
            .map_err(|failure| diagnosed(py, failure, Area::Limit, || abi::limits_diagnose(config)))?;
        Ok(Self { limits, config: String::from_utf8_lossy(config).into() })
    }

    #[inline]
    pub(crate) const fn handle(&self) -> &abi::Limits {
        &self.limits
    }
}

#[pymethods]
impl Limits {
    #[new]
    #[pyo3(
        signature = (limits, *, algorithm = Text("gcra"), burst = None),
        text_signature = "(limits, *, algorithm='gcra', burst=None)",
    )]
    fn new(py: Python<'_>, limits: Text<'_>, algorithm: Text<'_>, burst: Option<Count>) -> PyResult<Self> {
        let mut config = ObjectWriter::new();
        config.text("limits", limits.0);
        config.text("algorithm", algorithm.0);
        if let Some(burst) = burst {
            config.integer("burst", burst.0.into());
        }
        Self::of_config(py, config.finish().as_bytes())
    }

    /// A lock-out: `attempts` failures lock for `lock_s` seconds.
    ///
    /// Each lock after the first is `growth` times as long as the one before, up to `max_lock_s`.
    #[staticmethod]
    #[pyo3(
        signature = (attempts = Count(5), lock_s = Count(900), growth = Count(1), max_lock_s = Count(86_400)),
        text_signature = "(attempts=5, lock_s=900, growth=1, max_lock_s=86400)",
    )]
    fn lockout(
        py: Python<'_>,
        attempts: Count,
        lock_s: Count,
        growth: Count,
        max_lock_s: Count,
    ) -> PyResult<Self> {
        let Count(attempts) = attempts;
        let (Count(lock_s), Count(growth), Count(max_lock_s)) = (lock_s, growth, max_lock_s);
        let config = format!(
            r#"{{"lockout":{{"attempts":{attempts},"lock_s":{lock_s},"growth":{growth},"max_lock_s":{max_lock_s}}}}}"#
        );
        Self::of_config(py, config.as_bytes())
    }

    /// One of the limits that come with donjon, as `profiles` of `donjon.limits` names them.
    #[staticmethod]
    fn profile(py: Python<'_>, name: Text<'_>) -> PyResult<Self> {
        let mut config = ObjectWriter::new();
        config.text("profile", name.0);
        Self::of_config(py, config.finish().as_bytes())
    }

    /// Limits of the kernel's own configuration, as `include/donjon.h` has it.
    #[staticmethod]
    fn from_config(py: Python<'_>, config: Bytes<'_>) -> PyResult<Self> {
        Self::of_config(py, config.0)
    }

    /// `gcra`, `token_bucket`, `fixed_window`, `sliding_window`, `sliding_log` or `lockout`.
    #[getter]
    fn algorithm<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let description = self.limits.describe().or_raise_in(py, Area::Limit)?;
        from_json::member(py, &description, "algorithm")?.ok_or_else(|| defect(py))
    }

    /// The limits, in the order written.
    #[getter]
    fn items<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let description = self.limits.describe().or_raise_in(py, Area::Limit)?;
        let Ok(Value::Object(members)) = json::parse(&description, json::Limits::DOCUMENT) else {
            return Err(defect(py));
        };
        let Some(Value::Array(limits)) = members.get("limits") else { return Err(defect(py)) };
        let items: PyResult<Vec<_>> = limits.iter().map(|limit| item(py, limit)).collect();
        PyTuple::new(py, items?)
    }

    /// The verdict on spending `cost` of a key whose state this is, and its next state.
    ///
    /// `state` is `None` or empty for a key that is new. A state of other limits is converted, so that nothing
    /// is refilled by it; one that is damaged counts as spent. A cost of 0 asks, and spends nothing.
    #[pyo3(
        signature = (state, cost = Count(1), *, now_ms = None),
        text_signature = "($self, state, cost=1, *, now_ms=None)",
    )]
    fn spend<'py>(
        &self,
        py: Python<'py>,
        state: Option<Payload<'_, 'py>>,
        cost: Count,
        now_ms: Option<Integer>,
    ) -> PyResult<(Verdict, Bound<'py, PyBytes>)> {
        let (state, now_ms) = (bytes_of(state.as_ref()), now_ms_or_clock(now_ms));
        let spent = self.limits.spend(state, now_ms, cost.0, |next| PyBytes::new(py, next));
        let (verdict, next) = spent.or_raise_in(py, Area::Limit)?;
        Ok((Verdict::new(&verdict, now_ms), next))
    }

    /// The next state where `cost`, spent at `spent_at_ms`, is given back: no more than is still owed of it.
    #[pyo3(
        signature = (state, spent_at_ms, cost = Count(1), *, now_ms = None),
        text_signature = "($self, state, spent_at_ms, cost=1, *, now_ms=None)",
    )]
    fn give_back<'py>(
        &self,
        py: Python<'py>,
        state: Option<Payload<'_, 'py>>,
        spent_at_ms: Integer,
        cost: Count,
        now_ms: Option<Integer>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (state, now_ms) = (bytes_of(state.as_ref()), now_ms_or_clock(now_ms));
        let next = self.limits.give_back(state, spent_at_ms.0, now_ms, cost.0, |next| PyBytes::new(py, next));
        next.or_raise_in(py, Area::Limit)
    }

    /// The text of the script that does the same in Redis or Valkey. Its one key is the one to spend of.
    #[getter]
    fn script<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        PyString::from_bytes(py, &self.limits.script().or_raise_in(py, Area::Limit)?)
    }

    /// What the script is called with, besides the key. Without `now_ms` it goes by the server's clock.
    #[pyo3(
        signature = (cost = Count(1), *, now_ms = None),
        text_signature = "($self, cost=1, *, now_ms=None)",
    )]
    fn script_args<'py>(
        &self,
        py: Python<'py>,
        cost: Count,
        now_ms: Option<Integer>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let now_ms = now_ms.map_or(abi::NEVER, |now| now.0);
        from_json::answer(py, &self.limits.script_args(cost.0, now_ms).or_raise_in(py, Area::Limit)?)
    }

    /// The fields of a response: `X-RateLimit-Limit`, `-Remaining` and `-Reset` (in Unix seconds), and
    /// `Retry-After` where it is refused. With `ietf` also `RateLimit` and `RateLimit-Policy`.
    #[pyo3(signature = (verdict, *, now_ms = None, ietf = false))]
    fn headers<'py>(
        &self,
        py: Python<'py>,
        verdict: &Bound<'py, Verdict>,
        now_ms: Option<Integer>,
        ietf: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        let fields = if ietf { abi::HEADERS_X | abi::HEADERS_IETF } else { abi::HEADERS_X };
        let headers = self.limits.headers(&verdict.get().raw(), now_ms_or_clock(now_ms), fields);
        from_json::tuples(py, &headers.or_raise_in(py, Area::Limit)?)
    }

    /// The body of the response that refuses, by a verdict that is not allowed. Times are in seconds.
    #[staticmethod]
    #[pyo3(
        signature = (verdict, *, code = Text(""), now_ms = None),
        text_signature = "(verdict, *, code='', now_ms=None)",
    )]
    fn refusal<'py>(
        py: Python<'py>,
        verdict: &Bound<'py, Verdict>,
        code: Text<'_>,
        now_ms: Option<Integer>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let now_ms = now_ms_or_clock(now_ms);
        let body = abi::limits_refusal(&verdict.get().raw(), now_ms, code.0.as_bytes());
        from_json::answer(py, &body.or_raise_in(py, Area::Limit)?)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (&str,))> {
        Ok((py.get_type::<Self>().getattr("from_config")?, (&self.config,)))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Limits.from_config({})", PyString::new(py, &self.config).repr()?))
    }
}

/// No state is an empty one.
fn bytes_of<'a>(state: Option<&'a Payload<'_, '_>>) -> &'a [u8] {
    state.map_or(&[], Payload::as_bytes)
}

/// A `donjon.types.Limit`.
fn item<'py>(py: Python<'py>, limit: Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    static LIMIT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let Value::Object(members) = limit else { return Err(defect(py)) };
    let number = |name| match members.get(name) {
        Some(Value::Number(number)) => number.integer().ok_or_else(|| defect(py)),
        _ => Err(defect(py)),
    };
    LIMIT.import(py, "donjon.types", "Limit")?.call1((
        number("amount")?,
        number("period_s")?,
        number("burst")?,
    ))
}

#[cold]
fn defect(py: Python<'_>) -> PyErr {
    exception_in(py, Failure::INTERNAL_ERROR, Area::Limit)
}

/// The limits of both documents' endpoints, by document and endpoint.
#[pyfunction]
pub(crate) fn profiles(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    from_json::answer(py, &abi::limit_profiles().or_raise_in(py, Area::Limit)?)
}

/// The text of a script for Redis or Valkey that changes one key if it is what it was.
///
/// Its arguments are what is expected (empty: nothing), what to write (empty: nothing, the key goes), and the
/// milliseconds to keep it (empty: as long as it had). It answers 1 or 0.
#[pyfunction]
pub(crate) fn compare_and_set_script(py: Python<'_>) -> PyResult<Bound<'_, PyString>> {
    PyString::from_bytes(py, &abi::compare_and_set_script().or_raise_in(py, Area::Limit)?)
}
