//! A checked value, borrowed from its text.

use super::reader::Members;
use super::{Number, Text};

/// A `bool` as wide as a pointer. Values are handed up through several results, and a byte beside two
/// words makes the compiler move them in overlapping pieces, which costs more than reading them did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Flag {
    No,
    Yes,
}

impl Flag {
    pub(super) const fn of(is: bool) -> Self {
        if is { Self::Yes } else { Self::No }
    }
}

/// One JSON value.
#[derive(Debug, Clone, Copy)]
#[repr(usize)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, still text.
    Number(Number<'a>),
    /// A string.
    Text(Text<'a>),
    /// An array.
    Array(Array<'a>),
    /// An object.
    Object(Object<'a>),
}

/// A checked array.
#[derive(Debug, Clone, Copy)]
pub struct Array<'a> {
    pub(super) raw: &'a str,
    pub(super) all_text: Flag,
}

impl<'a> Array<'a> {
    /// An array of strings that was read before: `raw` is what [`Array::raw`] gave.
    pub(crate) const fn of_checked_texts(raw: &'a str) -> Self {
        Self { raw, all_text: Flag::Yes }
    }

    /// The array as it stands in the input, brackets included.
    #[must_use]
    pub const fn raw(self) -> &'a str {
        self.raw
    }

    /// Whether every element is a string; true of the empty array.
    #[must_use]
    pub const fn is_all_text(self) -> bool {
        matches!(self.all_text, Flag::Yes)
    }

    /// The elements, in order.
    pub fn iter(self) -> impl Iterator<Item = Value<'a>> {
        super::reader::Elements::reopen(self.raw)
    }

    /// The elements that are strings, in order.
    pub fn texts(self) -> impl Iterator<Item = Text<'a>> {
        self.iter().filter_map(|value| match value {
            Value::Text(text) => Some(text),
            _ => None,
        })
    }
}

/// A checked object.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    pub(super) raw: &'a str,
}

impl<'a> Object<'a> {
    /// The object as it stands in the input, braces included.
    #[must_use]
    pub const fn raw(self) -> &'a str {
        self.raw
    }

    /// The members, in order.
    pub fn iter(self) -> impl Iterator<Item = (Text<'a>, Value<'a>)> {
        Members::reopen(self.raw)
    }

    /// The value of the member `name`.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        self.iter().find_map(|(found, value)| (found == *name).then_some(value))
    }
}
