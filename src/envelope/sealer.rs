//! Seals and opens under one source of keys.

use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

use super::aead::TAG_LEN;
use super::chunked::{self, MessageKey, SALT_LEN, START_LEN};
use super::data_key::DataKey;
use super::header::{DATA_KEY_LEN, Header, Kind};
use super::keys::KeyEncryptionKeys;
use super::passphrase::{Passphrase, PassphraseParams};
use super::source::{External, Source};
use super::wrap::{DataKeyBytes, binding};
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
    ///   [`super::MAX_WRAPPED_KEY_LEN`].
    pub fn from_external(data_key: &[u8], key_id: &str, wrapped_key: &[u8]) -> Result<Self, EnvelopeError> {
        Ok(Self { source: Source::External(External::new(data_key, key_id, wrapped_key)?) })
    }

    /// The id of the key that new envelopes name: the primary's, the host's, the data key's own. A
    /// passphrase has none, which is the empty text.
    #[must_use]
    pub fn key_id(&self) -> &str {
        self.source.key_id()
    }

    /// The length of the envelope of so much plaintext; `None` over [`chunked::MAX_PLAINTEXT_LEN`].
    #[must_use]
    pub fn sealed_len(&self, plaintext_len: u64) -> Option<u64> {
        let header_len = u64::try_from(self.source.header_len()).ok()?;
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
        self.source.needs_rewrap(&header)
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
        if header.kind != self.source.kind() {
            return Err(EnvelopeError::DecryptFailed);
        }
        if to.source.kind() != header.kind {
            return Err(EnvelopeError::InvalidArgument);
        }
        let data_key = self.source.unwrap(&header, &[], now_s)?;
        if let Source::External(external) = &to.source
            && !ct::eq(&*data_key, &*external.data_key.bytes)
        {
            return Err(EnvelopeError::InvalidArgument);
        }
        let mut out = Vec::new();
        to.source.write_wrapped(header.kind, &data_key, &[], now_s, entropy, &mut out)?;
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
        len.checked_add(self.source.header_len()).ok_or(EnvelopeError::TooLarge)
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
        let mut prefix = Vec::with_capacity(self.source.header_len().saturating_add(START_LEN));
        let input = self.source.begin(now_s, entropy, &mut prefix)?;
        let mut salt = [0; SALT_LEN];
        entropy.fill(&mut salt)?;
        let mut start = [0; START_LEN];
        let key = input.begin(&salt, &[&binding(label, self.source.kind(), &[context])], &mut start)?;
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
        let input = self.source.resume(&header, now_s)?;
        Ok((input.resume(start, &[&binding(label, header.kind, &[context])])?, chunks))
    }

    fn check_wraps(&self, scope: &[u8], now_s: i64) -> Result<(), EnvelopeError> {
        check_scope(scope)?;
        self.source.check_wraps(now_s)
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
            self.source.write_wrapped(Kind::DataKey, data_key, scope, now_s, entropy, &mut out)?;
            return Ok(out);
        }
        let (mut out, key) = self.begin_payload(DATA_KEY_LABEL, scope, now_s, entropy)?;
        let mut sealed = [0; DATA_KEY_LEN + TAG_LEN];
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
        check_scope(scope)?;
        if let Source::Keyring(_) = self.source {
            let (header, rest) = Header::read(wrapped)?;
            if header.kind != Kind::DataKey || !rest.is_empty() {
                return Err(EnvelopeError::DecryptFailed);
            }
            return self.source.unwrap(&header, scope, now_s);
        }
        let (key, chunks) = self.resume_payload(DATA_KEY_LABEL, scope, now_s, wrapped)?;
        if chunks.len() != DATA_KEY_LEN + TAG_LEN {
            return Err(EnvelopeError::DecryptFailed);
        }
        let mut data_key = Zeroizing::new([0; DATA_KEY_LEN]);
        key.open_message(chunks, &mut *data_key)?;
        Ok(data_key)
    }
}

const fn check_scope(scope: &[u8]) -> Result<(), EnvelopeError> {
    if scope.len() > super::MAX_CONTEXT_LEN { Err(EnvelopeError::TooLarge) } else { Ok(()) }
}

/// Which key seals, and nothing of it.
impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("kind", &self.source.kind()).field("key_id", &self.key_id()).finish()
    }
}
