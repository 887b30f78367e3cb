//! Refresh families: sign-ins that are kept by tokens.

use super::config::Config;
use super::decision::{Decision, Issued, Reason, Write};
use super::entry::{Credential, Entry, Kind, read_handle};
use super::record::Record;
use super::sessions::Opened;
use super::{Client, LogIn, Moment, SessionError, Sessions};
use crate::entropy::Entropy;
use crate::error::Status;
use crate::token::refresh::{RefreshState, RefreshVerdict};

/// What a refresh token says that was verified.
#[derive(Debug, Clone, Copy)]
pub struct RefreshToken<'a> {
    /// Whose it is.
    pub subject: &'a str,
    /// Its family, in 22 characters.
    pub family: &'a str,
    /// Its place in the family.
    pub generation: u32,
    /// When it was issued; [`NEVER_S`](crate::time::NEVER_S) if it does not say.
    pub issued_at_s: i64,
}

impl Sessions {
    /// Begins a family, as [`Sessions::create`] begins a session: it counts as one.
    ///
    /// # Errors
    /// As [`Sessions::create`]; [`SessionError::InvalidArgument`] also for nobody.
    pub fn begin_family(
        &self,
        stored: &[u8],
        log_in: &LogIn<'_>,
        at: Moment,
        entropy: &mut impl Entropy,
    ) -> Result<Decision, SessionError> {
        self.begin(Kind::Tokens, stored, log_in, at, entropy)
    }

    /// Decides about a refresh token, as [`RefreshState::rotate`] does. `stored`: what is under one of
    /// [`Sessions::keys`].
    ///
    /// A family that is not there was revoked; or the store has lost it, if the token is older than what the store
    /// has: `state_stale`. Which client refreshes is only reported, and kept from then on: phones move.
    ///
    /// # Errors
    /// As [`Sessions::check`]; [`SessionError::InvalidArgument`] also for nobody.
    pub fn refresh(
        &self,
        stored: &[u8],
        token: &RefreshToken<'_>,
        client: &Client<'_>,
        at: Moment,
        entropy: &mut impl Entropy,
    ) -> Result<Decision, SessionError> {
        if token.subject.is_empty() {
            return Err(SessionError::InvalidArgument);
        }
        let client = client.read()?;
        let opened = self.open_of(token.subject, b"", stored, at)?;
        let (mut record, place) = match self.find_family(&opened, token) {
            Ok(found) => found,
            Err(reason) => return Ok(unknown(token, reason, at)),
        };
        let entry = record.entries.get_mut(place).ok_or(SessionError::Internal)?;
        if let Some(reason) = self.death(entry, at) {
            let status = if reason == Reason::Store { Status::StateStale } else { Status::Expired };
            let ended = Decision::new(status, reason);
            return self.write(ended, Write::May, opened.tag(), record, at, entropy);
        }
        let Credential::Tokens(stored) = &entry.credential else { return Err(SessionError::Internal) };
        let Config { grace_ms, .. } = self.config;
        let verdict = RefreshState::rotate(Some(stored), token.family, token.generation, at.now_ms, grace_ms)
            .map_err(|_| SessionError::Internal)?;
        let mut decision = Decision::new(verdict.status(), Reason::None);
        decision.changes = entry.client.changes(&client);
        match verdict {
            RefreshVerdict::Rotate(state) => {
                entry.credential = Credential::Tokens(state);
                entry.seen_ms = entry.seen_ms.max(at.now_ms);
                entry.client = client.kept(&self.config);
                decision.session = Some(self.view(record.subject, entry));
                decision.issued = Some(Issued::State(state));
            }
            RefreshVerdict::Repeat(state) => {
                decision.session = Some(self.view(record.subject, entry));
                decision.issued = Some(Issued::State(state));
                return Ok(decision);
            }
            RefreshVerdict::ReuseDetected(_) => {
                record.entries.remove(place);
            }
            RefreshVerdict::Revoked | RefreshVerdict::StateStale => {
                decision.reason = Reason::Unknown;
                return Ok(decision);
            }
        }
        self.write(decision, Write::Must, opened.tag(), record, at, entropy)
    }

    /// The record that a token's family is in, and its place there.
    fn find_family<'a>(
        &self,
        opened: &'a Opened<'_>,
        token: &RefreshToken<'_>,
    ) -> Result<(Record<'a>, usize), Reason> {
        let record = self.record_of(opened, token.subject)?;
        let family = read_handle(token.family.as_bytes());
        let is_it = |entry: &Entry<'_>| entry.kind() == Kind::Tokens && family == Some(entry.handle());
        let place = record.find(is_it).ok_or(Reason::Unknown)?;
        Ok((record, place))
    }
}

/// What becomes of a token whose family is not there. Tokens of the second in which the store began may be from
/// before.
const fn unknown(token: &RefreshToken<'_>, reason: Reason, at: Moment) -> Decision {
    let store_since_s = if at.store_since_ms == 0 { 0 } else { (at.store_since_ms / 1000).saturating_add(1) };
    let is_of_this_store = token.issued_at_s >= store_since_s;
    let status = if is_of_this_store { Status::Revoked } else { Status::StateStale };
    match reason {
        Reason::Unknown if !is_of_this_store => Decision::new(status, Reason::Store),
        _ => Decision::new(status, reason),
    }
}
