//! The operations of sessions, of their cookies, and of requests from other sites.

use donjon::entropy::FixedEntropy;
use donjon::session::{
    Client, Decision, LogIn, Moment, RefreshToken, Request as Question, Revoke, Session, SessionError,
    Sessions,
};
use donjon::time::NEVER_S;

use crate::Answer;
use crate::operations::{Outcome, keyring};
use crate::refusal::Refusal;
use crate::request::Request;

/// What is asked.
struct Rules<'a> {
    keyring: &'a str,
    config: &'a str,
}

impl<'a> Rules<'a> {
    fn read(request: &Request<'a>) -> Result<Self, Refusal> {
        Ok(Self { keyring: request.raw("keyring")?, config: request.raw("config")? })
    }

    fn make(&self) -> Result<Sessions, Refusal> {
        Ok(Sessions::from_json(&keyring(self.keyring)?, self.config.as_bytes())?)
    }
}

/// The record that is stored, and when it is looked at.
struct Stored {
    record: Vec<u8>,
    at: Moment,
    entropy: Vec<u8>,
}

impl Stored {
    fn read(request: &Request<'_>) -> Result<Self, Refusal> {
        let (now_ms, store_since_ms) = (request.integer("now_ms")?, request.integer("store_since_ms")?);
        let entropy = request.optional_hex("entropy_hex")?.unwrap_or_default();
        Ok(Self { record: request.hex("record_hex")?, at: Moment { now_ms, store_since_ms }, entropy })
    }

    fn entropy(&self) -> FixedEntropy<'_> {
        FixedEntropy::new(&self.entropy)
    }
}

/// Who asks.
struct Asking {
    address: String,
    user_agent: String,
}

impl Asking {
    fn read(request: &Request<'_>) -> Result<Self, Refusal> {
        Ok(Self { address: request.text("address")?, user_agent: request.text("user_agent")? })
    }

    fn client(&self) -> Client<'_> {
        Client { address: self.address.as_bytes(), user_agent: self.user_agent.as_bytes() }
    }
}

/// What was decided, and the session as it is told.
fn told(answer: Answer, decision: &Decision) -> Answer {
    let changes = u8::from(decision.changes.address) | u8::from(decision.changes.user_agent) << 1;
    answer
        .text("status", decision.status.name())
        .raw("reason", (decision.reason as u8).to_string())
        .raw("write", (decision.write as u8).to_string())
        .raw("changes", changes.to_string())
        .raw("keep_ms", decision.keep_ms.to_string())
        .hex("record_hex", &decision.record)
}

fn with_session(answer: Answer, decision: &Decision, is_new: bool) -> Answer {
    let session = decision.session_json(is_new);
    answer.raw("session", if session.is_empty() { "null".to_owned() } else { session })
}

/// A decision that may come with a session's id.
fn of_session(decision: &Decision, is_new: bool) -> Answer {
    let answer = match decision.id() {
        Some(id) => Answer::empty().text("session_id", &id.text()),
        None => Answer::empty().raw("session_id", "null"),
    };
    with_session(told(answer, decision), decision, is_new)
}

/// A decision that may come with a family's state.
fn of_family(decision: &Decision, is_new: bool) -> Answer {
    let state = decision.state().map(|state| state.to_bytes().to_vec()).unwrap_or_default();
    with_session(told(Answer::empty().hex("state_hex", &state), decision), decision, is_new)
}

/// Somebody who logs in.
struct LoggingIn {
    subject: String,
    asking: Asking,
    label: String,
    data: Vec<u8>,
}

impl LoggingIn {
    fn read(request: &Request<'_>) -> Result<Self, Refusal> {
        let (subject, label) = (request.text("subject")?, request.text("label")?);
        Ok(Self { subject, asking: Asking::read(request)?, label, data: request.hex("data_hex")? })
    }

    fn log_in(&self) -> LogIn<'_> {
        let Self { subject, asking, label, data } = self;
        LogIn { subject, client: asking.client(), label, data }
    }
}

pub(crate) fn session_diagnose(request: &Request<'_>) -> Outcome {
    let (keys, config) = (request.raw("keyring")?, request.text("config")?);
    let keyring = keyring(keys)?;
    let Err(error) = Sessions::from_json(&keyring, config.as_bytes()) else {
        return Ok(Answer::empty().text("status", "ok").raw("path", "null").raw("message", "null"));
    };
    let status = error.status().name();
    let (path, message) = match error {
        SessionError::Config { path, reason } => (path, reason.to_owned()),
        other => (String::new(), other.to_string()),
    };
    Ok(Answer::empty().text("status", status).text("path", &path).text("message", &message))
}

pub(crate) fn session_keys(request: &Request<'_>) -> Outcome {
    let (rules, subject) = (Rules::read(request)?, request.text("subject")?);
    let keys = rules.make()?.keys(&subject)?;
    Ok(Answer::empty().texts("keys", keys.iter().map(String::as_str)))
}

pub(crate) fn session_key(request: &Request<'_>) -> Outcome {
    let (rules, id) = (Rules::read(request)?, request.text("session_id")?);
    Ok(Answer::empty().text("key", &rules.make()?.key(id.as_bytes())?))
}

pub(crate) fn session_create(request: &Request<'_>) -> Outcome {
    let (rules, stored, user) = (Rules::read(request)?, Stored::read(request)?, LoggingIn::read(request)?);
    let decision = rules.make()?.create(&stored.record, &user.log_in(), stored.at, &mut stored.entropy())?;
    Ok(of_session(&decision, true))
}

