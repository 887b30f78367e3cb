//! Seals and opens under one source of keys.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

use super::chunked::{self, InputKey, MessageKey, SALT_LEN, START_LEN};
use super::data_key::DataKey;
use super::header::{DATA_KEY_LEN, Header, Kind, MAX_WRAPPED_KEY_LEN, WRAP_LEN, is_key_id};
use super::keys::KeyEncryptionKeys;
use super::passphrase::{Kdf, Passphrase, PassphraseParams, SALT_LEN as KDF_SALT_LEN};
use super::wrap::{DataKeyBytes, binding, unwrap, wrap};
use super::{Context, EnvelopeError};
use crate::ct;
use crate::entropy::Entropy;
use crate::keyring::{Keyring, Purpose};

const PAYLOAD_LABEL: &str = "donjon/payload/v1";
const DATA_KEY_LABEL: &str = "donjon/data-key/v1";

/// Seals and opens under one source of keys: a keyring, a passphrase, a host's KMS or HSM, or a data key.
///
/// ```
/// use donjon::envelope::{Context, EnvelopeError, Sealer};
/// use donjon::keyring::{Keyring, Purpose};
/// use donjon::runtime::OsEntropy;
/// use donjon::signature::Algorithm;
///
/// let keyring = Keyring::generate(&[(Purpose::Envelope, Algorithm::Hs256)], 0, &mut OsEntropy).unwrap();
/// let sealer = Sealer::new(&keyring)?;
///
/// let context = Context::new(&["invoices", "42"])?;
/// let envelope = sealer.seal(&context, 0, b"4 000 EUR", &mut OsEntropy)?;
/// assert_eq!(sealer.open(&context, 0, &envelope)?, b"4 000 EUR");
///
/// let elsewhere = Context::new(&["invoices", "43"])?;
/// assert_eq!(sealer.open(&elsewhere, 0, &envelope), Err(EnvelopeError::DecryptFailed));
/// # Ok::<(), EnvelopeError>(())
/// ```
pub struct Sealer {
    source: Source,
}

enum Source {
    Keyring(KeyEncryptionKeys),
    Passphrase(Passphrase),
    External(External),
    DataKey(DataKey),
}

/// A data key that the host's KMS or HSM has wrapped.
struct External {
    data_key: DataKey,
    key_id: String,
    wrapped_key: Vec<u8>,
}

/// The source of the payload's keys, and the header that leads back to it.
struct Begun {
    input: InputKey,
    kind: Kind,
    prefix: Vec<u8>,
}

impl Sealer {
    /// A sealer of the `envelope` secrets of a keyring: seals under the primary, opens under whichever
    /// usable one an envelope names.
    ///
    /// # Errors
    /// - [`EnvelopeError::Config`]: no primary; a key that is no secret, is short, or has no id.
    pub fn new(keyring: &Keyring) -> Result<Self, EnvelopeError> {
        Self::of_purpose(keyring, Purpose::Envelope)
    }

    /// The same with the secrets of another purpose.
    pub(crate) fn of_purpose(keyring: &Keyring, purpose: Purpose) -> Result<Self, EnvelopeError> {
        Ok(Self { source: Source::Keyring(KeyEncryptionKeys::new(keyring, purpose)?) })
    }

    /// A sealer of a passphrase. Every envelope costs one Argon2id of `params` when it is sealed, and what
    /// it says itself when it is opened.
    ///
    /// # Errors
    /// - [`EnvelopeError::InvalidArgument`]: an empty passphrase.
    /// - [`EnvelopeError::TooLarge`]: one over [`super::MAX_PASSPHRASE_LEN`].
    pub fn from_passphrase(passphrase: &[u8], params: PassphraseParams) -> Result<Self, EnvelopeError> {
        Ok(Self { source: Source::Passphrase(Passphrase::new(passphrase, params)?) })
    }

