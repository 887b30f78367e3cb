//! The entries of a header that proxies append to, the last one first.

use super::header::Header;

/// How much of a header is read, in bytes from its end: far more entries than a request passes proxies.
pub const MAX_READ_LEN: usize = 16 * 1024;

/// The entries of a header's lines, which make one list (RFC 9110 §5.3), from the right.
///
/// Empty entries are entries: a proxy that appended nothing does not vouch for what stands before it.
pub(super) struct Entries<'a> {
    header: Header,
    rest: Option<&'a [u8]>,
    is_cut: bool,
}

impl<'a> Entries<'a> {
    /// `lines`: with a LF between two.
    pub(super) fn of(header: Header, lines: &'a [u8]) -> Self {
        let start = lines.len().saturating_sub(MAX_READ_LEN);
        Self { header, rest: lines.get(start..), is_cut: start > 0 }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.take()?;
        let Some((before, entry)) = self.header.last_separator(rest).and_then(|at| rest.split_at_checked(at))
        else {
            // What is cut off in the middle might be read as another address: it is none.
            return Some(if self.is_cut { &[] } else { rest });
        };
        self.rest = Some(before);
        entry.get(1..)
    }
}
