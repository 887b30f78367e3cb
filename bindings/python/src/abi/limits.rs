//! Limits, the table of who spent what, and lock-out.

use std::mem::MaybeUninit;

use super::{Handle, Keyring, Noun, Outcome, answer, check, document, ffi, fill, pass, written};

impl Noun for ffi::donjon_limits {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_limits_free;
}

impl Noun for ffi::donjon_limit_table {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_limit_table_free;
}

impl Noun for ffi::donjon_lockout {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_lockout_free;
}

pub(crate) use ffi::{
    DONJON_LIMIT_HEADERS_IETF as HEADERS_IETF, DONJON_LIMIT_HEADERS_X as HEADERS_X,
    donjon_limit_table_statistics as TableStatistics, donjon_limit_verdict as LimitVerdict,
};

pub(crate) struct Limits(Handle<ffi::donjon_limits>);

impl Limits {
    pub(crate) fn new(config: &[u8]) -> Outcome<Self> {
        // SAFETY: the module's contract.
        Handle::make(|out| unsafe { ffi::donjon_limits_new(config.as_ptr(), config.len(), out) }).map(Self)
    }

    pub(crate) fn describe(&self) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        document(|out, cap, len| unsafe { ffi::donjon_limits_describe(self.0.get(), out, cap, len) })
    }

    /// The verdict, and what `read` makes of the next state.
    pub(crate) fn spend<R>(
        &self,
        state: &[u8],
        now_ms: i64,
        cost: u32,
        read: impl FnOnce(&[u8]) -> R,
    ) -> Outcome<(LimitVerdict, R)> {
        let mut verdict = MaybeUninit::uninit();
        // SAFETY: the module's contract.
        let call = |out, cap, len| unsafe {
            ffi::donjon_limits_spend(
                self.0.get(),
                state.as_ptr(),
                state.len(),
                now_ms,
                cost,
                verdict.as_mut_ptr(),
                out,
                cap,
                len,
            )
        };
        let next = pass(ffi::DONJON_LIMIT_STATE_MAX, call, read)?;
        // SAFETY: the call succeeded, so it has written the verdict.
        Ok((unsafe { verdict.assume_init() }, next))
    }

    /// What `read` makes of the next state.
    pub(crate) fn give_back<R>(
        &self,
        state: &[u8],
        spent_at_ms: i64,
        now_ms: i64,
        cost: u32,
        read: impl FnOnce(&[u8]) -> R,
    ) -> Outcome<R> {
        // SAFETY: the module's contract.
        let call = |out, cap, len| unsafe {
            ffi::donjon_limits_give_back(
                self.0.get(),
                state.as_ptr(),
                state.len(),
                spent_at_ms,
                now_ms,
                cost,
                out,
                cap,
                len,
            )
        };
        pass(ffi::DONJON_LIMIT_STATE_MAX, call, read)
    }

    pub(crate) fn script(&self) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        document(|out, cap, len| unsafe { ffi::donjon_limits_script(self.0.get(), out, cap, len) })
    }

    pub(crate) fn script_args(&self, cost: u32, now_ms: i64) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        answer(|out, cap, len| unsafe {
            ffi::donjon_limits_script_args(self.0.get(), cost, now_ms, out, cap, len)
        })
    }

    pub(crate) fn headers(&self, verdict: &LimitVerdict, now_ms: i64, fields: u32) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        answer(|out, cap, len| unsafe {
            ffi::donjon_limits_headers(self.0.get(), verdict, now_ms, fields, out, cap, len)
        })
    }
}

/// Why [`Limits::new`] refuses a configuration.
pub(crate) fn limits_diagnose(config: &[u8]) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    answer(|out, cap, len| unsafe {
        ffi::donjon_limits_diagnose(config.as_ptr(), config.len(), out, cap, len)
    })
}

/// The body of a refusal. An empty `code` is the kernel's own.
pub(crate) fn limits_refusal(verdict: &LimitVerdict, now_ms: i64, code: &[u8]) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    answer(|out, cap, len| unsafe {
        ffi::donjon_limits_refusal(verdict, now_ms, code.as_ptr(), code.len(), out, cap, len)
    })
}

