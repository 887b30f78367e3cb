//! A record: what was revoked, since when, and until when somebody has to know.

use alloc::vec::Vec;

use crate::bytes::Reader;

/// The longest id that is revoked, in bytes: of a token, a family, a key, a subject.
pub const MAX_REVOKED_ID_LEN: usize = 1024;

/// The bytes of a record before its id.
const HEAD_LEN: usize = 18;

const VERSION: u8 = 1;

/// What an id is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Token = 1,
    Family = 2,
    Subject = 3,
    Key = 4,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Token, Self::Family, Self::Subject, Self::Key];

    /// The number, as records and sets spell it.
    pub(super) const fn byte(self) -> u8 {
        self as u8
    }
}

/// A record that was read, or is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) kind: Kind,
    /// It may be forgotten after this.
    pub(super) until_s: i64,
    /// Since when the subject's tokens are revoked; 0 of everything else.
    pub(super) since_s: i64,
    pub(super) id: &'a [u8],
}

impl<'a> Record<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let &[VERSION, kind] = reader.array()? else { return None };
        let kind = Kind::ALL.into_iter().find(|one| one.byte() == kind)?;
        let until_s = i64::from_be_bytes(*reader.array()?);
        let since_s = i64::from_be_bytes(*reader.array()?);
        let id = reader.0;
        let is_sound =
            (1..=MAX_REVOKED_ID_LEN).contains(&id.len()) && (kind == Kind::Subject || since_s == 0);
        is_sound.then_some(Self { kind, until_s, since_s, id })
    }

    /// The record, if it is of this kind and about this id.
    pub(super) fn read_of(bytes: &'a [u8], kind: Kind, id: &str) -> Option<Self> {
        Self::read(bytes).filter(|record| record.kind == kind && record.id == id.as_bytes())
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_LEN.saturating_add(self.id.len()));
        bytes.extend_from_slice(&[VERSION, self.kind.byte()]);
        bytes.extend_from_slice(&self.until_s.to_be_bytes());
        bytes.extend_from_slice(&self.since_s.to_be_bytes());
        bytes.extend_from_slice(self.id);
        bytes
    }
}
