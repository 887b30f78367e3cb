//! What a hasher is told: parameters, lengths, budget, and the schemes that it still verifies.

use super::legacy::{Scheme, SchemeSet};
use super::phc::{MAX_HASH_LEN, MAX_SALT_LEN, MIN_HASH_LEN, MIN_SALT_LEN};
use super::{Params, PasswordError};
use crate::json::{self, Limits, Value};

/// The memory that all hashes of one hasher share unless told otherwise, in KiB.
pub const DEFAULT_MEMORY_BUDGET_KIB: u32 = 262_144;

/// How long a hash waits for memory unless told otherwise, in milliseconds.
pub const DEFAULT_MAX_WAIT_MS: u32 = 10_000;

/// The longest that a hash can be told to wait for memory, in milliseconds.
pub const MAX_WAIT_MS: u32 = 60_000;

/// The shortest salt and hash, in bytes, of a configuration that does not allow weak ones.
const STRONG_LEN: usize = 16;

/// What a hasher is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HasherConfig {
    /// What a new hash costs.
    pub params: Params,
    /// The bytes of a new hash: 16 to 64.
    pub hash_len: usize,
    /// The bytes of a new salt: 16 to 48.
    pub salt_len: usize,
    /// The memory that all hashes share, in KiB; at least one hash's.
    pub memory_budget_kib: u32,
    /// How long a hash waits for memory, in milliseconds, at most [`MAX_WAIT_MS`]; 0 not to wait.
    pub max_wait_ms: u32,
    /// The schemes that are verified besides Argon2id, never hashed with.
    pub legacy: SchemeSet,
    /// Whether parameters under OWASP's minimums, salts from 8 and hashes from 12 bytes are taken. For
    /// tests.
    pub allow_weak: bool,
}

impl HasherConfig {
    /// What an empty configuration stands for.
    pub const DEFAULT: Self = Self {
        params: Params::DEFAULT,
        hash_len: 32,
        salt_len: 16,
        memory_budget_kib: DEFAULT_MEMORY_BUDGET_KIB,
        max_wait_ms: DEFAULT_MAX_WAIT_MS,
        legacy: SchemeSet::NONE,
        allow_weak: false,
    };

    /// Reads the JSON form, in which every member may be left out: `{"preset":"default",
    /// "memory_kib":65536,"time_cost":3,"parallelism":1,"hash_len":32,"salt_len":16,
    /// "memory_budget_kib":262144,"max_wait_ms":10000,"legacy":["bcrypt"],"allow_weak":false}`. An empty
    /// text stands for all defaults. What is given besides a preset overrides it.
    ///
    /// # Errors
    /// - [`PasswordError::Config`]: a member that is unknown or of the wrong type, and all that
    ///   [`HasherConfig::check`] refuses.
    pub fn from_json(text: &[u8]) -> Result<Self, PasswordError> {
        let mut config = Self::DEFAULT;
        if text.is_empty() {
            return Ok(config);
        }
        let Ok(Value::Object(object)) = json::parse(text, Limits::DOCUMENT) else {
            return Err(PasswordError::Config("not a JSON object"));
        };
        let (mut memory_kib, mut time_cost, mut parallelism) = (None, None, None);
        for (name, value) in object.iter() {
            match &*name.decode() {
                "preset" => config.params = preset(value)?,
                "memory_kib" => memory_kib = Some(integer(value)?),
                "time_cost" => time_cost = Some(integer(value)?),
                "parallelism" => parallelism = Some(integer(value)?),
                "hash_len" => config.hash_len = length(value)?,
                "salt_len" => config.salt_len = length(value)?,
                "memory_budget_kib" => config.memory_budget_kib = integer(value)?,
                "max_wait_ms" => config.max_wait_ms = integer(value)?,
                "legacy" => config.legacy = schemes(value)?,
                "allow_weak" => config.allow_weak = flag(value)?,
                _ => return Err(PasswordError::Config("unknown member")),
            }
        }
        let preset = config.params;
        config.params = Params::new(
            memory_kib.unwrap_or(preset.memory_kib()),
            time_cost.unwrap_or(preset.time_cost()),
            parallelism.unwrap_or(preset.parallelism()),
        )
        .map_err(|_| PasswordError::Config("the parameters are out of bounds"))?;
        config.check()?;
        Ok(config)
    }

    /// Whether a hasher can be made of it.
    ///
    /// # Errors
    /// - [`PasswordError::Config`]: weak parameters that were not allowed, a length or a wait out of
    ///   range, a budget under one hash's memory.
    pub fn check(&self) -> Result<(), PasswordError> {
        let (min_salt, min_hash) =
            if self.allow_weak { (MIN_SALT_LEN, MIN_HASH_LEN) } else { (STRONG_LEN, STRONG_LEN) };
        if self.params.is_weak() && !self.allow_weak {
            return Err(PasswordError::Config("weaker than OWASP's minimums"));
        }
        if !(min_salt..=MAX_SALT_LEN).contains(&self.salt_len) {
            return Err(PasswordError::Config("salt_len is out of range"));
        }
        if !(min_hash..=MAX_HASH_LEN).contains(&self.hash_len) {
            return Err(PasswordError::Config("hash_len is out of range"));
        }
        if self.memory_budget_kib < self.params.memory_kib() {
            return Err(PasswordError::Config("memory_budget_kib is less than one hash takes"));
        }
        if self.max_wait_ms > MAX_WAIT_MS {
            return Err(PasswordError::Config("max_wait_ms is over a minute"));
        }
        Ok(())
    }
}

