//! Any part of an envelope: the calls; `donjon.envelope` makes a file of them.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::abi;
use crate::argument::{Payload, Size};
use crate::error::{Area, OrRaise};
use crate::long;

/// Says which bytes of an envelope hold a part of what was sealed, and opens these.
#[pyclass(frozen, module = "donjon._donjon")]
pub(crate) struct Reader {
    reader: abi::Reader,
}

impl Reader {
    pub(crate) const fn new(reader: abi::Reader) -> Self {
        Self { reader }
    }
}

#[pymethods]
impl Reader {
    /// How long the plaintext is. This is authentic.
    #[getter]
    fn size(&self, py: Python<'_>) -> PyResult<u64> {
        self.reader.len().or_raise_in(py, Area::Envelope)
    }

    /// Where in the envelope that part of the plaintext is: where it begins, and how long it is.
    fn span(&self, py: Python<'_>, offset: Size, length: Size) -> PyResult<(u64, u64)> {
        self.reader.span(offset.0, length.0).or_raise_in(py, Area::Envelope)
    }

    /// That part of the plaintext, out of the envelope's bytes at its `span`.
    fn read<'py>(
        &self,
        py: Python<'py>,
        offset: Size,
        length: Size,
        span: Payload<'_, 'py>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (Size(offset), Size(length), span) = (offset, length, span.as_bytes());
        let read = abi::bytes_as_long_as_wanted(py, |room| {
            long::run(py, span.len(), || self.reader.read(offset, length, span, room))
        });
        read.or_raise_in(py, Area::Envelope)
    }
}
