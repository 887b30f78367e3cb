//! `RevocationRules`: what to look up in a store, and what it means; `store_marker`: whether the store forgot.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::abi::{self, Failure, Suspect};
use crate::argument::{Integer, Payload, Text, now_ms_or_clock};
use crate::error::{Area, OrRaise, diagnosed, exception};
use crate::from_json;
use crate::keyring::Keyring;
use crate::to_json::Document;

/// Says under which keys revocations are stored, and decides by what is found there.
///
/// The keyring has a `device` secret, which names users in the store. `config` is the kernel's own, as
/// `include/donjon.h` has it. Immutable; share it between threads. `donjon.revocation` has this with a store.
#[pyclass(frozen, module = "donjon")]
pub(crate) struct RevocationRules {
    rules: abi::RevocationRules,
}

#[pymethods]
impl RevocationRules {
    #[new]
    #[pyo3(signature = (keyring, config = None))]
    fn new(
        py: Python<'_>,
        keyring: &Bound<'_, Keyring>,
        config: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let config = config.map(Document::of).transpose()?;
        let config = config.as_ref().map_or(&[][..], Document::as_bytes);
        let keyring = keyring.get().handle();
        let rules = abi::RevocationRules::new(keyring, config);
        rules.map(|rules| Self { rules }).map_err(|failure| {
            diagnosed(py, failure, Area::Common, || abi::revocation_rules_diagnose(keyring, config))
        })
    }

    /// What to read for a token, besides the store's marker: first what is about its subject.
    #[pyo3(
        signature = (*, subject = Text(""), token_id = Text(""), family = Text(""), key_id = Text("")),
        text_signature = "($self, *, subject='', token_id='', family='', key_id='')",
    )]
    fn keys<'py>(
        &self,
        py: Python<'py>,
        subject: Text<'_>,
        token_id: Text<'_>,
        family: Text<'_>,
        key_id: Text<'_>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let keys = self.rules.keys(suspect(&subject, &token_id, &family, &key_id));
        from_json::answer(py, &keys.or_raise(py)?)
    }

    /// Returns if the token stands, raises `TokenRevoked` if not. `values` are what `keys` have, in their order.
    #[pyo3(
        signature = (
            values, *, subject = Text(""), token_id = Text(""), family = Text(""), key_id = Text(""), issued_at,
            store_since_ms,
        ),
        text_signature = "($self, values, *, subject='', token_id='', family='', key_id='', issued_at, \
            store_since_ms)",
    )]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn check(
        &self,
        py: Python<'_>,
        values: &Bound<'_, PyAny>,
        subject: Text<'_>,
        token_id: Text<'_>,
        family: Text<'_>,
        key_id: Text<'_>,
        issued_at: Option<Integer>,
        store_since_ms: Integer,
    ) -> PyResult<()> {
        let suspect = suspect(&subject, &token_id, &family, &key_id);
        let checked = self.rules.check(suspect, moment(issued_at), &joined(values)?, store_since_ms.0);
        checked.or_raise(py)
    }

    /// What tokens of the subject have to be issued with as `revoked_since`, so that they live; or `None`.
    ///
    /// `values` are what the keys of the subject alone have.
    #[pyo3(signature = (subject, values, *, store_since_ms))]
    fn issue_since(
        &self,
        py: Python<'_>,
        subject: Text<'_>,
        values: &Bound<'_, PyAny>,
        store_since_ms: Integer,
    ) -> PyResult<Option<i64>> {
        let since = self.rules.issue_since(subject.0.as_bytes(), &joined(values)?, store_since_ms.0);
        since.map(|since| (since != abi::NEVER).then_some(since)).or_raise(py)
    }

    /// Where a revocation is written. `kind` is `token`, `family`, `subject` or `key`.
    #[pyo3(
        signature = (kind, *, subject = Text(""), id = Text("")),
        text_signature = "($self, kind, *, subject='', id='')",
    )]
    fn key<'py>(
        &self,
        py: Python<'py>,
        kind: Text<'_>,
        subject: Text<'_>,
        id: Text<'_>,
    ) -> PyResult<Bound<'py, PyString>> {
        let key = self.rules.key(number_of(py, &kind)?, subject.0.as_bytes(), id.0.as_bytes());
        PyString::from_bytes(py, &key.or_raise(py)?)
    }

    /// The record to write in the place of what is `stored`, and for how many milliseconds to keep it.
    ///
    /// `until` is when what is revoked would end anyway, in Unix seconds; `None`: as long as a token may live.
    #[pyo3(
        signature = (
            kind, stored, *, subject = Text(""), id = Text(""), until = None, now_ms = None,
            store_since_ms = Integer(0),
        ),
        text_signature = "($self, kind, stored, *, subject='', id='', until=None, now_ms=None, \
            store_since_ms=0)",
    )]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn revoke<'py>(
        &self,
        py: Python<'py>,
        kind: Text<'_>,
        stored: Payload<'_, 'py>,
        subject: Text<'_>,
        id: Text<'_>,
        until: Option<Integer>,
        now_ms: Option<Integer>,
        store_since_ms: Integer,
    ) -> PyResult<(Bound<'py, PyBytes>, i64)> {
        let written = self.rules.revoke(
            number_of(py, &kind)?,
            subject.0.as_bytes(),
            id.0.as_bytes(),
            stored.as_bytes(),
            moment(until),
            now_ms_or_clock(now_ms),
            store_since_ms.0,
        );
        let (value, keep_ms) = written.or_raise(py)?;
        Ok((PyBytes::new(py, &value), keep_ms))
    }

    fn __repr__(&self) -> &'static str {
        "RevocationRules(...)"
    }
}

