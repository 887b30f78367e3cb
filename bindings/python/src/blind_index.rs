//! `BlindIndex`.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::abi::{self, Column};
use crate::argument::{Bytes, Count, Integer, now_s};
use crate::error::{Area, OrRaise, diagnosed};
use crate::keyring::Keyring;

/// Finds equal values of an encrypted column, by keyed hashes that are stored beside it.
///
/// Normalise before: only equal bytes are equal. Whoever sees the index sees which rows are equal, and how
/// often each value is there; for a column of few values that gives them away. With fewer `bits`, more
/// values share a hash: of n other values, n / 2^bits are found by mistake, and must be compared when they
/// have been opened. The keyring has keys of the purpose `blind-index`.
#[pyclass(frozen, module = "donjon")]
pub(crate) struct BlindIndex {
    index: abi::BlindIndex,
}

#[pymethods]
impl BlindIndex {
    #[new]
    #[pyo3(
        signature = (keyring, *, table, column, tenant = Bytes(&[]), bits = Count(32)),
        text_signature = "(keyring, *, table, column, tenant='', bits=32)",
    )]
    fn new(
        py: Python<'_>,
        keyring: &Bound<'_, Keyring>,
        table: Bytes<'_>,
        column: Bytes<'_>,
        tenant: Bytes<'_>,
        bits: Count,
    ) -> PyResult<Self> {
        let keyring = keyring.get().handle();
        let column = Column { tenant: tenant.0, table: table.0, column: column.0, bits: bits.0 };
        abi::BlindIndex::new(keyring, column).map(|index| Self { index }).map_err(|failure| {
            diagnosed(py, failure, Area::Envelope, || abi::blind_index_diagnose(keyring, column))
        })
    }

    /// What to store for `value`.
    #[pyo3(signature = (value, *, now = None))]
    fn value<'py>(
        &self,
        py: Python<'py>,
        value: Bytes<'_>,
        now: Option<Integer>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let stored = self.index.value(now_s(now), value.0).or_raise_in(py, Area::Envelope)?;
        Ok(PyBytes::new(py, &stored))
    }

    /// All that may be stored for `value`: one for each key that is alive, the primary's first.
    #[pyo3(signature = (value, *, now = None))]
    fn candidates<'py>(
        &self,
        py: Python<'py>,
        value: Bytes<'_>,
        now: Option<Integer>,
    ) -> PyResult<Bound<'py, PyList>> {
        let now_s = now_s(now);
        let all = self.index.candidates(now_s, value.0).or_raise_in(py, Area::Envelope)?;
        let each = self.index.value(now_s, value.0).or_raise_in(py, Area::Envelope)?.len().max(1);
        PyList::new(py, all.chunks(each).map(|candidate| PyBytes::new(py, candidate)))
    }

    fn __repr__(&self) -> &'static str {
        "BlindIndex(...)"
    }
}
