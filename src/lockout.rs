//! Lock-out: which counters an attempt to log in is charged to.
//!
//! *Decides* whom an attempt counts against: the client's address and the account; or, where the client shows
//! that this account logged in from it before, that device alone. *Inputs*: the account as it was typed, whether
//! it exists or not; the client's address; a device token, with the subject and the stored hash that it is bound
//! to. *State*: none here; the counters are [limits](crate::limit) that `{"lockout":{…}}` makes. *Threat*:
//! guesses in parallel; answers that tell which accounts exist; an attacker who locks the owner out by failing
//! on purpose.
//!
//! The host spends an attempt of every counter in turn *before* it hashes, and does not hash if one refuses. The
//! address comes first, so that one that is locked out touches no account. After a success the host does what
//! [`OnSuccess`] says; after a failure, nothing.
//!
//! Identifiers leave as HMACs, so that the store of counters names no one. A device token is made after a log-in
//! and proves nothing but that there was one: it never logs in. It dies with the password, and its counter is
//! its own, so that a stolen one allows as many guesses as an account does.
//!
//! ```text
//! key = kind ‖ ":" ‖ base64url(HMAC-SHA-256(`device` secret, lp("donjon/lockout/v1") ‖ lp(kind) ‖ lp(part) …))
//! ```
//!
//! When the primary `device` secret is rotated, all counters begin anew.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::base64url;
use crate::bytes::lp;
use crate::entropy::Entropy;
use crate::keyring::{Key, Keyring, Purpose};
use crate::token::{PurposeName, PurposeTokens, TokenError};

/// The longest account or address, in bytes.
pub const MAX_IDENTIFIER_LEN: usize = 1024;

const LABEL: &[u8] = b"donjon/lockout/v1";

/// What to do with a counter when the attempt has succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSuccess {
    /// Its failures are forgotten: they were the owner's, or did not succeed.
    Forget,
    /// What was spent is given back, and no more: who logs in with an account of their own goes on guessing
    /// others.
    GiveBack,
}

impl OnSuccess {
    /// The name, as hosts see it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forget => "forget",
            Self::GiveBack => "give_back",
        }
    }
}

/// A counter that an attempt is charged to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// Its key in the store.
    pub key: String,
    /// What to do when the attempt has succeeded.
    pub on_success: OnSuccess,
}

/// Who tries to log in.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The account, in the form in which equal ones are equal (case, blanks). Not empty.
    pub account: &'a [u8],
    /// The client's address or network; empty for none.
    pub address: &'a [u8],
    /// The device token that the client sent, if it sent one and the account is known.
    pub device: Option<Device<'a>>,
}

/// A device token, and what it is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Device<'a> {
    /// The token.
    pub token: &'a [u8],
    /// The account's subject.
    pub subject: &'a str,
    /// The stored password hash.
    pub state: &'a [u8],
}

/// Names counters, and makes device tokens.
///
/// ```
/// use donjon::keyring::Keyring;
/// use donjon::lockout::{Attempt, Lockout};
///
/// let epochs = r#"{"keys":[{"purpose":"device","epoch":1}]}"#;
/// let keyring = Keyring::from_master("pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU", epochs).unwrap();
/// let lockout = Lockout::new(&keyring)?;
/// let attempt = Attempt { account: b"ann@example.com", address: b"192.0.2.7", device: None };
/// let counters = lockout.counters(&attempt, 1_800_000_000)?;
/// assert!(counters[0].key.starts_with("address:") && counters[1].key.starts_with("account:"));
/// # Ok::<(), donjon::token::TokenError>(())
/// ```
#[derive(Debug)]
pub struct Lockout {
    // INVARIANT: a secret.
    key: Arc<Key>,
    tokens: PurposeTokens,
    purpose: PurposeName,
}

impl Lockout {
    /// Counters named by the primary `device` secret of a keyring, and device tokens as
    /// [single-purpose tokens](PurposeTokens).
    ///
    /// # Errors
    /// - [`TokenError::Config`]: no primary `device` secret; as [`PurposeTokens::new`].
    pub fn new(keyring: &Keyring) -> Result<Self, TokenError> {
        let key = keyring.primary(Purpose::Device).filter(|key| key.mac(&[]).is_some());
        let key = key.ok_or(TokenError::Config("no primary `device` secret"))?;
        let purpose = PurposeName::new("device").ok_or(TokenError::InvalidArgument)?;
        Ok(Self { key: Arc::clone(key), tokens: PurposeTokens::new(keyring)?, purpose })
    }

