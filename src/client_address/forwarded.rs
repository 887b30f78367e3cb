//! `Forwarded` (RFC 7239): elements with commas between them, of parameters with semicolons between them.
//!
//! The last element is found from the right. Read from the left, a quote that a client leaves open would swallow
//! what the proxy appends to it; read from the right, what the proxy wrote is whole before the client's begins.

use core::net::IpAddr;

use super::address::{is_port, parse_with_port};
use super::x_forwarded_for::trim;

/// The comma outside of quotes, or the line's end, before the last element.
pub(super) fn last_separator(text: &[u8]) -> Option<usize> {
    let mut rest = text;
    let mut is_quoted = false;
    while let [before @ .., byte] = rest {
        match byte {
            // No quoted text goes over the end of a line.
            b'\n' => return Some(before.len()),
            b',' if !is_quoted => return Some(before.len()),
            b'"' if !is_quoted => is_quoted = true,
            b'"' => is_quoted = ends_in_escape(before),
            _ => {}
        }
        rest = before;
    }
    None
}

/// Whether what follows is escaped: an odd number of backslashes is before it.
fn ends_in_escape(text: &[u8]) -> bool {
    text.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// The address of an element's `for`. None if there is no such parameter, or two; if it is `unknown`, hidden, or
/// written with escapes, which no address needs; or if the element is not one.
pub(super) fn address(element: &[u8]) -> Option<IpAddr> {
    let mut rest = element;
    let mut node = None;
    loop {
        rest = trim(rest);
        if !matches!(rest, [] | [b';', ..]) {
            let (name, value, after) = parameter(rest)?;
            if name.eq_ignore_ascii_case(b"for") && node.replace(value).is_some() {
                return None;
            }
            rest = trim(after);
        }
        match rest {
            [] => return parse_with_port(node?, is_node_port),
            [b';', after @ ..] => rest = after,
            _ => return None,
        }
    }
}

/// A parameter's name, its value without quotes, and what follows it.
fn parameter(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (name, text) = token(text)?;
    let text = text.strip_prefix(b"=")?;
    let (value, after) = match text.strip_prefix(b"\"") {
        Some(text) => quoted(text)?,
        None => token(text)?,
    };
    Some((name, value, after))
}

/// RFC 9110 §5.6.2: `token`, and what follows it.
fn token(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let len = text.iter().take_while(|byte| is_letter(byte)).count();
    text.split_at_checked(len).filter(|(token, _)| !token.is_empty())
}

/// RFC 9110 §5.6.4: what is in a `quoted-string` behind its first quote, escapes unresolved, and what follows it.
fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = text;
    let is_shown = |byte: u8| matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
    loop {
        match rest {
            [b'"', after @ ..] => {
                let len = text.len().checked_sub(rest.len())?;
                return text.get(..len).map(|value| (value, after));
            }
            [b'\\', escaped, after @ ..] if is_shown(*escaped) => rest = after,
            [byte, after @ ..] if *byte != b'\\' && is_shown(*byte) => rest = after,
            _ => return None,
        }
    }
}

/// RFC 7239 §6: `node-port`, a number or an obfuscated port.
fn is_node_port(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let is_obfuscated = |text: &str| !text.is_empty() && text.bytes().all(is_letter);
    text.strip_prefix('_').map_or_else(|| is_port(text), is_obfuscated)
}
