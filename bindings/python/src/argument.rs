//! What Python passes, taken strictly: a `bool` is no number, a text with a lone surrogate is no text.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDelta, PyDeltaAccess, PyInt, PyList, PyMemoryView, PyString, PyTuple};

use crate::abi::{self, Failure};
use crate::error::{Area, OrRaise, exception, exception_in};

/// `str` (as UTF-8) or `bytes`, borrowed.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a, 'py> FromPyObject<'a, 'py> for Bytes<'a> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        utf8_or_bytes(object, Failure::INVALID_ARGUMENT, Area::Common).map(Self)
    }
}

/// A token: it comes from outside, so what cannot be one is `malformed`, not the caller's mistake.
pub(crate) struct Token<'a>(pub(crate) &'a [u8]);

impl<'a, 'py> FromPyObject<'a, 'py> for Token<'a> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        utf8_or_bytes(object, Failure::MALFORMED, Area::Common).map(Self)
    }
}

/// A password: it comes from outside too, so half a character in it is `malformed`.
#[derive(Clone, Copy)]
pub(crate) struct Password<'a>(pub(crate) &'a [u8]);

impl<'a, 'py> FromPyObject<'a, 'py> for Password<'a> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        utf8_or_bytes(object, Failure::MALFORMED, Area::Password).map(Self)
    }
}

/// What is counted: it comes from outside, so half a character in it is `malformed`.
pub(crate) struct Key<'a>(pub(crate) &'a [u8]);

impl<'a, 'py> FromPyObject<'a, 'py> for Key<'a> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        utf8_or_bytes(object, Failure::MALFORMED, Area::Limit).map(Self)
    }
}

/// What a client sent that is only worth something if it is good: half a character in it becomes a byte that
/// nothing good has.
pub(crate) struct Sent<'a>(pub(crate) &'a [u8]);

impl<'a, 'py> FromPyObject<'a, 'py> for Sent<'a> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyString>() {
            let text: PyResult<&'a str> = object.extract();
            return Ok(Self(text.map_or(b"\0", str::as_bytes)));
        }
        utf8_or_bytes(object, Failure::MALFORMED, Area::Common).map(Self)
    }
}

/// What is stored for a user.
#[derive(Clone, Copy)]
pub(crate) struct StoredHash<'a>(pub(crate) &'a [u8]);

impl<'a, 'py> FromPyObject<'a, 'py> for StoredHash<'a> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        utf8_or_bytes(object, Failure::INVALID_HASH, Area::Password).map(Self)
    }
}

