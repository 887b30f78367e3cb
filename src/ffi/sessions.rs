//! `donjon_sessions`.

use alloc::string::String;
use alloc::vec::Vec;

use super::keyring::donjon_keyring;
use super::memory::{Output, Slot, bytes, free, reference, text};
use super::{diagnosis, guard};
use crate::error::Status;
use crate::json::{list, text_list};
use crate::runtime::OsEntropy;
use crate::session::{Client, Decision, LogIn, Moment, RefreshToken, Revoke, Session, Sessions};

/// The characters of a session id.
pub const DONJON_SESSION_ID_LEN: usize = 64;

/// The bytes that a family's state takes, as DONJON_REFRESH_STATE_LEN.
const STATE_LEN: usize = super::DONJON_REFRESH_STATE_LEN;

/// Nothing more is to be said.
pub const DONJON_SESSION_REASON_NONE: u8 = 0;
/// There is no such session: there never was, or it ended, was revoked or evicted.
pub const DONJON_SESSION_REASON_UNKNOWN: u8 = 1;
/// Not the form of a session id.
pub const DONJON_SESSION_REASON_MALFORMED: u8 = 2;
/// Not used for too long.
pub const DONJON_SESSION_REASON_IDLE: u8 = 3;
/// Begun too long ago.
pub const DONJON_SESSION_REASON_ABSOLUTE: u8 = 4;
/// From another network.
pub const DONJON_SESSION_REASON_ADDRESS: u8 = 5;
/// From another browser.
pub const DONJON_SESSION_REASON_USER_AGENT: u8 = 6;
/// Begun before the moment since which the store is known to have lost nothing.
pub const DONJON_SESSION_REASON_STORE: u8 = 7;
/// The record is damaged, or another user's.
pub const DONJON_SESSION_REASON_FOREIGN: u8 = 8;

/// The record stays as it is.
pub const DONJON_SESSION_WRITE_NOTHING: u8 = 0;
/// What was granted holds only once the record is replaced: if that fails, read again and ask again. A refusal
/// holds anyway.
pub const DONJON_SESSION_WRITE_MUST: u8 = 1;
/// Replace the record; if that fails, never mind.
pub const DONJON_SESSION_WRITE_MAY: u8 = 2;

/// A bit of changes: the client is in another network.
pub const DONJON_SESSION_CHANGED_ADDRESS: u8 = 1;
/// A bit of changes: the client is another browser.
pub const DONJON_SESSION_CHANGED_USER_AGENT: u8 = 2;

/// donjon_sessions_revoke: the sign-in that handle names.
pub const DONJON_SESSIONS_ONE: u32 = 1;
/// donjon_sessions_revoke: all but the sign-in that handle names.
pub const DONJON_SESSIONS_OTHERS: u32 = 2;
/// donjon_sessions_revoke: all.
pub const DONJON_SESSIONS_ALL: u32 = 3;

/// Decides about the sign-ins of users: sessions with cookies, and families of refresh tokens. Never changes.
///
/// The host keeps one record per user in a store, under the key that donjon_sessions_keys or donjon_sessions_key
/// says, and replaces it by compare-and-set: from exactly the bytes that it read to those in record, for keep_ms.
/// Every function here that takes a record is pure: it is given what is stored (empty for nothing), and says what
/// was decided, and what to store. now_ms and store_since_ms (the since_ms of donjon_store_marker's verdict, 0 for
/// none) are not negative.
pub struct donjon_sessions(pub(super) Sessions);

/// What was decided about a sign-in.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct donjon_session_verdict {
    /// DONJON_OK, or why not.
    pub status: i32,
    /// More about it, for the log: DONJON_SESSION_REASON_*.
    pub reason: u8,
    /// What to do with the record: DONJON_SESSION_WRITE_*.
    pub write: u8,
    /// What is not as it was: DONJON_SESSION_CHANGED_*.
    pub changes: u8,
    /// Zero.
    pub reserved: u8,
    /// How long to keep the record, in milliseconds. It carries its own times: keeping it longer does no harm.
    pub keep_ms: i64,
}

