//! Every case of `tests/vectors/*.json`, through the shim.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;
use serde_json::{Value, json};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
        .collect();
    files.sort();
    files
}

/// Equality of JSON values, numbers by what they are worth and not by how they are written.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let whole = |number: &serde_json::Number| number.as_i128();
            match (whole(a), whole(b)) {
                (Some(a), Some(b)) => a == b,
                _ => a.as_f64() == b.as_f64(),
            }
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn fits(expected: &Value, given: &Value) -> bool {
    expected.as_object().unwrap().iter().all(|(name, value)| match name.as_str() {
        "error_in" => value.as_array().unwrap().contains(&given["error"]),
        _ => given.get(name).is_some_and(|given| same(value, given)),
    })
}

type Members<'a> = BTreeMap<String, &'a RawValue>;

fn read<'a, T: serde::Deserialize<'a>>(raw: &'a RawValue) -> T {
    serde_json::from_str(raw.get()).unwrap()
}

#[test]
fn every_vector_gets_the_answer_that_its_source_demands() {
    let mut count = 0;
    let mut failures = Vec::new();
    for path in files() {
        let text = fs::read_to_string(&path).unwrap();
        let document: Members<'_> = serde_json::from_str(&text).unwrap();
        let cases: Vec<Members<'_>> = read(document["cases"]);
        for case in cases {
            count += 1;
            // The request goes in as it is written: the order of its members matters where it is signed.
            let request = case["request"].get().trim_start_matches('{');
            let line = donjon_shim::answer(&format!("{{\"id\":{count},{request}"));
            let (expected, given): (Value, Value) =
                (read(case["answer"]), serde_json::from_str(&line).unwrap());
            if given["id"] != json!(count) || !fits(&expected, &given) {
                let file = path.file_name().unwrap().to_string_lossy();
                failures.push(format!("{file}: {}\n  expected {expected}\n  given    {line}", case["name"]));
            }
        }
    }
    assert!(count > 1_000, "only {count} cases were found");
    assert!(failures.is_empty(), "{} of {count} cases:\n{}", failures.len(), failures.join("\n"));
}
