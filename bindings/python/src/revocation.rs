//! The decision about revocation.

use pyo3::prelude::*;

use crate::abi;
use crate::argument::{Duration, Integer};
use crate::error::OrRaise;

const SKEW: Duration = Duration::seconds(2);

/// Returns if the token stands, raises `TokenRevoked` if not. All times in Unix seconds.
///
/// `issued_at` is the token's; `subject_since` is the subject's "log out everywhere", if ever;
/// `store_since` is when the revocation store's epoch marker was written, `None` if it is gone: then
/// the store may have forgotten revocations, and every token is refused.
#[pyfunction]
#[pyo3(
    signature = (
        issued_at, *, store_since, subject_since = None, token_revoked = false, family_revoked = false,
        key_revoked = false, skew = SKEW,
    ),
    text_signature = "(issued_at, *, store_since, subject_since=None, token_revoked=False, \
        family_revoked=False, key_revoked=False, skew=2)",
)]
#[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub(crate) fn check_revocation(
    py: Python<'_>,
    issued_at: Option<Integer>,
    store_since: Option<Integer>,
    subject_since: Option<Integer>,
    token_revoked: bool,
    family_revoked: bool,
    key_revoked: bool,
    skew: Duration,
) -> PyResult<()> {
    let moment = |time: Option<Integer>| time.map_or(abi::NEVER, |time| time.0);
    let facts = abi::RevocationFacts {
        issued_at_s: moment(issued_at),
        subject_since_s: moment(subject_since),
        store_since_s: moment(store_since),
        skew_s: skew.as_seconds(py)?,
        token_revoked: token_revoked.into(),
        family_revoked: family_revoked.into(),
        key_revoked: key_revoked.into(),
        reserved: [0; 5],
    };
    abi::revocation_check(&facts).or_raise(py)
}
