//! A data key: one key for many cells.

use alloc::string::String;

use super::EnvelopeError;
use super::chunked::InputKey;
use super::header::DATA_KEY_LEN;
use super::wrap::DataKeyBytes;
use crate::base64url;

/// The label of the id that a data key has of itself.
const ID_LABEL: &[u8] = b"donjon/data-key-id/v1";

/// The bytes of an id: enough that no two data keys of a system have one.
const ID_LEN: usize = 12;

/// A data key in the clear. Its id follows from it, so that neither re-wrapping nor restoring changes it.
pub(super) struct DataKey {
    pub(super) bytes: DataKeyBytes,
    pub(super) input: InputKey,
    pub(super) id: String,
}

impl DataKey {
    pub(super) fn new(bytes: DataKeyBytes) -> Result<Self, EnvelopeError> {
        let input = InputKey::new(&*bytes)?;
        let mut id = [0; ID_LEN];
        input.expand(|mac| hmac::Mac::update(mac, ID_LABEL), &mut id);
        Ok(Self { bytes, input, id: base64url::encode(&id) })
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let bytes: &[u8; DATA_KEY_LEN] = bytes.try_into().map_err(|_| EnvelopeError::InvalidArgument)?;
        Self::new(zeroize::Zeroizing::new(*bytes))
    }
}