    /// A sealer of a data key that the host has had wrapped, or unwrapped, by a key of its own: `key_id`
    /// names that key, `wrapped_key` is what it made.
    ///
    /// # Errors
    /// - [`EnvelopeError::InvalidArgument`]: a data key that is not of 32 bytes; an id that is empty, over
    ///   128 bytes or has control characters; a wrapped key that is empty or over
    ///   [`MAX_WRAPPED_KEY_LEN`].
    pub fn from_external(data_key: &[u8], key_id: &str, wrapped_key: &[u8]) -> Result<Self, EnvelopeError> {
        if !is_key_id(key_id) || !(1..=MAX_WRAPPED_KEY_LEN).contains(&wrapped_key.len()) {
            return Err(EnvelopeError::InvalidArgument);
        }
        let external = External {
            data_key: DataKey::from_slice(data_key)?,
            key_id: key_id.into(),
            wrapped_key: wrapped_key.to_vec(),
        };
        Ok(Self { source: Source::External(external) })
    }

    /// The id of the key that new envelopes name: the primary's, the host's, the data key's own. A
    /// passphrase has none, which is the empty text.
    #[must_use]
    pub fn key_id(&self) -> &str {
        match &self.source {
            Source::Keyring(keys) => keys.primary_id(),
            Source::Passphrase(_) => "",
            Source::External(external) => &external.key_id,
            Source::DataKey(data_key) => &data_key.id,
        }
    }

    /// The length of the envelope of so much plaintext; `None` over [`chunked::MAX_PLAINTEXT_LEN`].
    #[must_use]
    pub fn sealed_len(&self, plaintext_len: u64) -> Option<u64> {
        let header_len = u64::try_from(self.header_len()).ok()?;
        chunked::sealed_len(plaintext_len)?.checked_add(header_len)
    }

    /// Seals `plaintext` for `context`: the very same opens it, and no other.
    ///
    /// # Errors
    /// - [`EnvelopeError::InvalidArgument`]: a negative `now_s`, with a keyring.
    /// - [`EnvelopeError::KeyExpired`]: the primary's end has passed.
    /// - [`EnvelopeError::TooLarge`], [`EnvelopeError::OutOfMemory`], [`EnvelopeError::Entropy`].
    pub fn seal(
        &self,
        context: &Context<'_>,
        now_s: i64,
        plaintext: &[u8],
        entropy: &mut impl Entropy,
    ) -> Result<Vec<u8>, EnvelopeError> {
        let mut out = chunked::zeroed(self.envelope_len(plaintext.len())?)?;
        self.seal_into(context, now_s, plaintext, entropy, &mut out)?;
        Ok(out)
    }

    /// Opens an envelope. Nothing of it is returned unless the whole is authentic.
    ///
    /// # Errors
    /// - [`EnvelopeError::DecryptFailed`]: another context, another kind of envelope, or not what was
    ///   sealed.
    /// - [`EnvelopeError::UnknownKey`], [`EnvelopeError::KeyDisabled`], [`EnvelopeError::KeyDestroyed`],
    ///   [`EnvelopeError::KeyExpired`]: the key that it names. No other is tried.
    /// - [`EnvelopeError::ParamsOutOfBounds`]: of a passphrase, before any work.
    /// - [`EnvelopeError::InvalidArgument`]: as [`Sealer::seal`]. - [`EnvelopeError::OutOfMemory`].
    pub fn open(&self, context: &Context<'_>, now_s: i64, envelope: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
        let mut out = chunked::zeroed(Self::opened_len(envelope)?)?;
        self.open_into(context, now_s, envelope, &mut out)?;
        Ok(out)
    }

    /// Whether what names this key should be wrapped anew: it is not the one that wraps now.
    ///
    /// # Errors
    /// - [`EnvelopeError::DecryptFailed`]: no envelope, or none of a kind that this sealer wraps.
    pub fn needs_rewrap(&self, prefix: &[u8]) -> Result<bool, EnvelopeError> {
        let (header, _) = Header::read(prefix)?;
        match (&self.source, header.kind) {
            (Source::Keyring(keys), Kind::SelfContained | Kind::DataKey) => {
                Ok(header.key_id != keys.primary_id())
            }
            (Source::Passphrase(passphrase), Kind::Passphrase) => {
                Ok(header.kdf.is_none_or(|kdf| passphrase.differs_from(&kdf)))
            }
            (Source::External(external), Kind::External) => {
                Ok(header.key_id != external.key_id || header.wrap != external.wrapped_key)
            }
            _ => Err(EnvelopeError::DecryptFailed),
        }
    }

