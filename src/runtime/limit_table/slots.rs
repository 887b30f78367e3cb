//! A hash table of states: open addressing, linear probing, no tombstones.
//!
//! An entry is 40 bytes, and beside the entry that is looked for lie those that are probed on the way, so that
//! a look-up is one place in memory. It grows by a quarter when seven eighths are taken, which is 46 to 57 bytes
//! for an entry. The hash is the id, which nobody outside can choose.

use alloc::vec::Vec;

use super::state::State;
use crate::limit::LimitError;

/// A key, by the keyed hash of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id {
    /// Chooses the shard.
    pub(super) high: u64,
    /// Chooses the place in it.
    pub(super) low: u64,
}

/// The slots that a table begins with.
const FIRST_SLOTS: usize = 10;

#[derive(Debug)]
struct Slot {
    id: Id,
    state: State,
}

impl Slot {
    const VACANT: Self = Self { id: Id { high: 0, low: 0 }, state: State::Vacant };
}

/// States by id.
// INVARIANT: `len` slots are not vacant, and at least one is, if there are any. Between where an id belongs and
// where it is, no slot is vacant.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    len: usize,
    /// The bytes that states hold outside of their slots.
    allocated: usize,
}

impl Slots {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The entries for which there is room.
    pub(super) fn room(&self) -> usize {
        self.slots.len().saturating_mul(7) / 8
    }

    /// The bytes that the table holds.
    pub(super) fn bytes(&self) -> usize {
        self.slots.capacity().saturating_mul(size_of::<Slot>()).saturating_add(self.allocated)
    }

    /// Where an id is.
    pub(super) fn find(&self, id: Id) -> Option<usize> {
        let mut at = self.home(id);
        loop {
            let slot = self.slots.get(at)?;
            if slot.id == id && !slot.state.is_vacant() {
                return Some(at);
            }
            if slot.state.is_vacant() {
                return None;
            }
            at = self.after(at);
        }
    }

    pub(super) fn state(&self, at: usize) -> &[u8] {
        self.slots.get(at).map_or(&[], |slot| slot.state.as_bytes())
    }

    pub(super) fn set(&mut self, at: usize, state: &[u8]) -> Result<(), LimitError> {
        let slot = self.slots.get_mut(at).ok_or(LimitError::Internal)?;
        let before = slot.state.allocated();
        slot.state.set(state)?;
        self.allocated = self.allocated.saturating_sub(before).saturating_add(slot.state.allocated());
        Ok(())
    }

    /// Puts in an id that is not there. There is room.
    pub(super) fn insert(&mut self, id: Id, state: &[u8]) -> Result<(), LimitError> {
        if self.len >= self.room() {
            return Err(LimitError::Internal);
        }
        let state = State::new(state)?;
        self.allocated = self.allocated.saturating_add(state.allocated());
        self.put(Slot { id, state });
        self.len = self.len.saturating_add(1);
        Ok(())
    }

    fn put(&mut self, slot: Slot) {
        let mut at = self.home(slot.id);
        while self.slots.get(at).is_some_and(|taken| !taken.state.is_vacant()) {
            at = self.after(at);
        }
        if let Some(vacant) = self.slots.get_mut(at) {
            *vacant = slot;
        }
    }

    /// Takes out what is at `at`, and moves up those behind it that would no longer be found.
    pub(super) fn remove(&mut self, at: usize) {
        let Some(slot) = self.slots.get_mut(at).filter(|slot| !slot.state.is_vacant()) else { return };
        self.allocated = self.allocated.saturating_sub(slot.state.allocated());
        *slot = Slot::VACANT;
        self.len = self.len.saturating_sub(1);
        let (mut hole, mut at) = (at, self.after(at));
        while let Some(slot) = self.slots.get(at).filter(|slot| !slot.state.is_vacant()) {
            let home = self.home(slot.id);
            if self.distance(home, at) >= self.distance(hole, at) {
                self.slots.swap(hole, at);
                hole = at;
            }
            at = self.after(at);
        }
    }

