//! Equality search over encrypted columns: a keyed hash of the value, stored beside its ciphertext.
//!
//! *Decides* nothing: it gives the bytes to store, and the bytes to look for. *Inputs*: the `blind-index`
//! secrets of a keyring; tenant, table and column; the value, which the caller has brought into one form
//! (case, Unicode normalisation, blanks) for values that are to be found as equal. *State*: none. *Threat*: a
//! stolen database: without the key, nobody can hash a guess and look for it; one index compared with another
//! column's or tenant's, which have keys of their own.
//!
//! ```text
//! key   = HKDF-SHA-256(secret of the keyring, no salt, lp(tenant) ‖ lp(table) ‖ lp(column))
//! value = epoch u8 ‖ the first bits of HMAC-SHA-256(key, value)
//! ```
//!
//! **What it gives away.** Equal values have equal index values, so whoever reads the table sees which rows
//! are equal and how often each value is there. In a column of few values (a country, a diagnosis, a yes or
//! no) that is as good as the plaintext to whoever knows roughly how they are distributed: do not index it.
//! Fewer bits blur this: with `b` bits, two values that differ share an index value with a probability of
//! 2⁻ᵇ, and a search among `n` other values finds n / 2ᵇ wrong rows on average, so the caller opens what was
//! found and compares. 32 bits find one wrong row in a column of four thousand million values, and 16 bits
//! fifteen in a column of a million.
//!
//! **Rotation.** Values are written under the primary key and looked for under every live one, until the last
//! row was written anew; the epoch of its key stands at the front of each. A disabled key is not looked for.
//! The front is one byte, so destroy the keys under which no row is left, before there are 256 of them. Erasing
//! a subject means deleting its index values too.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Context, EnvelopeError};
use crate::keyring::{Key, KeyStatus, Keyring, Purpose};

/// The fewest bits of an index value.
pub const MIN_INDEX_BITS: u32 = 8;

/// The most bits of an index value: all of HMAC-SHA-256.
pub const MAX_INDEX_BITS: u32 = 256;

/// The index of one column. A value costs one HMAC.
///
/// ```
/// use donjon::envelope::BlindIndex;
/// use donjon::keyring::Keyring;
///
/// let epochs = r#"{"keys":[{"purpose":"blind-index","epoch":1}]}"#;
/// let keyring = Keyring::from_master("pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU", epochs).unwrap();
/// let index = BlindIndex::new(&keyring, "acme", "users", "email", 32)?;
/// let stored = index.value(0, b"ann@example.com")?;
/// assert_eq!(stored.len(), 5);
/// assert!(index.candidates(0, b"ann@example.com")?.contains(&stored));
/// # Ok::<(), donjon::envelope::EnvelopeError>(())
/// ```
pub struct BlindIndex {
    primary: IndexKey,
    // INVARIANT: of an epoch of their own, in one byte.
    others: Vec<IndexKey>,
    bits: u32,
}

/// A key of the keyring, as this column has it.
struct IndexKey {
    key: Arc<Key>,
    epoch: u8,
    mac: Hmac<Sha256>,
}

impl BlindIndex {
    /// The index of a column, of so many bits. `tenant` may be empty.
    ///
    /// # Errors
    /// - [`EnvelopeError::Config`]: no primary `blind-index` secret; two live ones of one epoch, modulo 256.
    /// - [`EnvelopeError::InvalidArgument`]: bits under [`MIN_INDEX_BITS`] or over [`MAX_INDEX_BITS`].
    /// - [`EnvelopeError::TooLarge`]: names over [`super::MAX_CONTEXT_LEN`] together.
    pub fn new(
        keyring: &Keyring,
        tenant: impl AsRef<[u8]>,
        table: impl AsRef<[u8]>,
        column: impl AsRef<[u8]>,
        bits: u32,
    ) -> Result<Self, EnvelopeError> {
        if !(MIN_INDEX_BITS..=MAX_INDEX_BITS).contains(&bits) {
            return Err(EnvelopeError::InvalidArgument);
        }
        let place = Context::new(&[tenant.as_ref(), table.as_ref(), column.as_ref()])?;
        let keys = keyring.primary_first(Purpose::BlindIndex);
        let keys = keys.ok_or(EnvelopeError::Config("no primary `blind-index` secret"))?;
        let mut live = keys.filter(|key| is_live(key)).map(|key| IndexKey::new(key, &place));
        let index = Self {
            primary: live.next().ok_or(EnvelopeError::Internal)??,
            others: live.collect::<Result<_, _>>()?,
            bits,
        };
        if index.has_an_epoch_twice() {
            return Err(EnvelopeError::Config("two live `blind-index` keys have one epoch, modulo 256"));
        }
        Ok(index)
    }

    /// What to store for a value: one byte and the bits, rounded up to bytes.
    ///
    /// # Errors
    /// - [`EnvelopeError::KeyExpired`]: the primary's end has passed.
    /// - [`EnvelopeError::InvalidArgument`]: a negative time.
    pub fn value(&self, now_s: i64, value: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
        self.check_time(now_s)?;
        Ok(self.primary.value(value, self.bits))
    }

