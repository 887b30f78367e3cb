//! The sign-ins of users.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use zeroize::Zeroizing;

use super::config::{AtLimit, Config, OnChange};
use super::decision::{Decision, Issued, Reason, Write};
use super::entry::{Credential, Entry, Kind, MAX_DATA_LEN, clean_label, read_handle};
use super::record::{MAX_RECORD_LEN, MAX_SUBJECT_LEN, Record, SEALED};
use super::view::MAX_SESSION_JSON_LEN;
use super::{Changes, Client, Evicted, Session, SessionError, SessionId, Web};
use crate::base64url;
use crate::entropy::Entropy;
use crate::envelope::{Context, EnvelopeError, Sealer};
use crate::error::Status;
use crate::keyring::Keyring;
use crate::time::MAX_DURATION_S;
use crate::token::refresh::RefreshState;
use crate::user_tag::{TAG_LEN, UserTags};

const LABEL: &str = "donjon/session/v1";

/// How much longer a record is kept than anything in it lives: a clock that is behind still finds it.
const KEEP_LONGER_MS: i64 = 60_000;

type Tag = [u8; TAG_LEN];

/// When something is decided.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Now. Not negative.
    pub now_ms: i64,
    /// Since when the store is known to have lost nothing: what began before is over. 0 for always.
    pub store_since_ms: i64,
}

/// Somebody who has just proved who they are; or nobody, who gets a session all the same.
#[derive(Debug, Clone, Copy)]
pub struct LogIn<'a> {
    /// Who; empty for nobody.
    pub subject: &'a str,
    /// From where.
    pub client: Client<'a>,
    /// What to call the sign-in in lists. Control characters and marks that turn the direction of text are dropped,
    /// and what is over [`MAX_LABEL_LEN`](super::MAX_LABEL_LEN).
    pub label: &'a str,
    /// What the host wants to keep with it.
    pub data: &'a [u8],
}

/// What is revoked.
#[derive(Debug, Clone, Copy)]
pub enum Revoke<'a> {
    /// The sign-in of this id or handle.
    One(&'a [u8]),
    /// All but the sign-in of this id or handle.
    Others(&'a [u8]),
    /// All.
    All,
}

/// Decides about the sign-ins of users.
///
/// See [the module](crate::session) for how a host goes about it, and [`Sessions::from_json`] for what can be said about
/// them.
#[derive(Debug)]
pub struct Sessions {
    pub(super) config: Config,
    tags: UserTags,
    // Where records are sealed.
    sealer: Option<Sealer>,
    web: Web,
}

/// A stored record as it was before it was sealed, and the tag that it is under.
pub(super) struct Opened<'a> {
    tag: Tag,
    stored: &'a [u8],
    plain: Option<Zeroizing<Vec<u8>>>,
}

impl Opened<'_> {
    pub(super) const fn tag(&self) -> &Tag {
        &self.tag
    }

    /// Why there is none, where there is none.
    fn record(&self) -> Result<Record<'_>, Reason> {
        if self.stored.is_empty() {
            return Err(Reason::Unknown);
        }
        Record::read(self.plain.as_ref().map_or(self.stored, |plain| plain)).ok_or(Reason::Foreign)
    }
}

impl Sessions {
    /// Sessions by JSON, in which every member may be left out:
    ///
    /// ```json
    /// {"idle_timeout_s":28800, "absolute_timeout_s":86400, "touch_interval_s":60, "max_per_user":5,
    ///  "at_limit":"evict_oldest",
    ///  "address":{"on_change":"invalidate","ipv4_prefix":24,"ipv6_prefix":48},
    ///  "user_agent":{"on_change":"report"},
    ///  "family_lifetime_s":2592000, "family_idle_timeout_s":604800, "refresh_grace_ms":10000, "sealed":false,
    ///  "cookie":{"name":"__Host-session","same_site":"lax","domain":null,"path":"/","persistent":true,
    ///            "insecure":false},
    ///  "csrf_token":"required", "trusted_origins":[]}
    /// ```
    ///
    /// # Errors
    /// - [`SessionError::Config`]: a member that is unknown, of the wrong type or out of range; times that
    ///   contradict one another; no primary `device` or `csrf` secret, or, with `sealed`, no `envelope` secret.
    pub fn from_json(keyring: &Keyring, text: &[u8]) -> Result<Self, SessionError> {
        let (config, web) = Config::read(text)?;
        let tags = UserTags::new(keyring).ok_or(SessionError::config("", "no primary `device` secret"))?;
        let web = Web::new(keyring, web, config.session.absolute_ms / 1000)?;
        let sealer = |()| match Sealer::new(keyring) {
            Err(EnvelopeError::Config(reason)) => Err(SessionError::config("sealed", reason)),
            sealer => Ok(sealer?),
        };
        let sealer = config.sealed.then_some(()).map(sealer).transpose()?;
        Ok(Self { config, tags, sealer, web })
    }

