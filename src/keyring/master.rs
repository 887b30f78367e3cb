//! A whole keyring from one master secret, the same in every host (HKDF, RFC 5869, with SHA-512).
//!
//! PRK = HKDF-Extract(salt = `donjon/master/v1`, secret); a key is HKDF-Expand(PRK, `donjon/key/v1` ‖
//! lp(purpose) ‖ lp(algorithm) ‖ u32(epoch)), its id the 16 bytes under `donjon/kid/v1`, base64url.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::RangeInclusive;
use hkdf::Hkdf;
use sha2::Sha512;
use zeroize::Zeroizing;

use super::key::{Key, KeyStatus, Purpose};
use super::{KeyringError, secret};
use crate::base64url;
use crate::bytes::lp;
use crate::json::{self, Limits, Object, Value};
use crate::signature::{Algorithm, AlgorithmSet, Ed25519Key, HmacKey, Material};

const SALT: &[u8] = b"donjon/master/v1";
const KEY_LABEL: &[u8] = b"donjon/key/v1";
const ID_LABEL: &[u8] = b"donjon/kid/v1";
const ID_LEN: usize = 16;

/// The most epochs of one purpose that are alive at once.
pub const MAX_LIVE_EPOCHS: u32 = 64;

/// The longest text of a master secret, in characters.
pub const MAX_MASTER_LEN: usize = 1024;

/// Which keys of one purpose are derived. `epoch` is the primary, the one after it is active (so that
/// every host verifies what the first host to move on signs), and those from `oldest` up verify.
struct Derivation {
    purpose: Purpose,
    algorithm: Algorithm,
    epoch: u32,
    oldest: u32,
    disabled: Vec<u32>,
}

impl Derivation {
    fn default_of(purpose: Purpose) -> Self {
        let algorithm = if purpose == Purpose::Token { Algorithm::EdDsa } else { Algorithm::Hs256 };
        Self { purpose, algorithm, epoch: 1, oldest: 1, disabled: Vec::new() }
    }

    fn epochs(&self) -> RangeInclusive<u32> {
        self.oldest..=self.epoch.saturating_add(1)
    }

    fn status_of(&self, epoch: u32) -> KeyStatus {
        if self.disabled.contains(&epoch) {
            KeyStatus::Disabled
        } else if epoch > self.epoch {
            KeyStatus::Active
        } else if epoch == self.epoch {
            KeyStatus::Primary
        } else {
            KeyStatus::VerifyOnly
        }
    }
}

/// `config`: empty, or `{"keys":[{"purpose","alg","epoch","oldest","disabled"}]}`, each entry in the
/// place of its purpose's default.
pub(super) fn derive(master: &[u8], config: &[u8]) -> Result<Vec<Key>, KeyringError> {
    let refused = KeyringError::Set;
    if master.len() > MAX_MASTER_LEN {
        return Err(refused("the master secret is too long"));
    }
    let master = base64url::decode_secret(master.trim_ascii())
        .map_err(|_| refused("the master secret is not canonical base64url"))?;
    if let Some(weakness) = secret::weakness(&master) {
        return Err(refused(weakness));
    }
    let hkdf = Hkdf::<Sha512>::new(Some(SALT), &master);
    let mut keys = Vec::new();
    for derivation in read_config(config)? {
        for epoch in derivation.epochs() {
            keys.push(
                derive_key(&hkdf, &derivation, epoch)
                    .ok_or(refused("this algorithm's keys are not derived"))?,
            );
        }
    }
    Ok(keys)
}

fn derive_key(hkdf: &Hkdf<Sha512>, derivation: &Derivation, epoch: u32) -> Option<Key> {
    let mut info = Vec::new();
    lp(derivation.purpose.name().as_bytes(), &mut info);
    lp(derivation.algorithm.name().as_bytes(), &mut info);
    info.extend_from_slice(&epoch.to_be_bytes());

    let mut seed = Zeroizing::new(alloc::vec![0; secret_len(derivation.algorithm)?]);
    hkdf.expand_multi_info(&[KEY_LABEL, &info], &mut seed).ok()?;
    let mut id = [0; ID_LEN];
    hkdf.expand_multi_info(&[ID_LABEL, &info], &mut id).ok()?;

    let material = match derivation.algorithm {
        Algorithm::EdDsa => {
            Material::Ed25519(Box::new(Ed25519Key::from_seed(seed.as_slice().try_into().ok()?)?))
        }
        _ => Material::Hmac(Box::new(HmacKey::new(seed)?)),
    };
    Some(Key {
        id: Some(base64url::encode(&id).into()),
        purpose: derivation.purpose,
        status: derivation.status_of(epoch),
        declared: Some(derivation.algorithm),
        algorithms: AlgorithmSet::one(derivation.algorithm),
        created_s: None,
        not_after_s: None,
        is_derived: true,
        epoch: Some(epoch),
        material: Some(Arc::new(material)),
    })
}

