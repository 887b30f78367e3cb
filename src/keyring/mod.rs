//! Keys: which ones there are, what each is for, and which of them may be used now.
//!
//! *Decides* which key makes, which keys check, and which refuse. *Inputs*: a JWK Set (RFC 7517) with a
//! purpose, a status and times per key; or one master secret that a whole keyring is derived from.
//! *State*: none; a keyring never changes, every change makes a new one. *Threat*: a key used for what
//! it is not for; a public key taken for a secret (CVE-2022-29217); a weak secret; a rotation that logs
//! everybody out; secrets in logs.
//!
//! Secrets are wiped when the last keyring that holds them is dropped, and never stand in `Debug`.
//!
//! ```
//! use donjon::keyring::Keyring;
//!
//! // One environment variable, the same keys in every service that has it.
//! let keyring = Keyring::from_master("pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU", "")?;
//! assert_eq!(keyring.public_jwks(0).matches("\"kid\"").count(), 2); // the primary and the next
//! # Ok::<(), donjon::keyring::KeyringError>(())
//! ```

mod error;
mod jwk;
mod key;
mod master;
mod pem;
mod secret;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

pub use error::KeyringError;
pub use key::{Key, KeyStatus, MAX_KEY_ID_LEN, Purpose};
pub use master::{MAX_LIVE_EPOCHS, MAX_MASTER_LEN};

pub(crate) use key::Unusable;

use crate::base64url;
use crate::entropy::Entropy;
use crate::json::{self, Limits, ObjectWriter, Value};
use crate::signature::{Algorithm, AlgorithmSet, Ed25519Key, Material, P256Key};
use crate::time::MAX_DURATION_S;

/// The longest text of a key set, in bytes.
pub const MAX_JWKS_LEN: usize = 256 * 1024;

/// The most keys of a keyring. As many of them as there may be fit in [`MAX_JWKS_LEN`], unless secrets are
/// much longer than their hash, or RSA keys longer than 2,048 bits.
pub const MAX_KEYS: usize = 512;

/// A set of keys. It never changes: every change makes a new one that shares the rest.
#[derive(Clone)]
pub struct Keyring {
    keys: Vec<Arc<Key>>,
}

