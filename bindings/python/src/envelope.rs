//! What is known of an envelope without a key, the construction that its payload is made with, and whether
//! what was sealed is gone for good.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::abi::{self, Chunked};
use crate::argument::{Bytes, Integer, Payload, now_s};
use crate::error::{Area, OrRaise};
use crate::from_json;
use crate::keyring::Keyring;
use crate::long;
use crate::sealer::prefix_of;
use crate::to_json;

/// What `inspect_envelope` makes an `Inspection` of.
#[pyfunction]
pub(crate) fn envelope_inspect<'py>(
    py: Python<'py>,
    prefix: Payload<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let inspection = abi::envelope_inspect(prefix_of(prefix.as_bytes())).or_raise_in(py, Area::Envelope)?;
    from_json::answer(py, &inspection)
}

/// A message of `plaintext` under a key of 32 random bytes, which opens in this context only.
#[pyfunction]
#[pyo3(signature = (key, plaintext, *, context))]
pub(crate) fn chunked_seal<'py>(
    py: Python<'py>,
    key: Payload<'_, 'py>,
    plaintext: Payload<'_, 'py>,
    context: Bytes<'_>,
) -> PyResult<Bound<'py, PyBytes>> {
    let (chunked, plaintext) = (Chunked { key: key.as_bytes(), context: context.0 }, plaintext.as_bytes());
    let sealed = abi::bytes_as_long_as_wanted(py, |room| {
        long::run(py, plaintext.len(), || chunked.seal(plaintext, room))
    });
    sealed.or_raise_in(py, Area::Envelope)
}

/// What was sealed, if the whole of it is authentic; else `DecryptFailed`, whatever is wrong.
#[pyfunction]
#[pyo3(signature = (key, message, *, context))]
pub(crate) fn chunked_open<'py>(
    py: Python<'py>,
    key: Payload<'_, 'py>,
    message: Payload<'_, 'py>,
    context: Bytes<'_>,
) -> PyResult<Bound<'py, PyBytes>> {
    let (chunked, message) = (Chunked { key: key.as_bytes(), context: context.0 }, message.as_bytes());
    let opened =
        abi::bytes_as_long_as_wanted(py, |room| long::run(py, message.len(), || chunked.open(message, room)));
    opened.or_raise_in(py, Area::Envelope)
}

/// What `erasure` makes an `Erasure` of.
#[pyfunction]
#[pyo3(signature = (keyring, key_ids, *, backups_expire, now))]
pub(crate) fn erasure<'py>(
    py: Python<'py>,
    keyring: &Bound<'py, Keyring>,
    key_ids: &Bound<'py, PyAny>,
    backups_expire: Option<Integer>,
    now: Option<Integer>,
) -> PyResult<Bound<'py, PyAny>> {
    let key_ids = to_json::texts(key_ids, Area::Envelope)?;
    let backups_expire_s = backups_expire.map_or(abi::NEVER, |end| end.0);
    let found = abi::erasure(keyring.get().handle(), key_ids.as_bytes(), backups_expire_s, now_s(now));
    from_json::answer(py, &found.or_raise_in(py, Area::Envelope)?)
}
