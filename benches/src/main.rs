//! donjon beside jsonwebtoken, natively: JSON lines on standard output. README.md has the method.

mod measure;
mod peer;
mod tokens;

fn main() {
    let only = std::env::var("ONLY").unwrap_or_default();
    if only.is_empty() || only == "tokens" {
        tokens::measure();
    }
}

/// One line of `target/bench.jsonl`.
fn report(name: &str, ours_ns: f64, peer: &str, peer_ns: f64, wanted: Option<f64>) {
    let rounded = |value: f64, unit: f64| (value * unit).round() / unit;
    let line = serde_json::json!({
        "name": name,
        "host": "rust",
        "ours_ns": rounded(ours_ns, 10.0),
        "peer": peer,
        "peer_ns": rounded(peer_ns, 10.0),
        "ratio": rounded(ours_ns / peer_ns, 10_000.0),
        "wanted": wanted,
    });
    println!("{line}");
}
