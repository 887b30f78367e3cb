//! Sessions: decisions over a user's record, cookies, and requests from other sites.

use std::ptr;

use super::{Failure, Handle, Keyring, Noun, Outcome, answer, check, ffi, fill, written};

impl Noun for ffi::donjon_sessions {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_sessions_free;
}

pub(crate) use ffi::{
    DONJON_SESSION_CHANGED_ADDRESS as CHANGED_ADDRESS,
    DONJON_SESSION_CHANGED_USER_AGENT as CHANGED_USER_AGENT,
    DONJON_SESSION_REASON_ABSOLUTE as REASON_ABSOLUTE, DONJON_SESSION_REASON_ADDRESS as REASON_ADDRESS,
    DONJON_SESSION_REASON_FOREIGN as REASON_FOREIGN, DONJON_SESSION_REASON_IDLE as REASON_IDLE,
    DONJON_SESSION_REASON_MALFORMED as REASON_MALFORMED, DONJON_SESSION_REASON_STORE as REASON_STORE,
    DONJON_SESSION_REASON_UNKNOWN as REASON_UNKNOWN, DONJON_SESSION_REASON_USER_AGENT as REASON_USER_AGENT,
    DONJON_SESSIONS_ALL as SESSIONS_ALL, DONJON_SESSIONS_ONE as SESSIONS_ONE,
    DONJON_SESSIONS_OTHERS as SESSIONS_OTHERS, donjon_session_verdict as SessionVerdict,
};

/// What the kernel made of a record.
pub(crate) struct Decision {
    pub(crate) verdict: SessionVerdict,
    pub(crate) record: Vec<u8>,
    /// The session, or a list of them: JSON, or nothing.
    pub(crate) session: Vec<u8>,
}

/// Where a request comes from.
#[derive(Clone, Copy)]
pub(crate) struct Peer<'a> {
    pub(crate) address: &'a [u8],
    pub(crate) user_agent: &'a [u8],
}

/// Who signs in, and what goes with it.
#[derive(Clone, Copy)]
pub(crate) struct Who<'a> {
    pub(crate) subject: &'a [u8],
    pub(crate) label: &'a [u8],
    pub(crate) data: &'a [u8],
}

#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) now_ms: i64,
    pub(crate) store_since_ms: i64,
}

/// What a request shows of where it comes from.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a [u8],
    pub(crate) sec_fetch_site: &'a [u8],
    pub(crate) origin: &'a [u8],
    pub(crate) host: &'a [u8],
    pub(crate) csrf_token: &'a [u8],
}

pub(crate) type SessionId = [u8; ffi::DONJON_SESSION_ID_LEN];
pub(crate) type FamilyState = [u8; ffi::DONJON_REFRESH_STATE_LEN];

pub(crate) struct Sessions {
    handle: Handle<ffi::donjon_sessions>,
    record_bound: usize,
    session_bound: usize,
}

/// Room for one output, and how much of it was written.
struct Out {
    room: Vec<u8>,
    len: usize,
}

impl Out {
    fn of(bound: usize) -> Outcome<Self> {
        let mut room = Vec::new();
        room.try_reserve_exact(bound).map_err(|_| Failure::OUT_OF_MEMORY)?;
        Ok(Self { room, len: 0 })
    }

    /// What was written by a call that succeeded.
    fn done(mut self) -> Outcome<Vec<u8>> {
        if self.len > self.room.capacity() {
            return Err(Failure::INTERNAL_ERROR);
        }
        // SAFETY: on success the first `len` bytes are written, and they fit.
        unsafe { self.room.set_len(self.len) };
        Ok(self.room)
    }
}

impl Sessions {
    pub(crate) fn new(keyring: &Keyring, config: &[u8]) -> Outcome<Self> {
        let handle = Handle::make(|out| {
            // SAFETY: the module's contract.
            unsafe { ffi::donjon_sessions_new(keyring.0.get(), config.as_ptr(), config.len(), out) }
        })?;
        // SAFETY: as above.
        let (record_bound, session_bound) = unsafe {
            (
                ffi::donjon_sessions_record_bound(handle.get()),
                ffi::donjon_sessions_session_bound(handle.get()),
            )
        };
        Ok(Self { handle, record_bound, session_bound })
    }

