//! What a client is told: header fields, and the body of a refusal.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::error::LimitError;
use super::limits::Limits;
use super::verdict::{Outcome, Verdict};
use crate::json::ObjectWriter;

/// Which header fields say how a limit stands. `Retry-After` comes with every refusal that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fields {
    /// `X-RateLimit-Limit`, `-Remaining` and `-Reset` (Unix time, in seconds).
    X,
    /// `RateLimit-Policy` and `RateLimit`, as draft-ietf-httpapi-ratelimit-headers-10 has them.
    Ietf,
    /// Both.
    Both,
}

impl Limits {
    /// The header fields of an answer to a request that `verdict` was about: names and values.
    ///
    /// # Errors
    /// - [`LimitError::InvalidArgument`]: a negative time; a verdict about no limit of these.
    pub fn headers(
        &self,
        verdict: &Verdict,
        now_ms: i64,
        fields: Fields,
    ) -> Result<Vec<(&'static str, String)>, LimitError> {
        let reset_s = reset_s(verdict, now_ms)?;
        let index = usize::from(verdict.index);
        let name = self.policy_name(index).ok_or(LimitError::InvalidArgument)?;
        let mut headers = Vec::new();
        if fields != Fields::Ietf {
            headers.push(("X-RateLimit-Limit", verdict.limit.to_string()));
            headers.push(("X-RateLimit-Remaining", verdict.remaining.to_string()));
            headers.push(("X-RateLimit-Reset", reset_s.to_string()));
        }
        if fields != Fields::X {
            let policies = self.list().iter().enumerate().filter_map(|(at, limit)| {
                let name = self.policy_name(at)?;
                Some(format!("\"{name}\";q={};w={}", limit.capacity(), limit.period_s()))
            });
            headers.push(("RateLimit-Policy", policies.collect::<Vec<_>>().join(", ")));
            let reset_after_s = verdict.reset_after_ms.div_ceil(1000);
            headers.push(("RateLimit", format!("\"{name}\";r={};t={reset_after_s}", verdict.remaining)));
        }
        if let Some(seconds) = retry_after_s(verdict) {
            headers.push(("Retry-After", seconds.to_string()));
        }
        Ok(headers)
    }

    fn policy_name(&self, index: usize) -> Option<String> {
        let limit = self.list().get(index)?;
        Some(format!("{}/{}s", limit.amount(), limit.period_s()))
    }
}

/// The body of a 429: `{"error":{"code":…,"message":"Rate limit exceeded","details":{"limit":…,"remaining":…,
/// "reset_time":…,"retry_after":…}}}`, with times in seconds, `reset_time` Unix time, and `retry_after` null where
/// no time will do. An empty `code` is `rate_limited`.
///
/// # Errors
/// - [`LimitError::InvalidArgument`]: a negative time.
pub fn refusal_body(verdict: &Verdict, now_ms: i64, code: &str) -> Result<String, LimitError> {
    let reset_s = reset_s(verdict, now_ms)?;
    let retry_after = retry_after_s(verdict).map_or_else(|| "null".into(), |seconds| seconds.to_string());
    let (mut details, mut error, mut body) = (String::new(), String::new(), String::new());
    ObjectWriter::open(&mut details)
        .raw("limit", &verdict.limit.to_string())
        .raw("remaining", &verdict.remaining.to_string())
        .raw("reset_time", &reset_s.to_string())
        .raw("retry_after", &retry_after)
        .close();
    ObjectWriter::open(&mut error)
        .text("code", if code.is_empty() { "rate_limited" } else { code })
        .text("message", "Rate limit exceeded")
        .raw("details", &details)
        .close();
    ObjectWriter::open(&mut body).raw("error", &error).close();
    Ok(body)
}

/// When all is there again: Unix time, rounded up.
fn reset_s(verdict: &Verdict, now_ms: i64) -> Result<u64, LimitError> {
    let now_ms = u64::try_from(now_ms).map_err(|_| LimitError::InvalidArgument)?;
    Ok(now_ms.saturating_add(verdict.reset_after_ms).div_ceil(1000))
}

/// Never 0: a client that comes back at once would be refused again.
fn retry_after_s(verdict: &Verdict) -> Option<u64> {
    match verdict.outcome {
        Outcome::RetryAfterMs(ms) => Some(ms.div_ceil(1000).max(1)),
        Outcome::Allowed | Outcome::NeverAllowed => None,
    }
}
