//! A session id: which record it is in, and 32 bytes that nobody guesses.

use alloc::string::String;
use core::fmt;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::base64url;
use crate::entropy::{Entropy, EntropyError};
use crate::user_tag::TAG_LEN;

/// The characters of a session id.
pub const SESSION_ID_LEN: usize = 64;

const RANDOM_LEN: usize = 32;

/// The bytes that the characters stand for.
pub(super) const ID_LEN: usize = TAG_LEN + RANDOM_LEN;

/// The id of a session: whoever sends it is the user.
// INVARIANT: the tag of the user's record, then what was drawn.
#[derive(Clone)]
pub struct SessionId(Zeroizing<[u8; ID_LEN]>);

impl SessionId {
    /// Reads the 64 characters; `None` if they are none.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() != SESSION_ID_LEN {
            return None;
        }
        let bytes = base64url::decode_secret(text).ok()?;
        Some(Self(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
    }

    /// The 64 characters that the client keeps.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        base64url::encode_secret(&*self.0)
    }

    pub(super) fn draw(tag: &[u8; TAG_LEN], entropy: &mut impl Entropy) -> Result<Self, EntropyError> {
        let mut bytes = Zeroizing::new([0; ID_LEN]);
        let (head, random) = bytes.split_at_mut(TAG_LEN);
        head.copy_from_slice(tag);
        entropy.fill(random)?;
        Ok(Self(bytes))
    }

    pub(super) fn tag(&self) -> [u8; TAG_LEN] {
        self.0.first_chunk().copied().unwrap_or_default()
    }

    /// What the store has instead of it.
    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(*self.0).into()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &*self.0
    }
}

/// Nothing of it.
impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::FixedEntropy;
    use alloc::format;

    #[test]
    fn an_id_is_64_characters_of_canonical_base64url_and_nothing_else() {
        let id = SessionId::draw(&[1; 16], &mut FixedEntropy::new(&[2; 32])).unwrap();
        let text = id.text();
        assert_eq!((text.len(), id.tag(), &id.as_bytes()[16..]), (64, [1; 16], &[2; 32][..]));
        assert_eq!(SessionId::parse(text.as_bytes()).unwrap().as_bytes(), id.as_bytes());
        assert_eq!(format!("{id:?}"), "SessionId");
        let text = text.as_bytes();
        for bad in [&text[1..], &[text, b"A"].concat(), &[&text[1..], b"="].concat(), &[b'+'; 64], &[0; 64]] {
            assert!(SessionId::parse(bad).is_none(), "{bad:?}");
        }
        assert!(SessionId::draw(&[1; 16], &mut FixedEntropy::new(&[2; 31])).is_err());
    }
}
