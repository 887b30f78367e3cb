//! A request's members: typed where the operation says so, raw where the kernel reads them.

use std::collections::HashMap;

use donjon::time::NEVER_S;
use serde_json::value::RawValue;

use crate::refusal::Refusal;

/// One line, taken apart at its top level only.
pub(crate) struct Request<'a> {
    // Of duplicate members, the last one.
    members: HashMap<String, &'a RawValue>,
}

impl<'a> Request<'a> {
    pub(crate) fn read(line: &'a str) -> Result<Self, Refusal> {
        let members = serde_json::from_str(line).map_err(|_| Refusal::BadRequest)?;
        Ok(Self { members })
    }

    /// The `id`, as the request spells it.
    pub(crate) fn id(&self) -> &str {
        self.optional_raw("id").unwrap_or("null")
    }

    /// The member's JSON text.
    pub(crate) fn raw(&self, name: &str) -> Result<&'a str, Refusal> {
        self.optional_raw(name).ok_or(Refusal::BadRequest)
    }

    /// The member's JSON text, if it is there.
    pub(crate) fn optional_raw(&self, name: &str) -> Option<&'a str> {
        self.members.get(name).map(|value| value.get())
    }

    pub(crate) fn text(&self, name: &str) -> Result<String, Refusal> {
        serde_json::from_str(self.raw(name)?).map_err(|_| Refusal::BadRequest)
    }

    /// A text; `null` and absent are none.
    pub(crate) fn optional_text(&self, name: &str) -> Result<Option<String>, Refusal> {
        self.is_given(name).then(|| self.text(name)).transpose()
    }

    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, Refusal> {
        serde_json::from_str(self.raw(name)?).map_err(|_| Refusal::BadRequest)
    }

    /// A list of texts; `null` and absent are none.
    pub(crate) fn optional_texts(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        self.is_given(name).then(|| self.texts(name)).transpose()
    }

    pub(crate) fn integer(&self, name: &str) -> Result<i64, Refusal> {
        let raw = self.raw(name)?;
        let digits = raw.strip_prefix('-').unwrap_or(raw);
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Refusal::BadRequest);
        }
        raw.parse().map_err(|_| Refusal::BadRequest)
    }

    /// An integer from 0.
    pub(crate) fn size(&self, name: &str) -> Result<u64, Refusal> {
        u64::try_from(self.integer(name)?).map_err(|_| Refusal::BadRequest)
    }

    /// An integer from 0 that 32 bits hold.
    pub(crate) fn u32(&self, name: &str) -> Result<u32, Refusal> {
        u32::try_from(self.integer(name)?).map_err(|_| Refusal::BadRequest)
    }

    /// An integer from 1 that 32 bits hold.
    pub(crate) fn count(&self, name: &str) -> Result<u32, Refusal> {
        Some(self.u32(name)?).filter(|count| *count > 0).ok_or(Refusal::BadRequest)
    }

    /// An integer; `null` is none, absent is an error.
    pub(crate) fn integer_or_null(&self, name: &str) -> Result<Option<i64>, Refusal> {
        if self.raw(name)? == "null" { Ok(None) } else { self.integer(name).map(Some) }
    }

    /// An integer; `null` and absent are 0.
    pub(crate) fn integer_or_zero(&self, name: &str) -> Result<i64, Refusal> {
        if self.is_given(name) { self.integer(name) } else { Ok(0) }
    }

    /// An integer; `null` and absent are none.
    pub(crate) fn optional_integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.is_given(name).then(|| self.integer(name)).transpose()
    }

    /// A time; `null` and what the C ABI has for it are never, absent is an error.
    pub(crate) fn time(&self, name: &str) -> Result<Option<i64>, Refusal> {
        Ok(self.integer_or_null(name)?.filter(|time| *time != NEVER_S))
    }

    pub(crate) fn boolean(&self, name: &str) -> Result<bool, Refusal> {
        match self.raw(name)? {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(Refusal::BadRequest),
        }
    }

    /// Bytes in lower-case hexadecimal.
    pub(crate) fn hex(&self, name: &str) -> Result<Vec<u8>, Refusal> {
        unhex(&self.text(name)?)
    }

    /// Bytes in lower-case hexadecimal; `null` and absent are none.
    pub(crate) fn optional_hex(&self, name: &str) -> Result<Option<Vec<u8>>, Refusal> {
        self.is_given(name).then(|| self.hex(name)).transpose()
    }

    /// A list of bytes in lower-case hexadecimal.
    pub(crate) fn hexes(&self, name: &str) -> Result<Vec<Vec<u8>>, Refusal> {
        self.texts(name)?.iter().map(|text| unhex(text)).collect()
    }

    /// The bytes of a state; `null` and the empty text are none yet.
    pub(crate) fn state(&self, name: &str) -> Result<Option<Vec<u8>>, Refusal> {
        if self.raw(name)? == "null" {
            return Ok(None);
        }
        Ok(Some(self.hex(name)?).filter(|state| !state.is_empty()))
    }

    fn is_given(&self, name: &str) -> bool {
        self.optional_raw(name).is_some_and(|raw| raw != "null")
    }
}

fn unhex(text: &str) -> Result<Vec<u8>, Refusal> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let byte = |pair: &[u8]| match *pair {
        [high, low] => Some(digit(high)? * 16 + digit(low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(byte).collect::<Option<_>>().ok_or(Refusal::BadRequest)
}
