//! What is read of a store for a token, what follows from it, and what is written.

use alloc::string::String;
use alloc::vec::Vec;

use super::RevocationError;
use super::facts::{DEFAULT_SKEW_S, RevocationFacts};
use super::keys::{Revocable, Suspect, place};
use super::record::{Kind, Record};
use crate::bytes::Reader;
use crate::json::{self, Limits, Value};
use crate::keyring::Keyring;
use crate::time::{MAX_DURATION_S, MAX_LEEWAY_S};
use crate::user_tag::UserTags;

/// The longest life of a token unless said otherwise: 30 days.
pub const DEFAULT_LONGEST_TTL_S: i64 = 30 * 24 * 60 * 60;

/// How long a store keeps a record after its end.
const MARGIN_MS: i64 = 60_000;

/// What to write, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The record.
    pub value: Vec<u8>,
    /// How long the store has to keep it, in milliseconds.
    pub keep_ms: i64,
}

/// Names records, and decides by them.
#[derive(Debug, Clone)]
pub struct Revocations {
    tags: UserTags,
    /// How many tags a subject has.
    tag_count: usize,
    skew_s: i64,
    longest_ttl_s: i64,
}

impl Revocations {
    /// Records named by the `device` secrets of a keyring, written under its primary.
    ///
    /// `config` is empty, or JSON: `{"skew_s":2,"longest_ttl_s":2592000}`, how far apart the clocks of issuers
    /// may be (0 to 300) and how long the longest token lives. Both may be left out.
    ///
    /// # Errors
    /// - [`RevocationError::Config`]: no primary `device` secret; a member unknown, or out of range.
    pub fn new(keyring: &Keyring, config: &[u8]) -> Result<Self, RevocationError> {
        let tags = UserTags::new(keyring).ok_or(RevocationError::Config("no primary `device` secret"))?;
        let tag_count = tags.tags("").count();
        let mut this = Self { tags, tag_count, skew_s: DEFAULT_SKEW_S, longest_ttl_s: DEFAULT_LONGEST_TTL_S };
        if config.is_empty() {
            return Ok(this);
        }
        let Ok(Value::Object(object)) = json::parse(config, Limits::DOCUMENT) else {
            return Err(RevocationError::Config("not a JSON object"));
        };
        for (name, value) in object.iter() {
            let integer = if let Value::Number(number) = value { number.integer() } else { None };
            let within = |range: core::ops::RangeInclusive<i64>, refusal| {
                integer.filter(|integer| range.contains(integer)).ok_or(RevocationError::Config(refusal))
            };
            match &*name.decode() {
                "skew_s" => this.skew_s = within(0..=MAX_LEEWAY_S, "`skew_s` is not 0 to 300")?,
                "longest_ttl_s" => {
                    this.longest_ttl_s =
                        within(1..=MAX_DURATION_S, "`longest_ttl_s` is not 1 second to 100 years")?;
                }
                _ => return Err(RevocationError::Config("a member is not known")),
            }
        }
        Ok(this)
    }

    /// What to read for a token, in this order; the store's marker besides. Each of the subject, the token and
    /// the family under every tag of the subject, the primary's first; the key once.
    #[must_use]
    pub fn keys(&self, suspect: &Suspect<'_>) -> Vec<String> {
        let tags: Vec<_> = self.tags.tags(suspect.subject).collect();
        let mut keys = Vec::new();
        for (kind, id) in suspect.named() {
            keys.extend(tags.iter().take(self.copies(kind)).map(|tag| place(tag, kind, id)));
        }
        keys
    }

    /// Under how many keys a record of this kind may lie.
    const fn copies(&self, kind: Kind) -> usize {
        if matches!(kind, Kind::Key) { 1 } else { self.tag_count }
    }

    /// Decides about a token by what was found under its [keys](Self::keys): `values` is lp(value) for each of
    /// them in their order, empty for none. `store_since_ms` is the marker's.
    ///
    /// # Errors
    /// - [`RevocationError::Revoked`]: taken back, or the store cannot say that it was not.
    /// - [`RevocationError::MissingClaim`]: no `iat`.
    /// - [`RevocationError::InvalidArgument`]: values that are not as many as the keys; a negative time.
    pub fn check(
        &self,
        suspect: &Suspect<'_>,
        values: &[u8],
        store_since_ms: i64,
    ) -> Result<(), RevocationError> {
        let store_since_s = store_since_s(store_since_ms)?;
        let mut reader = Reader(values);
        let mut subject_since_s = None;
        let mut is_token_revoked = false;
        for (kind, id) in suspect.named() {
            for _ in 0..self.copies(kind) {
                let value = reader.part().ok_or(RevocationError::InvalidArgument)?;
                match Record::read_of(value, kind, id) {
                    _ if value.is_empty() => {}
                    Some(record) if kind == Kind::Subject => {
                        subject_since_s = subject_since_s.max(Some(record.since_s));
                    }
                    // What lies where a revocation would lie is one, whatever it says.
                    _ => is_token_revoked = true,
                }
            }
        }
        if !reader.0.is_empty() {
            return Err(RevocationError::InvalidArgument);
        }
        // When it was issued is not known, and its subject was logged out.
        is_token_revoked |= suspect.issued_at_s.is_none() && subject_since_s.is_some();
        let facts = RevocationFacts {
            issued_at_s: suspect.issued_at_s,
            subject_since_s,
            store_since_s: Some(store_since_s),
            skew_s: self.skew_s,
            is_token_revoked,
            is_family_revoked: false,
            is_key_revoked: false,
        };
        facts.check()
    }

