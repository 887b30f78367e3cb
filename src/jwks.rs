//! When to fetch an identity provider's key set again.
//!
//! *Decides* whether to fetch now. *Inputs*: what happened, the clock, the host's policy. *State*: 24
//! bytes per key set. *Threat*: ten thousand tokens with invented key ids make a fetch each; a provider
//! that is down is hammered. So fetches are at least a cooldown apart, which doubles with every failure.

use crate::error::Status;
use crate::time::MAX_DURATION_S;

/// The bytes of a state.
pub const JWKS_STATE_LEN: usize = 24;
/// The least time between two fetches unless said otherwise: 30 seconds.
pub const DEFAULT_COOLDOWN_MS: i64 = 30_000;
/// The age at which a set is fetched again unless said otherwise: 10 minutes.
pub const DEFAULT_MAX_AGE_MS: i64 = 600_000;

const VERSION: u8 = 1;
const MAX_DURATION_MS: i64 = MAX_DURATION_S.saturating_mul(1000);
/// Doubling stops here: 32 cooldowns.
const MAX_DOUBLINGS: u8 = 5;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwksEvent {
    /// A token named a key that the set lacks.
    UnknownKey,
    /// The host looks after the set from time to time, or for the first time.
    Periodic,
    /// A fetch brought a good set.
    Fetched,
    /// A fetch failed.
    Failed,
}

/// How often a set may be, and has to be, fetched. Both are positive and up to 100 years.
#[derive(Debug, Clone, Copy)]
pub struct JwksPolicy {
    /// The least time between two fetches.
    pub cooldown_ms: i64,
    /// The age at which a set is fetched again.
    pub max_age_ms: i64,
}

/// The state or the policy is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// Not a state.
    #[error("the state is malformed")]
    Malformed,
    /// A time of the policy is not positive, or over 100 years.
    #[error("the policy is out of range")]
    InvalidArgument,
}

impl JwksError {
    /// The status that the error is at the C ABI.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Malformed => Status::Malformed,
            Self::InvalidArgument => Status::InvalidArgument,
        }
    }
}

/// What to do, and the state to store either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JwksVerdict {
    /// Fetch now.
    pub fetch: bool,
    /// If not: when asking again may have another answer.
    pub retry_after_ms: i64,
    /// The next state.
    pub state: JwksState,
}

/// What is remembered of a key set. The default knows of no fetch.
///
/// Bytes: version u8, failures in a row u8, zero × 6, last attempt in ms i64, last success in ms i64; −1
/// stands for never; integers are big-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JwksState {
    failures: u8,
    attempted_ms: Option<i64>,
    fetched_ms: Option<i64>,
}