pub(crate) fn suspect<'a>(
    subject: &Text<'a>,
    token_id: &Text<'a>,
    family: &Text<'a>,
    key_id: &Text<'a>,
) -> Suspect<'a> {
    Suspect {
        subject: subject.0.as_bytes(),
        token_id: token_id.0.as_bytes(),
        family: family.0.as_bytes(),
        key_id: key_id.0.as_bytes(),
    }
}

pub(crate) fn moment(time: Option<Integer>) -> i64 {
    time.map_or(abi::NEVER, |time| time.0)
}

/// Each value behind its length.
pub(crate) fn joined(values: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let mut joined = Vec::new();
    for value in values.try_iter()? {
        let value = value?;
        let value: Payload<'_, '_> = value.extract()?;
        let value = value.as_bytes();
        let len =
            u32::try_from(value.len()).map_err(|_| exception(values.py(), Failure::INVALID_ARGUMENT))?;
        joined.extend_from_slice(&len.to_be_bytes());
        joined.extend_from_slice(value);
    }
    Ok(joined)
}

fn number_of(py: Python<'_>, kind: &Text<'_>) -> PyResult<u32> {
    match kind.0 {
        "token" => Ok(abi::REVOKED_TOKEN),
        "family" => Ok(abi::REVOKED_FAMILY),
        "subject" => Ok(abi::REVOKED_SUBJECT),
        "key" => Ok(abi::REVOKED_KEY),
        _ => Err(exception(py, Failure::INVALID_ARGUMENT)),
    }
}

/// What a store's marker says of the store.
#[pyclass(frozen, get_all, module = "donjon")]
pub(crate) struct MarkerVerdict {
    /// The marker from now on.
    marker: Py<PyBytes>,
    /// Since when the store knows everything: what is older is refused.
    since_ms: i64,
    /// For how long the store has to keep the marker.
    keep_ms: i64,
    /// `"must"` be written before anything else counts, `"may"` be written, or `""`.
    write: &'static str,
    /// Why the store begins anew: `"missing"`, `"damaged"`, `"rolled_back"`, `"silent"`, or `""`.
    reason: &'static str,
}

#[pymethods]
impl MarkerVerdict {
    fn __repr__(&self) -> String {
        format!("MarkerVerdict(since_ms={}, write={:?}, reason={:?})", self.since_ms, self.write, self.reason)
    }
}

/// Decides whether a store still knows what it was told, by the marker that is `stored` under the key `epoch`.
///
/// `seen` is the latest marker that this process saw before it began to read; empty is none.
#[pyfunction]
#[pyo3(signature = (stored, seen, *, max_silence_ms, now_ms = None))]
pub(crate) fn store_marker(
    py: Python<'_>,
    stored: Payload<'_, '_>,
    seen: Payload<'_, '_>,
    max_silence_ms: Integer,
    now_ms: Option<Integer>,
) -> PyResult<MarkerVerdict> {
    let now_ms = now_ms_or_clock(now_ms);
    let decided = abi::store_marker(stored.as_bytes(), seen.as_bytes(), max_silence_ms.0, now_ms);
    let (verdict, marker) = decided.or_raise(py)?;
    Ok(MarkerVerdict {
        marker: PyBytes::new(py, &marker).unbind(),
        since_ms: verdict.since_ms,
        keep_ms: verdict.keep_ms,
        write: write_of(verdict.write),
        reason: match verdict.reason {
            abi::MARKER_MISSING => "missing",
            abi::MARKER_DAMAGED => "damaged",
            abi::MARKER_ROLLED_BACK => "rolled_back",
            abi::MARKER_SILENT => "silent",
            _ => "",
        },
    })
}

/// Whether what was decided is to be written. What is unknown must be.
pub(crate) const fn write_of(write: u8) -> &'static str {
    match write {
        0 => "",
        2 => "may",
        _ => "must",
    }
}
