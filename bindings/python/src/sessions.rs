//! `Sessions`: the rules of sessions, over a user's record; `donjon.sessions` keeps the records.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use crate::abi::{self, Failure, Peer, Request, Times, Who};
use crate::argument::{Integer, Payload, Sent, Text, now_ms_or_clock};
use crate::error::{Area, OrRaise, diagnosed, exception_in, with};
use crate::from_json;
use crate::keyring::Keyring;
use crate::revocation_rules::{moment, write_of};
use crate::session::{Session, changed};
use crate::to_json::Document;

/// Decides about sessions: each method takes a user's record, as the store has it, and gives the next one.
///
/// The keyring has a `device` secret, which names users in the store, and a `csrf` secret; with `"sealed": true` an
/// `envelope` key as well. `config` is the kernel's own, as `docs/sessions.md` has it. Immutable; share it between
/// threads. The managers of `donjon.sessions` have this with a store.
#[pyclass(frozen, module = "donjon")]
pub(crate) struct Sessions {
    sessions: abi::Sessions,
}

#[pymethods]
impl Sessions {
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
        let sessions = abi::Sessions::new(keyring, config);
        sessions.map(|sessions| Self { sessions }).map_err(|failure| {
            diagnosed(py, failure, Area::Session, || abi::sessions_diagnose(keyring, config))
        })
    }

    /// Where the subject's record may be: where it is written first, then where older `device` secrets put it.
    fn keys<'py>(&self, py: Python<'py>, subject: Text<'_>) -> PyResult<Bound<'py, PyAny>> {
        let keys = self.sessions.keys(subject.0.as_bytes()).or_raise_in(py, Area::Session)?;
        from_json::answer(py, &keys)
    }

    /// Where the record is that a session id leads to; `InvalidSession` if it is no id.
    fn key<'py>(&self, py: Python<'py>, id: Sent<'_>) -> PyResult<Bound<'py, PyString>> {
        let key = self.sessions.key(id.0).map_err(|failure| refused(py, failure, "malformed"))?;
        PyString::from_bytes(py, &key)
    }

    /// Begins a session with a cookie, for somebody who was authenticated; without a subject, one before that.
    #[pyo3(
        signature = (
            record, subject, *, address = Text(""), user_agent = Sent(b""), label = Text(""), data = None,
            now_ms = None, store_since_ms = Integer(0),
        ),
        text_signature = "($self, record, subject, *, address='', user_agent='', label='', data=b'', \
            now_ms=None, store_since_ms=0)",
    )]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn create(
        &self,
        py: Python<'_>,
        record: Payload<'_, '_>,
        subject: Text<'_>,
        address: Text<'_>,
        user_agent: Sent<'_>,
        label: Text<'_>,
        data: Option<Payload<'_, '_>>,
        now_ms: Option<Integer>,
        store_since_ms: Integer,
    ) -> PyResult<SessionVerdict> {
        let who = who(&subject, &label, data.as_ref());
        let created = self.sessions.create(
            record.as_bytes(),
            who,
            peer(&address, &user_agent),
            times(now_ms, store_since_ms),
        );
        let (decision, id) = created.or_raise_in(py, Area::Session)?;
        Ok(SessionVerdict { id: id_of(py, &decision, &id)?, ..SessionVerdict::of(py, &decision)? })
    }

    /// Decides about a session id that a request brought.
    #[pyo3(
        signature = (
            record, id, *, address = Text(""), user_agent = Sent(b""), now_ms = None,
            store_since_ms = Integer(0),
        ),
        text_signature = "($self, record, id, *, address='', user_agent='', now_ms=None, store_since_ms=0)",
    )]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn check(
        &self,
        py: Python<'_>,
        record: Payload<'_, '_>,
        id: Sent<'_>,
        address: Text<'_>,
        user_agent: Sent<'_>,
        now_ms: Option<Integer>,
        store_since_ms: Integer,
    ) -> PyResult<SessionVerdict> {
        let decision = self.sessions.check(
            record.as_bytes(),
            id.0,
            peer(&address, &user_agent),
            times(now_ms, store_since_ms),
        );
        SessionVerdict::of(py, &decision.or_raise_in(py, Area::Session)?)
    }

    /// Gives the session another id, after its user was authenticated, or where its privileges change. Without
    /// `data` it keeps that of before.
    #[pyo3(
        signature = (
            record, id, *, address = Text(""), user_agent = Sent(b""), data = None, now_ms = None,
            store_since_ms = Integer(0),
        ),
        text_signature = "($self, record, id, *, address='', user_agent='', data=None, now_ms=None, \
            store_since_ms=0)",
    )]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn rotate(
        &self,
        py: Python<'_>,
        record: Payload<'_, '_>,
        id: Sent<'_>,
        address: Text<'_>,
        user_agent: Sent<'_>,
        data: Option<Payload<'_, '_>>,
        now_ms: Option<Integer>,
        store_since_ms: Integer,
    ) -> PyResult<SessionVerdict> {
        let rotated = self.sessions.rotate(
            record.as_bytes(),
            id.0,
            peer(&address, &user_agent),
            data.as_ref().map(Payload::as_bytes),
            times(now_ms, store_since_ms),
        );
        let (decision, id) = rotated.or_raise_in(py, Area::Session)?;
        Ok(SessionVerdict { id: id_of(py, &decision, &id)?, ..SessionVerdict::of(py, &decision)? })
    }

    /// Begins a family of refresh tokens, for somebody who was authenticated. Its `state` is what they are minted by.
    #[pyo3(
        signature = (
            record, subject, *, address = Text(""), user_agent = Sent(b""), label = Text(""), data = None,
            now_ms = None, store_since_ms = Integer(0),
        ),
        text_signature = "($self, record, subject, *, address='', user_agent='', label='', data=b'', \
            now_ms=None, store_since_ms=0)",
    )]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn begin_family(
        &self,
        py: Python<'_>,
        record: Payload<'_, '_>,
        subject: Text<'_>,
        address: Text<'_>,
        user_agent: Sent<'_>,
        label: Text<'_>,
        data: Option<Payload<'_, '_>>,
        now_ms: Option<Integer>,
        store_since_ms: Integer,
    ) -> PyResult<SessionVerdict> {
        let begun = self.sessions.begin_family(
            record.as_bytes(),
            who(&subject, &label, data.as_ref()),
            peer(&address, &user_agent),
            times(now_ms, store_since_ms),
        );
        let (decision, state) = begun.or_raise_in(py, Area::Session)?;
        let verdict = SessionVerdict::of(py, &decision)?;
        Ok(SessionVerdict { state: state_of(py, &decision, &state), ..verdict })
    }

    /// Decides about a refresh token that verifies, of `family` and `generation`.
    #[pyo3(
        signature = (
            record, subject, family, generation, *, issued_at, address = Text(""), user_agent = Sent(b""),
            now_ms = None, store_since_ms = Integer(0),
        ),
        text_signature = "($self, record, subject, family, generation, *, issued_at, address='', \
            user_agent='', now_ms=None, store_since_ms=0)",
    )]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn refresh(
        &self,
        py: Python<'_>,
        record: Payload<'_, '_>,
        subject: Text<'_>,
        family: Text<'_>,
        generation: Integer,
        issued_at: Option<Integer>,
        address: Text<'_>,
        user_agent: Sent<'_>,
        now_ms: Option<Integer>,
        store_since_ms: Integer,
    ) -> PyResult<SessionVerdict> {
        let refreshed = self.sessions.refresh(
            record.as_bytes(),
            subject.0.as_bytes(),
            family.0.as_bytes(),
            generation.0,
            moment(issued_at),
            peer(&address, &user_agent),
            times(now_ms, store_since_ms),
        );
        let (decision, state) = refreshed.or_raise_in(py, Area::Session)?;
        let verdict = SessionVerdict::of(py, &decision)?;
        Ok(SessionVerdict { state: state_of(py, &decision, &state), area: Area::Common, ..verdict })
    }

    /// The sign-ins of the subject. `current` is the id, the handle or the family of the one to mark.
    #[pyo3(
        signature = (record, subject, *, current = Sent(b""), now_ms = None, store_since_ms = Integer(0)),
        text_signature = "($self, record, subject, *, current='', now_ms=None, store_since_ms=0)",
    )]
    fn list(
        &self,
        py: Python<'_>,
        record: Payload<'_, '_>,
        subject: Text<'_>,
        current: Sent<'_>,
        now_ms: Option<Integer>,
        store_since_ms: Integer,
    ) -> PyResult<Vec<Session>> {
        let times = times(now_ms, store_since_ms);
        let listed = self.sessions.list(record.as_bytes(), subject.0.as_bytes(), current.0, times);
        Session::list_of_json(py, &listed.or_raise_in(py, Area::Session)?)
    }

    /// Ends the sign-in that `handle` names (`which` is `one`), all others, or `all`. They are in `revoked`.
    ///
    /// `handle` is a handle or an id; with an id, the subject may be left out.
    #[pyo3(
        signature = (
            record, which, *, subject = Text(""), handle = Sent(b""), now_ms = None,
            store_since_ms = Integer(0),
        ),
        text_signature = "($self, record, which, *, subject='', handle='', now_ms=None, store_since_ms=0)",
    )]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn revoke(
        &self,
        py: Python<'_>,
        record: Payload<'_, '_>,
        which: Text<'_>,
        subject: Text<'_>,
        handle: Sent<'_>,
        now_ms: Option<Integer>,
        store_since_ms: Integer,
    ) -> PyResult<SessionVerdict> {
        let which = match which.0 {
            "one" => abi::SESSIONS_ONE,
            "others" => abi::SESSIONS_OTHERS,
            "all" => abi::SESSIONS_ALL,
            _ => return Err(exception_in(py, Failure::INVALID_ARGUMENT, Area::Session)),
        };
        let times = times(now_ms, store_since_ms);
        let decision = self.sessions.revoke(record.as_bytes(), subject.0.as_bytes(), which, handle.0, times);
        let decision = decision.or_raise_in(py, Area::Session)?;
        let revoked = Session::list_of_json(py, &decision.session)?;
        let verdict = SessionVerdict::without_session(py, &decision)?;
        Ok(SessionVerdict { revoked: PyTuple::new(py, revoked)?.unbind(), ..verdict })
    }

    /// A new CSRF token for a session. Each differs, and all are good for as long as the session has this id.
    fn csrf_token<'py>(&self, py: Python<'py>, id: Sent<'_>) -> PyResult<Bound<'py, PyString>> {
        let token = self.sessions.csrf_token(id.0);
        PyString::from_bytes(py, &token.map_err(|failure| refused(py, failure, "malformed"))?)
    }

    /// Returns if a request may change something, raises `CrossSite` or `CsrfFailed` if not.
    ///
    /// The `id` is empty for a request without a session. Of the header fields, what is not there is empty.
    #[pyo3(
        signature = (
            id, *, method, sec_fetch_site = Sent(b""), origin = Sent(b""), host = Sent(b""), csrf_token = Sent(b""),
        ),
        text_signature = "($self, id, *, method, sec_fetch_site='', origin='', host='', csrf_token='')",
    )]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn check_request(
        &self,
        py: Python<'_>,
        id: Sent<'_>,
        method: Sent<'_>,
        sec_fetch_site: Sent<'_>,
        origin: Sent<'_>,
        host: Sent<'_>,
        csrf_token: Sent<'_>,
    ) -> PyResult<()> {
        let request = Request {
            method: method.0,
            sec_fetch_site: sec_fetch_site.0,
            origin: origin.0,
            host: host.0,
            csrf_token: csrf_token.0,
        };
        self.sessions.check_request(id.0, request).or_raise_in(py, Area::Session)
    }

    /// What `Set-Cookie` says for a session id; without one, what clears the cookie.
    #[pyo3(signature = (id = Sent(b"")), text_signature = "($self, id='')")]
    fn cookie<'py>(&self, py: Python<'py>, id: Sent<'_>) -> PyResult<Bound<'py, PyString>> {
        PyString::from_bytes(py, &self.sessions.cookie(id.0).or_raise_in(py, Area::Session)?)
    }

    /// What `Set-Cookie` says for a CSRF token, in a cookie for scripts to read; without one, what clears it.
    #[pyo3(signature = (token = Sent(b"")), text_signature = "($self, token='')")]
    fn csrf_cookie<'py>(&self, py: Python<'py>, token: Sent<'_>) -> PyResult<Bound<'py, PyString>> {
        PyString::from_bytes(py, &self.sessions.csrf_cookie(token.0).or_raise_in(py, Area::Session)?)
    }

    /// The session id in a `Cookie` header; empty if there is none, `InvalidSession` if it is twice or no id.
    fn read_cookie<'py>(&self, py: Python<'py>, header: Sent<'_>) -> PyResult<Bound<'py, PyString>> {
        let id = self.sessions.read_cookie(header.0);
        PyString::from_bytes(py, &id.map_err(|failure| refused(py, failure, "malformed"))?)
    }

    fn __repr__(&self) -> &'static str {
        "Sessions(...)"
    }
}

