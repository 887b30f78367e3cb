//! The offline set: what is revoked, signed, for those who cannot ask the store.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::hash::Hasher as _;
use siphasher::sip::SipHasher24;

use super::RevocationError;
use super::facts::RevocationFacts;
use super::keys::Suspect;
use super::record::Kind;
use super::table::Table;
use crate::bytes::{Reader, length};
use crate::json::{ObjectWriter, write_integer};
use crate::keyring::{Keyring, MAX_KEY_ID_LEN, Purpose};
use crate::time::MAX_LEEWAY_S;

pub(super) const MAGIC: &[u8; 4] = b"DJR1";

pub(super) const SEED_LEN: usize = 16;

/// The bytes of a subject's time.
pub(super) const SINCE_LEN: usize = 8;

/// What a signature covers before the set. Its length begins with a NUL byte, so that it is nothing that a
/// token's signature covers.
const LABEL: &[u8] = b"donjon/revocation-set/v1";

/// The longest life of a set: a day.
pub const MAX_SET_TTL_S: i64 = 24 * 60 * 60;

/// How far ahead the clock of whoever signed may be.
const MAX_AHEAD_S: i64 = 300;

/// What a set says of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetVerdict {
    /// - [`RevocationError::Revoked`].
    /// - [`RevocationError::OutOfDate`]: the set's time is over, or has not come.
    /// - [`RevocationError::MissingClaim`]: no `iat`.
    pub outcome: Result<(), RevocationError>,
    /// The outcome rests on a hash, which about one token in a million shares with one that is revoked: ask
    /// the store, where it can be reached.
    pub is_probable: bool,
}

/// What a set says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetInfo {
    /// Higher than that of every set before.
    pub sequence: u64,
    /// When it was signed.
    pub issued_at_s: i64,
    /// From then on it refuses everything.
    pub valid_until_s: i64,
    /// Tokens that were issued before are refused: the store began anew.
    pub store_since_s: i64,
    /// How far apart the clocks of issuers may be.
    pub skew_s: i64,
    /// How many tokens and families there are in it.
    pub ids: u32,
    /// How many subjects.
    pub subjects: u32,
    /// How many keys.
    pub keys: u16,
    /// Its bytes.
    pub bytes: usize,
}

/// A set whose signature holds. It keeps the bytes and looks things up in them.
#[derive(Clone)]
pub struct RevocationSet {
    /// The label, and the set.
    bytes: Vec<u8>,
    info: SetInfo,
    hasher: SipHasher24,
    ids: Table,
    subjects: Table,
    /// Where the list of keys begins.
    keys: usize,
}

impl RevocationSet {
    /// Opens a set. `last_sequence` is that of the last one that was opened, 0 for none; the key that signed is
    /// one of the keyring's token keys.
    ///
    /// Cost: a signature over all of it, and one pass. Memory: the bytes, once.
    ///
    /// # Errors
    /// - [`RevocationError::Malformed`]: no set.
    /// - [`RevocationError::UnknownKey`], [`RevocationError::KeyDisabled`], [`RevocationError::KeyDestroyed`],
    ///   [`RevocationError::KeyExpired`]: the key that it names. No other is tried.
    /// - [`RevocationError::BadSignature`].
    /// - [`RevocationError::RolledBack`]: older than the last.
    /// - [`RevocationError::OutOfDate`]: its time is over, or has not come.
    /// - [`RevocationError::OutOfMemory`].
    pub fn open(
        set: &[u8],
        keyring: &Keyring,
        last_sequence: u64,
        now_s: i64,
    ) -> Result<Self, RevocationError> {
        let read = Layout::read(set).ok_or(RevocationError::Malformed)?;
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(label_len().saturating_add(set.len()))
            .map_err(|_| RevocationError::OutOfMemory)?;
        write_label(&mut bytes);
        bytes.extend_from_slice(set);
        let signed = bytes.get(..label_len().saturating_add(read.signed_len));
        verify(keyring, read.key_id, signed.unwrap_or_default(), read.signature, now_s)?;
        if !read.is_sound(set) {
            return Err(RevocationError::Malformed);
        }
        let this = Self {
            bytes,
            info: read.info,
            hasher: SipHasher24::new_with_key(read.seed),
            ids: read.ids,
            subjects: read.subjects,
            keys: read.keys,
        };
        if this.info.sequence < last_sequence {
            return Err(RevocationError::RolledBack);
        }
        this.check_time(now_s)?;
        Ok(this)
    }

