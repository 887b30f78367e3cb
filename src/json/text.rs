//! A JSON string: its text between the quotes, escapes unresolved until somebody asks.

use alloc::borrow::Cow;
use alloc::string::String;
use core::cmp::Ordering;
use core::str::Chars;

use super::value::Flag;

/// A checked JSON string. Compares by what it means: `"\u0061"` equals `"a"`.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    // INVARIANT: the reader has checked every escape, and that surrogates come in pairs.
    raw: &'a str,
    escaped: Flag,
}

impl<'a> Text<'a> {
    pub(super) const EMPTY: Self = Self { raw: "", escaped: Flag::No };

    pub(super) const fn new(raw: &'a str, escaped: bool) -> Self {
        Self { raw, escaped: Flag::of(escaped) }
    }

    /// The text between the quotes as it stands in the input.
    #[must_use]
    pub const fn raw(self) -> &'a str {
        self.raw
    }

    /// What it means, borrowed, if it has no escape.
    #[must_use]
    pub const fn plain(self) -> Option<&'a str> {
        match self.escaped {
            Flag::No => Some(self.raw),
            Flag::Yes => None,
        }
    }

    /// What it means.
    #[must_use]
    pub fn decode(self) -> Cow<'a, str> {
        match self.plain() {
            Some(plain) => Cow::Borrowed(plain),
            None => Cow::Owned(self.chars().collect::<String>()),
        }
    }

    /// The characters that it means.
    pub fn chars(self) -> impl Iterator<Item = char> + 'a {
        Unescape { rest: self.raw.chars() }
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.plain(), other.plain()) {
            (Some(a), Some(b)) => a == b,
            _ => self.chars().eq(other.chars()),
        }
    }
}

impl Eq for Text<'_> {}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        match self.plain() {
            Some(plain) => plain == other,
            None => self.chars().eq(other.chars()),
        }
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl PartialOrd for Text<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text<'_> {
    // The order of UTF-8 bytes is the order of code points, so both arms agree.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.plain(), other.plain()) {
            (Some(a), Some(b)) => a.cmp(b),
            _ => self.chars().cmp(other.chars()),
        }
    }
}

struct Unescape<'a> {
    rest: Chars<'a>,
}

impl Unescape<'_> {
    fn unit(&mut self) -> u32 {
        (0..4).fold(0, |unit, _| {
            let digit = self.rest.next().and_then(|c| c.to_digit(16)).unwrap_or(0);
            unit << 4 | digit
        })
    }

    fn code_point(&mut self) -> u32 {
        let high = self.unit();
        if !(0xD800..0xDC00).contains(&high) {
            return high;
        }
        // INVARIANT: the reader saw a low surrogate, written as `\uXXXX`, behind every high one.
        self.rest.next();
        self.rest.next();
        let low = self.unit();
        0x1_0000_u32.wrapping_add((high & 0x3FF) << 10 | (low & 0x3FF))
    }
}

impl Iterator for Unescape<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self.rest.next()? {
            '\\' => Some(match self.rest.next()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => char::from_u32(self.code_point()).unwrap_or(char::REPLACEMENT_CHARACTER),
                literal => literal,
            }),
            literal => Some(literal),
        }
    }
}
