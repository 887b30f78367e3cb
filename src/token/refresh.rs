//! Refresh families: which refresh token of a chain is the live one.
//!
//! *Decides* what a refresh token that was presented leads to. *Inputs*: its family and generation, the
//! clock. *State*: 32 bytes per family, stored by the host. *Threat*: a stolen refresh token used beside
//! its owner; the one who comes second gives the theft away, and the family is revoked. Two honest
//! requests at once, or a lost answer, are told apart by a short grace.
//!
//! The host replaces the state by compare-and-swap, and mints the token of the state that won.

use alloc::string::String;

use crate::base64url;
use crate::entropy::{Entropy, EntropyError};
use crate::error::Status;

use super::TokenError;

/// The bytes of a state.
pub const REFRESH_STATE_LEN: usize = 32;
/// The grace for concurrent refreshes unless said otherwise: 10 seconds.
pub const DEFAULT_GRACE_MS: i64 = 10_000;
/// The longest grace: 5 minutes.
pub const MAX_GRACE_MS: i64 = 300_000;

const VERSION: u8 = 1;
const REVOKED: u8 = 1;
const FAMILY_LEN: usize = 16;

/// Where a family stands.
///
/// Bytes: version u8, flags u8, zero u16, generation u32, time of the last rotation in ms i64, family
/// 16 bytes; integers are big-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshState {
    family: [u8; FAMILY_LEN],
    generation: u32,
    rotated_at_ms: i64,
    is_revoked: bool,
}

/// What a refresh token that was presented leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshVerdict {
    /// Replace the stored state by this one, by compare-and-swap, then mint its token.
    Rotate(RefreshState),
    /// A concurrent or repeated refresh within the grace: mint the token of the stored state again.
    Repeat(RefreshState),
    /// Used again after its time: store this state, which revokes the family, and refuse.
    ReuseDetected(RefreshState),
    /// The family was revoked before: refuse.
    Revoked,
    /// The store knows less than the token, or nothing: refuse; the user logs in again.
    StateStale,
}

impl RefreshVerdict {
    /// The status that the verdict is at the C ABI.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self {
            Self::Rotate(_) | Self::Repeat(_) => Status::Ok,
            Self::ReuseDetected(_) => Status::ReuseDetected,
            Self::Revoked => Status::Revoked,
            Self::StateStale => Status::StateStale,
        }
    }
}

impl RefreshState {
    /// A new family, at its first token.
    ///
    /// # Errors
    /// - [`EntropyError`]: no entropy.
    pub fn begin(now_ms: i64, entropy: &mut impl Entropy) -> Result<Self, EntropyError> {
        let mut family = [0; FAMILY_LEN];
        entropy.fill(&mut family)?;
        Ok(Self { family, generation: 0, rotated_at_ms: now_ms.max(0), is_revoked: false })
    }

    /// Reads a stored state.
    ///
    /// # Errors
    /// - [`TokenError::Malformed`]: not a state.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TokenError> {
        Self::parse(bytes).ok_or(TokenError::Malformed)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (&[VERSION, flags @ 0..=REVOKED, 0, 0], rest) = bytes.split_first_chunk::<4>()? else {
            return None;
        };
        let (generation, rest) = rest.split_first_chunk()?;
        let (rotated_at_ms, family) = rest.split_first_chunk()?;
        Some(Self {
            family: family.try_into().ok()?,
            generation: u32::from_be_bytes(*generation),
            rotated_at_ms: Some(i64::from_be_bytes(*rotated_at_ms)).filter(|ms| *ms >= 0)?,
            is_revoked: flags == REVOKED,
        })
    }

    /// The bytes to store.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; REFRESH_STATE_LEN] {
        let mut bytes = [0; REFRESH_STATE_LEN];
        let head = [VERSION, u8::from(self.is_revoked), 0, 0];
        let parts = head
            .into_iter()
            .chain(self.generation.to_be_bytes())
            .chain(self.rotated_at_ms.to_be_bytes())
            .chain(self.family);
        for (slot, byte) in bytes.iter_mut().zip(parts) {
            *slot = byte;
        }
        bytes
    }

    /// Decides about a token of this family, already verified.
    ///
    /// # Errors
    /// - [`TokenError::InvalidArgument`]: a grace that is negative or over [`MAX_GRACE_MS`].
    pub fn rotate(
        stored: Option<&Self>,
        family: &str,
        generation: u32,
        now_ms: i64,
        grace_ms: i64,
    ) -> Result<RefreshVerdict, TokenError> {
        if !(0..=MAX_GRACE_MS).contains(&grace_ms) {
            return Err(TokenError::InvalidArgument);
        }
        let Some(stored) = stored.filter(|stored| stored.is_family(family)) else {
            return Ok(RefreshVerdict::StateStale);
        };
        Ok(stored.decide(generation, now_ms, grace_ms))
    }

    fn decide(&self, generation: u32, now_ms: i64, grace_ms: i64) -> RefreshVerdict {
        if self.is_revoked {
            return RefreshVerdict::Revoked;
        }
        if generation > self.generation {
            return RefreshVerdict::StateStale;
        }
        if generation == self.generation {
            return match generation.checked_add(1) {
                Some(generation) => {
                    RefreshVerdict::Rotate(Self { generation, rotated_at_ms: now_ms.max(0), ..*self })
                }
                // Four thousand million refreshes on: the family has had its time.
                None => RefreshVerdict::StateStale,
            };
        }
        let is_previous = generation.checked_add(1) == Some(self.generation);
        if is_previous && now_ms.saturating_sub(self.rotated_at_ms) <= grace_ms {
            return RefreshVerdict::Repeat(*self);
        }
        RefreshVerdict::ReuseDetected(self.revoked())
    }

    /// The state of this family from which no token is minted any more: logged out.
    #[must_use]
    pub const fn revoked(&self) -> Self {
        Self { is_revoked: true, ..*self }
    }

    /// Whether the family was revoked.
    #[must_use]
    pub const fn is_revoked(&self) -> bool {
        self.is_revoked
    }

    /// The place of the live token in its family.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// The family's id.
    #[must_use]
    pub const fn family(&self) -> &[u8; 16] {
        &self.family
    }

    /// The family's id as its tokens carry it: the key to store the state under.
    #[must_use]
    pub fn family_text(&self) -> String {
        base64url::encode(&self.family)
    }

    fn is_family(&self, text: &str) -> bool {
        read_family(text) == Some(self.family)
    }
}