    /// What to look for: what [`BlindIndex::value`] stores or stored under each key that may be used now, the
    /// primary's first.
    ///
    /// # Errors
    /// As [`BlindIndex::value`].
    pub fn candidates(&self, now_s: i64, value: &[u8]) -> Result<Vec<Vec<u8>>, EnvelopeError> {
        self.check_time(now_s)?;
        let others = self.others.iter().filter(|other| other.key.check_usable(now_s).is_ok());
        let keys = core::iter::once(&self.primary).chain(others);
        Ok(keys.map(|key| key.value(value, self.bits)).collect())
    }

    fn check_time(&self, now_s: i64) -> Result<(), EnvelopeError> {
        if now_s < 0 {
            return Err(EnvelopeError::InvalidArgument);
        }
        Ok(self.primary.key.check_usable(now_s)?)
    }

    fn has_an_epoch_twice(&self) -> bool {
        let keys = core::iter::once(&self.primary).chain(&self.others);
        let mut epochs: Vec<u8> = keys.map(|key| key.epoch).collect();
        epochs.sort_unstable();
        !epochs.is_sorted_by(|a, b| a < b)
    }
}

/// Whether rows that were written under the key may still be looked for, at some time.
fn is_live(key: &Key) -> bool {
    !matches!(key.status(), KeyStatus::Disabled | KeyStatus::Destroyed)
}

impl IndexKey {
    fn new(key: &Arc<Key>, place: &Context<'_>) -> Result<Self, EnvelopeError> {
        let secret = key.secret().ok_or(EnvelopeError::Config("a `blind-index` key is no secret"))?;
        let mut derived = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, secret)
            .expand(place.as_encoded(), &mut *derived)
            .map_err(|_| EnvelopeError::Internal)?;
        let mac = Hmac::new_from_slice(&*derived).map_err(|_| EnvelopeError::Internal)?;
        // Keys that donjon makes have an epoch; one that was made elsewhere without counts as 0.
        let [.., epoch] = key.epoch().unwrap_or(0).to_be_bytes();
        Ok(Self { key: Arc::clone(key), epoch, mac })
    }

    fn value(&self, value: &[u8], bits: u32) -> Vec<u8> {
        let mac = self.mac.clone().chain_update(value).finalize().into_bytes();
        let whole_bits = bits.next_multiple_of(8);
        let mut bytes = alloc::vec![self.epoch];
        bytes.extend(mac.into_iter().zip((0..whole_bits).step_by(8)).map(|(byte, _)| byte));
        if let Some(last) = bytes.last_mut() {
            *last &= u8::MAX.wrapping_shl(whole_bits.saturating_sub(bits));
        }
        bytes
    }
}

