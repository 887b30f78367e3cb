//! One check of a key's limit, of many keys in random order; and the memory of a key.

use std::cell::RefCell;
use std::hint::{black_box, spin_loop};
use std::process::Command;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::{env, mem, thread};

use donjon::limit::{Algorithm, Limits};
use donjon::runtime::{LimitTable, LimitTableConfig, OsEntropy, WhenFull};

use crate::measure::{Runner, race, resident_bytes};
use crate::peers::governor::Governor;
use crate::report::{report_all, report_bytes};

/// The argument that makes this program the child whose memory is measured, followed by the number of keys.
pub const FILL: &str = "fill-table";

const WANTED: f64 = 0.7;
const BYTES_FOR_A_KEY: u64 = 64;
const PER_SECOND: u32 = 100;
/// After each round of all keys, so much time passes that each has its whole allowance again.
const ROUND_MS: u32 = 10;
/// The checks of each thread, where two run at once.
const BATCH: usize = 1_000;

const RACES: usize = 10;

/// No round's number: the last is over.
const OVER: usize = usize::MAX;

pub fn measure() {
    check();
    for (name, count) in [("100,000 keys", 100_000), ("1,000,000 keys", 1_000_000)] {
        let keys = Keys::new(count);
        compare_one_thread(name, &keys, Some(WANTED));
        compare_one_thread(&format!("{name} out of cache"), &Keys::scattered(count), None);
        compare_two_threads(name, &keys);
        let child =
            Command::new(env::current_exe().unwrap()).args([FILL, &count.to_string()]).output().unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
        let bytes = String::from_utf8(child.stdout).unwrap();
        for (what, bytes) in ["resident", "as counted"].into_iter().zip(bytes.split_whitespace()) {
            report_bytes(
                &format!("limits memory for a key, {name}, {what}"),
                bytes.parse::<u64>().unwrap().div_ceil(count as u64),
                &format!("{BYTES_FOR_A_KEY} B"),
                BYTES_FOR_A_KEY,
            );
        }
    }
}

/// Both sides allow and refuse the same, over time.
fn check() {
    let (donjon, governor) = (Donjon::new(10), Governor::new(PER_SECOND));
    for (turn, key) in Keys::new(7).0.iter().cycle().take(20_000).enumerate() {
        assert_eq!(donjon.allows(key), governor.allows(key), "turn {turn}");
        if turn % 30 == 0 {
            donjon.advance_ms(ROUND_MS);
            governor.advance_ms(ROUND_MS);
        }
    }
}

fn compare_one_thread(name: &str, keys: &Keys, wanted: Option<f64>) {
    let (donjon, governor) = (Donjon::new(keys.0.len()), Governor::new(PER_SECOND));
    let own_clock = Governor::with_own_clock(PER_SECOND);
    let [mut ours, mut theirs, mut theirs_too] = [(); 3].map(|()| keys.0.iter());
    for key in (0..keys.0.len()).map(key_of) {
        assert!(donjon.allows(&key) && governor.allows(&key) && own_clock(&key));
    }
    let measured = races(&mut [
        Runner {
            name: "donjon",
            call: &mut || {
                let key = next(&mut ours, keys, || donjon.advance_ms(ROUND_MS));
                assert!(donjon.allows(black_box(key)));
            },
        },
        Runner {
            name: "governor 0.10",
            call: &mut || {
                let key = next(&mut theirs, keys, || governor.advance_ms(ROUND_MS));
                assert!(governor.allows(black_box(key)));
            },
        },
        Runner {
            name: "governor 0.10, its own clock",
            call: &mut || _ = black_box(own_clock(black_box(next(&mut theirs_too, keys, || ())))),
        },
    ]);
    report_all(&format!("limits check, {name}, 1 thread"), &measured, wanted);
}

/// The next key, from the first after the last, before which `turn` is called.
fn next<'a>(iter: &mut std::slice::Iter<'a, String>, keys: &'a Keys, turn: impl Fn()) -> &'a String {
    if let Some(key) = iter.next() {
        return key;
    }
    turn();
    *iter = keys.0.iter();
    iter.next().unwrap()
}

