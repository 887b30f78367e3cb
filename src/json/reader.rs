//! The reader: one pass over the text, every rule checked where it is met.

use alloc::vec::Vec;

use super::value::Flag;
use super::{Array, JsonError, Limits, Number, Object, Text, Value};

/// Names that are compared with one another before anything is allocated.
const INLINE_NAMES: usize = 16;

pub(super) fn parse(text: &[u8], limits: Limits, repeats: bool) -> Result<Value<'_>, JsonError> {
    let mut scanner = Scanner::new(text, limits)?;
    scanner.repeats = repeats;
    let value = scanner.value(limits.depth)?;
    scanner.end()?;
    Ok(value)
}

/// The members of the object that a whole text is, checked as they are read: the one pass that tokens
/// are read in. The end of the text has been checked once `next_member` has returned `None`.
#[derive(Debug)]
pub struct Members<'a> {
    scanner: Scanner<'a>,
    names: Names<'a>,
    // `None` where the text has been checked before, so that names need no second look.
    checking: bool,
    opened: bool,
}

impl<'a> Members<'a> {
    /// Opens `text`, which must be one object.
    ///
    /// # Errors
    /// - [`JsonError`]: not UTF-8, or not an object.
    pub fn open(text: &'a [u8], limits: Limits) -> Result<Self, JsonError> {
        Self::begin(Scanner::new(text, limits)?)
    }

    /// Opens `text`, known to be UTF-8, which must be one object.
    ///
    /// # Errors
    /// - [`JsonError`]: not an object.
    pub fn open_str(text: &'a str, limits: Limits) -> Result<Self, JsonError> {
        Self::begin(Scanner::over(text, limits))
    }

    fn begin(mut scanner: Scanner<'a>) -> Result<Self, JsonError> {
        scanner.space();
        scanner.expect(b'{')?;
        Ok(Self { scanner, names: Names::new(), checking: true, opened: false })
    }

    pub(super) fn reopen(raw: &'a str) -> Self {
        let mut scanner = Scanner::again(raw);
        scanner.eat(b'{');
        Self { scanner, names: Names::new(), checking: false, opened: false }
    }

    /// The next member, or `None` behind the last.
    ///
    /// # Errors
    /// - [`JsonError`]: not strict JSON, or over a limit.
    pub fn next_member(&mut self) -> Result<Option<(Text<'a>, Value<'a>)>, JsonError> {
        let scanner = &mut self.scanner;
        let Some(name) = scanner.name(self.opened)? else {
            if self.checking {
                self.names.close().map_err(|()| scanner.error())?;
                scanner.end()?;
            }
            return Ok(None);
        };
        self.opened = true;
        if self.checking {
            self.names.insert(name, scanner.limits.members).map_err(|()| scanner.error())?;
        }
        let value = scanner.value(scanner.limits.depth.saturating_sub(1))?;
        Ok(Some((name, value)))
    }

    /// Whether white space stood between the tokens read so far.
    #[must_use]
    pub fn has_space(&self) -> bool {
        self.scanner.has_space
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (Text<'a>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.next_member().ok().flatten()
    }
}

/// The elements of a checked array.
pub(super) struct Elements<'a> {
    scanner: Scanner<'a>,
    opened: bool,
}

impl<'a> Elements<'a> {
    pub(super) fn reopen(raw: &'a str) -> Self {
        let mut scanner = Scanner::again(raw);
        scanner.eat(b'[');
        Self { scanner, opened: false }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        if !self.scanner.element(self.opened).ok()? {
            return None;
        }
        self.opened = true;
        self.scanner.value(u8::MAX).ok()
    }
}

/// The names of one object: equal ones are found among the first few by comparing each with each, and
/// past those by sorting, so that no choice of names makes it slow.
#[derive(Debug)]
struct Names<'a> {
    few: [Text<'a>; INLINE_NAMES],
    count: usize,
    more: Vec<Text<'a>>,
}

impl<'a> Names<'a> {
    const fn new() -> Self {
        Self { few: [Text::EMPTY; INLINE_NAMES], count: 0, more: Vec::new() }
    }

