//! A table of hashes: buckets by their first bits, and of each the 24 bits after those. Of something that is
//! not in it, at most one in 2^20 is taken for something that is.
//!
//! ```text
//! table = count u32 ‖ b u8 ‖ offsets u32 × (2^b + 1) ‖ entries: remainder(3) ‖ value
//! ```
//!
//! The bucket of a hash are its top b bits, its remainder the next 24. Entries stand in the order of both; b is
//! the smallest with 16 entries to a bucket or fewer.

use alloc::vec::Vec;

use super::RevocationError;
use crate::bytes::Reader;

const REMAINDER_LEN: usize = 3;
const REMAINDER_BITS: u32 = 24;

/// As many buckets as [`MAX_ENTRIES`] take.
const MAX_BITS: u32 = 22;

/// How many entries come to a bucket.
const PER_BUCKET: u32 = 16;

/// The most entries.
const MAX_ENTRIES: u32 = PER_BUCKET << MAX_BITS;

/// Where in a set a table lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    // INVARIANT: at most `MAX_ENTRIES`.
    count: u32,
    // INVARIANT: at most `MAX_BITS`.
    bits: u32,
    value_len: usize,
    /// Where the offsets begin.
    offsets: usize,
    /// Where the entries begin.
    entries: usize,
}

impl Table {
    /// The table that `reader` is at, `at` bytes from the beginning of a set. Only how long it is is looked at.
    pub(super) fn measure(reader: &mut Reader<'_>, at: usize, value_len: usize) -> Option<Self> {
        let count = u32::from_be_bytes(*reader.array()?);
        let bits = u32::from(u8::from_be_bytes(*reader.array()?));
        if bits > MAX_BITS || bits != bits_for(count)? {
            return None;
        }
        let offsets = at.checked_add(5)?;
        let offsets_len = (1_usize << bits).checked_add(1)?.checked_mul(4)?;
        let this = Self { count, bits, value_len, offsets, entries: offsets.checked_add(offsets_len)? };
        reader.bytes(offsets_len)?;
        reader.bytes(this.entry_len().checked_mul(usize::try_from(count).ok()?)?)?;
        Some(this)
    }

    const fn entry_len(&self) -> usize {
        self.value_len.saturating_add(REMAINDER_LEN)
    }

    /// Whether everything in it is where it would be looked for, once.
    pub(super) fn is_sound(&self, set: &[u8]) -> bool {
        let buckets = 1_u64 << self.bits;
        let is_sorted = |bucket: u64| {
            let remainder = |entry: &[u8]| entry.first_chunk::<REMAINDER_LEN>().copied();
            self.bucket(set, bucket).is_some_and(|entries| {
                entries.chunks_exact(self.entry_len()).map(remainder).is_sorted_by(|a, b| a < b)
            })
        };
        self.offset(set, 0) == Some(0)
            && self.offset(set, buckets) == usize::try_from(self.count).ok()
            && (0..buckets).all(is_sorted)
    }

    /// The value of a hash that is in the table.
    pub(super) fn find<'a>(&self, set: &'a [u8], hash: u64) -> Option<&'a [u8]> {
        let remainder = remainder(hash, self.bits);
        let entries = self.bucket(set, bucket(hash, self.bits))?;
        entries.chunks_exact(self.entry_len()).find_map(|entry| entry.strip_prefix(&remainder))
    }

    /// The entries of a bucket; `None` if its offsets are not in order.
    fn bucket<'a>(&self, set: &'a [u8], bucket: u64) -> Option<&'a [u8]> {
        let at = |offset: usize| offset.checked_mul(self.entry_len())?.checked_add(self.entries);
        let (start, end) = (self.offset(set, bucket)?, self.offset(set, bucket.checked_add(1)?)?);
        let is_within = start <= end && end <= usize::try_from(self.count).ok()?;
        set.get(at(start)?..at(end)?).filter(|_| is_within)
    }

    fn offset(&self, set: &[u8], bucket: u64) -> Option<usize> {
        let at = usize::try_from(bucket).ok()?.checked_mul(4)?.checked_add(self.offsets)?;
        usize::try_from(u32::from_be_bytes(*set.get(at..)?.first_chunk()?)).ok()
    }

    /// How many entries there are.
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// Of how many things that are not in it one is taken for an entry: 2 to the power of this, divided by the
    /// number of entries.
    pub(super) const fn hash_bits(&self) -> u32 {
        self.bits.saturating_add(REMAINDER_BITS)
    }
}

