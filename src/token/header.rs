//! The header of a JWS (RFC 7515 §4): read before anything is trusted, so it only ever narrows.

use super::TokenError;
use crate::json::{JsonError, Limits, Members, Text, Value};
use crate::signature::Algorithm;

/// What the header says that donjon listens to. Keys, and where to fetch keys (`jwk`, `jku`, `x5u`,
/// `x5c`), are not among it (RFC 8725 §3.10).
#[derive(Debug)]
pub(super) struct Header<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<Text<'a>>,
    pub(super) typ: Option<Text<'a>>,
}

impl From<JsonError> for TokenError {
    fn from(_: JsonError) -> Self {
        Self::Malformed
    }
}

impl<'a> Header<'a> {
    pub(super) fn read(text: &'a [u8]) -> Result<Self, TokenError> {
        let mut algorithm = None;
        let mut key_id = None;
        let mut typ = None;
        let mut is_encrypted = false;
        let mut is_critical = false;
        let mut members = Members::open(text, Limits::HEADER)?;
        while let Some((name, value)) = members.next_member()? {
            if name == "alg" {
                algorithm = Some(expect_text(value)?);
            } else if name == "kid" {
                key_id = Some(expect_text(value)?);
            } else if name == "typ" {
                typ = Some(expect_text(value)?);
            } else if name == "crit" {
                is_critical = true;
                check_critical(value)?;
            } else if name == "b64" {
                // RFC 7797: the payload as it is, which only a `crit` may switch on.
                is_critical |= !matches!(value, Value::Bool(true));
            } else if name == "enc" || name == "zip" || name == "p2c" || name == "p2s" {
                is_encrypted = true;
            }
        }
        let algorithm = algorithm.ok_or(TokenError::AlgNotAllowed)?;
        if is_encrypted || is_encryption_algorithm(algorithm) {
            return Err(TokenError::Unsupported);
        }
        let known = Algorithm::ALL.into_iter().find(|known| algorithm == known.name());
        let known = known.or_else(|| Algorithm::from_name(&algorithm.decode()));
        let algorithm = known.ok_or(TokenError::AlgNotAllowed)?;
        if is_critical {
            return Err(TokenError::UnsupportedCritical);
        }
        Ok(Self { algorithm, key_id, typ })
    }

    /// Whether the header's `typ` is this one: a media type, so in any case, with or without its
    /// `application/` (RFC 7515 §4.1.9).
    pub(super) fn is_typ(&self, expected: &str) -> bool {
        self.typ.is_some_and(|typ| {
            let typ = typ.decode();
            let prefix = "application/";
            let name = match typ.split_at_checked(prefix.len()) {
                Some((head, rest)) if head.eq_ignore_ascii_case(prefix) => rest,
                _ => &typ,
            };
            name.eq_ignore_ascii_case(expected)
        })
    }
}

fn expect_text(value: Value<'_>) -> Result<Text<'_>, TokenError> {
    match value {
        Value::Text(text) => Ok(text),
        _ => Err(TokenError::Malformed),
    }
}

/// RFC 7515 §4.1.11: a list of names, not empty. No extension is understood, so a well-formed list is
/// refused all the same, and what it names, or names twice, is nobody's concern.
fn check_critical(value: Value<'_>) -> Result<(), TokenError> {
    match value {
        Value::Array(names) if names.is_all_text() && names.texts().next().is_some() => Ok(()),
        _ => Err(TokenError::Malformed),
    }
}

/// The key management algorithms of JWE (RFC 7518 §4.1).
fn is_encryption_algorithm(name: Text<'_>) -> bool {
    let name = name.decode();
    name == "dir"
        || ["RSA1_5", "RSA-OAEP", "ECDH-ES", "PBES2-"].iter().any(|prefix| name.starts_with(prefix))
        || name.starts_with('A') && name.ends_with("KW")
}
