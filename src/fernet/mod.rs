//! Fernet (<https://github.com/fernet/spec>): what `cryptography.fernet` wrote, read, and written for as long
//! as a migration takes.
//!
//! *Decides* whether a token was made under one of the keys and is young enough, and gives its plaintext.
//! *Inputs*: keys as 44 characters, generated, or derived from a password with PBKDF2; tokens; the time.
//! *State*: none. *Threat*: a forged or altered token; a padding oracle; a token that is older, or further in
//! the future, than a reader takes; a key that is none.
//!
//! The HMAC comes first: beyond its length and its version, nothing of a token is looked at, nor anything
//! decrypted, before one of the keys has signed the whole of it. Whatever is wrong with a token is one error. A
//! token names no key, so each key is tried on the HMAC, at the cost of one hash of the token. Tokens and keys
//! are read strictly: canonical, padded base64url and nothing around it, where `cryptography` skips characters
//! that it does not know.
//!
//! What Fernet cannot do, [`crate::envelope`] does: a token opens in any place that it is moved to, it is in
//! memory as a whole, it is a third longer than its plaintext, and it shows when it was made.
//!
//! ```
//! use donjon::entropy::FixedEntropy;
//! use donjon::fernet::Fernet;
//!
//! let fernet = Fernet::new("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=")?;
//! let token = fernet.encrypt(499_162_800, b"hello", &mut FixedEntropy::new(&[7; 16]))?;
//! assert_eq!(*fernet.decrypt(499_162_801, Some(60), token.as_bytes())?, b"hello");
//! # Ok::<(), donjon::fernet::FernetError>(())
//! ```

mod error;
mod key;
mod token;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

pub use error::FernetError;
pub use key::{KEY_TEXT_LEN, MAX_ITERATIONS, MAX_SALT_LEN, derive_key, generate_key};
pub use token::{plaintext_bound, token_len};

use crate::entropy::Entropy;
use key::Key;
use token::{IV_LEN, Token};

/// The most keys that tokens are read with.
pub const MAX_KEYS: usize = 64;

/// How far in the future a token may have been made, in seconds, where there is a time to live.
pub const MAX_FUTURE_S: u64 = 60;

/// Makes tokens with one key, and reads those of all its keys.
pub struct Fernet {
    first: Key,
    others: Vec<Key>,
}

impl Fernet {
    /// Keys, separated by commas. The first makes tokens; all of them read.
    ///
    /// # Errors
    /// - [`FernetError::Config`]: a key that is not 32 bytes in padded base64url, with nothing around it; over
    ///   [`MAX_KEYS`].
    pub fn new(keys: impl AsRef<[u8]>) -> Result<Self, FernetError> {
        let mut texts = keys.as_ref().split(|byte| *byte == b',');
        let first = Key::read(texts.next().unwrap_or_default())?;
        let mut others = Vec::new();
        for text in texts {
            if others.len() >= MAX_KEYS.saturating_sub(1) {
                return Err(FernetError::Config("more than 64 keys"));
            }
            others.push(Key::read(text)?);
        }
        Ok(Self { first, others })
    }

    /// Makes a token, under the first key.
    ///
    /// # Errors
    /// - [`FernetError::InvalidArgument`]: a negative time.
    /// - [`FernetError::OutOfMemory`], [`FernetError::Entropy`].
    pub fn encrypt(
        &self,
        now_s: i64,
        plaintext: &[u8],
        entropy: &mut impl Entropy,
    ) -> Result<String, FernetError> {
        self.write(seconds(now_s)?, plaintext, entropy)
    }

    /// The plaintext of a token that one of the keys made, at most `ttl_s` seconds ago and no more than
    /// [`MAX_FUTURE_S`] from now. Without a time to live, a token is good for ever, whenever it was made.
    ///
    /// # Errors
    /// - [`FernetError::DecryptFailed`]: whatever is wrong with the token.
    /// - [`FernetError::InvalidArgument`]: a negative time, or time to live.
    /// - [`FernetError::OutOfMemory`].
    pub fn decrypt(
        &self,
        now_s: i64,
        ttl_s: Option<i64>,
        token: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, FernetError> {
        let now = seconds(now_s)?;
        let ttl = ttl_s.map(seconds).transpose()?;
        let (key, token) = self.authentic(token)?;
        if ttl.is_some_and(|ttl| !is_alive(token.timestamp, now, ttl)) {
            return Err(FernetError::DecryptFailed);
        }
        token.decrypt(key)
    }

    /// The same plaintext and timestamp under the first key, whichever of the keys made the token.
    ///
    /// # Errors
    /// - [`FernetError::DecryptFailed`]: whatever is wrong with the token.
    /// - [`FernetError::OutOfMemory`], [`FernetError::Entropy`].
    pub fn rotate(&self, token: &[u8], entropy: &mut impl Entropy) -> Result<String, FernetError> {
        let (key, token) = self.authentic(token)?;
        let timestamp = token.timestamp;
        self.write(timestamp, &token.decrypt(key)?, entropy)
    }

    /// When a token was made, in Unix seconds, if one of the keys made it. What an `i64` does not hold
    /// saturates.
    ///
    /// # Errors
    /// - [`FernetError::DecryptFailed`]: whatever is wrong with the token.
    /// - [`FernetError::OutOfMemory`].
    pub fn timestamp(&self, token: &[u8]) -> Result<i64, FernetError> {
        let (_, token) = self.authentic(token)?;
        Ok(i64::try_from(token.timestamp).unwrap_or(i64::MAX))
    }

    fn write(
        &self,
        timestamp: u64,
        plaintext: &[u8],
        entropy: &mut impl Entropy,
    ) -> Result<String, FernetError> {
        let mut iv = [0; IV_LEN];
        entropy.fill(&mut iv)?;
        token::write(&self.first, timestamp, &iv, plaintext)
    }

    /// The token, and the key that made it.
    fn authentic(&self, text: &[u8]) -> Result<(&Key, Token), FernetError> {
        let token = Token::read(text)?;
        let key = core::iter::once(&self.first).chain(&self.others).find(|key| token.is_signed_by(key));
        Ok((key.ok_or(FernetError::DecryptFailed)?, token))
    }
}

fn seconds(seconds: i64) -> Result<u64, FernetError> {
    u64::try_from(seconds).map_err(|_| FernetError::InvalidArgument)
}

fn is_alive(timestamp: u64, now: u64, ttl: u64) -> bool {
    now <= timestamp.saturating_add(ttl) && timestamp <= now.saturating_add(MAX_FUTURE_S)
}

/// Nothing of the keys but their number.
impl fmt::Debug for Fernet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fernet").field("keys", &self.others.len().saturating_add(1)).finish()
    }
}
