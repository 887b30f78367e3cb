//! What is known of one token, and what follows from it.

use super::RevocationError;
use crate::time::MAX_LEEWAY_S;

/// How far apart the clocks of issuers may be unless said otherwise, in seconds.
pub const DEFAULT_SKEW_S: i64 = 2;

/// What the host's store says about one token.
#[derive(Debug, Clone, Copy)]
pub struct RevocationFacts {
    /// The token's `iat`.
    pub issued_at_s: Option<i64>,
    /// Since when the subject's tokens are revoked. Store `max(now, the last one + 1)`, so that logging out
    /// everywhere twice in one second also puts out whoever logged in between.
    pub subject_since_s: Option<i64>,
    /// When the store's marker was written; `None`: there is none.
    pub store_since_s: Option<i64>,
    /// How far apart the clocks may be. Over [`DEFAULT_SKEW_S`], a log-in right after a "log out
    /// everywhere" is refused until that much time has passed: issuers stamp for the default.
    pub skew_s: i64,
    /// The token's `jti` is listed.
    pub is_token_revoked: bool,
    /// Its family is revoked.
    pub is_family_revoked: bool,
    /// The key that signed it is listed.
    pub is_key_revoked: bool,
}

impl RevocationFacts {
    /// Decides.
    ///
    /// # Errors
    /// - [`RevocationError::Revoked`]: taken back, or the store cannot say that it was not.
    /// - [`RevocationError::MissingClaim`]: no `iat`, which every answer depends on.
    /// - [`RevocationError::InvalidArgument`]: a skew that is negative or over 300 s.
    pub fn check(&self) -> Result<(), RevocationError> {
        if !(0..=MAX_LEEWAY_S).contains(&self.skew_s) {
            return Err(RevocationError::InvalidArgument);
        }
        if self.is_token_revoked || self.is_family_revoked || self.is_key_revoked {
            return Err(RevocationError::Revoked);
        }
        let store_since_s = self.store_since_s.ok_or(RevocationError::Revoked)?;
        let issued_at_s = self.issued_at_s.ok_or(RevocationError::MissingClaim)?;
        let is_from_before = |since_s: i64| issued_at_s <= since_s.saturating_add(self.skew_s);
        if self.subject_since_s.is_some_and(is_from_before) || issued_at_s < store_since_s {
            return Err(RevocationError::Revoked);
        }
        Ok(())
    }
}

/// The `iat` of a token that must outlive a revocation of its subject's earlier ones: a log-in in the
/// same second as "log out everywhere" lives, and verifiers accept that much future.
#[must_use]
pub fn issue_time(now_s: i64, revoked_since_s: Option<i64>, skew_s: i64) -> i64 {
    match revoked_since_s {
        Some(since_s) => now_s.max(since_s.saturating_add(skew_s).saturating_add(1)),
        None => now_s,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAN: RevocationFacts = RevocationFacts {
        issued_at_s: Some(1_000),
        subject_since_s: None,
        store_since_s: Some(0),
        skew_s: DEFAULT_SKEW_S,
        is_token_revoked: false,
        is_family_revoked: false,
        is_key_revoked: false,
    };

    #[test]
    fn a_token_is_refused_for_each_reason_alone() {
        assert_eq!(CLEAN.check(), Ok(()));
        for facts in [
            RevocationFacts { is_token_revoked: true, ..CLEAN },
            RevocationFacts { is_family_revoked: true, ..CLEAN },
            RevocationFacts { is_key_revoked: true, ..CLEAN },
            RevocationFacts { subject_since_s: Some(998), ..CLEAN },
            RevocationFacts { store_since_s: Some(1_001), ..CLEAN },
            RevocationFacts { store_since_s: None, ..CLEAN },
        ] {
            assert_eq!(facts.check(), Err(RevocationError::Revoked), "{facts:?}");
        }
        assert_eq!(
            RevocationFacts { issued_at_s: None, ..CLEAN }.check(),
            Err(RevocationError::MissingClaim)
        );
    }

    #[test]
    fn logging_in_right_after_logging_out_everywhere_works() {
        let since_s = 5_000;
        let issued = issue_time(since_s, Some(since_s), DEFAULT_SKEW_S);
        let fresh = RevocationFacts { issued_at_s: Some(issued), subject_since_s: Some(since_s), ..CLEAN };
        assert_eq!(fresh.check(), Ok(()));
        let old = RevocationFacts { issued_at_s: Some(since_s), ..fresh };
        assert_eq!(old.check(), Err(RevocationError::Revoked));
        assert_eq!(issue_time(9_000, Some(since_s), DEFAULT_SKEW_S), 9_000);
    }

    #[test]
    fn logging_out_everywhere_twice_in_one_second_puts_out_who_came_in_between() {
        let first_s = 5_000;
        let issued = issue_time(first_s, Some(first_s), DEFAULT_SKEW_S);
        let between = RevocationFacts { issued_at_s: Some(issued), subject_since_s: Some(first_s), ..CLEAN };
        assert_eq!(between.check(), Ok(()));
        let again = RevocationFacts { subject_since_s: Some(first_s + 1), ..between };
        assert_eq!(again.check(), Err(RevocationError::Revoked));
    }

    #[test]
    fn extreme_times_neither_wrap_nor_panic() {
        for since_s in [i64::MIN, i64::MAX] {
            let facts = RevocationFacts { subject_since_s: Some(since_s), ..CLEAN };
            assert_eq!(facts.check().is_err(), since_s == i64::MAX);
            assert!(issue_time(0, Some(since_s), 300) >= 0);
        }
    }
}
