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
