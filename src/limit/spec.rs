//! Limits as texts, as the Python package `limits` reads them.

use alloc::vec::Vec;

use super::LimitError;
use super::limits::MAX_LIMITS;
use super::one::MAX_PERIOD_S;

/// The longest text of limits, in bytes.
pub const MAX_SPEC_LEN: usize = 1024;

const UNITS: [(&str, u32); 6] = [
    ("second", 1),
    ("minute", 60),
    ("hour", 60 * 60),
    ("day", 24 * 60 * 60),
    ("month", 30 * 24 * 60 * 60),
    ("year", 12 * 30 * 24 * 60 * 60),
];

/// One limit of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) amount: u32,
    pub(super) period_s: u32,
}

/// ```text
/// limits = limit *((";" / "," / "|") limit)
/// limit  = ws amount ws ("/" / "per") ws [multiple ws] unit ["s"] ws
/// ```
pub(super) fn parse(text: &str) -> Result<Vec<Item>, LimitError> {
    if text.len() > MAX_SPEC_LEN {
        return Err(LimitError::Spec { reason: "the text is too long", offset: MAX_SPEC_LEN });
    }
    let mut cursor = Cursor { text: text.as_bytes(), offset: 0 };
    let mut items = Vec::new();
    loop {
        items.push(item(&mut cursor)?);
        if items.len() > MAX_LIMITS {
            return Err(cursor.refuse("more than 8 limits"));
        }
        match cursor.next() {
            None => return Ok(items),
            Some(b';' | b',' | b'|') => {}
            Some(_) => {
                cursor.offset = cursor.offset.saturating_sub(1);
                return Err(cursor.refuse("expected `;`, `,`, `|` or the end"));
            }
        }
    }
}

fn item(cursor: &mut Cursor<'_>) -> Result<Item, LimitError> {
    cursor.skip_space();
    let amount = cursor.number()?.ok_or_else(|| cursor.refuse("expected an amount"))?;
    cursor.skip_space();
    if !cursor.skip(b"/") && !cursor.skip(b"per") {
        return Err(cursor.refuse("expected `/` or `per`"));
    }
    cursor.skip_space();
    let at_multiple = cursor.offset;
    let multiple = cursor.number()?.unwrap_or(1);
    cursor.skip_space();
    let at_unit = cursor.offset;
    let unit_s = cursor.unit().ok_or(LimitError::Spec {
        reason: "expected second, minute, hour, day, month or year",
        offset: at_unit,
    })?;
    cursor.skip_space();
    let period_s = multiple.checked_mul(unit_s).filter(|period_s| *period_s <= MAX_PERIOD_S);
    let period_s =
        period_s.ok_or(LimitError::Spec { reason: "the period is over 100 years", offset: at_multiple })?;
    Ok(Item { amount, period_s })
}

struct Cursor<'a> {
    text: &'a [u8],
    offset: usize,
}

impl Cursor<'_> {
    fn refuse(&self, reason: &'static str) -> LimitError {
        LimitError::Spec { reason, offset: self.offset }
    }

    fn rest(&self) -> &[u8] {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.rest().first().copied()?;
        self.offset = self.offset.saturating_add(1);
        Some(byte)
    }

    fn skip_space(&mut self) {
        let space = self.rest().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.offset = self.offset.saturating_add(space);
    }

    /// Skips `word`, in any case, if it is next.
    fn skip(&mut self, word: &[u8]) -> bool {
        let is_next = self.rest().get(..word.len()).is_some_and(|next| next.eq_ignore_ascii_case(word));
        if is_next {
            self.offset = self.offset.saturating_add(word.len());
        }
        is_next
    }

    /// The number that is next, if one is: from 1.
    fn number(&mut self) -> Result<Option<u32>, LimitError> {
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit());
        let (mut number, mut len) = (Some(0_u32), 0_usize);
        for digit in digits {
            let digit = u32::from(digit.saturating_sub(b'0'));
            number = number.and_then(|number| number.checked_mul(10)?.checked_add(digit));
            len = len.saturating_add(1);
        }
        if len == 0 {
            return Ok(None);
        }
        match number {
            None => Err(self.refuse("the number is over 4,294,967,295")),
            Some(0) => Err(self.refuse("the number is 0")),
            number => {
                self.offset = self.offset.saturating_add(len);
                Ok(number)
            }
        }
    }

    /// The seconds of the unit that is next, if one is.
    fn unit(&mut self) -> Option<u32> {
        let (_, seconds) = UNITS.into_iter().find(|(name, _)| self.skip(name.as_bytes()))?;
        self.skip(b"s");
        let ends = !self.rest().first().is_some_and(u8::is_ascii_alphanumeric);
        ends.then_some(seconds)
    }
}
