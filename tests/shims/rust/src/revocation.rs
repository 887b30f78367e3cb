//! The operations of revocation, of the store's marker, and of the offline set.

use donjon::entropy::FixedEntropy;
use donjon::revocation::{
    Revocable, RevocationError, RevocationSet, Revocations, SetTerms, StoreMarker, Suspect, sign_set,
};

use crate::Answer;
use crate::operations::{Outcome, keyring};
use crate::refusal::Refusal;
use crate::request::Request;

/// What rules are made of.
struct Rules<'a> {
    keyring: &'a str,
    config: &'a str,
}

impl<'a> Rules<'a> {
    fn read(request: &Request<'a>) -> Result<Self, Refusal> {
        let config = request.optional_raw("config").unwrap_or_default();
        Ok(Self { keyring: request.raw("keyring")?, config })
    }

    fn make(&self) -> Result<Revocations, Refusal> {
        Ok(Revocations::new(&keyring(self.keyring)?, self.config.as_bytes())?)
    }
}

/// What of a token is looked up.
struct Token {
    subject: String,
    token_id: String,
    family: String,
    key_id: String,
}

impl Token {
    fn read(request: &Request<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            subject: request.text("subject")?,
            token_id: request.text("token_id")?,
            family: request.text("family")?,
            key_id: request.text("key_id")?,
        })
    }

    fn issued_at(&self, issued_at_s: Option<i64>) -> Suspect<'_> {
        let Self { subject, token_id, family, key_id } = self;
        Suspect { subject, token_id, family, key_id, issued_at_s }
    }
}

/// What is revoked.
struct Revoked {
    kind: String,
    subject: String,
    name: String,
}

impl Revoked {
    fn read(request: &Request<'_>) -> Result<Self, Refusal> {
        let (kind, subject, name) = (request.text("kind")?, request.text("subject")?, request.text("name")?);
        let this = Self { kind, subject, name };
        this.revocable().map(|_| ())?;
        Ok(this)
    }

    fn revocable(&self) -> Result<Revocable<'_>, Refusal> {
        let Self { kind, subject, name } = self;
        match kind.as_str() {
            "token" => Ok(Revocable::Token { subject, token_id: name }),
            "family" => Ok(Revocable::Family { subject, family: name }),
            "subject" => Ok(Revocable::Subject(subject)),
            "key" => Ok(Revocable::Key(name)),
            _ => Err(Refusal::BadRequest),
        }
    }
}

/// Each value with its length before it.
fn parts(request: &Request<'_>, name: &str) -> Result<Vec<u8>, Refusal> {
    let mut joined = Vec::new();
    for value in request.hexes(name)? {
        let length = u32::try_from(value.len()).map_err(|_| Refusal::BadRequest)?;
        joined.extend_from_slice(&length.to_be_bytes());
        joined.extend_from_slice(&value);
    }
    Ok(joined)
}

pub(crate) fn revocation_keys(request: &Request<'_>) -> Outcome {
    let (rules, token) = (Rules::read(request)?, Token::read(request)?);
    let keys = rules.make()?.keys(&token.issued_at(None));
    Ok(Answer::empty().texts("keys", keys.iter().map(String::as_str)))
}

pub(crate) fn revocation_record_check(request: &Request<'_>) -> Outcome {
    let (rules, token) = (Rules::read(request)?, Token::read(request)?);
    let (issued_at_s, values) = (request.time("issued_at_s")?, parts(request, "values_hex")?);
    let store_since_ms = request.integer("store_since_ms")?;
    rules.make()?.check(&token.issued_at(issued_at_s), &values, store_since_ms)?;
    Ok(Answer::empty())
}

pub(crate) fn revocation_issue_since(request: &Request<'_>) -> Outcome {
    let (rules, subject) = (Rules::read(request)?, request.text("subject")?);
    let (values, store_since_ms) = (parts(request, "values_hex")?, request.integer("store_since_ms")?);
    let since_s = rules.make()?.issue_since(&subject, &values, store_since_ms)?;
    Ok(Answer::empty()
        .raw("since_s", since_s.map_or_else(|| "null".to_owned(), |since_s| since_s.to_string())))
}

