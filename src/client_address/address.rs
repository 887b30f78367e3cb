//! One address as peers and headers write it.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest text that is read as an address, in bytes: with its brackets, zone and port.
pub const MAX_ADDRESS_LEN: usize = 128;

/// The address of `1.2.3.4`, `1.2.3.4:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`. The port and
/// an IPv6 address's zone (`fe80::1%eth0`) are checked and dropped; `::ffff:1.2.3.4` (RFC 4291 §2.5.5.2) is
/// 1.2.3.4. Nothing else is an address: no leading zeros, no short or hexadecimal forms, no names, no white space.
pub(crate) fn parse(text: &[u8]) -> Option<IpAddr> {
    parse_with_port(text, is_port)
}

/// As [`parse`], with ports of another form.
pub(super) fn parse_with_port(text: &[u8], is_port: fn(&str) -> bool) -> Option<IpAddr> {
    if text.len() > MAX_ADDRESS_LEN {
        return None;
    }
    let text = str::from_utf8(text).ok()?;
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, rest) = bracketed.split_once(']')?;
        let is_whole = rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
        return v6(address).filter(|_| is_whole);
    }
    match text.split_once(':') {
        None => v4(text),
        Some((address, port)) if !port.contains(':') => v4(address).filter(|_| is_port(port)),
        Some(_) => v6(text),
    }
}

fn v4(text: &str) -> Option<IpAddr> {
    text.parse().ok().map(Ipv4Addr::into)
}

fn v6(text: &str) -> Option<IpAddr> {
    let (address, zone) = text.split_once('%').map_or((text, None), |(address, zone)| (address, Some(zone)));
    let address: Ipv6Addr = address.parse().ok()?;
    zone.is_none_or(is_zone).then(|| IpAddr::from(address).to_canonical())
}

/// RFC 6874 §2: `ZoneID`.
fn is_zone(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte))
}

/// RFC 7239 §6: `1*5DIGIT`, and within 16 bits.
pub(super) fn is_port(text: &str) -> bool {
    matches!(text.len(), 1..=5)
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    fn read(text: &str) -> Option<alloc::string::String> {
        parse(text.as_bytes()).map(|address| address.to_string())
    }

    #[test]
    fn every_form_of_an_address_is_one_address() {
        for (text, address) in [
            ("1.2.3.4", "1.2.3.4"),
            ("1.2.3.4:0", "1.2.3.4"),
            ("1.2.3.4:65535", "1.2.3.4"),
            ("1.2.3.4:00080", "1.2.3.4"),
            ("0.0.0.0", "0.0.0.0"),
            ("::", "::"),
            ("::1", "::1"),
            ("[::1]", "::1"),
            ("[::1]:443", "::1"),
            ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%25en-0.1]:80", "fe80::1"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
            ("[::FFFF:102:304]:80", "1.2.3.4"),
            ("::ffff:1.2.3.4%1", "1.2.3.4"),
            ("0:0:0:0:0:ffff:1.2.3.4", "1.2.3.4"),
            // Not mapped, so an address of its own.
            ("::1.2.3.4", "::102:304"),
            ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
        ] {
            assert_eq!(read(text).as_deref(), Some(address), "{text}");
        }
    }

    #[test]
    fn what_is_nearly_an_address_is_none() {
        for text in [
            "",
            " ",
            ":",
            "::%",
            "[",
            "]",
            "[]",
            "[]:80",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.256",
            "01.2.3.4",
            "1.2.3.04",
            "0x7f.0.0.1",
            "2130706433",
            "127.1",
            "1.2.3.4 ",
            " 1.2.3.4",
            "1.2.3.4\0",
            "1.2.3.4%eth0",
            "1.2.3.4/32",
            "1.2.3.4:",
            "1.2.3.4:65536",
            "1.2.3.4:000080",
            "1.2.3.4:+80",
            "1.2.3.4:-1",
            "1.2.3.4:http",
            "[1.2.3.4]",
            "[1.2.3.4]:80",
            "[::1",
            "::1]",
            "[::1]80",
            "[::1]:",
            "[::1]]",
            "[[::1]]",
            "[::1]:80:80",
            "[::1]:65536",
            ":::",
            "1::2::3",
            "::12345",
            "::g",
            "1:2:3:4:5:6:7:8:9",
            "1:2:3:4:5:6:7",
            "::ffff:1.2.3.04",
            "::ffff:1.2.3",
            "fe80::1%",
            "fe80::1%e th",
            "[fe80::1%]",
            "fe80::1%a]",
            "fe80::1%a:80",
            "[fe80::1]%eth0",
            "::1%é",
            "unknown",
            "_hidden",
            "localhost",
            "\u{661}.2.3.4",
            "1.2.3.4,5.6.7.8",
            "\"1.2.3.4\"",
            "+1.2.3.4",
            "1.2.3.+4",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
        assert_eq!(parse(b"1.2.3.4\xff"), None);
    }

    #[test]
    fn an_address_is_as_long_as_it_may_be_and_no_longer() {
        let with_zone = |len| alloc::format!("fe80::1%{}", "z".repeat(len));
        assert_eq!(read(&with_zone(MAX_ADDRESS_LEN - 8)).as_deref(), Some("fe80::1"));
        assert_eq!(read(&with_zone(MAX_ADDRESS_LEN - 7)), None);
    }
}
