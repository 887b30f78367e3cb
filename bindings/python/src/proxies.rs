//! `Proxies` and `Client`.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use crate::abi::{self, Failure};
use crate::argument::{Bytes, Count, Sent, Text, wrong_type};
use crate::error::{Area, OrRaise, diagnosed, exception_in};
use crate::from_json;
use crate::to_json::ObjectWriter;

/// Which proxies stand before this service, and so whose word counts for where a request comes from.
///
/// `header` is the one that they write: `x-forwarded-for`, `forwarded` or `x-real-ip`; every other is ignored, and
/// without one the peer is the client. `trusted` are the proxies' networks (`10.0.0.0/8`), or `hops` is how many
/// of them there are; of neither, nobody is trusted. `ipv6_prefix` is how much of an IPv6 address one client
/// has. Immutable; share it between threads.
#[pyclass(frozen, module = "donjon")]
pub(crate) struct Proxies {
    proxies: abi::Proxies,
    /// The header whose lines `client` wants, in lower case.
    #[pyo3(get)]
    header: Option<String>,
}

/// Who a request is from.
#[pyclass(frozen, get_all, eq, hash, module = "donjon")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Client {
    /// The address, in its one canonical form.
    ip: String,
    /// What to count the client by: the address, or the network of an IPv6 address.
    bucket: String,
    /// Whether the header said so, and not the peer.
    from_header: bool,
}

impl Proxies {
    fn of_config(py: Python<'_>, config: &[u8]) -> PyResult<Self> {
        let proxies = abi::Proxies::new(config)
            .map_err(|failure| diagnosed(py, failure, Area::Address, || abi::proxies_diagnose(config)))?;
        let header = if config.is_empty() { None } else { from_json::member(py, config, "header")? };
        let header = header.and_then(|header| header.extract::<String>().ok());
        Ok(Self { proxies, header: header.map(|header| header.to_ascii_lowercase()) })
    }
}

#[pymethods]
impl Proxies {
    #[new]
    #[pyo3(
        signature = (header = None, *, trusted = None, hops = Count(0), ipv6_prefix = Count(64)),
        text_signature = "(header=None, *, trusted=(), hops=0, ipv6_prefix=64)",
    )]
    fn new(
        py: Python<'_>,
        header: Option<Text<'_>>,
        trusted: Option<&Bound<'_, PyAny>>,
        hops: Count,
        ipv6_prefix: Count,
    ) -> PyResult<Self> {
        let mut config = ObjectWriter::new();
        match header {
            Some(header) => config.text("header", header.0),
            None => config.null("header"),
        }
        if let Some(trusted) = trusted {
            config.texts("trusted", trusted).map_err(|error| refused(py, error))?;
        }
        config.integer("hops", hops.0.into());
        config.integer("ipv6_prefix", ipv6_prefix.0.into());
        Self::of_config(py, config.finish().as_bytes())
    }

    /// Proxies of the kernel's own configuration, as `include/donjon.h` has it.
    #[staticmethod]
    fn from_config(py: Python<'_>, config: Bytes<'_>) -> PyResult<Self> {
        Self::of_config(py, config.0)
    }

    /// Who the request is from. `peer` is the connection's other end, `None` where that has no address.
    ///
    /// `lines` are all lines of the header, in order, each a `str` or `bytes`. What is wrong with them is never an
    /// error: then it is the peer. A peer that is no address, where no header may speak for it, is a
    /// `MalformedAddress`.
    #[pyo3(
        signature = (peer, lines = None),
        text_signature = "($self, peer, lines=())",
    )]
    fn client(
        &self,
        py: Python<'_>,
        peer: Option<Text<'_>>,
        lines: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Client> {
        let peer = peer.map_or(&[][..], |peer| peer.0.as_bytes());
        let lines = lines.map(joined).transpose()?.unwrap_or_default();
        let client = self.proxies.client(peer, &lines).or_raise_in(py, Area::Address)?;
        Ok(Client {
            ip: client.ip().or_raise_in(py, Area::Address)?.to_owned(),
            bucket: client.bucket().or_raise_in(py, Area::Address)?.to_owned(),
            from_header: client.is_from_header(),
        })
    }

    fn __repr__(&self) -> &'static str {
        "Proxies(...)"
    }
}

#[pymethods]
impl Client {
    /// Proxies make clients. This is for tests, and for what crosses processes.
    #[new]
    #[pyo3(signature = (ip, bucket, from_header = false))]
    const fn new(ip: String, bucket: String, from_header: bool) -> Self {
        Self { ip, bucket, from_header }
    }

    fn __getnewargs__(&self) -> (&str, &str, bool) {
        (&self.ip, &self.bucket, self.from_header)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (ip, bucket) = (PyString::new(py, &self.ip).repr()?, PyString::new(py, &self.bucket).repr()?);
        let from_header = if self.from_header { "True" } else { "False" };
        Ok(format!("Client(ip={ip}, bucket={bucket}, from_header={from_header})"))
    }
}

/// More text than the kernel would read is its configuration's fault, and no token's.
fn refused(py: Python<'_>, error: PyErr) -> PyErr {
    if error.is_instance_of::<PyTypeError>(py) {
        error
    } else {
        exception_in(py, Failure::CONFIG_ERROR, Area::Address)
    }
}

/// A list or tuple of lines as the ABI wants them. A lone `str` is refused: it would be read letter by letter.
fn joined(lines: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let mut joined = Vec::new();
    if let Ok(lines) = lines.cast::<PyTuple>() {
        lines.iter_borrowed().enumerate().try_for_each(|(index, line)| push(index, line, &mut joined))?;
    } else if let Ok(lines) = lines.cast::<PyList>() {
        lines
            .iter()
            .enumerate()
            .try_for_each(|(index, line)| push(index, line.as_borrowed(), &mut joined))?;
    } else {
        return Err(wrong_type("a list of str or bytes", lines.as_borrowed()));
    }
    Ok(joined)
}

fn push(index: usize, line: Borrowed<'_, '_, PyAny>, joined: &mut Vec<u8>) -> PyResult<()> {
    let Sent(line) = line.extract()?;
    if index > 0 {
        joined.push(b'\n');
    }
    joined.extend_from_slice(line);
    Ok(())
}
