//! The four sources of keys: what each writes into a header, and what each reads from one.

use alloc::string::String;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::EnvelopeError;
use super::chunked::{InputKey, SALT_LEN};
use super::data_key::DataKey;
use super::header::{DATA_KEY_LEN, Header, Kind, MAX_WRAPPED_KEY_LEN, WRAP_LEN, is_key_id};
use super::keys::KeyEncryptionKeys;
use super::passphrase::{Kdf, Passphrase, SALT_LEN as KDF_SALT_LEN};
use super::wrap::{DataKeyBytes, unwrap, wrap};
use crate::entropy::Entropy;

/// Where the keys of envelopes come from.
pub(super) enum Source {
    Keyring(KeyEncryptionKeys),
    Passphrase(Passphrase),
    External(External),
    DataKey(DataKey),
}

/// A data key that the host's KMS or HSM has wrapped.
pub(super) struct External {
    pub(super) data_key: DataKey,
    key_id: String,
    wrapped_key: Vec<u8>,
}

impl Source {
    /// The id that new headers name; empty for a passphrase.
    pub(super) fn key_id(&self) -> &str {
        match self {
            Self::Keyring(keys) => keys.primary_id(),
            Self::Passphrase(_) => "",
            Self::External(external) => &external.key_id,
            Self::DataKey(data_key) => &data_key.id,
        }
    }

