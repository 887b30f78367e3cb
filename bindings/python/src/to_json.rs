//! Python values as JSON text, for claims, key sets and configurations.
//!
//! Only what JSON has: anything else is a `TypeError`, never a `str()` of it. Nothing here calls back
//! into Python code, so no value can change while it is being written.

use donjon::json::{Limits, write_text};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple};
use zeroize::Zeroizing;

use crate::abi::Failure;
use crate::argument::{Bytes, wrong_type};
use crate::error::{Area, exception, exception_in};

/// The most that is written: a key set of the largest size, and far more than any token holds.
const MAX_LEN: usize = 1 << 20;
/// As long as the kernel reads a policy.
const MAX_POLICY_LEN: usize = 16 << 20;

/// What is written, how long it may become, and what is refused if it is longer.
struct Out {
    text: String,
    max_len: usize,
    area: Area,
}

impl Out {
    const fn new(text: String) -> Self {
        Self { text, max_len: MAX_LEN, area: Area::Common }
    }
}

/// An object that grows member by member.
pub(crate) struct ObjectWriter {
    out: Out,
}

impl ObjectWriter {
    pub(crate) fn new() -> Self {
        // Room for the claims of a usual token.
        let mut text = String::with_capacity(512);
        text.push('{');
        Self { out: Out::new(text) }
    }

    fn name(&mut self, name: &str) {
        let text = &mut self.out.text;
        if text.len() > 1 {
            text.push(',');
        }
        write_text(name, text);
        text.push(':');
    }

    pub(crate) fn value(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.name(name);
        write(value, &mut self.out, 1)
    }

    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        write_text(value, &mut self.out.text);
    }

    pub(crate) fn integer(&mut self, name: &str, value: i64) {
        self.name(name);
        self.out.text.push_str(&value.to_string());
    }

    pub(crate) fn null(&mut self, name: &str) {
        self.name(name);
        self.out.text.push_str("null");
    }

    /// A list of texts. A lone `str` is refused: it would be read letter by letter.
    pub(crate) fn texts(&mut self, name: &str, texts: &Bound<'_, PyAny>) -> PyResult<()> {
        self.name(name);
        write_texts(texts, &mut self.out)
    }

    /// A text, a list of texts or `None`: an issuer or an audience.
    pub(crate) fn text_or_texts(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        if value.is_none() || value.is_instance_of::<PyString>() {
            self.value(name, value)
        } else {
            self.texts(name, value)
        }
    }

    /// All members of a `dict`.
    pub(crate) fn members(&mut self, members: &Bound<'_, PyDict>) -> PyResult<()> {
        for (name, value) in members {
            self.name(text(&name, "a str for each name")?);
            write(&value, &mut self.out, 1)?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> String {
        self.out.text.push('}');
        self.out.text
    }
}

/// A document: as text, or as a `dict`, whose text is wiped after use, since keys are documents too.
pub(crate) enum Document<'a> {
    Text(&'a [u8]),
    Dict(Zeroizing<String>),
}

impl<'a> Document<'a> {
    pub(crate) fn of(object: &'a Bound<'_, PyAny>) -> PyResult<Self> {
        Self::read(object, value)
    }

    pub(crate) fn of_policy(object: &'a Bound<'_, PyAny>) -> PyResult<Self> {
        Self::read(object, policy)
    }

    fn read(
        object: &'a Bound<'_, PyAny>,
        write: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<String>,
    ) -> PyResult<Self> {
        if object.is_instance_of::<PyDict>() {
            return write(object).map(|text| Self::Dict(Zeroizing::new(text)));
        }
        match object.extract::<Bytes<'a>>() {
            Ok(Bytes(text)) => Ok(Self::Text(text)),
            Err(error) if error.is_instance_of::<PyTypeError>(object.py()) => {
                Err(wrong_type("str, bytes or dict", object.as_borrowed()))
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text,
            Self::Dict(text) => text.as_bytes(),
        }
    }
}

/// One value as JSON.
pub(crate) fn value(value: &Bound<'_, PyAny>) -> PyResult<String> {
    let mut out = Out::new(String::new());
    write(value, &mut out, 0)?;
    Ok(out.text)
}

fn policy(policy: &Bound<'_, PyAny>) -> PyResult<String> {
    let mut out = Out { text: String::new(), max_len: MAX_POLICY_LEN, area: Area::Document };
    write(policy, &mut out, 0)?;
    Ok(out.text)
}

/// A list of texts as JSON.
pub(crate) fn texts(texts: &Bound<'_, PyAny>, area: Area) -> PyResult<String> {
    let mut out = Out { text: String::new(), max_len: MAX_LEN, area };
    write_texts(texts, &mut out)?;
    Ok(out.text)
}

/// A list of this one text as JSON.
pub(crate) fn text_alone(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    out.push('[');
    write_text(text, &mut out);
    out.push(']');
    out
}

fn write(value: &Bound<'_, PyAny>, out: &mut Out, depth: u8) -> PyResult<()> {
    if let Ok(text) = value.cast::<PyString>() {
        return write_str(text, out);
    }
    if value.is_none() {
        out.text.push_str("null");
    } else if let Ok(boolean) = value.cast::<PyBool>() {
        out.text.push_str(if boolean.is_true() { "true" } else { "false" });
    } else if value.is_instance_of::<PyInt>() {
        out.text.push_str(&integer(value)?);
    } else if let Ok(float) = value.cast::<PyFloat>() {
        out.text.push_str(&finite(float)?);
    } else if let Ok(list) = value.cast::<PyList>() {
        write_array(list.iter(), out, deeper(value, depth)?)?;
    } else if let Ok(tuple) = value.cast::<PyTuple>() {
        write_array(tuple.iter(), out, deeper(value, depth)?)?;
    } else if let Ok(dict) = value.cast::<PyDict>() {
        write_object(dict, out, deeper(value, depth)?)?;
    } else {
        return Err(wrong_type("a value that JSON has", value.as_borrowed()));
    }
    Ok(())
}

fn write_str(text: &Bound<'_, PyString>, out: &mut Out) -> PyResult<()> {
    let py = text.py();
    let text = text.to_str().map_err(|_| exception(py, Failure::INVALID_ARGUMENT))?;
    if out.text.len().saturating_add(text.len()) > out.max_len {
        return Err(exception_in(py, Failure::TOO_LARGE, out.area));
    }
    write_text(text, &mut out.text);
    Ok(())
}

fn write_array<'py>(
    items: impl Iterator<Item = Bound<'py, PyAny>>,
    out: &mut Out,
    depth: u8,
) -> PyResult<()> {
    out.text.push('[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.text.push(',');
        }
        bounded(item.py(), out)?;
        write(&item, out, depth)?;
    }
    out.text.push(']');
    Ok(())
}

