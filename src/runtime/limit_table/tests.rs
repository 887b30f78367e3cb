use alloc::string::String;
use std::format;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use super::*;
use crate::entropy::FixedEntropy;
use crate::limit::{Algorithm, Limit, Outcome};

const NOW_MS: i64 = 1_800_000_000_000;

fn table(capacity: u32, when_full: WhenFull) -> LimitTable {
    LimitTable::new(LimitTableConfig { capacity, when_full }, &mut FixedEntropy::new(&[7; 16])).unwrap()
}

fn limits(text: &str) -> Limits {
    Limits::parse(text, Algorithm::Gcra).unwrap()
}

fn key(number: usize) -> String {
    format!("address:{number}")
}

fn allowed(table: &LimitTable, limits: &Limits, key: &str, now_ms: i64) -> bool {
    table.spend(limits, key.as_bytes(), now_ms, 1).unwrap().allowed()
}

fn remaining(table: &LimitTable, limits: &Limits, key: &str, now_ms: i64) -> u32 {
    table.spend(limits, key.as_bytes(), now_ms, 0).unwrap().remaining
}

#[test]
fn what_is_spent_is_remembered_for_each_key() {
    let (table, limits) = (table(100, WhenFull::Refuse), limits("3/minute"));
    for key in ["a", "b", ""] {
        let spent = [(); 4].map(|()| allowed(&table, &limits, key, NOW_MS));
        assert_eq!(spent, [true, true, true, false], "{key}");
    }
    assert!(allowed(&table, &limits, "a", NOW_MS + 20_000));
    table.give_back(&limits, b"b", NOW_MS, NOW_MS, 2).unwrap();
    assert_eq!(remaining(&table, &limits, "b", NOW_MS), 2);
    table.forget(b"").unwrap();
    table.forget(b"nobody").unwrap();
    table.give_back(&limits, b"nobody", NOW_MS, NOW_MS, 1).unwrap();
    for (spent_at_ms, now_ms) in [(-1, NOW_MS), (NOW_MS, -1)] {
        for key in [&b"a"[..], b"nobody"] {
            let refused = table.give_back(&limits, key, spent_at_ms, now_ms, 1);
            assert_eq!(refused, Err(LimitError::InvalidArgument));
        }
    }
    assert_eq!(remaining(&table, &limits, "", NOW_MS), 3);
    assert_eq!(table.statistics().entries, 2);
}

#[test]
fn what_spends_nothing_takes_no_place() {
    let (table, limits) = (table(100, WhenFull::Refuse), limits("3/minute"));
    assert!(table.spend(&limits, b"peek", NOW_MS, 0).unwrap().allowed());
    assert_eq!(table.spend(&limits, b"never", NOW_MS, 4).unwrap().outcome, Outcome::NeverAllowed);
    assert_eq!(table.spend(&limits, b"before 1970", -1, 1), Err(LimitError::InvalidArgument));
    assert_eq!(table.statistics().entries, 0);
}

#[test]
fn a_key_over_its_limit_is_refused() {
    let (table, limits) = (table(1, WhenFull::Allow), limits("1/minute"));
    let (longest, longer) = ([0; MAX_LIMIT_KEY_LEN], [0; MAX_LIMIT_KEY_LEN + 1]);
    assert!(table.spend(&limits, &longest, NOW_MS, 1).unwrap().allowed());
    assert!(!table.spend(&limits, &longest, NOW_MS, 1).unwrap().allowed());
    assert_eq!(table.spend(&limits, &longer, NOW_MS, 1), Err(LimitError::TooLarge));
    assert_eq!(table.give_back(&limits, &longer, NOW_MS, NOW_MS, 1), Err(LimitError::TooLarge));
    assert_eq!(table.forget(&longer), Err(LimitError::TooLarge));
}

#[test]
fn the_expired_go_first_and_all_at_once() {
    let (table, limits) = (table(10, WhenFull::Refuse), limits("10/minute"));
    for number in 0..6 {
        assert!(allowed(&table, &limits, &key(number), NOW_MS));
    }
    // Six seconds bring one back.
    let later_ms = NOW_MS + 6_000;
    for number in 6..10 {
        assert!(allowed(&table, &limits, &key(number), later_ms));
    }
    assert!(allowed(&table, &limits, "new", later_ms));
    let statistics = table.statistics();
    assert_eq!((statistics.entries, statistics.expired, statistics.evicted), (5, 6, 0));
    for number in 6..10 {
        assert_eq!(remaining(&table, &limits, &key(number), later_ms), 9);
    }
}

