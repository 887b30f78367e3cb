//! The strict reader against serde_json: what it takes, serde_json takes and understands alike; what it
//! refuses and serde_json takes is a duplicate member or over a limit, and nothing else.
#![no_main]

use donjon::json::{self, Limits, Value};
use donjon_fuzz::reference::Tree;
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits::DOCUMENT;

fuzz_target!(|text: &[u8]| {
    let theirs = serde_json::from_slice::<Tree>(text);
    match (json::parse(text, LIMITS), theirs) {
        (Ok(ours), Ok(theirs)) => {
            assert!(!theirs.is_refused(LIMITS.depth, LIMITS.members));
            assert_eq!(tree(ours), theirs);
            let compact = json::compact(str::from_utf8(text).unwrap());
            assert_eq!(tree(json::parse(compact.as_bytes(), LIMITS).unwrap()), theirs);
        }
        (Err(_), Ok(theirs)) => assert!(theirs.is_refused(LIMITS.depth, LIMITS.members)),
        // A number that no float holds stays text with us.
        (Ok(_), Err(error)) => assert!(error.to_string().starts_with("number out of range"), "{error}"),
        (Err(_), Err(_)) => {}
    }
});

fn tree(value: Value<'_>) -> Tree {
    match value {
        Value::Null => Tree::Null,
        Value::Bool(value) => Tree::Bool(value),
        Value::Number(number) => Tree::Number(integer(number.raw())),
        Value::Text(text) => Tree::Text(text.decode().into_owned()),
        Value::Array(array) => Tree::Array(array.iter().map(tree).collect()),
        Value::Object(object) => Tree::Object(
            object.iter().map(|(name, value)| (name.decode().into_owned(), tree(value))).collect(),
        ),
    }
}

/// serde_json has `-0` and what no 64 bits hold as a float.
fn integer(raw: &str) -> Option<i128> {
    let fits = |value: &i128| (i64::MIN.into()..=u64::MAX.into()).contains(value) && raw != "-0";
    raw.parse().ok().filter(fits)
}
