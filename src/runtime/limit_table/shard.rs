//! A part of the table, behind one lock: its keys' states, and who has to go when it is full.

use super::candidates::{Candidates, Rank};
use super::config::WhenFull;
use super::slots::{Id, Slots};
use crate::limit::{LimitError, Limits, Outcome, StateBuf, Verdict};

/// A sweep that frees less than this part of the room is followed by growth.
const WORTHWHILE: usize = 8;

/// What happened to entries that went, and keys that did not come in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) expired: u64,
    pub(super) evicted: u64,
    pub(super) refused: u64,
}

#[derive(Debug)]
pub(super) struct Shard {
    slots: Slots,
    /// The most entries.
    most: usize,
    candidates: Candidates,
    counts: Counts,
}

/// A new key finds no place: all that are there are locked.
struct Full {
    /// When the first of them says nothing any more.
    until_ms: u64,
}

impl Full {
    /// What is said to the new key, of which nothing is remembered.
    fn verdict(&self, verdict: Verdict, now_ms: i64, when_full: WhenFull) -> Verdict {
        let verdict = Verdict { keep_ms: 0, table_full: true, ..verdict };
        match when_full {
            WhenFull::Refuse => {
                let retry_after_ms = self.until_ms.saturating_sub(now_ms.unsigned_abs()).max(1);
                let outcome = Outcome::RetryAfterMs(retry_after_ms);
                Verdict { outcome, remaining: 0, reset_after_ms: retry_after_ms, ..verdict }
            }
            WhenFull::Allow => verdict,
        }
    }
}

impl Shard {
    pub(super) fn new(most: usize) -> Self {
        Self {
            slots: Slots::default(),
            most: most.max(1),
            candidates: Candidates::default(),
            counts: Counts::default(),
        }
    }

    /// Spends from what the key has left, and keeps what is left then.
    pub(super) fn spend(
        &mut self,
        id: Id,
        limits: &Limits,
        now_ms: i64,
        cost: u32,
        when_full: WhenFull,
    ) -> Result<Verdict, LimitError> {
        let mut next = StateBuf::new();
        if let Some(at) = self.slots.find(id) {
            let verdict = limits.spend(self.slots.state(at), now_ms, cost, &mut next)?;
            self.slots.set(at, next.as_bytes())?;
            return Ok(verdict);
        }
        let verdict = limits.spend(&[], now_ms, cost, &mut next)?;
        let rank = Rank::of(next.as_bytes(), now_ms);
        if rank == Rank::Expired {
            return Ok(verdict);
        }
        if let Some(full) = self.make_room(now_ms)? {
            self.counts.refused = self.counts.refused.saturating_add(1);
            return Ok(full.verdict(verdict, now_ms, when_full));
        }
        self.slots.insert(id, next.as_bytes())?;
        self.candidates.offer(rank, id);
        Ok(verdict)
    }

    pub(super) fn give_back(
        &mut self,
        id: Id,
        limits: &Limits,
        spent_at_ms: i64,
        now_ms: i64,
        cost: u32,
    ) -> Result<(), LimitError> {
        let found = self.slots.find(id);
        let mut next = StateBuf::new();
        // Times are refused whether the key is there or not.
        let state = found.map_or(&[][..], |at| self.slots.state(at));
        limits.give_back(state, spent_at_ms, now_ms, cost, &mut next)?;
        let Some(at) = found else { return Ok(()) };
        let rank = Rank::of(next.as_bytes(), now_ms);
        if rank == Rank::Expired {
            self.slots.remove(at);
            return Ok(());
        }
        self.slots.set(at, next.as_bytes())?;
        // It may go earlier now.
        self.candidates.offer(rank, id);
        Ok(())
    }

    pub(super) fn forget(&mut self, id: Id) {
        if let Some(at) = self.slots.find(id) {
            self.slots.remove(at);
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) const fn counts(&self) -> Counts {
        self.counts
    }

    /// The bytes that it holds beside its own.
    pub(super) fn bytes(&self) -> usize {
        self.slots.bytes().saturating_add(self.candidates.bytes())
    }

    /// Sees to it that one more entry has a place.
    fn make_room(&mut self, now_ms: i64) -> Result<Option<Full>, LimitError> {
        if self.has_room() {
            return Ok(None);
        }
        if self.slots.len() < self.most {
            self.candidates.clear();
            self.drop_expired(now_ms);
            let room = self.slots.room();
            let is_worthwhile = self.slots.len() < room.saturating_sub(room / WORTHWHILE);
            if !is_worthwhile
                && let Err(error) = self.slots.grow(self.most)
                && self.slots.len() == 0
            {
                return Err(error);
            }
        }
        // Without more memory it is as full as it gets.
        self.evict(now_ms)
    }

    fn has_room(&self) -> bool {
        self.slots.len() < self.slots.room().min(self.most)
    }

    /// Lets the first one go that may, unless there is room.
    fn evict(&mut self, now_ms: i64) -> Result<Option<Full>, LimitError> {
        let mut was_searched = false;
        while !self.has_room() {
            let first = if self.candidates.is_valid(now_ms) { self.candidates.pop() } else { None };
            let Some((listed, id)) = first else {
                if was_searched {
                    return Err(LimitError::Internal);
                }
                was_searched = true;
                self.search(now_ms)?;
                continue;
            };
            // What is listed may have gone, or have been spent from since.
            let Some(at) = self.slots.find(id) else { continue };
            let rank = Rank::of(self.slots.state(at), now_ms);
            if self.candidates.is_beyond(rank) {
                self.candidates.clear();
                continue;
            }
            match rank {
                _ if rank > listed => self.candidates.offer(rank, id),
                Rank::Locked(until_ms) => {
                    self.candidates.offer(rank, id);
                    return Ok(Some(Full { until_ms }));
                }
                Rank::Open(_) => {
                    self.slots.remove(at);
                    self.counts.evicted = self.counts.evicted.saturating_add(1);
                }
                Rank::Expired => {
                    self.slots.remove(at);
                    self.counts.expired = self.counts.expired.saturating_add(1);
                }
            }
        }
        Ok(None)
    }

    /// Drops what is expired, and lists who may go next.
    fn search(&mut self, now_ms: i64) -> Result<(), LimitError> {
        self.candidates.begin(now_ms)?;
        self.drop_expired(now_ms);
        Ok(())
    }

    fn drop_expired(&mut self, now_ms: i64) {
        let before = self.slots.len();
        self.slots.retain(|id, state| {
            let rank = Rank::of(state, now_ms);
            if rank != Rank::Expired {
                self.candidates.offer(rank, id);
            }
            rank != Rank::Expired
        });
        let dropped = before.saturating_sub(self.slots.len());
        self.counts.expired = self.counts.expired.saturating_add(dropped as u64);
    }
}