    /// Decides about a token that verifies.
    ///
    /// Cost: three hashes of 64 bits, and as many look-ups, but for the keys, which are searched one by one.
    #[must_use]
    pub fn check(&self, suspect: &Suspect<'_>, now_s: i64) -> SetVerdict {
        let certain = |outcome| SetVerdict { outcome, is_probable: false };
        if let Err(refusal) = self.check_time(now_s) {
            return certain(Err(refusal));
        }
        let is_before_store = suspect.issued_at_s.is_some_and(|iat| iat < self.info.store_since_s);
        if is_before_store || self.has_key(suspect.key_id) {
            return certain(Err(RevocationError::Revoked));
        }
        let mut subject_since_s = None;
        let mut is_listed = false;
        for (kind, id) in suspect.named() {
            match kind {
                Kind::Subject => {
                    let since_s = self.find(&self.subjects, kind, id).and_then(<[u8]>::first_chunk);
                    subject_since_s = since_s.map(|since_s| i64::from_be_bytes(*since_s));
                }
                Kind::Token | Kind::Family => is_listed |= self.find(&self.ids, kind, id).is_some(),
                Kind::Key => {}
            }
        }
        let facts = RevocationFacts {
            issued_at_s: suspect.issued_at_s,
            subject_since_s,
            store_since_s: Some(self.info.store_since_s),
            skew_s: self.info.skew_s,
            // When it was issued is not known, and its subject was logged out.
            is_token_revoked: is_listed || (suspect.issued_at_s.is_none() && subject_since_s.is_some()),
            is_family_revoked: false,
            is_key_revoked: false,
        };
        let outcome = facts.check();
        SetVerdict { outcome, is_probable: outcome == Err(RevocationError::Revoked) }
    }

    /// What the set says of itself.
    #[must_use]
    pub const fn info(&self) -> &SetInfo {
        &self.info
    }

    /// [`RevocationSet::info`] as JSON, with the chance that one look-up of a token or a family that is not
    /// revoked finds one that is.
    #[must_use]
    pub fn info_json(&self) -> String {
        let info = &self.info;
        let mut text = String::new();
        let bytes = i64::try_from(info.bytes).unwrap_or(i64::MAX);
        ObjectWriter::open(&mut text)
            .raw("sequence", itoa::Buffer::new().format(info.sequence))
            .integer("issued_at_s", info.issued_at_s)
            .integer("valid_until_s", info.valid_until_s)
            .integer("store_since_s", info.store_since_s)
            .integer("ids", info.ids.into())
            .integer("subjects", info.subjects.into())
            .integer("keys", info.keys.into())
            .integer("bytes", bytes)
            .raw("false_positive_rate", &fraction(info.ids, self.ids.hash_bits()))
            .close();
        text
    }

    fn check_time(&self, now_s: i64) -> Result<(), RevocationError> {
        let is_early = self.info.issued_at_s > now_s.saturating_add(MAX_AHEAD_S);
        if is_early || self.info.valid_until_s <= now_s { Err(RevocationError::OutOfDate) } else { Ok(()) }
    }

    fn set(&self) -> &[u8] {
        self.bytes.get(label_len()..).unwrap_or_default()
    }

    fn find(&self, table: &Table, kind: Kind, id: &str) -> Option<&[u8]> {
        table.find(self.set(), hash(self.hasher, kind, id.as_bytes()))
    }

    fn has_key(&self, key_id: &str) -> bool {
        let mut reader = Reader(self.set().get(self.keys..).unwrap_or_default());
        // None of them is empty.
        (0..self.info.keys).any(|_| short_part(&mut reader) == Some(key_id.as_bytes()))
    }
}

/// Nothing of what is in it.
impl fmt::Debug for RevocationSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationSet").field("info", &self.info).finish_non_exhaustive()
    }
}

/// Where everything is.
struct Layout<'a> {
    key_id: &'a str,
    info: SetInfo,
    seed: &'a [u8; SEED_LEN],
    ids: Table,
    subjects: Table,
    keys: usize,
    signed_len: usize,
    signature: &'a [u8],
}