#[test]
fn then_goes_who_is_nearest_to_a_full_allowance() {
    let (table, limits) = (table(5, WhenFull::Refuse), limits("10/minute"));
    for (number, cost) in [7, 3, 9, 5, 2].into_iter().enumerate() {
        assert!(table.spend(&limits, key(number).as_bytes(), NOW_MS, cost).unwrap().allowed());
    }
    // Each of them has more left than is left of those who came before.
    let mut gone = Vec::new();
    for (number, cost) in [4, 6, 8, 8].into_iter().enumerate() {
        assert!(table.spend(&limits, key(10 + number).as_bytes(), NOW_MS, cost).unwrap().allowed());
        let is_gone = |old: &usize| remaining(&table, &limits, &key(*old), NOW_MS) == 10;
        gone = (0..5).chain(10..10 + number).filter(is_gone).collect();
        assert_eq!(gone.len(), number + 1);
    }
    assert_eq!(gone, [1, 3, 4, 10]);
    assert_eq!(table.statistics().evicted, 4);
}

#[test]
fn what_was_spent_or_given_back_since_a_search_counts() {
    let (table, limits) = (table(4, WhenFull::Refuse), limits("10/minute"));
    let spend = |number, cost| table.spend(&limits, key(number).as_bytes(), NOW_MS, cost).unwrap();
    for (number, cost) in [2, 3, 4, 5].into_iter().enumerate() {
        spend(number, cost);
    }
    spend(4, 6); // Searches: 0 goes.
    spend(1, 5); // 8 used: it was to go next.
    table.give_back(&limits, key(3).as_bytes(), NOW_MS, NOW_MS, 4).unwrap(); // 1 used.
    spend(5, 6); // 3 goes, and then 2.
    spend(6, 6);
    let left = [0, 1, 2, 3, 4, 5, 6].map(|number| remaining(&table, &limits, &key(number), NOW_MS));
    assert_eq!(left, [10, 2, 10, 10, 4, 4, 4]);
}

/// Attack 48a.
#[test]
fn flooding_with_fresh_addresses_leaves_locks_where_they_are() {
    for capacity in [50, 5_000] {
        let table = table(capacity, WhenFull::Refuse);
        let lockout = Limits::new(std::vec![Limit::lockout(5, 900, 1, 900).unwrap()]).unwrap();
        let flooding = limits("5/minute");
        for _ in 0..5 {
            assert!(allowed(&table, &lockout, "account:alice", NOW_MS));
        }
        let mut now_ms = NOW_MS;
        for number in 0..10 * capacity as usize {
            now_ms = NOW_MS + i64::try_from(number / 100).unwrap();
            assert!(allowed(&table, &flooding, &key(number), now_ms));
        }
        assert!(!allowed(&table, &lockout, "account:alice", now_ms));
        let statistics = table.statistics();
        assert!(statistics.evicted > 7 * u64::from(capacity), "{statistics:?}");
        assert!(statistics.entries >= u64::from(capacity) * 4 / 5, "{statistics:?}");
        assert!(statistics.entries <= u64::from(capacity) * 5 / 4, "{statistics:?}");
        assert_eq!(statistics.refused, 0);
    }
}

#[test]
fn where_all_are_locked_a_new_key_is_refused_until_the_first_lock_ends() {
    let (table, limits) = (table(3, WhenFull::Refuse), limits("1/minute"));
    for (number, second_ms) in [0, 1_000, 2_000].into_iter().enumerate() {
        assert!(allowed(&table, &limits, &key(number), NOW_MS + second_ms));
    }
    let now_ms = NOW_MS + 3_000;
    let verdict = table.spend(&limits, b"new", now_ms, 1).unwrap();
    assert_eq!(verdict.outcome, Outcome::RetryAfterMs(57_000));
    assert!(verdict.table_full && verdict.remaining == 0 && verdict.limit == 1);
    assert!(!allowed(&table, &limits, "new", now_ms + 56_999));
    assert!(allowed(&table, &limits, "new", now_ms + 57_000), "as it was told");
    let statistics = table.statistics();
    assert_eq!(
        (statistics.entries, statistics.expired, statistics.evicted, statistics.refused),
        (3, 1, 0, 2)
    );
    // A lock that is given back ends earlier than all were found to.
    assert!(!allowed(&table, &limits, "newer", now_ms + 57_000));
    table.give_back(&limits, b"new", now_ms + 57_000, now_ms + 57_000, 1).unwrap();
    assert!(allowed(&table, &limits, "newer", now_ms + 57_000));
}

#[test]
fn or_it_is_allowed_if_the_host_says_so_and_not_counted() {
    let (table, limits) = (table(1, WhenFull::Allow), limits("1/minute"));
    assert!(allowed(&table, &limits, "old", NOW_MS));
    for _ in 0..3 {
        let verdict = table.spend(&limits, b"new", NOW_MS, 1).unwrap();
        assert!(verdict.allowed() && verdict.table_full);
    }
    assert!(!allowed(&table, &limits, "old", NOW_MS), "the old one stays");
    assert_eq!((table.statistics().entries, table.statistics().refused), (1, 3));
}

