//! `Keyring`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;
use zeroize::Zeroizing;

use crate::abi;
use crate::argument::{Bytes, Duration, Integer, Text, now_s};
use crate::error::{Area, OrRaise, diagnosed, exception};
use crate::from_json;
use crate::to_json::{Document, ObjectWriter};

/// The purposes whose keys have no end when they are rotated.
const OF_STORED_DATA: [&str; 3] = ["envelope", "blind-index", "settings"];

/// A set of keys, each with a purpose and a status. Immutable: every change gives a new keyring.
///
/// Its secrets are wiped from memory with it, and it cannot be pickled.
#[pyclass(frozen, module = "donjon")]
pub(crate) struct Keyring {
    keyring: abi::Keyring,
}

impl Keyring {
    const fn new(keyring: abi::Keyring) -> Self {
        Self { keyring }
    }

    pub(crate) const fn handle(&self) -> &abi::Keyring {
        &self.keyring
    }
}

#[pymethods]
impl Keyring {
    /// New random keys: one that signs tokens and one that binds tokens to a state, unless `token` is
    /// `None`, and a secret for each of `purposes`: `envelope`, `blind-index`, `settings`, `password-pepper`,
    /// `device`.
    #[staticmethod]
    #[pyo3(
        signature = (token = Some(Text("EdDSA")), *, purposes = Vec::new(), now = None),
        text_signature = "(token='EdDSA', *, purposes=(), now=None)",
    )]
    fn generate(
        py: Python<'_>,
        token: Option<Text<'_>>,
        purposes: Vec<String>,
        now: Option<Integer>,
    ) -> PyResult<Self> {
        let secret = PyString::new(py, "HS256");
        let mut spec = ObjectWriter::new();
        if let Some(token) = token {
            spec.value("token", PyString::new(py, token.0).as_any())?;
            spec.value("state-binding", secret.as_any())?;
        }
        for purpose in purposes {
            spec.value(&purpose, secret.as_any())?;
        }
        let keyring = abi::Keyring::generate(spec.finish().as_bytes(), now_s(now));
        keyring.map(Self::new).or_raise(py)
    }

    /// A JWK Set: donjon's own with purposes and statuses, or an identity provider's.
    #[staticmethod]
    fn from_jwks(py: Python<'_>, jwks: &Bound<'_, PyAny>) -> PyResult<Self> {
        let jwks = Document::of(jwks)?;
        abi::Keyring::from_jwks(jwks.as_bytes()).map(Self::new).map_err(|failure| {
            diagnosed(py, failure, Area::Common, || abi::keyring_diagnose(jwks.as_bytes()))
        })
    }

    /// A whole keyring from one secret of at least 32 random bytes, as base64url.
    #[staticmethod]
    #[pyo3(signature = (master, *, keys = None))]
    fn from_master(py: Python<'_>, master: Bytes<'_>, keys: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let config = master_config(keys)?;
        abi::Keyring::from_master(master.0, config.as_bytes()).map(Self::new).or_raise(py)
    }

    /// `from_master` of an environment variable.
    #[staticmethod]
    #[pyo3(
        signature = (name = Text("DONJON_MASTER"), *, keys = None),
        text_signature = "(name='DONJON_MASTER', *, keys=None)",
    )]
    fn from_env(py: Python<'_>, name: Text<'_>, keys: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let master = std::env::var(name.0).map(Zeroizing::new);
        let secret = master.as_ref().map_or_else(|_| [].as_slice(), |master| master.as_bytes());
        let config = master_config(keys)?;
        abi::Keyring::from_master(secret, config.as_bytes()).map(Self::new).map_err(|failure| match master {
            Ok(_) => exception(py, failure),
            Err(_) => diagnosed(py, failure, Area::Common, || Ok(unset(name.0))),
        })
    }

    /// One HMAC secret, for tokens.
    #[staticmethod]
    #[pyo3(
        signature = (secret, alg = Text("HS256"), *, kid = None),
        text_signature = "(secret, alg='HS256', *, kid=None)",
    )]
    fn from_secret(
        py: Python<'_>,
        secret: Bytes<'_>,
        alg: Text<'_>,
        kid: Option<Text<'_>>,
    ) -> PyResult<Self> {
        abi::Keyring::from_secret(secret.0, alg.0, or_none(kid)).map(Self::new).or_raise(py)
    }

    /// One key as PEM, for tokens: a private one signs, a public one verifies.
    #[staticmethod]
    #[pyo3(signature = (pem, alg, *, kid = None))]
    fn from_pem(py: Python<'_>, pem: Bytes<'_>, alg: Text<'_>, kid: Option<Text<'_>>) -> PyResult<Self> {
        abi::Keyring::from_pem(pem.0, alg.0, or_none(kid)).map(Self::new).or_raise(py)
    }

    /// This keyring and one more JWK.
    fn add(&self, py: Python<'_>, jwk: &Bound<'_, PyAny>) -> PyResult<Self> {
        let jwk = Document::of(jwk)?;
        self.keyring.import(jwk.as_bytes()).map(Self::new).or_raise(py)
    }

    /// A new primary key; the old one verifies for `overlap` longer. By default the algorithm stays.
    ///
    /// Keys of stored data, of the purposes `envelope`, `blind-index` and `settings`, open until they are
    /// disabled or destroyed: only they want no `overlap`.
    #[pyo3(
        signature = (purpose = Text("token"), *, alg = None, overlap = None, now = None),
        text_signature = "($self, purpose='token', *, alg=None, overlap=None, now=None)",
    )]
    fn rotate(
        &self,
        py: Python<'_>,
        purpose: Text<'_>,
        alg: Option<Text<'_>>,
        overlap: Option<Duration>,
        now: Option<Integer>,
    ) -> PyResult<Self> {
        let overlap_s = match overlap {
            Some(overlap) => overlap.as_seconds(py)?,
            None if OF_STORED_DATA.contains(&purpose.0) => 0,
            None => return Err(PyTypeError::new_err("say how long the key so far verifies: overlap=")),
        };
        self.keyring.rotate(purpose.0, or_none(alg), now_s(now), overlap_s).map(Self::new).or_raise(py)
    }

    /// The key verifies no more, with an error of its own, until it is enabled again.
    fn disable(&self, py: Python<'_>, kid: Text<'_>) -> PyResult<Self> {
        self.set_status(py, kid, "disabled")
    }

    /// A disabled key verifies again.
    fn enable(&self, py: Python<'_>, kid: Text<'_>) -> PyResult<Self> {
        self.set_status(py, kid, "active")
    }

    /// Forgets the key for good; its id stays. A key derived from a master secret cannot be destroyed.
    fn destroy(&self, py: Python<'_>, kid: Text<'_>) -> PyResult<Self> {
        self.set_status(py, kid, "destroyed")
    }

    /// SECRET: all keys as a JWK Set, for a secret store and nowhere else.
    fn export_secret_jwks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        let jwks = Zeroizing::new(self.keyring.to_jwks().or_raise(py)?);
        PyString::from_bytes(py, &jwks)
    }

    /// The public keys that verify tokens, as JSON for `/.well-known/jwks.json`.
    #[pyo3(signature = (*, now = None))]
    fn public_jwks<'py>(&self, py: Python<'py>, now: Option<Integer>) -> PyResult<Bound<'py, PyString>> {
        PyString::from_bytes(py, &self.keyring.public_jwks(now_s(now)).or_raise(py)?)
    }

    /// What a log may know of each key: id, type, algorithm, purpose, status, times, thumbprint.
    fn summary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let summary = from_json::dict(py, &self.keyring.summary().or_raise(py)?)?;
        summary.as_any().get_item("keys")
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.summary(py)?.len()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        self.__len__(py).map(|keys| format!("<Keyring of {keys} keys>"))
    }
}

impl Keyring {
    fn set_status(&self, py: Python<'_>, kid: Text<'_>, status: &str) -> PyResult<Self> {
        self.keyring.set_status(kid.0, status, abi::NEVER).map(Self::new).or_raise(py)
    }
}

/// The ABI takes the empty text for "none", so an empty text from Python is passed on as that too.
fn or_none<'a>(text: Option<Text<'a>>) -> &'a str {
    text.map_or("", |text| text.0)
}

/// Why there is no keyring of a variable, as the kernel would say it.
fn unset(name: &str) -> Vec<u8> {
    let mut diagnosis = ObjectWriter::new();
    diagnosis.text("error", "config_error");
    diagnosis.text("path", name);
    diagnosis.text("message", "the environment variable is not set");
    diagnosis.finish().into_bytes()
}

fn master_config(keys: Option<&Bound<'_, PyAny>>) -> PyResult<String> {
    let Some(keys) = keys else { return Ok(String::new()) };
    let mut config = ObjectWriter::new();
    config.value("keys", keys)?;
    Ok(config.finish())
}
