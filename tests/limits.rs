//! What limits promise (FORMATS.md, ATTACKS.md 41 to 44), over random arrivals and random states: the most
//! that each algorithm admits, waits that are exact, GCRA as its standard has it, and that neither a clock that
//! steps back, nor a changed configuration, nor damage, nor what is given back, lets more through.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]
#![allow(missing_docs)]

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use donjon::limit::{Algorithm, Limit, LimitError, Limits, MAX_NOW_MS, Outcome, StateBuf, Verdict};
use donjon::runtime::{LimitTable, LimitTableConfig, OsEntropy};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

const NOW: i64 = 1_700_000_000_000;
const ALGORITHMS: [Algorithm; 5] = [
    Algorithm::Gcra,
    Algorithm::TokenBucket,
    Algorithm::FixedWindow,
    Algorithm::SlidingWindow,
    Algorithm::SlidingLog,
];

/// A key, and what is stored for it.
#[derive(Debug, Clone)]
struct Key {
    limits: Limits,
    state: Vec<u8>,
}

impl Key {
    fn new(limit: Limit) -> Self {
        Self { limits: Limits::new(vec![limit]).unwrap(), state: Vec::new() }
    }

    fn spend(&mut self, now: i64, cost: u32) -> Verdict {
        let mut next = StateBuf::new();
        let verdict = self.limits.spend(&self.state, now, cost, &mut next).unwrap();
        self.state = next.as_bytes().to_vec();
        verdict
    }

    /// How it stands, and nothing is spent.
    fn peek(&self, now: i64) -> Verdict {
        self.clone().spend(now, 0)
    }

    fn give_back(&mut self, spent_at: i64, now: i64, cost: u32) {
        let mut next = StateBuf::new();
        self.limits.give_back(&self.state, spent_at, now, cost, &mut next).unwrap();
        self.state = next.as_bytes().to_vec();
    }
}

fn limit(algorithm: Algorithm, amount: u32, period_s: u32, burst: Option<u32>) -> Limit {
    let has_burst = matches!(algorithm, Algorithm::Gcra | Algorithm::TokenBucket);
    Limit::new(algorithm, amount, period_s, burst.filter(|_| has_burst)).unwrap()
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    prop::sample::select(&ALGORITHMS[..])
}

/// A limit of which a test can see all.
fn small_limit() -> impl Strategy<Value = Limit> {
    (algorithm(), 1_u32..=12, 1_u32..=5, prop::option::of(1_u32..=20))
        .prop_map(|(algorithm, amount, period_s, burst)| limit(algorithm, amount, period_s, burst))
}

fn lockout_limit() -> impl Strategy<Value = Limit> {
    (1_u32..=6, 1_u32..=5, 1_u32..=4, 1_u32..=50)
        .prop_map(|(attempts, lock_s, growth, times)| {
            Limit::lockout(attempts, lock_s, growth, lock_s * times)
        })
        .prop_map(Result::unwrap)
}

/// Any limit that there is, the largest and the longest among them.
fn any_limit() -> impl Strategy<Value = Limit> {
    let amount = prop_oneof![1_u32..=64, any::<u32>(), Just(u32::MAX), Just(u32::MAX - 1), Just(7)];
    let period_s = prop_oneof![1_u32..=10, 1_u32..=3_110_400_000, Just(3_110_400_000), Just(1)];
    let burst = prop::option::of(prop_oneof![1_u32..=64, any::<u32>()]);
    let wide = (algorithm(), amount, period_s, burst).prop_filter_map(
        "over a bound",
        |(algorithm, amount, period_s, burst)| {
            let has_burst = matches!(algorithm, Algorithm::Gcra | Algorithm::TokenBucket);
            let most = if algorithm == Algorithm::SlidingLog { 64 } else { u32::MAX };
            Limit::new(algorithm, (amount % most).max(1), period_s, burst.filter(|_| has_burst)).ok()
        },
    );
    prop_oneof![4 => small_limit(), 4 => wide, 1 => lockout_limit()]
}

