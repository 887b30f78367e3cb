//! `RevocationSet`: what is revoked, for those without the store; `sign_revocation_set` makes one.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::abi::{self, Failure, SetTerms};
use crate::argument::{Duration, Integer, Payload, Size, Text, now_s};
use crate::error::{OrRaise, exception};
use crate::from_json;
use crate::keyring::Keyring;
use crate::revocation_rules::{joined, moment, suspect};

const SKEW: Duration = Duration::seconds(2);

/// A signed set of what is revoked. Immutable; share it between threads.
///
/// Its memory is what its bytes are. `donjon.revocation` has this with what replaces it.
#[pyclass(frozen, module = "donjon")]
pub(crate) struct RevocationSet {
    set: abi::RevocationSet,
}

#[pymethods]
impl RevocationSet {
    /// The set, if one of the keyring's token keys signed it, it is not behind `last_sequence`, and its time is
    /// not over.
    #[staticmethod]
    #[pyo3(
        signature = (set, keyring, *, last_sequence = Size(0), now = None),
        text_signature = "(set, keyring, *, last_sequence=0, now=None)",
    )]
    fn open(
        py: Python<'_>,
        set: Payload<'_, '_>,
        keyring: &Bound<'_, Keyring>,
        last_sequence: Size,
        now: Option<Integer>,
    ) -> PyResult<Self> {
        let (set, keyring, now_s) = (set.as_bytes(), keyring.get().handle(), now_s(now));
        let set = py.detach(|| abi::RevocationSet::open(set, keyring, last_sequence.0, now_s));
        set.map(|set| Self { set }).or_raise(py)
    }

    /// `"good"`, `"revoked"`, or `"probably_revoked"`, where about one token in a million is another that is good:
    /// ask the store, if you can.
    ///
    /// Raises `RevocationSetStale` once the set's time is over: then no token is good.
    #[pyo3(
        signature = (
            *, subject = Text(""), token_id = Text(""), family = Text(""), key_id = Text(""), issued_at,
            now = None,
        ),
        text_signature = "($self, *, subject='', token_id='', family='', key_id='', issued_at, now=None)",
    )]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn check(
        &self,
        py: Python<'_>,
        subject: Text<'_>,
        token_id: Text<'_>,
        family: Text<'_>,
        key_id: Text<'_>,
        issued_at: Option<Integer>,
        now: Option<Integer>,
    ) -> PyResult<&'static str> {
        let suspect = suspect(&subject, &token_id, &family, &key_id);
        match self.set.check(suspect, moment(issued_at), now_s(now)) {
            (Ok(()), _) => Ok("good"),
            (Err(Failure::REVOKED), true) => Ok("probably_revoked"),
            (Err(Failure::REVOKED), false) => Ok("revoked"),
            (Err(failure), _) => Err(exception(py, failure)),
        }
    }

    /// What the set says of itself: its sequence, its times, how much is in it, and how often it errs.
    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        from_json::dict(py, &self.set.info().or_raise(py)?)
    }

    fn __repr__(&self) -> &'static str {
        "RevocationSet(...)"
    }
}

/// Signs a set of what is revoked with the keyring's primary token key. All times in Unix seconds.
///
/// `records` are those that the store has, and `store_since_ms` what its marker says. `sequence` is higher than
/// that of every set before. It is good until `valid_until`, a day after `issued_at` at the latest.
#[pyfunction]
#[pyo3(
    signature = (
        keyring, records, *, sequence, store_since_ms, valid_until, issued_at = None, skew = SKEW,
    ),
    text_signature = "(keyring, records, *, sequence, store_since_ms, valid_until, issued_at=None, skew=2)",
)]
#[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub(crate) fn sign_revocation_set<'py>(
    py: Python<'py>,
    keyring: &Bound<'py, Keyring>,
    records: &Bound<'py, PyAny>,
    sequence: Size,
    store_since_ms: Integer,
    valid_until: Integer,
    issued_at: Option<Integer>,
    skew: Duration,
) -> PyResult<Bound<'py, PyBytes>> {
    let (keyring, records) = (keyring.get().handle(), joined(records)?);
    let terms = SetTerms {
        sequence: sequence.0,
        store_since_ms: store_since_ms.0,
        skew_s: skew.as_seconds(py)?,
        issued_at_s: now_s(issued_at),
        valid_until_s: valid_until.0,
    };
    let set = py.detach(|| abi::revocation_set_sign(keyring, terms, &records));
    Ok(PyBytes::new(py, &set.or_raise(py)?))
}
