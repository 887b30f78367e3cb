//! The answer.

/// Whether a cost was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was, and is spent.
    Allowed,
    /// It was not, and nothing is spent. It will be after so many milliseconds, and not before, if nobody else
    /// spends.
    RetryAfterMs(u64),
    /// It is more than can ever be there.
    NeverAllowed,
}

/// What was decided about a cost, and how the limit stands that decided it: of several, the one that makes the
/// caller wait longest, or, where all allowed it, the one with the least left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The decision. Of a cost of 0, that about a cost of 1, which is not spent.
    pub outcome: Outcome,
    /// How much of the limit may be had at once.
    pub limit: u32,
    /// How much is left of it.
    pub remaining: u32,
    /// Until all of it is there again, in milliseconds, rounded up.
    pub reset_after_ms: u64,
    /// Which limit it is, counted from 0 in the order in which they were written.
    pub index: u8,
    /// Until the state of the key says nothing any more, in milliseconds: how long to store it.
    pub keep_ms: u64,
    /// A table had no place left for the key, and decided as it was configured.
    pub table_full: bool,
}

impl Verdict {
    /// Whether the cost was there.
    #[must_use]
    pub fn allowed(&self) -> bool {
        self.outcome == Outcome::Allowed
    }

    /// Which of two verdicts speaks for both: a refusal; of refusals, the longer wait; else the one that has
    /// less left, or takes longer to have all. `self`, where they are alike.
    pub(super) fn or_stricter(self, other: Self) -> Self {
        let rank = |verdict: &Self| match verdict.outcome {
            Outcome::Allowed => (0, 0, !verdict.remaining, verdict.reset_after_ms),
            Outcome::RetryAfterMs(ms) => (1, ms, 0, 0),
            Outcome::NeverAllowed => (2, 0, 0, 0),
        };
        if rank(&other) > rank(&self) { other } else { self }
    }
}
