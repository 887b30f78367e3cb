//! `TokenIssuer`, and the refresh tokens it hands out.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::abi::{self, Failure, Mint};
use crate::argument::{Bytes, Duration, Integer, Text, now_ms, now_s};
use crate::claims::Claims;
use crate::error::{Area, OrRaise, diagnosed, exception, with_state};
use crate::keyring::Keyring;
use crate::to_json::ObjectWriter;

const ACCESS_TTL: Duration = Duration::seconds(30 * 60);
const REFRESH_TTL: Duration = Duration::seconds(7 * 24 * 60 * 60);
const GRACE: Duration = Duration::seconds(10);

/// Mints access and refresh tokens. Immutable; share it between threads.
#[pyclass(frozen, module = "donjon")]
pub(crate) struct TokenIssuer {
    issuer: abi::Issuer,
}

/// A refresh token, and the state of its family that the host stores.
#[pyclass(frozen, get_all, module = "donjon")]
pub(crate) struct Refresh {
    /// Goes to the client.
    token: Py<PyString>,
    /// Goes to the store, before the token goes to the client.
    state: abi::RefreshState,
    /// Whether `state` differs from the stored one, and must replace it by compare-and-swap.
    changed: bool,
}

#[pymethods]
impl Refresh {
    /// What the store keeps `state` under: the `family` of the token's claims.
    #[getter]
    fn family<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        abi::refresh_family(&self.state, |family| PyString::from_bytes(py, family)).or_raise(py)?
    }

    fn __repr__(&self) -> String {
        format!("Refresh(changed={})", if self.changed { "True" } else { "False" })
    }
}