    /// What stands between sessions and browsers.
    #[must_use]
    pub const fn web(&self) -> &Web {
        &self.web
    }

    /// The bytes of the longest record.
    #[must_use]
    pub fn record_bound(&self) -> usize {
        let sealed = |sealer: &Sealer| sealer.envelope_len(MAX_RECORD_LEN).ok()?.checked_add(1);
        self.sealer.as_ref().map_or(Some(MAX_RECORD_LEN), sealed).unwrap_or(usize::MAX)
    }

    /// The bytes of the longest JSON of a session.
    #[must_use]
    pub const fn session_bound(&self) -> usize {
        MAX_SESSION_JSON_LEN
    }

    /// The keys that a user's record may be under. It belongs under the first; what is under another was written
    /// before the `device` secret was rotated.
    ///
    /// # Errors
    /// - [`SessionError::InvalidArgument`]: nobody. - [`SessionError::TooLarge`]: a subject over
    ///   [`MAX_SUBJECT_LEN`].
    pub fn keys(&self, subject: &str) -> Result<Vec<String>, SessionError> {
        if check_subject(subject)?.is_empty() {
            return Err(SessionError::InvalidArgument);
        }
        Ok(self.tags.tags(subject).map(|tag| key(&tag)).collect())
    }

    /// The key of the record that a session is in.
    ///
    /// # Errors
    /// - [`SessionError::InvalidSession`]: not an id.
    pub fn key(&self, id: &[u8]) -> Result<String, SessionError> {
        Ok(key(&SessionId::parse(id).ok_or(SessionError::InvalidSession)?.tag()))
    }

    /// Begins a session. `stored`: what is under the first of [`Sessions::keys`]; nothing, for nobody.
    ///
    /// A user who has as many sign-ins as may be loses the oldest, or is refused: `session_limit`. Only live ones
    /// count.
    ///
    /// # Errors
    /// - [`SessionError::InvalidArgument`]: a negative time, an address that is none, a record for nobody.
    /// - [`SessionError::TooLarge`]: a subject over [`MAX_SUBJECT_LEN`], data over [`MAX_DATA_LEN`].
    /// - [`SessionError::Envelope`]: the record could not be sealed. - [`SessionError::Entropy`].
    pub fn create(
        &self,
        stored: &[u8],
        log_in: &LogIn<'_>,
        at: Moment,
        entropy: &mut impl Entropy,
    ) -> Result<Decision, SessionError> {
        self.begin(Kind::Cookie, stored, log_in, at, entropy)
    }

    pub(super) fn begin(
        &self,
        kind: Kind,
        stored: &[u8],
        log_in: &LogIn<'_>,
        at: Moment,
        entropy: &mut impl Entropy,
    ) -> Result<Decision, SessionError> {
        let LogIn { subject, client, label, data } = *log_in;
        check_subject(subject)?;
        check_data(data)?;
        at.check()?;
        let client = client.read()?.kept(&self.config);
        let tag = match subject {
            "" if stored.is_empty() && kind == Kind::Cookie => draw_tag(entropy)?,
            "" => return Err(SessionError::InvalidArgument),
            subject => self.tags.tags(subject).next().ok_or(SessionError::Internal)?,
        };
        let opened = self.open(&[tag], stored, at)?;
        let mut record = self.record_of(&opened, subject).unwrap_or(Record { subject, entries: Vec::new() });
        self.retain_live(&mut record, at);
        let Some(evicted) = self.make_room(&mut record) else {
            return Ok(Decision::new(Status::SessionLimit, Reason::None));
        };
        let (issued, credential) = draw_credential(kind, &tag, at, entropy)?;
        let mut decision = Decision::new(Status::Ok, Reason::None);
        decision.evicted = evicted;
        decision.issued = Some(issued);
        let created_ms = at.now_ms.max(at.store_since_ms);
        let label = clean_label(label);
        let entry = Entry { credential, created_ms, seen_ms: created_ms, client, label: &label, data };
        decision.session = Some(self.view(subject, &entry));
        record.insert(entry);
        self.write(decision, Write::Must, &tag, record, at, entropy)
    }