pub(crate) fn limit_profiles() -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    document(|out, cap, len| unsafe { ffi::donjon_limit_profiles(out, cap, len) })
}

pub(crate) fn compare_and_set_script() -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    document(|out, cap, len| unsafe { ffi::donjon_compare_and_set_script(out, cap, len) })
}

pub(crate) struct LimitTable(Handle<ffi::donjon_limit_table>);

impl LimitTable {
    pub(crate) fn new(config: &[u8]) -> Outcome<Self> {
        // SAFETY: the module's contract.
        Handle::make(|out| unsafe { ffi::donjon_limit_table_new(config.as_ptr(), config.len(), out) })
            .map(Self)
    }

    #[inline]
    pub(crate) fn spend(&self, limits: &Limits, key: &[u8], now_ms: i64, cost: u32) -> Outcome<LimitVerdict> {
        // SAFETY: the module's contract.
        written(|verdict| unsafe {
            ffi::donjon_limit_table_spend(
                self.0.get(),
                limits.0.get(),
                key.as_ptr(),
                key.len(),
                now_ms,
                cost,
                verdict,
            )
        })
    }

    pub(crate) fn give_back(
        &self,
        limits: &Limits,
        key: &[u8],
        spent_at_ms: i64,
        now_ms: i64,
        cost: u32,
    ) -> Outcome<()> {
        // SAFETY: the module's contract.
        check(unsafe {
            ffi::donjon_limit_table_give_back(
                self.0.get(),
                limits.0.get(),
                key.as_ptr(),
                key.len(),
                spent_at_ms,
                now_ms,
                cost,
            )
        })
    }

    pub(crate) fn forget(&self, key: &[u8]) -> Outcome<()> {
        // SAFETY: the module's contract.
        check(unsafe { ffi::donjon_limit_table_forget(self.0.get(), key.as_ptr(), key.len()) })
    }

    pub(crate) fn stats(&self) -> Outcome<TableStatistics> {
        // SAFETY: the module's contract.
        written(|out| unsafe { ffi::donjon_limit_table_stats(self.0.get(), out) })
    }
}

pub(crate) struct Lockout(Handle<ffi::donjon_lockout>);

/// Who tries to log in.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) account: &'a [u8],
    pub(crate) address: &'a [u8],
    pub(crate) subject: &'a [u8],
    pub(crate) state: &'a [u8],
    pub(crate) device: &'a [u8],
}

impl Lockout {
    pub(crate) fn new(keyring: &Keyring) -> Outcome<Self> {
        // SAFETY: the module's contract.
        Handle::make(|out| unsafe { ffi::donjon_lockout_new(keyring.0.get(), out) }).map(Self)
    }

    pub(crate) fn counters(&self, attempt: Attempt<'_>, now_s: i64) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        answer(|out, cap, len| unsafe {
            ffi::donjon_lockout_counters(
                self.0.get(),
                attempt.account.as_ptr(),
                attempt.account.len(),
                attempt.address.as_ptr(),
                attempt.address.len(),
                attempt.subject.as_ptr(),
                attempt.subject.len(),
                attempt.state.as_ptr(),
                attempt.state.len(),
                attempt.device.as_ptr(),
                attempt.device.len(),
                now_s,
                out,
                cap,
                len,
            )
        })
    }

    pub(crate) fn device_token(
        &self,
        subject: &[u8],
        state: &[u8],
        ttl_s: i64,
        now_s: i64,
    ) -> Outcome<Vec<u8>> {
        let bound = ffi::donjon_purpose_tokens_bound("device".len(), subject.len());
        // SAFETY: the module's contract.
        fill(bound, |out, cap, len| unsafe {
            ffi::donjon_lockout_device_token(
                self.0.get(),
                subject.as_ptr(),
                subject.len(),
                state.as_ptr(),
                state.len(),
                ttl_s,
                now_s,
                out,
                cap,
                len,
            )
        })
    }
}
