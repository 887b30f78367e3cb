//! Writing JSON: text escaped one way only, and white space taken out.

use alloc::string::String;

/// Appends `text` as a JSON string, quotes included: only what RFC 8259 §7 demands is escaped.
pub fn write_text(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    loop {
        let at = super::reader::plain_len(rest.as_bytes());
        if at == rest.len() {
            break;
        }
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = special.chars();
        if let Some(c) = chars.next() {
            escape(c, out);
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

fn escape(c: char, out: &mut String) {
    match c {
        '"' | '\\' => {
            out.push('\\');
            out.push(c);
        }
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        control => {
            out.push_str("\\u00");
            let code = u32::from(control);
            for digit in [code >> 4, code & 0xF] {
                out.push(char::from_digit(digit, 16).unwrap_or('0'));
            }
        }
    }
}

/// A JSON list of strings.
#[must_use]
pub fn text_list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::from("[");
    for (index, text) in texts.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_text(text, &mut out);
    }
    out.push(']');
    out
}

/// A JSON list of what is JSON text already.
#[must_use]
pub fn list(values: &[String]) -> String {
    alloc::format!("[{}]", values.join(","))
}

/// Appends an integer. Without the machinery of `format!`, which takes as long as the rest of a claim.
pub fn write_integer(value: i64, out: &mut String) {
    out.push_str(itoa::Buffer::new().format(value));
}

/// The same JSON text without white space between its tokens. `text` has been read before.
#[must_use]
pub fn compact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_string = false;
    let mut escaped = false;
    for c in text.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if matches!(c, ' ' | '\t' | '\n' | '\r') {
            continue;
        } else {
            in_string = c == '"';
        }
        out.push(c);
    }
    out
}

/// Writes one object, member by member, in the order of the calls.
#[derive(Debug)]
pub struct ObjectWriter<'a> {
    out: &'a mut String,
    empty: bool,
}

impl<'a> ObjectWriter<'a> {
    /// Opens an object at the end of `out`.
    #[must_use]
    pub fn open(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, empty: true }
    }

    /// A member whose value is JSON text already.
    pub fn raw(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        self.out.push_str(value);
        self
    }

    /// A string.
    pub fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        write_text(value, self.out);
        self
    }

    /// A string, or `null`.
    pub fn optional_text(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(name, value),
            None => self.raw(name, "null"),
        }
    }

    /// An integer.
    pub fn integer(&mut self, name: &str, value: i64) -> &mut Self {
        self.name(name);
        write_integer(value, self.out);
        self
    }

    /// Closes the object.
    pub fn close(&mut self) {
        self.out.push('}');
    }

    fn name(&mut self, name: &str) {
        if !core::mem::take(&mut self.empty) {
            self.out.push(',');
        }
        write_text(name, self.out);
        self.out.push(':');
    }
}
