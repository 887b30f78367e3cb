//! What stands between sessions and browsers: cookies, CSRF tokens, requests from other sites.

use alloc::string::String;

use super::cookie::Cookie;
use super::csrf::{self, CsrfKeys};
use super::fetch_metadata::{Request, TrustedOrigins};
use super::{SessionError, SessionId};
use crate::entropy::Entropy;
use crate::json::Value;
use crate::keyring::Keyring;

/// What a configuration says about browsers.
#[derive(Debug, Clone, Default)]
pub(super) struct WebConfig {
    cookie: Cookie,
    csrf_token: CsrfToken,
    trusted_origins: TrustedOrigins,
}

/// Whether a request that may change something has to carry the session's CSRF token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum CsrfToken {
    #[default]
    Required,
    NotRequired,
}

impl WebConfig {
    /// Reads a member of the configuration of sessions. False if it is none of these.
    pub(super) fn read(&mut self, name: &str, value: Value<'_>) -> Result<bool, SessionError> {
        match (name, value) {
            ("cookie", Value::Object(object)) => self.cookie = Cookie::from_json(object)?,
            ("cookie", _) => return Err(SessionError::config(name, "not an object")),
            ("csrf_token", Value::Text(text)) if text == "required" => self.csrf_token = CsrfToken::Required,
            ("csrf_token", Value::Text(text)) if text == "not_required" => {
                self.csrf_token = CsrfToken::NotRequired;
            }
            ("csrf_token", _) => return Err(SessionError::config(name, "not required or not_required")),
            ("trusted_origins", value) => self.trusted_origins = TrustedOrigins::from_json(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Sets and reads the cookies of sessions, and tells the requests of their own pages from those of others.
#[derive(Debug, Clone)]
pub struct Web {
    config: WebConfig,
    keys: CsrfKeys,
    lifetime_s: i64,
}

impl Web {
    /// `lifetime_s`: how long browsers keep the cookies.
    ///
    /// # Errors
    /// - [`SessionError::Config`]: no primary `csrf` secret.
    pub(super) fn new(keyring: &Keyring, config: WebConfig, lifetime_s: i64) -> Result<Self, SessionError> {
        let keys = CsrfKeys::new(keyring).ok_or(SessionError::config("", "no primary `csrf` secret"))?;
        Ok(Self { config, keys, lifetime_s })
    }

    /// The value of a `Set-Cookie` that carries a session id; of an empty one, that clears the cookie.
    ///
    /// # Errors
    /// - [`SessionError::InvalidSession`]: not an id.
    pub fn cookie(&self, id: &[u8]) -> Result<String, SessionError> {
        let id = known(id, is_id, SessionError::InvalidSession)?;
        Ok(self.config.cookie.session(id, self.lifetime_s))
    }

    /// The value of a `Set-Cookie` that carries a CSRF token to the scripts of the session's pages, in a cookie
    /// of the session's name and `-csrf`; of an empty one, that clears the cookie.
    ///
    /// # Errors
    /// - [`SessionError::InvalidArgument`]: not a token.
    pub fn csrf_cookie(&self, token: &[u8]) -> Result<String, SessionError> {
        let token = known(token, csrf::is_token, SessionError::InvalidArgument)?;
        Ok(self.config.cookie.csrf(token, self.lifetime_s))
    }

    /// The session id in a `Cookie` header; `None` if there is no such cookie. Several lines of the header are
    /// joined by `; ` first (RFC 9113 §8.2.3).
    ///
    /// # Errors
    /// - [`SessionError::TooLarge`]: over [`MAX_COOKIE_HEADER_LEN`](super::MAX_COOKIE_HEADER_LEN).
    /// - [`SessionError::InvalidSession`]: the cookie is there twice, or what it has is no id.
    pub fn read_cookie<'a>(&self, header: &'a [u8]) -> Result<Option<&'a str>, SessionError> {
        let Some(value) = self.config.cookie.find(header)? else { return Ok(None) };
        if !is_id(value) {
            return Err(SessionError::InvalidSession);
        }
        Ok(str::from_utf8(value).ok())
    }

    /// A fresh CSRF token for a session.
    ///
    /// # Errors
    /// - [`SessionError::InvalidSession`]: not an id.
    /// - [`SessionError::Entropy`]: no entropy.
    pub fn csrf_token(&self, id: &[u8], entropy: &mut impl Entropy) -> Result<String, SessionError> {
        self.keys.token(SessionId::parse(id).ok_or(SessionError::InvalidSession)?.as_bytes(), entropy)
    }

    /// Whether a request may do what it asks for, as far as browsers and other sites are concerned. `id` is the
    /// session's, empty for none; `csrf_token` what the request carries in a header or a field, empty for none.
    ///
    /// A method that promises to change nothing may; so the service has to keep the promise. Any other has to
    /// come from a page of the service itself or of a trusted origin, or from no page at all; and, with a
    /// session, has to carry a token of it, unless the configuration does not require one.
    ///
    /// # Errors
    /// - [`SessionError::CrossSite`]: from a page of another site.
    /// - [`SessionError::CsrfFailed`]: no token of this session.
    pub fn check_request(
        &self,
        id: &[u8],
        request: &Request<'_>,
        csrf_token: &[u8],
    ) -> Result<(), SessionError> {
        if request.is_safe() {
            return Ok(());
        }
        if self.config.trusted_origins.is_cross_site(request) {
            return Err(SessionError::CrossSite);
        }
        if id.is_empty() || self.config.csrf_token == CsrfToken::NotRequired {
            return Ok(());
        }
        let is_good = SessionId::parse(id).is_some_and(|id| self.keys.is_good(id.as_bytes(), csrf_token));
        if is_good { Ok(()) } else { Err(SessionError::CsrfFailed) }
    }
}

fn known(
    text: &[u8],
    is_known: fn(&[u8]) -> bool,
    refusal: SessionError,
) -> Result<Option<&str>, SessionError> {
    if text.is_empty() {
        return Ok(None);
    }
    let text = str::from_utf8(text).ok().filter(|_| is_known(text));
    text.map_or(Err(refusal), |text| Ok(Some(text)))
}

fn is_id(text: &[u8]) -> bool {
    SessionId::parse(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{self, Limits};
    use crate::runtime::OsEntropy;

    const MASTER: &str = "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU";
    const ID: &[u8; 64] = &[b'A'; 64];

    fn web(config: &str) -> Result<Web, SessionError> {
        let keyring = Keyring::from_master(MASTER, r#"{"keys":[{"purpose":"csrf","epoch":1}]}"#).unwrap();
        let Value::Object(object) = json::parse(config.as_bytes(), Limits::DOCUMENT).unwrap() else {
            panic!()
        };
        let mut web = WebConfig::default();
        for (name, value) in object.iter() {
            assert!(web.read(&name.decode(), value)?, "{config}");
        }
        Web::new(&keyring, web, 86_400)
    }

    #[test]
    fn an_id_goes_out_in_a_cookie_and_comes_back() {
        let web = web("{}").unwrap();
        let set = web.cookie(ID).unwrap();
        let pair = set.split("; ").next().unwrap();
        assert_eq!(web.read_cookie(pair.as_bytes()).unwrap().unwrap().as_bytes(), ID);
        assert_eq!(web.read_cookie(b"other=1"), Ok(None));
        let empty = b"__Host-session=";
        assert_eq!(web.read_cookie(empty), Err(SessionError::InvalidSession));
        for bad in [&[b'A'; 63][..], &[b'A'; 65], &[b'='; 64], &[b'\n'; 64], b"\r\nSet-Cookie: a=b", b"\xff"]
        {
            assert_eq!(web.cookie(bad), Err(SessionError::InvalidSession), "{bad:?}");
            assert_eq!(web.csrf_token(bad, &mut OsEntropy), Err(SessionError::InvalidSession), "{bad:?}");
            assert_eq!(web.csrf_cookie(bad), Err(SessionError::InvalidArgument), "{bad:?}");
            let header = [&empty[..], bad].concat();
            assert_eq!(web.read_cookie(&header), Err(SessionError::InvalidSession), "{bad:?}");
        }
        assert_eq!(web.csrf_token(b"", &mut OsEntropy), Err(SessionError::InvalidSession));
    }

    #[test]
    fn a_session_wants_its_token_where_something_changes() {
        let web = web("{}").unwrap();
        let token = web.csrf_token(ID, &mut OsEntropy).unwrap();
        assert!(web.csrf_cookie(token.as_bytes()).unwrap().starts_with("__Host-session-csrf="));
        let post = Request { method: b"POST", sec_fetch_site: b"same-origin", ..Request::default() };
        assert_eq!(web.check_request(ID, &post, token.as_bytes()), Ok(()));
        for bad in [&b""[..], b"x", &[b'A'; 64]] {
            assert_eq!(web.check_request(ID, &post, bad), Err(SessionError::CsrfFailed));
        }
        for id in [&[b'B'; 64][..], b"not an id"] {
            assert_eq!(web.check_request(id, &post, token.as_bytes()), Err(SessionError::CsrfFailed));
        }
        // Logging in: there is no session yet, but a page of another site may not do it either.
        assert_eq!(web.check_request(b"", &post, b""), Ok(()));
        let foreign = Request { sec_fetch_site: b"cross-site", ..post };
        for id in [&b""[..], ID] {
            assert_eq!(web.check_request(id, &foreign, token.as_bytes()), Err(SessionError::CrossSite));
        }
        assert_eq!(web.check_request(ID, &Request { method: b"GET", ..foreign }, b""), Ok(()));
    }

    #[test]
    fn a_trusted_origin_needs_the_token_too() {
        let trusting = r#"{"trusted_origins":["https://app.example"]}"#;
        let request = Request {
            method: b"DELETE",
            sec_fetch_site: b"cross-site",
            origin: b"https://app.example",
            host: b"api.example",
        };
        let trusting = web(trusting).unwrap();
        assert_eq!(trusting.check_request(ID, &request, b""), Err(SessionError::CsrfFailed));
        let token = trusting.csrf_token(ID, &mut OsEntropy).unwrap();
        assert_eq!(trusting.check_request(ID, &request, token.as_bytes()), Ok(()));
        let without = web("{}").unwrap();
        assert_eq!(without.check_request(ID, &request, token.as_bytes()), Err(SessionError::CrossSite));
    }

    #[test]
    fn a_token_that_is_not_required_is_not_looked_at() {
        let web = web(r#"{"csrf_token":"not_required"}"#).unwrap();
        let post = Request { method: b"POST", ..Request::default() };
        assert_eq!(web.check_request(ID, &post, b"x"), Ok(()));
        let foreign = Request { sec_fetch_site: b"same-site", ..post };
        assert_eq!(web.check_request(ID, &foreign, b""), Err(SessionError::CrossSite));
    }

    #[test]
    fn a_configuration_says_what_is_wrong_and_where() {
        for (config, path) in [
            (r#"{"cookie":null}"#, "cookie"),
            (r#"{"cookie":[]}"#, "cookie"),
            (r#"{"csrf_token":true}"#, "csrf_token"),
            (r#"{"csrf_token":"Required"}"#, "csrf_token"),
            (r#"{"trusted_origins":null}"#, "trusted_origins"),
        ] {
            match web(config) {
                Err(SessionError::Config { path: found, .. }) => assert_eq!(found, path, "{config}"),
                other => panic!("{config}: {other:?}"),
            }
        }
        let other = json::parse(b"1", Limits::DOCUMENT).unwrap();
        assert_eq!(WebConfig::default().read("idle_timeout_s", other), Ok(false));
        let keyring = Keyring::from_master(MASTER, r#"{"keys":[{"purpose":"device","epoch":1}]}"#).unwrap();
        assert!(matches!(
            Web::new(&keyring, WebConfig::default(), 1),
            Err(SessionError::Config { reason: "no primary `csrf` secret", .. })
        ));
    }
}
