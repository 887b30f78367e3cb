//! Whether a request comes from a page of another site, by what the browser says about it.
//!
//! `Sec-Fetch-Site` (W3C Fetch Metadata) where the browser sends it, which all do since 2023; else `Origin`
//! (RFC 6454 §7) against `Host`. No page can set any of the three. A client that sends neither is no browser, and
//! nobody's cookies ride on its requests.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::net::Ipv6Addr;

use super::SessionError;
use crate::json::Value;

/// The most origins that can be trusted.
pub const MAX_TRUSTED_ORIGINS: usize = 64;

/// The longest origin, in bytes.
pub const MAX_ORIGIN_LEN: usize = 512;

/// What a request says about where it comes from. A header that was not sent is empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// The method, as it was sent.
    pub method: &'a [u8],
    /// `Sec-Fetch-Site`.
    pub sec_fetch_site: &'a [u8],
    /// `Origin`.
    pub origin: &'a [u8],
    /// `Host`, or `:authority`: the one that the browser asked for.
    pub host: &'a [u8],
}

impl Request<'_> {
    /// Whether the method promises to change nothing (RFC 9110 §9.2.1). Methods are in upper case, all else is
    /// another method.
    pub(super) fn is_safe(&self) -> bool {
        matches!(self.method, b"GET" | b"HEAD" | b"OPTIONS")
    }
}

/// Origins whose pages may send what those of the service's own may.
#[derive(Debug, Clone, Default)]
pub(super) struct TrustedOrigins(
    // INVARIANT: each as browsers write it.
    Vec<Box<[u8]>>,
);

impl TrustedOrigins {
    pub(super) fn from_json(value: Value<'_>) -> Result<Self, SessionError> {
        const MEMBER: &str = "trusted_origins";
        let Value::Array(values) = value else { return Err(SessionError::config(MEMBER, "not a list")) };
        let mut origins = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let refused = |reason| SessionError::config(format!("{MEMBER}[{index}]"), reason);
            if index >= MAX_TRUSTED_ORIGINS {
                return Err(refused("too many origins"));
            }
            let Value::Text(text) = value else { return Err(refused("not a text")) };
            let text = text.decode();
            check_trusted(text.as_bytes()).map_err(refused)?;
            origins.push(text.as_bytes().into());
        }
        Ok(Self(origins))
    }

    /// Whether a request that may change something comes from a page of another site, which is not trusted.
    pub(super) fn is_cross_site(&self, request: &Request<'_>) -> bool {
        let is_own = match (request.sec_fetch_site, request.origin) {
            (b"same-origin" | b"none", _) | (b"", b"") => true,
            // `Host` says no scheme, so a page of the same host over HTTP passes here: in browsers from before
            // 2023, and where HSTS does not keep them off it.
            (b"", origin) => {
                Origin::parse(origin).is_some_and(|origin| origin.host.eq_ignore_ascii_case(request.host))
            }
            _ => false,
        };
        !is_own && !self.0.iter().any(|trusted| **trusted == *request.origin)
    }
}

/// `scheme://host[:port]`: what RFC 6454 §6.2 gives for an origin that is not opaque.
struct Origin<'a> {
    scheme: &'a str,
    /// With its port.
    host: &'a [u8],
    port: Option<u16>,
}

impl<'a> Origin<'a> {
    /// `None` for `null`, and for what has user information, a path, a query, a wildcard or a host that is none.
    fn parse(text: &'a [u8]) -> Option<Self> {
        if text.len() > MAX_ORIGIN_LEN {
            return None;
        }
        let (scheme, host) = str::from_utf8(text).ok()?.split_once("://")?;
        let (name, port) = match host.strip_prefix('[') {
            Some(bracketed) => {
                let (address, rest) = bracketed.split_once(']')?;
                address.parse::<Ipv6Addr>().ok()?;
                (None, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
            }
            None => match host.split_once(':') {
                Some((name, port)) => (Some(name), Some(port)),
                None => (Some(host), None),
            },
        };
        if !is_scheme(scheme) || !name.is_none_or(is_name) {
            return None;
        }
        let port = match port {
            Some(port) => Some(read_port(port)?),
            None => None,
        };
        Some(Self { scheme, host: host.as_bytes(), port })
    }
}

/// Whether an entry can be an `Origin` that a browser sends; one that never comes would trust nobody.
fn check_trusted(text: &[u8]) -> Result<(), &'static str> {
    let origin = Origin::parse(text).ok_or("not an origin: scheme://host, or scheme://host:port")?;
    if text.iter().any(u8::is_ascii_uppercase) {
        return Err("an origin is in lower case");
    }
    if matches!((origin.scheme, origin.port), ("http", Some(80)) | ("https", Some(443))) {
        return Err("browsers leave out the port that is the scheme's own");
    }
    Ok(())
}