impl From<&Decision> for donjon_session_verdict {
    fn from(decision: &Decision) -> Self {
        let bit = |is_changed: bool, bit| if is_changed { bit } else { 0 };
        Self {
            status: decision.status.code(),
            reason: decision.reason as u8,
            write: decision.write as u8,
            changes: bit(decision.changes.address, DONJON_SESSION_CHANGED_ADDRESS)
                | bit(decision.changes.user_agent, DONJON_SESSION_CHANGED_USER_AGENT),
            reserved: 0,
            keep_ms: decision.keep_ms,
        }
    }
}

/// The places for a decision, which have room for the longest.
struct Outputs {
    verdict: Slot<donjon_session_verdict>,
    record: Output,
    session: Output,
}

impl Outputs {
    fn new(
        sessions: &Sessions,
        verdict: Slot<donjon_session_verdict>,
        record: Output,
        session: Output,
    ) -> Result<Self, Status> {
        let record = record.require(sessions.record_bound())?;
        Ok(Self { verdict, record, session: session.require(sessions.session_bound())? })
    }

    fn put(self, decision: &Decision, session: &str) -> Result<(), Status> {
        self.record.write(&decision.record)?;
        self.session.write(session.as_bytes())?;
        self.verdict.put(decision.into());
        Ok(())
    }
}

/// Gives out the id of a session that has begun.
fn put_id(id: Slot<[u8; DONJON_SESSION_ID_LEN]>, decision: &Decision) {
    let text = decision.id().map(|id| id.text());
    if let Some(text) = text.and_then(|text| text.as_bytes().try_into().ok()) {
        id.put(text);
    }
}

/// Gives out the state that a refresh token is to be minted of.
fn put_state(slot: Slot<[u8; STATE_LEN]>, decision: &Decision) {
    if let Some(state) = decision.state() {
        slot.put(state.to_bytes());
    }
}

/// # Safety
/// As [`bytes`].
unsafe fn client<'a>(
    address: *const u8,
    address_len: usize,
    user_agent: *const u8,
    user_agent_len: usize,
) -> Result<Client<'a>, Status> {
    // SAFETY: the caller's promise is the same.
    let (address, user_agent) = unsafe { (bytes(address, address_len)?, bytes(user_agent, user_agent_len)?) };
    Ok(Client { address, user_agent })
}

/// Makes sessions from a keyring, which may be freed afterwards: its "device" secrets name records, its "csrf" secrets
/// make CSRF tokens.
///
/// config: every member may be left out; the values here are those that it then has:
///   {"idle_timeout_s":28800,"absolute_timeout_s":86400,"touch_interval_s":60,
///    "max_per_user":5,"at_limit":"evict_oldest",
///    "address":{"on_change":"invalidate","ipv4_prefix":24,"ipv6_prefix":48},
///    "user_agent":{"on_change":"report"},
///    "family_lifetime_s":2592000,"family_idle_timeout_s":604800,"refresh_grace_ms":10000,"sealed":false,
///    "cookie":{"name":"__Host-session","same_site":"lax","domain":null,"path":"/","persistent":true,
///              "insecure":false},
///    "csrf_token":"required","trusted_origins":[]}
///   A session ends when it was not used for idle_timeout_s, and after absolute_timeout_s in any case; that it was used
///   is noted once in touch_interval_s, which is at most half of the former. "max_per_user": sign-ins of one user, 1 to
///   64, sessions and families together; "at_limit" may be "refuse". "on_change": what happens if the client is in
///   another network of so many bits, or another browser: "invalidate", "step_up" or "report". "family_*": the same of
///   families; "refresh_grace_ms" as donjon_refresh_rotate has it. "sealed": records are envelopes of the keyring's
///   "envelope" secret. "cookie": "same_site" may be "strict" or "none"; a name that does not begin with __Host- or
///   __Secure- wants "insecure", which is for development without TLS. "csrf_token" may be "not_required".
///   "trusted_origins": `["https://app.example.com"]`, whose pages may send requests too.
///
/// Errors: CONFIG_ERROR (a member, or a missing secret: see donjon_sessions_diagnose).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sessions_new(
    keyring: *const donjon_keyring,
    config: *const u8,
    config_len: usize,
    out: *mut *mut donjon_sessions,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, config, out) =
            unsafe { (reference(keyring)?, bytes(config, config_len)?, Slot::new(out)?) };
        out.put_handle(donjon_sessions(Sessions::from_json(&keyring.0, config)?));
        Ok(())
    })
}

