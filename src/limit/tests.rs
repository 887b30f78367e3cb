use super::*;
use alloc::string::ToString as _;
use alloc::vec::Vec;

const NOW: i64 = 1_800_000_000_000;

fn limits(text: &str, algorithm: Algorithm) -> Limits {
    Limits::parse(text, algorithm).unwrap()
}

/// A key and its state.
struct Key {
    limits: Limits,
    state: StateBuf,
}

impl Key {
    fn new(text: &str, algorithm: Algorithm) -> Self {
        Self { limits: limits(text, algorithm), state: StateBuf::new() }
    }

    fn of_json(text: &str) -> Self {
        Self { limits: Limits::from_json(text.as_bytes()).unwrap(), state: StateBuf::new() }
    }

    fn spend(&mut self, now_ms: i64, cost: u32) -> Verdict {
        let mut next = StateBuf::new();
        let verdict = self.limits.spend(self.state.as_bytes(), now_ms, cost, &mut next).unwrap();
        self.state = next;
        verdict
    }

    fn give_back(&mut self, spent_at_ms: i64, now_ms: i64, cost: u32) {
        let mut next = StateBuf::new();
        self.limits.give_back(self.state.as_bytes(), spent_at_ms, now_ms, cost, &mut next).unwrap();
        self.state = next;
    }

    fn admitted(&mut self, now_ms: i64, tries: u32) -> u32 {
        (0..tries).map(|_| u32::from(self.spend(now_ms, 1).allowed())).sum()
    }
}

const COUNTED: [Algorithm; 5] = [
    Algorithm::Gcra,
    Algorithm::TokenBucket,
    Algorithm::FixedWindow,
    Algorithm::SlidingWindow,
    Algorithm::SlidingLog,
];

#[test]
fn every_algorithm_admits_its_amount_at_once_and_then_says_exactly_when() {
    for algorithm in COUNTED {
        let mut key = Key::new("5/minute", algorithm);
        for remaining in (0..5).rev() {
            let verdict = key.spend(NOW, 1);
            assert_eq!((verdict.outcome, verdict.remaining), (Outcome::Allowed, remaining), "{algorithm:?}");
        }
        let refused = key.spend(NOW + 1, 1);
        let Outcome::RetryAfterMs(ms) = refused.outcome else { panic!("{algorithm:?} {refused:?}") };
        let at = NOW + 1 + i64::try_from(ms).unwrap();
        assert!(!key.spend(at - 1, 1).allowed(), "{algorithm:?}");
        assert!(key.spend(at, 1).allowed(), "{algorithm:?}");
    }
}

#[test]
fn seven_in_a_second_are_seven_hundred_in_a_hundred() {
    let mut key = Key::new("7/second", Algorithm::Gcra);
    let admitted: u32 = (0..100_000).map(|ms| u32::from(key.spend(NOW + ms, 1).allowed())).sum();
    assert_eq!(admitted, 700 + 7 - 1);
}

#[test]
fn a_cost_that_can_never_be_there_is_told_from_one_that_can() {
    for algorithm in COUNTED {
        let mut key = Key::new("5/minute", algorithm);
        assert_eq!(key.spend(NOW, 6).outcome, Outcome::NeverAllowed, "{algorithm:?}");
        assert_eq!(key.spend(NOW, u32::MAX).outcome, Outcome::NeverAllowed, "{algorithm:?}");
        assert!(key.spend(NOW, 5).allowed());
        assert!(matches!(key.spend(NOW, 5).outcome, Outcome::RetryAfterMs(_)));
    }
}

#[test]
fn a_cost_of_nothing_asks_and_spends_nothing() {
    for algorithm in COUNTED {
        let mut key = Key::new("1/minute", algorithm);
        assert_eq!((key.spend(NOW, 0).remaining, key.state.as_bytes().len()), (1, 0));
        assert!(key.spend(NOW, 1).allowed());
        let before = key.state.clone();
        assert!(!key.spend(NOW, 0).allowed(), "{algorithm:?}");
        assert_eq!(key.state, before);
    }
}

#[test]
fn several_limits_spend_all_or_nothing() {
    let mut key = Key::new("2/second; 3/hour", Algorithm::Gcra);
    assert_eq!(key.admitted(NOW, 5), 2);
    assert_eq!(key.admitted(NOW + 1000, 5), 1);
    let before = key.state.clone();
    let refused = key.spend(NOW + 1000, 1);
    assert_eq!((refused.allowed(), refused.index), (false, 1));
    assert_eq!(key.state, before);
}

