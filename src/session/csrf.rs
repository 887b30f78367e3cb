//! CSRF tokens that are bound to a session, so that nothing has to be stored for them.
//!
//! A page of the session's own reads the token, from a cookie that scripts may read or from the page itself, and
//! sends it in a header or a field; a page of another site can neither read nor guess it. Being an HMAC of the
//! session id, a token is good for no other session: neither for the attacker's own, planted through a sibling
//! domain, nor after a log-in, which changes the id.
//!
//! ```text
//! token = salt 16 ‖ HMAC-SHA-256(`csrf` secret, lp("donjon/csrf/v1") ‖ lp(session id) ‖ lp(salt))
//! ```
//!
//! The salt makes each token differ, so that compressing a page that has one in it gives nothing away (BREACH).

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::SessionError;
use crate::base64url;
use crate::bytes::length;
use crate::ct;
use crate::entropy::Entropy;
use crate::keyring::{Key, KeyStatus, Keyring, Purpose};

/// The characters of a CSRF token.
pub const CSRF_TOKEN_LEN: usize = 64;

const LABEL: &[u8] = b"donjon/csrf/v1";
const SALT_LEN: usize = 16;
const MAC_LEN: usize = 32;

/// Makes and checks tokens, by the `csrf` secrets of a keyring.
///
/// A token is as good as the session that it is bound to, which has an end: the end of a key is not looked at. A
/// key that is disabled or destroyed checks nothing.
#[derive(Debug, Clone)]
pub(super) struct CsrfKeys {
    // INVARIANT: secrets, the primary first.
    keys: Vec<Arc<Key>>,
}

impl CsrfKeys {
    /// `None` without a primary `csrf` secret.
    pub(super) fn new(keyring: &Keyring) -> Option<Self> {
        let checks = |status| !matches!(status, KeyStatus::Disabled | KeyStatus::Destroyed);
        Some(Self { keys: keyring.secrets(Purpose::Csrf, checks)? })
    }

    /// A fresh token for the session of these bytes.
    ///
    /// # Errors
    /// - [`SessionError::Entropy`]: no entropy.
    pub(super) fn token(&self, id: &[u8], entropy: &mut impl Entropy) -> Result<String, SessionError> {
        let mut token = [0; SALT_LEN + MAC_LEN];
        let (salt, mac) = token.split_first_chunk_mut::<SALT_LEN>().ok_or(SessionError::Internal)?;
        entropy.fill(salt)?;
        let primary = self.keys.first().ok_or(SessionError::Internal)?;
        mac.copy_from_slice(&mac_of(primary, id, salt).ok_or(SessionError::Internal)?);
        Ok(base64url::encode(&token))
    }

    /// Whether a token was made for the session of these bytes.
    pub(super) fn is_good(&self, id: &[u8], token: &[u8]) -> bool {
        // Longer by a quad, so that a token that is too long is told by its length.
        let mut buffer = [0; SALT_LEN + MAC_LEN + 3];
        let Ok(token) = base64url::decode_to_slice(token, &mut buffer) else { return false };
        let Some((salt, mac)) = token.split_first_chunk::<SALT_LEN>() else { return false };
        let is_of = |key: &Arc<Key>| mac_of(key, id, salt).is_some_and(|expected| ct::eq(&expected, mac));
        self.keys.iter().fold(false, |found, key| found | is_of(key))
    }
}

fn mac_of(key: &Key, id: &[u8], salt: &[u8; SALT_LEN]) -> Option<[u8; MAC_LEN]> {
    key.mac(&[&length(LABEL), LABEL, &length(id), id, &length(salt), salt])
}

/// Whether a text has the form of a token, so that it may stand in a header.
pub(super) fn is_token(text: &[u8]) -> bool {
    text.len() == CSRF_TOKEN_LEN && base64url::is_canonical(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::OsEntropy;
    use crate::signature::Algorithm;
    use alloc::format;

    fn keyring() -> Keyring {
        Keyring::generate(&[(Purpose::Csrf, Algorithm::Hs256)], 0, &mut OsEntropy).unwrap()
    }

    fn token(keys: &CsrfKeys, id: &[u8]) -> String {
        keys.token(id, &mut OsEntropy).unwrap()
    }

    #[test]
    fn a_token_is_good_for_its_session_alone() {
        let keys = CsrfKeys::new(&keyring()).unwrap();
        let (first, second) = (token(&keys, &[1; 48]), token(&keys, &[1; 48]));
        assert_ne!(first, second);
        assert!(is_token(first.as_bytes()));
        for good in [&first, &second] {
            assert!(keys.is_good(&[1; 48], good.as_bytes()));
            assert!(!keys.is_good(&[2; 48], good.as_bytes()));
            assert!(!CsrfKeys::new(&keyring()).unwrap().is_good(&[1; 48], good.as_bytes()));
        }
    }

    #[test]
    fn what_is_nearly_the_token_is_none() {
        let keys = CsrfKeys::new(&keyring()).unwrap();
        let good = token(&keys, b"id");
        for at in 0..good.len() {
            let mut other = good.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            assert!(!keys.is_good(b"id", &other), "{at}");
            assert!(!keys.is_good(b"id", &good.as_bytes()[..at]), "{at}");
        }
        for other in [format!("{good}="), format!(" {good}"), format!("{good}AAAA"), format!("{good}{good}")]
        {
            assert!(!keys.is_good(b"id", other.as_bytes()), "{other}");
            assert!(!is_token(other.as_bytes()), "{other}");
        }
        assert!(!is_token(&[b'+'; CSRF_TOKEN_LEN]));
    }

    #[test]
    fn a_token_outlives_a_rotation_and_dies_with_its_key() {
        let keyring = keyring();
        let before = token(&CsrfKeys::new(&keyring).unwrap(), b"id");
        let rotated = keyring.rotate(Purpose::Csrf, None, 10, 0, &mut OsEntropy).unwrap();
        let after = CsrfKeys::new(&rotated).unwrap();
        assert!(after.is_good(b"id", before.as_bytes()));
        // Services that have the keyring from before check what those with the new one make.
        assert!(CsrfKeys::new(&keyring).unwrap().is_good(b"id", token(&after, b"id").as_bytes()));

        let old = rotated.keys().find(|key| key.status() == KeyStatus::VerifyOnly).unwrap().id().unwrap();
        let disabled = rotated.with_status(old, KeyStatus::Disabled, None).unwrap();
        assert!(!CsrfKeys::new(&disabled).unwrap().is_good(b"id", before.as_bytes()));
    }

    #[test]
    fn a_keyring_that_makes_no_token_is_refused() {
        let keyring = keyring();
        let primary = keyring.keys().find(|key| key.status() == KeyStatus::Primary).unwrap().id().unwrap();
        assert!(CsrfKeys::new(&keyring.with_status(primary, KeyStatus::Disabled, None).unwrap()).is_none());
        let public = Keyring::generate(&[(Purpose::Csrf, Algorithm::EdDsa)], 0, &mut OsEntropy).unwrap();
        assert!(CsrfKeys::new(&public).is_none());
    }
}