/// RFC 3986 §3.1: `scheme`.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// A domain name or an IPv4 address.
fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    text.split('.').all(|label| !label.is_empty() && label.bytes().all(is_letter))
}

/// A port as browsers write it: no leading zero.
fn read_port(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{self, Limits};

    fn trusted(json: &str) -> Result<TrustedOrigins, SessionError> {
        TrustedOrigins::from_json(json::parse(json.as_bytes(), Limits::DOCUMENT).unwrap())
    }

    fn is_cross_site(site: &str, origin: &str, host: &str) -> bool {
        let request = Request {
            method: b"POST",
            sec_fetch_site: site.as_bytes(),
            origin: origin.as_bytes(),
            host: host.as_bytes(),
        };
        trusted(r#"["https://app.example.com","http://localhost:3000","https://[2001:db8::1]:8443"]"#)
            .unwrap()
            .is_cross_site(&request)
    }

    #[test]
    fn methods_are_safe_in_upper_case_alone() {
        let is_safe = |method: &str| Request { method: method.as_bytes(), ..Request::default() }.is_safe();
        assert!(["GET", "HEAD", "OPTIONS"].into_iter().all(is_safe));
        let unsafe_ones =
            ["", "get", "Get", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "GET ", "GET\0"];
        assert!(!unsafe_ones.into_iter().any(is_safe));
    }

    #[test]
    fn what_the_browser_says_of_the_site_decides() {
        for site in ["same-origin", "none"] {
            assert!(!is_cross_site(site, "https://evil.example", "a.example"), "{site}");
        }
        for site in
            ["same-site", "cross-site", "Same-Origin", "NONE", "same-origin ", "same-origin, none", "x"]
        {
            assert!(is_cross_site(site, "https://a.example", "a.example"), "{site}");
            assert!(is_cross_site(site, "", "a.example"), "{site}");
            assert!(!is_cross_site(site, "https://app.example.com", "a.example"), "{site}");
        }
    }

    #[test]
    fn without_it_the_origin_is_held_against_the_host() {
        for (origin, host) in [
            ("", "a.example"),
            ("", ""),
            ("https://a.example", "a.example"),
            ("https://A.Example", "a.eXAMPLE"),
            ("http://a.example:8080", "a.example:8080"),
            ("http://127.0.0.1:8000", "127.0.0.1:8000"),
            ("http://[::1]:8000", "[::1]:8000"),
            ("http://[2001:DB8::1]", "[2001:db8::1]"),
            ("http://localhost:3000", "api.example"),
            ("https://[2001:db8::1]:8443", "api.example"),
        ] {
            assert!(!is_cross_site("", origin, host), "{origin} {host}");
        }
        for (origin, host) in [
            ("null", "null"),
            ("null", ""),
            ("https://", ""),
            ("https://evil.example", "a.example"),
            ("https://a.example.evil.example", "a.example"),
            ("https://evil-a.example", "a.example"),
            ("https://a.example", ""),
            ("https://a.example:8443", "a.example"),
            ("https://a.example", "a.example:8443"),
            ("https://a.example.", "a.example."),
            ("https://a.example/", "a.example/"),
            ("https://a.example/", "a.example"),
            ("https://a.example?", "a.example?"),
            ("https://a.example#", "a.example#"),
            ("https://a.example@evil.example", "evil.example"),
            ("https://user@a.example", "a.example"),
            ("https://user@a.example", "user@a.example"),
            ("https://user:pw@a.example", "user:pw@a.example"),
            ("https://*.example", "*.example"),
            ("https://a.example:", "a.example:"),
            ("https://a.example:0", "a.example:0"),
            ("https://a.example:080", "a.example:080"),
            ("https://a.example:+80", "a.example:+80"),
            ("https://a.example:65536", "a.example:65536"),
            ("https://a.example:80:80", "a.example:80:80"),
            ("https://[::1", "[::1"),
            ("https://[::1]8", "[::1]8"),
            ("https://[::1]:", "[::1]:"),
            ("https://[::1%25eth0]", "[::1%25eth0]"),
            ("https://[a.example]", "[a.example]"),
            ("https://::1", "::1"),
            ("https://é.example", "é.example"),
            ("https://a.example\0", "a.example\0"),
            ("https://a.example, https://b.example", "a.example, https://b.example"),
            ("https://a.example https://b.example", "a.example https://b.example"),
            ("//a.example", "a.example"),
            ("://a.example", "a.example"),
            ("1://a.example", "a.example"),
            ("ht tp://a.example", "a.example"),
            ("https:a.example", "a.example"),
            ("a.example", "a.example"),
            (" https://a.example", "a.example"),
            ("HTTPS://APP.EXAMPLE.COM", "api.example"),
            ("https://app.example.com:443", "api.example"),
            ("http://app.example.com", "api.example"),
        ] {
            assert!(is_cross_site("", origin, host), "{origin:?} {host:?}");
        }
    }

    #[test]
    fn an_origin_that_no_browser_sends_is_refused_when_it_is_configured() {
        for good in [
            "[]",
            r#"["https://a.example"]"#,
            r#"["http://a.example:8080","capacitor://localhost"]"#,
            r#"["https://[::1]:8443","https://a.example:80","http://a_b.example"]"#,
        ] {
            assert!(trusted(good).is_ok(), "{good}");
        }
        for (bad, path) in [
            (r#""https://a.example""#, "trusted_origins"),
            ("{}", "trusted_origins"),
            ("[1]", "trusted_origins[0]"),
            ("[null]", "trusted_origins[0]"),
            (r#"["null"]"#, "trusted_origins[0]"),
            (r#"["*"]"#, "trusted_origins[0]"),
            (r#"["https://a.example","https://*.example"]"#, "trusted_origins[1]"),
            (r#"["https://a.example/"]"#, "trusted_origins[0]"),
            (r#"["https://a.example/path"]"#, "trusted_origins[0]"),
            (r#"["https://A.example"]"#, "trusted_origins[0]"),
            (r#"["HTTPS://a.example"]"#, "trusted_origins[0]"),
            (r#"["https://[2001:DB8::1]"]"#, "trusted_origins[0]"),
            (r#"["https://a.example:443"]"#, "trusted_origins[0]"),
            (r#"["http://a.example:80"]"#, "trusted_origins[0]"),
            (r#"["https://user@a.example"]"#, "trusted_origins[0]"),
            (r#"["https://a.example\u0000"]"#, "trusted_origins[0]"),
            (r#"["https://a.example\r\n"]"#, "trusted_origins[0]"),
            (r#"[""]"#, "trusted_origins[0]"),
        ] {
            match trusted(bad) {
                Err(SessionError::Config { path: found, .. }) => assert_eq!(found, path, "{bad}"),
                other => panic!("{bad}: {other:?}"),
            }
        }
        let many = |count: usize| format!("[{}]", alloc::vec![r#""https://a.example""#; count].join(","));
        assert!(trusted(&many(MAX_TRUSTED_ORIGINS)).is_ok());
        assert!(trusted(&many(MAX_TRUSTED_ORIGINS + 1)).is_err());
        let long = |len: usize| format!(r#"["https://{}"]"#, "a".repeat(len - 8));
        assert!(trusted(&long(MAX_ORIGIN_LEN)).is_ok());
        assert!(trusted(&long(MAX_ORIGIN_LEN + 1)).is_err());
    }
}