    fn insert(&mut self, name: Text<'a>, most: usize) -> Result<(), ()> {
        if self.count >= most {
            return Err(());
        }
        if self.count < INLINE_NAMES {
            if self.few.iter().take(self.count).any(|seen| *seen == name) {
                return Err(());
            }
            if let Some(slot) = self.few.get_mut(self.count) {
                *slot = name;
            }
        } else {
            self.more.try_reserve(1).map_err(|_| ())?;
            self.more.push(name);
        }
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    fn count_only(&mut self, most: usize) -> Result<(), ()> {
        self.count = self.count.saturating_add(1);
        if self.count > most { Err(()) } else { Ok(()) }
    }

    fn close(&mut self) -> Result<(), ()> {
        if self.more.is_empty() {
            return Ok(());
        }
        self.more.try_reserve(INLINE_NAMES).map_err(|_| ())?;
        self.more.extend_from_slice(&self.few);
        self.more.sort_unstable();
        let distinct = self.more.is_sorted_by(|a, b| a < b);
        distinct.then_some(()).ok_or(())
    }
}

#[derive(Debug)]
struct Scanner<'a> {
    text: &'a str,
    at: usize,
    limits: Limits,
    has_space: bool,
    /// Whether names may repeat.
    repeats: bool,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a [u8], limits: Limits) -> Result<Self, JsonError> {
        let text = core::str::from_utf8(text).map_err(|error| JsonError { offset: error.valid_up_to() })?;
        Ok(Self::over(text, limits))
    }

    const fn over(text: &'a str, limits: Limits) -> Self {
        Self { text, at: 0, limits, has_space: false, repeats: false }
    }

    /// Over a text that was read before: what was found out about it is not found out again.
    const fn again(text: &'a str) -> Self {
        let limits = Limits { depth: u8::MAX, members: usize::MAX };
        Self { text, at: 0, limits, has_space: false, repeats: true }
    }

    const fn error(&self) -> JsonError {
        JsonError { offset: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    const fn advance(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.advance(1);
        }
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        self.eat(byte).then_some(()).ok_or_else(|| self.error())
    }

    fn since(&self, start: usize) -> Result<&'a str, JsonError> {
        self.text.get(start..self.at).ok_or_else(|| self.error())
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.has_space = true;
            self.advance(1);
        }
    }

    fn end(&mut self) -> Result<(), JsonError> {
        self.space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.error()) }
    }

    /// `depth`: how many containers may still be opened.
    fn value(&mut self, depth: u8) -> Result<Value<'a>, JsonError> {
        self.space();
        match self.peek().ok_or_else(|| self.error())? {
            b'"' => self.string().map(Value::Text),
            b'{' => self.object(depth).map(Value::Object),
            b'[' => self.array(depth).map(Value::Array),
            b'-' | b'0'..=b'9' => self.number().map(Value::Number),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            _ => Err(self.error()),
        }
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, JsonError> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return Err(self.error());
        }
        self.advance(word.len());
        Ok(value)
    }

    fn object(&mut self, depth: u8) -> Result<Object<'a>, JsonError> {
        let start = self.at;
        let inner = depth.checked_sub(1).ok_or_else(|| self.error())?;
        self.expect(b'{')?;
        let mut names = Names::new();
        while let Some(name) = self.name(names.count > 0)? {
            if self.repeats {
                names.count_only(self.limits.members).map_err(|()| self.error())?;
                self.value(inner)?;
                continue;
            }
            names.insert(name, self.limits.members).map_err(|()| self.error())?;
            self.value(inner)?;
        }
        names.close().map_err(|()| self.error())?;
        Ok(Object { raw: self.since(start)? })
    }

    fn array(&mut self, depth: u8) -> Result<Array<'a>, JsonError> {
        let start = self.at;
        let inner = depth.checked_sub(1).ok_or_else(|| self.error())?;
        self.expect(b'[')?;
        let mut all_text = true;
        let mut opened = false;
        while self.element(opened)? {
            opened = true;
            all_text &= matches!(self.value(inner)?, Value::Text(_));
        }
        Ok(Array { raw: self.since(start)?, all_text: Flag::of(all_text) })
    }

    /// Moves to the next member and past its colon; `None` past the closing brace.
    fn name(&mut self, opened: bool) -> Result<Option<Text<'a>>, JsonError> {
        self.space();
        if self.eat(b'}') {
            return Ok(None);
        }
        if opened {
            self.expect(b',')?;
            self.space();
        }
        let name = self.string()?;
        self.space();
        self.expect(b':')?;
        Ok(Some(name))
    }

    /// Moves to the next element; false past the closing bracket.
    fn element(&mut self, opened: bool) -> Result<bool, JsonError> {
        self.space();
        if self.eat(b']') {
            return Ok(false);
        }
        if opened {
            self.expect(b',')?;
        }
        Ok(true)
    }

    fn string(&mut self) -> Result<Text<'a>, JsonError> {
        self.expect(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            self.advance(plain_len(rest));
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                _ => return Err(self.error()),
            }
            escaped = true;
        }
        let raw = self.since(start)?;
        self.advance(1);
        Ok(Text::new(raw, escaped))
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        self.advance(1);
        let letter = self.peek().ok_or_else(|| self.error())?;
        self.advance(1);
        match letter {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => self.unicode(),
            _ => Err(self.error()),
        }
    }

    /// `XXXX` of a `\uXXXX`; a high surrogate wants its low one right behind it, and a low one may not
    /// come alone.
    fn unicode(&mut self) -> Result<(), JsonError> {
        match self.unit()? {
            0xD800..=0xDBFF => {
                self.expect(b'\\')?;
                self.expect(b'u')?;
                if (0xDC00..=0xDFFF).contains(&self.unit()?) { Ok(()) } else { Err(self.error()) }
            }
            0xDC00..=0xDFFF => Err(self.error()),
            _ => Ok(()),
        }
    }

    fn unit(&mut self) -> Result<u32, JsonError> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            unit = unit << 4 | digit.ok_or_else(|| self.error())?;
            self.advance(1);
        }
        Ok(unit)
    }

    /// RFC 8259 §6: no leading zero, no bare point, no plus sign, no `NaN`.
    fn number(&mut self) -> Result<Number<'a>, JsonError> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _sign = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Ok(Number::new(self.since(start)?))
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.advance(1);
        }
        if self.at > start { Ok(()) } else { Err(self.error()) }
    }
}

