//! JWS in its compact serialisation (RFC 7515 §7.1): three segments, a key, a verdict.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::TokenError;
use super::header::Header;
use crate::base64url::{self, encoded_len};
use crate::json;
use crate::keyring::{Key, Keyring, MAX_KEY_ID_LEN, Purpose};
use crate::signature::{Algorithm, AlgorithmSet, KeyType};

/// The longest header, in bytes.
pub const MAX_HEADER_LEN: usize = 4096;
/// The longest payload, in bytes.
pub const MAX_PAYLOAD_LEN: usize = 16_384;
/// The longest signature, in bytes: RSA with 8,192 bits.
pub const MAX_SIGNATURE_LEN: usize = 1024;
/// The longest token, in characters.
pub const MAX_TOKEN_LEN: usize = 28_676;

const _: () = assert!(
    MAX_TOKEN_LEN
        == encoded_len(MAX_HEADER_LEN) + encoded_len(MAX_PAYLOAD_LEN) + encoded_len(MAX_SIGNATURE_LEN) + 2
);

/// A header of ordinary size; larger ones take the same path with more stack.
const COMMON_HEADER_LEN: usize = 256;
const COMMON_SIGNATURE_LEN: usize = 64;

/// The three segments, measured and not yet decoded.
struct Compact<'a> {
    header: &'a [u8],
    payload: &'a [u8],
    signature: &'a [u8],
    /// What the signature covers: header, dot, payload.
    signed: &'a [u8],
}

impl<'a> Compact<'a> {
    fn split(token: &'a [u8]) -> Result<Self, TokenError> {
        if token.len() > MAX_TOKEN_LEN {
            return Err(TokenError::TooLarge);
        }
        if token.trim_ascii_start().first() == Some(&b'{') {
            return Err(TokenError::Unsupported);
        }
        let mut dots = memchr::memchr_iter(b'.', token);
        let (Some(first), Some(second), third) = (dots.next(), dots.next(), dots.next()) else {
            return Err(TokenError::Malformed);
        };
        if third.is_some() {
            let is_jwe = dots.count() == 1;
            return Err(if is_jwe { TokenError::Unsupported } else { TokenError::Malformed });
        }
        let stretch = |from: usize, to: usize| token.get(from..to).unwrap_or_default();
        let header = stretch(0, first);
        let payload = stretch(first.saturating_add(1), second);
        let signature = stretch(second.saturating_add(1), token.len());
        let is_within = |segment: &[u8], most| segment.len() <= encoded_len(most);
        if !is_within(header, MAX_HEADER_LEN)
            || !is_within(payload, MAX_PAYLOAD_LEN)
            || !is_within(signature, MAX_SIGNATURE_LEN)
        {
            return Err(TokenError::TooLarge);
        }
        Ok(Self { header, payload, signature, signed: stretch(0, second) })
    }

    /// The payload, if the signature holds, with room for a key id behind it: claims keep both in one
    /// buffer.
    fn verified_payload(
        &self,
        key: &Key,
        algorithm: Algorithm,
        signature: &[u8],
    ) -> Result<Vec<u8>, TokenError> {
        if !key.verify(algorithm, self.signed, signature) {
            // A payload that is no base64url is told apart from a forged one, at a forger's expense.
            let is_canonical = base64url::is_canonical(self.payload);
            return Err(if is_canonical { TokenError::BadSignature } else { TokenError::Malformed });
        }
        let mut payload = Vec::new();
        let room = base64url::decoded_len(self.payload.len()).saturating_add(MAX_KEY_ID_LEN);
        payload.try_reserve_exact(room).map_err(|_| TokenError::OutOfMemory)?;
        base64url::decode_into(self.payload, &mut payload).map_err(|_| TokenError::Malformed)?;
        Ok(payload)
    }
}

/// A JWS whose signature holds.
pub(super) struct Verified<'a, T> {
    pub(super) key: &'a Key,
    pub(super) algorithm: Algorithm,
    pub(super) payload: Vec<u8>,
    /// What the caller wanted of the header, which does not outlive the decoding.
    pub(super) of_header: T,
}

/// The keys and the algorithms that a verifier trusts.
#[derive(Debug, Clone)]
pub(super) struct TrustedKeys {
    // INVARIANT: sorted by id, keys without one first.
    keys: Vec<Arc<Key>>,
    algorithms: AlgorithmSet,
    // INVARIANT: sorted by segment; each names one of `keys`, and an algorithm of that and of `algorithms`.
    usual: Vec<UsualHeader>,
}

/// A header as donjon writes it for one key and type, encoded: a token that begins with exactly this
/// needs no reading to know what its header says.
#[derive(Debug, Clone)]
struct UsualHeader {
    segment: String,
    key: Arc<Key>,
    algorithm: Algorithm,
}

