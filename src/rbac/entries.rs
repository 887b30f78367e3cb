//! Sets of catalogue entries, and of their instances.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// An entry of the catalogue, by its place.
pub(super) type EntryId = u32;

/// An instance of an open entry: `document:read:42`, as its entry and the number of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Instance {
    pub(super) entry: EntryId,
    pub(super) name: u32,
}

/// Which entries, one bit each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Bits(Vec<u64>);

fn place(entry: EntryId) -> (usize, u64) {
    (usize::try_from(entry >> 6).unwrap_or(usize::MAX), 1 << (entry & 63))
}

impl Bits {
    /// Room for `entries` bits, none of them set.
    pub(super) fn none(entries: usize) -> Self {
        Self(alloc::vec![0; entries.div_ceil(64)])
    }

    pub(super) fn contains(&self, entry: EntryId) -> bool {
        let (word, bit) = place(entry);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    pub(super) fn insert(&mut self, entry: EntryId) {
        let (word, bit) = place(entry);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    pub(super) fn add(&mut self, set: &EntrySet) {
        match set {
            EntrySet::Few(entries) => entries.iter().for_each(|&entry| self.insert(entry)),
            EntrySet::Many(bits) => self.0.iter_mut().zip(&bits.0).for_each(|(own, more)| *own |= more),
        }
    }

    pub(super) fn subtract(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, less)| *own &= !less);
    }

    pub(super) fn clear(&mut self) {
        self.0.fill(0);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = EntryId> {
        (0_u32..).step_by(64).zip(&self.0).flat_map(|(base, &word)| {
            let mut rest = word;
            core::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest.wrapping_sub(1);
                Some(base | bit)
            })
        })
    }

    fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }
}

/// A finished set, in whichever form is smaller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EntrySet {
    /// Sorted.
    Few(Box<[EntryId]>),
    Many(Bits),
}

impl EntrySet {
    /// Of a catalogue of `entries`.
    pub(super) fn new(mut of: Vec<EntryId>, entries: usize) -> Self {
        of.sort_unstable();
        of.dedup();
        if of.len().div_ceil(2) < entries.div_ceil(64) {
            return Self::Few(of.into());
        }
        let mut bits = Bits::none(entries);
        of.into_iter().for_each(|entry| bits.insert(entry));
        Self::Many(bits)
    }

    pub(super) fn of(bits: &Bits) -> Self {
        // Two entries take as much as one word of bits.
        if bits.count().div_ceil(2) < bits.0.len() {
            Self::Few(bits.iter().collect())
        } else {
            Self::Many(bits.clone())
        }
    }

    pub(super) fn contains(&self, entry: EntryId) -> bool {
        match self {
            Self::Few(entries) => entries.binary_search(&entry).is_ok(),
            Self::Many(bits) => bits.contains(entry),
        }
    }

    /// What it takes, in bytes.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Few(entries) => size_of_val(&**entries),
            Self::Many(bits) => size_of_val(&*bits.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_whatever_its_form() {
        for entries in [&[0, 63, 64, 129][..], &[], &(0..130).collect::<Vec<_>>()] {
            let mut bits = Bits::none(130);
            entries.iter().for_each(|&entry| bits.insert(entry));
            assert!(bits.iter().eq(entries.iter().copied()));
            let set = EntrySet::of(&bits);
            for entry in 0..140 {
                assert_eq!(set.contains(entry), entries.contains(&entry));
                assert_eq!(bits.contains(entry), entries.contains(&entry));
            }
            let mut again = Bits::none(130);
            again.add(&set);
            assert_eq!(again, bits);
        }
    }
}
