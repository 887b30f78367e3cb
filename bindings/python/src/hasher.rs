//! The calls of a hasher; `donjon.passwords` makes `PasswordHasher` of them, and what can be awaited.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::abi;
use crate::argument::{Integer, Password, StoredHash, now_s};
use crate::error::{Area, OrRaise, diagnosed, exception_in};
use crate::keyring::Keyring;
use crate::to_json::Document;

/// What is known of a password that matched.
#[pyclass(frozen, get_all, eq, module = "donjon")]
#[derive(PartialEq, Eq)]
pub(crate) struct Verification {
    /// Hash it anew and store that: weaker parameters, an older pepper, a scheme of old.
    needs_rehash: bool,
    /// Only its first 72 bytes were compared: bcrypt reads no more.
    truncated: bool,
}

#[pymethods]
impl Verification {
    fn __repr__(&self) -> String {
        let text = |value| if value { "True" } else { "False" };
        let (needs_rehash, truncated) = (text(self.needs_rehash), text(self.truncated));
        format!("Verification(needs_rehash={needs_rehash}, truncated={truncated})")
    }
}

/// Hashes and verifies passwords, waiting for memory and for the result; other threads go on meanwhile.
#[pyclass(frozen, module = "donjon._donjon")]
pub(crate) struct Hasher {
    hasher: abi::Hasher,
}

#[pymethods]
impl Hasher {
    /// `config` is the kernel's own, as `include/donjon.h` has it.
    #[new]
    #[pyo3(signature = (config, *, pepper = None))]
    fn new(py: Python<'_>, config: &Bound<'_, PyAny>, pepper: Option<&Bound<'_, Keyring>>) -> PyResult<Self> {
        let config = Document::of(config)?;
        let peppers = pepper.map(|pepper| pepper.get().handle());
        let hasher = abi::Hasher::new(peppers, config.as_bytes());
        hasher.map(|hasher| Self { hasher }).map_err(|failure| {
            diagnosed(py, failure, Area::Password, || abi::hasher_diagnose(peppers, config.as_bytes()))
        })
    }

    /// How long a hash waits for its turn.
    #[getter]
    fn max_wait_ms(&self) -> u32 {
        self.hasher.max_wait_ms()
    }

    /// How many hashes of the hasher's own parameters run at once.
    #[getter]
    fn slots(&self) -> u32 {
        self.hasher.slots()
    }

    /// A PHC string of up to 512 characters.
    #[pyo3(signature = (password, *, now = None))]
    fn hash<'py>(
        &self,
        py: Python<'py>,
        password: Password<'_>,
        now: Option<Integer>,
    ) -> PyResult<Bound<'py, PyString>> {
        let now_s = now_s(now);
        let hash = py.detach(|| self.hasher.hash(password.0, now_s)).or_raise_in(py, Area::Password)?;
        PyString::from_bytes(py, &hash)
    }

    /// `None` for a hash is an unknown user.
    #[pyo3(signature = (hash, password, *, now = None))]
    fn verify(
        &self,
        py: Python<'_>,
        hash: Option<StoredHash<'_>>,
        password: Password<'_>,
        now: Option<Integer>,
    ) -> PyResult<Verification> {
        let now_s = now_s(now);
        let verdict = py.detach(|| match hash {
            Some(hash) => self.hasher.verify(password.0, hash.0, now_s),
            None => Err(self.hasher.verify_unknown_user(password.0, now_s)),
        });
        let verdict = verdict.map_err(|failure| exception_in(py, failure, Area::Password))?;
        Ok(Verification { needs_rehash: verdict.needs_rehash != 0, truncated: verdict.truncated != 0 })
    }

    /// Whether the hash was made in another way than this hasher makes hashes.
    #[pyo3(signature = (hash, *, now = None))]
    fn check_needs_rehash(
        &self,
        py: Python<'_>,
        hash: StoredHash<'_>,
        now: Option<Integer>,
    ) -> PyResult<bool> {
        self.hasher.needs_rehash(hash.0, now_s(now)).or_raise_in(py, Area::Password)
    }
}