/// Says why donjon_sessions_new refuses a configuration: null if it does not, else
/// `{"error":"config_error","path":"cookie.name","message":"…"}`.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sessions_diagnose(
    keyring: *const donjon_keyring,
    config: *const u8,
    config_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, config, out) =
            unsafe { (reference(keyring)?, bytes(config, config_len)?, Output::new(out, cap, out_len)?) };
        diagnosis::write(Sessions::from_json(&keyring.0, config), out)
    })
}

/// The bytes of the longest record: the next_cap that these functions want. 0 for NULL.
///
/// # Safety
/// sessions is NULL, or a handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sessions_record_bound(sessions: *const donjon_sessions) -> usize {
    let mut bound = 0;
    guard(|| {
        // SAFETY: the caller's handle, as the contract says.
        bound = unsafe { reference(sessions) }?.0.record_bound();
        Ok(())
    });
    bound
}

/// The bytes of the longest session JSON: the session_cap that these functions want. 0 for NULL.
///
/// # Safety
/// sessions is NULL, or a handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sessions_session_bound(sessions: *const donjon_sessions) -> usize {
    let mut bound = 0;
    guard(|| {
        // SAFETY: the caller's handle, as the contract says.
        bound = unsafe { reference(sessions) }?.0.session_bound();
        Ok(())
    });
    bound
}

/// The keys that a user's record may be under, as a JSON list of texts: new sign-ins go under the first. The others are
/// of "device" secrets of before: they are not empty until their last session has ended; delete them at the next log-in.
///
/// Errors: INVALID_ARGUMENT (an empty subject), TOO_LARGE (over 1,024 bytes), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sessions_keys(
    sessions: *const donjon_sessions,
    subject: *const u8,
    subject_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sessions, subject, out) =
            unsafe { (reference(sessions)?, text(subject, subject_len)?, Output::new(out, cap, out_len)?) };
        let keys = sessions.0.keys(subject)?;
        out.write(text_list(keys.iter().map(String::as_str)).as_bytes())
    })
}

/// The key of the record that a session is in.
///
/// Errors: INVALID_SESSION (not a session id), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sessions_key(
    sessions: *const donjon_sessions,
    id: *const u8,
    id_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sessions, id, out) =
            unsafe { (reference(sessions)?, bytes(id, id_len)?, Output::new(out, cap, out_len)?) };
        out.write(sessions.0.key(id)?.as_bytes())
    })
}