impl<'a> Layout<'a> {
    /// Finds out how long each part is, before anything is known of who wrote them.
    fn read(set: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(set);
        let at = |reader: &Reader<'_>| set.len().saturating_sub(reader.0.len());
        if reader.array()? != MAGIC {
            return None;
        }
        let key_id = core::str::from_utf8(short_part(&mut reader)?).ok()?;
        let sequence = u64::from_be_bytes(*reader.array()?);
        let issued_at_s = i64::from_be_bytes(*reader.array()?);
        let valid_until_s = i64::from_be_bytes(*reader.array()?);
        let store_since_s = i64::from_be_bytes(*reader.array()?);
        let skew_s = u16::from_be_bytes(*reader.array()?).into();
        let seed = reader.array()?;
        let ids_at = at(&reader);
        let ids = Table::measure(&mut reader, ids_at, 0)?;
        let subjects_at = at(&reader);
        let subjects = Table::measure(&mut reader, subjects_at, SINCE_LEN)?;
        let keys = u16::from_be_bytes(*reader.array()?);
        let keys_at = at(&reader);
        for _ in 0..keys {
            short_part(&mut reader)?;
        }
        let signed_len = at(&reader);
        let signature_len = u16::from_be_bytes(*reader.array()?);
        let signature = reader.bytes(signature_len.into())?;
        let info = SetInfo {
            sequence,
            issued_at_s,
            valid_until_s,
            store_since_s,
            skew_s,
            ids: ids.count(),
            subjects: subjects.count(),
            keys,
            bytes: set.len(),
        };
        let this = Self { key_id, info, seed, ids, subjects, keys: keys_at, signed_len, signature };
        reader.0.is_empty().then_some(this)
    }

    /// Whether everything is as its signer has to write it.
    fn is_sound(&self, set: &[u8]) -> bool {
        let mut reader = Reader(set.get(self.keys..).unwrap_or_default());
        let mut last: &[u8] = &[];
        let mut keys = (0..self.info.keys).map(|_| short_part(&mut reader).unwrap_or_default());
        let are_sorted =
            keys.all(|key| core::mem::replace(&mut last, key) < key && key.len() <= MAX_KEY_ID_LEN);
        let terms = &self.info;
        are_sorted
            && is_term(terms.issued_at_s, terms.valid_until_s, terms.skew_s)
            && terms.store_since_s >= 0
            && self.ids.is_sound(set)
            && self.subjects.is_sound(set)
    }
}

/// Whether a set may be signed for this time, and for clocks so far apart.
pub(super) fn is_term(issued_at_s: i64, valid_until_s: i64, skew_s: i64) -> bool {
    issued_at_s >= 0
        && (1..=MAX_SET_TTL_S).contains(&valid_until_s.saturating_sub(issued_at_s))
        && (0..=MAX_LEEWAY_S).contains(&skew_s)
}

/// The hash of something that is revoked.
pub(super) fn hash(mut hasher: SipHasher24, kind: Kind, id: &[u8]) -> u64 {
    hasher.write(&[kind.byte()]);
    hasher.write(id);
    hasher.finish()
}

/// Appends what a signature covers before the set.
pub(super) fn write_label(out: &mut Vec<u8>) {
    out.extend_from_slice(&length(LABEL));
    out.extend_from_slice(LABEL);
}

pub(super) const fn label_len() -> usize {
    LABEL.len().saturating_add(4)
}

/// A part behind a length of one byte.
fn short_part<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let &[len] = reader.array()?;
    reader.bytes(len.into())
}

fn verify(
    keyring: &Keyring,
    key_id: &str,
    signed: &[u8],
    signature: &[u8],
    now_s: i64,
) -> Result<(), RevocationError> {
    let mut keys = keyring.of_purpose(Purpose::Token);
    let key = keys.find(|key| key.id() == Some(key_id)).ok_or(RevocationError::UnknownKey)?;
    key.check_usable(now_s)?;
    let algorithm = key.own_algorithm().ok_or(RevocationError::UnknownKey)?;
    if key.verify(algorithm, signed, signature) { Ok(()) } else { Err(RevocationError::BadSignature) }
}