#[test]
fn the_extremes_of_amount_and_period_are_exact() {
    for (text, algorithm) in [
        ("4294967295/second", Algorithm::Gcra),
        ("4294967295 per 100 years", Algorithm::Gcra),
        ("4294967291 per 99 years", Algorithm::SlidingWindow),
        ("1 per 100 years", Algorithm::Gcra),
        ("1 per 100 years", Algorithm::SlidingLog),
        ("10000/second", Algorithm::TokenBucket),
    ] {
        let mut key = Key::new(text, algorithm);
        let amount = key.limits.list().first().unwrap().amount();
        assert!(key.spend(i64::MAX, amount).allowed(), "{text}");
        let refused = key.spend(i64::MAX, 1);
        assert_eq!((refused.allowed(), refused.remaining), (false, 0), "{text}");
        let mut key = Key::new(text, algorithm);
        assert!(key.spend(0, amount - 1).allowed() || amount == 1, "{text}");
        assert_eq!(key.spend(0, 0).remaining, 1, "{text}");
    }
}

#[test]
fn a_clock_that_steps_back_gives_nothing_back() {
    for algorithm in COUNTED {
        let mut key = Key::new("5/minute", algorithm);
        assert_eq!(key.admitted(NOW, 9), 5, "{algorithm:?}");
        for back in [1, 60_000, 3_600_000, NOW] {
            assert_eq!(key.admitted(NOW - back, 9), 0, "{algorithm:?} {back}");
        }
        assert_eq!(key.admitted(NOW, 9), 0, "{algorithm:?}");
        assert!(key.limits.spend(&[], -1, 1, &mut StateBuf::new()).is_err());
    }
}

#[test]
fn what_is_damaged_is_all_used_and_mends() {
    for algorithm in COUNTED {
        let mut key = Key::new("5/minute", algorithm);
        key.spend(NOW, 2);
        let whole: Vec<u8> = key.state.as_bytes().into();
        for len in 1..whole.len() + 4 {
            let mut damaged = whole.clone();
            damaged.resize(len, 0);
            if damaged == whole {
                continue;
            }
            let mut next = StateBuf::new();
            let verdict = key.limits.spend(&damaged, NOW, 1, &mut next).unwrap();
            assert_eq!((verdict.allowed(), verdict.remaining), (false, 0), "{algorithm:?} {len}");
            let mended = key.limits.spend(next.as_bytes(), NOW + 120_000, 1, &mut StateBuf::new()).unwrap();
            assert!(mended.allowed(), "{algorithm:?} {len}");
        }
    }
}

#[test]
fn another_limit_takes_over_what_was_used() {
    for from in COUNTED {
        for to in COUNTED {
            for (old, new) in [("5/minute", "10/minute"), ("10/minute", "5/minute"), ("5/minute", "7/hour")] {
                let mut key = Key::new(old, from);
                let half = key.limits.list().first().unwrap().amount() / 2;
                assert!(key.spend(NOW, half).allowed());
                let left = key.spend(NOW, 0).remaining;
                key.limits = limits(new, to);
                let now = key.spend(NOW, 0);
                let used = now.limit - now.remaining;
                assert!(now.remaining <= left && used >= half.min(now.limit), "{old} {new} {from:?} {to:?}");
            }
        }
    }
}

#[test]
fn a_limit_that_is_added_leaves_the_others_alone() {
    let mut key = Key::new("100/hour", Algorithm::Gcra);
    key.spend(NOW, 3);
    key.limits = limits("10/second; 100/hour", Algorithm::Gcra);
    let verdict = key.spend(NOW, 0);
    assert_eq!((verdict.index, verdict.remaining), (0, 7));
    key.limits = limits("100/hour", Algorithm::Gcra);
    assert_eq!(key.spend(NOW, 0).remaining, 97);
}

#[test]
fn what_is_given_back_is_there_again_once() {
    for algorithm in COUNTED {
        let mut key = Key::new("5/minute", algorithm);
        assert_eq!(key.admitted(NOW, 5), 5);
        key.give_back(NOW, NOW + 100, 1);
        assert_eq!(key.admitted(NOW + 100, 5), 1, "{algorithm:?}");
        key.give_back(NOW, NOW + 3_600_000, 5);
        assert_eq!(key.admitted(NOW + 3_600_000, 9), 5, "{algorithm:?}");
    }
}