    /// Decides about a session id that was sent. `stored`: what is under [`Sessions::key`].
    ///
    /// # Errors
    /// - [`SessionError::InvalidArgument`]: a negative time, an address that is none.
    /// - [`SessionError::Envelope`]: the record could not be sealed. - [`SessionError::Entropy`].
    pub fn check(
        &self,
        stored: &[u8],
        id: &[u8],
        client: &Client<'_>,
        at: Moment,
        entropy: &mut impl Entropy,
    ) -> Result<Decision, SessionError> {
        at.check()?;
        let client = client.read()?;
        let Some(id) = SessionId::parse(id) else { return Ok(MALFORMED) };
        let opened = self.open(&[id.tag()], stored, at)?;
        let (mut record, place) = match self.locate(&opened, &id, at, entropy)? {
            ControlFlow::Continue(found) => found,
            ControlFlow::Break(refusal) => return Ok(refusal),
        };
        let entry = record.entries.get_mut(place).ok_or(SessionError::Internal)?;
        let mut decision = self.judge(entry.client.changes(&client));
        if decision.status == Status::InvalidSession {
            record.entries.remove(place);
            return self.write(decision, Write::Must, &opened.tag, record, at, entropy);
        }
        let is_touched = decision.status == Status::Ok
            && at.now_ms.saturating_sub(entry.seen_ms) >= self.config.touch_interval_ms;
        if is_touched {
            entry.seen_ms = at.now_ms;
        }
        decision.session = Some(self.view(record.subject, entry));
        if !is_touched {
            return Ok(decision);
        }
        self.write(decision, Write::May, &opened.tag, record, at, entropy)
    }

    /// Gives a session a new id, for a user who has just authenticated again or may do something else from now on.
    /// The client is taken as it is now, and `data` kept from now on, if there is any; the old id is no session any
    /// more.
    ///
    /// # Errors
    /// As [`Sessions::check`]; [`SessionError::TooLarge`]: data over [`MAX_DATA_LEN`].
    pub fn rotate(
        &self,
        stored: &[u8],
        id: &[u8],
        client: &Client<'_>,
        data: Option<&[u8]>,
        at: Moment,
        entropy: &mut impl Entropy,
    ) -> Result<Decision, SessionError> {
        check_data(data.unwrap_or_default())?;
        at.check()?;
        let client = client.read()?.kept(&self.config);
        let Some(id) = SessionId::parse(id) else { return Ok(MALFORMED) };
        let opened = self.open(&[id.tag()], stored, at)?;
        let (mut record, place) = match self.locate(&opened, &id, at, entropy)? {
            ControlFlow::Continue(found) => found,
            ControlFlow::Break(refusal) => return Ok(refusal),
        };
        // The record stays where it is, even if the `device` secret is another by now.
        let next = SessionId::draw(&opened.tag, entropy)?;
        let entry = record.entries.get_mut(place).ok_or(SessionError::Internal)?;
        entry.credential = Credential::Cookie(next.hash());
        entry.seen_ms = entry.seen_ms.max(at.now_ms);
        entry.client = client;
        entry.data = data.unwrap_or(entry.data);
        let mut decision = Decision::new(Status::Ok, Reason::None);
        decision.session = Some(self.view(record.subject, entry));
        decision.issued = Some(Issued::Id(next));
        self.write(decision, Write::Must, &opened.tag, record, at, entropy)
    }

