//! The table under loom: what the threads do, in every order in which they can.

use alloc::boxed::Box;
use alloc::vec::Vec;
use std::sync::PoisonError;

use loom::sync::{Arc, Mutex};
use loom::thread;

use super::lock::Lock;
use super::shard::Shard;
use super::{LimitTableConfig, Table, WhenFull};
use crate::entropy::FixedEntropy;
use crate::limit::{Algorithm, Limits, Verdict};

const NOW_MS: i64 = 1_800_000_000_000;

impl<T> Lock<T> for Mutex<T> {
    fn new(value: T) -> Self {
        Self::new(value)
    }

    fn with<R>(&self, act: impl FnOnce(&mut T) -> R) -> R {
        act(&mut self.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What the threads share: a table of one shard, and limits of 2 per hour.
struct Shared {
    table: Table<Mutex<Shard>>,
    limits: Limits,
}

impl Shared {
    fn spend(&self, key: &str) -> Verdict {
        self.table.spend(&self.limits, key.as_bytes(), NOW_MS, 1).unwrap()
    }

    fn give_back(&self, key: &str) {
        self.table.give_back(&self.limits, key.as_bytes(), NOW_MS, NOW_MS, 1).unwrap();
    }

    fn left(&self, key: &str) -> u32 {
        self.table.spend(&self.limits, key.as_bytes(), NOW_MS, 0).unwrap().remaining
    }
}

type Act = fn(&Shared) -> u32;

/// Runs the acts in a thread each, in every order of their steps, and checks what came of them.
fn in_every_order(capacity: u32, acts: &'static [Act], check: fn(&Shared, &[u32])) {
    loom::model(move || {
        let config = LimitTableConfig { capacity, when_full: WhenFull::Refuse };
        let shared = Arc::new(Shared {
            table: Table::new(config, &mut FixedEntropy::new(&[7; 16])).unwrap(),
            limits: Limits::parse("2/hour", Algorithm::Gcra).unwrap(),
        });
        let run = |act: &Act| {
            let (act, shared) = (*act, Arc::clone(&shared));
            thread::spawn(move || act(&shared))
        };
        let threads: Vec<_> = acts.iter().map(run).collect();
        let said: Box<[u32]> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        check(&shared, &said);
    });
}

fn spend_twice(shared: &Shared) -> u32 {
    (0..2).map(|_| spend_once(shared)).sum()
}

fn spend_once(shared: &Shared) -> u32 {
    shared.spend("a").allowed().into()
}

#[test]
fn never_more_are_let_through_than_the_limit_says() {
    in_every_order(4, &[spend_twice, spend_once, spend_once], |shared, allowed| {
        assert_eq!(allowed.iter().sum::<u32>(), 2);
        assert_eq!(shared.left("a"), 0);
    });
}

#[test]
fn what_is_given_back_is_there_again_and_nothing_else() {
    fn spend_and_give_back(shared: &Shared) -> u32 {
        if shared.spend("a").allowed() {
            shared.give_back("a");
        }
        0
    }
    in_every_order(4, &[spend_and_give_back, spend_twice, spend_once], |shared, allowed| {
        assert_eq!(shared.left("a"), 2 - allowed.iter().sum::<u32>());
    });
}

#[test]
fn a_lock_stays_whoever_comes_for_its_place() {
    fn lock(shared: &Shared) -> u32 {
        (0..3).map(|_| u32::from(!shared.spend("a").allowed())).sum()
    }
    fn come(shared: &Shared) -> u32 {
        shared.spend("b");
        shared.give_back("b");
        u32::from(shared.spend("c").table_full)
    }
    in_every_order(1, &[lock, come], |shared, said| {
        assert_eq!(shared.table.statistics().entries, 1);
        // Refused once: it was locked, and is.
        assert!(said[0] == 0 || shared.left("a") == 0);
        assert!(said[0] > 0 || said[1] == 0 || shared.left("a") == 0);
    });
}

#[test]
fn what_is_forgotten_while_others_spend_is_forgotten_once() {
    fn forget(shared: &Shared) -> u32 {
        shared.table.with(b"a", |id, shard| shard.forget(id)).unwrap();
        0
    }
    in_every_order(1, &[spend_twice, forget, spend_once], |shared, allowed| {
        let allowed = allowed.iter().sum::<u32>();
        assert!((2..=3).contains(&allowed));
        // Forgotten after the last, before it, or before the one before.
        assert!(allowed == 2 || shared.left("a") < 2);
    });
}
