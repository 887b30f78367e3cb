//! What was decided about a sign-in.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Changes, Evicted, Session, SessionId};
use crate::error::Status;
use crate::token::refresh::RefreshState;

/// Why a session is not good, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// It is good; or the status says it all.
    None = 0,
    /// There is no such session: there never was, or it was revoked or evicted.
    Unknown = 1,
    /// No session id.
    Malformed = 2,
    /// Not used for too long.
    Idle = 3,
    /// Begun too long ago.
    Absolute = 4,
    /// From another network.
    Address = 5,
    /// From another browser.
    UserAgent = 6,
    /// Begun before the moment since which the store has lost nothing.
    Store = 7,
    /// The record is damaged, or another user's.
    Foreign = 8,
}

/// Whether the record is to be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Write {
    /// It stays as it is.
    Nothing = 0,
    /// What was granted holds only once it is replaced; where that fails, read again and ask again. A refusal
    /// holds anyway.
    Must = 1,
    /// If it fails, never mind.
    May = 2,
}

/// What a client is given to show.
#[derive(Debug, Clone)]
pub enum Issued {
    /// A session id.
    Id(SessionId),
    /// Where a family stands: mint its refresh token.
    State(RefreshState),
}

/// What was decided.
#[derive(Debug, Clone)]
pub struct Decision {
    /// [`Status::Ok`], or why not.
    pub status: Status,
    /// More about it.
    pub reason: Reason,
    /// What to do with `record`.
    pub write: Write,
    /// What is not as it was, where that was looked at.
    pub changes: Changes,
    /// How long to keep the record, in milliseconds.
    pub keep_ms: i64,
    /// The next record; empty to delete it.
    pub record: Vec<u8>,
    /// The sign-in that it is about, as it is now; none where it is refused.
    pub session: Option<Session>,
    /// What had to make room for it, the oldest first.
    pub evicted: Vec<Evicted>,
    /// What to give the client.
    pub issued: Option<Issued>,
}

impl Decision {
    pub(super) const fn new(status: Status, reason: Reason) -> Self {
        Self {
            status,
            reason,
            write: Write::Nothing,
            changes: Changes { address: false, user_agent: false },
            keep_ms: 0,
            record: Vec::new(),
            session: None,
            evicted: Vec::new(),
            issued: None,
        }
    }

    /// The id of the session that was begun.
    #[must_use]
    pub const fn id(&self) -> Option<&SessionId> {
        match &self.issued {
            Some(Issued::Id(id)) => Some(id),
            _ => None,
        }
    }

    /// Where the family stands that a refresh token is to be minted of.
    #[must_use]
    pub const fn state(&self) -> Option<&RefreshState> {
        match &self.issued {
            Some(Issued::State(state)) => Some(state),
            _ => None,
        }
    }

    /// The session as JSON; empty for none. `evicted` is a member of what has just begun.
    #[must_use]
    pub fn session_json(&self, is_new: bool) -> String {
        let evicted = if is_new { Some(Evicted::list(&self.evicted)) } else { None };
        let more = evicted.as_deref().map(|evicted| ("evicted", evicted));
        self.session.as_ref().map(|session| session.to_json(more)).unwrap_or_default()
    }
}