pub(crate) fn revocation_key(request: &Request<'_>) -> Outcome {
    let (rules, revoked) = (Rules::read(request)?, Revoked::read(request)?);
    Ok(Answer::empty().text("key", &rules.make()?.key(revoked.revocable()?)?))
}

pub(crate) fn revocation_revoke(request: &Request<'_>) -> Outcome {
    let (rules, revoked) = (Rules::read(request)?, Revoked::read(request)?);
    let (stored, until_s) = (request.hex("stored_hex")?, request.time("until_s")?);
    let (now_ms, store_since_ms) = (request.integer("now_ms")?, request.integer("store_since_ms")?);
    let written = rules.make()?.revoke(revoked.revocable()?, &stored, until_s, now_ms, store_since_ms)?;
    Ok(Answer::empty().hex("value_hex", &written.value).raw("keep_ms", written.keep_ms.to_string()))
}

pub(crate) fn store_marker(request: &Request<'_>) -> Outcome {
    let (stored, seen) = (request.hex("stored_hex")?, request.hex("seen_hex")?);
    let (max_silence_ms, now_ms) = (request.integer("max_silence_ms")?, request.integer("now_ms")?);
    let verdict = StoreMarker::decide(&stored, &seen, max_silence_ms, now_ms)?;
    let reason = verdict.reason.map_or(0, |reason| reason as u8);
    Ok(Answer::empty()
        .hex("marker_hex", &verdict.marker.to_bytes())
        .raw("since_ms", verdict.marker.since_ms().to_string())
        .raw("keep_ms", verdict.keep_ms.to_string())
        .raw("write", (verdict.write as u8).to_string())
        .raw("reason", reason.to_string()))
}

pub(crate) fn revocation_set_sign(request: &Request<'_>) -> Outcome {
    let (keys, records) = (request.raw("keyring")?, parts(request, "records_hex")?);
    let terms = SetTerms {
        sequence: request.size("sequence")?,
        store_since_ms: request.integer("store_since_ms")?,
        skew_s: request.integer("skew_s")?,
        issued_at_s: request.integer("issued_at_s")?,
        valid_until_s: request.integer("valid_until_s")?,
    };
    let entropy = request.hex("entropy_hex")?;
    let set = sign_set(&keyring(keys)?, terms, &records, &mut FixedEntropy::new(&entropy))?;
    Ok(Answer::empty().hex("set_hex", &set))
}

/// A set, and what it is opened with.
struct Sealed<'a> {
    keyring: &'a str,
    bytes: Vec<u8>,
    last_sequence: u64,
    now_s: i64,
}

impl<'a> Sealed<'a> {
    fn read(request: &Request<'a>) -> Result<Self, Refusal> {
        let (keyring, bytes) = (request.raw("keyring")?, request.hex("set_hex")?);
        let last_sequence = request.size("last_sequence")?;
        Ok(Self { keyring, bytes, last_sequence, now_s: request.integer("now_s")? })
    }

    fn open(&self) -> Result<RevocationSet, Refusal> {
        let keyring = keyring(self.keyring)?;
        Ok(RevocationSet::open(&self.bytes, &keyring, self.last_sequence, self.now_s)?)
    }
}

pub(crate) fn revocation_set_open(request: &Request<'_>) -> Outcome {
    Sealed::read(request)?.open()?;
    Ok(Answer::empty())
}

pub(crate) fn revocation_set_info(request: &Request<'_>) -> Outcome {
    let set = Sealed::read(request)?.open()?;
    Ok(Answer::empty().raw("info", set.info_json()))
}

pub(crate) fn revocation_set_check(request: &Request<'_>) -> Outcome {
    let (sealed, token) = (Sealed::read(request)?, Token::read(request)?);
    let (issued_at_s, at_s) = (request.time("issued_at_s")?, request.integer("at_s")?);
    let verdict = sealed.open()?.check(&token.issued_at(issued_at_s), at_s);
    let status = verdict.outcome.err().map_or("ok", |error: RevocationError| error.status().name());
    Ok(Answer::empty().text("status", status).raw("probable", verdict.is_probable.to_string()))
}