impl TrustedKeys {
    pub(super) fn new(keyring: &Keyring, algorithms: AlgorithmSet) -> Result<Self, TokenError> {
        if algorithms.is_empty() {
            return Err(TokenError::Config("the list of algorithms is empty"));
        }
        let trusted = Self { keys: token_keys(keyring), algorithms, usual: Vec::new() };
        if trusted.confuses_families() {
            return Err(TokenError::Config(
                "HMAC and public-key algorithms together want keys of both kinds",
            ));
        }
        Ok(trusted)
    }

    /// The token keys of a keyring, each with its own algorithms.
    pub(super) fn own(keyring: &Keyring) -> Self {
        let keys = token_keys(keyring);
        let algorithms = keys.iter().fold(AlgorithmSet::NONE, |set, key| set.union(key.algorithms()));
        Self { keys, algorithms, usual: Vec::new() }
    }

    /// The same keys, with the headers of tokens of this `typ` known beforehand, if one is expected.
    pub(super) fn expecting(mut self, typ: Option<&str>) -> Self {
        let Some(typ) = typ else { return self };
        let usual = self.keys.iter().filter_map(|key| {
            let algorithm = key.algorithms().intersection(self.algorithms).only()?;
            let segment = header_segment(key, algorithm, typ).strip_suffix('.')?.into();
            key.id().map(|_| UsualHeader { segment, key: Arc::clone(key), algorithm })
        });
        self.usual = usual.collect();
        self.usual.sort_by(|a, b| a.segment.cmp(&b.segment));
        self
    }

    fn usual(&self, segment: &[u8]) -> Option<&UsualHeader> {
        let found = self.usual.binary_search_by(|usual| usual.segment.as_bytes().cmp(segment));
        self.usual.get(found.ok()?)
    }

    /// A list with both HMAC and public-key algorithms is how a public key comes to be used as a secret:
    /// it is taken only where there are distinct keys for each.
    fn confuses_families(&self) -> bool {
        let has_algorithm =
            |symmetric| self.algorithms.iter().any(|algorithm| algorithm.is_symmetric() == symmetric);
        let has_key = |symmetric| {
            let of_family =
                |key: &Arc<Key>| key.key_type().is_some_and(|kty| (kty == KeyType::Symmetric) == symmetric);
            self.keys.iter().any(of_family)
        };
        has_algorithm(true) && has_algorithm(false) && !(has_key(true) && has_key(false))
    }

    /// Checks the signature of `token` and hands its header to `look` before that is gone; `None` is a
    /// header of the `typ` that [`TrustedKeys::expecting`] was told.
    ///
    /// Nothing is allocated before the signature holds; the payload alone after it.
    pub(super) fn open<T>(
        &self,
        token: &[u8],
        now_s: i64,
        look: impl FnOnce(Option<&Header<'_>>) -> T,
    ) -> Result<Verified<'_, T>, TokenError> {
        if now_s < 0 {
            // A clock that is not set, or "no such time" by mistake: nothing would ever have ended.
            return Err(TokenError::InvalidArgument);
        }
        let compact = Compact::split(token)?;
        if let Some(usual) = self.usual(compact.header) {
            usual.key.check_usable(now_s)?;
            let signature = &mut [0; COMMON_SIGNATURE_LEN + 4];
            if let Ok(signature) = base64url::decode_to_slice(compact.signature, signature) {
                let payload = compact.verified_payload(&usual.key, usual.algorithm, signature)?;
                return Ok(Verified {
                    key: &usual.key,
                    algorithm: usual.algorithm,
                    payload,
                    of_header: look(None),
                });
            }
        }
        if compact.header.len() <= encoded_len(COMMON_HEADER_LEN)
            && compact.signature.len() <= encoded_len(COMMON_SIGNATURE_LEN)
        {
            self.open_in(
                &compact,
                now_s,
                look,
                &mut [0; COMMON_HEADER_LEN + 4],
                &mut [0; COMMON_SIGNATURE_LEN + 4],
            )
        } else {
            self.open_in(&compact, now_s, look, &mut [0; MAX_HEADER_LEN + 4], &mut [0; MAX_SIGNATURE_LEN + 4])
        }
    }

    fn open_in<T>(
        &self,
        compact: &Compact<'_>,
        now_s: i64,
        look: impl FnOnce(Option<&Header<'_>>) -> T,
        header_bytes: &mut [u8],
        signature_bytes: &mut [u8],
    ) -> Result<Verified<'_, T>, TokenError> {
        let malformed = |_| TokenError::Malformed;
        let header = base64url::decode_to_slice(compact.header, header_bytes).map_err(malformed)?;
        let header = Header::read(header)?;
        let key = self.key_for(&header, now_s)?;
        let signature = base64url::decode_to_slice(compact.signature, signature_bytes).map_err(malformed)?;
        let payload = compact.verified_payload(key, header.algorithm, signature)?;
        Ok(Verified { key, algorithm: header.algorithm, payload, of_header: look(Some(&header)) })
    }

