//! What a host says about its proxies.

use alloc::format;
use alloc::vec::Vec;
use core::num::NonZeroU8;

use super::bucket::{DEFAULT_IPV6_PREFIX, MIN_IPV6_PREFIX};
use super::header::Header;
use super::networks::Networks;
use super::proxies::{Proxies, Trust};
use super::{ClientAddressError, Network};
use crate::json::{self, Limits, Value};

/// The most networks that can be trusted.
pub const MAX_TRUSTED: usize = 4096;

/// The most proxies that a request can be said to pass.
pub const MAX_HOPS: u8 = 255;

impl Proxies {
    /// Reads the JSON form, in which every member may be left out or `null`: `{"header":"x-forwarded-for",
    /// "trusted":["10.0.0.0/8","2001:db8::/32"],"hops":0,"ipv6_prefix":64}`. An empty text stands for no header:
    /// the peer alone.
    ///
    /// - `header`: the one that the proxies write: `x-forwarded-for`, `forwarded` or `x-real-ip`.
    /// - `trusted`: the networks that the proxies are in, up to [`MAX_TRUSTED`].
    /// - `hops`: instead, how many proxies a request passes, up to [`MAX_HOPS`], where nothing else reaches the
    ///   host: a peer that is no proxy would be believed too.
    /// - `ipv6_prefix`: how many bits of an IPv6 address are its bucket, 32 to 128.
    ///
    /// # Errors
    /// - [`ClientAddressError::Config`]: not a JSON object; a member that is unknown, of the wrong type or out of
    ///   range; a text that is no network; both `trusted` and `hops`.
    pub fn from_json(text: &[u8]) -> Result<Self, ClientAddressError> {
        let mut proxies = Self::default();
        if text.is_empty() {
            return Ok(proxies);
        }
        let Ok(Value::Object(object)) = json::parse(text, Limits::DOCUMENT) else {
            return Err(ClientAddressError::config("", "not a JSON object"));
        };
        let mut hops = None;
        let mut networks = Networks::default();
        for (name, value) in object.iter().filter(|(_, value)| !matches!(value, Value::Null)) {
            match &*name.decode() {
                "header" => proxies.header = Some(header(value)?),
                "trusted" => networks = trusted(value)?,
                "hops" => hops = NonZeroU8::new(integer("hops", value, 0, MAX_HOPS)?),
                "ipv6_prefix" => proxies.ipv6_prefix = integer("ipv6_prefix", value, MIN_IPV6_PREFIX, 128)?,
                name => return Err(ClientAddressError::config(name, "unknown member")),
            }
        }
        proxies.trust = match hops {
            Some(_) if !networks.is_empty() => {
                return Err(ClientAddressError::config("hops", "given together with trusted"));
            }
            Some(hops) => Trust::Hops(hops),
            None => Trust::Networks(networks),
        };
        Ok(proxies)
    }
}

/// What an empty configuration stands for: the peer alone.
impl Default for Proxies {
    fn default() -> Self {
        Self { header: None, trust: Trust::Networks(Networks::default()), ipv6_prefix: DEFAULT_IPV6_PREFIX }
    }
}

fn header(value: Value<'_>) -> Result<Header, ClientAddressError> {
    let refused = |reason| ClientAddressError::config("header", reason);
    let Value::Text(name) = value else { return Err(refused("not a text")) };
    Header::from_name(&name.decode()).ok_or(refused("not x-forwarded-for, forwarded or x-real-ip"))
}

fn trusted(value: Value<'_>) -> Result<Networks, ClientAddressError> {
    let Value::Array(values) = value else {
        return Err(ClientAddressError::config("trusted", "not a list"));
    };
    let mut networks: Vec<Network> = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let refused = |reason| ClientAddressError::config(format!("trusted[{index}]"), reason);
        if index >= MAX_TRUSTED {
            return Err(refused("too many networks"));
        }
        let Value::Text(text) = value else { return Err(refused("not a text")) };
        networks.push(text.decode().parse().map_err(|error: super::network::NetworkError| refused(error.0))?);
    }
    Ok(networks.into())
}

fn integer(name: &'static str, value: Value<'_>, least: u8, most: u8) -> Result<u8, ClientAddressError> {
    let Value::Number(number) = value else { return Err(ClientAddressError::config(name, "not an integer")) };
    let integer = number.integer().and_then(|integer| u8::try_from(integer).ok());
    let in_range = integer.filter(|integer| (least..=most).contains(integer));
    in_range.ok_or_else(|| ClientAddressError::config(name, "out of range"))
}
