//! Signing an offline set, out of the records that a store has.

use alloc::vec::Vec;
use siphasher::sip::SipHasher24;

use super::record::{Kind, Record};
use super::rules::store_since_s;
use super::set::{MAGIC, SEED_LEN, SINCE_LEN, hash, is_term, label_len, write_label};
use super::{RevocationError, table};
use crate::bytes::Reader;
use crate::entropy::Entropy;
use crate::keyring::{Keyring, MAX_KEY_ID_LEN, Purpose};

/// The most bytes of records that a set is made of, each behind its length.
pub const MAX_SET_RECORDS_LEN: usize = 1 << 31;

/// What stands around the records of a set, at most.
const FRAME_LEN: usize = 512;

/// What a set is to say of itself.
#[derive(Debug, Clone, Copy)]
pub struct SetTerms {
    /// Higher than that of every set before.
    pub sequence: u64,
    /// The marker's, of the store that the records are from.
    pub store_since_ms: i64,
    /// How far apart the clocks of issuers may be: 0 to 300 seconds.
    pub skew_s: i64,
    /// When the records were read.
    pub issued_at_s: i64,
    /// From then on the set refuses everything: up to [`MAX_SET_TTL_S`](super::MAX_SET_TTL_S) later.
    pub valid_until_s: i64,
}

/// The bytes of a set at most, made of so many bytes of records; `None` for too many.
#[must_use]
pub const fn set_bound(records_len: usize) -> Option<usize> {
    if records_len > MAX_SET_RECORDS_LEN {
        return None;
    }
    // The shortest record, with its length, is 23 bytes, and takes 11 1/2 in a table: half. Of a key's record
    // all of the id is kept, but of 65,535 at most.
    const KEYS_LEN: usize = (MAX_KEY_ID_LEN + 1) * 0xFFFF;
    let keys_len = if records_len < KEYS_LEN { records_len } else { KEYS_LEN };
    Some((records_len / 2).saturating_add(keys_len).saturating_add(FRAME_LEN))
}

/// Signs the set of `records`, each as lp(record), with the primary token key. Records that may be forgotten
/// are left out.
///
/// Cost: a sort, and a signature over the set. Memory: 16 bytes a record, and the set, about 3.5 bytes for a
/// token or a family and 11.5 for a subject.
///
/// # Errors
/// - [`RevocationError::Malformed`]: a record is none; the caller leaves out no revocation unseen.
/// - [`RevocationError::TooLarge`]: over [`MAX_SET_RECORDS_LEN`], or 65,535 keys.
/// - [`RevocationError::InvalidArgument`]: the terms are out of their bounds.
/// - [`RevocationError::Config`]: no primary token key that signs and has an id.
/// - [`RevocationError::KeyExpired`]: its end has passed. - [`RevocationError::OutOfMemory`].
/// - [`RevocationError::Entropy`]: no entropy.
pub fn sign_set(
    keyring: &Keyring,
    terms: SetTerms,
    records: &[u8],
    entropy: &mut impl Entropy,
) -> Result<Vec<u8>, RevocationError> {
    if records.len() > MAX_SET_RECORDS_LEN {
        return Err(RevocationError::TooLarge);
    }
    if !is_term(terms.issued_at_s, terms.valid_until_s, terms.skew_s) {
        return Err(RevocationError::InvalidArgument);
    }
    let store_since_s = store_since_s(terms.store_since_ms, terms.skew_s)?;
    let unsigned = RevocationError::Config("no primary token key that signs and has an id");
    let key = keyring.primary(Purpose::Token).ok_or(unsigned)?;
    let (algorithm, key_id) = (key.minting_algorithm().ok_or(unsigned)?, key.id().ok_or(unsigned)?);
    key.check_usable(terms.issued_at_s)?;

    let mut seed = [0; SEED_LEN];
    entropy.fill(&mut seed)?;
    let mut listed = Listed::read(records, terms.issued_at_s, SipHasher24::new_with_key(&seed))?;

    let mut out = Vec::new();
    write_label(&mut out);
    out.extend_from_slice(MAGIC);
    push_short(key_id.as_bytes(), &mut out);
    out.extend_from_slice(&terms.sequence.to_be_bytes());
    for time_s in [terms.issued_at_s, terms.valid_until_s, store_since_s] {
        out.extend_from_slice(&time_s.to_be_bytes());
    }
    let skew_s = u16::try_from(terms.skew_s).map_err(|_| RevocationError::InvalidArgument)?;
    out.extend_from_slice(&skew_s.to_be_bytes());
    out.extend_from_slice(&seed);
    table::write(&mut listed.ids, 0, &mut out)?;
    table::write(&mut listed.subjects, SINCE_LEN, &mut out)?;
    listed.write_keys(&mut out)?;
    let signature = key.sign(algorithm, &out).ok_or(unsigned)?;
    let signature_len = u16::try_from(signature.as_bytes().len()).map_err(|_| unsigned)?;
    out.extend_from_slice(&signature_len.to_be_bytes());
    out.extend_from_slice(signature.as_bytes());
    out.drain(..label_len());
    Ok(out)
}

/// What is revoked, by what it goes into.
struct Listed<'a> {
    ids: Vec<(u64, i64)>,
    subjects: Vec<(u64, i64)>,
    keys: Vec<&'a [u8]>,
}

impl<'a> Listed<'a> {
    fn read(records: &'a [u8], now_s: i64, hasher: SipHasher24) -> Result<Self, RevocationError> {
        let mut this = Self { ids: Vec::new(), subjects: Vec::new(), keys: Vec::new() };
        let mut reader = Reader(records);
        while !reader.0.is_empty() {
            let record = reader.part().and_then(Record::read).ok_or(RevocationError::Malformed)?;
            if record.kind == Kind::Key && record.id.len() > MAX_KEY_ID_LEN {
                return Err(RevocationError::Malformed);
            }
            if record.until_s < now_s {
                continue;
            }
            let hashed = (hash(hasher, record.kind, record.id), record.since_s);
            match record.kind {
                Kind::Token | Kind::Family => push(hashed, &mut this.ids)?,
                Kind::Subject => push(hashed, &mut this.subjects)?,
                Kind::Key => push(record.id, &mut this.keys)?,
            }
        }
        Ok(this)
    }

    fn write_keys(&mut self, out: &mut Vec<u8>) -> Result<(), RevocationError> {
        self.keys.sort_unstable();
        self.keys.dedup();
        let count = u16::try_from(self.keys.len()).map_err(|_| RevocationError::TooLarge)?;
        let room = self.keys.len().saturating_mul(MAX_KEY_ID_LEN.saturating_add(1)).saturating_add(FRAME_LEN);
        out.try_reserve(room).map_err(|_| RevocationError::OutOfMemory)?;
        out.extend_from_slice(&count.to_be_bytes());
        self.keys.iter().for_each(|key| push_short(key, out));
        Ok(())
    }
}

fn push<T>(value: T, list: &mut Vec<T>) -> Result<(), RevocationError> {
    list.try_reserve(1).map_err(|_| RevocationError::OutOfMemory)?;
    list.push(value);
    Ok(())
}

/// Appends a key's id behind its length, which fits in a byte.
fn push_short(part: &[u8], out: &mut Vec<u8>) {
    out.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(part);
}