/// Nothing of the keys but their number.
impl fmt::Debug for BlindIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlindIndex")
            .field("keys", &self.others.len().saturating_add(1))
            .field("bits", &self.bits)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;

    const SECRETS: [&str; 3] = [
        "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU",
        "zGLuHbk3xtJNkv0tRotLXLIkrXYhutSNkYf6PZ6OxnY",
        "vvb31mGBJRCeYyxny08ustKmg_7hywUXzuCR4HTRXag",
    ];

    fn key(number: usize, members: &str) -> String {
        let k = SECRETS[number];
        // A destroyed key has none.
        let secret = if members.contains("destroyed") { "" } else { &*format!(r#""k":"{k}","#) };
        format!(r#"{{"kty":"oct","kid":"{number}","alg":"HS256",{secret}"purpose":"blind-index",{members}}}"#)
    }

    fn keyring(keys: &[String]) -> Keyring {
        Keyring::from_jwks(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes()).unwrap()
    }

    fn index(keys: &[String], bits: u32) -> Result<BlindIndex, EnvelopeError> {
        BlindIndex::new(&keyring(keys), "acme", "users", "email", bits)
    }

    fn epochs(index: &BlindIndex, now_s: i64) -> Vec<u8> {
        index.candidates(now_s, b"ann").unwrap().iter().map(|value| value[0]).collect()
    }

    #[test]
    fn fewer_bits_are_the_front_of_more() {
        let keys = [key(0, r#""status":"primary","epoch":7"#)];
        let whole = index(&keys, 256).unwrap().value(0, b"ann").unwrap();
        assert_eq!((whole.len(), whole[0]), (33, 7));
        for bits in MIN_INDEX_BITS..=MAX_INDEX_BITS {
            let value = index(&keys, bits).unwrap().value(0, b"ann").unwrap();
            let bits = usize::try_from(bits).unwrap();
            assert_eq!(value.len(), 1 + bits.div_ceil(8), "{bits}");
            for bit in 0..8 * (value.len() - 1) {
                let of = |bytes: &[u8]| bytes[1 + bit / 8] >> (7 - bit % 8) & 1;
                assert_eq!(of(&value), if bit < bits { of(&whole) } else { 0 }, "bit {bit} of {bits}");
            }
        }
        for bits in [0, 7, 257, u32::MAX] {
            assert_eq!(index(&keys, bits).err(), Some(EnvelopeError::InvalidArgument));
        }
    }

    #[test]
    fn every_place_has_a_key_of_its_own() {
        let keyring = keyring(&[key(0, r#""status":"primary","epoch":1"#)]);
        let places = [("", "ab", "c"), ("", "a", "bc"), ("a", "b", "c"), ("ab", "c", ""), ("", "", "abc")];
        let value = |(tenant, table, column)| {
            BlindIndex::new(&keyring, tenant, table, column, 128).unwrap().value(0, b"ann").unwrap()
        };
        for (number, place) in places.into_iter().enumerate() {
            assert!(places[..number].iter().all(|other| value(*other) != value(place)), "{place:?}");
        }
        let long = "x".repeat(super::super::MAX_CONTEXT_LEN);
        assert_eq!(BlindIndex::new(&keyring, "", long, "", 8).err(), Some(EnvelopeError::TooLarge));
    }

    #[test]
    fn rows_of_every_live_key_are_found_the_primarys_first() {
        let old = key(0, r#""status":"verify-only","epoch":1,"not_after_s":100"#);
        let now = key(1, r#""status":"primary","epoch":2"#);
        let next = key(2, r#""status":"active","epoch":3"#);
        let all = index(&[old.clone(), next, now.clone()], 64).unwrap();
        assert_eq!((epochs(&all, 99), epochs(&all, 100)), ([2, 1, 3].into(), [2, 3].into()));
        let before = index(&[old.replace("verify-only", "primary").replace(r#","not_after_s":100"#, "")], 64);
        let stored = before.unwrap().value(0, b"ann").unwrap();
        assert!(all.candidates(99, b"ann").unwrap().contains(&stored));
        for status in ["disabled", "destroyed"] {
            let gone = key(0, &format!(r#""status":"{status}","epoch":1"#));
            let without = index(&[gone, now.clone()], 64).unwrap();
            assert_eq!(epochs(&without, 0), [2], "{status}");
        }
    }

    #[test]
    fn an_expired_primary_and_a_negative_time_are_refused() {
        let index = index(
            &[
                key(0, r#""status":"primary","epoch":1,"not_after_s":100"#),
                key(1, r#""status":"active","epoch":2"#),
            ],
            64,
        )
        .unwrap();
        assert_eq!(epochs(&index, 99), [1, 2]);
        for (now_s, error) in [(100, EnvelopeError::KeyExpired), (-1, EnvelopeError::InvalidArgument)] {
            assert_eq!(index.value(now_s, b"ann"), Err(error));
            assert_eq!(index.candidates(now_s, b"ann"), Err(error));
        }
    }

    #[test]
    fn epochs_that_cannot_be_told_apart_are_refused() {
        let primary = |epoch: &str| key(0, &format!(r#""status":"primary"{epoch}"#));
        let other = |status: &str, epoch: &str| key(1, &format!(r#""status":"{status}"{epoch}"#));
        for (first, second) in [
            (r#","epoch":2"#, r#","epoch":2"#),
            (r#","epoch":2"#, r#","epoch":258"#),
            (r#","epoch":256"#, ""),
            ("", ""),
        ] {
            for status in ["active", "verify-only"] {
                let clash = index(&[primary(first), other(status, second)], 64).map(|_| ());
                assert!(matches!(clash, Err(EnvelopeError::Config(_))), "{first} {second} {status}");
            }
            for status in ["disabled", "destroyed"] {
                assert!(index(&[primary(first), other(status, second)], 64).is_ok(), "{first} {status}");
            }
        }
        let last = index(&[primary(r#","epoch":4294967295"#), other("active", "")], 64).unwrap();
        assert_eq!(epochs(&last, 0), [255, 0]);
    }

    #[test]
    fn a_keyring_without_a_primary_secret_has_no_index() {
        let public = r#"{"kty":"OKP","crv":"Ed25519","kid":"9","purpose":"blind-index","status":"primary",
            "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        for keys in [
            &[][..],
            &[key(0, r#""status":"active","epoch":1"#)],
            &[key(0, r#""status":"primary","epoch":1"#).replace("blind-index", "envelope")],
            &[public.into()],
            &[key(0, r#""status":"primary","epoch":1"#), public.replace("primary", "active")],
        ] {
            assert!(matches!(index(keys, 64), Err(EnvelopeError::Config(_))), "{keys:?}");
        }
    }

    #[test]
    fn no_debug_output_has_a_key() {
        let shown = format!("{:?}", index(&[key(0, r#""status":"primary","epoch":1"#)], 64).unwrap());
        assert_eq!(shown, "BlindIndex { keys: 1, bits: 64 }");
    }
}