    pub(crate) fn keys(&self, subject: &[u8]) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        answer(|out, cap, len| unsafe {
            ffi::donjon_sessions_keys(self.handle.get(), subject.as_ptr(), subject.len(), out, cap, len)
        })
    }

    pub(crate) fn key(&self, id: &[u8]) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        fill(64, |out, cap, len| unsafe {
            ffi::donjon_sessions_key(self.handle.get(), id.as_ptr(), id.len(), out, cap, len)
        })
    }

    fn decide(&self, call: impl FnOnce(*mut SessionVerdict, &mut Out, &mut Out) -> i32) -> Outcome<Decision> {
        let (mut record, mut session) = (Out::of(self.record_bound)?, Out::of(self.session_bound)?);
        let verdict = written(|verdict| call(verdict, &mut record, &mut session))?;
        Ok(Decision { verdict, record: record.done()?, session: session.done()? })
    }

    pub(crate) fn create(
        &self,
        record: &[u8],
        who: Who<'_>,
        peer: Peer<'_>,
        times: Times,
    ) -> Outcome<(Decision, SessionId)> {
        let mut id = [0; ffi::DONJON_SESSION_ID_LEN];
        // SAFETY: the module's contract; `id` is as long as the ABI says.
        let decision = self.decide(|verdict, next, session| unsafe {
            ffi::donjon_sessions_create(
                self.handle.get(),
                record.as_ptr(),
                record.len(),
                who.subject.as_ptr(),
                who.subject.len(),
                peer.address.as_ptr(),
                peer.address.len(),
                peer.user_agent.as_ptr(),
                peer.user_agent.len(),
                who.label.as_ptr(),
                who.label.len(),
                who.data.as_ptr(),
                who.data.len(),
                times.now_ms,
                times.store_since_ms,
                id.as_mut_ptr(),
                verdict,
                next.room.as_mut_ptr(),
                next.room.capacity(),
                &raw mut next.len,
                session.room.as_mut_ptr(),
                session.room.capacity(),
                &raw mut session.len,
            )
        })?;
        Ok((decision, id))
    }

    pub(crate) fn check(&self, record: &[u8], id: &[u8], peer: Peer<'_>, times: Times) -> Outcome<Decision> {
        // SAFETY: the module's contract.
        self.decide(|verdict, next, session| unsafe {
            ffi::donjon_sessions_check(
                self.handle.get(),
                record.as_ptr(),
                record.len(),
                id.as_ptr(),
                id.len(),
                peer.address.as_ptr(),
                peer.address.len(),
                peer.user_agent.as_ptr(),
                peer.user_agent.len(),
                times.now_ms,
                times.store_since_ms,
                verdict,
                next.room.as_mut_ptr(),
                next.room.capacity(),
                &raw mut next.len,
                session.room.as_mut_ptr(),
                session.room.capacity(),
                &raw mut session.len,
            )
        })
    }

    /// Without `data`, that of before is kept.
    pub(crate) fn rotate(
        &self,
        record: &[u8],
        id: &[u8],
        peer: Peer<'_>,
        data: Option<&[u8]>,
        times: Times,
    ) -> Outcome<(Decision, SessionId)> {
        let mut new_id = [0; ffi::DONJON_SESSION_ID_LEN];
        let (data, data_len) = data.map_or((ptr::null(), 0), |data| (data.as_ptr(), data.len()));
        // SAFETY: the module's contract; `new_id` is as long as the ABI says.
        let decision = self.decide(|verdict, next, session| unsafe {
            ffi::donjon_sessions_rotate(
                self.handle.get(),
                record.as_ptr(),
                record.len(),
                id.as_ptr(),
                id.len(),
                peer.address.as_ptr(),
                peer.address.len(),
                peer.user_agent.as_ptr(),
                peer.user_agent.len(),
                data,
                data_len,
                times.now_ms,
                times.store_since_ms,
                new_id.as_mut_ptr(),
                verdict,
                next.room.as_mut_ptr(),
                next.room.capacity(),
                &raw mut next.len,
                session.room.as_mut_ptr(),
                session.room.capacity(),
                &raw mut session.len,
            )
        })?;
        Ok((decision, new_id))
    }

    pub(crate) fn begin_family(
        &self,
        record: &[u8],
        who: Who<'_>,
        peer: Peer<'_>,
        times: Times,
    ) -> Outcome<(Decision, FamilyState)> {
        let mut state = [0; ffi::DONJON_REFRESH_STATE_LEN];
        // SAFETY: the module's contract; `state` is as long as the ABI says.
        let decision = self.decide(|verdict, next, session| unsafe {
            ffi::donjon_sessions_begin_family(
                self.handle.get(),
                record.as_ptr(),
                record.len(),
                who.subject.as_ptr(),
                who.subject.len(),
                peer.address.as_ptr(),
                peer.address.len(),
                peer.user_agent.as_ptr(),
                peer.user_agent.len(),
                who.label.as_ptr(),
                who.label.len(),
                who.data.as_ptr(),
                who.data.len(),
                times.now_ms,
                times.store_since_ms,
                state.as_mut_ptr(),
                verdict,
                next.room.as_mut_ptr(),
                next.room.capacity(),
                &raw mut next.len,
                session.room.as_mut_ptr(),
                session.room.capacity(),
                &raw mut session.len,
            )
        })?;
        Ok((decision, state))
    }

    #[allow(clippy::too_many_arguments, reason = "as many as the decision wants")]
    pub(crate) fn refresh(
        &self,
        record: &[u8],
        subject: &[u8],
        family: &[u8],
        generation: i64,
        issued_at_s: i64,
        peer: Peer<'_>,
        times: Times,
    ) -> Outcome<(Decision, FamilyState)> {
        let mut state = [0; ffi::DONJON_REFRESH_STATE_LEN];
        // SAFETY: the module's contract; `state` is as long as the ABI says.
        let decision = self.decide(|verdict, next, session| unsafe {
            ffi::donjon_sessions_refresh(
                self.handle.get(),
                record.as_ptr(),
                record.len(),
                subject.as_ptr(),
                subject.len(),
                family.as_ptr(),
                family.len(),
                generation,
                issued_at_s,
                peer.address.as_ptr(),
                peer.address.len(),
                peer.user_agent.as_ptr(),
                peer.user_agent.len(),
                times.now_ms,
                times.store_since_ms,
                state.as_mut_ptr(),
                verdict,
                next.room.as_mut_ptr(),
                next.room.capacity(),
                &raw mut next.len,
                session.room.as_mut_ptr(),
                session.room.capacity(),
                &raw mut session.len,
            )
        })?;
        Ok((decision, state))
    }

    pub(crate) fn list(
        &self,
        record: &[u8],
        subject: &[u8],
        current: &[u8],
        times: Times,
    ) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        answer(|out, cap, len| unsafe {
            ffi::donjon_sessions_list(
                self.handle.get(),
                record.as_ptr(),
                record.len(),
                subject.as_ptr(),
                subject.len(),
                current.as_ptr(),
                current.len(),
                times.now_ms,
                times.store_since_ms,
                out,
                cap,
                len,
            )
        })
    }

    pub(crate) fn revoke(
        &self,
        record: &[u8],
        subject: &[u8],
        which: u32,
        handle: &[u8],
        times: Times,
    ) -> Outcome<Decision> {
        // SAFETY: the module's contract.
        self.decide(|verdict, next, revoked| unsafe {
            ffi::donjon_sessions_revoke(
                self.handle.get(),
                record.as_ptr(),
                record.len(),
                subject.as_ptr(),
                subject.len(),
                which,
                handle.as_ptr(),
                handle.len(),
                times.now_ms,
                times.store_since_ms,
                verdict,
                next.room.as_mut_ptr(),
                next.room.capacity(),
                &raw mut next.len,
                revoked.room.as_mut_ptr(),
                revoked.room.capacity(),
                &raw mut revoked.len,
            )
        })
    }

    pub(crate) fn csrf_token(&self, id: &[u8]) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        fill(ffi::DONJON_CSRF_TOKEN_LEN, |out, cap, len| unsafe {
            ffi::donjon_sessions_csrf_token(self.handle.get(), id.as_ptr(), id.len(), out, cap, len)
        })
    }

    pub(crate) fn check_request(&self, id: &[u8], request: Request<'_>) -> Outcome<()> {
        // SAFETY: the module's contract.
        check(unsafe {
            ffi::donjon_sessions_check_request(
                self.handle.get(),
                id.as_ptr(),
                id.len(),
                request.method.as_ptr(),
                request.method.len(),
                request.sec_fetch_site.as_ptr(),
                request.sec_fetch_site.len(),
                request.origin.as_ptr(),
                request.origin.len(),
                request.host.as_ptr(),
                request.host.len(),
                request.csrf_token.as_ptr(),
                request.csrf_token.len(),
            )
        })
    }

    pub(crate) fn cookie(&self, id: &[u8]) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        answer(|out, cap, len| unsafe {
            ffi::donjon_sessions_cookie(self.handle.get(), id.as_ptr(), id.len(), out, cap, len)
        })
    }

    pub(crate) fn csrf_cookie(&self, token: &[u8]) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        answer(|out, cap, len| unsafe {
            ffi::donjon_sessions_csrf_cookie(self.handle.get(), token.as_ptr(), token.len(), out, cap, len)
        })
    }

    pub(crate) fn read_cookie(&self, header: &[u8]) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        fill(ffi::DONJON_SESSION_ID_LEN, |out, cap, len| unsafe {
            ffi::donjon_sessions_read_cookie(self.handle.get(), header.as_ptr(), header.len(), out, cap, len)
        })
    }
}

/// Why [`Sessions::new`] refuses a configuration.
pub(crate) fn sessions_diagnose(keyring: &Keyring, config: &[u8]) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    answer(|out, cap, len| unsafe {
        ffi::donjon_sessions_diagnose(keyring.0.get(), config.as_ptr(), config.len(), out, cap, len)
    })
}
