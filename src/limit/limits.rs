//! The limits of one key: one or several, spent all or nothing.

use alloc::vec::Vec;

use super::convert::converted;
use super::error::LimitError;
use super::one::{Algorithm, Limit};
use super::spec;
use super::state::{State, StateBuf, clock};
use super::verdict::{Outcome, Verdict};

/// The most limits that one key is held to at once.
pub const MAX_LIMITS: usize = 8;

/// What one key is held to.
// INVARIANT: 1 to MAX_LIMITS limits of one algorithm, no two of one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    list: Vec<Limit>,
}

impl Limits {
    /// Limits as they are written for the Python package `limits`: `10/minute`, `5 per 1 hour`,
    /// `1 per 10 seconds`, several with `;`, `,` or `|` between them. Units are `second`, `minute`, `hour`,
    /// `day`, `month` (30 days) and `year` (360 days), in any case, with or without an `s`.
    ///
    /// # Errors
    /// - [`LimitError::Spec`]: not so written; an amount or a multiple of 0, or over its bound; a text over
    ///   [`super::MAX_SPEC_LEN`].
    /// - [`LimitError::Config`]: as [`Limits::new`].
    pub fn parse(text: &str, algorithm: Algorithm) -> Result<Self, LimitError> {
        let limit = |item: spec::Item| Limit::new(algorithm, item.amount, item.period_s, None);
        Self::new(spec::parse(text)?.into_iter().map(limit).collect::<Result<_, _>>()?)
    }

    /// These limits.
    ///
    /// # Errors
    /// - [`LimitError::Config`]: none, or more than [`MAX_LIMITS`]; of several algorithms; two of one period.
    pub fn new(list: Vec<Limit>) -> Result<Self, LimitError> {
        let first = list.first().ok_or(LimitError::Config("no limit"))?;
        if list.len() > MAX_LIMITS {
            return Err(LimitError::Config("more than 8 limits"));
        }
        if list.iter().any(|limit| limit.algorithm() != first.algorithm()) {
            return Err(LimitError::Config("the limits of one key are of one algorithm"));
        }
        let is_repeated = |(at, limit): (usize, &Limit)| {
            list.iter().skip(at.saturating_add(1)).any(|other| other.period_s() == limit.period_s())
        };
        if list.iter().enumerate().any(is_repeated) {
            return Err(LimitError::Config("two limits have one period"));
        }
        Ok(Self { list })
    }

    /// The limits, in the order in which they were written.
    #[must_use]
    pub fn list(&self) -> &[Limit] {
        &self.list
    }