/// How many bytes come before the first that ends or escapes a string, or has no place in one: eight at a
/// time, for strings are most of what tokens are made of.
pub(super) fn plain_len(text: &[u8]) -> usize {
    let (words, tail) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        if let Some(within) = first_special(*word) {
            return index.saturating_mul(8).saturating_add(within);
        }
    }
    // The last word overlaps bytes that were looked at: what it finds lies in the tail.
    match text.last_chunk::<8>() {
        Some(_) if tail.is_empty() => text.len(),
        Some(word) => first_special(*word)
            .map_or(text.len(), |within| text.len().saturating_sub(8).saturating_add(within)),
        None => {
            let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
            text.iter().position(special).unwrap_or(text.len())
        }
    }
}

/// Where in eight bytes the first one stands that ends or escapes a string, or has no place in one.
fn first_special(word: [u8; 8]) -> Option<usize> {
    let special = special_bytes(u64::from_le_bytes(word));
    let within = usize::try_from(special.trailing_zeros() / 8).unwrap_or_default();
    (special != 0).then_some(within)
}

/// The high bit of each byte that is a quote, a backslash or a control character. Bytes above the lowest
/// of them may be marked by a borrow; the lowest never is.
const fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHS: u64 = u64::from_le_bytes([0x80; 8]);
    const QUOTES: u64 = u64::from_le_bytes([b'"'; 8]);
    const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; 8]);
    const SPACES: u64 = u64::from_le_bytes([0x20; 8]);
    let (quote, backslash) = (word ^ QUOTES, word ^ BACKSLASHES);
    let quotes = quote.wrapping_sub(ONES) & !quote;
    let backslashes = backslash.wrapping_sub(ONES) & !backslash;
    let controls = word.wrapping_sub(SPACES) & !word;
    (quotes | backslashes | controls) & HIGHS
}