/// Whether a text is the id of a family, in its 22 characters.
pub(super) fn is_family(text: &str) -> bool {
    read_family(text).is_some()
}

fn read_family(text: &str) -> Option<[u8; FAMILY_LEN]> {
    let mut family = [0; FAMILY_LEN + 4];
    base64url::decode_to_slice(text.as_bytes(), &mut family).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::FixedEntropy;

    const FAMILY: &str = "BwcHBwcHBwcHBwcHBwcHBw";

    fn begin() -> RefreshState {
        RefreshState::begin(1_000, &mut FixedEntropy::new(&[7; 16])).unwrap()
    }

    fn rotate(state: &RefreshState, generation: u32, now_ms: i64) -> RefreshVerdict {
        RefreshState::rotate(Some(state), FAMILY, generation, now_ms, DEFAULT_GRACE_MS).unwrap()
    }

    fn rotated(state: &RefreshState, now_ms: i64) -> RefreshState {
        match rotate(state, state.generation(), now_ms) {
            RefreshVerdict::Rotate(next) => next,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_live_token_rotates_and_the_one_before_it_repeats_within_the_grace() {
        let first = rotated(&begin(), 2_000);
        assert_eq!(first.generation(), 1);
        assert_eq!(rotate(&first, 0, 2_000), RefreshVerdict::Repeat(first));
        assert_eq!(rotate(&first, 0, 12_000), RefreshVerdict::Repeat(first));
        assert_eq!(rotate(&first, 0, 12_001), RefreshVerdict::ReuseDetected(first.revoked()));
    }

    #[test]
    fn a_revoked_family_stays_revoked_within_the_grace_too() {
        let first = rotated(&begin(), 2_000).revoked();
        assert_eq!(rotate(&first, 0, 2_000), RefreshVerdict::Revoked);
        assert_eq!(rotate(&first, 1, 2_000), RefreshVerdict::Revoked);
        assert_eq!(rotate(&first, 9, 2_000), RefreshVerdict::Revoked);
    }

    #[test]
    fn an_older_token_is_reuse_even_within_the_grace() {
        let second = rotated(&rotated(&begin(), 2_000), 2_001);
        assert_eq!(rotate(&second, 0, 2_001), RefreshVerdict::ReuseDetected(second.revoked()));
    }

    #[test]
    fn a_store_that_knows_less_than_the_token_is_stale() {
        assert_eq!(rotate(&begin(), 1, 2_000), RefreshVerdict::StateStale);
        assert_eq!(RefreshState::rotate(None, FAMILY, 0, 0, 0).unwrap(), RefreshVerdict::StateStale);
        assert_eq!(
            RefreshState::rotate(Some(&begin()), "other", 0, 0, 0).unwrap(),
            RefreshVerdict::StateStale
        );
    }

    #[test]
    fn a_clock_going_backwards_revokes_nobody() {
        let first = rotated(&begin(), 50_000);
        assert_eq!(rotate(&first, 0, 0), RefreshVerdict::Repeat(first));
        assert_eq!(rotated(&first, 0).generation(), 2);
    }

    #[test]
    fn a_clock_that_was_ahead_once_is_forgotten_at_the_next_rotation() {
        const DAY_MS: i64 = 86_400_000;
        let ahead = rotated(&begin(), DAY_MS);
        let healed = rotated(&ahead, 5_000);
        assert_eq!(rotate(&healed, 1, 15_001), RefreshVerdict::ReuseDetected(healed.revoked()));
    }

    #[test]
    fn states_survive_storage_and_nothing_else_parses() {
        let state = rotated(&begin(), 2_000).revoked();
        let bytes = state.to_bytes();
        assert_eq!(RefreshState::from_bytes(&bytes), Ok(state));
        for len in 0..64 {
            let mut other = bytes.to_vec();
            other.resize(len, 0);
            assert_eq!(RefreshState::from_bytes(&other).is_ok(), len == REFRESH_STATE_LEN);
        }
        for (at, byte) in [(0, 0), (0, 2), (1, 2), (2, 1), (3, 1), (8, 0x80)] {
            let mut other = bytes;
            other[at] = byte;
            assert!(RefreshState::from_bytes(&other).is_err());
        }
    }
}