impl Keyring {
    /// Reads a JWK Set: one of donjon's, or an identity provider's. A key without `purpose` and `status`
    /// is an active token key; keys of types and curves that donjon does not know are left out.
    ///
    /// # Errors
    /// - [`KeyringError::Json`]: not strict JSON.
    /// - [`KeyringError::Set`]: no key set; over [`MAX_JWKS_LEN`] or [`MAX_KEYS`]; two keys with one id;
    ///   two primaries of one purpose.
    /// - [`KeyringError::Key`]: a weak secret, a degenerate public key, a member that contradicts another.
    pub fn from_jwks(text: &[u8]) -> Result<Self, KeyringError> {
        if text.len() > MAX_JWKS_LEN {
            return Err(KeyringError::Set("the key set is too large"));
        }
        let Value::Object(set) = json::parse(text, Limits::DOCUMENT)? else {
            return Err(KeyringError::Set("not an object"));
        };
        let Some(Value::Array(entries)) = set.get("keys") else {
            return Err(KeyringError::Set("no list of keys"));
        };
        let mut keys = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let refused = |reason| KeyringError::Key { index, reason };
            let Value::Object(entry) = entry else { return Err(refused("not an object")) };
            keys.extend(jwk::read(entry).map_err(refused)?);
        }
        Self::checked(keys)
    }

    /// Derives the keyring of a master secret: base64url of at least 32 random bytes. `config` is empty,
    /// or names the epochs: `{"keys":[{"purpose":"token","alg":"EdDSA","epoch":2,"oldest":1}]}`. All
    /// hosts that are given both have the same keys with the same ids.
    ///
    /// # Errors
    /// - [`KeyringError::Set`], [`KeyringError::Json`]: a weak or ill-formed secret, an ill-formed
    ///   configuration.
    /// - [`KeyringError::Key`]: that entry of the configuration is out of range or contradictory.
    pub fn from_master(master: impl AsRef<[u8]>, config: impl AsRef<[u8]>) -> Result<Self, KeyringError> {
        Self::checked(master::derive(master.as_ref(), config.as_ref())?)
    }

    /// A keyring of one raw HMAC secret, as its primary token key.
    ///
    /// # Errors
    /// - [`KeyringError::Key`]: a weak secret, an algorithm that is not HMAC's, an ill-formed id.
    pub fn from_secret(secret: &[u8], algorithm: Algorithm, id: Option<&str>) -> Result<Self, KeyringError> {
        let refused = |reason| KeyringError::Key { index: 0, reason };
        if let Some(weakness) = secret::weakness(secret) {
            return Err(refused(weakness));
        }
        let key = jwk::hmac_key(Zeroizing::new(secret.to_vec())).map_err(refused)?;
        Self::single(Material::Hmac(Box::new(key)), algorithm, id)
    }

    /// A keyring of one PEM key: SPKI or PKCS#1 public, PKCS#8 or SEC1 private. A private key is the
    /// primary token key, a public one is active.
    ///
    /// # Errors
    /// - [`KeyringError::Key`]: not a key of the algorithm's family, an ill-formed id.
    pub fn from_pem(pem: &str, algorithm: Algorithm, id: Option<&str>) -> Result<Self, KeyringError> {
        let refused = |reason| KeyringError::Key { index: 0, reason };
        let material = pem::read(pem, algorithm).ok_or(refused("not a PEM key of this algorithm"))?;
        Self::single(material, algorithm, id)
    }

    /// Makes fresh keys: per purpose a primary and, so that the next rotation surprises no verifier, an
    /// active one.
    ///
    /// # Errors
    /// - [`KeyringError::Set`]: a purpose twice, or an algorithm that donjon does not sign with.
    /// - [`KeyringError::Entropy`]: no entropy.
    pub fn generate(
        purposes: &[(Purpose, Algorithm)],
        now_s: i64,
        entropy: &mut impl Entropy,
    ) -> Result<Self, KeyringError> {
        let mut keys = Vec::new();
        for &(purpose, algorithm) in purposes {
            for (epoch, status) in [(1, KeyStatus::Primary), (2, KeyStatus::Active)] {
                keys.push(generate_key(purpose, algorithm, status, epoch, now_s, entropy)?);
            }
        }
        Self::checked(keys)
    }

    /// [`Keyring::generate`] as a JSON object says: `{"token":"EdDSA","state-binding":"HS256"}`, which is
    /// also what an empty text stands for.
    ///
    /// # Errors
    /// As [`Keyring::generate`]; also [`KeyringError::Json`] and [`KeyringError::Set`] for the text.
    pub fn generate_from_json(
        spec: &[u8],
        now_s: i64,
        entropy: &mut impl Entropy,
    ) -> Result<Self, KeyringError> {
        if spec.is_empty() {
            let default = [(Purpose::Token, Algorithm::EdDsa), (Purpose::StateBinding, Algorithm::Hs256)];
            return Self::generate(&default, now_s, entropy);
        }
        let Value::Object(spec) = json::parse(spec, Limits::DOCUMENT)? else {
            return Err(KeyringError::Set("not an object"));
        };
        let read = |(purpose, algorithm): (json::Text<'_>, Value<'_>)| {
            let Value::Text(algorithm) = algorithm else { return None };
            Some((Purpose::from_name(&purpose.decode())?, Algorithm::from_name(&algorithm.decode())?))
        };
        let purposes: Option<Vec<_>> = spec.iter().map(read).collect();
        Self::generate(&purposes.ok_or(KeyringError::Set("unknown purpose or algorithm"))?, now_s, entropy)
    }

    /// This keyring and one more JWK.
    ///
    /// # Errors
    /// As [`Keyring::from_jwks`]; also [`KeyringError::Key`] for a key of a type that donjon does not know.
    pub fn import(&self, jwk: &[u8]) -> Result<Self, KeyringError> {
        let refused = |reason| KeyringError::Key { index: self.keys.len(), reason };
        if jwk.len() > MAX_JWKS_LEN {
            return Err(refused("the key is too large"));
        }
        let Value::Object(jwk) = json::parse(jwk, Limits::DOCUMENT)? else {
            return Err(refused("not an object"));
        };
        let key = jwk::read(jwk).map_err(refused)?.ok_or(refused("a key type that donjon does not know"))?;
        let mut keys = self.keys.clone();
        keys.push(Arc::new(key));
        Self::shared(keys)
    }

    /// Makes the active key of `purpose` its primary, and a fresh key active. The old primary, if there is
    /// one, verifies on for `overlap_s` seconds: give at least the longest life of what it signed. Keys
    /// of this purpose whose time to verify is over leave the keyring.
    /// Of the purposes whose keys open what is stored (`envelope`, `blind-index`, `settings`), the old primary
    /// opens on without an end, whatever the overlap, and no key leaves: destroy a key when nothing is stored
    /// under it any more, or to erase what is.
    /// `algorithm`: of the new keys, `None` for the same as before.
    ///
    /// # Errors
    /// - [`KeyringError::Set`]: derived keys, which rotate by their epoch; no algorithm, where no key of
    ///   this purpose says which; an overlap that is negative or over 100 years; epochs that have run out;
    ///   over [`MAX_KEYS`].
    /// - [`KeyringError::Entropy`]: no entropy.
    pub fn rotate(
        &self,
        purpose: Purpose,
        algorithm: Option<Algorithm>,
        now_s: i64,
        overlap_s: i64,
        entropy: &mut impl Entropy,
    ) -> Result<Self, KeyringError> {
        if !(0..=MAX_DURATION_S).contains(&overlap_s) {
            return Err(KeyringError::Set("the overlap is negative, or over 100 years"));
        }
        if self.of_purpose(purpose).any(|key| key.is_derived) {
            return Err(KeyringError::Set("derived keys rotate by their epoch"));
        }
        let can_be_next = |key: &Key| {
            key.purpose == purpose && key.status == KeyStatus::Active && key.not_after_s.is_none()
        };
        // Without a primary (it was disabled after a leak), the active keys say what comes next.
        let before = self.primary(purpose).or_else(|| self.keys.iter().find(|key| can_be_next(key)));
        let algorithm = algorithm.or_else(|| before?.signing_algorithm());
        let algorithm = algorithm.ok_or(KeyringError::Set("no key says which algorithm: name one"))?;
        let is_next = |key: &Key| can_be_next(key) && key.signing_algorithm() == Some(algorithm);
        let next = self.keys.iter().position(|key| is_next(key));
        // What is stored has no last day: its keys end when an operator says so.
        let end = (!purpose.is_of_data_at_rest()).then(|| now_s.saturating_add(overlap_s).max(0));
        let mut keys = Vec::with_capacity(self.keys.len().saturating_add(2));
        for (index, key) in self.keys.iter().enumerate() {
            // What has verified for the last time makes room, or a keyring could not rotate for ever.
            if key.purpose == purpose && end.is_some() && key.has_ended(now_s) {
                continue;
            }
            let mut key = Key::clone(key);
            if Some(index) == next {
                key.status = KeyStatus::Primary;
            } else if key.purpose == purpose && key.status == KeyStatus::Primary {
                key.status = KeyStatus::VerifyOnly;
                key.not_after_s = end.or(key.not_after_s);
            }
            keys.push(key);
        }
        let mut epoch = self.next_epoch(purpose)?;
        if next.is_none() {
            keys.push(generate_key(purpose, algorithm, KeyStatus::Primary, epoch, now_s, entropy)?);
            epoch = epoch_after(epoch)?;
        }
        keys.push(generate_key(purpose, algorithm, KeyStatus::Active, epoch, now_s, entropy)?);
        Self::checked(keys)
    }

    /// The keyring in which the key `id` has this status. `not_after_s` bounds a key that only verifies; an
    /// end that was set stays, whatever becomes of the key.
    /// Destroying drops the secret for good: it is wiped when the last keyring that holds it is dropped.
    ///
    /// # Errors
    /// - [`KeyringError::UnknownKey`]: no key has this id.
    /// - [`KeyringError::Set`]: the key is destroyed already; a derived key cannot be destroyed, for the
    ///   master secret makes it again; a key becomes primary by rotation only.
    pub fn with_status(
        &self,
        id: &str,
        status: KeyStatus,
        not_after_s: Option<i64>,
    ) -> Result<Self, KeyringError> {
        let found = self.keys.iter().position(|key| key.id() == Some(id)).ok_or(KeyringError::UnknownKey)?;
        let mut keys = self.keys.clone();
        let slot = keys.get_mut(found).ok_or(KeyringError::UnknownKey)?;
        let mut key = Key::clone(slot);
        match status {
            _ if key.status == KeyStatus::Destroyed => {
                return Err(KeyringError::Set("a destroyed key stays destroyed"));
            }
            KeyStatus::Primary => return Err(KeyringError::Set("a key becomes primary by rotation")),
            KeyStatus::Destroyed if key.is_derived => {
                return Err(KeyringError::Set("a derived key cannot be destroyed, only disabled"));
            }
            KeyStatus::Destroyed => {
                key.material = None;
                key.declared = None;
                key.algorithms = AlgorithmSet::NONE;
                key.not_after_s = None;
            }
            KeyStatus::VerifyOnly => key.not_after_s = not_after_s.map(|end| end.max(0)),
            KeyStatus::Active | KeyStatus::Disabled => {}
        }
        key.status = status;
        *slot = Arc::new(key);
        Self::shared(keys)
    }

    /// The keys, in the order of the set.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().map(AsRef::as_ref)
    }

    /// The public keys that check tokens at `now_s`, as a JWK Set for `/.well-known/jwks.json`. Secrets,
    /// keys of other purposes and keys that check nothing any more are not in it.
    #[must_use]
    pub fn public_jwks(&self, now_s: i64) -> String {
        let published = |key: &&Arc<Key>| {
            key.purpose == Purpose::Token
                && !key.algorithms.is_empty()
                && key.check_usable(now_s).is_ok()
                && key.material.as_ref().is_some_and(|material| !material.public_members().is_empty())
        };
        let mut out = String::new();
        write_set(self.keys.iter().filter(published), &mut out, jwk::write_public);
        out
    }

    /// The whole keyring, secrets included, as a JWK Set that [`Keyring::from_jwks`] reads.
    #[must_use]
    pub fn secret_jwks(&self) -> Zeroizing<String> {
        // Room enough from the start: a string that grows leaves copies of the secrets behind.
        let room = self.keys.len().saturating_mul(4096).saturating_add(64);
        let mut out = Zeroizing::new(String::with_capacity(room));
        write_set(self.keys.iter(), &mut out, jwk::write_secret);
        out
    }

    /// What a log may say of the keyring: ids, types, algorithms, purposes, statuses, times and
    /// thumbprints (RFC 7638; of public keys only).
    #[must_use]
    pub fn summary(&self) -> String {
        let mut out = String::new();
        write_set(self.keys.iter(), &mut out, |key, out| {
            let thumbprint = key.material.as_deref().and_then(jwk::thumbprint);
            let mut object = ObjectWriter::open(out);
            object
                .optional_text("kid", key.id())
                .optional_text("kty", key.key_type().map(|kty| kty.name()))
                .optional_text("alg", key.declared.map(Algorithm::name))
                .text("purpose", key.purpose.name())
                .text("status", key.status.name());
            for (name, time) in [("created_s", key.created_s), ("not_after_s", key.not_after_s)] {
                match time {
                    Some(seconds) => object.integer(name, seconds),
                    None => object.raw(name, "null"),
                };
            }
            object.optional_text("thumbprint", thumbprint.as_deref());
            object.close();
        });
        out
    }

    /// The key that makes, for this purpose.
    pub(crate) fn primary(&self, purpose: Purpose) -> Option<&Arc<Key>> {
        self.keys.iter().find(|key| key.purpose == purpose && key.status == KeyStatus::Primary)
    }

    /// The keys of a purpose, its primary first; `None` if there is no primary.
    pub(crate) fn primary_first(&self, purpose: Purpose) -> Option<impl Iterator<Item = &Arc<Key>>> {
        let primary = self.primary(purpose)?;
        let others = self.of_purpose(purpose).filter(move |key| !Arc::ptr_eq(key, primary));
        Some(core::iter::once(primary).chain(others))
    }

    /// The secrets of a purpose whose status is one of those that are read, the primary first; `None` without a
    /// primary that is a secret.
    pub(crate) fn secrets(&self, purpose: Purpose, is_read: fn(KeyStatus) -> bool) -> Option<Vec<Arc<Key>>> {
        let is_read = |key: &&Arc<Key>| is_read(key.status()) && key.mac(&[]).is_some();
        let keys: Vec<_> = self.primary_first(purpose)?.filter(is_read).cloned().collect();
        keys.first().is_some_and(|key| key.status() == KeyStatus::Primary).then_some(keys)
    }

    pub(crate) fn of_purpose(&self, purpose: Purpose) -> impl Iterator<Item = &Arc<Key>> {
        self.keys.iter().filter(move |key| key.purpose == purpose)
    }

    /// The epoch of the next fresh key: none is ever used again, not even that of a destroyed key.
    fn next_epoch(&self, purpose: Purpose) -> Result<u32, KeyringError> {
        epoch_after(self.of_purpose(purpose).filter_map(|key| key.epoch).max().unwrap_or(0))
    }

    fn single(material: Material, algorithm: Algorithm, id: Option<&str>) -> Result<Self, KeyringError> {
        let refused = |reason| KeyringError::Key { index: 0, reason };
        if !material.algorithms().contains(algorithm) {
            return Err(refused("the algorithm does not fit the key, or the secret is too short for it"));
        }
        Self::checked(alloc::vec![Key {
            id: id.map(jwk::checked_key_id).transpose().map_err(refused)?,
            purpose: Purpose::Token,
            status: if material.can_sign() { KeyStatus::Primary } else { KeyStatus::Active },
            declared: Some(algorithm),
            algorithms: AlgorithmSet::one(algorithm),
            created_s: None,
            not_after_s: None,
            is_derived: false,
            epoch: None,
            material: Some(Arc::new(material)),
        }])
    }

    fn checked(keys: Vec<Key>) -> Result<Self, KeyringError> {
        Self::shared(keys.into_iter().map(Arc::new).collect())
    }

    fn shared(keys: Vec<Arc<Key>>) -> Result<Self, KeyringError> {
        if keys.len() > MAX_KEYS {
            return Err(KeyringError::Set("too many keys"));
        }
        let mut ids: Vec<&str> = keys.iter().filter_map(|key| key.id()).collect();
        ids.sort_unstable();
        if !ids.is_sorted_by(|a, b| a < b) {
            return Err(KeyringError::Set("two keys have one id"));
        }
        for purpose in Purpose::ALL {
            let is_primary = |key: &&Arc<Key>| key.purpose == purpose && key.status == KeyStatus::Primary;
            if keys.iter().filter(is_primary).count() > 1 {
                return Err(KeyringError::Set("a purpose has two primary keys"));
            }
        }
        if let Some(index) = published_secret(&keys) {
            return Err(KeyringError::Key { index, reason: "the secret is a public key of the same set" });
        }
        Ok(Self { keys })
    }
}

