//! Requests and CSRF tokens: what a page of another site can send changes nothing, whatever else is in it; a token is
//! good as it was made, for the session that it was made for.
#![no_main]

use std::sync::LazyLock;

use donjon::keyring::Keyring;
use donjon::session::{Request, SessionError, Sessions};
use donjon_fuzz::abi::Script;
use donjon_fuzz::draws::Draws;
use donjon_fuzz::edits::edited;
use libfuzzer_sys::fuzz_target;

const IDS: [&[u8]; 2] = [&[b'A'; 64], &[b'B'; 64]];
const METHODS: [&str; 6] = ["POST", "GET", "HEAD", "OPTIONS", "get", "DELETE"];
const SITES: [&str; 6] = ["", "same-origin", "none", "cross-site", "same-site", "Same-Origin"];
const TEXTS: [&str; 12] = [
    "",
    "https://app.example",
    "https://a.example",
    "a.example",
    "null",
    "http://[::1]:80",
    "[::1]:80",
    "A.example",
    "https://a.example@evil.example",
    "evil.example",
    "https://app.example.evil.example",
    "https://a.example/",
];

static KEYRING: LazyLock<Keyring> = LazyLock::new(|| {
    let epochs = r#"{"keys":[{"purpose":"device","epoch":1},{"purpose":"csrf","epoch":2,"oldest":1}]}"#;
    Keyring::from_master("pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU", epochs).unwrap()
});
static SESSIONS: LazyLock<Sessions> = LazyLock::new(|| {
    Sessions::from_json(&KEYRING, br#"{"trusted_origins":["https://app.example"]}"#).unwrap()
});

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let mut drawn = |words: &[&'static str]| {
        let word = script.pick(words).map(str::as_bytes);
        let len = usize::from(script.byte());
        word.unwrap_or_else(|| script.bytes(len)).to_vec()
    };
    let (method, sec_fetch_site) = (drawn(&METHODS), drawn(&SITES));
    let (origin, host) = (drawn(&TEXTS), drawn(&TEXTS));
    let request = Request { method: &method, sec_fetch_site: &sec_fetch_site, origin: &origin, host: &host };
    let web = SESSIONS.web();
    let token = web.csrf_token(IDS[0], &mut Draws::default()).unwrap();
    let sent = edited(&mut script, token.as_bytes());

    let is_safe = [&b"GET"[..], b"HEAD", b"OPTIONS"].contains(&&*method);
    let is_own = match &*sec_fetch_site {
        b"same-origin" | b"none" => true,
        b"" => origin.is_empty() || is_of_host(&origin, &host),
        _ => false,
    };
    let is_cross = !is_safe && !is_own && origin != b"https://app.example";
    for (id, csrf_token) in
        [(&b""[..], &b""[..]), (IDS[0], token.as_bytes()), (IDS[0], &sent), (IDS[1], &sent)]
    {
        let is_good = id.is_empty() || (id == IDS[0] && csrf_token == token.as_bytes());
        let expected = match (is_safe, is_cross, is_good) {
            (true, _, _) | (_, false, true) => Ok(()),
            (_, true, _) => Err(SessionError::CrossSite),
            _ => Err(SessionError::CsrfFailed),
        };
        assert_eq!(web.check_request(id, &request, csrf_token), expected);
    }
    let trusted = serde_json::json!({"trusted_origins": [String::from_utf8_lossy(&origin)]}).to_string();
    if let Ok(trusting) = Sessions::from_json(&KEYRING, trusted.as_bytes()) {
        // What can be trusted is an origin, and has a host.
        let at = origin.windows(3).position(|text| text == b"://").unwrap();
        assert!(is_of_host(&origin, &origin[at + 3..]) && !origin.iter().any(u8::is_ascii_uppercase));
        assert_eq!(trusting.web().check_request(b"", &request, b""), Ok(()));
    }
});

/// Whether an origin is `scheme://` and this host, well-formed.
fn is_of_host(origin: &[u8], host: &[u8]) -> bool {
    let Ok(origin) = str::from_utf8(origin) else { return false };
    let Some((scheme, rest)) = origin.split_once("://") else { return false };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let (name, port) = match rest.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => {
            (name, port.parse::<u16>().ok().filter(|number| number.to_string() == port && *number > 0))
        }
        _ => (rest, Some(0)),
    };
    let is_name = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => name.split('.').all(|label| {
            !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
        }),
    };
    is_scheme
        && is_name
        && port.is_some()
        && origin.len() <= 512
        && rest.as_bytes().eq_ignore_ascii_case(host)
}
