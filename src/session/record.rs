//! The record of a user: all sign-ins, in the order in which they began.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::config::MAX_PER_USER;
use super::entry::{Entry, Handle, MAX_ENTRY_LEN};
use crate::bytes::Reader;

/// The longest subject, in bytes.
pub const MAX_SUBJECT_LEN: usize = 1024;

/// The bytes of a longest record that is not sealed.
pub(super) const MAX_RECORD_LEN: usize = 1 + 2 + MAX_SUBJECT_LEN + 1 + MAX_PER_USER * MAX_ENTRY_LEN;

/// The first byte of a record, and of a sealed one.
pub(super) const PLAIN: u8 = 1;
pub(super) const SEALED: u8 = 2;

// INVARIANT: 64 entries at most, none of them twice, in order of creation.
pub(super) struct Record<'a> {
    /// Empty for nobody.
    pub(super) subject: &'a str,
    pub(super) entries: Vec<Entry<'a>>,
}

impl<'a> Record<'a> {
    /// `None` for whatever [`Record::write`] does not write.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let [PLAIN] = *reader.array()? else { return None };
        let subject_len = usize::from(u16::from_be_bytes(*reader.array()?));
        let subject = core::str::from_utf8(reader.bytes(subject_len)?).ok()?;
        let count = usize::from(u8::from_be_bytes(*reader.array()?));
        if subject_len > MAX_SUBJECT_LEN || !(1..=MAX_PER_USER).contains(&count) {
            return None;
        }
        let mut entries: Vec<Entry<'_>> = Vec::with_capacity(count);
        for _ in 0..count {
            let entry = Entry::read(&mut reader)?;
            let is_next = entries.last().is_none_or(|last| last.created_ms <= entry.created_ms);
            if !is_next || entries.iter().any(|other| other.handle() == entry.handle()) {
                return None;
            }
            entries.push(entry);
        }
        reader.0.is_empty().then_some(Self { subject, entries })
    }

    pub(super) fn write(&self) -> Zeroizing<Vec<u8>> {
        // Room enough from the start: what grows leaves copies of the data behind.
        let room = self.entries.len().saturating_mul(MAX_ENTRY_LEN);
        let room = room.saturating_add(self.subject.len()).saturating_add(4);
        let mut out = Zeroizing::new(Vec::with_capacity(room));
        out.push(PLAIN);
        // INVARIANT: 1,024 bytes, and 64 entries, at most.
        out.extend(u16::try_from(self.subject.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend(self.subject.as_bytes());
        out.push(u8::try_from(self.entries.len()).unwrap_or(u8::MAX));
        for entry in &self.entries {
            entry.write(&mut out);
        }
        out
    }

    pub(super) fn position(&self, handle: &Handle) -> Option<usize> {
        self.find(|entry| crate::ct::eq(&entry.handle(), handle))
    }

    /// The place of the entry; every one is looked at.
    pub(super) fn find(&self, is_it: impl Fn(&Entry<'_>) -> bool) -> Option<usize> {
        let entries = self.entries.iter().enumerate();
        entries.fold(None, |found, (at, entry)| if is_it(entry) { Some(at) } else { found })
    }

    /// Puts an entry in behind all that are as old.
    pub(super) fn insert(&mut self, entry: Entry<'a>) {
        let at = self.entries.partition_point(|other| other.created_ms <= entry.created_ms);
        self.entries.insert(at, entry);
    }
}