#[test]
fn attempts_lock_and_those_that_succeed_do_not() {
    let mut key = Key::of_json(r#"{"lockout":{}}"#);
    assert_eq!(key.admitted(NOW, 64), 5);
    let locked = key.spend(NOW + 1000, 1);
    assert_eq!((locked.outcome, locked.remaining), (Outcome::RetryAfterMs(899_000), 0));
    key.give_back(NOW, NOW + 1000, 1);
    let open = key.spend(NOW + 1000, 0);
    assert_eq!((open.outcome, open.remaining), (Outcome::Allowed, 1));
    assert_eq!(key.admitted(NOW + 2000, 3), 1);
    assert_eq!(key.admitted(NOW + 2000 + 899_999, 1), 0);
    assert_eq!(key.admitted(NOW + 2000 + 900_000, 9), 5);
}

#[test]
fn locks_grow_and_are_forgotten() {
    let mut key = Key::of_json(r#"{"lockout":{"attempts":1,"lock_s":60,"growth":2,"max_lock_s":600}}"#);
    let mut now = NOW;
    for lock_s in [60, 120, 240, 480, 600, 600] {
        assert!(key.spend(now, 1).allowed());
        assert_eq!(key.spend(now, 1).outcome, Outcome::RetryAfterMs(lock_s * 1000));
        now += i64::try_from(lock_s).unwrap() * 1000;
    }
    now += 600_000;
    assert!(key.spend(now, 1).allowed());
    assert_eq!(key.spend(now, 1).outcome, Outcome::RetryAfterMs(60_000));
}

#[test]
fn texts_are_read_as_the_package_limits_reads_them() {
    for (text, expected) in [
        ("10/minute", [(10, 60)].as_slice()),
        ("5 per 1 hour; 100/day", &[(5, 3600), (100, 86400)]),
        ("1 per 10 second", &[(1, 10)]),
        (" 3 PER 2 Hours |4/month,5/years", &[(3, 7200), (4, 2_592_000), (5, 31_104_000)]),
        ("7/2seconds", &[(7, 2)]),
    ] {
        let limits = limits(text, Algorithm::Gcra);
        let found: Vec<_> = limits.list().iter().map(|limit| (limit.amount(), limit.period_s())).collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn what_is_no_limit_is_refused_where_it_is_wrong() {
    for (text, offset) in [
        ("", 0),
        ("0/minute", 0),
        ("-1/second", 0),
        ("10/fortnight", 3),
        ("1e3/day", 1),
        ("4294967296/second", 0),
        ("1/101 years", 2),
        ("1/0 years", 2),
        ("5/minute;", 9),
        ("5/minute;;6/hour", 9),
        ("5/minute 6/hour", 9),
        ("5/minutes!", 9),
        ("5/secondx", 2),
        ("5 minute", 2),
        ("１0/minute", 0),
    ] {
        let refused = Limits::parse(text, Algorithm::Gcra).unwrap_err();
        assert!(matches!(refused, LimitError::Spec { offset: at, .. } if at == offset), "{text}: {refused}");
    }
    let same_period = Limits::parse("5/minute; 6 per 60 seconds", Algorithm::Gcra).unwrap_err();
    assert_eq!(same_period.to_string(), "configuration: two limits have one period");
}

#[test]
fn every_ready_profile_is_one() {
    let text = profiles();
    let crate::json::Value::Object(documents) =
        crate::json::parse(text.as_bytes(), crate::json::Limits::DOCUMENT).unwrap()
    else {
        panic!("no object")
    };
    for (document, endpoints) in documents.iter() {
        let crate::json::Value::Object(endpoints) = endpoints else { panic!("no object") };
        for (endpoint, _) in endpoints.iter() {
            let config = alloc::format!(r#"{{"profile":"{}/{}"}}"#, document.decode(), endpoint.decode());
            assert!(Limits::from_json(config.as_bytes()).is_ok(), "{config}");
        }
    }
}

#[test]
fn a_full_counter_of_the_largest_amount_is_full() {
    for algorithm in [Algorithm::FixedWindow, Algorithm::SlidingWindow, Algorithm::Gcra] {
        let mut key = Key::new("4294967295/minute", algorithm);
        assert!(key.spend(NOW, u32::MAX - 6).allowed());
        assert!(!key.spend(NOW, u32::MAX).allowed(), "{algorithm:?}");
        assert!(key.spend(NOW, 6).allowed());
        assert!(!key.spend(NOW, 1).allowed(), "{algorithm:?}");
    }
}

#[test]
fn what_has_expired_is_not_given_back_out_of_what_others_spent() {
    let mut key = Key::new("4 per 10 seconds", Algorithm::SlidingLog);
    key.spend(NOW, 1);
    key.spend(NOW + 15_000, 3);
    key.give_back(NOW, NOW + 16_000, 1);
    assert_eq!(key.spend(NOW + 16_000, 0).remaining, 1);
}

#[test]
fn no_configuration_shortens_a_lock_that_is_on() {
    let mut key = Key::of_json(r#"{"lockout":{"attempts":1,"lock_s":60,"growth":10,"max_lock_s":86400}}"#);
    for now in [NOW, NOW + 60_000, NOW + 660_000] {
        assert!(key.spend(now, 1).allowed());
    }
    let Outcome::RetryAfterMs(before) = key.spend(NOW + 660_000, 0).outcome else { panic!("open") };
    key.limits = Limits::from_json(br#"{"lockout":{"attempts":3,"lock_s":61,"growth":10}}"#).unwrap();
    assert_eq!(key.spend(NOW + 660_000, 0).outcome, Outcome::RetryAfterMs(before));
}