impl Default for HasherConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

fn preset(value: Value<'_>) -> Result<Params, PasswordError> {
    let Value::Text(name) = value else { return Err(PasswordError::Config("preset is not a text")) };
    Params::preset(&name.decode()).ok_or(PasswordError::Config("unknown preset"))
}

fn integer(value: Value<'_>) -> Result<u32, PasswordError> {
    let Value::Number(number) = value else { return Err(PasswordError::Config("not an integer")) };
    let integer = number.integer().and_then(|integer| u32::try_from(integer).ok());
    integer.ok_or(PasswordError::Config("an integer is out of range"))
}

fn length(value: Value<'_>) -> Result<usize, PasswordError> {
    usize::try_from(integer(value)?).map_err(|_| PasswordError::Config("an integer is out of range"))
}

fn flag(value: Value<'_>) -> Result<bool, PasswordError> {
    let Value::Bool(flag) = value else { return Err(PasswordError::Config("neither true nor false")) };
    Ok(flag)
}

fn schemes(value: Value<'_>) -> Result<SchemeSet, PasswordError> {
    let Value::Array(names) = value else { return Err(PasswordError::Config("legacy is not a list")) };
    let scheme = |name| {
        let Value::Text(name) = name else { return Err(PasswordError::Config("legacy is no list of names")) };
        Scheme::from_name(&name.decode()).ok_or(PasswordError::Config("unknown legacy scheme"))
    };
    names.iter().map(scheme).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<HasherConfig, PasswordError> {
        HasherConfig::from_json(text.as_bytes())
    }

    #[test]
    fn an_empty_text_and_an_empty_object_are_the_defaults() {
        assert_eq!(read("").unwrap(), HasherConfig::DEFAULT);
        assert_eq!(read("{}").unwrap(), HasherConfig::DEFAULT);
        let spelled_out = r#"{"preset":"default","memory_kib":65536,"time_cost":3,"parallelism":1,"hash_len":32,
            "salt_len":16,"memory_budget_kib":262144,"max_wait_ms":10000,"legacy":[],"allow_weak":false}"#;
        assert_eq!(read(spelled_out).unwrap(), HasherConfig::DEFAULT);
    }

    #[test]
    fn members_override_the_preset_in_any_order() {
        for text in [r#"{"preset":"owasp","time_cost":5}"#, r#"{"time_cost":5,"preset":"owasp"}"#] {
            assert_eq!(read(text).unwrap().params, Params::new(19_456, 5, 1).unwrap());
        }
        let large = read(r#"{"preset":"rfc9106","memory_budget_kib":2097152}"#).unwrap();
        assert_eq!(large.params, Params::RFC9106);
    }

    #[test]
    fn what_is_weak_wrong_or_unknown_is_refused() {
        for text in [
            "[]",
            "x",
            r#"{"memory":65536}"#,
            r#"{"memory_kib":"65536"}"#,
            r#"{"memory_kib":65536.0}"#,
            r#"{"memory_kib":-1}"#,
            r#"{"memory_kib":4294967296}"#,
            r#"{"memory_kib":7168}"#,
            r#"{"memory_kib":7,"allow_weak":true}"#,
            r#"{"memory_kib":2097153,"memory_budget_kib":4194304}"#,
            r#"{"time_cost":0}"#,
            r#"{"time_cost":101}"#,
            r#"{"parallelism":0}"#,
            r#"{"parallelism":17}"#,
            r#"{"salt_len":15}"#,
            r#"{"salt_len":49}"#,
            r#"{"salt_len":7,"allow_weak":true}"#,
            r#"{"hash_len":15}"#,
            r#"{"hash_len":65}"#,
            r#"{"hash_len":11,"allow_weak":true}"#,
            r#"{"memory_budget_kib":65535}"#,
            r#"{"preset":"rfc9106"}"#,
            r#"{"preset":"strong"}"#,
            r#"{"max_wait_ms":60001}"#,
            r#"{"legacy":"bcrypt"}"#,
            r#"{"legacy":["md5"]}"#,
            r#"{"legacy":[1]}"#,
            r#"{"allow_weak":1}"#,
            r#"{"time_cost":3,"time_cost":3}"#,
        ] {
            assert!(matches!(read(text), Err(PasswordError::Config(_))), "{text}");
        }
        let weak = r#"{"memory_kib":8,"time_cost":1,"salt_len":8,"hash_len":12,"allow_weak":true}"#;
        assert!(read(weak).is_ok());
    }
}
