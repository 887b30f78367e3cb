//! Fernet keys: 16 bytes that sign and 16 that encrypt, written in 44 characters.

use aes::Aes128;
use alloc::string::String;
use base64ct::{Base64Url, Encoding as _};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, InnerIvInit as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use pbkdf2::pbkdf2_hmac;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::FernetError;
use super::token::{IV_LEN, TAG_LEN};
use crate::entropy::Entropy;
use crate::password::MAX_PASSWORD_LEN;

/// The characters of a key: padded base64url of 32 bytes.
pub const KEY_TEXT_LEN: usize = 44;

/// The most iterations of PBKDF2 that a key is derived with: some seconds.
pub const MAX_ITERATIONS: u32 = 10_000_000;

/// The longest salt that a key is derived with, in bytes.
pub const MAX_SALT_LEN: usize = 4096;

const KEY_LEN: usize = 32;

/// Makes a fresh key.
///
/// # Errors
/// - [`FernetError::Entropy`]: no entropy.
pub fn generate_key(entropy: &mut impl Entropy) -> Result<Zeroizing<String>, FernetError> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    entropy.fill(&mut *key)?;
    Ok(text(&key))
}

/// The key that services derive from a password: PBKDF2 (RFC 8018 §5.2) with HMAC-SHA-256. 100,000
/// iterations take some tens of milliseconds.
///
/// The salt has to be the one that the data was written with. A service that drew a random salt and stored
/// it nowhere has lost its data: no key can be derived for it any more.
///
/// # Errors
/// - [`FernetError::ParamsOutOfBounds`]: no iterations, or over [`MAX_ITERATIONS`].
/// - [`FernetError::TooLarge`]: a password over [`MAX_PASSWORD_LEN`], a salt over [`MAX_SALT_LEN`].
pub fn derive_key(password: &[u8], salt: &[u8], iterations: u32) -> Result<Zeroizing<String>, FernetError> {
    if !(1..=MAX_ITERATIONS).contains(&iterations) {
        return Err(FernetError::ParamsOutOfBounds);
    }
    if password.len() > MAX_PASSWORD_LEN || salt.len() > MAX_SALT_LEN {
        return Err(FernetError::TooLarge);
    }
    let mut key = Zeroizing::new([0; KEY_LEN]);
    pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut *key);
    Ok(text(&key))
}

fn text(key: &[u8; KEY_LEN]) -> Zeroizing<String> {
    Zeroizing::new(Base64Url::encode_string(key))
}

/// A key, ready to sign and to encrypt.
pub(super) struct Key {
    signing: Hmac<Sha256>,
    encryption: Aes128,
}

impl Key {
    pub(super) fn read(text: &[u8]) -> Result<Self, FernetError> {
        const REFUSED: FernetError = FernetError::Config("a key is not 32 bytes in padded base64url");
        if text.len() != KEY_TEXT_LEN {
            return Err(REFUSED);
        }
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        let is_whole = Base64Url::decode(text, &mut *bytes).is_ok_and(|read| read.len() == KEY_LEN);
        let (signing, encryption) = bytes.split_at(KEY_LEN / 2);
        if !is_whole {
            return Err(REFUSED);
        }
        Ok(Self {
            signing: Hmac::new_from_slice(signing).map_err(|_| FernetError::Internal)?,
            encryption: Aes128::new_from_slice(encryption).map_err(|_| FernetError::Internal)?,
        })
    }

    pub(super) fn tag(&self, signed: &[u8]) -> [u8; TAG_LEN] {
        self.signing.clone().chain_update(signed).finalize().into_bytes().into()
    }

    /// Whether `tag` is this key's, compared in constant time.
    pub(super) fn has_signed(&self, signed: &[u8], tag: &[u8]) -> bool {
        self.signing.clone().chain_update(signed).verify_slice(tag).is_ok()
    }

    /// AES-128-CBC in place. The first `plaintext_len` bytes are the plaintext, what follows is room for its
    /// padding.
    pub(super) fn encrypt(
        &self,
        iv: &[u8; IV_LEN],
        bytes: &mut [u8],
        plaintext_len: usize,
    ) -> Result<(), FernetError> {
        let cipher = cbc::Encryptor::inner_iv_init(self.encryption.clone(), iv.into());
        let written = cipher.encrypt_padded::<Pkcs7>(bytes, plaintext_len);
        written.map(|_| ()).map_err(|_| FernetError::Internal)
    }

    /// AES-128-CBC in place; gives the length of the plaintext at the front of `bytes`. For what is
    /// authentic only: whoever may ask for other bytes learns the plaintext from what the padding is worth.
    pub(super) fn decrypt(&self, iv: &[u8; IV_LEN], bytes: &mut [u8]) -> Result<usize, FernetError> {
        let cipher = cbc::Decryptor::inner_iv_init(self.encryption.clone(), iv.into());
        let plaintext = cipher.decrypt_padded::<Pkcs7>(bytes);
        plaintext.map(<[u8]>::len).map_err(|_| FernetError::DecryptFailed)
    }
}