fn write_object(dict: &Bound<'_, PyDict>, out: &mut Out, depth: u8) -> PyResult<()> {
    out.text.push('{');
    for (index, (name, value)) in dict.iter().enumerate() {
        if index > 0 {
            out.text.push(',');
        }
        bounded(dict.py(), out)?;
        write_text(text(&name, "a str for each name")?, &mut out.text);
        out.text.push(':');
        write(&value, out, depth)?;
    }
    out.text.push('}');
    Ok(())
}

fn write_texts(texts: &Bound<'_, PyAny>, out: &mut Out) -> PyResult<()> {
    if let Ok(list) = texts.cast::<PyList>() {
        write_texts_of(list.iter(), out)
    } else if let Ok(tuple) = texts.cast::<PyTuple>() {
        write_texts_of(tuple.iter(), out)
    } else if let Ok(set) = texts.cast::<PySet>() {
        write_texts_of(set.iter(), out)
    } else if let Ok(set) = texts.cast::<PyFrozenSet>() {
        write_texts_of(set.iter(), out)
    } else {
        Err(wrong_type("a list of str", texts.as_borrowed()))
    }
}

fn write_texts_of<'py>(items: impl Iterator<Item = Bound<'py, PyAny>>, out: &mut Out) -> PyResult<()> {
    out.text.push('[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.text.push(',');
        }
        let text = item.cast::<PyString>().map_err(|_| wrong_type("a list of str", item.as_borrowed()))?;
        write_str(text, out)?;
    }
    out.text.push(']');
    Ok(())
}

fn text<'a>(value: &'a Bound<'_, PyAny>, wanted: &str) -> PyResult<&'a str> {
    let text = value.cast::<PyString>().map_err(|_| wrong_type(wanted, value.as_borrowed()))?;
    text.to_str().map_err(|_| exception(value.py(), Failure::INVALID_ARGUMENT))
}

fn integer(value: &Bound<'_, PyAny>) -> PyResult<String> {
    let signed = value.extract::<i64>().map(|value| value.to_string());
    signed
        .or_else(|_| value.extract::<u64>().map(|value| value.to_string()))
        .map_err(|_| exception(value.py(), Failure::INVALID_ARGUMENT))
}

fn finite(value: &Bound<'_, PyFloat>) -> PyResult<String> {
    let float = value.value();
    if !float.is_finite() {
        return Err(PyTypeError::new_err("JSON has no infinity and no NaN"));
    }
    // `{:?}` is the shortest text that reads back as the same double, with a point or an exponent.
    Ok(format!("{float:?}"))
}

/// The depth inside `value`, up to what the kernel's reader takes; a list inside itself ends here too.
fn deeper(value: &Bound<'_, PyAny>, depth: u8) -> PyResult<u8> {
    if depth >= Limits::DOCUMENT.depth {
        return Err(exception(value.py(), Failure::INVALID_ARGUMENT));
    }
    Ok(depth + 1)
}

fn bounded(py: Python<'_>, out: &Out) -> PyResult<()> {
    if out.text.len() > out.max_len {
        return Err(exception_in(py, Failure::TOO_LARGE, out.area));
    }
    Ok(())
}
