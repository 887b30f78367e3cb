//! `donjon_verifier`, and bare JWS.

use alloc::vec::Vec;

use super::keyring::donjon_keyring;
use super::memory::{Output, Slot, bytes, free, reference};
use super::status::DONJON_NEVER;
use super::{diagnosis, guard};
use crate::error::Status;
use crate::json::{self, Limits};
use crate::time::NumericDate;
use crate::token::{self, Claims, Span, Verifier, VerifierConfig, read_algorithms};

/// The longest token, in bytes; longer ones are TOO_LARGE.
pub const DONJON_TOKEN_MAX: usize = 28676;

/// The offset of a span that is not there.
pub const DONJON_ABSENT: u32 = u32::MAX;

/// A stretch of the output buffer. offset is DONJON_ABSENT where there is none.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct donjon_span {
    /// Where it begins.
    pub offset: u32,
    /// Its bytes.
    pub length: u32,
}

/// The claims of a token that was verified. Spans point into the buffer that came with it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct donjon_claims {
    /// "exp" in whole seconds, rounded down; DONJON_NEVER where absent.
    pub expires_at_s: i64,
    /// "nbf", likewise.
    pub not_before_s: i64,
    /// "iat", likewise.
    pub issued_at_s: i64,
    /// A refresh token's place in its family; -1 where absent.
    pub generation: i64,
    /// All claims: one JSON object without white space.
    pub json: donjon_span,
    /// "iss", as text.
    pub issuer: donjon_span,
    /// "sub", as text.
    pub subject: donjon_span,
    /// "jti", as text.
    pub token_id: donjon_span,
    /// A refresh token's family, as text.
    pub family: donjon_span,
    /// "aud", as JSON: a string or a list of strings.
    pub audience: donjon_span,
    /// "permissions", as JSON: a list of strings.
    pub permissions: donjon_span,
    /// "roles", as JSON: a list of strings.
    pub roles: donjon_span,
    /// The id of the key that signed, as text.
    pub key_id: donjon_span,
}

/// A bare JWS whose signature holds. Spans point into the buffer that came with it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct donjon_jws {
    /// The payload, as it was signed.
    pub payload: donjon_span,
    /// The algorithm's name.
    pub alg: donjon_span,
    /// The id of the key that signed.
    pub key_id: donjon_span,
}

/// Checks tokens against keys and expectations.
pub struct donjon_verifier(Verifier);

impl donjon_span {
    const ABSENT: Self = Self { offset: DONJON_ABSENT, length: 0 };

    fn new(offset: usize, length: usize) -> Self {
        match (u32::try_from(offset), u32::try_from(length)) {
            (Ok(offset), Ok(length)) => Self { offset, length },
            _ => Self::ABSENT,
        }
    }
}

impl From<Option<Span>> for donjon_span {
    fn from(span: Option<Span>) -> Self {
        span.map_or(Self::ABSENT, |span| Self::new(span.range().start, span.range().len()))
    }
}

impl From<&Claims> for donjon_claims {
    fn from(claims: &Claims) -> Self {
        let seconds = |time: Option<NumericDate>| time.map_or(DONJON_NEVER, NumericDate::seconds);
        let spans = &claims.spans;
        Self {
            expires_at_s: seconds(claims.expires_at()),
            not_before_s: seconds(claims.not_before()),
            issued_at_s: seconds(claims.issued_at()),
            generation: claims.generation().map_or(-1, i64::from),
            json: donjon_span::new(0, claims.json_len()),
            issuer: spans.issuer.into(),
            subject: spans.subject.into(),
            token_id: spans.token_id.into(),
            family: spans.family.into(),
            audience: spans.audience.into(),
            permissions: spans.permissions.into(),
            roles: spans.roles.into(),
            key_id: spans.key_id.into(),
        }
    }
}

/// Makes a verifier. The keyring may be freed afterwards.
///
/// config: {"issuer":"https://a","audience":["api"],"type":"at+jwt","algorithms":["EdDSA"],
///   "leeway_s":0,"require":["sub"],"legacy_type_claim":"token_type"}.
///   "issuer", "audience" (the token names any one of them), "type" and "algorithms" must be there; null
///   waives the first three. "leeway_s": 0 to 300. "require": further claims that must be there besides
///   "exp"; null waives "exp" too. "legacy_type_claim": for tokens that keep their type in a claim, as
///   "access", "refresh" or the purpose; the claim is then mandatory.
///
/// Errors: CONFIG_ERROR.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_verifier_new(
    keyring: *const donjon_keyring,
    config: *const u8,
    config_len: usize,
    out: *mut *mut donjon_verifier,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, config, out) =
            unsafe { (reference(keyring)?, bytes(config, config_len)?, Slot::new(out)?) };
        out.put_handle(donjon_verifier(Verifier::new(&keyring.0, VerifierConfig::from_json(config)?)?));
        Ok(())
    })
}

