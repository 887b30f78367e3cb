//! What a host says about its sessions.

use core::ops::RangeInclusive;

use super::SessionError;
use super::web::WebConfig;
use crate::json::{self, Limits, Object, Value};
use crate::time::MAX_DURATION_S;
use crate::token::refresh::{DEFAULT_GRACE_MS, MAX_GRACE_MS};

/// The most sign-ins that a user can be allowed at once.
pub const MAX_PER_USER: usize = 64;

/// What happens when a user has as many sign-ins as may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AtLimit {
    EvictOldest,
    Refuse,
}

/// What happens when the client is not the one that logged in; the worse, the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum OnChange {
    Report,
    StepUp,
    Invalidate,
}

/// How long a sign-in lives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lifetime {
    /// Without being used.
    pub(super) idle_ms: i64,
    /// At most.
    pub(super) absolute_ms: i64,
}

#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) session: Lifetime,
    pub(super) family: Lifetime,
    pub(super) touch_interval_ms: i64,
    pub(super) grace_ms: i64,
    pub(super) max_per_user: usize,
    pub(super) at_limit: AtLimit,
    pub(super) on_address: OnChange,
    pub(super) ipv4_prefix: u8,
    pub(super) ipv6_prefix: u8,
    pub(super) on_user_agent: OnChange,
    pub(super) sealed: bool,
}

impl Default for Config {
    fn default() -> Self {
        const HOUR_MS: i64 = 3_600_000;
        Self {
            session: Lifetime { idle_ms: 8 * HOUR_MS, absolute_ms: 24 * HOUR_MS },
            family: Lifetime { idle_ms: 7 * 24 * HOUR_MS, absolute_ms: 30 * 24 * HOUR_MS },
            touch_interval_ms: 60_000,
            grace_ms: DEFAULT_GRACE_MS,
            max_per_user: 5,
            at_limit: AtLimit::EvictOldest,
            on_address: OnChange::Invalidate,
            ipv4_prefix: 24,
            ipv6_prefix: 48,
            on_user_agent: OnChange::Report,
            sealed: false,
        }
    }
}

impl Config {
    pub(super) fn read(text: &[u8]) -> Result<(Self, WebConfig), SessionError> {
        let (mut config, mut web) = (Self::default(), WebConfig::default());
        if text.is_empty() {
            return Ok((config, web));
        }
        let Ok(Value::Object(object)) = json::parse(text, Limits::DOCUMENT) else {
            return Err(SessionError::config("", "not a JSON object"));
        };
        for (name, value) in object.iter() {
            let name = &*name.decode();
            match name {
                "idle_timeout_s" => config.session.idle_ms = duration(name, value)?,
                "absolute_timeout_s" => config.session.absolute_ms = duration(name, value)?,
                "touch_interval_s" => config.touch_interval_ms = duration(name, value)?,
                "family_idle_timeout_s" => config.family.idle_ms = duration(name, value)?,
                "family_lifetime_s" => config.family.absolute_ms = duration(name, value)?,
                "refresh_grace_ms" => config.grace_ms = integer(name, value, 0..=MAX_GRACE_MS)?,
                "max_per_user" => config.max_per_user = integer(name, value, 1..=MAX_PER_USER)?,
                "at_limit" => {
                    let choices = [("evict_oldest", AtLimit::EvictOldest), ("refuse", AtLimit::Refuse)];
                    config.at_limit = choice(name, value, &choices)?;
                }
                "address" => config.read_address(value)?,
                "user_agent" => config.read_user_agent(value)?,
                "sealed" => match value {
                    Value::Bool(sealed) => config.sealed = sealed,
                    _ => return Err(SessionError::config(name, "not true or false")),
                },
                _ if web.read(name, value)? => {}
                _ => return Err(SessionError::config(name, UNKNOWN)),
            }
        }
        config.check()?;
        Ok((config, web))
    }

    fn read_address(&mut self, value: Value<'_>) -> Result<(), SessionError> {
        for (name, value) in members("address", value)?.iter() {
            match &*name.decode() {
                "on_change" => self.on_address = on_change("address.on_change", value)?,
                "ipv4_prefix" => self.ipv4_prefix = integer("address.ipv4_prefix", value, 1..=32)?,
                "ipv6_prefix" => self.ipv6_prefix = integer("address.ipv6_prefix", value, 1..=128)?,
                _ => return Err(SessionError::config("address", UNKNOWN)),
            }
        }
        Ok(())
    }

    fn read_user_agent(&mut self, value: Value<'_>) -> Result<(), SessionError> {
        for (name, value) in members("user_agent", value)?.iter() {
            match &*name.decode() {
                "on_change" => self.on_user_agent = on_change("user_agent.on_change", value)?,
                _ => return Err(SessionError::config("user_agent", UNKNOWN)),
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), SessionError> {
        for (lifetime, name) in [(self.session, "idle_timeout_s"), (self.family, "family_idle_timeout_s")] {
            if lifetime.idle_ms > lifetime.absolute_ms {
                return Err(SessionError::config(name, "longer than the session lives at most"));
            }
        }
        if self.touch_interval_ms > self.session.idle_ms / 2 {
            return Err(SessionError::config("touch_interval_s", "more than half of the idle time-out"));
        }
        Ok(())
    }
}

const UNKNOWN: &str = "a member is not known";

fn members<'a>(path: &str, value: Value<'a>) -> Result<Object<'a>, SessionError> {
    let Value::Object(object) = value else { return Err(SessionError::config(path, "not an object")) };
    Ok(object)
}

/// A duration in seconds, in milliseconds.
fn duration(path: &str, value: Value<'_>) -> Result<i64, SessionError> {
    integer(path, value, 1..=MAX_DURATION_S).map(|seconds: i64| seconds.saturating_mul(1000))
}

