//! The claims of a token (RFC 7519 §4): the registered ones typed, the rest as JSON.

use alloc::string::String;
use core::ops::Range;

use super::TokenError;
use crate::json::{self, Array, Limits, Members, Number, Object, Text, Value};
use crate::time::NumericDate;

/// A stretch of the text that [`Claims`] keeps, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// Where it lies.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        let start = usize::try_from(self.start).unwrap_or(usize::MAX);
        let len = usize::try_from(self.len).unwrap_or(usize::MAX);
        start..start.saturating_add(len)
    }

    // A token is bounded far below 4 GiB, so nothing is ever cut here; if it were, the span would lie
    // outside the text and read as nothing.
    fn new(start: usize, len: usize) -> Self {
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { start: narrow(start), len: narrow(len) }
    }
}

/// Where in the text the registered claims lie.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spans {
    pub(crate) issuer: Option<Span>,
    pub(crate) subject: Option<Span>,
    pub(crate) token_id: Option<Span>,
    pub(crate) family: Option<Span>,
    pub(crate) audience: Option<Span>,
    pub(crate) permissions: Option<Span>,
    pub(crate) roles: Option<Span>,
    pub(crate) key_id: Option<Span>,
}

/// The claims of a token that was verified.
///
/// One buffer holds them: the JSON first, then the text of what needed unescaping and the key's id.
#[derive(Debug, Clone)]
pub struct Claims {
    pub(super) text: String,
    json_len: usize,
    pub(crate) spans: Spans,
    pub(super) expires_at: Option<NumericDate>,
    pub(super) not_before: Option<NumericDate>,
    pub(super) issued_at: Option<NumericDate>,
    pub(super) generation: Option<u32>,
    /// Which of the names that the verifier asked for are there: a bit each.
    pub(super) found: u64,
    /// `aud` is neither a string nor a list of strings.
    pub(super) has_bad_audience: bool,
}

impl Claims {
    /// Reads and checks the types of the claims; `wanted` are names whose presence is recorded.
    pub(super) fn read<S: AsRef<str>>(
        payload: alloc::vec::Vec<u8>,
        wanted: &[S],
    ) -> Result<Self, TokenError> {
        let text = String::from_utf8(payload).map_err(|_| TokenError::Malformed)?;
        let (read, has_space) = Self::read_text(text, wanted)?;
        if has_space {
            // What the hosts see is one line without white space, whoever minted the token.
            return Ok(Self::read_text(json::compact(read.json()), wanted)?.0);
        }
        Ok(read)
    }

    fn read_text<S: AsRef<str>>(text: String, wanted: &[S]) -> Result<(Self, bool), TokenError> {
        let mut reading = Reading { source: &text, decoded: String::new() };
        let mut spans = Spans::default();
        let mut times = [None; 3];
        let [expires_at, not_before, issued_at] = &mut times;
        let mut generation = None;
        let mut found = 0;
        let mut has_bad_audience = false;
        // A text that is no strict JSON outranks a claim of the wrong type, wherever in it that stands.
        let mut types = Ok(());
        let mut members = Members::open_str(&text, Limits::DOCUMENT)?;
        while let Some((name, value)) = members.next_member()? {
            let decoded;
            let name = match name.plain() {
                Some(plain) => plain,
                None => {
                    decoded = name.decode();
                    &decoded
                }
            };
            let typed = match name {
                "iss" => reading.text(value).map(|span| spans.issuer = Some(span)),
                "sub" => reading.text(value).map(|span| spans.subject = Some(span)),
                "jti" => reading.text(value).map(|span| spans.token_id = Some(span)),
                "aud" => {
                    spans.audience = reading.audience(value);
                    has_bad_audience = spans.audience.is_none();
                    Ok(())
                }
                "exp" => date(value).map(|date| *expires_at = Some(date)),
                "nbf" => date(value).map(|date| *not_before = Some(date)),
                "iat" => date(value).map(|date| *issued_at = Some(date)),
                "permissions" => reading.list(value).map(|span| spans.permissions = Some(span)),
                "roles" => reading.list(value).map(|span| spans.roles = Some(span)),
                // Names that other issuers may use for other things: typed only where they fit.
                "family" => {
                    spans.family = reading.text(value).ok();
                    Ok(())
                }
                "generation" => {
                    generation = small_integer(value);
                    Ok(())
                }
                _ => Ok(()),
            };
            types = types.and(typed);
            if let Some(at) = wanted.iter().position(|wanted| wanted.as_ref() == name) {
                found |= bit(at);
            }
        }
        types?;
        let has_space = members.has_space();
        let decoded = reading.decoded;
        let json_len = text.len();
        let mut text = text;
        text.push_str(&decoded);
        let [expires_at, not_before, issued_at] = times;
        let claims = Self {
            text,
            json_len,
            spans,
            expires_at,
            not_before,
            issued_at,
            generation,
            found,
            has_bad_audience,
        };
        Ok((claims, has_space))
    }

    pub(super) fn set_key_id(&mut self, id: &str) {
        self.spans.key_id = Some(Span::new(self.text.len(), id.len()));
        self.text.push_str(id);
    }

    /// All claims as one JSON object, without white space between its tokens.
    #[must_use]
    pub fn json(&self) -> &str {
        self.text.get(..self.json_len).unwrap_or_default()
    }