    /// The sign-ins of a user, in the order in which they began, and whether each is the current one: that of the id
    /// or handle `current`. `stored`: what is under one of [`Sessions::keys`]. Without a subject, it is what is under
    /// [`Sessions::key`] of the id `current`.
    ///
    /// # Errors
    /// - [`SessionError::InvalidArgument`]: a negative time. - [`SessionError::TooLarge`]: a subject over
    ///   [`MAX_SUBJECT_LEN`].
    pub fn list(
        &self,
        stored: &[u8],
        subject: &str,
        current: &[u8],
        at: Moment,
    ) -> Result<Vec<(Session, bool)>, SessionError> {
        let opened = self.open_of(subject, current, stored, at)?;
        let Ok(record) = self.record_of(&opened, subject) else { return Ok(Vec::new()) };
        let current = read_handle(current);
        let live = record.entries.iter().filter(|entry| self.death(entry, at).is_none());
        Ok(live.map(|entry| (self.view(record.subject, entry), current == Some(entry.handle()))).collect())
    }

    /// Ends sign-ins of a user, and says which. That one is not there is `invalid_session`. `stored` and the subject:
    /// as [`Sessions::list`] has them.
    ///
    /// # Errors
    /// As [`Sessions::list`]; [`SessionError::Envelope`]: the record could not be sealed.
    /// [`SessionError::Entropy`].
    pub fn revoke(
        &self,
        stored: &[u8],
        subject: &str,
        which: Revoke<'_>,
        at: Moment,
        entropy: &mut impl Entropy,
    ) -> Result<(Decision, Vec<Session>), SessionError> {
        let name = match which {
            Revoke::One(name) | Revoke::Others(name) => name,
            Revoke::All => &[],
        };
        let opened = self.open_of(subject, name, stored, at)?;
        let mut record = self.record_of(&opened, subject).unwrap_or(Record { subject, entries: Vec::new() });
        self.retain_live(&mut record, at);
        let subject = record.subject;
        let named = read_handle(name).and_then(|handle| record.position(&handle));
        let (goes, stays) = match (which, named) {
            (Revoke::All, _) => (record.entries, Vec::new()),
            (_, None) => return Ok((Decision::new(Status::InvalidSession, Reason::Unknown), Vec::new())),
            (_, Some(named)) => {
                let named = record.entries.remove(named);
                match which {
                    Revoke::Others(_) => (record.entries, [named].into()),
                    _ => ([named].into(), record.entries),
                }
            }
        };
        let revoked = goes.iter().map(|entry| self.view(subject, entry)).collect();
        let mut decision = Decision::new(Status::Ok, Reason::None);
        // All is all: what cannot be read goes too.
        if !goes.is_empty() || (matches!(which, Revoke::All) && !stored.is_empty()) {
            let record = Record { subject, entries: stays };
            decision = self.write(decision, Write::Must, &opened.tag, record, at, entropy)?;
        }
        Ok((decision, revoked))
    }

    /// Takes out of a record what has to go for one more sign-in, the oldest first; `None` where none may begin.
    fn make_room(&self, record: &mut Record<'_>) -> Option<Vec<Evicted>> {
        let too_many = record.entries.len().saturating_add(1).saturating_sub(self.config.max_per_user);
        if too_many > 0 && self.config.at_limit == AtLimit::Refuse {
            return None;
        }
        Some(record.entries.drain(..too_many).map(|entry| Evicted::new(&entry)).collect())
    }

    /// What a change of the client leads to: the worse of the two, and of two alike that of the address.
    fn judge(&self, changes: Changes) -> Decision {
        let on_address = changes.address.then_some((self.config.on_address, Reason::Address));
        let on_user_agent = changes.user_agent.then_some((self.config.on_user_agent, Reason::UserAgent));
        // Of two alike, `max_by_key` has the last.
        let worst = [on_user_agent, on_address].into_iter().flatten().max_by_key(|(worst, _)| *worst);
        let (status, reason) = match worst {
            Some((OnChange::Invalidate, reason)) => (Status::InvalidSession, reason),
            Some((OnChange::StepUp, reason)) => (Status::StepUpRequired, reason),
            Some((OnChange::Report, _)) | None => (Status::Ok, Reason::None),
        };
        Decision { changes, ..Decision::new(status, reason) }
    }