/// What becomes of a sign-in, and of its user's record.
#[pyclass(frozen, module = "donjon")]
pub(crate) struct SessionVerdict {
    /// `"ok"`, or why not.
    #[pyo3(get)]
    status: &'static str,
    /// More about that, for the log: `"idle"`, `"address"`…
    #[pyo3(get)]
    why: &'static str,
    /// Whether `record` is to replace the one that was given: `"must"`, and only then does it count, `"may"`, or
    /// `""`.
    #[pyo3(get)]
    write: &'static str,
    /// The next record. Empty where the key goes.
    #[pyo3(get)]
    record: Py<PyBytes>,
    /// For how long the store has to keep it.
    #[pyo3(get)]
    keep_ms: i64,
    /// The sign-in, where there is one.
    #[pyo3(get)]
    session: Option<Py<Session>>,
    /// The id for the client, of a session that was begun or rotated.
    #[pyo3(get)]
    id: Option<Py<PyString>>,
    /// What the tokens of a family are minted by.
    #[pyo3(get)]
    state: Option<Py<PyBytes>>,
    /// What was ended.
    #[pyo3(get)]
    revoked: Py<PyTuple>,
    /// What is not as it was, of `"address"` and `"user_agent"`, also where that is refused.
    #[pyo3(get)]
    changes: Py<PyTuple>,
    failure: Option<Failure>,
    area: Area,
}

