//! Columns that sqlalchemy-utils encrypted with its `AesEngine`, read once, to be sealed anew.
//!
//! *Decides* nothing: it reads, or says that it cannot. *Inputs*: the column's secret, its padding, the stored
//! text. *State*: none. *Threat*: none that reading could meet. The format authenticates nothing, so whoever
//! could write to the table could alter, cut and mix what this returns; the key is SHA-256 of the secret and
//! the IV the front of the key, so that equal beginnings are equal ciphertexts. There is no writing it, for
//! that reason; seal what was read with [`crate::envelope`], and drop the old column.
//!
//! A wrong secret, another padding and an altered text are one error, found by padding and UTF-8 alone: about
//! one wrong secret in a million passes on a short value, and gives a text that nobody wrote. Where the answer
//! to a request depends on whether a text opens, an attacker who can write the column can read it (a padding
//! oracle): read it in a migration, not behind an interface.
//!
//! ```
//! use donjon::aes_engine::{Padding, open};
//!
//! let text = open(b"secretkey1234", Padding::Pkcs5, b"VUV4WxkdtQgtr5MMkBImKA==")?;
//! assert_eq!(*text, "secret_user");
//! # Ok::<(), donjon::aes_engine::AesEngineError>(())
//! ```

use aes::Aes256;
use alloc::string::String;
use alloc::vec::Vec;
use base64ct::{Base64, Encoding as _};
use cbc::cipher::block_padding::{AnsiX923, Iso7816, NoPadding, Pkcs7};
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::bytes::secret_text;
use crate::error::Status;

type Cipher = cbc::Decryptor<Aes256>;

/// How `AesEngine` filled the last block, by the names that sqlalchemy-utils has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// `pkcs5`: bytes that say how many they are.
    Pkcs5,
    /// `naive`, which is what a column without a padding has: asterisks. A value that ended in asterisks lost
    /// them when it was read, and does so here.
    Naive,
    /// `oneandzeroes`: 0x80, then zeros. Reads what sqlalchemy-utils itself fails on: values whose UTF-8 ends
    /// in 0x80, such as `À`.
    OneAndZeroes,
    /// `zeroes`: zeros, then how many bytes were added.
    Zeroes,
}

impl Padding {
    /// Every padding.
    pub const ALL: [Self; 4] = [Self::Pkcs5, Self::Naive, Self::OneAndZeroes, Self::Zeroes];

    /// The padding of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|padding| padding.name() == name)
    }

    /// The name, as sqlalchemy-utils spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pkcs5 => "pkcs5",
            Self::Naive => "naive",
            Self::OneAndZeroes => "oneandzeroes",
            Self::Zeroes => "zeroes",
        }
    }

    /// Decrypts in place; gives the plaintext's length.
    fn decrypt(self, cipher: Cipher, bytes: &mut [u8]) -> Option<usize> {
        let plaintext = match self {
            Self::Pkcs5 => cipher.decrypt_padded::<Pkcs7>(bytes).ok()?,
            Self::Naive => without_asterisks(cipher.decrypt_padded::<NoPadding>(bytes).ok()?)?,
            Self::OneAndZeroes => cipher.decrypt_padded::<Iso7816>(bytes).ok()?,
            Self::Zeroes => cipher.decrypt_padded::<AnsiX923>(bytes).ok()?,
        };
        Some(plaintext.len())
    }
}

/// `None` where there is not one: `AesEngine` always added some.
fn without_asterisks(padded: &[u8]) -> Option<&[u8]> {
    let last = padded.iter().rposition(|byte| *byte != b'*');
    let plaintext = padded.get(..last.map_or(0, |last| last.saturating_add(1)))?;
    (plaintext.len() < padded.len()).then_some(plaintext)
}

/// Nothing was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AesEngineError {
    /// Another secret, another padding, or not what `AesEngine` wrote. Which of them is not said.
    #[error("the text does not open under this secret and padding")]
    DecryptFailed,
    /// Memory could not be had.
    #[error("not enough memory")]
    OutOfMemory,
}

impl AesEngineError {
    /// The status that the error is at the C ABI.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::DecryptFailed => Status::DecryptFailed,
            Self::OutOfMemory => Status::OutOfMemory,
        }
    }
}

/// The longest value that a text of so many characters may hold, in bytes.
#[must_use]
pub const fn plaintext_bound(text_len: usize) -> usize {
    (text_len / 4).saturating_mul(3)
}

/// Opens the text of a column: AES-256-CBC in standard, padded base64.
///
/// # Errors
/// - [`AesEngineError::DecryptFailed`]: another secret, another padding, or not what `AesEngine` wrote.
/// - [`AesEngineError::OutOfMemory`].
pub fn open(secret: &[u8], padding: Padding, text: &[u8]) -> Result<Zeroizing<String>, AesEngineError> {
    let mut bytes = Zeroizing::new(Vec::new());
    bytes.try_reserve_exact(plaintext_bound(text.len())).map_err(|_| AesEngineError::OutOfMemory)?;
    bytes.resize(plaintext_bound(text.len()), 0);
    let decoded_len = Base64::decode(text, &mut bytes).map_err(|_| AesEngineError::DecryptFailed)?.len();
    bytes.truncate(decoded_len);
    let len = cipher(secret).and_then(|cipher| padding.decrypt(cipher, &mut bytes));
    bytes.truncate(len.ok_or(AesEngineError::DecryptFailed)?);
    secret_text(bytes).ok_or(AesEngineError::DecryptFailed)
}