    fn key_for(&self, header: &Header<'_>, now_s: i64) -> Result<&Key, TokenError> {
        let algorithm = header.algorithm;
        if !self.algorithms.contains(algorithm) {
            return Err(TokenError::AlgNotAllowed);
        }
        let Some(key_id) = header.key_id else { return self.only_key(algorithm, now_s) };
        let key_id = key_id.decode();
        let found = self.keys.binary_search_by(|key| key.id().cmp(&Some(&*key_id)));
        let key = found.ok().and_then(|at| self.keys.get(at)).ok_or(TokenError::UnknownKey)?;
        key.check_usable(now_s)?;
        if key.algorithms().contains(algorithm) { Ok(key) } else { Err(TokenError::AlgNotAllowed) }
    }

    /// Without a key id, exactly one usable key must fit: keys are never tried one after the other.
    fn only_key(&self, algorithm: Algorithm, now_s: i64) -> Result<&Key, TokenError> {
        let fits = |key: &&Arc<Key>| key.check_usable(now_s).is_ok() && key.algorithms().contains(algorithm);
        let mut fitting = self.keys.iter().filter(fits);
        fitting.next().filter(|_| fitting.next().is_none()).map(AsRef::as_ref).ok_or(TokenError::UnknownKey)
    }
}

/// The token keys of a keyring, sorted by id.
fn token_keys(keyring: &Keyring) -> Vec<Arc<Key>> {
    let mut keys: Vec<Arc<Key>> = keyring.of_purpose(Purpose::Token).cloned().collect();
    keys.sort_by(|a, b| a.id().cmp(&b.id()));
    keys
}

/// A bare JWS whose signature holds: any payload, no claims.
#[derive(Debug)]
pub struct Jws {
    /// The payload, as it was signed.
    pub payload: Vec<u8>,
    /// The algorithm that it was signed with.
    pub algorithm: Algorithm,
    /// The id of the key that it was signed with, where that has one.
    pub key_id: Option<String>,
}

/// Checks a bare JWS against the token keys of `keyring`.
///
/// # Errors
/// - [`TokenError::Config`]: no algorithms, or HMAC and public-key algorithms without keys of both.
/// - Any error of the shape, the header, the key or the signature.
pub fn verify_jws(
    keyring: &Keyring,
    algorithms: AlgorithmSet,
    jws: &[u8],
    now_s: i64,
) -> Result<Jws, TokenError> {
    let trusted = TrustedKeys::new(keyring, algorithms)?;
    let verified = trusted.open(jws, now_s, |_| ())?;
    Ok(Jws {
        algorithm: verified.algorithm,
        key_id: verified.key.id().map(String::from),
        payload: verified.payload,
    })
}

/// The header of a token as compact JSON, checked in nothing but its shape. Nothing in it may be
/// believed.
///
/// # Errors
/// - [`TokenError::Malformed`], [`TokenError::TooLarge`], [`TokenError::Unsupported`]: not a JWS whose
///   header is a strict JSON object.
pub fn unverified_header(jws: &[u8]) -> Result<String, TokenError> {
    let compact = Compact::split(jws)?;
    let header = base64url::decode(compact.header).map_err(|_| TokenError::Malformed)?;
    match json::parse(&header, json::Limits::HEADER)? {
        json::Value::Object(object) => Ok(json::compact(object.raw())),
        _ => Err(TokenError::Malformed),
    }
}

/// The first segment and its dot: what every token of one key and type begins with.
pub(super) fn header_segment(key: &Key, algorithm: Algorithm, typ: &str) -> String {
    let mut header = String::new();
    let mut object = json::ObjectWriter::open(&mut header);
    object.text("alg", algorithm.name());
    if let Some(id) = key.id() {
        object.text("kid", id);
    }
    if !typ.is_empty() {
        object.text("typ", typ);
    }
    object.close();
    let mut segment = base64url::encode(header.as_bytes());
    segment.push('.');
    segment
}

/// Signs `payload` behind a header that was made before.
pub(super) fn sign(
    key: &Key,
    algorithm: Algorithm,
    header_segment: &str,
    payload: &[u8],
) -> Result<String, TokenError> {
    if payload.len() > MAX_PAYLOAD_LEN {
        return Err(TokenError::TooLarge);
    }
    let mut token = Vec::new();
    token
        .try_reserve_exact(token_bound(header_segment.len(), payload.len()))
        .map_err(|_| TokenError::OutOfMemory)?;
    token.extend_from_slice(header_segment.as_bytes());
    base64url::encode_to_bytes(payload, &mut token);
    let signature = key.sign(algorithm, &token).ok_or(TokenError::Config("the key does not sign"))?;
    token.push(b'.');
    base64url::encode_to_bytes(signature.as_bytes(), &mut token);
    String::from_utf8(token).map_err(|_| TokenError::Malformed)
}

/// The characters of a token at most: its header segment and dot, a payload of this many bytes, and the
/// longest signature that donjon makes.
pub(super) const fn token_bound(header_segment_len: usize, payload_len: usize) -> usize {
    header_segment_len
        .saturating_add(encoded_len(payload_len))
        .saturating_add(encoded_len(64))
        .saturating_add(1)
}