/// Begins a session for a user who has just logged in, or, with an empty subject, for nobody.
///
/// record: what is stored under the first of donjon_sessions_keys; empty for nobody, whose record goes under
///   donjon_sessions_key of the new id. A damaged record is replaced.
/// address, user_agent: the client's, from donjon_proxies_client (its ip) and the User-Agent header; empty for none,
///   which is then not compared. Of the address, its network is kept; of the browser, 8 bytes of a hash.
/// label: what to call the sign-in in lists. Control characters and marks that turn the direction of text are dropped,
///   and what is over 64 bytes. data: up to 512 bytes that the host wants back at each check.
/// id: receives DONJON_SESSION_ID_LEN bytes, if the status of the verdict is OK: what the client is to send, and nobody
///   else is to see.
/// verdict: OK, to be written (must); or SESSION_LIMIT, where at_limit is "refuse".
/// next: the record to store. next_cap: at least donjon_sessions_record_bound.
/// session: {"handle":"…","subject":"ann","kind":"cookie","label":"…","data":"…","created_ms":…,"seen_ms":…,
///   "expires_ms":…,"network":"192.0.2.0/24","evicted":[{"handle":"…","kind":"tokens"}]}; empty if there is none.
///   "data" is base64url; "handle" names the sign-in and is no secret. "evicted": what had to make room, the oldest
///   first; before next is stored, revoke the families among them (donjon_revocations_revoke), for their access tokens
///   would live on. session_cap: at least donjon_sessions_session_bound.
///
/// Errors: INVALID_ARGUMENT (a time, an address that is none, a record for nobody), TOO_LARGE (subject, data),
/// KEY_EXPIRED (of a "sealed" record), BUFFER_TOO_SMALL, ENTROPY_UNAVAILABLE.
///
/// # Safety
/// The pointers are as the contract says; id points to DONJON_SESSION_ID_LEN writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sessions_create(
    sessions: *const donjon_sessions,
    record: *const u8,
    record_len: usize,
    subject: *const u8,
    subject_len: usize,
    address: *const u8,
    address_len: usize,
    user_agent: *const u8,
    user_agent_len: usize,
    label: *const u8,
    label_len: usize,
    data: *const u8,
    data_len: usize,
    now_ms: i64,
    store_since_ms: i64,
    id: *mut u8,
    verdict: *mut donjon_session_verdict,
    next: *mut u8,
    next_cap: usize,
    next_len: *mut usize,
    session: *mut u8,
    session_cap: usize,
    session_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sessions, stored, subject, client) = unsafe {
            (
                reference(sessions)?,
                bytes(record, record_len)?,
                text(subject, subject_len)?,
                client(address, address_len, user_agent, user_agent_len)?,
            )
        };
        // SAFETY: as above.
        let (label, data, id) = unsafe {
            (
                text(label, label_len)?,
                bytes(data, data_len)?,
                Slot::new(id.cast::<[u8; DONJON_SESSION_ID_LEN]>())?,
            )
        };
        // SAFETY: as above.
        let (verdict, next, session) = unsafe {
            (
                Slot::new(verdict)?,
                Output::new(next, next_cap, next_len)?,
                Output::new(session, session_cap, session_len)?,
            )
        };
        let outputs = Outputs::new(&sessions.0, verdict, next, session)?;
        let at = Moment { now_ms, store_since_ms };
        let log_in = LogIn { subject, client, label, data };
        let decision = sessions.0.create(stored, &log_in, at, &mut OsEntropy)?;
        outputs.put(&decision, &decision.session_json(true))?;
        put_id(id, &decision);
        Ok(())
    })
}

/// Decides about a session id that was sent.
///
/// record: what is stored under donjon_sessions_key of the id.
/// verdict, the first that applies:
///   INVALID_SESSION, MALFORMED: not the form of an id; UNKNOWN: nothing is stored, or not this session; FOREIGN: the
///     record is damaged, or not that of the user whom the id names; STORE: older than store_since_ms (may write).
///   EXPIRED, IDLE or ABSOLUTE (may write).
///   INVALID_SESSION (must write) or STEP_UP_REQUIRED, ADDRESS or USER_AGENT: as configured.
///   OK (may write, when it was seen, once in the touch interval).
/// next, next_cap, session, session_cap: as donjon_sessions_create, without "evicted". There is a session if the
///   status is OK or STEP_UP_REQUIRED.
///
/// Errors: INVALID_ARGUMENT (a time, an address that is none), KEY_EXPIRED (of a "sealed" record), BUFFER_TOO_SMALL,
/// ENTROPY_UNAVAILABLE.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sessions_check(
    sessions: *const donjon_sessions,
    record: *const u8,
    record_len: usize,
    id: *const u8,
    id_len: usize,
    address: *const u8,
    address_len: usize,
    user_agent: *const u8,
    user_agent_len: usize,
    now_ms: i64,
    store_since_ms: i64,
    verdict: *mut donjon_session_verdict,
    next: *mut u8,
    next_cap: usize,
    next_len: *mut usize,
    session: *mut u8,
    session_cap: usize,
    session_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sessions, stored, sent, client) = unsafe {
            (
                reference(sessions)?,
                bytes(record, record_len)?,
                bytes(id, id_len)?,
                client(address, address_len, user_agent, user_agent_len)?,
            )
        };
        // SAFETY: as above.
        let (verdict, next, session) = unsafe {
            (
                Slot::new(verdict)?,
                Output::new(next, next_cap, next_len)?,
                Output::new(session, session_cap, session_len)?,
            )
        };
        let outputs = Outputs::new(&sessions.0, verdict, next, session)?;
        let at = Moment { now_ms, store_since_ms };
        let decision = sessions.0.check(stored, sent, &client, at, &mut OsEntropy)?;
        outputs.put(&decision, &decision.session_json(false))
    })
}