/// The key is SHA-256 of the secret, and the IV the front of the key.
fn cipher(secret: &[u8]) -> Option<Cipher> {
    let key = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(secret)));
    let iv = key.first_chunk::<16>()?;
    Some(Cipher::new((&*key).into(), iv.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"secretkey1234";

    /// What sqlalchemy-utils 0.43.0 wrote.
    const WRITTEN: [(Padding, &str, &str); 21] = [
        (Padding::Pkcs5, "secret_user", "VUV4WxkdtQgtr5MMkBImKA=="),
        (Padding::Pkcs5, "", "mZmd2gCjhbgP+zERTR+3cA=="),
        (Padding::Pkcs5, "0123456789abcdef", "2VhOPO3+Cvr144rImvdiM+oGSBNcwq3p9FP/JkPUR/8="),
        (Padding::Pkcs5, "ÄÖÜ€ À", "w62LDxBe3jTdUVQJdiQ9IA=="),
        (Padding::Pkcs5, "stars**", "6c1Yjkj+6dH0mmTHNiJe/g=="),
        (
            Padding::Pkcs5,
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "mfFqXKItkW24kVzS8ikgyDd2ISj7+0MHRZCSy+ZltqOpE9oyyJYcJlcq45LTBaLD",
        ),
        (Padding::Naive, "secret_user", "rRa3mno6Qjb4BqrBdLvGvg=="),
        (Padding::Naive, "", "ABR6t2N9RR5K1EX3gb2uiw=="),
        (Padding::Naive, "0123456789abcdef", "2VhOPO3+Cvr144rImvdiM7iApYQuYnTHTBTkP467wK8="),
        (Padding::Naive, "ÄÖÜ€ À", "90MHXAAn4Bcq+YFhafNCKQ=="),
        (Padding::Naive, "stars", "FouGMszoy3gLABcMqlKBVw=="), // "stars**", when it was written
        (Padding::OneAndZeroes, "secret_user", "gIToKp2/PLTfpkJTXa/q3w=="),
        (Padding::OneAndZeroes, "", "Hx6Jb5OHqUr6evYUlBWr8A=="),
        (Padding::OneAndZeroes, "0123456789abcdef", "2VhOPO3+Cvr144rImvdiM4PWd4HHHDiW9x0afBAoh3M="),
        (Padding::OneAndZeroes, "stars**", "IynhYicVb5QBhXjs/Q6YxQ=="),
        (Padding::OneAndZeroes, "À", "HembMznwpIkXUvKbkMP1fw=="),
        (Padding::Zeroes, "secret_user", "6Sc3W3UAnAHIWd7OaDLRZg=="),
        (Padding::Zeroes, "", "Gp+25H1SuNOZv+b4shqwAg=="),
        (Padding::Zeroes, "0123456789abcdef", "2VhOPO3+Cvr144rImvdiMxQju+2a+0Z+lfZs3D+7Ctk="),
        (Padding::Zeroes, "stars**", "Cksk2XhN2mxY+TI7JDQYUg=="),
        (Padding::Zeroes, "À", "Y8wnOQqCWkyTb8cyZGuLLw=="),
    ];

    #[test]
    fn what_sqlalchemy_utils_wrote_is_read() {
        for (padding, value, text) in WRITTEN {
            let read = open(SECRET, padding, text.as_bytes()).unwrap();
            assert_eq!(*read, value, "{padding:?} {text}");
        }
    }

    #[test]
    fn another_secret_or_padding_is_one_error() {
        for (padding, value, text) in WRITTEN {
            for secret in [&b""[..], b"secretkey1233", b"secretkey12345"] {
                assert_eq!(open(secret, padding, text.as_bytes()), Err(AesEngineError::DecryptFailed));
            }
            for other in Padding::ALL.into_iter().filter(|other| *other != padding) {
                // A single byte of padding is both `pkcs5` and `zeroes`; none of these values has that.
                let read = open(SECRET, other, text.as_bytes());
                assert_eq!(read, Err(AesEngineError::DecryptFailed), "{padding:?} {other:?} {value}");
            }
        }
    }

    #[test]
    fn a_text_that_was_cut_or_altered_is_none_or_another_but_never_a_panic() {
        for (padding, value, text) in WRITTEN {
            for len in 0..text.len() {
                let read = open(SECRET, padding, &text.as_bytes()[..len]);
                assert!(read.as_deref().map(String::as_str) != Ok(value), "{padding:?} {len}");
            }
            for at in 0..text.len() {
                for byte in [b'A', b'=', b' ', b'\n', b'-', b'_', 0, 0xff] {
                    let mut altered = text.as_bytes().to_vec();
                    altered[at] = byte;
                    let is_same = altered == text.as_bytes();
                    let read = open(SECRET, padding, &altered);
                    assert_eq!(read.as_deref().map(String::as_str) == Ok(value), is_same, "{padding:?} {at}");
                }
            }
            for around in [" {}", "{}\n", "{}=", "{}===="] {
                let text = around.replace("{}", text);
                assert_eq!(open(SECRET, padding, text.as_bytes()), Err(AesEngineError::DecryptFailed));
            }
        }
    }

    #[test]
    fn a_padding_has_one_name() {
        for padding in Padding::ALL {
            assert_eq!(Padding::from_name(padding.name()), Some(padding));
        }
        assert_eq!(Padding::from_name("PKCS5"), None);
    }
}