    /// Wraps the data key of an envelope anew, as `to` wraps: gives the new header, and the length of the
    /// old one. The payload follows both, the same. A kind stays a kind; of external keys, `to` is the same
    /// data key wrapped anew.
    ///
    /// # Errors
    /// - As [`Sealer::open`], for this sealer; as [`Sealer::seal`], for `to`.
    /// - [`EnvelopeError::InvalidArgument`]: `to` is of another kind, or of another data key.
    pub fn rewrap(
        &self,
        to: &Self,
        now_s: i64,
        prefix: &[u8],
        entropy: &mut impl Entropy,
    ) -> Result<(Vec<u8>, usize), EnvelopeError> {
        let (header, _) = Header::read(prefix)?;
        // A stored data key is more than its header: see `rewrap_data_key`.
        if matches!(header.kind, Kind::DataKey | Kind::Cell) {
            return Err(EnvelopeError::DecryptFailed);
        }
        let mut out = Vec::new();
        match (&to.source, header.kind) {
            (Source::Keyring(_), Kind::SelfContained) | (Source::Passphrase(_), Kind::Passphrase) => {
                let data_key = self.data_key_of(&header, &[], now_s)?;
                to.write_wrapped(header.kind, &data_key, &[], now_s, entropy, &mut out)?;
            }
            (Source::External(external), Kind::External) => {
                let data_key = self.data_key_of(&header, &[], now_s)?;
                if !ct::eq(&*data_key, &*external.data_key.bytes) {
                    return Err(EnvelopeError::InvalidArgument);
                }
                external.header().write(&mut out)?;
            }
            _ => return Err(EnvelopeError::InvalidArgument),
        }
        Ok((out, header.len()))
    }

    /// Makes a data key for `scope` (a tenant, a subject, a table): a sealer of cells, and the wrapped key
    /// to store. Without the stored key, and without what opens it, the cells are lost.
    ///
    /// # Errors
    /// - [`EnvelopeError::InvalidArgument`]: this sealer is a data key itself.
    /// - [`EnvelopeError::TooLarge`]: a scope over [`super::MAX_CONTEXT_LEN`].
    /// - As [`Sealer::seal`].
    pub fn new_data_key(
        &self,
        scope: &[u8],
        now_s: i64,
        entropy: &mut impl Entropy,
    ) -> Result<(Self, Vec<u8>), EnvelopeError> {
        let mut data_key = Zeroizing::new([0; DATA_KEY_LEN]);
        self.check_wraps(scope, now_s)?;
        entropy.fill(&mut *data_key)?;
        let wrapped = self.wrap_data_key(&data_key, scope, now_s, entropy)?;
        Ok((Self { source: Source::DataKey(DataKey::new(data_key)?) }, wrapped))
    }

    /// Unwraps a stored data key: a sealer of cells.
    ///
    /// # Errors
    /// As [`Sealer::open`]; another scope is [`EnvelopeError::DecryptFailed`].
    pub fn open_data_key(&self, scope: &[u8], now_s: i64, wrapped: &[u8]) -> Result<Self, EnvelopeError> {
        let data_key = self.unwrap_data_key(scope, now_s, wrapped)?;
        Ok(Self { source: Source::DataKey(DataKey::new(data_key)?) })
    }

    /// Wraps a stored data key anew, as `to` wraps. Its cells stay as they are.
    ///
    /// # Errors
    /// As [`Sealer::open_data_key`], for this sealer; as [`Sealer::new_data_key`], for `to`.
    pub fn rewrap_data_key(
        &self,
        to: &Self,
        scope: &[u8],
        now_s: i64,
        wrapped: &[u8],
        entropy: &mut impl Entropy,
    ) -> Result<Vec<u8>, EnvelopeError> {
        to.check_wraps(scope, now_s)?;
        let data_key = self.unwrap_data_key(scope, now_s, wrapped)?;
        to.wrap_data_key(&data_key, scope, now_s, entropy)
    }