/// Appends the table of these hashes and times; the times are the values, `value_len` bytes of each. Equal
/// hashes are one entry, of the latest time.
pub(super) fn write(
    hashes: &mut [(u64, i64)],
    value_len: usize,
    out: &mut Vec<u8>,
) -> Result<(), RevocationError> {
    hashes.sort_unstable();
    let count = |bits: u32| {
        let same = |a: &(u64, i64), b: &(u64, i64)| prefix(a.0, bits) == prefix(b.0, bits);
        u32::try_from(hashes.chunk_by(same).count()).ok()
    };
    // Fewer bits leave fewer entries, never less than half: where they do for b, they do for b + 1.
    let mut bits = MAX_BITS;
    let mut entries = count(bits).filter(|count| *count <= MAX_ENTRIES).ok_or(RevocationError::TooLarge)?;
    while let Some(fewer) = bits.checked_sub(1) {
        let Some(left) = count(fewer).filter(|left| *left <= PER_BUCKET << fewer) else { break };
        (bits, entries) = (fewer, left);
    }
    let entry_len = REMAINDER_LEN.saturating_add(value_len);
    let len = usize::try_from(entries)
        .ok()
        .and_then(|entries| entries.checked_mul(entry_len)?.checked_add(4_usize << bits)?.checked_add(9));
    out.try_reserve_exact(len.ok_or(RevocationError::TooLarge)?).map_err(|_| RevocationError::OutOfMemory)?;
    out.extend_from_slice(&entries.to_be_bytes());
    out.push(u8::try_from(bits).map_err(|_| RevocationError::TooLarge)?);

    let same = |a: &(u64, i64), b: &(u64, i64)| prefix(a.0, bits) == prefix(b.0, bits);
    let (mut own, mut written) = (0, 0_u32);
    out.extend_from_slice(&written.to_be_bytes());
    for (hash, _) in hashes.chunk_by(same).filter_map(<[_]>::first) {
        while own < bucket(*hash, bits) {
            out.extend_from_slice(&written.to_be_bytes());
            own = own.saturating_add(1);
        }
        written = written.saturating_add(1);
    }
    while own < 1 << bits {
        out.extend_from_slice(&written.to_be_bytes());
        own = own.saturating_add(1);
    }
    for entry in hashes.chunk_by(same) {
        let latest = entry.iter().max_by_key(|(_, since_s)| *since_s).ok_or(RevocationError::TooLarge)?;
        out.extend_from_slice(&remainder(latest.0, bits));
        out.extend_from_slice(latest.1.to_be_bytes().get(..value_len).unwrap_or_default());
    }
    Ok(())
}

/// The smallest number of bits that gives so many entries their buckets; `None` for too many.
fn bits_for(count: u32) -> Option<u32> {
    (0..=MAX_BITS).find(|bits| count <= PER_BUCKET << bits)
}

/// All of a hash that is looked at.
const fn prefix(hash: u64, bits: u32) -> u64 {
    hash.wrapping_shr(u64::BITS.saturating_sub(REMAINDER_BITS).saturating_sub(bits))
}

fn bucket(hash: u64, bits: u32) -> u64 {
    prefix(hash, bits) >> REMAINDER_BITS
}