/// How long after the one before something arrives, and what it costs.
fn arrivals(most: usize) -> impl Strategy<Value = Vec<(i64, u32)>> {
    let gap = prop_oneof![4 => Just(0_i64), 3 => 0_i64..=50, 3 => 0_i64..=1_000, 1 => 0_i64..=12_000];
    prop::collection::vec((gap, prop_oneof![6 => Just(1_u32), 1 => 0_u32..=5]), 1..most)
}

/// The same, with clocks that step back.
fn steps(most: usize) -> impl Strategy<Value = Vec<i64>> {
    let gap = prop_oneof![
        4 => Just(0_i64), 3 => 0_i64..=50, 3 => 0_i64..=1_000, 1 => 0_i64..=12_000, 2 => -12_000_i64..=0,
    ];
    prop::collection::vec(gap, 1..most)
}

/// Any time, the first and the last among them.
fn any_time() -> impl Strategy<Value = i64> {
    prop_oneof![
        0_i64..=20_000,
        NOW..=NOW + 20_000,
        0_i64..=i64::MAX,
        Just(0),
        Just(i64::MAX),
        Just(i64::try_from(MAX_NOW_MS).unwrap()),
    ]
}

/// What FORMATS.md says of the most in any window of one period.
fn bound(limit: &Limit) -> u64 {
    let (amount, capacity) = (u64::from(limit.amount()), u64::from(limit.capacity()));
    match limit.algorithm() {
        Algorithm::Gcra | Algorithm::TokenBucket => amount + capacity - 1,
        Algorithm::FixedWindow => 2 * amount,
        Algorithm::SlidingWindow => 2 * amount - 1,
        Algorithm::SlidingLog | Algorithm::Lockout => amount,
    }
}

/// The most that was admitted in any window of one period that is closed at its start and open at its end.
fn most_in_a_period(admitted: &[(i64, u32)], period_ms: i64) -> u64 {
    let within = |start: i64| {
        let inside = admitted.iter().filter(|(at, _)| (start..start + period_ms).contains(at));
        inside.map(|(_, cost)| u64::from(*cost)).sum()
    };
    admitted.iter().map(|(start, _)| within(*start)).max().unwrap_or(0)
}

/// The virtual scheduling algorithm of ITU-T I.371, beside its continuous-state leaky bucket, in units of
/// 1/amount ms: the increment is the period, and a cost is that many cells at once, which conform all or none.
struct Textbook {
    increment: u128,
    limit: u128,
    amount: u128,
    arrival: u128,
    bucket: u128,
    last: u128,
}

impl Textbook {
    fn new(limit: &Limit) -> Self {
        let increment = u128::from(limit.period_s()) * 1000;
        let tolerance = increment * u128::from(limit.capacity() - 1);
        Self { increment, limit: tolerance, amount: limit.amount().into(), arrival: 0, bucket: 0, last: 0 }
    }

    /// Whether the cells conform. The time never steps back.
    fn arrive(&mut self, now: i64, cells: u32) -> bool {
        let now = u128::try_from(now).unwrap() * self.amount;
        let (mut arrival, mut conforms) = (self.arrival, true);
        for _ in 0..cells {
            conforms &= arrival <= now + self.limit;
            arrival = arrival.max(now) + self.increment;
        }
        let mut bucket = self.bucket.saturating_sub(now - self.last);
        let mut fits = true;
        for _ in 0..cells {
            fits &= bucket <= self.limit;
            bucket += self.increment;
        }
        assert_eq!(conforms, fits, "the standard's two forms are one");
        if conforms && cells > 0 {
            (self.arrival, self.bucket, self.last) = (arrival, bucket, now);
        }
        conforms
    }
}

fn admitted_total(limit: Limit, times: impl Iterator<Item = i64>) -> u32 {
    let mut key = Key::new(limit);
    let mut total = 0;
    for now in times {
        total += u32::from(key.spend(now, 1).allowed());
    }
    total
}

