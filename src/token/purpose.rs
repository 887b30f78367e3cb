//! Single-purpose tokens (password reset, e-mail verification, invitation), bound to a state.
//!
//! The token carries a fingerprint of the state that it may change: the stored password hash, the
//! address. Once that changed, the token is dead, and nothing was stored to make it so. Using it up
//! means replacing the old state by compare-and-swap, which the host does: of two uses at once, one
//! finds the state changed.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::TokenError;
use super::claims::Claims;
use super::issuer::{MAX_SUBJECT_LEN, SigningKey, is_life, purpose_payload};
use super::jws::{TrustedKeys, token_bound};
use super::token_type::{MAX_PURPOSE_LEN, PurposeName, TokenType};
use super::verifier::{Expected, check_times};
use crate::base64url;
use crate::bytes::length;
use crate::ct;
use crate::entropy::Entropy;
use crate::json::Value;
use crate::keyring::{Key, Keyring, MAX_KEY_ID_LEN, Purpose};

/// The longest state, in bytes.
pub const MAX_STATE_LEN: usize = 4096;

/// The bytes of a fingerprint in a token.
const FINGERPRINT_LEN: usize = 16;

/// Mints and checks single-purpose tokens.
///
/// ```
/// # use donjon::{entropy::FixedEntropy, keyring::Keyring, token::{PurposeName, PurposeTokens}};
/// # let keyring = Keyring::from_master("pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU", "").unwrap();
/// let tokens = PurposeTokens::new(&keyring)?;
/// let reset = PurposeName::new("reset").unwrap();
/// let token = tokens.mint(&reset, "ann", b"old hash", 3600, 1_000, &mut FixedEntropy::new(&[7; 16]))?;
/// assert!(tokens.check(&reset, "ann", b"old hash", token.as_bytes(), 1_001).is_ok());
/// assert!(tokens.check(&reset, "ann", b"new hash", token.as_bytes(), 1_001).is_err());
/// # Ok::<(), donjon::token::TokenError>(())
/// ```
#[derive(Debug)]
pub struct PurposeTokens {
    signer: SigningKey,
    trusted: TrustedKeys,
    // INVARIANT: the primary first.
    bindings: Vec<Arc<Key>>,
}

impl PurposeTokens {
    /// Tokens signed by the primary token key of `keyring` and bound by its `state-binding` secrets.
    ///
    /// # Errors
    /// - [`TokenError::Config`]: no primary token key that signs, or no primary `state-binding` secret.
    pub fn new(keyring: &Keyring) -> Result<Self, TokenError> {
        let primary = keyring.primary(Purpose::StateBinding);
        let primary = primary.filter(|key| key.mac(&[]).is_some());
        let primary = primary.ok_or(TokenError::Config("no primary `state-binding` secret"))?;
        let others = keyring.of_purpose(Purpose::StateBinding).filter(|key| !Arc::ptr_eq(key, primary));
        Ok(Self {
            signer: SigningKey::primary(keyring)?,
            trusted: TrustedKeys::own(keyring),
            bindings: core::iter::once(primary).chain(others).cloned().collect(),
        })
    }

    /// Mints a token that does one thing for `subject`, as long as `state` is what it is now.
    ///
    /// # Errors
    /// - [`TokenError::InvalidArgument`]: an empty subject, a life that is not positive or over 100
    ///   years.
    /// - [`TokenError::TooLarge`]: a subject over [`MAX_SUBJECT_LEN`], a state over [`MAX_STATE_LEN`].
    /// - [`TokenError::KeyExpired`]: the key's end has passed.
    /// - [`TokenError::Entropy`]: no entropy.
    pub fn mint(
        &self,
        purpose: &PurposeName,
        subject: &str,
        state: &[u8],
        ttl_s: i64,
        now_s: i64,
        entropy: &mut impl Entropy,
    ) -> Result<String, TokenError> {
        if subject.is_empty() || !is_life(ttl_s) || now_s < 0 {
            return Err(TokenError::InvalidArgument);
        }
        if subject.len() > MAX_SUBJECT_LEN || state.len() > MAX_STATE_LEN {
            return Err(TokenError::TooLarge);
        }
        let primary = self.bindings.first().ok_or(TokenError::UnknownKey)?;
        let fingerprint = fingerprint(primary, purpose, subject, state).ok_or(TokenError::UnknownKey)?;
        let mut id = [0; 16];
        entropy.fill(&mut id)?;
        let payload = purpose_payload(subject, now_s, ttl_s, &id, &fingerprint);
        let typ = TokenType::Purpose(purpose.clone()).typ();
        self.signer.sign(&self.signer.header_segment(&typ), payload.as_bytes(), now_s)
    }

