//! `Cookie` headers against a slow reading of them, and configurations of the cookie whose `Set-Cookie` comes back as it
//! was meant: one pair, the attributes that were asked for, nothing else.
#![no_main]

use std::sync::LazyLock;

use donjon::keyring::Keyring;
use donjon::session::{MAX_COOKIE_HEADER_LEN, MAX_SET_COOKIE_LEN, SessionId, Sessions};
use donjon_fuzz::abi::Script;
use libfuzzer_sys::fuzz_target;

const ID: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v";

static KEYRING: LazyLock<Keyring> = LazyLock::new(|| {
    let epochs = r#"{"keys":[{"purpose":"device","epoch":1},{"purpose":"csrf","epoch":1}]}"#;
    Keyring::from_master("pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU", epochs).unwrap()
});
static SESSIONS: LazyLock<Sessions> = LazyLock::new(|| Sessions::from_json(&KEYRING, b"").unwrap());

fuzz_target!(|data: &[u8]| {
    let [choice, text @ ..] = data else { return };
    match choice % 3 {
        0 => header(text),
        // Made of pieces that a header is made of.
        1 => {
            let (mut script, mut made) = (Script(text), String::new());
            let pieces = ["__Host-session", "=", ";", " ", "\t", ID, "a", "\"", "-csrf", ","];
            while !script.0.is_empty() {
                made.push_str(script.pick(&pieces).unwrap_or_default());
            }
            header(made.as_bytes());
        }
        _ => set_cookie(&String::from_utf8_lossy(text)),
    }
});

fn header(header: &[u8]) {
    let values: Vec<&[u8]> = header
        .split(|byte| *byte == b';')
        .map(|pair| {
            let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
            let start = pair.iter().position(|byte| !is_blank(byte)).unwrap_or(pair.len());
            let end = pair.iter().rposition(|byte| !is_blank(byte)).map_or(start, |end| end + 1);
            &pair[start..end]
        })
        .filter(|pair| {
            pair.split(|byte| *byte == b'=').next() == Some(b"__Host-session") && pair.contains(&b'=')
        })
        .map(|pair| &pair[15..])
        .collect();
    let expected = match values[..] {
        _ if header.len() > MAX_COOKIE_HEADER_LEN => Err("too_large"),
        [] => Ok(None),
        [value] if SessionId::parse(value).is_some() => Ok(Some(value)),
        _ => Err("invalid_session"),
    };
    let found = SESSIONS.web().read_cookie(header).map(|id| id.map(str::as_bytes));
    assert_eq!(found.map_err(|error| error.status().name()), expected);
}

/// What stands on the lines of `text` is a cookie's name, domain and path.
fn set_cookie(text: &str) {
    let mut lines = text.splitn(3, '\n');
    let [name, domain, path] = [(); 3].map(|()| lines.next().unwrap_or_default());
    let domain = (!domain.is_empty()).then_some(domain);
    for is_insecure in [false, true] {
        let config = serde_json::json!({"cookie": {
            "name": name, "domain": domain, "path": path, "insecure": is_insecure, "persistent": false,
        }});
        let Ok(sessions) = Sessions::from_json(&KEYRING, config.to_string().as_bytes()) else { continue };
        let header = sessions.web().cookie(ID.as_bytes()).unwrap();
        assert!(
            header.len() <= MAX_SET_COOKIE_LEN && header.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        );
        let domain = domain.map_or(String::new(), |domain| format!("; Domain={domain}"));
        let secure = if is_insecure { "" } else { "; Secure" };
        assert_eq!(header, format!("{name}={ID}; Path={path}{domain}{secure}; HttpOnly; SameSite=Lax"));
        // As RFC 6265 §5.2 reads it.
        let (pair, attributes) = header.split_once(';').unwrap();
        assert_eq!(pair.split_once('='), Some((name, ID)));
        let names: Vec<_> = attributes.split(';').map(|one| one.trim().split('=').next().unwrap()).collect();
        assert_eq!(names.len(), 3 + usize::from(!domain.is_empty()) + usize::from(!is_insecure));
        let lower = name.to_ascii_lowercase();
        assert!(!lower.starts_with("__host-") || (path == "/" && domain.is_empty() && !is_insecure));
        assert!(!lower.starts_with("__secure-") || !is_insecure);
        assert_eq!(sessions.web().read_cookie(pair.as_bytes()), Ok(Some(ID)));
    }
}
