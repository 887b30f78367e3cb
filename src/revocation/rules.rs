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

/// How long a store keeps a record at most: no store takes every number for an expiry.
const MAX_KEEP_MS: i64 = MAX_DURATION_S * 1000;

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
        let store_since_s = store_since_s(store_since_ms, self.skew_s)?;
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
        let store_since_s = store_since_s(store_since_ms, self.skew_s)?;
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
    /// of two such revocations in one second takes those with it that came in between. For that,
    /// `store_since_ms` is the marker's.
    ///
    /// # Errors
    /// - [`RevocationError::InvalidArgument`]: as [`Revocations::key`]; of a subject, a `store_since_ms` that is
    ///   negative.
    pub fn revoke(
        &self,
        what: Revocable<'_>,
        stored: &[u8],
        until_s: Option<i64>,
        now_ms: i64,
        store_since_ms: i64,
    ) -> Result<Written, RevocationError> {
        let (kind, id) = what.named()?;
        let now_ms = now_ms.max(0);
        let now_s = now_ms.div_euclid(1000);
        let before = Record::read_of(stored, kind, id);
        let (since_s, end_s) = if kind == Kind::Subject {
            let since_s = before.map_or(now_s, |before| now_s.max(before.since_s.saturating_add(1)));
            // What was stamped late enough for a store that has just begun is taken back as well.
            let store_s = store_since_s(store_since_ms, 0)?;
            let since_s = since_s.max(store_s);
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
            keep_ms: left_ms.saturating_add(MARGIN_MS).min(MAX_KEEP_MS),
        })
    }
}