    /// How they are counted.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.list.first().map_or(Algorithm::Gcra, Limit::algorithm)
    }

    /// Spends `cost` of all limits, or of none. `state` is what was stored for the key, empty for nothing, and
    /// `next` what to store instead; the same bytes, if nothing was spent. A cost of 0 asks and spends nothing.
    ///
    /// A state of other limits is [converted](super): as much is used as was, and no more is left. A damaged one
    /// is all used, from now on. A time before one that the state knows gives nothing back.
    ///
    /// # Errors
    /// - [`LimitError::InvalidArgument`]: a negative time. Times after [`super::MAX_NOW_MS`] are that.
    pub fn spend(
        &self,
        state: &[u8],
        now_ms: i64,
        cost: u32,
        next: &mut StateBuf,
    ) -> Result<Verdict, LimitError> {
        let now = clock(now_ms)?;
        if let Some(verdict) = self.spend_own(state, now, cost, next) {
            return Ok(verdict);
        }
        let state = converted(self, state, now);
        self.spend_own(state.as_bytes(), now, cost, next).ok_or(LimitError::Internal)
    }

    /// Takes back a `cost` that was spent at `spent_at_ms`, of all limits, as far as time has not given it back
    /// already. `next` is what to store.
    ///
    /// # Errors
    /// - [`LimitError::InvalidArgument`]: a negative time.
    pub fn give_back(
        &self,
        state: &[u8],
        spent_at_ms: i64,
        now_ms: i64,
        cost: u32,
        next: &mut StateBuf,
    ) -> Result<(), LimitError> {
        let (spent_at, now) = (clock(spent_at_ms)?, clock(now_ms)?);
        next.clear();
        if state.is_empty() {
            return Ok(());
        }
        let own = |state: &[u8], next: &mut StateBuf| {
            self.walk(state, now, |limit, mut state| {
                state.meter_mut().give_back(limit, spent_at, now, cost);
                state.write(limit, next);
            })
        };
        if own(state, next).is_some() {
            return Ok(());
        }
        next.clear();
        own(converted(self, state, now).as_bytes(), next).ok_or(LimitError::Internal)
    }

    /// [`Limits::spend`], if `state` is one of these limits.
    fn spend_own(&self, state: &[u8], now: u64, cost: u32, next: &mut StateBuf) -> Option<Verdict> {
        if let [limit] = &*self.list {
            return spend_one(limit, state, now, cost, next);
        }
        let asked = cost.max(1);
        let mut states = [const { None }; MAX_LIMITS];
        let mut places = states.iter_mut();
        let mut is_there = true;
        self.walk(state, now, |limit, state| {
            is_there &= outcome(limit, &state, now, asked) == Outcome::Allowed;
            if let Some(place) = places.next() {
                *place = Some(state);
            }
        })?;
        next.clear();
        let is_spent = is_there && cost > 0;
        if !is_spent {
            next.extend(state);
        }
        let mut answer = Answer::default();
        for (limit, state) in self.list.iter().zip(states.iter_mut().flatten()) {
            if is_spent {
                state.meter_mut().spend(limit, now, cost);
                state.write(limit, next);
            }
            answer.hear(
                limit,
                state,
                now,
                if is_there { Outcome::Allowed } else { outcome(limit, state, now, asked) },
            );
        }
        answer.verdict
    }

    /// Gives `visit` every limit and its state. `None` if `state` is not one of these limits.
    fn walk(&self, state: &[u8], now: u64, mut visit: impl FnMut(&Limit, State)) -> Option<()> {
        let mut rest = state;
        for limit in &self.list {
            if state.is_empty() {
                visit(limit, State::with_used(limit, 0, now));
                continue;
            }
            let (state, after) = State::of(limit, rest)?;
            visit(limit, state);
            rest = after;
        }
        rest.is_empty().then_some(())
    }
}

/// [`Limits::spend_own`] of one limit alone, which most are.
fn spend_one(limit: &Limit, bytes: &[u8], now: u64, cost: u32, next: &mut StateBuf) -> Option<Verdict> {
    let mut state = if bytes.is_empty() {
        State::with_used(limit, 0, now)
    } else {
        State::of(limit, bytes).filter(|(_, rest)| rest.is_empty())?.0
    };
    let outcome = outcome(limit, &state, now, cost.max(1));
    next.clear();
    if outcome == Outcome::Allowed && cost > 0 {
        state.meter_mut().spend(limit, now, cost);
        state.write(limit, next);
    } else {
        next.extend(bytes);
    }
    Some(verdict(limit, &state, now, outcome, 0))
}

/// What one limit says.
fn verdict(limit: &Limit, state: &State, now: u64, outcome: Outcome, index: u8) -> Verdict {
    let reading = state.meter().read(limit, now);
    Verdict {
        outcome,
        limit: limit.capacity(),
        remaining: limit.capacity().saturating_sub(reading.used),
        reset_after_ms: reading.reset_after_ms,
        index,
        keep_ms: reading.keep_ms,
        table_full: false,
    }
}

fn outcome(limit: &Limit, state: &State, now: u64, cost: u32) -> Outcome {
    if cost > limit.capacity() {
        return Outcome::NeverAllowed;
    }
    match state.meter().wait(limit, now, cost) {
        0 => Outcome::Allowed,
        ms => Outcome::RetryAfterMs(ms),
    }
}

/// What the limits have said, one after the other.
#[derive(Default)]
struct Answer {
    verdict: Option<Verdict>,
    heard: u8,
}

impl Answer {
    fn hear(&mut self, limit: &Limit, state: &State, now: u64, outcome: Outcome) {
        let verdict = verdict(limit, state, now, outcome, self.heard);
        self.heard = self.heard.saturating_add(1);
        self.verdict = Some(match self.verdict {
            None => verdict,
            // The state of all is kept for as long as one of them needs it.
            Some(before) => {
                let keep_ms = before.keep_ms.max(verdict.keep_ms);
                Verdict { keep_ms, ..before.or_stricter(verdict) }
            }
        });
    }
}
