//! Sessions: who is logged in, on which devices, and for how much longer.
//!
//! *Decides* what becomes of a user's record when somebody logs in, sends a session id or a refresh token, or logs
//! out; and which requests are not the doing of the session's own pages ([`Web`]). *Inputs*: the record as it was
//! stored; what the client sent; the time, in milliseconds; the moment since which the store is known to have lost
//! nothing. *State*: one record per user, which the host keeps under one key, and replaces by compare-and-set.
//! *Threat*: log-ins and requests in parallel; stolen ids; an id that was fixed before the log-in; a store that is
//! read, that is damaged, or that gives out one user's record as another's; clocks that step back.
//!
//! All sign-ins of a user are in one record: cookie sessions and refresh families alike. Whatever changes one of
//! them is a function of the whole record, and counts only if the record is replaced: so there are never more than
//! the limit, the oldest is the oldest, and what was revoked stays so, however many requests race. A session id
//! begins with the tag that names its user's record, so that checking it is one read.
//!
//! ```text
//! tag       first 16 bytes of HMAC-SHA-256(`device` secret, lp("donjon/user/v1") ‖ lp(subject)); of nobody: random
//! id        base64url(tag 16 ‖ random 32), 64 characters; the record has SHA-256 of the 48 bytes
//! key       "{" base64url(tag) "}:sessions"
//! record    1 ‖ lengthed subject ‖ count ‖ entries, by when they were created; or 2 ‖ an envelope of that
//! handle    what lists call a sign-in: base64url of 16 bytes of the hash, or the family
//! ```
//!
//! What is said of a session that is sent, the first that applies:
//!
//! | what is wrong | status | [`Reason`] | to be written |
//! |---|---|---|---|
//! | not the form of an id | `invalid_session` | `Malformed` | |
//! | nothing is stored, or not this session: it ended, was revoked or evicted | `invalid_session` | `Unknown` | |
//! | a damaged record, or another user's | `invalid_session` | `Foreign` | |
//! | begun before the store lost what it had | `invalid_session` | `Store` | may: the record without what ended |
//! | not used for too long, or begun too long ago | `expired` | `Idle`, `Absolute` | may: the same |
//! | another network or browser, as configured | `invalid_session` | `Address`, `UserAgent` | must: the record without it |
//! | the same, as configured | `step_up_required` | `Address`, `UserAgent` | |
//! | nothing | `ok` | `None` | may: when it was seen, once in an interval |
//!
//! A refusal holds whether or not it is written. What is granted and *must* be written holds only once it is.
//!
//! ```
//! use donjon::keyring::Keyring;
//! use donjon::runtime::OsEntropy;
//! use donjon::session::{Client, LogIn, Moment, Sessions};
//!
//! let epochs = r#"{"keys":[{"purpose":"device","epoch":1},{"purpose":"csrf","epoch":1}]}"#;
//! let keyring = Keyring::from_master("pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU", epochs).unwrap();
//! let sessions = Sessions::from_json(&keyring, br#"{"max_per_user":3}"#)?;
//!
//! let at = Moment { now_ms: 1_800_000_000_000, store_since_ms: 0 };
//! let client = Client { address: b"192.0.2.7", user_agent: b"Mozilla/5.0" };
//! let log_in = LogIn { subject: "ann", client, label: "Firefox", data: b"" };
//! let begun = sessions.create(b"", &log_in, at, &mut OsEntropy)?;
//! let id = begun.id().unwrap().text();
//!
//! // The host stores `begun.record` under `sessions.keys("ann")?[0]`, which is `sessions.key(id)`.
//! let checked = sessions.check(&begun.record, id.as_bytes(), &client, at, &mut OsEntropy)?;
//! assert_eq!(checked.session.unwrap().subject, "ann");
//!
//! let elsewhere = Client { address: b"198.51.100.1", ..client };
//! let stolen = sessions.check(&begun.record, id.as_bytes(), &elsewhere, at, &mut OsEntropy)?;
//! assert_eq!(stolen.status.name(), "invalid_session");
//! # Ok::<(), donjon::session::SessionError>(())
//! ```

mod client;
mod config;
mod cookie;
mod csrf;
mod decision;
mod entry;
mod error;
mod family;
mod fetch_metadata;
mod id;
mod record;
mod sessions;
mod view;
mod web;

pub use client::{Changes, Client};
pub use config::MAX_PER_USER;
pub use cookie::{
    MAX_COOKIE_DOMAIN_LEN, MAX_COOKIE_HEADER_LEN, MAX_COOKIE_NAME_LEN, MAX_COOKIE_PATH_LEN,
    MAX_SET_COOKIE_LEN,
};
pub use csrf::CSRF_TOKEN_LEN;
pub use decision::{Decision, Issued, Reason, Write};
pub use entry::{Kind, MAX_DATA_LEN, MAX_LABEL_LEN};
pub use error::SessionError;
pub use family::RefreshToken;
pub use fetch_metadata::{MAX_ORIGIN_LEN, MAX_TRUSTED_ORIGINS, Request};
pub use id::{SESSION_ID_LEN, SessionId};
pub use record::MAX_SUBJECT_LEN;
pub use sessions::{LogIn, Moment, Revoke, Sessions};
pub use view::{Evicted, Session};
pub use web::Web;

#[cfg(test)]
mod tests;
