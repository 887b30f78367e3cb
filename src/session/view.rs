//! What a host is told of a sign-in, and what it shows its user.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use super::config::MAX_PER_USER;
use super::entry::{Entry, Kind, MAX_DATA_LEN, MAX_LABEL_LEN};
use super::record::MAX_SUBJECT_LEN;
use crate::base64url;
use crate::client_address::Network;
use crate::json::{ObjectWriter, list};

/// The bytes of the longest JSON of a session and of those that it took the place of. A character of a subject takes
/// six at most, one of a clean label two; everything else is less than 400.
pub(super) const MAX_SESSION_JSON_LEN: usize =
    6 * MAX_SUBJECT_LEN + 2 * MAX_LABEL_LEN + base64url::encoded_len(MAX_DATA_LEN) + 400 + 56 * MAX_PER_USER;

/// The bytes that most have room in.
const USUAL_SESSION_JSON_LEN: usize = 320;

/// A sign-in of a user.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// What it is called in lists: no secret, and no way in.
    pub handle: String,
    /// Whose it is; empty for nobody's.
    pub subject: String,
    /// What the client has to show for it.
    pub kind: Kind,
    /// What the host called it.
    pub label: String,
    /// What the host keeps with it.
    pub data: Vec<u8>,
    /// When it began.
    pub created_ms: i64,
    /// When it was used last, to within the touch interval.
    pub seen_ms: i64,
    /// When it ends, if it is not used until then.
    pub expires_ms: i64,
    /// Where it was begun, or moved to.
    pub network: Option<Network>,
}

impl Session {
    pub(super) fn new(subject: &str, entry: &Entry<'_>, expires_ms: i64) -> Self {
        Self {
            handle: base64url::encode(&entry.handle()),
            subject: subject.into(),
            kind: entry.kind(),
            label: entry.label.into(),
            data: entry.data.into(),
            created_ms: entry.created_ms,
            seen_ms: entry.seen_ms,
            expires_ms,
            network: entry.client.network,
        }
    }

    /// As JSON: `{"handle","subject","kind","label","data","created_ms","seen_ms","expires_ms","network"}`, the data
    /// in base64url, the network in CIDR notation or `null`; then one member more, whose value is JSON already.
    #[must_use]
    pub fn to_json(&self, more: Option<(&str, &str)>) -> String {
        let mut text = String::with_capacity(USUAL_SESSION_JSON_LEN);
        let mut object = ObjectWriter::open(&mut text);
        object
            .text("handle", &self.handle)
            .text("subject", &self.subject)
            .text("kind", self.kind.name())
            .text("label", &self.label)
            .text("data", &base64url::encode(&self.data))
            .integer("created_ms", self.created_ms)
            .integer("seen_ms", self.seen_ms)
            .integer("expires_ms", self.expires_ms)
            .optional_text("network", self.network.map(|network| network.to_string()).as_deref());
        if let Some((name, value)) = more {
            object.raw(name, value);
        }
        object.close();
        text
    }
}

/// Everything but whose it is and what is kept with it.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("handle", &self.handle)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// A sign-in that had to make room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evicted {
    /// What it was called.
    pub handle: String,
    /// What the client has to show for it: where it is tokens, the access tokens among them are to be revoked first.
    pub kind: Kind,
}

impl Evicted {
    pub(super) fn new(entry: &Entry<'_>) -> Self {
        Self { handle: base64url::encode(&entry.handle()), kind: entry.kind() }
    }

    /// Several as JSON: `[{"handle","kind"}]`.
    #[must_use]
    pub fn list(evicted: &[Self]) -> String {
        let one = |evicted: &Self| {
            let mut text = String::new();
            ObjectWriter::open(&mut text)
                .text("handle", &evicted.handle)
                .text("kind", evicted.kind.name())
                .close();
            text
        };
        list(&evicted.iter().map(one).collect::<Vec<_>>())
    }
}