/// The first secret that is nothing but another key's public part.
fn published_secret(keys: &[Arc<Key>]) -> Option<usize> {
    let materials = || keys.iter().filter_map(|key| key.material.as_deref());
    keys.iter().position(|key| {
        let secret = key.material.as_deref().and_then(Material::as_hmac).map(|hmac| hmac.secret());
        secret.is_some_and(|secret| materials().any(|material| material.is_published_as(secret)))
    })
}

fn write_set<'a>(
    keys: impl Iterator<Item = &'a Arc<Key>>,
    out: &mut String,
    write: impl Fn(&Key, &mut String),
) {
    out.push_str("{\"keys\":[");
    for (index, key) in keys.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(key, out);
    }
    out.push_str("]}");
}

fn epoch_after(epoch: u32) -> Result<u32, KeyringError> {
    epoch.checked_add(1).ok_or(KeyringError::Set("no epoch is left"))
}

/// The id of a public key is its thumbprint; that of a secret is random, for a thumbprint would let
/// anyone test guesses.
fn generate_key(
    purpose: Purpose,
    algorithm: Algorithm,
    status: KeyStatus,
    epoch: u32,
    now_s: i64,
    entropy: &mut impl Entropy,
) -> Result<Key, KeyringError> {
    if !purpose.takes(algorithm) {
        return Err(KeyringError::Set("keys of this purpose are not of this algorithm"));
    }
    let material = generate_material(algorithm, entropy)?;
    let id = match jwk::thumbprint(&material) {
        Some(thumbprint) => thumbprint,
        None => {
            let mut id = [0; 16];
            entropy.fill(&mut id)?;
            base64url::encode(&id)
        }
    };
    Ok(Key {
        id: Some(id.into()),
        purpose,
        status,
        declared: Some(algorithm),
        algorithms: AlgorithmSet::one(algorithm),
        created_s: Some(now_s.max(0)),
        not_after_s: None,
        is_derived: false,
        // A blind index writes the epoch of its key into every value.
        epoch: (purpose == Purpose::BlindIndex).then_some(epoch),
        material: Some(Arc::new(material)),
    })
}