/// The first second whose tokens a store knows that its marker says this of: as if everybody had been logged
/// out when it began.
pub(super) fn store_since_s(store_since_ms: i64, skew_s: i64) -> Result<i64, RevocationError> {
    match store_since_ms {
        ..0 => Err(RevocationError::InvalidArgument),
        0 => Ok(0),
        since_ms => Ok(since_ms.div_euclid(1000).saturating_add(skew_s).saturating_add(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::lp;
    use crate::keyring::{KeyStatus, Purpose};
    use crate::revocation::issue_time;
    use crate::runtime::OsEntropy;
    use crate::signature::Algorithm;

    const NOW_S: i64 = 1_800_000_000;
    const NOW_MS: i64 = NOW_S * 1000;
    const SUBJECT: Revocable<'_> = Revocable::Subject("ann");
    const SUSPECT: Suspect<'_> =
        Suspect { subject: "ann", token_id: "t", family: "f", key_id: "k", issued_at_s: Some(NOW_S) };

    fn keyring() -> Keyring {
        Keyring::generate(&[(Purpose::Device, Algorithm::Hs256)], 0, &mut OsEntropy).unwrap()
    }

    /// Rules under one secret.
    fn rules() -> Revocations {
        let keyring = keyring();
        let next = keyring.keys().find(|key| key.status() == KeyStatus::Active).unwrap().id().unwrap();
        Revocations::new(&keyring.with_status(next, KeyStatus::Destroyed, None).unwrap(), b"").unwrap()
    }

    fn values(values: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        values.iter().for_each(|value| lp(value, &mut out));
        out
    }

    /// Of a token that was issued then, where only its subject's record is found.
    fn subject_check(rules: &Revocations, stored: &[u8], issued_at_s: i64) -> Result<(), RevocationError> {
        let suspect = Suspect { issued_at_s: Some(issued_at_s), ..SUSPECT };
        rules.check(&suspect, &values(&[stored, b"", b"", b""]), 0)
    }

    fn log_out_everywhere(rules: &Revocations, stored: &[u8], now_ms: i64) -> Vec<u8> {
        rules.revoke(SUBJECT, stored, None, now_ms, 0).unwrap().value
    }

    #[test]
    fn a_token_is_refused_by_each_record_that_is_about_it() {
        let rules = rules();
        let nothing: [&[u8]; 4] = [b""; 4];
        assert_eq!(rules.check(&SUSPECT, &values(&nothing), 0), Ok(()));
        let all = [
            SUBJECT,
            Revocable::Token { subject: "ann", token_id: "t" },
            Revocable::Family { subject: "ann", family: "f" },
            Revocable::Key("k"),
        ];
        for (at, what) in all.into_iter().enumerate() {
            assert_eq!(rules.keys(&SUSPECT)[at], rules.key(what).unwrap());
            let record = rules.revoke(what, b"", None, NOW_MS, 0).unwrap().value;
            let mut found = nothing;
            found[at] = &record;
            assert_eq!(rules.check(&SUSPECT, &values(&found), 0), Err(RevocationError::Revoked), "{what:?}");
        }
    }

    #[test]
    fn logging_in_in_the_second_of_logging_out_everywhere_lives_and_older_tokens_die() {
        for skew_s in [0, 2, 300] {
            let config = alloc::format!(r#"{{"skew_s":{skew_s}}}"#);
            let mut rules = Revocations::new(&keyring(), config.as_bytes()).unwrap();
            rules.tag_count = 1;
            let stored = log_out_everywhere(&rules, b"", NOW_MS + 1);
            for before_s in [0, NOW_S - 1, NOW_S] {
                assert_eq!(subject_check(&rules, &stored, before_s), Err(RevocationError::Revoked));
            }
            let issue = |stored: &[u8]| {
                let since_s = rules.issue_since("ann", &values(&[stored]), 0).unwrap();
                issue_time(NOW_S, since_s, DEFAULT_SKEW_S)
            };
            let fresh = issue(&stored);
            assert_eq!(subject_check(&rules, &stored, fresh), Ok(()));
            assert_eq!(subject_check(&rules, &stored, fresh - 1), Err(RevocationError::Revoked));
            // Again in the same second: who came in between is out, and whoever comes now is in.
            let again = log_out_everywhere(&rules, &stored, NOW_MS + 2);
            assert_eq!(subject_check(&rules, &again, fresh), Err(RevocationError::Revoked));
            assert_eq!(subject_check(&rules, &again, issue(&again)), Ok(()));
        }
    }

    #[test]
    fn a_clock_that_goes_back_takes_no_log_out_back() {
        let rules = rules();
        let stored = log_out_everywhere(&rules, b"", NOW_MS);
        let earlier = log_out_everywhere(&rules, &stored, NOW_MS - 3_600_000);
        assert_eq!(subject_check(&rules, &earlier, NOW_S), Err(RevocationError::Revoked));
        let token = Revocable::Token { subject: "ann", token_id: "t" };
        let long = rules.revoke(token, b"", Some(NOW_S + 5000), NOW_MS, 0).unwrap();
        let short = rules.revoke(token, &long.value, Some(NOW_S + 10), NOW_MS, 0).unwrap();
        assert_eq!(short, long);
        // Until the end, the verifiers' leeway, and a minute.
        assert_eq!(long.keep_ms, 5_360_000);
    }

    #[test]
    fn a_record_that_is_damaged_or_about_something_else_counts_as_revoked() {
        let rules = rules();
        let record = log_out_everywhere(&rules, b"", 0);
        // So long after the log-out that the record itself says nothing of it.
        assert_eq!(subject_check(&rules, &record, NOW_S), Ok(()));
        let refused = |damaged: &[u8]| {
            assert_eq!(subject_check(&rules, damaged, NOW_S), Err(RevocationError::Revoked), "{damaged:x?}");
            assert_eq!(rules.issue_since("ann", &values(&[damaged]), 0), Err(RevocationError::Revoked));
        };
        (1..record.len()).for_each(|len| refused(&record[..len]));
        refused(&[&record[..], b"x"].concat());
        for at in [0, 1, 18, 19, 20] {
            for bit in 0..8 {
                let mut damaged = record.clone();
                damaged[at] ^= 1 << bit;
                refused(&damaged);
            }
        }
        refused(&rules.revoke(Revocable::Subject("bob"), b"", None, 0, 0).unwrap().value);
        // Nothing can be read of it, and so it is written anew.
        assert_eq!(log_out_everywhere(&rules, &record[1..], 0), record);
        for at in 1..4 {
            let mut found: [&[u8]; 4] = [b""; 4];
            found[at] = b"x";
            assert_eq!(rules.check(&SUSPECT, &values(&found), 0), Err(RevocationError::Revoked));
        }
    }

    #[test]
    fn tokens_from_before_the_store_are_refused_and_new_ones_stamped_late_enough() {
        let rules = rules();
        let nothing = values(&[b"", b"", b"", b""]);
        // In the third second after it began, for the clocks may be two apart.
        assert_eq!(rules.check(&SUSPECT, &nothing, NOW_MS - 2001), Ok(()));
        assert_eq!(rules.check(&SUSPECT, &nothing, NOW_MS - 2000), Err(RevocationError::Revoked));
        let since_s = rules.issue_since("ann", &values(&[b""]), NOW_MS).unwrap();
        let fresh = Suspect { issued_at_s: Some(issue_time(NOW_S, since_s, DEFAULT_SKEW_S)), ..SUSPECT };
        assert_eq!(rules.check(&fresh, &nothing, NOW_MS), Ok(()));
        assert_eq!(fresh.issued_at_s, Some(NOW_S + 3));
        let timeless = Suspect { issued_at_s: None, ..SUSPECT };
        assert_eq!(rules.check(&timeless, &nothing, 0), Err(RevocationError::MissingClaim));
        assert_eq!(rules.check(&SUSPECT, &nothing, -1), Err(RevocationError::InvalidArgument));
    }

    #[test]
    fn logging_out_everywhere_takes_back_what_a_store_that_has_just_begun_gave() {
        let rules = rules();
        for stored in [&b""[..], &log_out_everywhere(&rules, b"", NOW_MS - 5000)] {
            let since_s = rules.issue_since("ann", &values(&[stored]), NOW_MS + 999).unwrap();
            let issued_at_s = issue_time(NOW_S, since_s, DEFAULT_SKEW_S);
            assert_eq!(subject_check(&rules, stored, issued_at_s), Ok(()));
            let written = rules.revoke(SUBJECT, stored, None, NOW_MS + 999, NOW_MS + 999).unwrap();
            assert_eq!(subject_check(&rules, &written.value, issued_at_s), Err(RevocationError::Revoked));
        }
        let negative = |what| rules.revoke(what, b"", None, NOW_MS, -1);
        assert_eq!(negative(SUBJECT), Err(RevocationError::InvalidArgument));
        assert!(negative(Revocable::Key("k")).is_ok());
    }

    #[test]
    fn what_was_written_under_the_secret_before_is_found_after_a_rotation() {
        let keyring = keyring();
        let before = Revocations::new(&keyring, b"").unwrap();
        let after = keyring.rotate(Purpose::Device, None, 0, 0, &mut OsEntropy).unwrap();
        let after = Revocations::new(&after, b"").unwrap();
        let token = Revocable::Token { subject: "ann", token_id: "t" };
        assert_ne!(after.key(token), before.key(token));
        let keys = after.keys(&SUSPECT);
        assert_eq!(keys[3], after.key(token).unwrap());
        // The next secret's, of which there is a fresh one too.
        assert_eq!((keys.len(), after.tag_count), (10, 3));
        assert!(keys[3..6].contains(&before.key(token).unwrap()));
        let mut found: [&[u8]; 10] = [b""; 10];
        found[2] = b"damaged";
        assert_eq!(after.check(&SUSPECT, &values(&found), 0), Err(RevocationError::Revoked));
    }

    #[test]
    fn values_are_as_many_as_the_keys() {
        let rules = rules();
        let good = values(&[b"", b"", b"", b""]);
        for bad in [&good[..15], &good[..12], &[], &[&good[..], &[0; 4]].concat()] {
            assert_eq!(rules.check(&SUSPECT, bad, 0), Err(RevocationError::InvalidArgument));
        }
        assert_eq!(rules.issue_since("", &[], 0), Ok(None));
        for (subject, bad) in [("ann", &[][..]), ("ann", &good[..8]), ("", &good[..4])] {
            assert_eq!(rules.issue_since(subject, bad, 0), Err(RevocationError::InvalidArgument));
        }
    }

    #[test]
    fn no_id_and_too_long_an_id_are_not_revoked() {
        let rules = rules();
        let long = "x".repeat(1025);
        for id in ["", &*long] {
            for what in [
                Revocable::Token { subject: "ann", token_id: id },
                Revocable::Family { subject: "ann", family: id },
                Revocable::Subject(id),
                Revocable::Key(id),
            ] {
                assert_eq!(rules.key(what), Err(RevocationError::InvalidArgument));
                assert_eq!(rules.revoke(what, b"", None, 0, 0), Err(RevocationError::InvalidArgument));
            }
        }
    }

    #[test]
    fn extreme_times_neither_wrap_nor_panic() {
        let rules = rules();
        let last = log_out_everywhere(&rules, b"", i64::MAX);
        let last = log_out_everywhere(&rules, &last, i64::MAX);
        assert_eq!(subject_check(&rules, &last, i64::MAX / 1000), Err(RevocationError::Revoked));
        for until_s in [i64::MIN + 1, i64::MAX] {
            let written = rules.revoke(Revocable::Key("k"), b"", Some(until_s), i64::MIN, 0).unwrap();
            assert!((MARGIN_MS..=MAX_KEEP_MS).contains(&written.keep_ms));
        }
    }

    #[test]
    fn a_configuration_is_read_strictly() {
        let keyring = keyring();
        for config in ["", "{}", r#"{"skew_s":300,"longest_ttl_s":3155760000}"#] {
            assert!(Revocations::new(&keyring, config.as_bytes()).is_ok(), "{config}");
        }
        for config in
            ["[]", r#"{"skew_s":301}"#, r#"{"skew_s":null}"#, r#"{"longest_ttl_s":0}"#, r#"{"ttl":1}"#]
        {
            let refused = Revocations::new(&keyring, config.as_bytes());
            assert!(matches!(refused, Err(RevocationError::Config(_))), "{config}");
        }
    }
}
