//! A budget of memory that hashes share: kept for the next one, never exceeded, given out in order.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;
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

#[derive(Debug)]
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
    pub(super) const fn new(budget_kib: u32, max_wait: Duration) -> Self {
        Self { budget_kib, max_wait, state: Mutex::new(State::EMPTY), changed: Condvar::new() }
    }

    pub(super) const fn budget_kib(&self) -> u32 {
        self.budget_kib
    }

    pub(super) const fn max_wait(&self) -> Duration {
        self.max_wait
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
        self.blocks_from(kib, Region::map)
    }

    fn blocks_from(
        &self,
        kib: u32,
        mut map: impl FnMut(usize) -> Option<Region>,
    ) -> Result<Lease<'_>, PasswordError> {
        let mut lease = self.lease(kib, Kind::Blocks, self.max_wait)?;
        if lease.region.is_none() {
            // Outside the lock; if it fails, the lease gives its share back.
            let blocks = usize::try_from(kib).map_err(|_| PasswordError::OutOfMemory)?;
            let mapped = map(blocks).or_else(|| {
                // What is kept for hashes to come, this one lacks.
                self.give_idle_back();
                map(blocks)
            });
            lease.region = Some(mapped.ok_or(PasswordError::OutOfMemory)?);
        }
        Ok(lease)
    }

    fn give_idle_back(&self) {
        let idle = mem::take(&mut self.lock().idle);
        drop(idle);
    }

    /// A share of the budget for work that takes no memory to speak of: a bound on how much of it runs at
    /// once. Idle memory of that size stays idle, and maps to nothing new.
    ///
    /// # Errors
    /// - [`PasswordError::Busy`]: as [`MemoryPool::blocks`].
    pub(super) fn slot(&self, kib: u32) -> Result<Lease<'_>, PasswordError> {
        self.lease(kib, Kind::Blocks, self.max_wait)
    }

    /// A share of the budget for memory that the caller allocates.
    ///
    /// # Errors
    /// As [`MemoryPool::blocks`].
    pub(super) fn account(&self, kib: u32) -> Result<Lease<'_>, PasswordError> {
        self.lease(kib, Kind::Account, self.max_wait)
    }

    /// [`MemoryPool::account`], for somebody who waits for another time than the pool's own.
    ///
    /// # Errors
    /// As [`MemoryPool::blocks`].
    pub(super) fn account_within(&self, kib: u32, max_wait: Duration) -> Result<Lease<'_>, PasswordError> {
        self.lease(kib, Kind::Account, max_wait)
    }

    fn lease(&self, kib: u32, kind: Kind, max_wait: Duration) -> Result<Lease<'_>, PasswordError> {
        if kib > self.budget_kib {
            return Err(PasswordError::OutOfMemory);
        }
        let mut state = self.turn(kib, max_wait)?;
        let region = state.take(kib, kind, self.budget_kib);
        drop(state);
        // Whoever is next may fit too.
        self.changed.notify_all();
        Ok(Lease { pool: self, kib, region })
    }

    /// Waits until all who came before have been served and `kib` are free.
    fn turn(&self, kib: u32, max_wait: Duration) -> Result<MutexGuard<'_, State>, PasswordError> {
        let began = Instant::now();
        let mut state = self.lock();
        let ticket = state.draw_ticket();
        while !state.is_turn(ticket, kib, self.budget_kib) {
            let left = max_wait.saturating_sub(began.elapsed());
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
    const EMPTY: Self = Self {
        leased_kib: 0,
        idle: Vec::new(),
        queue: VecDeque::new(),
        next_ticket: 0,
        leases: 0,
        peak_kib: 0,
    };

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

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    const IMPATIENT: Duration = Duration::ZERO;
    const PATIENT: Duration = Duration::from_secs(60);

    fn held(pool: &MemoryPool) -> u32 {
        pool.usage().held_kib
    }

    fn waiting(pool: &MemoryPool) -> usize {
        pool.lock().queue.len()
    }

    #[test]
    fn what_does_not_fit_is_busy_and_fits_again_later() {
        let pool = MemoryPool::new(100, IMPATIENT);
        let first = pool.blocks(60).unwrap();
        let second = pool.account(40).unwrap();
        assert_eq!(pool.blocks(1).err(), Some(PasswordError::Busy));
        assert_eq!(waiting(&pool), 0, "who gave up waits no more");
        drop(second);
        assert!(pool.blocks(41).is_err());
        assert!(pool.blocks(40).is_ok());
        drop(first);
        assert!(pool.blocks(100).is_ok());
        assert_eq!(pool.blocks(101).err(), Some(PasswordError::OutOfMemory), "never fits");
    }

    #[test]
    fn idle_memory_is_used_again_and_makes_room_for_other_sizes() {
        let pool = MemoryPool::new(100, IMPATIENT);
        let address = pool.blocks(40).unwrap().as_mut_slice().as_ptr();
        assert_eq!(held(&pool), 40);
        assert_eq!(pool.blocks(40).unwrap().as_mut_slice().as_ptr(), address, "the same memory");
        let two = (pool.blocks(40).unwrap(), pool.blocks(40).unwrap());
        drop(two);
        assert_eq!(held(&pool), 80);
        let lease = pool.blocks(50).unwrap();
        assert_eq!(held(&pool), 90, "one of 40 went, one stays");
        drop(lease);
        let lease = pool.account(100).unwrap();
        assert_eq!(held(&pool), 100, "a mere share makes room too");
        drop(lease);
        assert_eq!(held(&pool), 0);
        assert_eq!(pool.usage().peak_kib, 100);
    }

    #[test]
    fn memory_that_is_kept_is_given_back_before_another_hash_goes_without() {
        let pool = MemoryPool::new(100, IMPATIENT);
        drop(pool.blocks(40).unwrap());
        let mut asked = 0;
        // A system that has nothing while the idle region is held.
        let lease = pool.blocks_from(30, |blocks| {
            asked += 1;
            if pool.lock().idle.is_empty() { Region::map(blocks) } else { None }
        });
        assert_eq!(lease.unwrap().as_mut_slice().len(), 30);
        assert_eq!((asked, held(&pool)), (2, 30));
        let none = pool.blocks_from(50, |_| None);
        assert_eq!(none.err(), Some(PasswordError::OutOfMemory));
        assert_eq!(held(&pool), 0);
        assert!(pool.blocks(100).is_ok(), "the share of what failed was given back");
    }

    #[test]
    fn a_slot_counts_and_leaves_idle_memory_where_it_is() {
        let pool = MemoryPool::new(100, IMPATIENT);
        let address = pool.blocks(60).unwrap().as_mut_slice().as_ptr();
        let slot = pool.slot(60).unwrap();
        assert_eq!(pool.blocks(60).err(), Some(PasswordError::Busy));
        drop(slot);
        assert_eq!(pool.blocks(60).unwrap().as_mut_slice().as_ptr(), address, "the same memory");
        pool.give_idle_back();
        drop(pool.slot(60).unwrap());
        assert_eq!(held(&pool), 0, "nothing was mapped for it");
    }

    #[test]
    fn memory_is_wiped_before_anybody_else_gets_it() {
        let pool = MemoryPool::new(16, IMPATIENT);
        for _ in 0..2 {
            let mut lease = pool.blocks(16).unwrap();
            assert_eq!(lease.as_mut_slice().len(), 16);
            for block in lease.as_mut_slice() {
                assert!(block.as_ref().iter().all(|&word| word == 0));
                block.as_mut().fill(u64::MAX);
            }
        }
    }

    #[test]
    fn a_panic_gives_the_memory_back() {
        let pool = MemoryPool::new(16, IMPATIENT);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let mut lease = pool.blocks(16).unwrap();
            lease.as_mut_slice()[0].as_mut().fill(u64::MAX);
            std::panic::resume_unwind(std::boxed::Box::new("on purpose"));
        }));
        assert!(panicked.is_err());
        let mut lease = pool.blocks(16).unwrap();
        assert!(lease.as_mut_slice()[0].as_ref().iter().all(|&word| word == 0));
    }

    #[test]
    fn a_panic_under_the_lock_leaves_a_pool_that_works() {
        let pool = MemoryPool::new(16, IMPATIENT);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _state = pool.state.lock().unwrap();
            std::panic::resume_unwind(std::boxed::Box::new("on purpose"));
        }));
        assert!(panicked.is_err() && pool.state.is_poisoned());
        assert!(pool.blocks(16).is_ok());
    }

    #[test]
    fn who_came_first_is_served_first_however_much_he_wants() {
        let pool = MemoryPool::new(100, PATIENT);
        let served = AtomicUsize::new(0);
        let first = pool.blocks(60).unwrap();
        thread::scope(|scope| {
            // The first in the queue wants all; those behind him would fit at once.
            for (place, kib) in [100, 10, 100, 20, 30].into_iter().enumerate() {
                let (pool, served) = (&pool, &served);
                scope.spawn(move || {
                    let lease = pool.blocks(kib).unwrap();
                    // Two small ones at the end fit together, in either order.
                    let turn = served.fetch_add(1, Ordering::SeqCst);
                    assert!(turn == place || (turn >= 3 && place >= 3), "{place} was served as {turn}");
                    drop(lease);
                });
                while waiting(pool) <= place {
                    thread::yield_now();
                }
            }
            assert_eq!(served.load(Ordering::SeqCst), 0);
            drop(first);
        });
        assert_eq!((served.into_inner(), waiting(&pool)), (5, 0));
        assert!(pool.usage().peak_kib <= 100);
    }

    #[test]
    fn who_gives_up_lets_the_next_one_through() {
        let pool = MemoryPool::new(100, Duration::from_millis(20));
        let first = pool.blocks(60).unwrap();
        thread::scope(|scope| {
            let large = scope.spawn(|| pool.blocks(100).err());
            while waiting(&pool) == 0 && !large.is_finished() {
                thread::yield_now();
            }
            assert_eq!(large.join().unwrap(), Some(PasswordError::Busy));
            assert!(pool.blocks(40).is_ok());
        });
        drop(first);
    }
}
