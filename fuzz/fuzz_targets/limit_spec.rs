//! The text of limits, or a configuration: what is read, says itself and is read again as the same; what is not,
//! says where.
#![no_main]

use donjon::limit::{Algorithm, LimitError, Limits, MAX_LIMITS, MAX_PERIOD_S};
use libfuzzer_sys::fuzz_target;

const ALGORITHMS: [Algorithm; 4] =
    [Algorithm::Gcra, Algorithm::FixedWindow, Algorithm::SlidingWindow, Algorithm::SlidingLog];

fuzz_target!(|data: &[u8]| {
    let Some((choice, text)) = data.split_first() else { return };
    let Ok(text) = str::from_utf8(text) else { return drop(Limits::from_json(text)) };
    drop(Limits::from_json(text.as_bytes()));

    let algorithm = ALGORITHMS[usize::from(*choice) % 4];
    let read = Limits::parse(text, algorithm);
    let config = serde_json::json!({ "limits": text, "algorithm": algorithm.name() });
    assert_eq!(Limits::from_json(config.to_string().as_bytes()), read);
    match read {
        Ok(limits) => {
            assert!((1..=MAX_LIMITS).contains(&limits.list().len()) && limits.algorithm() == algorithm);
            let limit = |limit: &donjon::limit::Limit| {
                assert!(limit.amount() > 0 && (1..=MAX_PERIOD_S).contains(&limit.period_s()));
                format!("{} per {} seconds", limit.amount(), limit.period_s())
            };
            let said = limits.list().iter().map(limit).collect::<Vec<_>>().join("; ");
            assert_eq!(Limits::parse(&said, algorithm), Ok(limits));
        }
        Err(LimitError::Spec { offset, .. }) => assert!(offset <= text.len()),
        Err(error) => assert!(matches!(error, LimitError::Config(_))),
    }
});
