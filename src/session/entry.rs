//! One sign-in of a user, as the record has it.

use alloc::string::String;
use alloc::vec::Vec;

use super::client::{Kept, MAX_NETWORK_LEN, read_network, write_network};
use super::id::SessionId;
use crate::base64url;
use crate::bytes::Reader;
use crate::ct;
use crate::token::refresh::{REFRESH_STATE_LEN, RefreshState};

/// The longest label that is kept, in bytes.
pub const MAX_LABEL_LEN: usize = 64;

/// The most that a host may keep with a session, in bytes.
pub const MAX_DATA_LEN: usize = 512;

/// The bytes of a longest entry.
pub(super) const MAX_ENTRY_LEN: usize =
    1 + REFRESH_STATE_LEN + 16 + 1 + MAX_NETWORK_LEN + 8 + 1 + MAX_LABEL_LEN + 2 + MAX_DATA_LEN;

/// What a sign-in is kept by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A session id, in a cookie.
    Cookie,
    /// A family of refresh tokens.
    Tokens,
}

impl Kind {
    /// The name, as hosts see it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Tokens => "tokens",
        }
    }
}

/// What the client has to show for it.
#[derive(Clone, Copy)]
pub(super) enum Credential {
    /// The hash of the session id.
    Cookie([u8; 32]),
    Tokens(RefreshState),
}

/// What a list calls a sign-in, in bytes.
pub(super) type Handle = [u8; 16];

// INVARIANT: `seen_ms` ≥ `created_ms` ≥ 0; the label is clean, the data no longer than it may be.
pub(super) struct Entry<'a> {
    pub(super) credential: Credential,
    pub(super) created_ms: i64,
    pub(super) seen_ms: i64,
    pub(super) client: Kept,
    pub(super) label: &'a str,
    pub(super) data: &'a [u8],
}

impl<'a> Entry<'a> {
    pub(super) const fn kind(&self) -> Kind {
        match self.credential {
            Credential::Cookie(_) => Kind::Cookie,
            Credential::Tokens(_) => Kind::Tokens,
        }
    }

    pub(super) fn handle(&self) -> Handle {
        match &self.credential {
            Credential::Cookie(hash) => handle_of(hash),
            Credential::Tokens(state) => *state.family(),
        }
    }

    /// Whether this is the session of an id with this hash.
    pub(super) fn is_session(&self, hash: &[u8; 32]) -> bool {
        matches!(&self.credential, Credential::Cookie(own) if ct::eq(own, hash))
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let [kind] = *reader.array()?;
        let credential = reader.array::<REFRESH_STATE_LEN>()?;
        let entry = Self {
            credential: match kind {
                1 => Credential::Cookie(*credential),
                2 => Credential::Tokens(RefreshState::from_bytes(credential).ok()?),
                _ => return None,
            },
            created_ms: i64::from_be_bytes(*reader.array()?),
            seen_ms: i64::from_be_bytes(*reader.array()?),
            client: Kept { network: read_network(reader)?, user_agent: *reader.array()? },
            label: {
                let [len] = *reader.array()?;
                core::str::from_utf8(reader.bytes(len.into())?).ok()?
            },
            data: {
                let len = u16::from_be_bytes(*reader.array()?);
                reader.bytes(len.into())?
            },
        };
        let is_whole = entry.created_ms >= 0
            && entry.seen_ms >= entry.created_ms
            && entry.label.len() <= MAX_LABEL_LEN
            && entry.label.chars().all(is_of_label)
            && entry.data.len() <= MAX_DATA_LEN;
        is_whole.then_some(entry)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match &self.credential {
            Credential::Cookie(hash) => {
                out.push(1);
                out.extend(hash);
            }
            Credential::Tokens(state) => {
                out.push(2);
                out.extend(state.to_bytes());
            }
        }
        out.extend(self.created_ms.to_be_bytes());
        out.extend(self.seen_ms.to_be_bytes());
        write_network(self.client.network, out);
        out.extend(self.client.user_agent);
        // INVARIANT: 64 and 512 bytes at most.
        out.push(u8::try_from(self.label.len()).unwrap_or(u8::MAX));
        out.extend(self.label.as_bytes());
        out.extend(u16::try_from(self.data.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend(self.data);
    }
}

fn handle_of(hash: &[u8; 32]) -> Handle {
    hash.first_chunk().copied().unwrap_or_default()
}

/// What a session id or a handle names.
pub(super) fn read_handle(text: &[u8]) -> Option<Handle> {
    if let Some(id) = SessionId::parse(text) {
        return Some(handle_of(&id.hash()));
    }
    let mut room = [0; 20];
    base64url::decode_to_slice(text, &mut room).ok()?.try_into().ok()
}

/// A label without what would write over the line that it stands in, cut to what is kept of it.
pub(super) fn clean_label(label: &str) -> String {
    let mut clean = String::new();
    for c in label.chars().filter(|c| is_of_label(*c)) {
        if clean.len().saturating_add(c.len_utf8()) > MAX_LABEL_LEN {
            break;
        }
        clean.push(c);
    }
    clean
}

/// Neither a control character nor one that turns the direction of text (Unicode's `Bidi_Control`).
fn is_of_label(c: char) -> bool {
    let is_bidi_control = matches!(
        c,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    );
    !c.is_control() && !is_bidi_control
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_one_line_in_one_direction_and_short() {
        assert_eq!(clean_label("Ann’s laptop, Firefox"), "Ann’s laptop, Firefox");
        assert_eq!(
            clean_label("a\r\n\0\u{7f}\u{85}\u{61c}\u{200e}\u{202a}\u{202e}\u{2066}\u{2069}b\u{2028}"),
            "ab\u{2028}"
        );
        assert_eq!(clean_label(&"é".repeat(40)).len(), 64);
        // Cut where a character would be cut, and not filled up with what comes behind.
        assert_eq!(clean_label(&("é".repeat(31) + "a€b")), "é".repeat(31) + "a");
    }

    #[test]
    fn an_id_and_its_handle_name_one_session() {
        let id = SessionId::parse(&[b'A'; 64]).unwrap();
        let handle = read_handle(&[b'A'; 64]).unwrap();
        assert_eq!(read_handle(base64url::encode(&handle).as_bytes()), Some(handle));
        assert_eq!(handle, id.hash()[..16]);
        for bad in
            [&b""[..], b"AAAA", &[b'A'; 21], &[b'A'; 23], &[b'A'; 24], &[b'A'; 63], b"AAAAAAAAAAAAAAAAAAAAAB"]
        {
            assert_eq!(read_handle(bad), None, "{bad:?}");
        }
    }
}
