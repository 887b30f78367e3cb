//! What an envelope says of itself, before any key is asked for.

use alloc::string::String;

use super::EnvelopeError;
use super::header::{Header, Kind};
use crate::base64url;
use crate::json::ObjectWriter;

/// What the header of an envelope says: which key opens it. Nothing of it is authentic yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inspection<'a>(Header<'a>);

impl<'a> Inspection<'a> {
    /// Inspects an envelope, of which the first [`super::MAX_PREFIX_LEN`] bytes are enough.
    ///
    /// # Errors
    /// - [`EnvelopeError::DecryptFailed`]: no envelope.
    pub fn new(prefix: &'a [u8]) -> Result<Self, EnvelopeError> {
        Header::read(prefix).map(|(header, _)| Self(header))
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The key that opens it: the keyring's, the host's, the data key's. Empty for a passphrase.
    #[must_use]
    pub const fn key_id(&self) -> &'a str {
        self.0.key_id
    }

    /// Where the payload begins.
    #[must_use]
    pub const fn header_len(&self) -> usize {
        self.0.len()
    }

    /// What the host's KMS or HSM is to unwrap, in an external envelope.
    #[must_use]
    pub fn wrapped_key(&self) -> Option<&'a [u8]> {
        (self.0.kind == Kind::External).then_some(self.0.wrap)
    }

    /// As a JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        let wrapped_key = self.wrapped_key().map(base64url::encode);
        let mut out = String::new();
        let mut object = ObjectWriter::open(&mut out);
        object.text("kind", self.kind().name()).text("key_id", self.key_id());
        object.integer("header_len", i64::try_from(self.header_len()).unwrap_or(i64::MAX));
        object.optional_text("wrapped_key", wrapped_key.as_deref());
        let kdf = self.0.kdf;
        for (name, param) in [
            ("memory_kib", kdf.map(|kdf| kdf.memory_kib)),
            ("time_cost", kdf.map(|kdf| kdf.time_cost)),
            ("parallelism", kdf.map(|kdf| kdf.parallelism)),
        ] {
            match param {
                Some(param) => object.integer(name, param.into()),
                None => object.raw(name, "null"),
            };
        }
        object.close();
        out
    }
}