    /// The counters that an attempt is charged to, all of them, in this order.
    ///
    /// A device token that is not good, for whichever reason, is as if there were none.
    ///
    /// # Errors
    /// - [`TokenError::InvalidArgument`]: no account. - [`TokenError::TooLarge`]: an account or an address over
    ///   [`MAX_IDENTIFIER_LEN`].
    pub fn counters(&self, attempt: &Attempt<'_>, now_s: i64) -> Result<Vec<Counter>, TokenError> {
        let Attempt { account, address, device } = *attempt;
        if account.is_empty() {
            return Err(TokenError::InvalidArgument);
        }
        if account.len() > MAX_IDENTIFIER_LEN || address.len() > MAX_IDENTIFIER_LEN {
            return Err(TokenError::TooLarge);
        }
        let known = device.and_then(|device| {
            let Device { token, subject, state } = device;
            let claims = self.tokens.open(&self.purpose, subject, state, token, now_s)?;
            self.counter("device", &[subject.as_bytes(), claims.token_id()?.as_bytes()], OnSuccess::Forget)
        });
        if let Some(device) = known {
            return Ok([device].into());
        }
        let account = self.counter("account", &[account], OnSuccess::Forget);
        let address = Some(address).filter(|address| !address.is_empty());
        let address = address.and_then(|address| self.counter("address", &[address], OnSuccess::GiveBack));
        Ok(address.into_iter().chain(account).collect())
    }

    /// A token for the device that somebody has just logged in from, good until the stored hash changes.
    ///
    /// # Errors
    /// As [`PurposeTokens::mint`].
    pub fn device_token(
        &self,
        subject: &str,
        state: &[u8],
        ttl_s: i64,
        now_s: i64,
        entropy: &mut impl Entropy,
    ) -> Result<String, TokenError> {
        self.tokens.mint(&self.purpose, subject, state, ttl_s, now_s, entropy)
    }

    /// `None` if the key is no secret, which it is.
    fn counter(&self, kind: &str, parts: &[&[u8]], on_success: OnSuccess) -> Option<Counter> {
        let mut message = Vec::new();
        for part in [LABEL, kind.as_bytes()].iter().chain(parts) {
            lp(part, &mut message);
        }
        let mac = self.key.mac(&[&message])?;
        Some(Counter { key: format!("{kind}:{}", base64url::encode(&mac)), on_success })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::OsEntropy;

    const NOW: i64 = 1_800_000_000;
    const EPOCHS: &str = r#"{"keys":[{"purpose":"device","epoch":1}]}"#;
    fn lockout() -> Lockout {
        let master = "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU";
        Lockout::new(&Keyring::from_master(master, EPOCHS).unwrap()).unwrap()
    }

    fn keys(counters: &[Counter]) -> Vec<&str> {
        counters.iter().map(|counter| counter.key.as_str()).collect()
    }

    #[test]
    fn accounts_and_addresses_have_counters_that_name_no_one() {
        let (lockout, attempt) =
            (lockout(), Attempt { account: b"ann", address: b"192.0.2.7", device: None });
        let counters = lockout.counters(&attempt, NOW).unwrap();
        assert_eq!(keys(&counters), keys(&lockout.counters(&attempt, NOW + 1).unwrap()));
        assert!(counters.iter().all(|counter| !counter.key.contains("ann") && !counter.key.contains("192")));
        let other =
            lockout.counters(&Attempt { account: b"192.0.2.7", address: b"ann", ..attempt }, NOW).unwrap();
        assert!(keys(&other).iter().all(|key| !keys(&counters).contains(key)));
        assert_eq!(lockout.counters(&Attempt { address: b"", ..attempt }, NOW).unwrap().len(), 1);
    }

    #[test]
    fn a_known_device_is_charged_alone_until_the_password_changes() {
        let lockout = lockout();
        let token = lockout.device_token("u1", b"hash", 1000, NOW, &mut OsEntropy).unwrap();
        let of = |subject, state, now_s| {
            let device = Some(Device { token: token.as_bytes(), subject, state });
            let attempt = Attempt { account: b"ann", address: b"192.0.2.7", device };
            lockout.counters(&attempt, now_s).unwrap()
        };
        let known = of("u1", b"hash", NOW);
        assert!(known.len() == 1 && known.iter().all(|counter| counter.key.starts_with("device:")));
        for stranger in [of("u2", b"hash", NOW), of("u1", b"new hash", NOW), of("u1", b"hash", NOW + 1000)] {
            assert_eq!(stranger.len(), 2);
        }
        let reset = PurposeName::new("reset").unwrap();
        assert!(lockout.tokens.check(&reset, "u1", b"hash", token.as_bytes(), NOW).is_err());
    }

    #[test]
    fn no_account_and_no_secret_are_refused() {
        let none = Attempt { account: b"", address: b"a", device: None };
        assert_eq!(lockout().counters(&none, NOW).unwrap_err(), TokenError::InvalidArgument);
        let long = Attempt { account: &[b'a'; MAX_IDENTIFIER_LEN + 1], ..none };
        assert_eq!(lockout().counters(&long, NOW).unwrap_err(), TokenError::TooLarge);
        let token_key = r#"{"keys":[{"kty":"oct","kid":"1","alg":"HS256","purpose":"token","status":"primary",
            "k":"pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU"}]}"#;
        let refused = Lockout::new(&Keyring::from_jwks(token_key.as_bytes()).unwrap()).unwrap_err();
        assert_eq!(refused, TokenError::Config("no primary `device` secret"));
    }
}