/// Gives a session a new id: after the user has authenticated again, and before what it may do is more. The old id is no
/// session any more; when it began, its label and its place in lists stay. Neither address nor browser are compared:
/// they are taken as they are now.
///
/// data: replaces what is kept; empty leaves it as it is.
/// new_id: receives DONJON_SESSION_ID_LEN bytes, if the status of the verdict is OK.
/// verdict: OK, to be written (must); otherwise as donjon_sessions_check.
///
/// Errors: as donjon_sessions_check; TOO_LARGE (data).
///
/// # Safety
/// The pointers are as the contract says; new_id points to DONJON_SESSION_ID_LEN writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sessions_rotate(
    sessions: *const donjon_sessions,
    record: *const u8,
    record_len: usize,
    id: *const u8,
    id_len: usize,
    address: *const u8,
    address_len: usize,
    user_agent: *const u8,
    user_agent_len: usize,
    data: *const u8,
    data_len: usize,
    now_ms: i64,
    store_since_ms: i64,
    new_id: *mut u8,
    verdict: *mut donjon_session_verdict,
    next: *mut u8,
    next_cap: usize,
    next_len: *mut usize,
    session: *mut u8,
    session_cap: usize,
    session_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sessions, stored, sent, client) = unsafe {
            (
                reference(sessions)?,
                bytes(record, record_len)?,
                bytes(id, id_len)?,
                client(address, address_len, user_agent, user_agent_len)?,
            )
        };
        // SAFETY: as above.
        let (data, new_id) =
            unsafe { (bytes(data, data_len)?, Slot::new(new_id.cast::<[u8; DONJON_SESSION_ID_LEN]>())?) };
        let data = Some(data).filter(|data| !data.is_empty());
        // SAFETY: as above.
        let (verdict, next, session) = unsafe {
            (
                Slot::new(verdict)?,
                Output::new(next, next_cap, next_len)?,
                Output::new(session, session_cap, session_len)?,
            )
        };
        let outputs = Outputs::new(&sessions.0, verdict, next, session)?;
        let at = Moment { now_ms, store_since_ms };
        let decision = sessions.0.rotate(stored, sent, &client, data, at, &mut OsEntropy)?;
        outputs.put(&decision, &decision.session_json(false))?;
        put_id(new_id, &decision);
        Ok(())
    })
}

/// Begins a family of refresh tokens for a user who has just logged in, as donjon_sessions_create begins a session.
///
/// state: receives DONJON_REFRESH_STATE_LEN bytes, if the status of the verdict is OK: mint its token with
///   donjon_issuer_refresh once the record is written.
///
/// Errors: as donjon_sessions_create; INVALID_ARGUMENT also for an empty subject.
///
/// # Safety
/// The pointers are as the contract says; state points to DONJON_REFRESH_STATE_LEN writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sessions_begin_family(
    sessions: *const donjon_sessions,
    record: *const u8,
    record_len: usize,
    subject: *const u8,
    subject_len: usize,
    address: *const u8,
    address_len: usize,
    user_agent: *const u8,
    user_agent_len: usize,
    label: *const u8,
    label_len: usize,
    data: *const u8,
    data_len: usize,
    now_ms: i64,
    store_since_ms: i64,
    state: *mut u8,
    verdict: *mut donjon_session_verdict,
    next: *mut u8,
    next_cap: usize,
    next_len: *mut usize,
    session: *mut u8,
    session_cap: usize,
    session_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sessions, stored, subject, client) = unsafe {
            (
                reference(sessions)?,
                bytes(record, record_len)?,
                text(subject, subject_len)?,
                client(address, address_len, user_agent, user_agent_len)?,
            )
        };
        // SAFETY: as above.
        let (label, data, state) = unsafe {
            (text(label, label_len)?, bytes(data, data_len)?, Slot::new(state.cast::<[u8; STATE_LEN]>())?)
        };
        // SAFETY: as above.
        let (verdict, next, session) = unsafe {
            (
                Slot::new(verdict)?,
                Output::new(next, next_cap, next_len)?,
                Output::new(session, session_cap, session_len)?,
            )
        };
        let outputs = Outputs::new(&sessions.0, verdict, next, session)?;
        let at = Moment { now_ms, store_since_ms };
        let log_in = LogIn { subject, client, label, data };
        let decision = sessions.0.begin_family(stored, &log_in, at, &mut OsEntropy)?;
        outputs.put(&decision, &decision.session_json(true))?;
        put_state(state, &decision);
        Ok(())
    })
}

