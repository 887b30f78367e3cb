//! Secrets that are none: too short, repeated, copied from a tutorial, or public keys in disguise.

use alloc::vec::Vec;

/// The longest symmetric secret, in bytes: longer ones are files that were mistaken for a key.
pub(super) const MAX_SECRET_LEN: usize = 1024;

/// Why a symmetric secret is refused; `None` if nothing speaks against it.
///
/// The check catches mistakes, not every weak choice: a secret that a person made up has little entropy
/// and may still pass.
pub(crate) fn weakness(secret: &[u8]) -> Option<&'static str> {
    if secret.len() < 32 {
        Some("the secret is shorter than 32 bytes")
    } else if secret.len() > MAX_SECRET_LEN {
        Some("the secret is longer than 1,024 bytes")
    } else if is_repetition(secret) {
        Some("the secret repeats a short pattern")
    } else if is_placeholder(secret) {
        Some("the secret is a known placeholder")
    } else if is_public_key(secret) {
        Some("the secret is the text of a public key")
    } else {
        None
    }
}

/// Whether the secret is some block of up to half its length, over and over.
fn is_repetition(secret: &[u8]) -> bool {
    let longest = secret.len() / 2;
    (1..=longest).any(|period| secret.iter().zip(secret.iter().skip(period)).all(|(a, b)| a == b))
}

/// Lower-case fragments that no random secret of printable characters contains by chance more often
/// than once in some hundred million, and that tutorials and templates are full of.
const PLACEHOLDERS: [&str; 15] = [
    "changeme",
    "change-me",
    "change_me",
    "change this",
    "changethis",
    "password",
    "secretkey",
    "secret-key",
    "secret_key",
    "your-256-bit-secret",
    "supersecret",
    "super-secret",
    "insecure",
    "placeholder",
    "example",
];

fn is_placeholder(secret: &[u8]) -> bool {
    secret.is_ascii()
        && PLACEHOLDERS
            .iter()
            .any(|word| secret.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes())))
}

/// Public keys travel as PEM, as OpenSSH lines, as DER, as its base64 or hexadecimal text, and as JWK: whoever holds
/// the public key could sign (CVE-2022-29217 and its many twins).
fn is_public_key(secret: &[u8]) -> bool {
    let text = secret.trim_ascii();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| text.starts_with(prefix.as_bytes()));
    let contains_pem = text.windows(11).any(|window| window == b"-----BEGIN ");
    contains_pem
        || starts(&["---- BEGIN SSH2", "ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"])
        || starts(&["MII", "MFkw", "MHYw", "MCow", "AAAAB3NzaC1", "AAAAC3NzaC1", "AAAAE2VjZHNh"])
            && is_base64(text)
        || is_der_sequence(secret)
        || hex(text).is_some_and(|bytes| is_der_sequence(&bytes))
        || is_jwk(text)
}

/// The bytes that a text of nothing but hexadecimal digits stands for.
fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match *pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    text.chunks(2).map(pair).collect()
}

fn is_base64(text: &[u8]) -> bool {
    text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_=\r\n".contains(byte))
}

/// A DER SEQUENCE that spans the whole secret and opens with what keys open with: a SEQUENCE or an INTEGER.
fn is_der_sequence(secret: &[u8]) -> bool {
    let Some((0x30, rest)) = secret.split_first().map(|(tag, rest)| (*tag, rest)) else { return false };
    let (len, body) = match *rest {
        [len @ 0..=0x7F, ref body @ ..] => (usize::from(len), body),
        [0x81, len, ref body @ ..] => (usize::from(len), body),
        [0x82, high, low, ref body @ ..] => (usize::from(u16::from_be_bytes([high, low])), body),
        _ => return false,
    };
    body.len() == len && matches!(body.first(), Some(0x30 | 0x02))
}

/// Anything that looks like JSON and names a key type, whether or not a strict reader would take it.
fn is_jwk(text: &[u8]) -> bool {
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text).trim_ascii_start();
    let is_json = matches!(text.first(), Some(b'{' | b'['));
    is_json
        && [&b"kty"[..], b"keys"].iter().any(|name| text.windows(name.len()).any(|window| window == *name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_secret_passes() {
        let secret: Vec<u8> = (0_u8..64).map(|i| i.wrapping_mul(167).wrapping_add(13)).collect();
        assert_eq!(weakness(&secret), None);
        assert_eq!(weakness(b"q4t7w!z%C*F-JaNdRgUkXp2s5v8y/B?E"), None);
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        let bad: &[&[u8]] = &[
            b"",
            b"0123456789abcdef0123456789abcde",
            &[0; 32],
            &[0xAA; 64],
            b"secretsecretsecretsecretsecretsecret",
            b"0123456789abcdef0123456789abcdef",
            b"ChangeMe-2f9c1e7ab84d06355e21990c",
            b"your-256-bit-secret-your-256-bit-",
            b"django-insecure-1k!f09d^23h)8rj2w0",
            b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA",
            b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPVt",
            b"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
            b"302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            br#"{"kty":"OKP","crv":"Ed25519","x":"GbxQ"}"#,
            br#"[{"kty":"OKP","crv":"Ed25519","x":"GbxQ",}]"#,
            "\u{feff}{'kty':'OKP','crv':'Ed25519','x':'GbxQ'}".as_bytes(),
        ];
        for secret in bad {
            assert!(weakness(secret).is_some(), "{secret:?}");
        }
        let mut der = alloc::vec![0x30, 42, 0x30, 5];
        der.extend((0_u8..40).map(|i| i.wrapping_mul(73)));
        assert!(weakness(&der).is_some());
    }
}