fn utf8_or_bytes<'a>(object: Borrowed<'a, '_, PyAny>, surrogates: Failure, area: Area) -> PyResult<&'a [u8]> {
    if object.is_instance_of::<PyString>() {
        let text: PyResult<&'a str> = object.extract();
        return text.map(str::as_bytes).map_err(|_| exception_in(object.py(), surrogates, area));
    }
    if object.is_instance_of::<PyBytes>() {
        return Ok(object.extract::<&'a [u8]>()?);
    }
    Err(wrong_type("str or bytes", object))
}

/// What is sealed or opened: `bytes`, borrowed, or a copy of any other buffer, since that may be written to
/// while the kernel reads it and other threads go on.
pub(crate) enum Payload<'a, 'py> {
    Borrowed(&'a [u8]),
    Copied(Bound<'py, PyBytes>),
}

impl Payload<'_, '_> {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Copied(bytes) => bytes.as_bytes(),
        }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Payload<'a, 'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyBytes>() {
            return Ok(Self::Borrowed(object.extract::<&'a [u8]>()?));
        }
        let py = object.py();
        let view = PyMemoryView::from(&object).map_err(|error| {
            if error.is_instance_of::<PyTypeError>(py) {
                wrong_type("bytes or another buffer", object)
            } else {
                error
            }
        })?;
        let copy = py.get_type::<PyBytes>().call1((view,))?;
        Ok(Self::Copied(copy.cast_into()?))
    }
}

/// Adds the parts of a context, a list or a tuple of `str` and `bytes`. A lone `str` is refused: it would be
/// read letter by letter.
pub(crate) fn context_of(parts: &Bound<'_, PyAny>, context: &mut abi::Context) -> PyResult<()> {
    if let Ok(parts) = parts.cast::<PyTuple>() {
        parts.iter_borrowed().try_for_each(|part| push_part(part, context))
    } else if let Ok(parts) = parts.cast::<PyList>() {
        parts.iter().try_for_each(|part| push_part(part.as_borrowed(), context))
    } else {
        Err(wrong_type("a list or tuple for a context", parts.as_borrowed()))
    }
}

fn push_part(part: Borrowed<'_, '_, PyAny>, context: &mut abi::Context) -> PyResult<()> {
    let bytes = utf8_or_bytes(part, Failure::INVALID_ARGUMENT, Area::Envelope)?;
    context.push(bytes).or_raise_in(part.py(), Area::Envelope)
}

/// `str`, borrowed.
pub(crate) struct Text<'a>(pub(crate) &'a str);

impl<'a, 'py> FromPyObject<'a, 'py> for Text<'a> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if !object.is_instance_of::<PyString>() {
            return Err(wrong_type("str", object));
        }
        let text: PyResult<&'a str> = object.extract();
        text.map(Self).map_err(|_| exception(object.py(), Failure::INVALID_ARGUMENT))
    }
}

/// Which one: the last segment of a permission, a `str` or an `int`.
pub(crate) struct Instance<'a>(Cow<'a, str>);

impl Instance<'_> {
    /// The ABI takes the empty text for "none".
    pub(crate) fn bytes(instance: Option<&Self>) -> &[u8] {
        instance.map_or(&[], |instance| instance.0.as_bytes())
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Instance<'a> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if !object.is_instance_of::<PyString>() {
            return instance_number(object).map(|number| Self(Cow::Owned(number)));
        }
        // It may be from the path of a request. Half a character names nothing, and nor does the empty
        // text, which the ABI would take for "none": both become what names no instance.
        let text: PyResult<&'a str> = object.extract();
        Ok(Self(Cow::Borrowed(text.ok().filter(|text| !text.is_empty()).unwrap_or("\0"))))
    }
}

/// The digits of an `int` of any size: what a route reads from a path is as large as the client likes, and
/// no mistake of the service's. One of more digits than Python writes names no instance.
fn instance_number(object: Borrowed<'_, '_, PyAny>) -> PyResult<String> {
    if !object.is_instance_of::<PyInt>() || object.is_instance_of::<PyBool>() {
        return Err(wrong_type("str or int for an instance", object));
    }
    let number: PyResult<i64> = object.extract();
    Ok(match number {
        Ok(number) => number.to_string(),
        // Of `int` itself: an `IntEnum` may write itself as it likes.
        Err(_) => match object.py().get_type::<PyInt>().call_method1("__repr__", (object,)) {
            Ok(digits) => digits.extract()?,
            Err(_) => "\0".into(),
        },
    })
}

/// An `int` that fits 64 bits.
#[derive(Clone, Copy)]
pub(crate) struct Integer(pub(crate) i64);

impl<'a, 'py> FromPyObject<'a, 'py> for Integer {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        integer(object, "int").map(Self)
    }
}

fn integer(object: Borrowed<'_, '_, PyAny>, wanted: &str) -> PyResult<i64> {
    if !object.is_instance_of::<PyInt>() || object.is_instance_of::<PyBool>() {
        return Err(wrong_type(wanted, object));
    }
    let value: PyResult<i64> = object.extract();
    value.map_err(|_| exception(object.py(), Failure::INVALID_ARGUMENT))
}

/// An `int` of 32 bits, without a sign.
#[derive(Clone, Copy)]
pub(crate) struct Count(pub(crate) u32);