    /// [`Sealer::sealed_len`] of something in memory.
    pub(crate) fn envelope_len(&self, plaintext_len: usize) -> Result<usize, EnvelopeError> {
        let len = chunked::message_len(plaintext_len)?;
        len.checked_add(self.header_len()).ok_or(EnvelopeError::TooLarge)
    }

    /// The length of what an envelope in memory holds.
    pub(crate) fn opened_len(envelope: &[u8]) -> Result<usize, EnvelopeError> {
        let (_, payload) = Header::read(envelope)?;
        chunked::plaintext_len(payload.len())
    }

    /// [`Sealer::seal`] into a place of just the length that [`Sealer::envelope_len`] says.
    pub(crate) fn seal_into(
        &self,
        context: &Context<'_>,
        now_s: i64,
        plaintext: &[u8],
        entropy: &mut impl Entropy,
        out: &mut [u8],
    ) -> Result<(), EnvelopeError> {
        let (prefix, key) = self.begin(context, now_s, entropy)?;
        let (start, chunks) = out.split_at_mut_checked(prefix.len()).ok_or(EnvelopeError::Internal)?;
        start.copy_from_slice(&prefix);
        key.seal_message(plaintext, chunks)
    }

    /// [`Sealer::open`] into a place of just the length that [`Sealer::opened_len`] says.
    pub(crate) fn open_into(
        &self,
        context: &Context<'_>,
        now_s: i64,
        envelope: &[u8],
        out: &mut [u8],
    ) -> Result<(), EnvelopeError> {
        let (key, chunks) = self.resume(context, now_s, envelope)?;
        key.open_message(chunks, out)
    }

    /// Begins an envelope: all that stands before its first chunk, and the key of its chunks.
    pub(super) fn begin(
        &self,
        context: &Context<'_>,
        now_s: i64,
        entropy: &mut impl Entropy,
    ) -> Result<(Vec<u8>, MessageKey), EnvelopeError> {
        self.begin_payload(PAYLOAD_LABEL, context.as_encoded(), now_s, entropy)
    }

