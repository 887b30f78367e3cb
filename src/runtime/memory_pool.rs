//! A budget of memory that hashes share: kept for the next one, never exceeded, given out in order.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::pages::Region;
use crate::password::{Block, PasswordError};

/// What a pool holds, and has given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryUse {
    /// Held now, in KiB: in use or kept for the next hash. Never over the budget.
    pub held_kib: u32,
    /// The most that was ever held, in KiB.
    pub peak_kib: u32,
    /// How often memory was given out.
    pub leases: u64,
}

/// Memory for hashes, of which never more than the budget is held, idle memory included.
#[derive(Debug)]
pub(super) struct MemoryPool {
    budget_kib: u32,
    max_wait: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    leased_kib: u32,
    /// Wiped and still mapped, the one that was used last at the end.
    idle: Vec<Region>,
    /// Those who wait, in the order in which they came.
    queue: VecDeque<u64>,
    next_ticket: u64,
    leases: u64,
    peak_kib: u32,
}

/// What a lease is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blocks,
    /// A share of the budget for memory that somebody else allocates.
    Account,
}

/// A share of the budget, given back when dropped, also by a panic.
#[derive(Debug)]
pub(super) struct Lease<'a> {
    pool: &'a MemoryPool,
    kib: u32,
    region: Option<Region>,
}

impl MemoryPool {
    pub(super) fn new(budget_kib: u32, max_wait: Duration) -> Self {
        Self { budget_kib, max_wait, state: Mutex::default(), changed: Condvar::new() }
    }

    pub(super) const fn budget_kib(&self) -> u32 {
        self.budget_kib
    }

    pub(super) fn usage(&self) -> MemoryUse {
        let state = self.lock();
        MemoryUse { held_kib: state.held_kib(), peak_kib: state.peak_kib, leases: state.leases }
    }

    /// Blocks of 1 KiB to work in.
    ///
    /// # Errors
    /// - [`PasswordError::Busy`]: the budget was in use for as long as the pool waits.
    /// - [`PasswordError::OutOfMemory`]: the system has no more, or it is over the whole budget.
    pub(super) fn blocks(&self, kib: u32) -> Result<Lease<'_>, PasswordError> {
        let mut lease = self.lease(kib, Kind::Blocks)?;
        if lease.region.is_none() {
            // Outside the lock; if it fails, the lease gives its share back.
            let blocks = usize::try_from(kib).map_err(|_| PasswordError::OutOfMemory)?;
            lease.region = Some(Region::map(blocks).ok_or(PasswordError::OutOfMemory)?);
        }
        Ok(lease)
    }

    /// A share of the budget for memory that the caller allocates.
    ///
    /// # Errors
    /// As [`MemoryPool::blocks`].
    pub(super) fn account(&self, kib: u32) -> Result<Lease<'_>, PasswordError> {
        self.lease(kib, Kind::Account)
    }

    fn lease(&self, kib: u32, kind: Kind) -> Result<Lease<'_>, PasswordError> {
        if kib > self.budget_kib {
            return Err(PasswordError::OutOfMemory);
        }
        let mut state = self.turn(kib)?;
        let region = state.take(kib, kind, self.budget_kib);
        drop(state);
        // Whoever is next may fit too.
        self.changed.notify_all();
        Ok(Lease { pool: self, kib, region })
    }

    /// Waits until all who came before have been served and `kib` are free.
    fn turn(&self, kib: u32) -> Result<MutexGuard<'_, State>, PasswordError> {
        let began = Instant::now();
        let mut state = self.lock();
        let ticket = state.draw_ticket();
        while !state.is_turn(ticket, kib, self.budget_kib) {
            let left = self.max_wait.saturating_sub(began.elapsed());
            if left.is_zero() {
                state.queue.retain(|&waiting| waiting != ticket);
                drop(state);
                self.changed.notify_all();
                return Err(PasswordError::Busy);
            }
            let woken = self.changed.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.queue.pop_front();
        Ok(state)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock leaves the state half changed, so a panic elsewhere spoils nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn idle_kib(&self) -> u32 {
        self.idle.iter().map(Region::kib).fold(0, u32::saturating_add)
    }

    fn held_kib(&self) -> u32 {
        self.leased_kib.saturating_add(self.idle_kib())
    }

    fn draw_ticket(&mut self) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket = ticket.wrapping_add(1);
        self.queue.push_back(ticket);
        ticket
    }

    fn is_turn(&self, ticket: u64, kib: u32, budget_kib: u32) -> bool {
        self.queue.front() == Some(&ticket) && budget_kib.saturating_sub(self.leased_kib) >= kib
    }

    /// Counts `kib` as leased and finds an idle region of that size, if there is one. Idle regions that
    /// no longer fit the budget are unmapped here, under the lock, before anybody maps anything else.
    fn take(&mut self, kib: u32, kind: Kind, budget_kib: u32) -> Option<Region> {
        let fits = |region: &Region| kind == Kind::Blocks && region.kib() == kib;
        let reused = self.idle.iter().rposition(fits).map(|index| self.idle.remove(index));
        self.leased_kib = self.leased_kib.saturating_add(kib);
        while self.held_kib() > budget_kib && !self.idle.is_empty() {
            self.idle.remove(0);
        }
        self.leases = self.leases.saturating_add(1);
        self.peak_kib = self.peak_kib.max(self.held_kib());
        reused
    }
}

impl Lease<'_> {
    /// The blocks; none of a mere share of the budget.
    pub(super) fn as_mut_slice(&mut self) -> &mut [Block] {
        self.region.as_mut().map_or(&mut [], Region::as_mut_slice)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(region) = &mut self.region {
            region.wipe();
        }
        let mut state = self.pool.lock();
        state.leased_kib = state.leased_kib.saturating_sub(self.kib);
        state.idle.extend(self.region.take());
        drop(state);
        self.pool.changed.notify_all();
    }
}
