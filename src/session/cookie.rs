//! The session's cookie: `Set-Cookie` as RFC 6265bis would have it, and the `Cookie` header that comes back.
//!
//! The name says what a browser holds a cookie to: `__Host-…` is set over HTTPS by the very host that reads it,
//! and no sibling domain can plant another; `__Secure-…` is set over HTTPS. Other names are for development over
//! HTTP, and have to be asked for.

use alloc::format;
use alloc::string::String;

use super::SessionError;
use crate::json::{Object, Value, write_integer};

/// The longest name of a cookie, in bytes.
pub const MAX_COOKIE_NAME_LEN: usize = 64;

/// The longest path of a cookie, in bytes.
pub const MAX_COOKIE_PATH_LEN: usize = 255;

/// The longest domain of a cookie, in bytes (RFC 1035 §2.3.4).
pub const MAX_COOKIE_DOMAIN_LEN: usize = 253;

/// The longest `Set-Cookie`, in bytes.
pub const MAX_SET_COOKIE_LEN: usize = 1024;

/// The longest `Cookie` header that is read, in bytes.
pub const MAX_COOKIE_HEADER_LEN: usize = 16 * 1024;

const HOST_PREFIX: &str = "__Host-";
const SECURE_PREFIX: &str = "__Secure-";
/// Of cookies that no script may read: the one with the CSRF token could not be named so.
const HTTP_PREFIX: &str = "__Host-Http-";

/// On which requests from other sites a browser sends the cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SameSite {
    Lax,
    Strict,
    None,
}

impl SameSite {
    const ALL: [Self; 3] = [Self::Lax, Self::Strict, Self::None];

    /// In lower case.
    const fn name(self) -> &'static str {
        match self {
            Self::Lax => "lax",
            Self::Strict => "strict",
            Self::None => "none",
        }
    }

    const fn attribute(self) -> &'static str {
        match self {
            Self::Lax => "; SameSite=Lax",
            Self::Strict => "; SameSite=Strict",
            Self::None => "; SameSite=None",
        }
    }
}

/// How the cookie is set.
#[derive(Debug, Clone)]
pub(super) struct Cookie {
    // INVARIANT: together as `check` wants them, so that nothing in a header comes out of place.
    name: String,
    same_site: SameSite,
    domain: Option<String>,
    path: String,
    is_persistent: bool,
    is_insecure: bool,
}

/// `__Host-session; Path=/; Secure; HttpOnly; SameSite=Lax`, for as long as the session may last.
impl Default for Cookie {
    fn default() -> Self {
        Self {
            name: format!("{HOST_PREFIX}session"),
            same_site: SameSite::Lax,
            domain: None,
            path: "/".into(),
            is_persistent: true,
            is_insecure: false,
        }
    }
}

impl Cookie {
    /// Reads the member `cookie` of a configuration.
    ///
    /// # Errors
    /// - [`SessionError::Config`]: a member that is unknown or of the wrong type; a text that would not stay in
    ///   its place in a header; attributes that browsers refuse together.
    pub(super) fn from_json(object: Object<'_>) -> Result<Self, SessionError> {
        let mut cookie = Self::default();
        for (name, value) in object.iter() {
            match (&*name.decode(), value) {
                ("name", Value::Text(text)) => cookie.name = text.decode().into_owned(),
                ("same_site", Value::Text(text)) => {
                    let found = SameSite::ALL.into_iter().find(|same_site| text == *same_site.name());
                    cookie.same_site =
                        found.ok_or_else(|| refused("same_site", "not lax, strict or none"))?;
                }
                ("domain", Value::Null) => cookie.domain = None,
                ("domain", Value::Text(text)) => cookie.domain = Some(text.decode().into_owned()),
                ("path", Value::Text(text)) => cookie.path = text.decode().into_owned(),
                ("persistent", Value::Bool(is_persistent)) => cookie.is_persistent = is_persistent,
                ("insecure", Value::Bool(is_insecure)) => cookie.is_insecure = is_insecure,
                (name @ ("name" | "same_site" | "domain" | "path"), _) => {
                    return Err(refused(name, "not a text"));
                }
                (name @ ("persistent" | "insecure"), _) => return Err(refused(name, "not true or false")),
                (name, _) => return Err(refused(name, "unknown member")),
            }
        }
        cookie.check()?;
        Ok(cookie)
    }