/// The bytes that a fresh key of this algorithm draws; `None` if donjon makes no such keys from bytes.
pub(super) const fn secret_len(algorithm: Algorithm) -> Option<usize> {
    match algorithm {
        Algorithm::Hs256 | Algorithm::EdDsa => Some(32),
        Algorithm::Hs384 => Some(48),
        Algorithm::Hs512 => Some(64),
        _ => None,
    }
}

fn read_config(config: &[u8]) -> Result<Vec<Derivation>, KeyringError> {
    let mut derivations: Vec<Derivation> =
        [Purpose::Token, Purpose::StateBinding].map(Derivation::default_of).into();
    if config.is_empty() {
        return Ok(derivations);
    }
    let refused = |index| move |reason| KeyringError::Key { index, reason };
    let Value::Object(config) = json::parse(config, Limits::DOCUMENT)? else {
        return Err(KeyringError::Set("the configuration is not an object"));
    };
    for (name, value) in config.iter() {
        let (true, Value::Array(entries)) = (name == "keys", value) else {
            return Err(KeyringError::Set("the configuration has an unknown member"));
        };
        let mut seen = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let Value::Object(entry) = entry else { return Err(refused(index)("not an object")) };
            let derivation = read_entry(entry).map_err(refused(index))?;
            if seen.contains(&derivation.purpose) {
                return Err(refused(index)("the purpose is there twice"));
            }
            seen.push(derivation.purpose);
            derivations.retain(|default| default.purpose != derivation.purpose);
            derivations.push(derivation);
        }
    }
    Ok(derivations)
}

fn read_entry(entry: Object<'_>) -> Result<Derivation, &'static str> {
    let Some(Value::Text(purpose)) = entry.get("purpose") else { return Err("purpose is missing") };
    let purpose = Purpose::from_name(&purpose.decode()).ok_or("unknown purpose")?;
    let mut derivation = Derivation::default_of(purpose);
    let mut oldest = None;
    for (name, value) in entry.iter() {
        match (&*name.decode(), value) {
            ("purpose", _) => {}
            ("alg", Value::Text(name)) => {
                let algorithm = Algorithm::from_name(&name.decode()).ok_or("unknown algorithm")?;
                if purpose != Purpose::Token && !algorithm.is_symmetric() {
                    return Err("only token keys are public keys");
                }
                if !purpose.takes(algorithm) {
                    return Err("keys of this purpose are not of this algorithm");
                }
                derivation.algorithm = algorithm;
            }
            ("epoch", value) => derivation.epoch = read_epoch(value)?,
            ("oldest", value) => oldest = Some(read_epoch(value)?),
            ("disabled", Value::Array(epochs)) => {
                derivation.disabled = epochs.iter().map(read_epoch).collect::<Result<_, _>>()?;
            }
            _ => return Err("unknown member, or one of the wrong type"),
        }
    }
    derivation.oldest = oldest.unwrap_or(derivation.epoch);
    if derivation.oldest > derivation.epoch
        || derivation.epoch.saturating_sub(derivation.oldest) >= MAX_LIVE_EPOCHS
    {
        return Err("oldest is after epoch, or more than 64 epochs before it");
    }
    if derivation.disabled.contains(&derivation.epoch) {
        return Err("the primary epoch cannot be disabled: move to the next");
    }
    Ok(derivation)
}

fn read_epoch(value: Value<'_>) -> Result<u32, &'static str> {
    let Value::Number(number) = value else { return Err("an epoch is not a number") };
    // One below the maximum, so that there is always a next.
    number.raw().parse().ok().filter(|epoch| (1..u32::MAX).contains(epoch)).ok_or("an epoch is out of range")
}
