//! Any bytes as the range response of a breach service, by a slower reading of the same lines. The first
//! byte puts the password's own line at the end.
#![no_main]

use donjon::password::{Password, breach};
use libfuzzer_sys::fuzz_target;

/// SHA-1 of `password`, in two parts.
const PREFIX: &str = "5BAA6";
const SUFFIX: &str = "1E4C9B93F3F0682250B6CF8331B7EE68FD8";

fuzz_target!(|data: &[u8]| {
    let password = Password::new(b"password").unwrap();
    assert_eq!(&breach::prefix(password), PREFIX.as_bytes());
    let Some((mode, range)) = data.split_first() else { return };
    let mut range = range.to_vec();
    if mode % 2 == 1 {
        range.extend_from_slice(format!("{SUFFIX}:{mode}\r\n").as_bytes());
    }
    match (breach::count(password, &range), read(&range)) {
        (Ok(count), Some(counts)) => assert!(counts.contains(&count) || (counts.is_empty() && count == 0)),
        (Err(_), None) => {}
        (ours, theirs) => panic!("{ours:?} {theirs:?}"),
    }
});

/// The counts of the password's lines; `None` if some line is not `SUFFIX:COUNT`.
fn read(range: &[u8]) -> Option<Vec<u64>> {
    let text = str::from_utf8(range).ok()?;
    let mut counts = Vec::new();
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        let (suffix, count) = line.strip_suffix('\r').unwrap_or(line).split_once(':')?;
        if suffix.len() != 35 || !suffix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        if !count.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let count: u64 = count.parse().ok()?;
        counts.extend(Some(count).filter(|_| suffix.eq_ignore_ascii_case(SUFFIX)));
    }
    Some(counts)
}
