//! Data keys, wrapped by the same construction under a key-encryption key.

use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::EnvelopeError;
use super::chunked::{InputKey, SALT_LEN};
use super::header::{DATA_KEY_LEN, Kind, WRAP_LEN};
use crate::bytes::lp;

/// The bytes of a data key.
pub(super) type DataKeyBytes = Zeroizing<[u8; DATA_KEY_LEN]>;

/// What a derivation is bound to: a label, which kind of envelope, and further parts, each with its
/// length, so that nothing made for one use serves another.
pub(super) fn binding(label: &str, kind: Kind, parts: &[&[u8]]) -> Vec<u8> {
    let mut bound = Vec::with_capacity(128);
    lp(label.as_bytes(), &mut bound);
    lp(&[kind.byte()], &mut bound);
    parts.iter().for_each(|part| lp(part, &mut bound));
    bound
}

fn context(kind: Kind, key_id: &str, scope: &[u8]) -> Vec<u8> {
    binding("donjon/wrap/v1", kind, &[key_id.as_bytes(), scope])
}

/// Wraps a data key for its kind, the id of the key-encryption key, and a scope: whose data it is for.
pub(super) fn wrap(
    key: &InputKey,
    (kind, key_id, scope): (Kind, &str, &[u8]),
    salt: &[u8; SALT_LEN],
    data_key: &[u8; DATA_KEY_LEN],
) -> Result<[u8; WRAP_LEN], EnvelopeError> {
    let mut out = [0; WRAP_LEN];
    key.seal(salt, &[&context(kind, key_id, scope)], data_key, &mut out)?;
    Ok(out)
}

/// Unwraps a data key: the same kind, id and scope, or none.
pub(super) fn unwrap(
    key: &InputKey,
    (kind, key_id, scope): (Kind, &str, &[u8]),
    wrapped: &[u8],
) -> Result<DataKeyBytes, EnvelopeError> {
    let mut data_key = Zeroizing::new([0; DATA_KEY_LEN]);
    key.open(&[&context(kind, key_id, scope)], wrapped, &mut *data_key)?;
    Ok(data_key)
}
