//! Who may have to go next, so that a full shard is not searched anew for each key.

use alloc::vec::Vec;

use super::slots::Id;
use crate::limit::{LimitError, Standing, standing};

/// How many are remembered of one search.
const MAX_CANDIDATES: usize = 32;

/// How far from the time of a search its order is still gone by, in milliseconds: allowances come back, each
/// at its own pace.
const VALID_MS: u64 = 1000;

/// Who goes before whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Says nothing any more.
    Expired,
    /// By how much is used.
    Open(u16),
    /// Stays. By when it says nothing any more, in Unix milliseconds.
    Locked(u64),
}

impl Rank {
    /// How a state ranks now.
    pub(super) fn of(state: &[u8], now_ms: i64) -> Self {
        match standing(state, now_ms) {
            Standing::Expired => Self::Expired,
            Standing::Open { used_share } => Self::Open(used_share),
            Standing::Locked { keep_ms } => Self::Locked(now_ms.unsigned_abs().saturating_add(keep_ms)),
        }
    }
}

/// The first to go of a shard, as of one search, and of what was put in since.
// INVARIANT: as of the search, and but for what time gave back since, whoever is not on the list ranks at
// `horizon` or after it.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// The first to go is the last.
    list: Vec<(Rank, Id)>,
    horizon: Option<Rank>,
    searched_ms: Option<i64>,
}

impl Candidates {
    /// There was no search.
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.searched_ms = None;
    }

    /// Begins a search.
    pub(super) fn begin(&mut self, now_ms: i64) -> Result<(), LimitError> {
        self.list.clear();
        self.list.try_reserve_exact(MAX_CANDIDATES).map_err(|_| LimitError::OutOfMemory)?;
        self.horizon = None;
        self.searched_ms = Some(now_ms);
        Ok(())
    }

    pub(super) fn is_valid(&self, now_ms: i64) -> bool {
        self.searched_ms.is_some_and(|searched_ms| searched_ms.abs_diff(now_ms) <= VALID_MS)
    }

    /// Takes a place on the list, if there is one for this rank. Of equals the last to come is the first to go.
    pub(super) fn offer(&mut self, rank: Rank, id: Id) {
        if self.searched_ms.is_none() || self.is_beyond(rank) {
            return;
        }
        let last = self.list.first().map(|(listed, _)| *listed).filter(|_| self.list.len() >= MAX_CANDIDATES);
        if last.is_some_and(|last| rank >= last) {
            self.horizon = Some(rank);
            return;
        }
        if last.is_some() {
            self.horizon = last;
            self.list.remove(0);
        }
        self.list.insert(self.list.partition_point(|(listed, _)| *listed >= rank), (rank, id));
    }

    /// Whether somebody who is not on the list may go before this rank.
    pub(super) fn is_beyond(&self, rank: Rank) -> bool {
        self.horizon.is_some_and(|horizon| rank > horizon)
    }

    /// Takes the first to go from the list.
    pub(super) fn pop(&mut self) -> Option<(Rank, Id)> {
        self.list.pop()
    }

    pub(super) fn bytes(&self) -> usize {
        self.list.capacity().saturating_mul(size_of::<(Rank, Id)>())
    }
}
