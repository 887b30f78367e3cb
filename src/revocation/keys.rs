//! Where records lie in a store: all of one user's under the user's tag, in whichever order they are asked for.

use alloc::string::String;
use sha2::{Digest as _, Sha256};

use super::RevocationError;
use super::record::{Kind, MAX_REVOKED_ID_LEN};
use crate::base64url;
use crate::user_tag::TAG_LEN;

/// What can be revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocable<'a> {
    /// One token.
    Token {
        /// Whose it is; empty if it has none.
        subject: &'a str,
        /// Its `jti`.
        token_id: &'a str,
    },
    /// A refresh family, with the access tokens that carry its id.
    Family {
        /// Whose it is.
        subject: &'a str,
        /// Its id, as tokens carry it.
        family: &'a str,
    },
    /// All tokens of a subject that were issued until now.
    Subject(&'a str),
    /// All tokens that a key signed.
    Key(&'a str),
}

impl<'a> Revocable<'a> {
    /// The kind and the id of its record.
    pub(super) fn named(self) -> Result<(Kind, &'a str), RevocationError> {
        let (kind, id) = match self {
            Self::Token { token_id, .. } => (Kind::Token, token_id),
            Self::Family { family, .. } => (Kind::Family, family),
            Self::Subject(subject) => (Kind::Subject, subject),
            Self::Key(key_id) => (Kind::Key, key_id),
        };
        let is_id = (1..=MAX_REVOKED_ID_LEN).contains(&id.len());
        is_id.then_some((kind, id)).ok_or(RevocationError::InvalidArgument)
    }

    /// Whose records it is among.
    pub(super) const fn subject(self) -> &'a str {
        match self {
            Self::Token { subject, .. } | Self::Family { subject, .. } | Self::Subject(subject) => subject,
            Self::Key(_) => "",
        }
    }
}

/// What a token that verifies says of itself. What is empty is not looked up.
#[derive(Debug, Clone, Copy)]
pub struct Suspect<'a> {
    /// `sub`.
    pub subject: &'a str,
    /// `jti`.
    pub token_id: &'a str,
    /// `family`.
    pub family: &'a str,
    /// The id of the key that signed it.
    pub key_id: &'a str,
    /// `iat`.
    pub issued_at_s: Option<i64>,
}

impl<'a> Suspect<'a> {
    /// What is looked up for it, in the order in which it is.
    pub(super) fn named(&self) -> impl Iterator<Item = (Kind, &'a str)> + use<'a> {
        let all = [
            (Kind::Subject, self.subject),
            (Kind::Token, self.token_id),
            (Kind::Family, self.family),
            (Kind::Key, self.key_id),
        ];
        all.into_iter().filter(|(_, id)| !id.is_empty())
    }
}

/// The key of a record of this kind about this id, of the user of this tag.
pub(super) fn place(tag: &[u8; TAG_LEN], kind: Kind, id: &str) -> String {
    let mut key = String::with_capacity(72);
    let rest = match kind {
        Kind::Token => "}:revoked:token:",
        Kind::Family => "}:revoked:family:",
        Kind::Subject => "}:revoked:since",
        Kind::Key => "revoked:key:",
    };
    if kind != Kind::Key {
        key.push('{');
        base64url::encode_into(tag, &mut key);
    }
    key.push_str(rest);
    if kind != Kind::Subject {
        let hash = Sha256::digest(id.as_bytes());
        base64url::encode_into(hash.get(..16).unwrap_or_default(), &mut key);
    }
    key
}