    /// The kind of the envelopes that it seals.
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Keyring(_) => Kind::SelfContained,
            Self::Passphrase(_) => Kind::Passphrase,
            Self::External(_) => Kind::External,
            Self::DataKey(_) => Kind::Cell,
        }
    }

    /// The length of the headers that it writes before payloads.
    pub(super) fn header_len(&self) -> usize {
        let wrap = [0; WRAP_LEN];
        let (kdf, wrap) = match self {
            Self::Keyring(_) => (None, &wrap[..]),
            Self::Passphrase(_) => (
                Some(Kdf { salt: [0; KDF_SALT_LEN], memory_kib: 0, time_cost: 0, parallelism: 0 }),
                &wrap[..],
            ),
            Self::External(external) => (None, &external.wrapped_key[..]),
            Self::DataKey(_) => (None, &[][..]),
        };
        Header { kind: self.kind(), key_id: self.key_id(), kdf, wrap }.len()
    }

    /// Whether a key that it wraps can be had now; a data key wraps none.
    pub(super) fn check_wraps(&self, now_s: i64) -> Result<(), EnvelopeError> {
        match self {
            Self::Keyring(keys) => keys.primary(now_s).map(|_| ()),
            Self::Passphrase(_) | Self::External(_) => Ok(()),
            Self::DataKey(_) => Err(EnvelopeError::InvalidArgument),
        }
    }

    /// Appends the header of a new envelope, and gives the key of its payload.
    pub(super) fn begin(
        &self,
        now_s: i64,
        entropy: &mut impl Entropy,
        out: &mut Vec<u8>,
    ) -> Result<InputKey, EnvelopeError> {
        match self {
            Self::External(external) => {
                external.header().write(out)?;
                Ok(external.data_key.input.clone())
            }
            Self::DataKey(data_key) => {
                Header { kind: Kind::Cell, key_id: &data_key.id, kdf: None, wrap: &[] }.write(out)?;
                Ok(data_key.input.clone())
            }
            Self::Keyring(_) | Self::Passphrase(_) => {
                self.check_wraps(now_s)?;
                let mut data_key = Zeroizing::new([0; DATA_KEY_LEN]);
                entropy.fill(&mut *data_key)?;
                self.write_wrapped(self.kind(), &data_key, &[], now_s, entropy, out)?;
                InputKey::new(&*data_key)
            }
        }
    }

    /// The key of the payload that follows this header.
    pub(super) fn resume(&self, header: &Header<'_>, now_s: i64) -> Result<InputKey, EnvelopeError> {
        match (self, header.kind) {
            // A cell of another data key is a cell in another's place.
            (Self::DataKey(data_key), Kind::Cell) if header.key_id == data_key.id => {
                Ok(data_key.input.clone())
            }
            (Self::External(external), Kind::External) => {
                external.answer(header).map(|data_key| data_key.input.clone())
            }
            (Self::Keyring(_), Kind::SelfContained) | (Self::Passphrase(_), Kind::Passphrase) => {
                InputKey::new(&*self.unwrap(header, &[], now_s)?)
            }
            _ => Err(EnvelopeError::DecryptFailed),
        }
    }

    /// Appends a header that holds the data key, wrapped for a kind and a scope.
    pub(super) fn write_wrapped(
        &self,
        kind: Kind,
        data_key: &[u8; DATA_KEY_LEN],
        scope: &[u8],
        now_s: i64,
        entropy: &mut impl Entropy,
        out: &mut Vec<u8>,
    ) -> Result<(), EnvelopeError> {
        let mut salt = [0; SALT_LEN];
        let bound = (kind, self.key_id(), scope);
        let (kdf, wrapped) = match self {
            Self::Keyring(keys) => {
                let key = keys.primary(now_s)?;
                entropy.fill(&mut salt)?;
                (None, wrap(key, bound, &salt, data_key)?)
            }
            Self::Passphrase(passphrase) => {
                let kdf = passphrase.fresh_kdf(entropy)?;
                entropy.fill(&mut salt)?;
                (Some(kdf), wrap(&passphrase.key(&kdf)?, bound, &salt, data_key)?)
            }
            Self::External(external) => return external.header().write(out),
            Self::DataKey(_) => return Err(EnvelopeError::Internal),
        };
        Header { kind, key_id: self.key_id(), kdf, wrap: &wrapped }.write(out)
    }

    /// The data key that a header holds, wrapped for a scope.
    pub(super) fn unwrap(
        &self,
        header: &Header<'_>,
        scope: &[u8],
        now_s: i64,
    ) -> Result<DataKeyBytes, EnvelopeError> {
        let bound = (header.kind, header.key_id, scope);
        match (self, header.kind, &header.kdf) {
            (Self::Keyring(keys), Kind::SelfContained | Kind::DataKey, None) => {
                unwrap(keys.get(header.key_id, now_s)?, bound, header.wrap)
            }
            (Self::Passphrase(passphrase), Kind::Passphrase, Some(kdf)) => {
                unwrap(&passphrase.key(kdf)?, bound, header.wrap)
            }
            (Self::External(external), Kind::External, None) => {
                external.answer(header).map(|data_key| data_key.bytes.clone())
            }
            _ => Err(EnvelopeError::DecryptFailed),
        }
    }

    /// Whether it would write another header than this one for the same data key, random bytes aside.
    pub(super) fn needs_rewrap(&self, header: &Header<'_>) -> Result<bool, EnvelopeError> {
        match (self, header.kind, &header.kdf) {
            (Self::Keyring(keys), Kind::SelfContained | Kind::DataKey, None) => {
                Ok(header.key_id != keys.primary_id())
            }
            (Self::Passphrase(passphrase), Kind::Passphrase, Some(kdf)) => Ok(passphrase.differs_from(kdf)),
            (Self::External(external), Kind::External, None) => Ok(external.header() != *header),
            _ => Err(EnvelopeError::DecryptFailed),
        }
    }
}

impl External {
    pub(super) fn new(data_key: &[u8], key_id: &str, wrapped_key: &[u8]) -> Result<Self, EnvelopeError> {
        if !is_key_id(key_id) || !(1..=MAX_WRAPPED_KEY_LEN).contains(&wrapped_key.len()) {
            return Err(EnvelopeError::InvalidArgument);
        }
        Ok(Self {
            data_key: DataKey::from_slice(data_key)?,
            key_id: key_id.into(),
            wrapped_key: wrapped_key.to_vec(),
        })
    }

    fn header(&self) -> Header<'_> {
        Header { kind: Kind::External, key_id: &self.key_id, kdf: None, wrap: &self.wrapped_key }
    }

    /// The data key, if this header is the one that it was unwrapped from.
    fn answer(&self, header: &Header<'_>) -> Result<&DataKey, EnvelopeError> {
        if header.key_id != self.key_id {
            return Err(EnvelopeError::UnknownKey);
        }
        if header.wrap != self.wrapped_key { Err(EnvelopeError::DecryptFailed) } else { Ok(&self.data_key) }
    }
}