/// Says why donjon_verifier_new refuses a configuration: null if it does not, else
/// `{"error":"config_error","path":"","message":"…"}`.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_verifier_diagnose(
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
        let made = VerifierConfig::from_json(config).and_then(|config| Verifier::new(&keyring.0, config));
        diagnosis::write(made, out)
    })
}

/// Checks a token. On success *claims says where in out its claims lie; cap = 2 * token_len always
/// suffices.
///
/// Errors, the first that applies: INVALID_ARGUMENT (a negative now_s); MALFORMED, TOO_LARGE,
/// UNSUPPORTED (shape); ALG_NOT_ALLOWED,
/// UNSUPPORTED_CRITICAL (header); UNKNOWN_KEY, KEY_DISABLED, KEY_DESTROYED, KEY_EXPIRED; BAD_SIGNATURE;
/// MALFORMED, BAD_CLAIM_TYPE, WRONG_TOKEN_TYPE, MISSING_CLAIM, EXPIRED, NOT_YET_VALID, INVALID_ISSUER,
/// INVALID_AUDIENCE (claims); BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_verifier_verify(
    verifier: *const donjon_verifier,
    token: *const u8,
    token_len: usize,
    now_s: i64,
    claims: *mut donjon_claims,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (verifier, token, slot, out) = unsafe {
            (
                reference(verifier)?,
                bytes(token, token_len)?,
                Slot::new(claims)?,
                Output::new(out, cap, out_len)?,
            )
        };
        let claims = verifier.0.verify(token, now_s)?;
        out.write(claims.buffer().as_bytes())?;
        slot.put(donjon_claims::from(&claims));
        Ok(())
    })
}

/// Frees a verifier.
///
/// # Safety
/// verifier is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_verifier_free(verifier: *mut donjon_verifier) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(verifier);
        Ok(())
    });
}

/// Checks a bare JWS, any payload, against the token keys of a keyring.
///
/// algorithms: a JSON list of names. info: where in out the payload, the algorithm's name and the key's
///   id lie.
///
/// Errors: CONFIG_ERROR (algorithms), BUFFER_TOO_SMALL, and those of donjon_verifier_verify up to
/// BAD_SIGNATURE.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_jws_verify(
    keyring: *const donjon_keyring,
    algorithms: *const u8,
    algorithms_len: usize,
    jws: *const u8,
    jws_len: usize,
    now_s: i64,
    info: *mut donjon_jws,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, algorithms, jws, slot, out) = unsafe {
            (
                reference(keyring)?,
                bytes(algorithms, algorithms_len)?,
                bytes(jws, jws_len)?,
                Slot::new(info)?,
                Output::new(out, cap, out_len)?,
            )
        };
        let algorithms = json::parse(algorithms, Limits::DOCUMENT).map_err(|_| Status::ConfigError)?;
        let verified = token::verify_jws(&keyring.0, read_algorithms(algorithms)?, jws, now_s)?;
        let mut buffer: Vec<u8> = verified.payload;
        let payload = donjon_span::new(0, buffer.len());
        let mut append = |text: &str| {
            buffer.extend_from_slice(text.as_bytes());
            donjon_span::new(buffer.len().saturating_sub(text.len()), text.len())
        };
        let alg = append(verified.algorithm.name());
        let key_id = verified.key_id.as_deref().map_or(donjon_span::ABSENT, &mut append);
        out.write(&buffer)?;
        slot.put(donjon_jws { payload, alg, key_id });
        Ok(())
    })
}

/// The header of a token as compact JSON, NOT VERIFIED: nothing in it may be believed.
///
/// Errors: MALFORMED, TOO_LARGE, UNSUPPORTED, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_jws_unverified_header(
    jws: *const u8,
    jws_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (jws, out) = unsafe { (bytes(jws, jws_len)?, Output::new(out, cap, out_len)?) };
        out.write(token::unverified_header(jws)?.as_bytes())
    })
}