    /// Reads all that stands before the first chunk: the key of the chunks, and what follows.
    pub(super) fn resume<'a>(
        &self,
        context: &Context<'_>,
        now_s: i64,
        prefix: &'a [u8],
    ) -> Result<(MessageKey, &'a [u8]), EnvelopeError> {
        self.resume_payload(PAYLOAD_LABEL, context.as_encoded(), now_s, prefix)
    }

    fn begin_payload(
        &self,
        label: &str,
        context: &[u8],
        now_s: i64,
        entropy: &mut impl Entropy,
    ) -> Result<(Vec<u8>, MessageKey), EnvelopeError> {
        let Begun { input, kind, mut prefix } = self.begin_header(now_s, entropy)?;
        let mut salt = [0; SALT_LEN];
        entropy.fill(&mut salt)?;
        let mut start = [0; START_LEN];
        let key = input.begin(&salt, &[&binding(label, kind, &[context])], &mut start)?;
        prefix.extend_from_slice(&start);
        Ok((prefix, key))
    }

    fn resume_payload<'a>(
        &self,
        label: &str,
        context: &[u8],
        now_s: i64,
        prefix: &'a [u8],
    ) -> Result<(MessageKey, &'a [u8]), EnvelopeError> {
        let (header, payload) = Header::read(prefix)?;
        let (start, chunks) = payload.split_first_chunk().ok_or(EnvelopeError::DecryptFailed)?;
        let bound = binding(label, header.kind, &[context]);
        let key = match self.ready_key(&header)? {
            Some(input) => input.resume(start, &[&bound])?,
            None => InputKey::new(&*self.data_key_of(&header, &[], now_s)?)?.resume(start, &[&bound])?,
        };
        Ok((key, chunks))
    }

    /// Draws the data key of a new envelope, and writes the header that leads back to it.
    fn begin_header(&self, now_s: i64, entropy: &mut impl Entropy) -> Result<Begun, EnvelopeError> {
        let mut prefix = Vec::with_capacity(self.header_len().saturating_add(START_LEN));
        let (kind, input) = match &self.source {
            Source::DataKey(data_key) => {
                Header { kind: Kind::Cell, key_id: &data_key.id, kdf: None, wrap: &[] }.write(&mut prefix)?;
                (Kind::Cell, data_key.input.clone())
            }
            Source::External(external) => {
                external.header().write(&mut prefix)?;
                (Kind::External, external.data_key.input.clone())
            }
            Source::Keyring(keys) => {
                // Before anything is drawn.
                keys.primary(now_s)?;
                (Kind::SelfContained, self.fresh_key(Kind::SelfContained, now_s, entropy, &mut prefix)?)
            }
            Source::Passphrase(_) => {
                (Kind::Passphrase, self.fresh_key(Kind::Passphrase, now_s, entropy, &mut prefix)?)
            }
        };
        Ok(Begun { input, kind, prefix })
    }

    fn fresh_key(
        &self,
        kind: Kind,
        now_s: i64,
        entropy: &mut impl Entropy,
        out: &mut Vec<u8>,
    ) -> Result<InputKey, EnvelopeError> {
        let mut data_key = Zeroizing::new([0; DATA_KEY_LEN]);
        entropy.fill(&mut *data_key)?;
        self.write_wrapped(kind, &data_key, &[], now_s, entropy, out)?;
        InputKey::new(&*data_key)
    }

    /// Appends a header that holds the data key, wrapped.
    fn write_wrapped(
        &self,
        kind: Kind,
        data_key: &[u8; DATA_KEY_LEN],
        scope: &[u8],
        now_s: i64,
        entropy: &mut impl Entropy,
        out: &mut Vec<u8>,
    ) -> Result<(), EnvelopeError> {
        let mut salt = [0; SALT_LEN];
        let (key_id, kdf, wrapped) = match &self.source {
            Source::Keyring(keys) => {
                let key = keys.primary(now_s)?;
                entropy.fill(&mut salt)?;
                let key_id = keys.primary_id();
                (key_id, None, wrap(key, (kind, key_id, scope), &salt, data_key)?)
            }
            Source::Passphrase(passphrase) => {
                let kdf = passphrase.fresh_kdf(entropy)?;
                entropy.fill(&mut salt)?;
                ("", Some(kdf), wrap(&passphrase.key(&kdf)?, (kind, "", scope), &salt, data_key)?)
            }
            Source::External(_) | Source::DataKey(_) => return Err(EnvelopeError::Internal),
        };
        Header { kind, key_id, kdf, wrap: &wrapped }.write(out)
    }

    /// The payload's key where it is at hand; `None` where the header holds it, wrapped.
    fn ready_key(&self, header: &Header<'_>) -> Result<Option<&InputKey>, EnvelopeError> {
        match (&self.source, header.kind) {
            // A cell of another data key is a cell in another's place.
            (Source::DataKey(data_key), Kind::Cell) if header.key_id == data_key.id => {
                Ok(Some(&data_key.input))
            }
            (Source::External(external), Kind::External) => {
                external.answer(header).map(|key| Some(&key.input))
            }
            (Source::Keyring(_), Kind::SelfContained) | (Source::Passphrase(_), Kind::Passphrase) => Ok(None),
            _ => Err(EnvelopeError::DecryptFailed),
        }
    }

    /// The data key that a header holds, wrapped.
    fn data_key_of(
        &self,
        header: &Header<'_>,
        scope: &[u8],
        now_s: i64,
    ) -> Result<DataKeyBytes, EnvelopeError> {
        let bound = (header.kind, header.key_id, scope);
        match (&self.source, header.kind, &header.kdf) {
            (Source::Keyring(keys), Kind::SelfContained | Kind::DataKey, None) => {
                unwrap(keys.get(header.key_id, now_s)?, bound, header.wrap)
            }
            (Source::Passphrase(passphrase), Kind::Passphrase, Some(kdf)) => {
                unwrap(&passphrase.key(kdf)?, bound, header.wrap)
            }
            (Source::External(external), Kind::External, None) => {
                external.answer(header).map(|data_key| data_key.bytes.clone())
            }
            _ => Err(EnvelopeError::DecryptFailed),
        }
    }

    fn check_wraps(&self, scope: &[u8], now_s: i64) -> Result<(), EnvelopeError> {
        if scope.len() > super::MAX_CONTEXT_LEN {
            return Err(EnvelopeError::TooLarge);
        }
        match &self.source {
            Source::DataKey(_) => Err(EnvelopeError::InvalidArgument),
            Source::Keyring(keys) => keys.primary(now_s).map(|_| ()),
            Source::Passphrase(_) | Source::External(_) => Ok(()),
        }
    }

    /// A keyring's wrap has room for the scope. Elsewhere the data key is the payload of an envelope under
    /// a label of its own, which opens as nothing else.
    fn wrap_data_key(
        &self,
        data_key: &[u8; DATA_KEY_LEN],
        scope: &[u8],
        now_s: i64,
        entropy: &mut impl Entropy,
    ) -> Result<Vec<u8>, EnvelopeError> {
        if let Source::Keyring(_) = self.source {
            let mut out = Vec::new();
            self.write_wrapped(Kind::DataKey, data_key, scope, now_s, entropy, &mut out)?;
            return Ok(out);
        }
        let (mut out, key) = self.begin_payload(DATA_KEY_LABEL, scope, now_s, entropy)?;
        let mut sealed = [0; DATA_KEY_LEN + 16];
        key.seal_message(data_key, &mut sealed)?;
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    fn unwrap_data_key(
        &self,
        scope: &[u8],
        now_s: i64,
        wrapped: &[u8],
    ) -> Result<DataKeyBytes, EnvelopeError> {
        if scope.len() > super::MAX_CONTEXT_LEN {
            return Err(EnvelopeError::TooLarge);
        }
        if let Source::Keyring(_) = self.source {
            let (header, rest) = Header::read(wrapped)?;
            if header.kind != Kind::DataKey || !rest.is_empty() {
                return Err(EnvelopeError::DecryptFailed);
            }
            return self.data_key_of(&header, scope, now_s);
        }
        let (key, chunks) = self.resume_payload(DATA_KEY_LABEL, scope, now_s, wrapped)?;
        if chunks.len() != DATA_KEY_LEN + 16 {
            return Err(EnvelopeError::DecryptFailed);
        }
        let mut data_key = Zeroizing::new([0; DATA_KEY_LEN]);
        key.open_message(chunks, &mut *data_key)?;
        Ok(data_key)
    }

    /// The length of the headers that this sealer writes before payloads.
    fn header_len(&self) -> usize {
        let wrap = [0; WRAP_LEN];
        match &self.source {
            Source::Keyring(keys) => {
                Header { kind: Kind::SelfContained, key_id: keys.primary_id(), kdf: None, wrap: &wrap }.len()
            }
            Source::Passphrase(_) => {
                let kdf = Kdf { salt: [0; KDF_SALT_LEN], memory_kib: 0, time_cost: 0, parallelism: 0 };
                Header { kind: Kind::Passphrase, key_id: "", kdf: Some(kdf), wrap: &wrap }.len()
            }
            Source::External(external) => external.header().len(),
            Source::DataKey(data_key) => {
                Header { kind: Kind::Cell, key_id: &data_key.id, kdf: None, wrap: &[] }.len()
            }
        }
    }
}

impl External {
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

/// Which key seals, and nothing of it.
impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match &self.source {
            Source::Keyring(_) => "keyring",
            Source::Passphrase(_) => "passphrase",
            Source::External(_) => "external",
            Source::DataKey(_) => "data key",
        };
        f.debug_struct("Sealer").field("source", &source).field("key_id", &self.key_id()).finish()
    }
}
