//! `donjon_limits`.

use alloc::string::String;

use super::memory::{Output, Slot, bytes, free, reference, text};
use super::{diagnosis, guard};
use crate::error::Status;
use crate::json::{ObjectWriter, list, text_list};
use crate::limit::{
    Fields, Limit, Limits, Outcome, StateBuf, Verdict, compare_and_set_script, profiles, refusal_body,
};
use crate::time::NEVER_S;

/// The most limits that one key is held to at once.
pub const DONJON_LIMITS_MAX: usize = 8;

/// The bytes of the longest state of a key. One limit's is at most 23, but for a sliding log's: 10, and 6 for
/// each of its amount.
pub const DONJON_LIMIT_STATE_MAX: usize = 3152;

/// X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset.
pub const DONJON_LIMIT_HEADERS_X: u32 = 1;
/// RateLimit-Policy and RateLimit, as draft-ietf-httpapi-ratelimit-headers-10 has them.
pub const DONJON_LIMIT_HEADERS_IETF: u32 = 2;

/// What one key is held to: one limit or several, which are spent all or nothing. Never changes.
pub struct donjon_limits(pub(super) Limits);

/// What was decided about a cost, and how the limit stands that decided it: of several, the one that makes the
/// caller wait longest, or, where all allowed it, the one with the least left.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct donjon_limit_verdict {
    /// 1: the cost was there, and is spent. Of a cost of 0: a cost of 1 is there, and nothing is spent.
    pub allowed: u32,
    /// 1: the cost is more than can ever be there.
    pub never_allowed: u32,
    /// How much of the limit may be had at once.
    pub limit: u32,
    /// How much is left of it.
    pub remaining: u32,
    /// Which limit it is, counted from 0 in the order in which they were written.
    pub index: u32,
    /// 1: a table had no place left for the key, and decided as it was configured.
    pub table_full: u32,
    /// Until all of it is there again, in milliseconds.
    pub reset_after_ms: i64,
    /// 0 if allowed; -1 if never allowed; else after so many milliseconds the cost is there, and not before, if
    /// nobody else spends.
    pub retry_after_ms: i64,
    /// Until the state of the key says nothing any more, in milliseconds: how long to store it.
    pub keep_ms: i64,
}

impl From<Verdict> for donjon_limit_verdict {
    fn from(verdict: Verdict) -> Self {
        let ms = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
        Self {
            allowed: verdict.allowed().into(),
            never_allowed: (verdict.outcome == Outcome::NeverAllowed).into(),
            limit: verdict.limit,
            remaining: verdict.remaining,
            index: verdict.index.into(),
            table_full: verdict.table_full.into(),
            reset_after_ms: ms(verdict.reset_after_ms),
            retry_after_ms: match verdict.outcome {
                Outcome::Allowed => 0,
                Outcome::RetryAfterMs(retry_after) => ms(retry_after),
                Outcome::NeverAllowed => -1,
            },
            keep_ms: ms(verdict.keep_ms),
        }
    }
}

impl TryFrom<donjon_limit_verdict> for Verdict {
    type Error = Status;

    fn try_from(verdict: donjon_limit_verdict) -> Result<Self, Status> {
        let ms = |ms: i64| u64::try_from(ms).map_err(|_| Status::InvalidArgument);
        let outcome = match (verdict.allowed, verdict.never_allowed) {
            (1, 0) => Outcome::Allowed,
            (0, 1) => Outcome::NeverAllowed,
            (0, 0) => Outcome::RetryAfterMs(ms(verdict.retry_after_ms)?),
            _ => return Err(Status::InvalidArgument),
        };
        Ok(Self {
            outcome,
            limit: verdict.limit,
            remaining: verdict.remaining,
            reset_after_ms: ms(verdict.reset_after_ms)?,
            index: u8::try_from(verdict.index).map_err(|_| Status::InvalidArgument)?,
            keep_ms: ms(verdict.keep_ms)?,
            table_full: verdict.table_full != 0,
        })
    }
}

