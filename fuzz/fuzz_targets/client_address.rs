//! A peer and a header's lines, against a slow reading of both: every suffix of a line is tried as an element.
//! Then again with an element of a proxy's behind it, which no line changes.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use donjon::client_address::Proxies;
use libfuzzer_sys::fuzz_target;

const HEADERS: [&str; 3] = ["x-forwarded-for", "forwarded", "x-real-ip"];
const TRUSTS: [&str; 3] = [r#""trusted":["10.0.0.0/8","::/16"]"#, r#""hops":1"#, r#""hops":3"#];
/// The reference takes cubic time.
const LONGEST: usize = 300;

static PROXIES: LazyLock<Vec<Proxies>> = LazyLock::new(|| {
    let proxies = |header, trust| format!(r#"{{"header":"{header}",{trust}}}"#);
    let configs = HEADERS.iter().flat_map(|header| TRUSTS.map(|trust| proxies(header, trust)));
    configs.map(|config| Proxies::from_json(config.as_bytes()).unwrap()).collect()
});

fuzz_target!(|data: &[u8]| {
    let [choice, text @ ..] = data else { return };
    let (header, trust) = (usize::from(*choice) % 3, usize::from(*choice) / 3 % 3);
    let mut parts = text.splitn(2, |byte| *byte == b'\n');
    let (peer, lines) = (parts.next().unwrap(), parts.next().unwrap_or_default());
    let proxies = &PROXIES[3 * header + trust];
    let decided = proxies.client(peer, lines).ok();

    if text.len() <= LONGEST {
        let peer = address(peer, false);
        let named = match (HEADERS[header], trust) {
            (_, 0) if !peer.is_some_and(is_trusted) => Some(None),
            ("x-real-ip", _) => Some(x_forwarded_for(lines).filter(|_| !lines.contains(&b'\n'))),
            ("x-forwarded-for", _) => Some(walk(lines, trust, x_forwarded_for, |_| true)),
            // What counts as one element, where it is none, is for the kernel to say.
            (_, 2) if !lines.split(|byte| *byte == b'\n').all(is_well_formed) => None,
            (_, _) => Some(walk(lines, trust, element, |text| parameters(text).is_some())),
        };
        if let Some(named) = named {
            let expected = named.or(peer).map(|ip| (ip, named.is_some()));
            assert_eq!(decided.map(|client| (client.ip, client.from_header)), expected);
        }
    }
    if let Some(client) = decided {
        assert!(client.bucket.network().contains(client.ip));
    }
    if header < 2 && trust < 2 {
        let appended: &[u8] =
            if header == 0 { b",[2a00::7]:80" } else { b",by=_x;for=\"[2a00::7]:80\";y=\"\\\",\"" };
        let client = proxies.client(b"10.0.0.1", &[lines, appended].concat()).unwrap();
        assert_eq!((client.ip, client.from_header), ("2a00::7".parse().unwrap(), true));
    }
});

/// From the right: past those of trusted networks, or to the so-manieth.
fn walk(
    lines: &[u8],
    trust: usize,
    read: fn(&[u8]) -> Option<IpAddr>,
    is_entry: fn(&[u8]) -> bool,
) -> Option<IpAddr> {
    let mut found = Vec::new();
    for line in lines.split(|byte| *byte == b'\n').rev() {
        let mut rest = Some(line);
        while let Some(text) = rest {
            // The shortest end of the line that is an entry; else all of it, which is none.
            let mut cuts = (0..text.len()).rev().filter(|at| text[*at] == b',');
            let cut = cuts.find(|at| is_entry(&text[at + 1..]));
            found.push(read(cut.map_or(text, |at| &text[at + 1..])));
            rest = cut.map(|at| &text[..at]);
        }
    }
    match trust {
        0 => {
            let passed = found.iter().take_while(|ip| ip.is_some_and(is_trusted)).count();
            if passed == found.len() { found[passed - 1] } else { found[passed] }
        }
        1 => found[0],
        _ => found.get(2).copied().flatten(),
    }
}

fn is_trusted(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.octets()[0] == 10,
        IpAddr::V6(ip) => ip.segments()[0] == 0,
    }
}

fn x_forwarded_for(entry: &[u8]) -> Option<IpAddr> {
    address(str::from_utf8(entry).ok()?.trim_matches([' ', '\t']).as_bytes(), false)
}

/// The address of the one `for` of an element.
fn element(text: &[u8]) -> Option<IpAddr> {
    let parameters = parameters(text)?;
    let mut nodes = parameters.iter().filter(|(name, _)| name.eq_ignore_ascii_case("for"));
    let (Some((_, node)), None) = (nodes.next(), nodes.next()) else { return None };
    address(node.as_bytes(), true)
}

/// Whether a line is elements, from end to end.
fn is_well_formed(line: &[u8]) -> bool {
    pieces(line, ',')
        .is_some_and(|elements| elements.iter().all(|text| parameters(text.as_bytes()).is_some()))
}

/// The names of an element's parameters, and their values without quotes, escapes as they are.
fn parameters(text: &[u8]) -> Option<Vec<(String, String)>> {
    let is_token = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
    };
    let mut parameters = Vec::new();
    for piece in pieces(text, ';')? {
        let piece = piece.trim_matches([' ', '\t']);
        if piece.is_empty() {
            continue;
        }
        let (name, value) = piece.split_once('=')?;
        let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        // What is quoted has no quotes left when its escapes are gone.
        let is_quoted = |text: &str| {
            let mut is_escaped = false;
            let is_good = text.chars().all(|c| {
                let is_good = (c == '\t' || !c.is_ascii_control()) && (is_escaped || c != '"');
                is_escaped = !is_escaped && c == '\\';
                is_good
            });
            is_good && !is_escaped
        };
        if !is_token(name) || !quoted.map_or_else(|| is_token(value), is_quoted) {
            return None;
        }
        parameters.push((name.to_owned(), quoted.unwrap_or(value).to_owned()));
    }
    Some(parameters)
}

