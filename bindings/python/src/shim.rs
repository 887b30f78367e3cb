//! For the conformance shim only: the bytes that operations draw.

use pyo3::prelude::*;

use crate::abi;
use crate::argument::Bytes;
use crate::error::OrRaise;

/// Operations of this thread draw these bytes from now on; `None` gives them back to the OS.
#[pyfunction]
pub(crate) fn test_entropy(py: Python<'_>, entropy: Option<Bytes<'_>>) -> PyResult<()> {
    abi::test_entropy(entropy.map(|bytes| bytes.0)).or_raise(py)
}