fn compare_two_threads(name: &str, keys: &Keys) {
    let (donjon, governor) = (Donjon::new(keys.0.len()), Governor::new(PER_SECOND));
    let ours = |at: usize| {
        let key = keys.at(at, || donjon.advance_ms(ROUND_MS));
        assert!(donjon.allows(black_box(key)));
    };
    let theirs = |at: usize| {
        let key = keys.at(at, || governor.advance_ms(ROUND_MS));
        assert!(governor.allows(black_box(key)));
    };
    for key in (0..keys.0.len()).map(key_of) {
        assert!(donjon.allows(&key) && governor.allows(&key));
    }
    let run = |side: usize, at: &mut [usize; 2]| {
        let batch = at[side]..at[side] + BATCH;
        at[side] = batch.end;
        match side {
            0 => batch.for_each(ours),
            _ => batch.for_each(theirs),
        }
    };
    // Two times the round, and its side; what the other thread has finished. Waiting is spinning, so that both begin
    // and end together.
    let (round, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let measured = thread::scope(|scope| {
        scope.spawn(|| {
            // The threads are half of all keys apart.
            let mut at = [keys.0.len() / 2; 2];
            for number in 1.. {
                wait(|| round.load(Ordering::Acquire) / 2 >= number);
                match round.load(Ordering::Acquire) {
                    OVER => return,
                    begun => run(begun % 2, &mut at),
                }
                finished.store(number, Ordering::Release);
            }
        });
        let (mut number, mut at) = (0, [0; 2]);
        let mut both = |side| {
            number += 1;
            round.store(2 * number + side, Ordering::Release);
            run(side, &mut at);
            wait(|| finished.load(Ordering::Acquire) == number);
        };
        let both = RefCell::new(&mut both);
        let measured = races(&mut [
            Runner { name: "donjon", call: &mut || both.borrow_mut()(0) },
            Runner { name: "governor 0.10", call: &mut || both.borrow_mut()(1) },
        ]);
        round.store(OVER, Ordering::Release);
        measured
    });
    // Of one of the threads, per check.
    let measured: Vec<_> = measured.into_iter().map(|(name, ns)| (name, ns / BATCH as f64)).collect();
    report_all(&format!("limits check, {name}, 2 threads"), &measured, Some(WANTED));
}

/// The least of several races: what memory costs depends on what else the machine does, for longer than one lasts.
fn races(runners: &mut [Runner<'_>]) -> Vec<(&'static str, f64)> {
    let mut least = race(runners);
    for _ in 1..RACES {
        for ((_, least), (_, ns)) in least.iter_mut().zip(race(runners)) {
            *least = least.min(ns);
        }
    }
    least
}

fn wait(is_over: impl Fn() -> bool) {
    while !is_over() {
        spin_loop();
    }
}

/// The child: fills a table, and prints by how much its resident set has grown, and what the table says that it
/// holds. The keys are made one after the other, and none is kept.
pub fn fill() {
    let count: usize = env::args().nth(2).unwrap().parse().unwrap();
    let one = Donjon::new(1);
    assert!(one.allows(&key_of(0)));
    let base = resident_bytes("VmRSS:");
    let donjon = Donjon::new(count);
    for number in 0..count {
        assert!(donjon.allows(&key_of(number)));
    }
    let grown = resident_bytes("VmRSS:") - base;
    let statistics = donjon.table.statistics();
    assert_eq!((statistics.entries, statistics.evicted), (count as u64, 0));
    println!("{grown} {}", statistics.bytes);
}

struct Donjon {
    table: LimitTable,
    limits: Limits,
    now_ms: AtomicI64,
}

impl Donjon {
    fn new(capacity: usize) -> Self {
        let config = LimitTableConfig { capacity: capacity.try_into().unwrap(), when_full: WhenFull::Refuse };
        Self {
            table: LimitTable::new(config, &mut OsEntropy).unwrap(),
            limits: Limits::parse(&format!("{PER_SECOND}/second"), Algorithm::Gcra).unwrap(),
            now_ms: AtomicI64::new(1_800_000_000_000),
        }
    }

    fn allows(&self, key: &String) -> bool {
        let now_ms = self.now_ms.load(Ordering::Relaxed);
        self.table.spend(&self.limits, key.as_bytes(), now_ms, 1).unwrap().allowed()
    }

    fn advance_ms(&self, ms: u32) {
        self.now_ms.fetch_add(ms.into(), Ordering::Relaxed);
    }
}

/// Keys in random order, which is not that in which the tables were filled. They lie in memory as they are asked
/// for, so that they are in the processor's cache, as the key of a request is that has just been read.
struct Keys(Vec<String>);

impl Keys {
    fn new(count: usize) -> Self {
        Self(Self::numbers(count).into_iter().map(key_of).collect())
    }

    /// In the same order, scattered over memory.
    fn scattered(count: usize) -> Self {
        let mut keys: Vec<String> = (0..count).map(key_of).collect();
        Self(Self::numbers(count).into_iter().map(|number| mem::take(&mut keys[number])).collect())
    }

    fn numbers(count: usize) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..count).collect();
        // Fisher and Yates, by Knuth's generator: the same each time.
        let mut random = 1_u64;
        for at in (1..count).rev() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            numbers.swap(at, (random >> 33) as usize % (at + 1));
        }
        numbers
    }

    /// The key at `at`, counted on from the last to the first, before which `turn` is called.
    fn at(&self, at: usize, turn: impl Fn()) -> &String {
        let at = at % self.0.len();
        if at == 0 {
            turn();
        }
        &self.0[at]
    }
}

fn key_of(number: usize) -> String {
    format!("address:198.51.100.{}:{number:07}", number % 256)
}