    /// The record of a session, and the place of the session in it, if it is alive; else the refusal.
    fn locate<'a>(
        &self,
        opened: &'a Opened<'_>,
        id: &SessionId,
        at: Moment,
        entropy: &mut impl Entropy,
    ) -> Result<ControlFlow<Decision, (Record<'a>, usize)>, SessionError> {
        let refused = |reason| Ok(ControlFlow::Break(Decision::new(Status::InvalidSession, reason)));
        let record = match opened.record() {
            Ok(record) => record,
            Err(reason) => return refused(reason),
        };
        let hash = id.hash();
        let Some(place) = record.find(|entry| entry.is_session(&hash)) else {
            return refused(Reason::Unknown);
        };
        if !record.subject.is_empty() && !self.tags.is_of(&opened.tag, record.subject) {
            return refused(Reason::Foreign);
        }
        let Some(reason) = record.entries.get(place).and_then(|entry| self.death(entry, at)) else {
            return Ok(ControlFlow::Continue((record, place)));
        };
        let status = if reason == Reason::Store { Status::InvalidSession } else { Status::Expired };
        let ended = Decision::new(status, reason);
        self.write(ended, Write::May, &opened.tag, record, at, entropy).map(ControlFlow::Break)
    }

    /// The record, if it is this user's; without a subject, the user's that its tag names.
    pub(super) fn record_of<'a>(&self, opened: &'a Opened<'_>, subject: &str) -> Result<Record<'a>, Reason> {
        let record = opened.record()?;
        let is_named = || subject.is_empty() && self.tags.is_of(&opened.tag, record.subject);
        if record.subject == subject || is_named() { Ok(record) } else { Err(Reason::Foreign) }
    }

    /// Takes out of a record what is over.
    fn retain_live(&self, record: &mut Record<'_>, at: Moment) {
        record.entries.retain(|entry| self.death(entry, at).is_none());
    }

    /// Why an entry is over, if it is.
    pub(super) fn death(&self, entry: &Entry<'_>, at: Moment) -> Option<Reason> {
        if entry.created_ms < at.store_since_ms {
            return Some(Reason::Store);
        }
        let (idle_ms, absolute_ms) = self.ends(entry);
        let reason = if idle_ms <= absolute_ms { Reason::Idle } else { Reason::Absolute };
        (at.now_ms >= idle_ms.min(absolute_ms)).then_some(reason)
    }

    /// When an entry ends if it is not used, and when at the latest.
    fn ends(&self, entry: &Entry<'_>) -> (i64, i64) {
        let lifetime = match entry.kind() {
            Kind::Cookie => self.config.session,
            Kind::Tokens => self.config.family,
        };
        let absolute_ms = entry.created_ms.saturating_add(lifetime.absolute_ms);
        (entry.seen_ms.saturating_add(lifetime.idle_ms), absolute_ms)
    }

    fn expires_ms(&self, entry: &Entry<'_>) -> i64 {
        let (idle_ms, absolute_ms) = self.ends(entry);
        idle_ms.min(absolute_ms)
    }

    pub(super) fn view(&self, subject: &str, entry: &Entry<'_>) -> Session {
        Session::new(subject, entry, self.expires_ms(entry))
    }

    /// A decision with the record to be written: that of what is alive.
    pub(super) fn write(
        &self,
        mut decision: Decision,
        write: Write,
        tag: &Tag,
        mut record: Record<'_>,
        at: Moment,
        entropy: &mut impl Entropy,
    ) -> Result<Decision, SessionError> {
        decision.write = write;
        self.retain_live(&mut record, at);
        if let Some(end_ms) = record.entries.iter().map(|entry| self.expires_ms(entry)).max() {
            let left_ms = end_ms.saturating_sub(at.now_ms).saturating_add(KEEP_LONGER_MS);
            decision.keep_ms = left_ms.min(MAX_DURATION_S * 1000);
            decision.record = self.seal(tag, record.write(), at, entropy)?;
        }
        Ok(decision)
    }

    fn seal(
        &self,
        tag: &Tag,
        mut plain: Zeroizing<Vec<u8>>,
        at: Moment,
        entropy: &mut impl Entropy,
    ) -> Result<Vec<u8>, SessionError> {
        let Some(sealer) = &self.sealer else { return Ok(core::mem::take(&mut *plain)) };
        let mut sealed = alloc::vec![SEALED; sealer.envelope_len(plain.len())?.saturating_add(1)];
        let envelope = sealed.get_mut(1..).ok_or(SessionError::Internal)?;
        sealer.seal_into(&context(tag)?, at.now_s(), &plain, entropy, envelope)?;
        Ok(sealed)
    }

    /// What is stored of a user under one of the keys that it may be under; of nobody, under that of the id.
    pub(super) fn open_of<'a>(
        &self,
        subject: &str,
        id: &[u8],
        stored: &'a [u8],
        at: Moment,
    ) -> Result<Opened<'a>, SessionError> {
        at.check()?;
        let mut tags: Vec<Tag> = Vec::new();
        if check_subject(subject)?.is_empty() {
            tags.extend(SessionId::parse(id).map(|id| id.tag()));
        } else {
            tags.extend(self.tags.tags(subject));
        }
        self.open(&tags, stored, at)
    }

    /// What is stored, under one of these tags. Of none it is as if it were damaged.
    fn open<'a>(&self, tags: &[Tag], stored: &'a [u8], at: Moment) -> Result<Opened<'a>, SessionError> {
        let tag = tags.first().copied().unwrap_or_default();
        let damaged = Some(Zeroizing::default());
        let Some(sealer) = &self.sealer else {
            return Ok(Opened { tag, stored, plain: if tags.is_empty() { damaged } else { None } });
        };
        let envelope = stored.strip_prefix(&[SEALED]).filter(|_| stored.len() <= self.record_bound());
        for tag in tags {
            let Some(envelope) = envelope else { break };
            match sealer.open(&context(tag)?, at.now_s(), envelope) {
                Ok(plain) => return Ok(Opened { tag: *tag, stored, plain: Some(Zeroizing::new(plain)) }),
                Err(error @ (EnvelopeError::OutOfMemory | EnvelopeError::Internal)) => {
                    return Err(error.into());
                }
                Err(_) => {}
            }
        }
        Ok(Opened { tag, stored, plain: damaged })
    }
}