/// Makes limits.
///
/// config: one of
///   {"limits":"10/second; 100/hour","algorithm":"gcra","burst":20}: as the Python package limits reads them:
///     second, minute, hour, day, month (30 days), year (360 days); several with ; , or | between them, no two
///     of one period, 8 at most. "algorithm": "gcra" (the default), "token_bucket", "fixed_window",
///     "sliding_window" or "sliding_log" (amounts up to 64). "burst": how much may be had at once, of a single
///     limit under gcra or token_bucket; its amount unless given.
///   {"lockout":{"attempts":5,"lock_s":900,"growth":1,"max_lock_s":86400}}: any member left out is so. Attempts
///     are spent before they are made, and given back when they succeed.
///   {"profile":"session-cluster/session_create"}: one of donjon_limit_profiles.
///
/// Errors: CONFIG_ERROR.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_limits_new(
    config: *const u8,
    config_len: usize,
    out: *mut *mut donjon_limits,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (config, out) = unsafe { (bytes(config, config_len)?, Slot::new(out)?) };
        out.put_handle(donjon_limits(Limits::from_json(config)?));
        Ok(())
    })
}

/// Says why donjon_limits_new refuses a configuration: null if it does not, else
/// `{"error":"config_error","path":"limits","message":"expected an amount at byte 7"}`.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_limits_diagnose(
    config: *const u8,
    config_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (config, out) = unsafe { (bytes(config, config_len)?, Output::new(out, cap, out_len)?) };
        diagnosis::write(Limits::from_json(config), out)
    })
}

/// What the limits are: {"algorithm":"gcra","limits":[{"amount":10,"period_s":1,"burst":10}]}, in the order in
/// which they were written.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_limits_describe(
    limits: *const donjon_limits,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (limits, out) = unsafe { (reference(limits)?, Output::new(out, cap, out_len)?) };
        let describe = |limit: &Limit| {
            let mut text = String::new();
            ObjectWriter::open(&mut text)
                .integer("amount", limit.amount().into())
                .integer("period_s", limit.period_s().into())
                .integer("burst", limit.capacity().into())
                .close();
            text
        };
        let mut text = String::new();
        ObjectWriter::open(&mut text)
            .text("algorithm", limits.0.algorithm().name())
            .raw("limits", &list(&limits.0.list().iter().map(describe).collect::<alloc::vec::Vec<_>>()))
            .close();
        out.write(text.as_bytes())
    })
}

/// Spends a cost of all limits, or of none. Pure: the host stores the state.
///
/// state: what was stored for the key; empty for nothing. A state of other limits is converted, so that as much
///   is used as was, and no more is left; a damaged one is all used from now on. Clocks that step back give
///   nothing back.
/// now_ms: not negative. Later than 2^47 - 1 (the year 6429) is that.
/// cost: 0 asks and spends nothing.
/// out: what to store now, for keep_ms; the same bytes, if nothing was spent. Up to DONJON_LIMIT_STATE_MAX.
///
/// Errors: INVALID_ARGUMENT (now_ms), BUFFER_TOO_SMALL. A limit that is spent is no error.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_limits_spend(
    limits: *const donjon_limits,
    state: *const u8,
    state_len: usize,
    now_ms: i64,
    cost: u32,
    verdict: *mut donjon_limit_verdict,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (limits, state, verdict, out) = unsafe {
            (
                reference(limits)?,
                bytes(state, state_len)?,
                Slot::new(verdict)?,
                Output::new(out, cap, out_len)?,
            )
        };
        let mut next = StateBuf::new();
        let decided = limits.0.spend(state, now_ms, cost, &mut next)?;
        out.write(next.as_bytes())?;
        verdict.put(decided.into());
        Ok(())
    })
}

/// Gives back a cost that was spent at spent_at_ms, as far as time has not given it back already: never more than
/// was spent. Pure: out is what to store now, and may be kept for as long as the state was.
///
/// Errors: INVALID_ARGUMENT (a time), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_limits_give_back(
    limits: *const donjon_limits,
    state: *const u8,
    state_len: usize,
    spent_at_ms: i64,
    now_ms: i64,
    cost: u32,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (limits, state, out) =
            unsafe { (reference(limits)?, bytes(state, state_len)?, Output::new(out, cap, out_len)?) };
        let mut next = StateBuf::new();
        limits.0.give_back(state, spent_at_ms, now_ms, cost, &mut next)?;
        out.write(next.as_bytes())
    })
}