/// Decides about a refresh token that was verified, as donjon_refresh_rotate does, where the families are in records.
///
/// record: what is stored under one of donjon_sessions_keys of the token's subject: the one that has it, else the first.
/// family, generation, issued_at_s: from the token's donjon_claims; issued_at_s DONJON_NEVER if it has none.
/// state: receives DONJON_REFRESH_STATE_LEN bytes, if the status of the verdict is OK: mint its token with
///   donjon_issuer_refresh once the record is written, if it must be.
/// verdict:
///   OK: a token of state; to be written (must), unless it repeats one within the grace.
///   REVOKED, UNKNOWN: the family was revoked or evicted. STATE_STALE, STORE: the store may have lost it. Either with
///     FOREIGN: the record is damaged, or another user's.
///   EXPIRED, IDLE or ABSOLUTE (may write).
///   REUSE_DETECTED: the token was used before (must write: without the family). Revoke the family first.
///   STATE_STALE, UNKNOWN: the store knows less than the token.
///   changes are only reported, and kept with the next rotation: phones move.
/// next, next_cap, session, session_cap: as donjon_sessions_check.
///
/// Errors: as donjon_sessions_check; INVALID_ARGUMENT (an empty subject, generation), TOO_LARGE (subject).
///
/// # Safety
/// The pointers are as the contract says; state points to DONJON_REFRESH_STATE_LEN writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sessions_refresh(
    sessions: *const donjon_sessions,
    record: *const u8,
    record_len: usize,
    subject: *const u8,
    subject_len: usize,
    family: *const u8,
    family_len: usize,
    generation: i64,
    issued_at_s: i64,
    address: *const u8,
    address_len: usize,
    user_agent: *const u8,
    user_agent_len: usize,
    now_ms: i64,
    store_since_ms: i64,
    state: *mut u8,
    verdict: *mut donjon_session_verdict,
    next: *mut u8,
    next_cap: usize,
    next_len: *mut usize,
    session: *mut u8,
    session_cap: usize,
    session_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sessions, stored, subject, client) = unsafe {
            (
                reference(sessions)?,
                bytes(record, record_len)?,
                text(subject, subject_len)?,
                client(address, address_len, user_agent, user_agent_len)?,
            )
        };
        // SAFETY: as above.
        let (family, state) =
            unsafe { (text(family, family_len)?, Slot::new(state.cast::<[u8; STATE_LEN]>())?) };
        // SAFETY: as above.
        let (verdict, next, session) = unsafe {
            (
                Slot::new(verdict)?,
                Output::new(next, next_cap, next_len)?,
                Output::new(session, session_cap, session_len)?,
            )
        };
        let outputs = Outputs::new(&sessions.0, verdict, next, session)?;
        let at = Moment { now_ms, store_since_ms };
        let generation = u32::try_from(generation).map_err(|_| Status::InvalidArgument)?;
        let token = RefreshToken { subject, family, generation, issued_at_s };
        let decision = sessions.0.refresh(stored, &token, &client, at, &mut OsEntropy)?;
        outputs.put(&decision, &decision.session_json(false))?;
        put_state(state, &decision);
        Ok(())
    })
}