fn integer<T: TryFrom<i64> + PartialOrd>(
    path: &str,
    value: Value<'_>,
    range: RangeInclusive<T>,
) -> Result<T, SessionError> {
    let Value::Number(number) = value else { return Err(SessionError::config(path, "not an integer")) };
    let integer = number.integer().and_then(|integer| T::try_from(integer).ok());
    let integer = integer.filter(|integer| range.contains(integer));
    integer.ok_or_else(|| SessionError::config(path, "out of range"))
}

fn on_change(path: &str, value: Value<'_>) -> Result<OnChange, SessionError> {
    let choices =
        [("report", OnChange::Report), ("step_up", OnChange::StepUp), ("invalidate", OnChange::Invalidate)];
    choice(path, value, &choices)
}

fn choice<T: Copy>(path: &str, value: Value<'_>, choices: &[(&str, T)]) -> Result<T, SessionError> {
    let chosen = match value {
        Value::Text(text) => choices.iter().find(|(name, _)| text == **name),
        _ => None,
    };
    chosen.map(|(_, choice)| *choice).ok_or_else(|| SessionError::config(path, "not one of its choices"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (alloc::string::String, &'static str) {
        match Config::read(text.as_bytes()).err() {
            Some(SessionError::Config { path, reason }) => (path, reason),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn the_defaults_are_those_of_an_empty_object() {
        for text in ["", "{}"] {
            let (config, _) = Config::read(text.as_bytes()).unwrap();
            assert_eq!((config.session.idle_ms, config.session.absolute_ms), (28_800_000, 86_400_000));
            assert_eq!((config.family.idle_ms, config.family.absolute_ms), (604_800_000, 2_592_000_000));
            assert_eq!((config.touch_interval_ms, config.grace_ms, config.max_per_user), (60_000, 10_000, 5));
            assert_eq!((config.ipv4_prefix, config.ipv6_prefix, config.sealed), (24, 48, false));
            assert_eq!((config.on_address, config.on_user_agent), (OnChange::Invalidate, OnChange::Report));
        }
    }

    #[test]
    fn every_member_is_read() {
        let text = br#"{"idle_timeout_s":2,"absolute_timeout_s":3,"touch_interval_s":1,"max_per_user":64,
            "at_limit":"refuse","address":{"on_change":"step_up","ipv4_prefix":32,"ipv6_prefix":128},
            "user_agent":{"on_change":"invalidate"},"family_lifetime_s":5,"family_idle_timeout_s":4,
            "refresh_grace_ms":0,"sealed":true,"cookie":{},"csrf_token":"not_required","trusted_origins":[]}"#;
        let (config, _) = Config::read(text).unwrap();
        assert_eq!((config.session.idle_ms, config.session.absolute_ms), (2000, 3000));
        assert_eq!((config.family.idle_ms, config.family.absolute_ms), (4000, 5000));
        assert_eq!((config.touch_interval_ms, config.grace_ms, config.max_per_user), (1000, 0, 64));
        assert_eq!((config.ipv4_prefix, config.ipv6_prefix, config.sealed), (32, 128, true));
        assert_eq!((config.on_address, config.on_user_agent), (OnChange::StepUp, OnChange::Invalidate));
        assert_eq!(config.at_limit, AtLimit::Refuse);
    }

    #[test]
    fn what_could_not_be_kept_is_refused_and_where() {
        for (text, path) in [
            ("[]", ""),
            ("{", ""),
            (r#"{"max_per_user":1,"max_per_user":1}"#, ""),
            (r#"{"idle_timeout":1}"#, "idle_timeout"),
            (r#"{"idle_timeout_s":0}"#, "idle_timeout_s"),
            (r#"{"idle_timeout_s":null}"#, "idle_timeout_s"),
            (r#"{"idle_timeout_s":86401}"#, "idle_timeout_s"),
            (r#"{"absolute_timeout_s":3155760001}"#, "absolute_timeout_s"),
            (r#"{"touch_interval_s":14401}"#, "touch_interval_s"),
            (r#"{"idle_timeout_s":1,"touch_interval_s":1}"#, "touch_interval_s"),
            (r#"{"family_lifetime_s":604799}"#, "family_idle_timeout_s"),
            (r#"{"refresh_grace_ms":-1}"#, "refresh_grace_ms"),
            (r#"{"refresh_grace_ms":300001}"#, "refresh_grace_ms"),
            (r#"{"max_per_user":0}"#, "max_per_user"),
            (r#"{"max_per_user":65}"#, "max_per_user"),
            (r#"{"max_per_user":5.0}"#, "max_per_user"),
            (r#"{"at_limit":"evict"}"#, "at_limit"),
            (r#"{"at_limit":1}"#, "at_limit"),
            (r#"{"sealed":1}"#, "sealed"),
            (r#"{"address":"report"}"#, "address"),
            (r#"{"address":{"onchange":"report"}}"#, "address"),
            (r#"{"address":{"on_change":"ignore"}}"#, "address.on_change"),
            (r#"{"address":{"ipv4_prefix":0}}"#, "address.ipv4_prefix"),
            (r#"{"address":{"ipv4_prefix":33}}"#, "address.ipv4_prefix"),
            (r#"{"address":{"ipv6_prefix":129}}"#, "address.ipv6_prefix"),
            (r#"{"user_agent":{"on_change":null}}"#, "user_agent.on_change"),
            (r#"{"user_agent":{"x":1}}"#, "user_agent"),
            (r#"{"user_agent":1}"#, "user_agent"),
            (r#"{"csrf_token":"maybe"}"#, "csrf_token"),
        ] {
            assert_eq!(refused(text).0, path, "{text}");
        }
    }
}