/// A verdict says nothing that cannot be.
fn is_sound(limits: &Limits, verdict: &Verdict, cost: u32) -> Result<(), TestCaseError> {
    let limit = limits.list()[usize::from(verdict.index)];
    prop_assert_eq!(verdict.limit, limit.capacity());
    prop_assert!(verdict.remaining <= verdict.limit);
    prop_assert!(verdict.keep_ms >= verdict.reset_after_ms);
    prop_assert_eq!(verdict.remaining == verdict.limit, verdict.reset_after_ms == 0);
    let never = limits.list().iter().any(|limit| cost > limit.capacity());
    prop_assert_eq!(verdict.outcome == Outcome::NeverAllowed, never);
    if let Outcome::RetryAfterMs(ms) = verdict.outcome {
        prop_assert!(ms > 0 && verdict.remaining < cost.max(1));
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_window_of_one_period_admits_more_than_the_format_says(
        limit in small_limit(), arrivals in arrivals(200),
    ) {
        let (mut key, mut now, mut admitted) = (Key::new(limit), NOW, Vec::new());
        for (gap, cost) in arrivals {
            now += gap;
            if key.spend(now, cost).allowed() {
                admitted.push((now, cost));
            }
        }
        let most = most_in_a_period(&admitted, i64::from(limit.period_s()) * 1000);
        prop_assert!(most <= bound(&limit), "{} of {}", most, bound(&limit));
    }

    #[test]
    fn gcra_is_the_virtual_scheduling_of_its_standard(
        amount in prop_oneof![1_u32..=12, 1_u32..=100_000, any::<u32>()],
        period_s in prop_oneof![1_u32..=5, 1_u32..=100_000],
        burst in 1_u32..=12,
        start in any_time(),
        arrivals in arrivals(100),
        algorithm in prop::sample::select(&ALGORITHMS[..2]),
    ) {
        let limit = limit(algorithm, amount.max(1), period_s, Some(burst));
        let (mut key, mut textbook) = (Key::new(limit), Textbook::new(&limit));
        let mut now = start.min(NOW);
        for (gap, cost) in arrivals {
            now += gap;
            let conforms = textbook.arrive(now, cost.max(1)) && cost <= burst;
            if cost > 0 {
                prop_assert_eq!(key.spend(now, cost).allowed(), conforms);
            } else {
                textbook = Textbook { ..textbook };
                prop_assert_eq!(key.peek(now).allowed(), conforms);
                // It arrived in the book: let it arrive here too.
                prop_assert_eq!(key.spend(now, 1).allowed(), conforms);
            }
        }
    }

    #[test]
    fn a_refusal_ends_at_its_millisecond_and_not_before(
        limit in any_limit(), steps in steps(40), cost in prop_oneof![Just(1_u32), 1_u32..=12],
    ) {
        let (mut key, mut now) = (Key::new(limit), NOW);
        let cost = cost.min(limit.capacity());
        for gap in steps {
            now += gap;
            let verdict = key.spend(now, cost);
            is_sound(&key.limits, &verdict, cost)?;
            if let Outcome::RetryAfterMs(ms) = verdict.outcome {
                let ms = i64::try_from(ms).unwrap();
                prop_assert!(!key.clone().spend(now + ms - 1, cost).allowed());
                prop_assert!(key.clone().spend(now + ms, cost).allowed());
            }
            let reset = i64::try_from(verdict.reset_after_ms).unwrap();
            let full = key.peek(now + reset);
            prop_assert_eq!((full.remaining, full.reset_after_ms), (limit.capacity(), 0));
            if reset > 0 {
                prop_assert!(key.peek(now + reset - 1).reset_after_ms > 0);
            }
            let kept = i64::try_from(verdict.keep_ms).unwrap();
            prop_assert_eq!(key.peek(now + kept).keep_ms, 0);
            prop_assert!(kept == 0 || key.peek(now + kept - 1).keep_ms > 0);
        }
    }

    #[test]
    fn what_remains_can_be_had_and_no_more(limit in any_limit(), steps in steps(20)) {
        let (mut key, mut now) = (Key::new(limit), NOW);
        for gap in steps {
            now += gap;
            key.spend(now, 1);
            let left = key.peek(now).remaining;
            prop_assert!(left == 0 || key.clone().spend(now, left).allowed());
            prop_assert!(left == u32::MAX || !key.clone().spend(now, left + 1).allowed());
        }
    }

    #[test]
    fn a_state_that_keep_ms_has_outlived_may_be_dropped(
        limit in any_limit(), first in steps(20), gap in 0_i64..=100, after in arrivals(20),
    ) {
        let (mut key, mut now) = (Key::new(limit), NOW);
        for gap in first {
            now += gap;
            key.spend(now, 1);
        }
        now += i64::try_from(key.peek(now).keep_ms).unwrap() + gap;
        let mut fresh = Key::new(limit);
        for (gap, cost) in after {
            now += gap;
            prop_assert_eq!(key.spend(now, cost), fresh.spend(now, cost));
        }
    }

    #[test]
    fn a_clock_that_steps_back_admits_no_more_than_one_that_stands_still(
        limit in prop_oneof![4 => small_limit(), 1 => lockout_limit()], steps in steps(150),
    ) {
        let times = steps.iter().scan(NOW, |now, gap| {
            *now += gap;
            Some(*now)
        });
        let held = times.clone().scan(0, |latest, now| {
            *latest = now.max(*latest);
            Some(*latest)
        });
        let (stepped, still) = (admitted_total(limit, times), admitted_total(limit, held));
        prop_assert!(stepped <= still, "{} against {}", stepped, still);
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing_back(
        limit in any_limit(), steps in steps(20), back in 0_i64..=20_000,
    ) {
        let (mut key, mut now) = (Key::new(limit), NOW);
        for gap in steps {
            now += gap;
            key.spend(now, 1);
        }
        prop_assert!(key.peek(now - back).remaining <= key.peek(now).remaining);
        prop_assert!(key.peek(0).remaining <= key.peek(now - back).remaining);
    }

    #[test]
    fn a_list_is_spent_all_or_nothing(
        algorithm in algorithm(),
        amounts in prop::collection::vec(1_u32..=8, 1..=8),
        arrivals in arrivals(60),
    ) {
        let pairs = amounts.iter().zip(1..);
        let list: Vec<Limit> =
            pairs.map(|(amount, period_s)| limit(algorithm, *amount, period_s, None)).collect();
        let mut together = Key { limits: Limits::new(list.clone()).unwrap(), state: Vec::new() };
        let mut alone: Vec<Key> = list.iter().map(|limit| Key::new(*limit)).collect();
        let mut now = NOW;
        for (gap, cost) in arrivals {
            now += gap;
            let before = together.state.clone();
            let tried: Vec<Verdict> = alone.iter().map(|key| key.clone().spend(now, cost)).collect();
            let verdict = together.spend(now, cost);
            is_sound(&together.limits, &verdict, cost)?;
            prop_assert_eq!(verdict.allowed(), tried.iter().all(Verdict::allowed));
            if verdict.allowed() {
                for key in &mut alone {
                    key.spend(now, cost);
                }
            } else {
                prop_assert_eq!(&together.state, &before);
                let longest = tried.iter().filter_map(|verdict| match verdict.outcome {
                    Outcome::RetryAfterMs(ms) => Some(ms),
                    _ => None,
                });
                if verdict.outcome != Outcome::NeverAllowed {
                    prop_assert_eq!(verdict.outcome, Outcome::RetryAfterMs(longest.max().unwrap()));
                }
            }
            let left = alone.iter().map(|key| key.peek(now).remaining).min().unwrap();
            if verdict.allowed() {
                prop_assert_eq!(verdict.remaining, left);
            }
            prop_assert_eq!(verdict.keep_ms, alone.iter().map(|key| key.peek(now).keep_ms).max().unwrap());
            let stored: Vec<u8> = alone.iter().flat_map(|key| key.state.clone()).collect();
            prop_assert_eq!(&together.state, &stored);
        }
    }

    #[test]
    fn what_is_given_back_is_never_more_than_was_spent(
        limit in small_limit(),
        before in arrivals(20), cost in 1_u32..=4, between in arrivals(20), late in 0_i64..=8_000,
        after in prop::collection::vec(0_i64..=12_000, 1..10),
    ) {
        let mut key = Key::new(limit);
        let mut now = NOW;
        for (gap, cost) in before {
            now += gap;
            key.spend(now, cost);
        }
        let mut never = key.clone();
        // Where windows begin with another first, the two have nothing in common.
        let is_window = matches!(limit.algorithm(), Algorithm::FixedWindow | Algorithm::SlidingWindow);
        let spent_at = now;
        if !key.spend(spent_at, cost).allowed() {
            return Ok(());
        }
        for (gap, cost) in between {
            now += gap;
            if key.spend(now, cost).allowed() {
                prop_assert!(never.spend(now, cost).allowed() || is_window);
            }
        }
        now += late;
        let kept = key.clone();
        key.give_back(spent_at, now, cost);
        for gap in std::iter::once(0).chain(after) {
            now += gap;
            let [back, kept, never] = [&key, &kept, &never].map(|key| key.peek(now).remaining);
            prop_assert!((kept..=kept + cost).contains(&back), "{} and {} back are {}", kept, cost, back);
            prop_assert!(is_window || back <= never, "{}, and {} had it not been spent", back, never);
        }
    }

    #[test]
    fn what_is_given_back_at_once_was_never_spent(limit in any_limit(), steps in steps(20)) {
        let (mut key, mut now) = (Key::new(limit), NOW);
        for gap in steps {
            now += gap.max(0);
            let before = key.peek(now);
            if key.spend(now, 1).allowed() {
                let after = key.clone();
                key.give_back(now, now, 1);
                prop_assert_eq!(key.peek(now).remaining, before.remaining);
                key = after;
            }
        }
    }

    #[test]
    fn another_configuration_gives_nothing_away(
        (old, new) in prop_oneof![(any_limit(), any_limit()), (lockout_limit(), lockout_limit())],
        steps in steps(30), later in 0_i64..=3_000,
    ) {
        let (mut key, mut now) = (Key::new(old), NOW);
        for gap in steps {
            now += gap;
            key.spend(now, 1);
        }
        now += later;
        let before = key.peek(now);
        let mut changed = Key { limits: Limits::new(vec![new]).unwrap(), state: key.state.clone() };
        let after = changed.peek(now);
        let used = (before.limit - before.remaining).min(after.limit);
        prop_assert!(after.remaining <= before.remaining.min(after.limit - used));
        prop_assert!(after.remaining == before.remaining.min(after.limit - used), "more is lost than was");
        // A lock stays on for as long.
        if let ([Algorithm::Lockout, Algorithm::Lockout], Outcome::RetryAfterMs(ms)) =
            ([old.algorithm(), new.algorithm()], before.outcome)
        {
            prop_assert!(matches!(after.outcome, Outcome::RetryAfterMs(longer) if longer >= ms));
        }
        // And back again.
        changed.spend(now, 0);
        changed.limits = key.limits;
        prop_assert!(changed.peek(now).remaining <= before.remaining);
    }

    #[test]
    fn changing_the_configuration_at_every_request_admits_no_more_than_the_largest(
        limits in prop::collection::vec(small_limit(), 1..=5),
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..100),
    ) {
        let mut key = Key::new(limits[0]);
        let mut admitted = 0;
        for index in order {
            key.limits = Limits::new(vec![*index.get(&limits)]).unwrap();
            admitted += u32::from(key.spend(NOW, 1).allowed());
        }
        prop_assert!(admitted <= limits.iter().map(Limit::capacity).max().unwrap());
    }

    #[test]
    fn damage_is_all_used_and_never_a_panic(
        limit in any_limit(), times in prop::collection::vec(any_time(), 1..6),
        at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
        noise in prop::collection::vec(any::<u8>(), 1..200), cost in any::<u32>(),
    ) {
        let mut key = Key::new(limit);
        for now in &times {
            key.spend(*now, 1);
        }
        let (good, now) = (key.state.clone(), times[0]);
        let cut = good[..cut.index(good.len())].to_vec();
        let behind = [&good[..], &noise].concat();
        for state in [cut, behind, noise] {
            let mut damaged = Key { state: state.clone(), ..key.clone() };
            let verdict = damaged.peek(now);
            is_sound(&damaged.limits, &verdict, 0)?;
            // A length that no list of states has.
            if !state.is_empty() && state.len() < 16 {
                prop_assert_eq!(verdict.remaining, 0);
            }
            let verdict = damaged.spend(now, cost);
            is_sound(&damaged.limits, &verdict, cost)?;
            damaged.give_back(times[times.len() - 1], now, cost);
            is_sound(&damaged.limits, &damaged.peek(now), 0)?;
        }
        let mut flipped = good;
        let at = at.index(flipped.len());
        flipped[at] ^= byte;
        let mut flipped = Key { state: flipped, ..key };
        for now in times {
            is_sound(&flipped.limits, &flipped.peek(now), 0)?;
            let verdict = flipped.spend(now, cost);
            is_sound(&flipped.limits, &verdict, cost)?;
            flipped.give_back(now, now, cost);
        }
    }

    #[test]
    fn a_lock_out_lets_so_many_through_and_then_none_until_its_end(
        limit in lockout_limit(), arrivals in arrivals(100),
    ) {
        let (mut key, mut now, mut made) = (Key::new(limit), NOW, Vec::new());
        for (gap, _) in arrivals {
            now += gap;
            let verdict = key.spend(now, 1);
            if verdict.allowed() {
                made.push((now, 1));
                if verdict.remaining == 0 {
                    let locked_ms = i64::try_from(verdict.reset_after_ms).unwrap();
                    prop_assert!(locked_ms >= i64::from(limit.period_s()) * 1000);
                    prop_assert!(!key.clone().spend(now + locked_ms - 1, 1).allowed());
                    prop_assert!(key.clone().spend(now + locked_ms, 1).allowed());
                }
            }
        }
        // The attempts that led to a lock may lie apart, but never more of them than that within one.
        prop_assert!(most_in_a_period(&made, i64::from(limit.period_s()) * 1000) <= bound(&limit));
    }

    #[test]
    fn a_text_is_refused_at_a_byte_of_it_or_says_what_it_said(
        text in "[0-9 /;,|a-zA-Z\\-]{0,40}", valid in any::<bool>(),
    ) {
        let text = if valid { format!("10 per minute;{text}") } else { text };
        match Limits::parse(&text, Algorithm::Gcra) {
            Err(LimitError::Spec { offset, .. }) => prop_assert!(offset <= text.len()),
            Err(error) => prop_assert!(matches!(error, LimitError::Config(_)), "{:?}", error),
            Ok(limits) => {
                let written = |limit: &Limit| format!("{}/{} second", limit.amount(), limit.period_s());
                let written: Vec<String> = limits.list().iter().map(written).collect();
                prop_assert_eq!(Limits::parse(&written.join(", "), Algorithm::Gcra).unwrap(), limits);
            }
        }
    }
}

#[test]
fn seven_in_a_second_are_700_and_a_burst_in_100_seconds() {
    for burst in [1, 7, 20] {
        for algorithm in [Algorithm::Gcra, Algorithm::TokenBucket] {
            let limit = limit(algorithm, 7, 1, Some(burst));
            // Somebody who asks in every millisecond.
            assert_eq!(admitted_total(limit, NOW..NOW + 100_000), 700 + burst - 1);
        }
    }
    let limit = limit(Algorithm::Gcra, 10_000, 1, None);
    let mut key = Key::new(limit);
    let mut admitted = 0;
    for now in NOW..NOW + 1_000 {
        while key.spend(now, 1).allowed() {
            admitted += 1;
        }
    }
    assert_eq!(admitted, 10_000 + 9_990);
}

#[test]
fn the_bounds_are_reached_and_so_are_not_too_high() {
    let most = |algorithm, times: &[i64]| {
        let limit = limit(algorithm, 5, 1, None);
        let (mut key, mut admitted) = (Key::new(limit), Vec::new());
        for now in times {
            while key.spend(NOW + now, 1).allowed() {
                admitted.push((NOW + now, 1));
            }
        }
        (most_in_a_period(&admitted, 1_000), bound(&limit))
    };
    let every: Vec<i64> = (0..3_000).collect();
    for algorithm in [Algorithm::Gcra, Algorithm::TokenBucket, Algorithm::SlidingLog] {
        let (reached, bound) = most(algorithm, &every);
        assert_eq!(reached, bound, "{algorithm:?}");
    }
    // One that begins the window, and the rest of it right before its end.
    let limit = limit(Algorithm::FixedWindow, 5, 1, None);
    let (mut key, mut admitted) = (Key::new(limit), Vec::new());
    for (at, cost) in [(0, 1), (999, 4), (1_000, 5)] {
        assert!(key.spend(NOW + at, cost).allowed());
        admitted.push((NOW + at, cost));
    }
    assert_eq!(most_in_a_period(&admitted, 1_000), 9);
    let limit = Limit::new(Algorithm::FixedWindow, 1_000_000, 1, None).unwrap();
    let (mut key, mut admitted) = (Key::new(limit), Vec::new());
    for (at, cost) in [(0, 1), (999, 999_999), (1_000, 1_000_000)] {
        assert!(key.spend(NOW + at, cost).allowed());
        admitted.push((NOW + at, cost));
    }
    assert_eq!(most_in_a_period(&admitted, 1_000), 1_999_999);
}

#[test]
fn a_refused_text_says_where() {
    for (text, offset) in [
        ("0/minute", 0),
        ("-1/second", 0),
        ("10/fortnight", 3),
        ("10 per  fortnight", 8),
        ("1e3/day", 1),
        ("4294967296/day", 0),
        ("10/4294967296 second", 3),
        ("10/0 minute", 3),
        ("10/101 years", 3),
        ("10", 2),
        ("10/", 3),
        ("", 0),
        ("  ", 2),
        ("/minute", 0),
        ("10 minute", 3),
        ("10/minute;", 10),
        ("10/minute; 5/fortnight", 13),
        ("10/minute; 0/hour", 11),
        ("10/minute 5/hour", 10),
        ("10/minute & 5/hour", 10),
        ("\u{661}0/minute", 0),
        ("10/minute\0", 9),
    ] {
        let error = Limits::parse(text, Algorithm::Gcra).unwrap_err();
        assert!(error.to_string().ends_with(&format!(" at byte {offset}")), "{text:?}: {error}");
    }
    let long = "10/minute".to_owned() + &" ".repeat(1_016);
    assert_eq!(long.len(), 1_025);
    assert!(matches!(Limits::parse(&long, Algorithm::Gcra), Err(LimitError::Spec { offset: 1_024, .. })));
}

#[test]
fn a_limit_of_the_largest_amount_is_one() {
    for algorithm in ALGORITHMS.into_iter().filter(|algorithm| *algorithm != Algorithm::SlidingLog) {
        for period_s in [1, 3_110_400_000] {
            let mut key = Key::new(limit(algorithm, u32::MAX, period_s, None));
            assert!(key.spend(NOW, u32::MAX - 1).allowed());
            assert!(!key.spend(NOW, u32::MAX).allowed(), "{algorithm:?} in {period_s} s");
            assert!(!key.spend(NOW, 2).allowed(), "{algorithm:?} in {period_s} s");
            assert!(key.spend(NOW, 1).allowed());
            assert!(!key.spend(NOW, 1).allowed(), "{algorithm:?} in {period_s} s");
        }
    }
}

#[test]
fn of_64_guesses_at_once_5_are_hashed() {
    let limits = Limits::new(vec![Limit::lockout(5, 900, 1, 900).unwrap()]).unwrap();
    let table = LimitTable::new(LimitTableConfig::DEFAULT, &mut OsEntropy).unwrap();
    for round in 0..50_u8 {
        let (start, hashed) = (Barrier::new(64), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| {
                    start.wait();
                    if table.spend(&limits, &[round], NOW, 1).unwrap().allowed() {
                        hashed.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(hashed.into_inner(), 5);
    }
}