    fn check(&self) -> Result<(), SessionError> {
        let name = self.name.as_str();
        if !is_token(name) || name.len() > MAX_COOKIE_NAME_LEN {
            return Err(refused("name", "not a cookie's name, or over 64 bytes"));
        }
        if !is_path(&self.path) {
            return Err(refused("path", "not a path, or over 255 bytes"));
        }
        if !self.domain.as_deref().is_none_or(is_domain) {
            return Err(refused("domain", "not a domain name"));
        }
        let is_of_host = has_more(name, HOST_PREFIX) && !starts_with(name, HTTP_PREFIX);
        // Browsers know prefixes in any case, and others that begin alike.
        if starts_with(name, "__") && !is_of_host && !has_more(name, SECURE_PREFIX) {
            return Err(refused("name", "names that begin with __ are __Host-… or __Secure-…"));
        }
        if starts_with(name, "__") == self.is_insecure {
            return Err(refused("name", "__Host-… or __Secure-…, or neither and insecure"));
        }
        if is_of_host && self.path != "/" {
            return Err(refused("path", "a cookie whose name begins with __Host- has the path /"));
        }
        if is_of_host && self.domain.is_some() {
            return Err(refused("domain", "a cookie whose name begins with __Host- has no domain"));
        }
        if self.same_site == SameSite::None && self.is_insecure {
            return Err(refused("same_site", "none wants a secure cookie"));
        }
        Ok(())
    }

    /// The `Set-Cookie` that carries a session id; without one, it clears the cookie.
    pub(super) fn session(&self, id: Option<&str>, lifetime_s: i64) -> String {
        self.set("", id, lifetime_s, "; HttpOnly")
    }

    /// The `Set-Cookie` that carries a CSRF token to the page's scripts; without one, it clears the cookie.
    pub(super) fn csrf(&self, token: Option<&str>, lifetime_s: i64) -> String {
        self.set("-csrf", token, lifetime_s, "")
    }

    fn set(&self, suffix: &str, value: Option<&str>, lifetime_s: i64, http_only: &str) -> String {
        let Self { name, path, .. } = self;
        let mut header = format!("{name}{suffix}={}; Path={path}", value.unwrap_or_default());
        if let Some(domain) = &self.domain {
            header.push_str("; Domain=");
            header.push_str(domain);
        }
        if self.is_persistent || value.is_none() {
            header.push_str("; Max-Age=");
            write_integer(value.map_or(0, |_| lifetime_s), &mut header);
        }
        if !self.is_insecure {
            header.push_str("; Secure");
        }
        header.push_str(http_only);
        header.push_str(self.same_site.attribute());
        header
    }

    /// The value of the session's cookie in a `Cookie` header (RFC 6265 §4.2.1); `None` if it is not there. Names
    /// are compared byte by byte; quotes belong to the value.
    ///
    /// # Errors
    /// - [`SessionError::TooLarge`]: a header over [`MAX_COOKIE_HEADER_LEN`].
    /// - [`SessionError::InvalidSession`]: the cookie is there twice. One of them was planted, from a sibling
    ///   domain or another path, and nobody can say which.
    pub(super) fn find<'a>(&self, header: &'a [u8]) -> Result<Option<&'a [u8]>, SessionError> {
        if header.len() > MAX_COOKIE_HEADER_LEN {
            return Err(SessionError::TooLarge);
        }
        let value = |pair: &'a [u8]| trim(pair).strip_prefix(self.name.as_bytes())?.strip_prefix(b"=");
        let mut found = header.split(|byte| *byte == b';').filter_map(value);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(SessionError::InvalidSession),
            (found, None) => Ok(found),
        }
    }
}

fn refused(member: &str, reason: &'static str) -> SessionError {
    SessionError::config(format!("cookie.{member}"), reason)
}

fn starts_with(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Whether a name is a prefix, spelt as it should be, and something after it.
fn has_more(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty())
}

/// RFC 9110 §5.6.2: `token`.
fn is_token(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_letter)
}

/// RFC 6265 §4.1.1: `path-value`, without blanks.
fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && text.len() <= MAX_COOKIE_PATH_LEN
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';')
}

/// RFC 1034 §3.5: `subdomain`, and no IPv4 address, which has no domain.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        matches!(label.len(), 1..=63)
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= MAX_COOKIE_DOMAIN_LEN
        && text.split('.').all(is_label)
        && !text.rsplit('.').next().is_none_or(is_number)
}