/// `count` / 2^`bits`, below 1, in decimal and exactly.
fn fraction(count: u32, bits: u32) -> String {
    let mask = 1_u64.wrapping_shl(bits).wrapping_sub(1);
    let mut rest = u64::from(count) & mask;
    let mut text = String::from(if rest == 0 { "0" } else { "0." });
    while rest != 0 {
        rest = rest.saturating_mul(10);
        write_integer(i64::try_from(rest.wrapping_shr(bits)).unwrap_or_default(), &mut text);
        rest &= mask;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::{Revocable, Revocations, SetTerms, sign_set};
    use super::*;
    use crate::bytes::lp;
    use crate::entropy::FixedEntropy;
    use crate::keyring::KeyStatus;
    use crate::revocation::set_bound;
    use crate::runtime::OsEntropy;
    use crate::signature::Algorithm;
    use alloc::format;

    const NOW_S: i64 = 1_800_000_000;
    const TERMS: SetTerms = SetTerms {
        sequence: 7,
        store_since_ms: 0,
        skew_s: 2,
        issued_at_s: NOW_S,
        valid_until_s: NOW_S + 600,
    };
    const CLEAN: Suspect<'_> =
        Suspect { subject: "bob", token_id: "u", family: "g", key_id: "j", issued_at_s: Some(NOW_S - 60) };
    const REVOKED: SetVerdict = verdict(Err(RevocationError::Revoked), true);

    const fn verdict(outcome: Result<(), RevocationError>, is_probable: bool) -> SetVerdict {
        SetVerdict { outcome, is_probable }
    }

    fn keyring(algorithm: Algorithm) -> Keyring {
        let purposes = [(Purpose::Token, algorithm), (Purpose::Device, Algorithm::Hs256)];
        Keyring::generate(&purposes, 0, &mut OsEntropy).unwrap()
    }

    fn records(keyring: &Keyring, all: &[Revocable<'_>]) -> Vec<u8> {
        let rules = Revocations::new(keyring, b"").unwrap();
        let mut out = Vec::new();
        for what in all {
            lp(&rules.revoke(*what, b"", None, NOW_S * 1000, 0).unwrap().value, &mut out);
        }
        out
    }

    /// One of each kind.
    fn some(keyring: &Keyring) -> Vec<u8> {
        let token = Revocable::Token { subject: "ann", token_id: "t" };
        let family = Revocable::Family { subject: "ann", family: "f" };
        records(
            keyring,
            &[token, family, Revocable::Subject("ann"), Revocable::Key("k"), Revocable::Key("a")],
        )
    }

    fn sign(keyring: &Keyring, terms: SetTerms) -> Vec<u8> {
        let (records, mut entropy) = (some(keyring), FixedEntropy::new(&[7; SEED_LEN]));
        let set = sign_set(keyring, terms, &records, &mut entropy).unwrap();
        assert!(set.len() <= set_bound(records.len()).unwrap());
        set
    }

    fn open(keyring: &Keyring, set: &[u8]) -> Result<RevocationSet, RevocationError> {
        RevocationSet::open(set, keyring, 0, NOW_S)
    }

    /// A set with another body, signed by the right key.
    fn signed(keyring: &Keyring, body: &[u8]) -> Vec<u8> {
        let key = keyring.primary(Purpose::Token).unwrap();
        let mut out = Vec::new();
        write_label(&mut out);
        out.extend_from_slice(body);
        let signature = key.sign(key.minting_algorithm().unwrap(), &out).unwrap();
        let mut set = body.to_vec();
        set.extend_from_slice(&u16::try_from(signature.as_bytes().len()).unwrap().to_be_bytes());
        set.extend_from_slice(signature.as_bytes());
        set
    }

    #[test]
    fn each_of_what_is_in_it_is_refused_and_nothing_else() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Hs256] {
            let keyring = keyring(algorithm);
            let set = open(&keyring, &sign(&keyring, TERMS)).unwrap();
            assert_eq!(set.check(&CLEAN, NOW_S), verdict(Ok(()), false));
            for suspect in [
                Suspect { token_id: "t", ..CLEAN },
                Suspect { family: "f", ..CLEAN },
                Suspect { subject: "ann", ..CLEAN },
                Suspect { subject: "ann", issued_at_s: Some(NOW_S + 2), ..CLEAN },
                Suspect { subject: "ann", issued_at_s: None, ..CLEAN },
            ] {
                assert_eq!(set.check(&suspect, NOW_S), REVOKED, "{suspect:?}");
            }
            for key_id in ["k", "a"] {
                let listed = Suspect { key_id, ..CLEAN };
                assert_eq!(set.check(&listed, NOW_S), verdict(Err(RevocationError::Revoked), false));
            }
            let after = Suspect { subject: "ann", issued_at_s: Some(NOW_S + 3), ..CLEAN };
            assert_eq!(set.check(&after, NOW_S), verdict(Ok(()), false));
            let timeless = Suspect { issued_at_s: None, ..CLEAN };
            assert_eq!(set.check(&timeless, NOW_S), verdict(Err(RevocationError::MissingClaim), false));
            // A family is no token, and a subject neither.
            assert_eq!(set.check(&Suspect { token_id: "f", family: "t", ..CLEAN }, NOW_S).outcome, Ok(()));
        }
    }

    #[test]
    fn tokens_from_before_the_store_are_refused_for_certain() {
        let keyring = keyring(Algorithm::EdDsa);
        let set = sign(&keyring, SetTerms { store_since_ms: NOW_S * 1000 - 60_000, ..TERMS });
        let set = open(&keyring, &set).unwrap();
        assert_eq!(set.check(&CLEAN, NOW_S), verdict(Err(RevocationError::Revoked), false));
        assert_eq!(set.check(&Suspect { issued_at_s: Some(NOW_S - 57), ..CLEAN }, NOW_S).outcome, Ok(()));
    }

    #[test]
    fn every_bit_of_a_set_counts() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Hs256] {
            let keyring = keyring(algorithm);
            let set = sign(&keyring, TERMS);
            assert!(open(&keyring, &set).is_ok());
            for at in 0..set.len() {
                for bit in 0..8 {
                    let mut forged = set.clone();
                    forged[at] ^= 1 << bit;
                    assert!(open(&keyring, &forged).is_err(), "{at} {bit}");
                }
            }
        }
    }

    #[test]
    fn a_set_that_is_cut_or_longer_is_none() {
        let keyring = keyring(Algorithm::EdDsa);
        let set = sign(&keyring, TERMS);
        for len in 0..set.len() {
            assert_eq!(open(&keyring, &set[..len]).unwrap_err(), RevocationError::Malformed, "{len}");
        }
        for more in [&[0][..], &set] {
            let longer = [&set[..], more].concat();
            assert_eq!(open(&keyring, &longer).unwrap_err(), RevocationError::Malformed);
        }
    }

    #[test]
    fn a_set_is_believed_for_its_time_only() {
        let keyring = keyring(Algorithm::EdDsa);
        let bytes = sign(&keyring, TERMS);
        let set = open(&keyring, &bytes).unwrap();
        // Withheld, and a clock that went back: five minutes are the signer's to be ahead.
        for (now_s, is_believed) in [
            (NOW_S + 599, true),
            (NOW_S + 600, false),
            (NOW_S - 300, true),
            (NOW_S - 301, false),
            (-1, false),
        ] {
            let out_of_date = verdict(Err(RevocationError::OutOfDate), false);
            let is_checked = set.check(&CLEAN, now_s) != out_of_date;
            let opened = RevocationSet::open(&bytes, &keyring, 0, now_s);
            assert_eq!((is_checked, opened.is_ok()), (is_believed, is_believed), "{now_s}");
            assert!(is_believed || opened.unwrap_err() == RevocationError::OutOfDate);
        }
    }

    #[test]
    fn a_set_that_was_rolled_back_is_refused() {
        let keyring = keyring(Algorithm::EdDsa);
        let set = sign(&keyring, TERMS);
        let after = |last| RevocationSet::open(&set, &keyring, last, NOW_S).map(|set| set.info().sequence);
        assert_eq!((after(0), after(7)), (Ok(7), Ok(7)));
        assert_eq!(
            (after(8), after(u64::MAX)),
            (Err(RevocationError::RolledBack), Err(RevocationError::RolledBack))
        );
    }

    #[test]
    fn the_key_that_a_set_names_says_whether_it_is_believed() {
        let ring = keyring(Algorithm::EdDsa);
        let set = sign(&ring, TERMS);
        let key_id = ring.primary(Purpose::Token).unwrap().id().unwrap();
        let with = |status, end_s| open(&ring.with_status(key_id, status, end_s).unwrap(), &set);
        assert!(with(KeyStatus::VerifyOnly, Some(NOW_S + 1)).is_ok());
        for (status, end_s, error) in [
            (KeyStatus::VerifyOnly, Some(NOW_S), RevocationError::KeyExpired),
            (KeyStatus::Disabled, None, RevocationError::KeyDisabled),
            (KeyStatus::Destroyed, None, RevocationError::KeyDestroyed),
        ] {
            assert_eq!(with(status, end_s).unwrap_err(), error);
        }
        assert_eq!(open(&keyring(Algorithm::EdDsa), &set).unwrap_err(), RevocationError::UnknownKey);
    }

    #[test]
    fn what_the_signer_may_not_write_is_refused_though_it_is_signed() {
        let keyring = keyring(Algorithm::EdDsa);
        let set = sign(&keyring, TERMS);
        let layout = Layout::read(&set).unwrap();
        let body = &set[..layout.signed_len];
        assert!(open(&keyring, &signed(&keyring, body)).is_ok());
        let terms = 5 + layout.key_id.len();
        let with = |at: usize, bytes: &[u8]| {
            let mut body = body.to_vec();
            body[at..at + bytes.len()].copy_from_slice(bytes);
            open(&keyring, &signed(&keyring, &body)).unwrap_err()
        };
        for (at, time_s) in [(8, -1), (16, NOW_S), (16, NOW_S + 86_401), (24, -1)] {
            assert_eq!(with(terms + at, &time_s.to_be_bytes()), RevocationError::Malformed, "{at} {time_s}");
        }
        assert_eq!(with(terms + 32, &301_u16.to_be_bytes()), RevocationError::Malformed);
        // The keys, `a` and `k`, in another order, twice, and of no length.
        for keys in [&b"\x01k\x01a"[..], b"\x01a\x01a"] {
            assert_eq!(with(layout.keys, keys), RevocationError::Malformed);
        }
        let none = [&body[..layout.keys], b"\0\x01k"].concat();
        assert_eq!(open(&keyring, &signed(&keyring, &none)).unwrap_err(), RevocationError::Malformed);
        // The two ids, in the other order.
        let entries = terms + 50 + 13;
        let swapped = [&body[entries + 3..entries + 6], &body[entries..entries + 3]].concat();
        assert_eq!(with(entries, &swapped), RevocationError::Malformed);
    }

    #[test]
    fn a_signature_over_a_token_is_none_over_a_set() {
        let mut label = Vec::new();
        write_label(&mut label);
        assert_eq!((label.len(), label[0]), (label_len(), 0));
        let keyring = keyring(Algorithm::EdDsa);
        let set = sign(&keyring, TERMS);
        let layout = Layout::read(&set).unwrap();
        let key = keyring.primary(Purpose::Token).unwrap();
        let bare = key.sign(Algorithm::EdDsa, &set[..layout.signed_len]).unwrap();
        let forged = [&set[..set.len() - 64], bare.as_bytes()].concat();
        assert_eq!(open(&keyring, &forged).unwrap_err(), RevocationError::BadSignature);
    }

    #[test]
    fn what_cannot_be_signed_is_refused() {
        let keyring = keyring(Algorithm::EdDsa);
        let refusal = |keyring: &Keyring, terms: SetTerms, records: &[u8]| {
            sign_set(keyring, terms, records, &mut FixedEntropy::new(&[7; SEED_LEN])).unwrap_err()
        };
        for terms in [
            SetTerms { skew_s: 301, ..TERMS },
            SetTerms { skew_s: -1, ..TERMS },
            SetTerms { store_since_ms: -1, ..TERMS },
            SetTerms { issued_at_s: -1, ..TERMS },
            SetTerms { valid_until_s: NOW_S, ..TERMS },
            SetTerms { valid_until_s: NOW_S + 86_401, ..TERMS },
        ] {
            assert_eq!(refusal(&keyring, terms, &[]), RevocationError::InvalidArgument, "{terms:?}");
        }
        let good = some(&keyring);
        for records in [&good[1..], &good[..good.len() - 1], &[0; 4], &[0, 0, 0, 1, 1]] {
            assert_eq!(refusal(&keyring, TERMS, records), RevocationError::Malformed);
        }
        let long = records(&keyring, &[Revocable::Key(&"k".repeat(MAX_KEY_ID_LEN + 1))]);
        assert_eq!(refusal(&keyring, TERMS, &long), RevocationError::Malformed);
        let unsigned = Keyring::from_secret(&[0xA5; 40], Algorithm::Hs256, None);
        assert!(
            unsigned.is_err()
                || matches!(refusal(&unsigned.unwrap(), TERMS, &[]), RevocationError::Config(_))
        );
        let without = Keyring::from_jwks(br#"{"keys":[]}"#).unwrap();
        assert!(matches!(refusal(&without, TERMS, &[]), RevocationError::Config(_)));
        let no_entropy = sign_set(&keyring, TERMS, &[], &mut FixedEntropy::new(&[7; SEED_LEN - 1]));
        assert!(matches!(no_entropy, Err(RevocationError::Entropy(_))));
    }

    #[test]
    fn what_may_be_forgotten_is_left_out() {
        let keyring = keyring(Algorithm::EdDsa);
        let rules = Revocations::new(&keyring, b"").unwrap();
        let mut records = Vec::new();
        for (token_id, until_s) in [("over", NOW_S - 301), ("leeway", NOW_S - 300), ("over", NOW_S - 302)] {
            let token = Revocable::Token { subject: "ann", token_id };
            lp(&rules.revoke(token, b"", Some(until_s), 0, 0).unwrap().value, &mut records);
        }
        let set = sign_set(&keyring, TERMS, &records, &mut FixedEntropy::new(&[7; SEED_LEN])).unwrap();
        let set = open(&keyring, &set).unwrap();
        assert_eq!(set.info().ids, 1);
        assert_eq!(set.check(&Suspect { token_id: "leeway", ..CLEAN }, NOW_S), REVOKED);
    }

    #[test]
    fn of_a_subject_that_is_there_twice_the_later_time_counts() {
        let keyring = keyring(Algorithm::EdDsa);
        let rules = Revocations::new(&keyring, b"").unwrap();
        let mut records = Vec::new();
        for at_s in [NOW_S - 5, NOW_S, NOW_S - 9] {
            lp(
                &rules.revoke(Revocable::Subject("bob"), b"", None, at_s * 1000, 0).unwrap().value,
                &mut records,
            );
        }
        let set = sign_set(&keyring, TERMS, &records, &mut FixedEntropy::new(&[7; SEED_LEN])).unwrap();
        let set = open(&keyring, &set).unwrap();
        let issued =
            |issued_at_s| set.check(&Suspect { issued_at_s: Some(issued_at_s), ..CLEAN }, NOW_S).outcome;
        assert_eq!((issued(NOW_S + 2), issued(NOW_S + 3)), (Err(RevocationError::Revoked), Ok(())));
    }

    /// Seeded, so that it comes out the same every time: 8 are expected, for the table is as full as may be.
    #[test]
    fn false_positives_are_as_rare_as_is_said() {
        let keyring = keyring(Algorithm::EdDsa);
        let ids: Vec<_> = (0..4096).map(|n| format!("revoked-{n}")).collect();
        let all: Vec<_> = ids.iter().map(|id| Revocable::Token { subject: "ann", token_id: id }).collect();
        let records = records(&keyring, &all);
        let set = sign_set(&keyring, TERMS, &records, &mut FixedEntropy::new(&[7; SEED_LEN])).unwrap();
        assert!(set.len() < 4096 * 7 / 2 + 256);
        let set = open(&keyring, &set).unwrap();
        assert!(ids.iter().all(|id| set.find(&set.ids, Kind::Token, id).is_some()));
        // 2^-20.
        assert!(set.info_json().ends_with(r#""false_positive_rate":0.00000095367431640625}"#));
        let is_found = |n: &u32| set.find(&set.ids, Kind::Token, &format!("live-{n}")).is_some();
        let found = (0..1 << 23).filter(is_found).count();
        assert!((1..=20).contains(&found), "{found}");
    }

    #[test]
    fn a_set_says_what_is_in_it() {
        let keyring = keyring(Algorithm::EdDsa);
        let set = sign(&keyring, SetTerms { sequence: u64::MAX, store_since_ms: 1, ..TERMS });
        let expected = format!(
            concat!(
                r#"{{"sequence":18446744073709551615,"issued_at_s":1800000000,"valid_until_s":1800000600,"#,
                r#""store_since_s":3,"ids":2,"subjects":1,"keys":2,"bytes":{},"#,
                r#""false_positive_rate":0.00000011920928955078125}}"#
            ),
            set.len()
        );
        let set = open(&keyring, &set).unwrap();
        assert_eq!(set.info_json(), expected);
        assert!(!format!("{set:?}").contains("bytes: ["));
        assert_eq!(
            (fraction(0, 24), fraction(1, 1), fraction(3, 3)),
            ("0".into(), "0.5".into(), "0.375".into())
        );
    }
}