/// What stands between separators outside of quotes, each byte a character; `None` if a quote stays open.
fn pieces(text: &[u8], separator: char) -> Option<Vec<String>> {
    let (mut pieces, mut is_quoted, mut is_escaped) = (vec![String::new()], false, false);
    for c in text.iter().map(|byte| char::from(*byte)) {
        if c == separator && !is_quoted {
            pieces.push(String::new());
            continue;
        }
        pieces.last_mut().unwrap().push(c);
        is_quoted ^= c == '"' && !is_escaped;
        is_escaped = is_quoted && !is_escaped && c == '\\';
    }
    (!is_quoted).then_some(pieces)
}

/// An address with or without brackets, zone and port.
fn address(text: &[u8], may_hide_port: bool) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok().filter(|text| text.len() <= 128 && text.is_ascii())?;
    let all = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let is_port = |port: &str| {
        (port.len() <= 5 && !port.starts_with('+') && port.parse::<u16>().is_ok())
            || (may_hide_port && port.starts_with('_') && all(&port[1..], "._-"))
    };
    let v6 = |text: &str| {
        let (address, zone) = text.split_once('%').unwrap_or((text, "0"));
        groups(address).filter(|_| all(zone, "-._~%"))
    };
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        return v6(address).filter(|_| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port));
    }
    let v4 = text.split_once(':').filter(|(_, port)| is_port(port)).map_or(text, |(address, _)| address);
    quad(v4).map(IpAddr::from).or_else(|| v6(text))
}

/// Four numbers without leading zeros.
fn quad(text: &str) -> Option<Ipv4Addr> {
    let numbers: Vec<u8> = text.split('.').filter_map(|number| number.parse().ok()).collect();
    let numbers: [u8; 4] = numbers.try_into().ok()?;
    let quad = Ipv4Addr::from(numbers);
    // Written again it is the same text, so nothing was in it that `parse` overlooks.
    (quad.to_string() == text).then_some(quad)
}

/// Eight groups, some of them left out or written as IPv4.
fn groups(text: &str) -> Option<IpAddr> {
    let half = |text: &str| -> Option<Vec<u16>> {
        let mut groups = Vec::new();
        let count = text.split(':').count();
        for (index, group) in text.split(':').enumerate().filter(|_| !text.is_empty()) {
            if let Some(quad) = quad(group).filter(|_| index + 1 == count) {
                let bits = quad.to_bits();
                groups.extend([(bits >> 16) as u16, bits as u16]);
            } else if matches!(group.len(), 1..=4) && !group.starts_with('+') {
                groups.push(u16::from_str_radix(group, 16).ok()?);
            } else {
                return None;
            }
        }
        Some(groups)
    };
    let all = match text.split_once("::") {
        None => half(text)?,
        // An IPv4 address is the end of the whole.
        Some((left, right)) => {
            let (left, right) = (half(left).filter(|_| !left.contains('.'))?, half(right)?);
            let missing = 8_usize.checked_sub(left.len() + right.len()).filter(|missing| *missing > 0)?;
            [left, vec![0; missing], right].concat()
        }
    };
    let all: [u16; 8] = all.try_into().ok()?;
    let ip = Ipv6Addr::from(all);
    Some(ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4))
}