#[pymethods]
impl TokenIssuer {
    #[new]
    #[pyo3(
        signature = (keyring, *, issuer, audience, access_ttl = ACCESS_TTL, refresh_ttl = REFRESH_TTL),
        text_signature = "(keyring, *, issuer, audience, access_ttl=1800, refresh_ttl=604800)",
    )]
    fn new(
        py: Python<'_>,
        keyring: &Bound<'_, Keyring>,
        issuer: &Bound<'_, PyAny>,
        audience: &Bound<'_, PyAny>,
        access_ttl: Duration,
        refresh_ttl: Duration,
    ) -> PyResult<Self> {
        let mut config = ObjectWriter::new();
        config.value("issuer", issuer)?;
        config.text_or_texts("audience", audience)?;
        config.integer("access_ttl_s", access_ttl.as_seconds(py)?);
        config.integer("refresh_ttl_s", refresh_ttl.as_seconds(py)?);
        let (keyring, config) = (keyring.get().handle(), config.finish());
        let issuer = abi::Issuer::new(keyring, config.as_bytes());
        issuer.map(|issuer| Self { issuer }).map_err(|failure| {
            diagnosed(py, failure, Area::Common, || abi::issuer_diagnose(keyring, config.as_bytes()))
        })
    }

    /// An access token.
    #[pyo3(signature = (
        subject, *, permissions = None, roles = None, claims = None, ttl = None, revoked_since = None,
        now = None,
    ))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn access<'py>(
        &self,
        py: Python<'py>,
        subject: Text<'_>,
        permissions: Option<&Bound<'py, PyAny>>,
        roles: Option<&Bound<'py, PyAny>>,
        claims: Option<&Bound<'py, PyDict>>,
        ttl: Option<Duration>,
        revoked_since: Option<Integer>,
        now: Option<Integer>,
    ) -> PyResult<Bound<'py, PyString>> {
        let claims = further_claims(permissions, roles, claims)?;
        let mint = Mint {
            subject: subject.0.as_bytes(),
            claims: claims.as_bytes(),
            ttl_s: Duration::or_default(py, ttl)?,
            since_s: revoked_since.map_or(abi::NEVER, |since| since.0),
            now_s: now_s(now),
        };
        self.issuer.access(mint, |token| PyString::from_bytes(py, token)).or_raise(py)?
    }

    /// The first refresh token of a new family, for a log-in.
    #[pyo3(signature = (
        subject, *, permissions = None, roles = None, claims = None, ttl = None, revoked_since = None,
        now = None,
    ))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn begin_refresh(
        &self,
        py: Python<'_>,
        subject: Text<'_>,
        permissions: Option<&Bound<'_, PyAny>>,
        roles: Option<&Bound<'_, PyAny>>,
        claims: Option<&Bound<'_, PyDict>>,
        ttl: Option<Duration>,
        revoked_since: Option<Integer>,
        now: Option<Integer>,
    ) -> PyResult<Refresh> {
        let claims = further_claims(permissions, roles, claims)?;
        let mint = Mint {
            subject: subject.0.as_bytes(),
            claims: claims.as_bytes(),
            ttl_s: Duration::or_default(py, ttl)?,
            since_s: revoked_since.map_or(abi::NEVER, |since| since.0),
            now_s: now_s(now),
        };
        let state = abi::refresh_begin(now_ms(now)).or_raise(py)?;
        self.refresh(py, state, true, mint)
    }

    /// The successor of a verified refresh token, as the family's stored state allows.
    ///
    /// `state` is what the store has for `used.family`, `None` if nothing. Where the result says
    /// `changed`, store its state by compare-and-swap before the token goes out, and if another request
    /// was faster, read the state and rotate again. `ReuseDetected` carries a `state` to store likewise.
    #[pyo3(
        signature = (
            used, state, *, grace = GRACE, permissions = None, roles = None, claims = None, ttl = None,
            revoked_since = None, now = None,
        ),
        text_signature = "($self, used, state, *, grace=10, permissions=None, roles=None, claims=None, \
            ttl=None, revoked_since=None, now=None)",
    )]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn rotate_refresh(
        &self,
        py: Python<'_>,
        used: &Bound<'_, Claims>,
        state: Option<Bytes<'_>>,
        grace: Duration,
        permissions: Option<&Bound<'_, PyAny>>,
        roles: Option<&Bound<'_, PyAny>>,
        claims: Option<&Bound<'_, PyDict>>,
        ttl: Option<Duration>,
        revoked_since: Option<Integer>,
        now: Option<Integer>,
    ) -> PyResult<Refresh> {
        let used = used.get();
        let wrong_type = || exception(py, Failure::WRONG_TOKEN_TYPE);
        let family = used.bytes(|fields| fields.family).ok_or_else(wrong_type)?;
        let subject = used.bytes(|fields| fields.subject).ok_or_else(wrong_type)?;
        let claims = further_claims(permissions, roles, claims)?;
        let mint = Mint {
            subject,
            claims: claims.as_bytes(),
            ttl_s: Duration::or_default(py, ttl)?,
            since_s: revoked_since.map_or(abi::NEVER, |since| since.0),
            now_s: now_s(now),
        };
        let verdict = abi::refresh_rotate(
            state.map_or(&[], |state| state.0),
            family,
            used.generation_number(),
            now_ms(now),
            grace.as_millis(py)?,
        )
        .or_raise(py)?;
        match verdict.status {
            Ok(()) => self.refresh(py, verdict.state, verdict.changed, mint),
            Err(failure) if verdict.changed => Err(with_state(py, failure, &verdict.state)),
            Err(failure) => Err(exception(py, failure)),
        }
    }

    /// A refresh token of the family whose `state` this is: it carries nothing of its own.
    #[pyo3(signature = (state, subject, *, revoked_since = None, now = None))]
    fn _refresh_of<'py>(
        &self,
        py: Python<'py>,
        state: Bytes<'_>,
        subject: Text<'_>,
        revoked_since: Option<Integer>,
        now: Option<Integer>,
    ) -> PyResult<Bound<'py, PyString>> {
        let mint = Mint {
            subject: subject.0.as_bytes(),
            claims: &[],
            ttl_s: 0,
            since_s: revoked_since.map_or(abi::NEVER, |since| since.0),
            now_s: now_s(now),
        };
        PyString::from_bytes(py, &self.issuer.refresh(state.0, mint).or_raise(py)?)
    }

    fn __repr__(&self) -> &'static str {
        "TokenIssuer(...)"
    }
}

impl TokenIssuer {
    fn refresh(
        &self,
        py: Python<'_>,
        state: abi::RefreshState,
        changed: bool,
        mint: Mint<'_>,
    ) -> PyResult<Refresh> {
        let token = self.issuer.refresh(&state, mint).or_raise(py)?;
        Ok(Refresh { token: PyString::from_bytes(py, &token)?.unbind(), state, changed })
    }
}

/// The caller's part of a token. An empty list of permissions is written, since it grants nothing,
/// where an absent one says nothing.
fn further_claims(
    permissions: Option<&Bound<'_, PyAny>>,
    roles: Option<&Bound<'_, PyAny>>,
    claims: Option<&Bound<'_, PyDict>>,
) -> PyResult<String> {
    let mut object = ObjectWriter::new();
    if let Some(permissions) = permissions {
        object.texts("permissions", permissions)?;
    }
    if let Some(roles) = roles {
        object.texts("roles", roles)?;
    }
    if let Some(claims) = claims {
        object.members(claims)?;
    }
    Ok(object.finish())
}