    /// Keeps the entries for which `keep` says so; each is asked for once.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(Id, &[u8]) -> bool) {
        // From a vacant slot on, so that what a removal moves up has not been asked for.
        let Some(first) = self.slots.iter().position(|slot| slot.state.is_vacant()) else { return };
        let (mut at, mut left) = (self.after(first), self.slots.len());
        while left > 1
            && let Some(slot) = self.slots.get(at)
        {
            if slot.state.is_vacant() || keep(slot.id, slot.state.as_bytes()) {
                at = self.after(at);
                left = left.saturating_sub(1);
            } else {
                self.remove(at);
            }
        }
    }

    /// Makes room for more entries, `most` at most.
    pub(super) fn grow(&mut self, most: usize) -> Result<(), LimitError> {
        let now = self.slots.len();
        // The least of which seven eighths are `most`.
        let most_slots = most.saturating_mul(8).div_ceil(7).saturating_add(1);
        let wanted = now.saturating_add(now / 4).max(FIRST_SLOTS).min(most_slots);
        let mut slots = Vec::new();
        slots.try_reserve_exact(wanted).map_err(|_| LimitError::OutOfMemory)?;
        slots.resize_with(wanted, || Slot::VACANT);
        for slot in core::mem::replace(&mut self.slots, slots) {
            if !slot.state.is_vacant() {
                self.put(slot);
            }
        }
        Ok(())
    }

    fn home(&self, id: Id) -> usize {
        share(id.low, self.slots.len())
    }

    fn after(&self, at: usize) -> usize {
        let after = at.saturating_add(1);
        if after < self.slots.len() { after } else { 0 }
    }

    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from {
            to.saturating_sub(from)
        } else {
            to.saturating_add(self.slots.len()).saturating_sub(from)
        }
    }
}

/// A number below `count`, each by as many hashes.
pub(super) fn share(hash: u64, count: usize) -> usize {
    let product = u128::from(hash).saturating_mul(count as u128);
    usize::try_from(product >> 64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    /// Ids that meet: of few places, and of both ends.
    fn id(number: u8) -> Id {
        Id { high: number.into(), low: u64::from(number % 8).wrapping_neg().rotate_right(3) }
    }

    proptest! {
        /// Against the standard library's map, for whatever is put in, changed, taken out and swept.
        #[test]
        fn slots_are_a_map(steps in prop::collection::vec((0_u8..5, 0_u8..40, 1_usize..200), 1..400)) {
            let (mut slots, mut map) = (Slots::default(), HashMap::<u8, Vec<u8>>::new());
            for (action, number, len) in steps {
                let bytes = std::vec![number; len];
                match (action, slots.find(id(number))) {
                    (0..3, Some(at)) => {
                        slots.set(at, &bytes).unwrap();
                        map.insert(number, bytes);
                    }
                    (0..3, None) => {
                        if slots.len() == slots.room() {
                            slots.grow(40).unwrap();
                        }
                        slots.insert(id(number), &bytes).unwrap();
                        map.insert(number, bytes);
                    }
                    (3, Some(at)) => {
                        slots.remove(at);
                        map.remove(&number);
                    }
                    (3, None) => prop_assert!(!map.contains_key(&number)),
                    _ => {
                        let mut asked = 0;
                        slots.retain(|id, state| {
                            asked += 1;
                            id.high % 3 != u64::from(number % 3) && state.len() > 2
                        });
                        prop_assert_eq!(asked, map.len());
                        map.retain(|kept, state| kept % 3 != number % 3 && state.len() > 2);
                    }
                }
                prop_assert_eq!(slots.len(), map.len());
                for number in 0..40 {
                    let found = slots.find(id(number)).map(|at| slots.state(at));
                    prop_assert_eq!(found, map.get(&number).map(Vec::as_slice));
                }
                let allocated = slots.slots.iter().map(|slot| slot.state.allocated()).sum::<usize>();
                prop_assert_eq!(slots.allocated, allocated);
            }
        }
    }

    #[test]
    fn a_table_grows_to_what_it_may_hold_and_is_never_full() {
        for most in [1, 2, 7, 8, 9, 100, 1024] {
            let mut slots = Slots::default();
            for number in 0..most {
                if slots.len() == slots.room() {
                    slots.grow(most).unwrap();
                }
                slots.insert(Id { high: 0, low: number as u64 }, &[1]).unwrap();
            }
            assert!(slots.slots.len() > most);
            assert!(
                slots.slots.len() <= (most * 8).div_ceil(7) + 1,
                "{} slots for {most}",
                slots.slots.len()
            );
            assert_eq!(slots.find(Id { high: 1, low: 0 }), None);
        }
    }
}
