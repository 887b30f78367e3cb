//! Strict JSON (RFC 8259, with the rules of RFC 8725 §2.4 and I-JSON, RFC 7493): read in one pass,
//! borrowed, bounded.
//!
//! *Decides* whether a text is one JSON value with no duplicate member at any depth, no lone
//! surrogate, no `NaN`, nothing before or after it, and no deeper or wider than its [`Limits`].
//! *Threat*: two readers that understand one text differently. So there is one reader for every host,
//! and what it doubts is an error.
//!
//! Reading allocates nothing for objects of up to 16 members; numbers stay text, so none is rounded.
//!
//! ```
//! use donjon::json::{self, Limits, Value};
//!
//! let text = br#"{"sub":"ann","n":1e3}"#;
//! let Value::Object(object) = json::parse(text, Limits::DOCUMENT)? else { panic!() };
//! let (name, value) = object.iter().next().unwrap();
//! assert!(name == "sub");
//! assert!(matches!(value, Value::Text(text) if text == "ann"));
//! assert!(json::parse(br#"{"a":1,"\u0061":2}"#, Limits::DOCUMENT).is_err());
//! # Ok::<(), json::JsonError>(())
//! ```

mod number;
mod reader;
mod text;
mod value;
mod write;

pub use number::Number;
pub use reader::Members;
pub use text::Text;
pub use value::{Array, Object, Value};
pub use write::{ObjectWriter, compact, list, text_list, write_integer, write_text};

/// The text is not strict JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not strict JSON at byte {offset}")]
pub struct JsonError {
    /// Where reading stopped.
    pub offset: usize,
}

/// Bounds on the shape of a text; its size is bounded by whoever holds it.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Containers inside containers, the outermost counted as one.
    pub depth: u8,
    /// Members of one object.
    pub members: usize,
}

impl Limits {
    /// A token's header: flat, few members, read before anything is trusted and without allocating.
    pub const HEADER: Self = Self { depth: 4, members: 16 };
    /// A token's claims, a key set, a configuration.
    pub const DOCUMENT: Self = Self { depth: 32, members: 4096 };
}

/// Reads `text` as one value.
///
/// # Errors
/// - [`JsonError`]: not strict JSON, or over a limit.
pub fn parse(text: &[u8], limits: Limits) -> Result<Value<'_>, JsonError> {
    reader::parse(text, limits, false)
}

/// Reads `text` as one value in which names may repeat, for a reader that checks every object itself so as
/// to say where.
///
/// # Errors
/// - [`JsonError`]: as [`parse`], but for repeated names.
pub(crate) fn parse_repeating(text: &[u8], limits: Limits) -> Result<Value<'_>, JsonError> {
    reader::parse(text, limits, true)
}

#[cfg(test)]
mod tests;