const MALFORMED: Decision = Decision::new(Status::InvalidSession, Reason::Malformed);

impl Moment {
    const fn check(self) -> Result<(), SessionError> {
        if self.now_ms < 0 || self.store_since_ms < 0 {
            return Err(SessionError::InvalidArgument);
        }
        Ok(())
    }

    const fn now_s(self) -> i64 {
        self.now_ms / 1000
    }
}

/// The tag of nobody: one that leads to no user.
fn draw_tag(entropy: &mut impl Entropy) -> Result<Tag, SessionError> {
    let mut tag = [0; TAG_LEN];
    entropy.fill(&mut tag)?;
    Ok(tag)
}

/// What the client is given, and what the record has of it.
fn draw_credential(
    kind: Kind,
    tag: &Tag,
    at: Moment,
    entropy: &mut impl Entropy,
) -> Result<(Issued, Credential), SessionError> {
    match kind {
        Kind::Cookie => {
            let id = SessionId::draw(tag, entropy)?;
            let hash = id.hash();
            Ok((Issued::Id(id), Credential::Cookie(hash)))
        }
        Kind::Tokens => {
            let state = RefreshState::begin(at.now_ms, entropy)?;
            Ok((Issued::State(state), Credential::Tokens(state)))
        }
    }
}

fn check_subject(subject: &str) -> Result<&str, SessionError> {
    if subject.len() > MAX_SUBJECT_LEN { Err(SessionError::TooLarge) } else { Ok(subject) }
}

const fn check_data(data: &[u8]) -> Result<(), SessionError> {
    if data.len() > MAX_DATA_LEN { Err(SessionError::TooLarge) } else { Ok(()) }
}

fn key(tag: &Tag) -> String {
    format!("{{{}}}:sessions", base64url::encode(tag))
}

fn context(tag: &Tag) -> Result<Context<'static>, SessionError> {
    Ok(Context::new(&[LABEL, &key(tag)])?)
}