#[pymethods]
impl SessionVerdict {
    /// The exception of a refusal, `None` if it is none.
    fn refusal<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(failure) = self.failure else { return Ok(None) };
        let error = exception_in(py, failure, self.area);
        let value = error.value(py);
        if matches!(self.area, Area::Session) {
            value.setattr("why", self.why)?;
            value.setattr("session", &self.session)?;
        }
        Ok(Some(value.clone().into_any()))
    }

    fn __repr__(&self) -> String {
        format!("SessionVerdict(status={:?}, why={:?}, write={:?})", self.status, self.why, self.write)
    }
}

impl SessionVerdict {
    fn of(py: Python<'_>, decision: &abi::Decision) -> PyResult<Self> {
        let session = match decision.session.as_slice() {
            [] => None,
            json => Some(Py::new(py, Session::of_json(py, json, decision.verdict.changes)?)?),
        };
        Ok(Self { session, ..Self::without_session(py, decision)? })
    }

    fn without_session(py: Python<'_>, decision: &abi::Decision) -> PyResult<Self> {
        let verdict = &decision.verdict;
        Ok(Self {
            status: abi::status_name(verdict.status),
            why: why_of(verdict.reason),
            write: write_of(verdict.write),
            record: PyBytes::new(py, &decision.record).unbind(),
            keep_ms: verdict.keep_ms,
            session: None,
            id: None,
            state: None,
            revoked: PyTuple::empty(py).unbind(),
            changes: changed(py, verdict.changes)?.unbind(),
            failure: abi::outcome_of(verdict.status).err(),
            area: Area::Session,
        })
    }
}

