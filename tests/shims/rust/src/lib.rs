//! The conformance shim of the Rust crate (`tests/shims/README.md`): it takes the members of a request,
//! calls `donjon`, and writes what came back.

mod columns;
mod envelopes;
mod fernet;
mod limits;
mod operations;
mod passwords;
mod refusal;
mod request;
mod revocation;
mod roles;
mod sessions;

use donjon::json::{ObjectWriter, write_text};

use request::Request;

/// The members of an answer, in the order in which they are written.
struct Answer {
    members: Vec<(&'static str, String)>,
}

impl Answer {
    const fn empty() -> Self {
        Self { members: Vec::new() }
    }

    /// A member whose value is JSON already.
    fn raw(mut self, name: &'static str, json: impl Into<String>) -> Self {
        self.members.push((name, json.into()));
        self
    }

    fn text(self, name: &'static str, text: &str) -> Self {
        let mut json = String::new();
        write_text(text, &mut json);
        self.raw(name, json)
    }

    fn hex(self, name: &'static str, bytes: &[u8]) -> Self {
        self.text(name, &hex(bytes))
    }

    fn texts<'a>(self, name: &'static str, texts: impl Iterator<Item = &'a str>) -> Self {
        let mut json = String::from("[");
        for text in texts {
            if json.len() > 1 {
                json.push(',');
            }
            write_text(text, &mut json);
        }
        json.push(']');
        self.raw(name, json)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Answers one request.
#[must_use]
pub fn answer(line: &str) -> String {
    let request = Request::read(line);
    let id = request.as_ref().map_or("null", Request::id);
    let outcome = request.as_ref().map_err(|refusal| *refusal).and_then(operations::dispatch);
    let mut out = String::new();
    let mut object = ObjectWriter::open(&mut out);
    object.raw("id", id);
    match outcome {
        Ok(answer) => {
            object.raw("ok", "true");
            for (name, json) in &answer.members {
                object.raw(name, json);
            }
        }
        Err(refusal) => {
            object.raw("ok", "false").text("error", refusal.name());
        }
    }
    object.close();
    out
}