    /// Who minted the token, `iss`.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.at(self.spans.issuer)
    }

    /// Whom the token is about, `sub`.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.at(self.spans.subject)
    }

    /// The token's own id, `jti`.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.at(self.spans.token_id)
    }

    /// A refresh token's family.
    #[must_use]
    pub fn family(&self) -> Option<&str> {
        self.at(self.spans.family)
    }

    /// A refresh token's place in its family.
    #[must_use]
    pub const fn generation(&self) -> Option<u32> {
        self.generation
    }

    /// The id of the key that signed the token.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.at(self.spans.key_id)
    }

    /// Whom the token is for, `aud`: one or several.
    pub fn audience(&self) -> impl Iterator<Item = Text<'_>> {
        let value = self.value(self.spans.audience);
        let one = match value {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        };
        one.into_iter().chain(as_array(value).into_iter().flat_map(Array::texts))
    }

    /// The permissions that the token carries.
    pub fn permissions(&self) -> impl Iterator<Item = Text<'_>> {
        self.list(self.spans.permissions)
    }

    /// The roles that the token carries.
    pub fn roles(&self) -> impl Iterator<Item = Text<'_>> {
        self.list(self.spans.roles)
    }

    /// When the token ends, `exp`.
    #[must_use]
    pub const fn expires_at(&self) -> Option<NumericDate> {
        self.expires_at
    }

    /// When the token begins, `nbf`.
    #[must_use]
    pub const fn not_before(&self) -> Option<NumericDate> {
        self.not_before
    }

    /// When the token was minted, `iat`.
    #[must_use]
    pub const fn issued_at(&self) -> Option<NumericDate> {
        self.issued_at
    }

    /// Any claim, by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        self.object()?.get(name)
    }

    /// The whole buffer that the spans point into.
    #[cfg(feature = "ffi")]
    pub(crate) fn buffer(&self) -> &str {
        &self.text
    }

    #[cfg(feature = "ffi")]
    pub(crate) const fn json_len(&self) -> usize {
        self.json_len
    }

    fn object(&self) -> Option<Object<'_>> {
        match json::parse(self.json().as_bytes(), Limits::DOCUMENT) {
            Ok(Value::Object(object)) => Some(object),
            _ => None,
        }
    }

    fn at(&self, span: Option<Span>) -> Option<&str> {
        self.text.get(span?.range())
    }

    /// The strings of a list whose span was checked when the claims were read.
    fn list(&self, span: Option<Span>) -> impl Iterator<Item = Text<'_>> {
        self.at(span).map(Array::of_checked_texts).into_iter().flat_map(Array::texts)
    }

    fn value(&self, span: Option<Span>) -> Option<Value<'_>> {
        json::parse(self.at(span)?.as_bytes(), Limits::DOCUMENT).ok()
    }
}

/// A bit for each of the first 64 names; a verifier asks for no more.
pub(super) fn bit(at: usize) -> u64 {
    u32::try_from(at).ok().and_then(|at| 1_u64.checked_shl(at)).unwrap_or(0)
}

fn as_array(value: Option<Value<'_>>) -> Option<Array<'_>> {
    match value {
        Some(Value::Array(array)) => Some(array),
        _ => None,
    }
}

fn date(value: Value<'_>) -> Result<NumericDate, TokenError> {
    match value {
        Value::Number(number) => number.numeric_date().ok_or(TokenError::BadClaimType),
        _ => Err(TokenError::BadClaimType),
    }
}

fn small_integer(value: Value<'_>) -> Option<u32> {
    match value {
        Value::Number(number) => Number::integer(number).and_then(|n| u32::try_from(n).ok()),
        _ => None,
    }
}

/// Turns what the reader borrowed into spans of one buffer.
struct Reading<'a> {
    source: &'a str,
    decoded: String,
}

impl Reading<'_> {
    /// Where `part`, a piece of the source, lies in it.
    fn span(&self, part: &str) -> Span {
        let start = (part.as_ptr() as usize).wrapping_sub(self.source.as_ptr() as usize);
        Span::new(start, part.len())
    }

    /// A string with its quotes, as raw JSON.
    fn quoted(&self, text: Text<'_>) -> Span {
        let inner = self.span(text.raw()).range();
        Span::new(inner.start.saturating_sub(1), inner.len().saturating_add(2))
    }

    fn text(&mut self, value: Value<'_>) -> Result<Span, TokenError> {
        let Value::Text(text) = value else { return Err(TokenError::BadClaimType) };
        if let Some(plain) = text.plain() {
            return Ok(self.span(plain));
        }
        let start = self.source.len().saturating_add(self.decoded.len());
        let before = self.decoded.len();
        self.decoded.extend(text.chars());
        Ok(Span::new(start, self.decoded.len().saturating_sub(before)))
    }

    /// A string with its quotes, or a list of strings.
    fn audience(&self, value: Value<'_>) -> Option<Span> {
        match value {
            Value::Text(text) => Some(self.quoted(text)),
            value => self.list(value).ok(),
        }
    }

    fn list(&self, value: Value<'_>) -> Result<Span, TokenError> {
        match value {
            Value::Array(array) if array.is_all_text() => Ok(self.span(array.raw())),
            _ => Err(TokenError::BadClaimType),
        }
    }
}