    /// Checks a token of this purpose, subject and state. A good token is not used up: replace the
    /// state by compare-and-swap.
    ///
    /// # Errors
    /// - [`TokenError::Invalid`]: not good, for whichever reason: forged, expired, used, or of another
    ///   subject or purpose.
    pub fn check(
        &self,
        purpose: &PurposeName,
        subject: &str,
        state: &[u8],
        token: &[u8],
        now_s: i64,
    ) -> Result<(), TokenError> {
        self.open(purpose, subject, state, token, now_s).map(|_| ()).ok_or(TokenError::Invalid)
    }

    /// The claims of a token of this purpose, subject and state.
    pub(crate) fn open(
        &self,
        purpose: &PurposeName,
        subject: &str,
        state: &[u8],
        token: &[u8],
        now_s: i64,
    ) -> Option<Claims> {
        self.read(purpose, subject, state, token, now_s).ok().flatten()
    }

    fn read(
        &self,
        purpose: &PurposeName,
        subject: &str,
        state: &[u8],
        token: &[u8],
        now_s: i64,
    ) -> Result<Option<Claims>, TokenError> {
        let typ = TokenType::Purpose(purpose.clone()).typ();
        let verified =
            self.trusted.open(token, now_s, |header| header.is_some_and(|header| header.is_typ(&typ)))?;
        let claims = Claims::read::<&str>(verified.payload, &[])?;
        check_times(&claims, now_s, 0, &Expected::Exactly(()))?;
        let Some(Value::Text(carried)) = claims.get("sfp") else { return Ok(None) };
        let carried = base64url::decode(carried.raw().as_bytes()).map_err(|_| TokenError::Invalid)?;
        // Every live key, so that a rotation leaves the tokens that are out there good.
        let is_bound = |key: &Arc<Key>| {
            key.check_usable(now_s).is_ok()
                && fingerprint(key, purpose, subject, state)
                    .is_some_and(|expected| ct::eq(&expected, &carried))
        };
        let is_bound = self.bindings.iter().fold(false, |found, key| found | is_bound(key));
        let is_good = verified.of_header && claims.subject() == Some(subject) && is_bound;
        Ok(is_good.then_some(claims))
    }
}

/// The characters of a purpose token at most.
#[must_use]
pub const fn purpose_token_bound(purpose_len: usize, subject_len: usize) -> usize {
    // A character takes six bytes of JSON at most; the fixed members of header and claims are shorter.
    // What is over a limit is refused whatever its room.
    let purpose_len = if purpose_len < MAX_PURPOSE_LEN { purpose_len } else { MAX_PURPOSE_LEN };
    let subject_len = if subject_len < MAX_SUBJECT_LEN { subject_len } else { MAX_SUBJECT_LEN };
    let header = 64 + 6 * MAX_KEY_ID_LEN;
    let header = base64url::encoded_len(purpose_len.saturating_add(header)).saturating_add(1);
    token_bound(header, subject_len.saturating_mul(6).saturating_add(192))
}

/// The first 16 bytes of HMAC-SHA-256(key, lp(purpose) ‖ lp(subject) ‖ lp(state)).
fn fingerprint(
    key: &Key,
    purpose: &PurposeName,
    subject: &str,
    state: &[u8],
) -> Option<[u8; FINGERPRINT_LEN]> {
    let purpose = purpose.as_str().as_bytes();
    let subject = subject.as_bytes();
    let mac = key.mac(&[&length(purpose), purpose, &length(subject), subject, &length(state), state])?;
    mac.first_chunk().copied()
}