    /// What an issuer has to be told, as [`Grant::revoked_since_s`](crate::token::Grant::revoked_since_s), so
    /// that a new token of `subject` lives; `None` for nothing. `values` is lp(value) for each key of
    /// a [`Suspect`] that is this subject and nothing more.
    ///
    /// # Errors
    /// - [`RevocationError::Revoked`]: a record is damaged, so that no token would live; revoking the subject
    ///   repairs it.
    /// - [`RevocationError::InvalidArgument`]: as [`Revocations::check`].
    pub fn issue_since(
        &self,
        subject: &str,
        values: &[u8],
        store_since_ms: i64,
    ) -> Result<Option<i64>, RevocationError> {
        // The issuer stamps for the default skew, a second later than that.
        let store_since_s = store_since_s(store_since_ms)?;
        let mut since_s =
            (store_since_s > 0).then(|| store_since_s.saturating_sub(DEFAULT_SKEW_S).saturating_sub(1));
        let mut reader = Reader(values);
        let copies = if subject.is_empty() { 0 } else { self.tag_count };
        for _ in 0..copies {
            let value = reader.part().ok_or(RevocationError::InvalidArgument)?;
            if !value.is_empty() {
                let record =
                    Record::read_of(value, Kind::Subject, subject).ok_or(RevocationError::Revoked)?;
                let skew_s = self.skew_s.saturating_sub(DEFAULT_SKEW_S);
                since_s = since_s.max(Some(record.since_s.saturating_add(skew_s)));
            }
        }
        if reader.0.is_empty() { Ok(since_s) } else { Err(RevocationError::InvalidArgument) }
    }

    /// Where a revocation is written.
    ///
    /// # Errors
    /// - [`RevocationError::InvalidArgument`]: an id that is empty, or over
    ///   [`MAX_REVOKED_ID_LEN`](super::MAX_REVOKED_ID_LEN).
    pub fn key(&self, what: Revocable<'_>) -> Result<String, RevocationError> {
        let (kind, id) = what.named()?;
        let tag = self.tags.tags(what.subject()).next().ok_or(RevocationError::InvalidArgument)?;
        Ok(place(&tag, kind, id))
    }

    /// What is written there, over what is `stored` (empty for nothing), by compare-and-set.
    ///
    /// `until_s` is when the token, the last token of the family, or the key ends anyway; without it, so long
    /// from now as the longest token lives. Of a subject all tokens die that were issued until now; the second
    /// of two such revocations in one second takes those with it that came in between.
    ///
    /// # Errors
    /// - [`RevocationError::InvalidArgument`]: as [`Revocations::key`].
    pub fn revoke(
        &self,
        what: Revocable<'_>,
        stored: &[u8],
        until_s: Option<i64>,
        now_ms: i64,
    ) -> Result<Written, RevocationError> {
        let (kind, id) = what.named()?;
        let now_ms = now_ms.max(0);
        let now_s = now_ms.div_euclid(1000);
        let before = Record::read_of(stored, kind, id);
        let (since_s, end_s) = if kind == Kind::Subject {
            let since_s = before.map_or(now_s, |before| now_s.max(before.since_s.saturating_add(1)));
            (since_s, since_s.saturating_add(self.skew_s).saturating_add(self.longest_ttl_s))
        } else {
            (0, until_s.unwrap_or_else(|| now_s.saturating_add(self.longest_ttl_s)))
        };
        // Verifiers take a token for so long after its end.
        let end_s = end_s.saturating_add(MAX_LEEWAY_S);
        let until_s = before.map_or(end_s, |before| end_s.max(before.until_s));
        let left_ms = until_s.saturating_mul(1000).saturating_sub(now_ms).max(0);
        Ok(Written {
            value: Record { kind, until_s, since_s, id: id.as_bytes() }.to_bytes(),
            keep_ms: left_ms.saturating_add(MARGIN_MS),
        })
    }
}

/// The first second whose tokens a store knows that its marker says this of.
pub(super) fn store_since_s(store_since_ms: i64) -> Result<i64, RevocationError> {
    match store_since_ms {
        ..0 => Err(RevocationError::InvalidArgument),
        0 => Ok(0),
        since_ms => Ok(since_ms.div_euclid(1000).saturating_add(1)),
    }
}