pub(crate) fn session_check(request: &Request<'_>) -> Outcome {
    let (rules, stored, asking) = (Rules::read(request)?, Stored::read(request)?, Asking::read(request)?);
    let id = request.text("session_id")?;
    let client = asking.client();
    let decision =
        rules.make()?.check(&stored.record, id.as_bytes(), &client, stored.at, &mut stored.entropy())?;
    Ok(with_session(told(Answer::empty(), &decision), &decision, false))
}

pub(crate) fn session_rotate(request: &Request<'_>) -> Outcome {
    let (rules, stored, asking) = (Rules::read(request)?, Stored::read(request)?, Asking::read(request)?);
    let (id, data) = (request.text("session_id")?, request.hex("data_hex")?);
    // As in the C ABI, empty data keeps what is there.
    let data = Some(data.as_slice()).filter(|data| !data.is_empty());
    let (client, mut entropy) = (asking.client(), stored.entropy());
    let decision =
        rules.make()?.rotate(&stored.record, id.as_bytes(), &client, data, stored.at, &mut entropy)?;
    Ok(of_session(&decision, false))
}

pub(crate) fn session_begin_family(request: &Request<'_>) -> Outcome {
    let (rules, stored, user) = (Rules::read(request)?, Stored::read(request)?, LoggingIn::read(request)?);
    let decision =
        rules.make()?.begin_family(&stored.record, &user.log_in(), stored.at, &mut stored.entropy())?;
    Ok(of_family(&decision, true))
}

pub(crate) fn session_refresh(request: &Request<'_>) -> Outcome {
    let (rules, stored, asking) = (Rules::read(request)?, Stored::read(request)?, Asking::read(request)?);
    let (subject, family) = (request.text("subject")?, request.text("family")?);
    let (generation, issued_at_s) = (request.integer("generation")?, request.time("issued_at_s")?);
    let sessions = rules.make()?;
    let generation = u32::try_from(generation).map_err(|_| SessionError::InvalidArgument)?;
    let issued_at_s = issued_at_s.unwrap_or(NEVER_S);
    let token = RefreshToken { subject: &subject, family: &family, generation, issued_at_s };
    let client = asking.client();
    let decision = sessions.refresh(&stored.record, &token, &client, stored.at, &mut stored.entropy())?;
    Ok(of_family(&decision, false))
}

fn list(sessions: impl Iterator<Item = String>) -> String {
    format!("[{}]", sessions.collect::<Vec<_>>().join(","))
}

pub(crate) fn session_list(request: &Request<'_>) -> Outcome {
    let (rules, stored) = (Rules::read(request)?, Stored::read(request)?);
    let (subject, current) = (request.text("subject")?, request.text("current")?);
    let found = rules.make()?.list(&stored.record, &subject, current.as_bytes(), stored.at)?;
    let row = |(session, is_current): &(Session, bool)| {
        session.to_json(Some(("current", if *is_current { "true" } else { "false" })))
    };
    Ok(Answer::empty().raw("sessions", list(found.iter().map(row))))
}

pub(crate) fn session_revoke(request: &Request<'_>) -> Outcome {
    let (rules, stored) = (Rules::read(request)?, Stored::read(request)?);
    let (subject, handle) = (request.text("subject")?, request.text("handle")?);
    let which = match request.text("which")?.as_str() {
        "one" => Revoke::One(handle.as_bytes()),
        "others" => Revoke::Others(handle.as_bytes()),
        "all" => Revoke::All,
        _ => return Err(Refusal::BadRequest),
    };
    let sessions = rules.make()?;
    let (decision, revoked) =
        sessions.revoke(&stored.record, &subject, which, stored.at, &mut stored.entropy())?;
    let revoked = list(revoked.iter().map(|session| session.to_json(None)));
    Ok(told(Answer::empty(), &decision).raw("revoked", revoked))
}

pub(crate) fn session_csrf_token(request: &Request<'_>) -> Outcome {
    let (rules, id) = (Rules::read(request)?, request.text("session_id")?);
    let entropy = request.hex("entropy_hex")?;
    let token = rules.make()?.web().csrf_token(id.as_bytes(), &mut FixedEntropy::new(&entropy))?;
    Ok(Answer::empty().text("token", &token))
}

pub(crate) fn session_check_request(request: &Request<'_>) -> Outcome {
    let (rules, id, token) =
        (Rules::read(request)?, request.text("session_id")?, request.text("csrf_token")?);
    let (method, site) = (request.text("method")?, request.text("sec_fetch_site")?);
    let (origin, host) = (request.text("origin")?, request.text("host")?);
    let question = Question {
        method: method.as_bytes(),
        sec_fetch_site: site.as_bytes(),
        origin: origin.as_bytes(),
        host: host.as_bytes(),
    };
    rules.make()?.web().check_request(id.as_bytes(), &question, token.as_bytes())?;
    Ok(Answer::empty())
}

pub(crate) fn session_cookie(request: &Request<'_>) -> Outcome {
    let (rules, id) = (Rules::read(request)?, request.text("session_id")?);
    Ok(Answer::empty().text("header", &rules.make()?.web().cookie(id.as_bytes())?))
}

pub(crate) fn session_csrf_cookie(request: &Request<'_>) -> Outcome {
    let (rules, token) = (Rules::read(request)?, request.text("token")?);
    Ok(Answer::empty().text("header", &rules.make()?.web().csrf_cookie(token.as_bytes())?))
}

pub(crate) fn session_read_cookie(request: &Request<'_>) -> Outcome {
    let (rules, header) = (Rules::read(request)?, request.text("header")?);
    let sessions = rules.make()?;
    Ok(match sessions.web().read_cookie(header.as_bytes())? {
        Some(id) => Answer::empty().text("session_id", id),
        None => Answer::empty().raw("session_id", "null"),
    })
}
