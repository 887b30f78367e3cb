//! `Verdict`.

use pyo3::prelude::*;

use crate::abi::LimitVerdict;
use crate::argument::{Count, Integer};

/// What the ABI says where there is no use in trying again.
const NO_RETRY: i64 = -1;

/// Whether it is within the limits, and what is left of them. It is true if it is allowed.
///
/// Where several limits were asked it is that of one of them: of the one that refuses for longest, or, if none
/// does, of the one that has least left. All times are in milliseconds.
#[pyclass(frozen, get_all, eq, hash, module = "donjon")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Verdict {
    /// Spent. If not, nothing was.
    allowed: bool,
    /// How much there is when nothing is spent.
    limit: u32,
    /// How much is left.
    remaining: u32,
    /// Until everything is there again.
    reset_after_ms: i64,
    /// When to try again: 0 if it is allowed, `None` if it never will be.
    retry_after_ms: Option<i64>,
    /// It costs more than the limit ever has.
    never_allowed: bool,
    /// Which of the limits, in the order written, from 0.
    index: u32,
    /// For how long the state matters: how long a store keeps it.
    keep_ms: i64,
    /// Refused because the table is full, not because the limit is spent.
    table_full: bool,
    /// When this was decided, by the clock that was asked: what `give_back` wants.
    now_ms: i64,
    /// The store did not answer, and something else decided.
    degraded: bool,
}

impl Verdict {
    #[inline]
    pub(crate) const fn new(verdict: &LimitVerdict, now_ms: i64) -> Self {
        Self {
            allowed: verdict.allowed != 0,
            limit: verdict.limit,
            remaining: verdict.remaining,
            reset_after_ms: verdict.reset_after_ms,
            retry_after_ms: match verdict.retry_after_ms {
                NO_RETRY => None,
                after => Some(after),
            },
            never_allowed: verdict.never_allowed != 0,
            index: verdict.index,
            keep_ms: verdict.keep_ms,
            table_full: verdict.table_full != 0,
            now_ms,
            degraded: false,
        }
    }

    pub(crate) fn raw(&self) -> LimitVerdict {
        LimitVerdict {
            allowed: self.allowed.into(),
            never_allowed: self.never_allowed.into(),
            limit: self.limit,
            remaining: self.remaining,
            index: self.index,
            table_full: self.table_full.into(),
            reset_after_ms: self.reset_after_ms,
            retry_after_ms: self.retry_after_ms.unwrap_or(NO_RETRY),
            keep_ms: self.keep_ms,
        }
    }
}

#[pymethods]
impl Verdict {
    /// Limits make verdicts. This is for tests, and for what crosses processes.
    #[new]
    #[pyo3(
        signature = (
            allowed, limit, remaining, reset_after_ms, retry_after_ms, never_allowed = false,
            index = Count(0), keep_ms = Integer(0), table_full = false, now_ms = Integer(0),
            degraded = false,
        ),
        text_signature = "(allowed, limit, remaining, reset_after_ms, retry_after_ms, \
            never_allowed=False, index=0, keep_ms=0, table_full=False, now_ms=0, degraded=False)",
    )]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    const fn of(
        allowed: bool,
        limit: Count,
        remaining: Count,
        reset_after_ms: Integer,
        retry_after_ms: Option<Integer>,
        never_allowed: bool,
        index: Count,
        keep_ms: Integer,
        table_full: bool,
        now_ms: Integer,
        degraded: bool,
    ) -> Self {
        Self {
            allowed,
            limit: limit.0,
            remaining: remaining.0,
            reset_after_ms: reset_after_ms.0,
            retry_after_ms: match retry_after_ms {
                None => None,
                Some(after) => Some(after.0),
            },
            never_allowed,
            index: index.0,
            keep_ms: keep_ms.0,
            table_full,
            now_ms: now_ms.0,
            degraded,
        }
    }

    /// The same verdict, said to be another's than the store's.
    const fn as_degraded(&self) -> Self {
        Self { degraded: true, ..*self }
    }

    const fn __bool__(&self) -> bool {
        self.allowed
    }

    #[allow(clippy::type_complexity, reason = "all that the constructor takes")]
    const fn __getnewargs__(&self) -> (bool, u32, u32, i64, Option<i64>, bool, u32, i64, bool, i64, bool) {
        (
            self.allowed,
            self.limit,
            self.remaining,
            self.reset_after_ms,
            self.retry_after_ms,
            self.never_allowed,
            self.index,
            self.keep_ms,
            self.table_full,
            self.now_ms,
            self.degraded,
        )
    }

    fn __repr__(&self) -> String {
        let Self { limit, remaining, reset_after_ms, index, keep_ms, now_ms, .. } = self;
        let text = |value| if value { "True" } else { "False" };
        let (allowed, never_allowed) = (text(self.allowed), text(self.never_allowed));
        let (table_full, degraded) = (text(self.table_full), text(self.degraded));
        let retry_after_ms = self.retry_after_ms.map_or_else(|| "None".to_owned(), |after| after.to_string());
        format!(
            "Verdict(allowed={allowed}, limit={limit}, remaining={remaining}, \
             reset_after_ms={reset_after_ms}, retry_after_ms={retry_after_ms}, \
             never_allowed={never_allowed}, index={index}, keep_ms={keep_ms}, table_full={table_full}, \
             now_ms={now_ms}, degraded={degraded})"
        )
    }
}