/// RFC 9110 §5.6.3: without `OWS` at either end.
fn trim(text: &[u8]) -> &[u8] {
    let mut text = text;
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{self, Limits};

    fn cookie(json: &str) -> Result<Cookie, SessionError> {
        let Value::Object(object) = json::parse(json.as_bytes(), Limits::DOCUMENT).unwrap() else { panic!() };
        Cookie::from_json(object)
    }

    fn refusal(json: &str) -> String {
        match cookie(json) {
            Err(SessionError::Config { path, .. }) => path,
            other => panic!("{json}: {other:?}"),
        }
    }

    #[test]
    fn a_cookie_is_set_and_cleared_with_the_same_attributes() {
        let default = cookie("{}").unwrap();
        assert_eq!(
            default.session(Some("id"), 86_400),
            "__Host-session=id; Path=/; Max-Age=86400; Secure; HttpOnly; SameSite=Lax"
        );
        assert_eq!(
            default.session(None, 86_400),
            "__Host-session=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"
        );
        assert_eq!(
            default.csrf(Some("token"), 60),
            "__Host-session-csrf=token; Path=/; Max-Age=60; Secure; SameSite=Lax"
        );
        assert_eq!(default.csrf(None, 60), "__Host-session-csrf=; Path=/; Max-Age=0; Secure; SameSite=Lax");

        let of_domain = r#"{"name":"__Secure-s","domain":"example.com","path":"/app","same_site":"none","persistent":false}"#;
        assert_eq!(
            cookie(of_domain).unwrap().session(Some("id"), 60),
            "__Secure-s=id; Path=/app; Domain=example.com; Secure; HttpOnly; SameSite=None"
        );
        assert_eq!(
            cookie(of_domain).unwrap().session(None, 60),
            "__Secure-s=; Path=/app; Domain=example.com; Max-Age=0; Secure; HttpOnly; SameSite=None"
        );
        let insecure = r#"{"name":"session","insecure":true,"same_site":"strict","domain":null}"#;
        assert_eq!(
            cookie(insecure).unwrap().session(Some("id"), 60),
            "session=id; Path=/; Max-Age=60; HttpOnly; SameSite=Strict"
        );
    }

    #[test]
    fn a_configuration_that_browsers_refuse_is_refused() {
        for (json, path) in [
            (r#"{"nome":"a"}"#, "cookie.nome"),
            (r#"{"name":1}"#, "cookie.name"),
            (r#"{"name":null}"#, "cookie.name"),
            (r#"{"same_site":"Lax"}"#, "cookie.same_site"),
            (r#"{"same_site":true}"#, "cookie.same_site"),
            (r#"{"domain":1}"#, "cookie.domain"),
            (r#"{"path":null}"#, "cookie.path"),
            (r#"{"persistent":"yes"}"#, "cookie.persistent"),
            (r#"{"insecure":1}"#, "cookie.insecure"),
            // Secure by its name, or insecure by request.
            (r#"{"name":"session"}"#, "cookie.name"),
            (r#"{"insecure":true}"#, "cookie.name"),
            (r#"{"name":"__Secure-s","insecure":true}"#, "cookie.name"),
            (r#"{"name":"s","insecure":true,"same_site":"none"}"#, "cookie.same_site"),
            // Prefixes.
            (r#"{"name":"__Host-"}"#, "cookie.name"),
            (r#"{"name":"__Secure-"}"#, "cookie.name"),
            (r#"{"name":"__host-s"}"#, "cookie.name"),
            (r#"{"name":"__SECURE-s"}"#, "cookie.name"),
            (r#"{"name":"__Http-s"}"#, "cookie.name"),
            (r#"{"name":"__Host-Http-s"}"#, "cookie.name"),
            (r#"{"name":"__Host-HTTP-s"}"#, "cookie.name"),
            (r#"{"name":"__s","insecure":true}"#, "cookie.name"),
            (r#"{"domain":"example.com"}"#, "cookie.domain"),
            (r#"{"path":"/app"}"#, "cookie.path"),
        ] {
            assert_eq!(refusal(json), path, "{json}");
        }
    }

    #[test]
    fn nothing_leaves_its_place_in_the_header() {
        for bad in
            ["", " ", "a b", "a;b", "a=b", "a,b", "a\\r\\nb", "a\\u0000", "a\\t", "é", "\\u007f", "a\\\"b"]
        {
            assert_eq!(refusal(&format!(r#"{{"name":"__Host-x{bad} "}}"#)), "cookie.name", "{bad}");
            assert_eq!(refusal(&format!(r#"{{"name":"{bad}","insecure":true}}"#)), "cookie.name", "{bad}");
            assert_eq!(
                refusal(&format!(r#"{{"name":"__Secure-s","path":"/ {bad}"}}"#)),
                "cookie.path",
                "{bad}"
            );
            let domain = format!(r#"{{"name":"__Secure-s","domain":"{bad}"}}"#);
            assert_eq!(refusal(&domain), "cookie.domain", "{bad}");
        }
        for bad in ["", "app", "/;", "/a; Domain=evil.example", "/\\r\\nSet-Cookie: a=b", "/\\u0000", "/é"] {
            assert_eq!(
                refusal(&format!(r#"{{"name":"__Secure-s","path":"{bad}"}}"#)),
                "cookie.path",
                "{bad}"
            );
        }
        for bad in [
            ".example.com",
            "example.com.",
            "a..b",
            "-a.b",
            "a-.b",
            "a_b.c",
            "192.0.2.1",
            "[::1]",
            "a:80",
            "*.a",
        ] {
            let domain = format!(r#"{{"name":"__Secure-s","domain":"{bad}"}}"#);
            assert_eq!(refusal(&domain), "cookie.domain", "{bad}");
        }
    }

    #[test]
    fn names_paths_and_domains_are_as_long_as_they_may_be_and_no_longer() {
        let of = |name: usize, path: usize, domain: &str| {
            let (name, path) = ("s".repeat(name - 9), "p".repeat(path - 1));
            cookie(&format!(r#"{{"name":"__Secure-{name}","path":"/{path}","domain":"{domain}"}}"#))
        };
        let labels = |last: usize| format!("{0}.{0}.{0}.{1}", "a".repeat(63), "a".repeat(last));
        let longest = of(MAX_COOKIE_NAME_LEN, MAX_COOKIE_PATH_LEN, &labels(61)).unwrap();
        let value = "A".repeat(64);
        assert!(longest.csrf(Some(&value), i64::MAX).len() <= MAX_SET_COOKIE_LEN);
        assert!(longest.session(Some(&value), i64::MAX).len() <= MAX_SET_COOKIE_LEN);
        assert!(of(MAX_COOKIE_NAME_LEN + 1, 1, "a").is_err());
        assert!(of(10, MAX_COOKIE_PATH_LEN + 1, "a").is_err());
        assert!(of(10, 1, &labels(62)).is_err());
        assert!(of(10, 1, &"a".repeat(64)).is_err());
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let cookie = Cookie::default();
        let find = |header: &'static str| cookie.find(header.as_bytes());
        for (header, value) in [
            ("", None),
            (";", None),
            ("a=b", None),
            ("__Host-session", None),
            ("x__Host-session=1", None),
            ("__Host-session-csrf=1", None),
            ("__host-session=1", None),
            ("__Host-session =1", None),
            ("a=__Host-session=1", None),
            ("a=b, __Host-session=1", None),
            ("a=\"; __Host-session=1\"", Some("1\"")),
            ("__Host-session=", Some("")),
            ("__Host-session=1", Some("1")),
            ("__Host-session=1=2", Some("1=2")),
            ("__Host-session=\"1\"", Some("\"1\"")),
            (" \t__Host-session=1\t ", Some("1")),
            ("a=b;__Host-session=1;c=d", Some("1")),
            ("a=b; __Host-session=1; c=d", Some("1")),
            ("a=b; __Host-session=1;", Some("1")),
            ("a=b; __Host-session; __Host-session=1", Some("1")),
        ] {
            assert_eq!(find(header), Ok(value.map(str::as_bytes)), "{header:?}");
        }
        assert_eq!(cookie.find(b"\xff\0\r\n; __Host-session=1"), Ok(Some(&b"1"[..])));
    }

    #[test]
    fn a_cookie_that_is_there_twice_is_nobodys() {
        let cookie = Cookie::default();
        for header in [
            "__Host-session=1; __Host-session=2",
            "__Host-session=1;__Host-session=1",
            "__Host-session=;__Host-session=",
        ] {
            assert_eq!(cookie.find(header.as_bytes()), Err(SessionError::InvalidSession), "{header}");
        }
    }

    #[test]
    fn a_header_is_read_up_to_its_limit() {
        let cookie = Cookie::default();
        let header = |len: usize| format!("{}; __Host-session=1", "a".repeat(len - 18)).into_bytes();
        assert_eq!(cookie.find(&header(MAX_COOKIE_HEADER_LEN)), Ok(Some(&b"1"[..])));
        assert_eq!(cookie.find(&header(MAX_COOKIE_HEADER_LEN + 1)), Err(SessionError::TooLarge));
    }
}
