//! Ours and the peers in turn, round by round; the least time per call of each.
//!
//! Noise of the machine only ever adds, so the minimum of many short rounds is what the code costs;
//! and since the rounds alternate, a slow second slows both sides.

use std::fs;
use std::time::Instant;

const ROUNDS: f64 = 400.0;
const ROUND_NS: f64 = 500_000.0;
/// A race of slow calls has fewer rounds: it takes about this long.
const RACE_NS: f64 = 12e9;
const FEWEST_ROUNDS: f64 = 5.0;

/// What is measured: its name in the table, and the call.
pub struct Runner<'a> {
    pub name: &'static str,
    pub call: &'a mut dyn FnMut(),
}

/// Each runner's name and nanoseconds per call, in the order of `runners`.
pub fn race(runners: &mut [Runner<'_>]) -> Vec<(&'static str, f64)> {
    let calls: Vec<u32> = runners.iter_mut().map(|runner| calls_per_round(runner.call)).collect();
    let round: f64 = runners
        .iter_mut()
        .zip(&calls)
        .map(|(runner, calls)| time(runner.call, *calls) * f64::from(*calls))
        .sum();
    let rounds = (RACE_NS / round).clamp(FEWEST_ROUNDS, ROUNDS) as u32;
    let mut least = vec![f64::INFINITY; runners.len()];
    for _ in 0..rounds {
        for ((runner, calls), least) in runners.iter_mut().zip(&calls).zip(&mut least) {
            *least = least.min(time(runner.call, *calls));
        }
    }
    runners.iter().map(|runner| runner.name).zip(least).collect()
}

fn calls_per_round(call: &mut dyn FnMut()) -> u32 {
    if time(call, 1) > ROUND_NS {
        return 1;
    }
    time(call, 20);
    (ROUND_NS / time(call, 20)).clamp(2.0, 5_000.0) as u32
}

fn time(call: &mut dyn FnMut(), calls: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        call();
    }
    start.elapsed().as_nanos() as f64 / f64::from(calls)
}

/// A figure of proc_pid_status(5).
pub fn resident_bytes(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