impl JwksState {
    /// Reads a stored state.
    ///
    /// # Errors
    /// - [`JwksError::Malformed`]: not a state.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, JwksError> {
        Self::parse(bytes).ok_or(JwksError::Malformed)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (&[VERSION, failures, 0, 0, 0, 0, 0, 0], rest) = bytes.split_first_chunk::<8>()? else {
            return None;
        };
        let (attempted, rest) = rest.split_first_chunk()?;
        let time = |bytes| match i64::from_be_bytes(bytes) {
            -1 => Some(None),
            ms @ 0.. => Some(Some(ms)),
            _ => None,
        };
        Some(Self { failures, attempted_ms: time(*attempted)?, fetched_ms: time(rest.try_into().ok()?)? })
    }

    /// The bytes to store.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; JWKS_STATE_LEN] {
        let mut bytes = [0; JWKS_STATE_LEN];
        let head = [VERSION, self.failures, 0, 0, 0, 0, 0, 0];
        let times =
            [self.attempted_ms, self.fetched_ms].into_iter().flat_map(|ms| ms.unwrap_or(-1).to_be_bytes());
        for (slot, byte) in bytes.iter_mut().zip(head.into_iter().chain(times)) {
            *slot = byte;
        }
        bytes
    }

    /// Decides.
    ///
    /// # Errors
    /// - [`JwksError::InvalidArgument`]: a time of the policy is not positive.
    pub fn refresh(
        self,
        event: JwksEvent,
        now_ms: i64,
        policy: JwksPolicy,
    ) -> Result<JwksVerdict, JwksError> {
        let is_duration = |ms: i64| (1..=MAX_DURATION_MS).contains(&ms);
        if !is_duration(policy.cooldown_ms) || !is_duration(policy.max_age_ms) {
            return Err(JwksError::InvalidArgument);
        }
        let now_ms = now_ms.max(0);
        let state = self.seen_from(now_ms);
        let verdict = match event {
            JwksEvent::Fetched => {
                let state = Self { failures: 0, attempted_ms: Some(now_ms), fetched_ms: Some(now_ms) };
                JwksVerdict { fetch: false, retry_after_ms: policy.cooldown_ms, state }
            }
            JwksEvent::Failed => {
                let state =
                    Self { failures: state.failures.saturating_add(1), attempted_ms: Some(now_ms), ..state };
                JwksVerdict { fetch: false, retry_after_ms: state.cooldown(policy), state }
            }
            JwksEvent::UnknownKey => state.fetch_after(state.wait(now_ms, policy), now_ms),
            JwksEvent::Periodic => {
                let age = state.fetched_ms.map(|fetched| now_ms.saturating_sub(fetched));
                let until_stale = age.map_or(0, |age| policy.max_age_ms.saturating_sub(age));
                state.fetch_after(until_stale.max(state.wait(now_ms, policy)), now_ms)
            }
        };
        Ok(verdict)
    }

    fn fetch_after(self, wait_ms: i64, now_ms: i64) -> JwksVerdict {
        if wait_ms > 0 {
            return JwksVerdict { fetch: false, retry_after_ms: wait_ms, state: self };
        }
        JwksVerdict { fetch: true, retry_after_ms: 0, state: Self { attempted_ms: Some(now_ms), ..self } }
    }

    /// How long the cooldown still lasts.
    fn wait(self, now_ms: i64, policy: JwksPolicy) -> i64 {
        self.attempted_ms
            .map_or(0, |attempted| self.cooldown(policy).saturating_sub(now_ms.saturating_sub(attempted)))
    }

    fn cooldown(self, policy: JwksPolicy) -> i64 {
        let doublings = u32::from(self.failures.min(MAX_DOUBLINGS));
        policy.cooldown_ms.saturating_mul(1_i64.checked_shl(doublings).unwrap_or(i64::MAX))
    }

    /// Times that lie ahead of a clock that was set back are moved to now: the cooldown starts over, and
    /// does not last until the clock has caught up.
    fn seen_from(self, now_ms: i64) -> Self {
        let not_ahead = |ms: Option<i64>| ms.map(|ms| ms.min(now_ms));
        Self { attempted_ms: not_ahead(self.attempted_ms), fetched_ms: not_ahead(self.fetched_ms), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: JwksPolicy = JwksPolicy { cooldown_ms: 30_000, max_age_ms: 600_000 };

    fn step(state: JwksState, event: JwksEvent, now_ms: i64) -> JwksVerdict {
        state.refresh(event, now_ms, POLICY).unwrap()
    }

    #[test]
    fn ten_thousand_unknown_keys_make_one_fetch_a_cooldown() {
        let mut state = JwksState::default();
        let mut fetches = 0;
        for now_ms in (0..10_000).map(|i| i * 9) {
            let verdict = step(state, JwksEvent::UnknownKey, now_ms);
            fetches += u32::from(verdict.fetch);
            state = verdict.state;
        }
        assert_eq!(fetches, 3);
    }

    #[test]
    fn failures_double_the_cooldown_up_to_a_bound() {
        let mut state = JwksState::default();
        for doublings in 1..=7 {
            state = step(state, JwksEvent::Failed, 0).state;
            let wait = step(state, JwksEvent::UnknownKey, 0).retry_after_ms;
            assert_eq!(wait, 30_000 << doublings.min(5));
        }
        assert!(step(step(state, JwksEvent::Fetched, 0).state, JwksEvent::UnknownKey, 30_000).fetch);
    }

    #[test]
    fn a_set_is_fetched_again_when_it_is_old() {
        let fetched = step(JwksState::default(), JwksEvent::Fetched, 1_000).state;
        assert_eq!(step(fetched, JwksEvent::Periodic, 600_999).retry_after_ms, 1);
        assert!(step(fetched, JwksEvent::Periodic, 601_000).fetch);
    }

    #[test]
    fn a_clock_set_back_delays_by_one_cooldown_only() {
        let fetched = step(JwksState::default(), JwksEvent::Fetched, i64::MAX).state;
        let verdict = step(fetched, JwksEvent::UnknownKey, 5_000);
        assert_eq!((verdict.fetch, verdict.retry_after_ms), (false, 30_000));
        assert!(step(verdict.state, JwksEvent::UnknownKey, 35_000).fetch);
    }

    #[test]
    fn states_survive_storage_and_nothing_else_parses() {
        for state in [JwksState::default(), step(JwksState::default(), JwksEvent::Failed, 7).state] {
            let bytes = state.to_bytes();
            assert_eq!(JwksState::from_bytes(&bytes), Ok(state));
            assert!(JwksState::from_bytes(&bytes[..23]).is_err());
            for at in [0, 2, 7] {
                let mut other = bytes;
                other[at] ^= 1;
                assert!(JwksState::from_bytes(&other).is_err());
            }
        }
        assert!(JwksState::from_bytes(&[0xFF; 24]).is_err());
    }
}