impl<'a, 'py> FromPyObject<'a, 'py> for Count {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let count = u32::try_from(integer(object, "int")?);
        count.map(Self).map_err(|_| exception(object.py(), Failure::INVALID_ARGUMENT))
    }
}

/// An `int` of 64 bits, without a sign: a place in a file, or a length.
#[derive(Clone, Copy)]
pub(crate) struct Size(pub(crate) u64);

impl<'a, 'py> FromPyObject<'a, 'py> for Size {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let size = u64::try_from(integer(object, "int")?);
        size.map(Self).map_err(|_| exception(object.py(), Failure::INVALID_ARGUMENT))
    }
}

/// A length of time: an `int` of seconds, or a `timedelta`.
#[derive(Clone, Copy)]
pub(crate) struct Duration {
    micros: i128,
}

impl Duration {
    pub(crate) const fn seconds(seconds: i64) -> Self {
        Self { micros: seconds as i128 * 1_000_000 }
    }

    /// In whole units of `micros` microseconds. A fraction is refused: cutting half a second to 0 would
    /// say "the default" to a time to live.
    fn whole(self, py: Python<'_>, micros: i128) -> PyResult<i64> {
        let whole = if self.micros % micros == 0 { i64::try_from(self.micros / micros).ok() } else { None };
        whole.ok_or_else(|| exception(py, Failure::INVALID_ARGUMENT))
    }

    pub(crate) fn as_seconds(self, py: Python<'_>) -> PyResult<i64> {
        self.whole(py, 1_000_000)
    }

    pub(crate) fn as_millis(self, py: Python<'_>) -> PyResult<i64> {
        self.whole(py, 1_000)
    }

    /// A time to live for the ABI, where 0 means the default: so only `None` may become 0.
    pub(crate) fn or_default(py: Python<'_>, ttl: Option<Self>) -> PyResult<i64> {
        match ttl.map(|ttl| ttl.as_seconds(py)).transpose()? {
            None => Ok(0),
            Some(seconds) if seconds > 0 => Ok(seconds),
            Some(_) => Err(exception(py, Failure::INVALID_ARGUMENT)),
        }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Duration {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(delta) = object.cast::<PyDelta>() {
            let seconds = i128::from(delta.get_days()) * 86_400 + i128::from(delta.get_seconds());
            return Ok(Self { micros: seconds * 1_000_000 + i128::from(delta.get_microseconds()) });
        }
        integer(object, "int or timedelta").map(Self::seconds)
    }
}

/// `now` in Unix seconds: the caller's, or the clock's.
pub(crate) fn now_s(now: Option<Integer>) -> i64 {
    now.map_or_else(|| clock().as_secs().try_into().unwrap_or(i64::MAX), |now| now.0)
}

/// `now`, which the caller gives in seconds, in Unix milliseconds.
pub(crate) fn now_ms(now: Option<Integer>) -> i64 {
    now.map_or_else(|| millis(clock()), |now| now.0.saturating_mul(1_000))
}

/// `now_ms`: the caller's, or the clock's.
pub(crate) fn now_ms_or_clock(now_ms: Option<Integer>) -> i64 {
    now_ms.map_or_else(|| millis(clock()), |now| now.0)
}

/// As many whole milliseconds as 64 bits hold.
#[inline]
pub(crate) fn millis(time: std::time::Duration) -> i64 {
    let millis = time.as_secs().saturating_mul(1_000).saturating_add(time.subsec_millis().into());
    i64::try_from(millis).unwrap_or(i64::MAX)
}

pub(crate) fn clock() -> std::time::Duration {
    // A clock before 1970 reads as 1970, when every token with an `iat` is not valid yet.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Says what was wanted and what type came, never the value: it may be a secret.
#[cold]
pub(crate) fn wrong_type(wanted: &str, object: Borrowed<'_, '_, PyAny>) -> PyErr {
    let found = object.get_type().name().map_or_else(|_| "object".into(), |name| name.to_string());
    PyTypeError::new_err(format!("expected {wanted}, not {found}"))
}
