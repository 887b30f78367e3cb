//! JSON that the kernel wrote or verified, as Python values, read with the kernel's own reader.

use donjon::json::{self, Limits, Members, Number, Text, Value};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::abi::Failure;
use crate::error::exception;

/// A `dict` of the object that `text` is.
pub(crate) fn dict<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let mut members = open(py, text)?;
    while let Some((name, value)) = next(py, &mut members)? {
        dict.set_item(member_name(py, name), object(py, value)?)?;
    }
    Ok(dict)
}

/// What the kernel answered about a policy: as many members as a policy may have.
pub(crate) const ANSWER: Limits = Limits { depth: 32, members: 1 << 20 };

/// Whatever the kernel answered.
pub(crate) fn answer<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    object(py, json::parse(text, ANSWER).map_err(|_| unreadable(py))?)
}

/// The value of one member, without building the others.
pub(crate) fn member<'py>(py: Python<'py>, text: &[u8], name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    let mut members = open(py, text)?;
    while let Some((found, value)) = next(py, &mut members)? {
        if found == *name {
            return object(py, value).map(Some);
        }
    }
    Ok(None)
}

/// The names of the object that `text` is.
pub(crate) fn names<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Vec<Bound<'py, PyString>>> {
    let mut names = Vec::new();
    let mut members = open(py, text)?;
    while let Some((name, _)) = next(py, &mut members)? {
        names.push(member_name(py, name));
    }
    Ok(names)
}

/// A `tuple` of the texts of an array, or of the one text.
pub(crate) fn texts<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyTuple>> {
    match json::parse(text, Limits::DOCUMENT).map_err(|_| unreadable(py))? {
        Value::Text(text) => PyTuple::new(py, [string(py, text)]),
        Value::Array(array) => {
            let texts: Vec<_> = array.texts().map(|text| string(py, text)).collect();
            PyTuple::new(py, texts)
        }
        _ => Err(unreadable(py)),
    }
}

/// A list of a tuple of texts for each list of texts in an array.
pub(crate) fn tuples<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyList>> {
    let Ok(Value::Array(lists)) = json::parse(text, Limits::DOCUMENT) else { return Err(unreadable(py)) };
    let tuples = PyList::empty(py);
    for list in lists.iter() {
        let Value::Array(texts) = list else { return Err(unreadable(py)) };
        let texts: Vec<_> = texts.texts().map(|text| string(py, text)).collect();
        tuples.append(PyTuple::new(py, texts)?)?;
    }
    Ok(tuples)
}

fn open<'a>(py: Python<'_>, text: &'a [u8]) -> PyResult<Members<'a>> {
    Members::open(text, Limits::DOCUMENT).map_err(|_| unreadable(py))
}

fn next<'a>(py: Python<'_>, members: &mut Members<'a>) -> PyResult<Option<(Text<'a>, Value<'a>)>> {
    members.next_member().map_err(|_| unreadable(py))
}

/// The kernel has read this text before, so this is a defect and not an input's fault.
#[cold]
fn unreadable(py: Python<'_>) -> PyErr {
    exception(py, Failure::INTERNAL_ERROR)
}

fn object<'py>(py: Python<'py>, value: Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(value) => PyBool::new(py, value).to_owned().into_any(),
        Value::Number(value) => number(py, value)?,
        Value::Text(value) => string(py, value).into_any(),
        Value::Array(values) => {
            let list = PyList::empty(py);
            for value in values.iter() {
                list.append(object(py, value)?)?;
            }
            list.into_any()
        }
        Value::Object(members) => {
            let dict = PyDict::new(py);
            for (name, value) in members.iter() {
                dict.set_item(member_name(py, name), object(py, value)?)?;
            }
            dict.into_any()
        }
    })
}

pub(crate) fn string<'py>(py: Python<'py>, text: Text<'_>) -> Bound<'py, PyString> {
    match text.plain() {
        Some(plain) => PyString::new(py, plain),
        None => PyString::new(py, &text.decode()),
    }
}

/// As `json.loads` has it: an `int` of any size where it is written as one, else a `float`.
fn number<'py>(py: Python<'py>, number: Number<'_>) -> PyResult<Bound<'py, PyAny>> {
    if let Some(value) = number.integer() {
        return Ok(PyInt::new(py, value).into_any());
    }
    let raw = number.raw();
    if raw.contains(['.', 'e', 'E']) {
        let value = raw.parse::<f64>().map_err(|_| unreadable(py))?;
        return Ok(PyFloat::new(py, value).into_any());
    }
    // Python refuses integers of thousands of digits, and so does this.
    let value = py.get_type::<PyInt>().call1((raw,));
    value.map_err(|_| exception(py, Failure::BAD_CLAIM_TYPE))
}

/// The names that tokens carry are made once and shared, with their hashes.
fn member_name<'py>(py: Python<'py>, name: Text<'_>) -> Bound<'py, PyString> {
    let interned = match name.plain() {
        Some("iss") => pyo3::intern!(py, "iss"),
        Some("sub") => pyo3::intern!(py, "sub"),
        Some("aud") => pyo3::intern!(py, "aud"),
        Some("exp") => pyo3::intern!(py, "exp"),
        Some("nbf") => pyo3::intern!(py, "nbf"),
        Some("iat") => pyo3::intern!(py, "iat"),
        Some("jti") => pyo3::intern!(py, "jti"),
        Some("permissions") => pyo3::intern!(py, "permissions"),
        Some("roles") => pyo3::intern!(py, "roles"),
        _ => return string(py, name),
    };
    interned.clone()
}