fn remainder(hash: u64, bits: u32) -> [u8; REMAINDER_LEN] {
    let [_, _, _, _, _, a, b, c] = prefix(hash, bits).to_be_bytes();
    [a, b, c]
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    /// The table of these, and its bytes.
    fn table(hashes: &[(u64, i64)], value_len: usize) -> (Table, Vec<u8>) {
        let mut bytes = Vec::new();
        write(&mut hashes.to_vec(), value_len, &mut bytes).unwrap();
        let mut reader = Reader(&bytes);
        let table = Table::measure(&mut reader, 0, value_len).unwrap();
        assert!(reader.0.is_empty() && table.is_sound(&bytes));
        (table, bytes)
    }

    /// Hashes that fill the same buckets whatever their number of bits.
    fn even(count: u64) -> Vec<(u64, i64)> {
        (0..count).map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15), 0)).collect()
    }

    #[test]
    fn there_are_as_few_buckets_as_hold_sixteen_each() {
        for (count, bits, len) in [(0, 0, 13), (16, 0, 61), (17, 1, 68), (32, 1, 113), (33, 2, 124)] {
            let (table, bytes) = table(&even(count), 0);
            assert_eq!((table.count.into(), table.bits, bytes.len()), (count, bits, len));
        }
        assert_eq!((bits_for(MAX_ENTRIES), bits_for(MAX_ENTRIES + 1)), (Some(MAX_BITS), None));
    }

    #[test]
    fn equal_remainders_are_one_entry_and_take_the_room_of_one() {
        let mut hashes = even(16);
        let twin = hashes[3].0 ^ 0xFF_FFFF;
        hashes.push((twin, 0));
        let (table, bytes) = table(&hashes, 0);
        assert_eq!((table.count, table.bits), (16, 0));
        assert!(table.find(&bytes, twin).is_some());
    }

    #[test]
    fn a_table_of_other_bits_or_in_another_order_is_none() {
        let (table, bytes) = table(&even(17), 0);
        let measured = |bytes: &[u8]| Table::measure(&mut Reader(bytes), 0, 0);
        for bits in [0, 2, 22, 23, 63, 64, 255] {
            let mut other = bytes.clone();
            other[4] = bits;
            other.resize(1 << 20, 0);
            assert!(measured(&other).is_none(), "{bits}");
        }
        for len in 0..bytes.len() {
            assert!(measured(&bytes[..len]).is_none(), "{len}");
        }
        let entries = table.entries;
        let swapped = |a: usize, b: usize| {
            let mut other = bytes.clone();
            (0..3).for_each(|n| other.swap(entries + 3 * a + n, entries + 3 * b + n));
            other
        };
        assert!(!table.is_sound(&swapped(0, 1)));
        let mut twice = bytes.clone();
        twice.copy_within(entries..entries + 3, entries + 3);
        assert!(!table.is_sound(&twice));
        // The first offset, one in the middle, the last.
        for (at, value) in [(5, 1_u32), (9, 18), (9, u32::MAX), (13, 16), (13, 18)] {
            let mut other = bytes.clone();
            other[at..at + 4].copy_from_slice(&value.to_be_bytes());
            assert!(!table.is_sound(&other), "{at} {value}");
        }
    }

    proptest! {
        #[test]
        fn what_is_in_it_is_found_with_its_latest_time_and_nothing_else(
            hashes in proptest::collection::vec((0_u64.., any::<i64>()), 0..200),
            close in proptest::collection::vec((0_u64..1 << 20, -3_i64..3), 0..60),
            others in proptest::collection::vec(0_u64.., 50),
        ) {
            let hashes: Vec<_> = hashes.into_iter().chain(close).collect();
            let (table, bytes) = table(&hashes, 8);
            let mut latest: BTreeMap<u64, i64> = BTreeMap::new();
            for &(hash, since_s) in &hashes {
                let entry = latest.entry(prefix(hash, table.bits)).or_insert(since_s);
                *entry = since_s.max(*entry);
            }
            for hash in hashes.iter().map(|(hash, _)| *hash).chain(others) {
                let found = table.find(&bytes, hash).map(|value| i64::from_be_bytes(value.try_into().unwrap()));
                prop_assert_eq!(found, latest.get(&prefix(hash, table.bits)).copied());
            }
        }

        #[test]
        fn a_damaged_table_is_looked_at_without_harm(
            hashes in proptest::collection::vec((0_u64.., any::<i64>()), 0..60),
            damage in proptest::collection::vec((0_usize.., 0_u8..), 1..6),
            hash in 0_u64..,
        ) {
            let (table, mut bytes) = table(&hashes, 8);
            let len = bytes.len();
            damage.into_iter().for_each(|(at, byte)| bytes[at % len] = byte);
            let _ = (table.is_sound(&bytes), table.find(&bytes, hash));
            let _ = Table::measure(&mut Reader(&bytes), 0, 8);
        }
    }
}
