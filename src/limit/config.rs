//! Limits from a configuration.

use alloc::string::String;

use super::error::LimitError;
use super::limits::Limits;
use super::one::{Algorithm, Limit};
use super::profiles;
use super::spec;
use crate::json::{self, Limits as Bounds, Object, Value};

impl Limits {
    /// Limits by JSON:
    ///
    /// - `{"limits":"10/second; 100/hour","algorithm":"gcra","burst":20}`: the algorithm is `gcra` unless it
    ///   says otherwise; a burst is of a single limit, and is its amount unless it says otherwise;
    /// - `{"lockout":{"attempts":5,"lock_s":900,"growth":1,"max_lock_s":86400}}`: any member left out is so;
    /// - `{"profile":"session-cluster/session_create"}`: see [`profiles()`](super::profiles()).
    ///
    /// # Errors
    /// - [`LimitError::Spec`], [`LimitError::Config`].
    pub fn from_json(text: &[u8]) -> Result<Self, LimitError> {
        let Ok(Value::Object(object)) = json::parse(text, Bounds::DOCUMENT) else {
            return Err(LimitError::Config("not a JSON object"));
        };
        match (object.get("limits"), object.get("lockout"), object.get("profile")) {
            (Some(limits), None, None) => of_spec(&text_of(limits)?, object),
            (None, Some(Value::Object(lockout)), None) => only(object).and_then(|()| of_lockout(lockout)),
            (None, None, Some(profile)) => only(object).and_then(|()| profiles::named(&text_of(profile)?)),
            _ => Err(LimitError::Config("one of `limits`, `lockout` (an object) and `profile` is wanted")),
        }
    }
}

fn of_spec(text: &str, object: Object<'_>) -> Result<Limits, LimitError> {
    let (mut algorithm, mut burst) = (Algorithm::Gcra, None);
    for (name, value) in object.iter() {
        match &*name.decode() {
            "limits" => {}
            "algorithm" => {
                algorithm = Algorithm::from_name(&text_of(value)?)
                    .ok_or(LimitError::Config("the algorithm is not known"))?;
            }
            "burst" => burst = if matches!(value, Value::Null) { None } else { Some(integer(value)?) },
            _ => return Err(LimitError::Config("a member is not known")),
        }
    }
    let items = spec::parse(text)?;
    if burst.is_some() && items.len() > 1 {
        return Err(LimitError::Config("a burst is of a single limit"));
    }
    let limit = |item: spec::Item| Limit::new(algorithm, item.amount, item.period_s, burst);
    Limits::new(items.into_iter().map(limit).collect::<Result<_, _>>()?)
}

fn of_lockout(object: Object<'_>) -> Result<Limits, LimitError> {
    let (mut attempts, mut lock_s, mut growth, mut max_lock_s) = (5, 15 * 60, 1, None);
    for (name, value) in object.iter() {
        match &*name.decode() {
            "attempts" => attempts = integer(value)?,
            "lock_s" => lock_s = integer(value)?,
            "growth" => growth = integer(value)?,
            "max_lock_s" => max_lock_s = Some(integer(value)?),
            _ => return Err(LimitError::Config("a member of `lockout` is not known")),
        }
    }
    let max_lock_s = max_lock_s.unwrap_or_else(|| lock_s.max(24 * 60 * 60));
    Limits::new([Limit::lockout(attempts, lock_s, growth, max_lock_s)?].into())
}

fn only(object: Object<'_>) -> Result<(), LimitError> {
    let is_alone = object.iter().count() == 1;
    is_alone.then_some(()).ok_or(LimitError::Config("a member is not known"))
}

fn text_of(value: Value<'_>) -> Result<String, LimitError> {
    let Value::Text(text) = value else { return Err(LimitError::Config("not a text")) };
    Ok(text.decode().into_owned())
}

fn integer(value: Value<'_>) -> Result<u32, LimitError> {
    let Value::Number(number) = value else { return Err(LimitError::Config("not an integer")) };
    let integer = number.integer().and_then(|integer| u32::try_from(integer).ok());
    integer.ok_or(LimitError::Config("an integer is out of range"))
}