/// The live sign-ins of a user, by when they began, as a JSON list of what donjon_sessions_check gives as session, each
/// with "current":true or false. A damaged record, and another user's, have none.
///
/// subject: the record's. Empty: that of the session id current, under whose key the record is.
/// current: the id or the handle of the sign-in that asks; empty for none.
///
/// Errors: INVALID_ARGUMENT (a time), TOO_LARGE (subject), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sessions_list(
    sessions: *const donjon_sessions,
    record: *const u8,
    record_len: usize,
    subject: *const u8,
    subject_len: usize,
    current: *const u8,
    current_len: usize,
    now_ms: i64,
    store_since_ms: i64,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sessions, stored, subject, current, out) = unsafe {
            (
                reference(sessions)?,
                bytes(record, record_len)?,
                text(subject, subject_len)?,
                bytes(current, current_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        let listed = sessions.0.list(stored, subject, current, Moment { now_ms, store_since_ms })?;
        let describe = |(session, is_current): &(Session, bool)| {
            session.to_json(Some(("current", if *is_current { "true" } else { "false" })))
        };
        out.write(list(&listed.iter().map(describe).collect::<Vec<_>>()).as_bytes())
    })
}

/// Ends sign-ins of a user.
///
/// subject: the record's. Empty: that of the session id handle, under whose key the record is.
/// which: DONJON_SESSIONS_*. handle: the handle, or the session id, of the one that goes, or that stays; empty for ALL.
/// verdict: OK, to be written (must) if anything goes, next empty if nothing is left; INVALID_SESSION, UNKNOWN: there
///   is no such sign-in. ALL of a damaged record deletes it.
/// next, next_cap: as donjon_sessions_create. revoked: what went, as donjon_sessions_list has it without "current".
///   Before next is stored, revoke the families among it (donjon_revocations_revoke): their access tokens would live on.
///
/// Errors: INVALID_ARGUMENT (which, a time), TOO_LARGE (subject), KEY_EXPIRED (of a "sealed" record),
/// BUFFER_TOO_SMALL, ENTROPY_UNAVAILABLE.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sessions_revoke(
    sessions: *const donjon_sessions,
    record: *const u8,
    record_len: usize,
    subject: *const u8,
    subject_len: usize,
    which: u32,
    handle: *const u8,
    handle_len: usize,
    now_ms: i64,
    store_since_ms: i64,
    verdict: *mut donjon_session_verdict,
    next: *mut u8,
    next_cap: usize,
    next_len: *mut usize,
    revoked: *mut u8,
    revoked_cap: usize,
    revoked_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sessions, stored, subject, handle) = unsafe {
            (
                reference(sessions)?,
                bytes(record, record_len)?,
                text(subject, subject_len)?,
                bytes(handle, handle_len)?,
            )
        };
        // SAFETY: as above.
        let (verdict, next, revoked) = unsafe {
            (
                Slot::new(verdict)?,
                Output::new(next, next_cap, next_len)?,
                Output::new(revoked, revoked_cap, revoked_len)?,
            )
        };
        let next = next.require(sessions.0.record_bound())?;
        let which = match which {
            DONJON_SESSIONS_ONE => Revoke::One(handle),
            DONJON_SESSIONS_OTHERS => Revoke::Others(handle),
            DONJON_SESSIONS_ALL => Revoke::All,
            _ => return Err(Status::InvalidArgument),
        };
        let at = Moment { now_ms, store_since_ms };
        let (decision, gone) = sessions.0.revoke(stored, subject, which, at, &mut OsEntropy)?;
        let gone = list(&gone.iter().map(|session| session.to_json(None)).collect::<Vec<_>>());
        revoked.write(gone.as_bytes())?;
        next.write(&decision.record)?;
        verdict.put((&decision).into());
        Ok(())
    })
}

/// Frees sessions.
///
/// # Safety
/// sessions is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sessions_free(sessions: *mut donjon_sessions) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(sessions);
        Ok(())
    });
}