/// The same arithmetic for Redis and Valkey, as a Lua script that spends atomically. It is the same for all
/// limits of one algorithm.
///
/// KEYS: the key. ARGV: donjon_limits_script_args. Reply: bytes: what it did (one), the time in milliseconds (six,
/// big-endian), and the state before. 1: it spent; 0: it did not; 2: the state is of other limits, or damaged,
/// and untouched. donjon_limits_spend of that state, time and cost is the verdict. After 2, what it says to store
/// is to be put in place of that state, whatever the verdict, by donjon_compare_and_set_script; if that answers
/// 0, start again.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_limits_script(
    limits: *const donjon_limits,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (limits, out) = unsafe { (reference(limits)?, Output::new(out, cap, out_len)?) };
        out.write(limits.0.script().as_bytes())
    })
}

/// The ARGV of donjon_limits_script, as a JSON list of texts.
///
/// now_ms: DONJON_NEVER for the server's clock; the list is then good for every call with that cost.
///
/// Errors: INVALID_ARGUMENT (now_ms), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_limits_script_args(
    limits: *const donjon_limits,
    cost: u32,
    now_ms: i64,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (limits, out) = unsafe { (reference(limits)?, Output::new(out, cap, out_len)?) };
        let args = limits.0.script_args(cost, (now_ms != NEVER_S).then_some(now_ms))?;
        out.write(text_list(args.iter().map(String::as_str)).as_bytes())
    })
}

/// A Lua script that replaces a value if it is what is expected.
///
/// KEYS: the key. ARGV: what is expected, empty for nothing; the new value, empty to delete; its time to live in
/// milliseconds, empty to leave that as it is. Reply: 1, it did; 0, something else was there.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_compare_and_set_script(out: *mut u8, cap: usize, out_len: *mut usize) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let out = unsafe { Output::new(out, cap, out_len) }?;
        out.write(compare_and_set_script().as_bytes())
    })
}

/// The header fields of an answer to a request that the verdict was about, as JSON:
/// [["X-RateLimit-Limit","5"],...]. Retry-After, in seconds, rounded up, comes with every refusal that ends.
///
/// now_ms: the wall clock's. fields: DONJON_LIMIT_HEADERS_X, DONJON_LIMIT_HEADERS_IETF, or both (3).
///
/// Errors: INVALID_ARGUMENT (fields, a time, a verdict that is none of these limits'), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_limits_headers(
    limits: *const donjon_limits,
    verdict: *const donjon_limit_verdict,
    now_ms: i64,
    fields: u32,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (limits, verdict, out) =
            unsafe { (reference(limits)?, reference(verdict)?, Output::new(out, cap, out_len)?) };
        let fields = match fields {
            DONJON_LIMIT_HEADERS_X => Fields::X,
            DONJON_LIMIT_HEADERS_IETF => Fields::Ietf,
            3 => Fields::Both,
            _ => return Err(Status::InvalidArgument),
        };
        let headers = limits.0.headers(&(*verdict).try_into()?, now_ms, fields)?;
        let pairs = headers.iter().map(|(name, value)| text_list([*name, value]));
        out.write(list(&pairs.collect::<alloc::vec::Vec<_>>()).as_bytes())
    })
}

/// The body of a 429, as JSON: {"error":{"code":"rate_limited","message":"Rate limit exceeded","details":
/// {"limit":5,"remaining":0,"reset_time":1800000060,"retry_after":12}}}. Times are in seconds, reset_time Unix
/// time; retry_after is null where no time will do.
///
/// now_ms: the wall clock's. code: the error's code; empty for "rate_limited".
///
/// Errors: INVALID_ARGUMENT (a time, the verdict), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_limits_refusal(
    verdict: *const donjon_limit_verdict,
    now_ms: i64,
    code: *const u8,
    code_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (verdict, code, out) =
            unsafe { (reference(verdict)?, text(code, code_len)?, Output::new(out, cap, out_len)?) };
        out.write(refusal_body(&(*verdict).try_into()?, now_ms, code)?.as_bytes())
    })
}

/// The limits of both requirement documents' endpoints:
/// {"deepinsight":{"login":{"limits":"5/minute","algorithm":"sliding_log"},...},"session-cluster":{...}}.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_limit_profiles(out: *mut u8, cap: usize, out_len: *mut usize) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let out = unsafe { Output::new(out, cap, out_len) }?;
        out.write(profiles().as_bytes())
    })
}

/// Frees limits.
///
/// # Safety
/// limits is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_limits_free(limits: *mut donjon_limits) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(limits);
        Ok(())
    });
}
