//! One key: what it is for, whether it may be used now, and its material.

use alloc::boxed::Box;
use core::fmt;

use crate::signature::{Algorithm, AlgorithmSet, KeyType, Material, Signature};

/// The longest key id, in bytes.
pub const MAX_KEY_ID_LEN: usize = 128;

/// What a key is for. A key serves one purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// Signing tokens.
    Token,
    /// Wrapping data keys.
    Envelope,
    /// Argon2's secret input.
    PasswordPepper,
    /// Equality search over encrypted columns.
    BlindIndex,
    /// Binding a token to the state that it may change once.
    StateBinding,
    /// Device tokens.
    Device,
    /// Anti-forgery tokens.
    Csrf,
    /// Audit trails.
    Audit,
    /// Sealed settings.
    Settings,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 9] = [
        Self::Token,
        Self::Envelope,
        Self::PasswordPepper,
        Self::BlindIndex,
        Self::StateBinding,
        Self::Device,
        Self::Csrf,
        Self::Audit,
        Self::Settings,
    ];

    /// The purpose of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }

    /// The name, as a keyring spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Envelope => "envelope",
            Self::PasswordPepper => "password-pepper",
            Self::BlindIndex => "blind-index",
            Self::StateBinding => "state-binding",
            Self::Device => "device",
            Self::Csrf => "csrf",
            Self::Audit => "audit",
            Self::Settings => "settings",
        }
    }

    /// Whether keys of it may be of this algorithm. What is sealed wants secrets of 32 bytes, and what is
    /// looked for any secret; no sealer and no index loads another.
    pub(super) const fn takes(self, algorithm: Algorithm) -> bool {
        match self {
            Self::Envelope | Self::Settings => matches!(algorithm, Algorithm::Hs256),
            Self::BlindIndex => algorithm.is_symmetric(),
            _ => true,
        }
    }

    /// Whether what a key of it made is stored for as long as anybody likes, so that no key ends by itself.
    pub(super) const fn is_of_data_at_rest(self) -> bool {
        matches!(self, Self::Envelope | Self::BlindIndex | Self::Settings)
    }
}

/// Where a key stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStatus {
    /// Makes and checks; one per purpose.
    Primary,
    /// Checks, is published, and is the next primary.
    Active,
    /// Checks until its `not_after_s`.
    VerifyOnly,
    /// Refuses, with an error of its own.
    Disabled,
    /// Keeps its id and nothing else.
    Destroyed,
}

impl KeyStatus {
    const ALL: [Self; 5] = [Self::Primary, Self::Active, Self::VerifyOnly, Self::Disabled, Self::Destroyed];

    /// The status of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The name, as a keyring spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Active => "active",
            Self::VerifyOnly => "verify-only",
            Self::Disabled => "disabled",
            Self::Destroyed => "destroyed",
        }
    }
}

/// Why a key that was found may not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unusable {
    Disabled,
    Destroyed,
    Expired,
}

/// One key of a keyring.
#[derive(Clone)]
pub struct Key {
    pub(super) id: Option<Box<str>>,
    pub(super) purpose: Purpose,
    pub(super) status: KeyStatus,
    pub(super) declared: Option<Algorithm>,
    /// What it may be used with: what its material can, less what `alg`, `use` and `key_ops` exclude.
    pub(super) algorithms: AlgorithmSet,
    pub(super) created_s: Option<i64>,
    pub(super) not_after_s: Option<i64>,
    pub(super) is_derived: bool,
    /// Which of its purpose's keys it is, counted from 1, where that is recorded.
    pub(super) epoch: Option<u32>,
    // INVARIANT: `None` exactly when the status is `Destroyed`.
    pub(super) material: Option<alloc::sync::Arc<Material>>,
}

impl Key {
    /// The key's id, where it has one.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// What the key is for.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Where the key stands in its life.
    #[must_use]
    pub const fn status(&self) -> KeyStatus {
        self.status
    }

    /// The algorithms that it may be used with.
    #[must_use]
    pub const fn algorithms(&self) -> AlgorithmSet {
        self.algorithms
    }

    /// The key's family; a destroyed key has none.
    #[must_use]
    pub fn key_type(&self) -> Option<KeyType> {
        self.material.as_ref().map(|material| material.key_type())
    }

    /// The algorithm that the key signs with: its declared one, or the only one it can.
    pub(crate) fn signing_algorithm(&self) -> Option<Algorithm> {
        let material = self.material.as_ref()?;
        self.algorithms.only().filter(|_| material.can_sign())
    }

    /// The algorithm that all that is made with the key is of: the only one it may be used with, or for a
    /// secret that names none the first of its family.
    pub(crate) fn own_algorithm(&self) -> Option<Algorithm> {
        let is_secret = self.key_type() == Some(KeyType::Symmetric);
        self.algorithms.only().or_else(|| self.algorithms.iter().next().filter(|_| is_secret))
    }

    /// The algorithm that the key mints with, if it signs.
    pub(crate) fn minting_algorithm(&self) -> Option<Algorithm> {
        self.own_algorithm().filter(|_| self.material.as_ref().is_some_and(|material| material.can_sign()))
    }

    /// Whether a master secret makes it again, so that it cannot be destroyed.
    pub(crate) const fn is_derived(&self) -> bool {
        self.is_derived
    }

    pub(crate) const fn epoch(&self) -> Option<u32> {
        self.epoch
    }

    /// Whether it only verified, and does so no more.
    pub(super) fn has_ended(&self, now_s: i64) -> bool {
        self.status == KeyStatus::VerifyOnly && self.check_usable(now_s).is_err()
    }

    pub(crate) fn check_usable(&self, now_s: i64) -> Result<(), Unusable> {
        match self.status {
            KeyStatus::Disabled => Err(Unusable::Disabled),
            KeyStatus::Destroyed => Err(Unusable::Destroyed),
            // Whatever else it is: an end that was set is an end.
            _ if self.not_after_s.is_some_and(|end| now_s >= end) => Err(Unusable::Expired),
            _ => Ok(()),
        }
    }

    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Option<Signature> {
        self.material.as_ref()?.sign(algorithm, message)
    }

    /// Whether `signature` over `message` holds under this key, with an algorithm that it may be used
    /// with. Says nothing about the key's status.
    #[must_use]
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.algorithms.contains(algorithm)
            && self.material.as_ref().is_some_and(|material| material.verify(algorithm, message, signature))
    }

    /// The bytes of the key, if it is a secret.
    pub(crate) fn secret(&self) -> Option<&[u8]> {
        Some(self.material.as_ref()?.as_hmac()?.secret())
    }

    /// HMAC-SHA-256 of the concatenated parts, if the key is a secret.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> Option<[u8; 32]> {
        Some(self.material.as_ref()?.as_hmac()?.mac(parts))
    }
}

/// Everything but the key.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("purpose", &self.purpose)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
