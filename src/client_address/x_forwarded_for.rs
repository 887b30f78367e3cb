//! `X-Forwarded-For`: addresses with commas between them. Also `X-Real-IP`, of one address.

use core::net::IpAddr;

use super::address;

/// The comma or the line's end before the last entry.
pub(super) fn last_separator(text: &[u8]) -> Option<usize> {
    memchr::memrchr2(b',', b'\n', text)
}

/// The address of an entry.
pub(super) fn address(entry: &[u8]) -> Option<IpAddr> {
    address::parse(trim(entry))
}

/// Without the white space around it (RFC 9110 §5.6.3: `OWS`).
pub(super) fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}
