//! What a table is told.

use crate::json::{self, Limits, Value};
use crate::limit::LimitError;

/// The keys that a table has room for unless told otherwise.
pub const DEFAULT_TABLE_CAPACITY: u32 = 100_000;

/// The most keys that a table can be told to have room for: some 6 GB.
pub const MAX_TABLE_CAPACITY: u32 = 100_000_000;

/// What becomes of a new key where only locked ones are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenFull {
    /// It is refused, until the first lock ends.
    #[default]
    Refuse,
    /// It is allowed, and not counted.
    Allow,
}

/// What a table is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitTableConfig {
    /// The keys that it has room for: 1 to [`MAX_TABLE_CAPACITY`].
    pub capacity: u32,
    /// What becomes of a new key where only locked ones are.
    pub when_full: WhenFull,
}

impl LimitTableConfig {
    /// What an empty configuration stands for.
    pub const DEFAULT: Self = Self { capacity: DEFAULT_TABLE_CAPACITY, when_full: WhenFull::Refuse };

    /// Reads the JSON form, in which every member may be left out: `{"capacity":100000,
    /// "when_full":"refuse"}`, or `"allow"`. An empty text stands for all defaults.
    ///
    /// # Errors
    /// - [`LimitError::Config`]: a member that is unknown, of the wrong type, or out of range.
    pub fn from_json(text: &[u8]) -> Result<Self, LimitError> {
        let mut config = Self::DEFAULT;
        if text.is_empty() {
            return Ok(config);
        }
        let Ok(Value::Object(object)) = json::parse(text, Limits::DOCUMENT) else {
            return Err(LimitError::Config("not a JSON object"));
        };
        for (name, value) in object.iter() {
            match &*name.decode() {
                "capacity" => config.capacity = capacity(value)?,
                "when_full" => config.when_full = when_full(value)?,
                _ => return Err(LimitError::Config("unknown member")),
            }
        }
        config.check()?;
        Ok(config)
    }

    /// Whether a table can be made of it.
    ///
    /// # Errors
    /// - [`LimitError::Config`]: a capacity out of range.
    pub fn check(&self) -> Result<(), LimitError> {
        if (1..=MAX_TABLE_CAPACITY).contains(&self.capacity) {
            Ok(())
        } else {
            Err(LimitError::Config("capacity is from 1 to 100,000,000"))
        }
    }
}

impl Default for LimitTableConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

fn capacity(value: Value<'_>) -> Result<u32, LimitError> {
    let Value::Number(number) = value else { return Err(LimitError::Config("capacity is not an integer")) };
    let integer = number.integer().and_then(|integer| u32::try_from(integer).ok());
    integer.ok_or(LimitError::Config("capacity is from 1 to 100,000,000"))
}

fn when_full(value: Value<'_>) -> Result<WhenFull, LimitError> {
    match value {
        Value::Text(name) if name.decode() == "refuse" => Ok(WhenFull::Refuse),
        Value::Text(name) if name.decode() == "allow" => Ok(WhenFull::Allow),
        _ => Err(LimitError::Config("when_full is \"refuse\" or \"allow\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_read_strictly() {
        let read = |text: &str| LimitTableConfig::from_json(text.as_bytes());
        assert_eq!(read(""), Ok(LimitTableConfig::DEFAULT));
        assert_eq!(read("{}"), Ok(LimitTableConfig::DEFAULT));
        let given = LimitTableConfig { capacity: 5, when_full: WhenFull::Allow };
        assert_eq!(read(r#"{"capacity":5,"when_full":"allow"}"#), Ok(given));
        for refused in [
            "[]",
            "{",
            r#"{"capacity":0}"#,
            r#"{"capacity":-1}"#,
            r#"{"capacity":100000001}"#,
            r#"{"capacity":4294967297}"#,
            r#"{"capacity":1.5}"#,
            r#"{"capacity":"5"}"#,
            r#"{"capacity":5,"capacity":5}"#,
            r#"{"when_full":"evict"}"#,
            r#"{"when_full":null}"#,
            r#"{"size":5}"#,
        ] {
            assert!(matches!(read(refused), Err(LimitError::Config(_))), "{refused}");
        }
    }
}