fn why_of(reason: u8) -> &'static str {
    match reason {
        abi::REASON_UNKNOWN => "unknown",
        abi::REASON_MALFORMED => "malformed",
        abi::REASON_IDLE => "idle",
        abi::REASON_ABSOLUTE => "absolute",
        abi::REASON_ADDRESS => "address",
        abi::REASON_USER_AGENT => "user_agent",
        abi::REASON_STORE => "store",
        abi::REASON_FOREIGN => "foreign",
        _ => "",
    }
}

fn id_of(py: Python<'_>, decision: &abi::Decision, id: &[u8]) -> PyResult<Option<Py<PyString>>> {
    if abi::outcome_of(decision.verdict.status).is_err() {
        return Ok(None);
    }
    PyString::from_bytes(py, id).map(|id| Some(id.unbind()))
}

fn state_of(py: Python<'_>, decision: &abi::Decision, state: &[u8]) -> Option<Py<PyBytes>> {
    let begun = abi::outcome_of(decision.verdict.status).is_ok();
    begun.then(|| PyBytes::new(py, state).unbind())
}

/// The exception of what was refused without a record.
#[cold]
fn refused(py: Python<'_>, failure: Failure, why: &str) -> PyErr {
    let error = exception_in(py, failure, Area::Session);
    if failure == Failure::INVALID_SESSION {
        return with(py, error, "why", PyString::new(py, why).as_any());
    }
    error
}

fn who<'a>(subject: &Text<'a>, label: &Text<'a>, data: Option<&'a Payload<'_, '_>>) -> Who<'a> {
    Who {
        subject: subject.0.as_bytes(),
        label: label.0.as_bytes(),
        data: data.map_or(&[], Payload::as_bytes),
    }
}

fn peer<'a>(address: &Text<'a>, user_agent: &Sent<'a>) -> Peer<'a> {
    Peer { address: address.0.as_bytes(), user_agent: user_agent.0 }
}

fn times(now_ms: Option<Integer>, store_since_ms: Integer) -> Times {
    Times { now_ms: now_ms_or_clock(now_ms), store_since_ms: store_since_ms.0 }
}
