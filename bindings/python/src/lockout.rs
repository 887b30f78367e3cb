//! `LockoutKeys`: what an attempt to log in is counted by; `donjon.limits` counts it.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::abi::{self, Attempt};
use crate::argument::{Bytes, Duration, Integer, Key, Sent, Text, now_s};
use crate::error::{Area, OrRaise};
use crate::from_json;
use crate::keyring::Keyring;

/// Says which counters an attempt to log in is charged to: the address's and the account's, or, where a device
/// is known that the user has logged in from, that device's alone. So nobody can lock out a user who comes from
/// a known device.
///
/// Accounts are counted by a keyed hash of their name, whether they exist or not. The keyring has keys of the
/// purposes `device`, `token` and `state-binding`. Immutable; share it between threads.
#[pyclass(frozen, module = "donjon")]
pub(crate) struct LockoutKeys {
    lockout: abi::Lockout,
}

#[pymethods]
impl LockoutKeys {
    #[new]
    fn new(py: Python<'_>, keyring: &Bound<'_, Keyring>) -> PyResult<Self> {
        let lockout = abi::Lockout::new(keyring.get().handle());
        lockout.map(|lockout| Self { lockout }).or_raise_in(py, Area::Limit)
    }

    /// The counters: for each its `key`, and what becomes of it `on_success`, `forget` or `give_back`.
    ///
    /// `account` is what was typed; `address` is the client's bucket. `device` is the device token that came
    /// with the request: one that is not good for `subject` and `state` counts as none.
    #[pyo3(
        signature = (
            account, *, address = None, device = None, subject = Text(""), state = Bytes(&[]), now = None,
        ),
        text_signature = "($self, account, *, address=None, device=None, subject='', state=b'', now=None)",
    )]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn counters<'py>(
        &self,
        py: Python<'py>,
        account: Key<'_>,
        address: Option<Text<'_>>,
        device: Option<Sent<'_>>,
        subject: Text<'_>,
        state: Bytes<'_>,
        now: Option<Integer>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let attempt = Attempt {
            account: account.0,
            address: address.map_or(&[], |address| address.0.as_bytes()),
            subject: subject.0.as_bytes(),
            state: state.0,
            device: device.map_or(&[], |device| device.0),
        };
        let counters = self.lockout.counters(attempt, now_s(now)).or_raise_in(py, Area::Limit)?;
        from_json::answer(py, &counters)
    }

    /// What to give to the device that `subject` has logged in from. It authenticates nobody.
    ///
    /// It is good while `state` is what it is now: bind it to the password's hash, and it dies with the password.
    #[pyo3(signature = (subject, *, state, ttl, now = None))]
    fn device_token<'py>(
        &self,
        py: Python<'py>,
        subject: Text<'_>,
        state: Bytes<'_>,
        ttl: Duration,
        now: Option<Integer>,
    ) -> PyResult<Bound<'py, PyString>> {
        let ttl_s = ttl.as_seconds(py)?;
        let token = self.lockout.device_token(subject.0.as_bytes(), state.0, ttl_s, now_s(now));
        PyString::from_bytes(py, &token.or_raise_in(py, Area::Limit)?)
    }

    fn __repr__(&self) -> &'static str {
        "LockoutKeys(...)"
    }
}
