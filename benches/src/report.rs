//! The lines of `target/bench.jsonl`.

use serde_json::{Value, json};

/// Ours beside one peer, in nanoseconds per call.
pub fn report(name: &str, ours_ns: f64, peer: &str, peer_ns: f64, wanted: Option<f64>) {
    line(name, json!(rounded(ours_ns, 10.0)), peer, json!(rounded(peer_ns, 10.0)), ours_ns / peer_ns, wanted);
}

/// A line per peer; the first is the one to be held against.
pub fn report_all(name: &str, measured: &[(&str, f64)], wanted: Option<f64>) {
    let [(_, ours_ns), peers @ ..] = measured else { return };
    for (index, (peer, peer_ns)) in peers.iter().enumerate() {
        report(name, *ours_ns, peer, *peer_ns, wanted.filter(|_| index == 0));
    }
}

/// Ours against a bound that no peer sets.
pub fn report_bound(name: &str, ours_ns: f64, bound: &str, bound_ns: f64) {
    report(name, ours_ns, bound, bound_ns, Some(1.0));
}

/// Memory against its bound.
pub fn report_bytes(name: &str, ours: u64, bound: &str, bound_bytes: u64) {
    let ratio = ours as f64 / bound_bytes as f64;
    let line = json!({
        "name": name,
        "host": "rust",
        "ours_ns": null,
        "peer": bound,
        "peer_ns": null,
        "ratio": rounded(ratio, 10_000.0),
        "wanted": 1.0,
        "ours_bytes": ours,
        "peer_bytes": bound_bytes,
    });
    println!("{line}");
}

fn line(name: &str, ours_ns: Value, peer: &str, peer_ns: Value, ratio: f64, wanted: Option<f64>) {
    let line = json!({
        "name": name,
        "host": "rust",
        "ours_ns": ours_ns,
        "peer": peer,
        "peer_ns": peer_ns,
        "ratio": significant(ratio),
        "wanted": wanted,
    });
    println!("{line}");
}

fn rounded(value: f64, unit: f64) -> f64 {
    (value * unit).round() / unit
}

/// Four decimals, and more for what is a small fraction of its peer.
fn significant(ratio: f64) -> f64 {
    rounded(ratio, if ratio < 0.01 { 10_000_000.0 } else { 10_000.0 })
}