fn generate_material(algorithm: Algorithm, entropy: &mut impl Entropy) -> Result<Material, KeyringError> {
    const UNSIGNABLE: KeyringError = KeyringError::Set("donjon makes no keys for this algorithm");
    let mut seed = Zeroizing::new([0; 32]);
    match algorithm {
        Algorithm::EdDsa => {
            entropy.fill(&mut *seed)?;
            let key = Ed25519Key::from_seed(&seed).ok_or(UNSIGNABLE)?;
            Ok(Material::Ed25519(Box::new(key)))
        }
        Algorithm::Es256 => {
            // A scalar out of range comes once in 2^32 draws; sixteen in a row are no entropy at all.
            for _ in 0..16 {
                entropy.fill(&mut *seed)?;
                if let Some(key) = P256Key::from_scalar(&*seed) {
                    return Ok(Material::P256(Box::new(key)));
                }
            }
            Err(KeyringError::Entropy(crate::entropy::EntropyError))
        }
        _ => {
            let len = master::secret_len(algorithm).ok_or(UNSIGNABLE)?;
            let mut secret = Zeroizing::new(alloc::vec![0; len]);
            entropy.fill(&mut secret)?;
            let key = jwk::hmac_key(secret).map_err(|reason| KeyringError::Key { index: 0, reason })?;
            Ok(Material::Hmac(Box::new(key)))
        }
    }
}

/// Everything but the keys.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys()).finish()
    }
}