#[test]
fn there_is_room_for_the_capacity_and_not_for_much_more() {
    for capacity in [1, 2, 1_000, 1_024, 1_025, 20_000] {
        let (table, limits) = (table(capacity, WhenFull::Refuse), limits("10/hour"));
        for number in 0..capacity as usize {
            assert!(allowed(&table, &limits, &key(number), NOW_MS));
        }
        let statistics = table.statistics();
        assert_eq!((statistics.entries, statistics.evicted), (capacity.into(), 0), "{capacity}");
        if capacity >= 1_000 {
            let bytes = statistics.bytes / u64::from(capacity);
            assert!((40..=64).contains(&bytes), "{bytes} bytes for a key, of {capacity}");
        }
        for number in 0..2 * capacity as usize {
            assert!(allowed(&table, &limits, &key(number), NOW_MS));
        }
        let most = if capacity <= MAX_SHARD { capacity.into() } else { u64::from(capacity) * 5 / 4 };
        assert!(table.statistics().entries <= most);
    }
}

#[test]
fn states_of_any_length_are_kept() {
    let table = table(2_000, WhenFull::Refuse);
    let log = Limits::parse("64/hour", Algorithm::SlidingLog).unwrap();
    let window = Limits::parse("3/hour", Algorithm::FixedWindow).unwrap();
    let several = limits("3/second; 100/minute; 1000/hour");
    for turn in 0..64 {
        for number in 0..20 {
            assert!(allowed(&table, &log, &format!("log:{number}"), NOW_MS + turn));
            assert_eq!(allowed(&table, &window, &format!("window:{number}"), NOW_MS), turn < 3);
            assert_eq!(allowed(&table, &several, &format!("several:{number}"), NOW_MS), turn < 3);
        }
    }
    let full = table.statistics().bytes;
    for number in 0..20 {
        assert!(!allowed(&table, &log, &format!("log:{number}"), NOW_MS + 64));
        table.forget(format!("log:{number}").as_bytes()).unwrap();
    }
    assert_eq!(full - table.statistics().bytes, 20 * 448, "394 bytes, in multiples of 64");
}

#[test]
fn a_panic_under_a_lock_leaves_a_table_that_works() {
    let (table, limits) = (table(10, WhenFull::Refuse), limits("1/minute"));
    assert!(allowed(&table, &limits, "a", NOW_MS));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        _ = table.0.with(b"a", |_, _| std::panic::resume_unwind(std::boxed::Box::new("on purpose")));
    }));
    assert!(panicked.is_err());
    assert!(!allowed(&table, &limits, "a", NOW_MS));
    assert!(allowed(&table, &limits, "b", NOW_MS));
}

#[test]
fn without_entropy_there_is_no_table() {
    let none = LimitTable::new(LimitTableConfig::DEFAULT, &mut FixedEntropy::new(&[]));
    assert_eq!(none.err(), Some(LimitError::Entropy(crate::entropy::EntropyError)));
}

#[test]
fn eight_threads_are_let_through_as_often_as_the_limit_says() {
    const THREADS: usize = 8;
    const KEYS: usize = 40;
    let (table, limits) = (table(100, WhenFull::Refuse), limits("100/hour"));
    let counts: Vec<AtomicU32> = (0..KEYS).map(|_| AtomicU32::new(0)).collect();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (table, limits, counts) = (&table, &limits, &counts);
            scope.spawn(move || {
                // Each in an order of its own.
                for turn in 0..KEYS * 30 {
                    let number = (turn * 7 + thread * 11) % KEYS;
                    if allowed(table, limits, &key(number), NOW_MS) {
                        counts[number].fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    for count in counts {
        assert_eq!(count.into_inner(), 100);
    }
}

#[test]
fn threads_that_flood_a_full_table_keep_to_its_bounds() {
    let (table, limits) = (table(2_000, WhenFull::Refuse), limits("2/hour"));
    assert!(allowed(&table, &limits, "victim", NOW_MS) && allowed(&table, &limits, "victim", NOW_MS));
    thread::scope(|scope| {
        for thread in 0..8 {
            let (table, limits) = (&table, &limits);
            scope.spawn(move || {
                for number in 0..3_000 {
                    let key = key(thread * 3_000 + number);
                    assert!(allowed(table, limits, &key, NOW_MS));
                    if number % 3 == 0 {
                        table.give_back(limits, key.as_bytes(), NOW_MS, NOW_MS, 1).unwrap();
                    }
                    assert!(!allowed(table, limits, "victim", NOW_MS));
                }
            });
        }
    });
    let statistics = table.statistics();
    assert!(statistics.entries <= 2_500 && statistics.evicted > 10_000, "{statistics:?}");
}
