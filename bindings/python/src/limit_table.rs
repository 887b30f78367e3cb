//! `LimitTable`.

use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::abi;
use crate::argument::{Count, Integer, Key, Text, clock, millis};
use crate::error::{Area, OrRaise};
use crate::limits::Limits;
use crate::to_json::ObjectWriter;
use crate::verdict::Verdict;

/// What has been spent of which key, in this process: some 60 bytes for each. Share it between threads.
///
/// A key is a `str` or `bytes` of up to 1,024 bytes and belongs to one `Limits`: put a prefix before what several
/// of them count. It is kept until its limit is whole again; when there are `capacity` keys, the one nearest to
/// that makes room, and one that has nothing left never does. Where all are such, new keys are refused, or, with
/// `when_full="allow"`, let through.
///
/// It goes by a clock of its own that nobody can set, and that agrees with the system's when the table is
/// made: give it `now_ms` always or never. A process that forks has a table of its own from there on, as each of
/// several workers has: to share what is spent, keep it in Redis.
#[pyclass(frozen, module = "donjon")]
pub(crate) struct LimitTable {
    table: abi::LimitTable,
    /// The same moment by two clocks.
    epoch: Duration,
    started: Instant,
}

/// What became of the keys of a table.
#[pyclass(frozen, get_all, eq, module = "donjon")]
#[derive(PartialEq, Eq)]
pub(crate) struct LimitTableStatistics {
    /// How many keys are in it.
    entries: u64,
    /// How many may be.
    capacity: u64,
    /// How many went because their limit was whole again.
    expired: u64,
    /// How many made room for others before that.
    evicted: u64,
    /// How many found no room.
    refused: u64,
    /// How much memory it takes.
    bytes: u64,
}

impl LimitTable {
    #[inline]
    fn now_ms(&self, now_ms: Option<Integer>) -> i64 {
        now_ms.map_or_else(|| millis(self.epoch.saturating_add(self.started.elapsed())), |now| now.0)
    }
}

#[pymethods]
impl LimitTable {
    #[new]
    #[pyo3(
        signature = (capacity = Integer(100_000), when_full = Text("refuse")),
        text_signature = "(capacity=100000, when_full='refuse')",
    )]
    fn new(py: Python<'_>, capacity: Integer, when_full: Text<'_>) -> PyResult<Self> {
        let mut config = ObjectWriter::new();
        config.integer("capacity", capacity.0);
        config.text("when_full", when_full.0);
        let table = abi::LimitTable::new(config.finish().as_bytes()).or_raise_in(py, Area::Limit)?;
        Ok(Self { table, epoch: clock(), started: Instant::now() })
    }

    /// The verdict on spending `cost` of `key`. A cost of 0 asks, and spends nothing.
    #[pyo3(
        signature = (limits, key, cost = Count(1), *, now_ms = None),
        text_signature = "($self, limits, key, cost=1, *, now_ms=None)",
    )]
    fn spend(
        &self,
        py: Python<'_>,
        limits: &Bound<'_, Limits>,
        key: Key<'_>,
        cost: Count,
        now_ms: Option<Integer>,
    ) -> PyResult<Verdict> {
        let now_ms = self.now_ms(now_ms);
        let verdict = self.table.spend(limits.get().handle(), key.0, now_ms, cost.0);
        verdict.map(|verdict| Verdict::new(&verdict, now_ms)).or_raise_in(py, Area::Limit)
    }

    /// Gives back `cost` that was spent at `spent_at_ms`, the `now_ms` of that verdict.
    #[pyo3(
        signature = (limits, key, spent_at_ms, cost = Count(1), *, now_ms = None),
        text_signature = "($self, limits, key, spent_at_ms, cost=1, *, now_ms=None)",
    )]
    fn give_back(
        &self,
        py: Python<'_>,
        limits: &Bound<'_, Limits>,
        key: Key<'_>,
        spent_at_ms: Integer,
        cost: Count,
        now_ms: Option<Integer>,
    ) -> PyResult<()> {
        let (limits, now_ms) = (limits.get().handle(), self.now_ms(now_ms));
        self.table.give_back(limits, key.0, spent_at_ms.0, now_ms, cost.0).or_raise_in(py, Area::Limit)
    }

    /// Forgets what was spent of `key`, and that it is locked.
    fn forget(&self, py: Python<'_>, key: Key<'_>) -> PyResult<()> {
        self.table.forget(key.0).or_raise_in(py, Area::Limit)
    }

    /// What became of its keys.
    fn stats(&self, py: Python<'_>) -> PyResult<LimitTableStatistics> {
        let stats = self.table.stats().or_raise_in(py, Area::Limit)?;
        Ok(LimitTableStatistics {
            entries: stats.entries,
            capacity: stats.capacity,
            expired: stats.expired,
            evicted: stats.evicted,
            refused: stats.refused,
            bytes: stats.bytes,
        })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let stats = self.table.stats().or_raise_in(py, Area::Limit)?;
        Ok(format!("<LimitTable {} of {}>", stats.entries, stats.capacity))
    }
}

#[pymethods]
impl LimitTableStatistics {
    fn __repr__(&self) -> String {
        let Self { entries, capacity, expired, evicted, refused, bytes } = self;
        format!(
            "LimitTableStatistics(entries={entries}, capacity={capacity}, expired={expired}, \
             evicted={evicted}, refused={refused}, bytes={bytes})"
        )
    }
}
