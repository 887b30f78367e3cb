//! `donjon_issuer`, and signing complete claims.

use super::keyring::donjon_keyring;
use super::memory::{Output, Slot, bytes, free, optional_text, reference, text};
use super::status::DONJON_NEVER;
use super::{diagnosis, guard};
use crate::error::Status;
use crate::runtime::OsEntropy;
use crate::token::refresh::RefreshState;
use crate::token::{Grant, Issuer, IssuerConfig, sign_claims, sign_claims_bound};

/// Mints access and refresh tokens with the primary token key of a keyring. After a rotation, make a
/// new one.
pub struct donjon_issuer(Issuer);

fn grant<'a>(subject: &'a str, claims: &'a str, ttl_s: i64, since_s: i64) -> Grant<'a> {
    Grant {
        permissions: &[],
        roles: &[],
        subject,
        claims,
        ttl_s: Some(ttl_s).filter(|&ttl_s| ttl_s != 0),
        revoked_since_s: Some(since_s).filter(|&since_s| since_s != DONJON_NEVER),
    }
}

/// Makes an issuer. The keyring may be freed afterwards.
///
/// config: {"issuer":"https://a","audience":"api","access_ttl_s":1800,"refresh_ttl_s":604800}. "issuer"
///   and "audience" (a string or a list) must be there; null waives them. The lives may be left out.
///
/// Errors: CONFIG_ERROR (the configuration, or no primary token key that signs).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_issuer_new(
    keyring: *const donjon_keyring,
    config: *const u8,
    config_len: usize,
    out: *mut *mut donjon_issuer,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, config, out) =
            unsafe { (reference(keyring)?, bytes(config, config_len)?, Slot::new(out)?) };
        out.put_handle(donjon_issuer(Issuer::new(&keyring.0, IssuerConfig::from_json(config)?)?));
        Ok(())
    })
}

/// Says why donjon_issuer_new refuses a configuration: null if it does not, else
/// `{"error":"config_error","path":"","message":"…"}`.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_issuer_diagnose(
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
        let made = IssuerConfig::from_json(config).and_then(|config| Issuer::new(&keyring.0, config));
        diagnosis::write(made, out)
    })
}

/// The bytes that a token takes at most, for a subject and claims of these lengths: the cap that
/// donjon_issuer_access and donjon_issuer_refresh want. 0 for a NULL issuer.
///
/// # Safety
/// issuer is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_issuer_bound(
    issuer: *const donjon_issuer,
    subject_len: usize,
    claims_len: usize,
) -> usize {
    let mut bound = 0;
    guard(|| {
        // SAFETY: the caller's handle, as the contract says.
        bound = unsafe { reference(issuer) }?.0.token_bound(subject_len, claims_len);
        Ok(())
    });
    bound
}

/// Mints an access token ("at+jwt"): iss, sub, aud, iat, exp, a random jti, then the further claims.
///
/// subject: UTF-8, 1 to 1,024 bytes.
/// claims: further claims, one JSON object, among them "permissions" and "roles" (lists of strings), and
///   "family" (22 characters), the refresh family that the token is revoked with; empty for none. They may
///   not name a claim that the issuer writes.
/// ttl_s: the token's life; 0 for the issuer's.
/// since_s: the subject's last "log out everywhere", or DONJON_NEVER; iat is stamped late enough for the
///   token to outlive it.
/// cap: at least donjon_issuer_bound(issuer, subject_len, claims_len).
///
/// Errors: INVALID_ARGUMENT (subject, ttl_s, a claim that the issuer writes), BAD_CLAIM_TYPE,
/// MALFORMED, TOO_LARGE (claims), BUFFER_TOO_SMALL, ENTROPY_UNAVAILABLE.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_issuer_access(
    issuer: *const donjon_issuer,
    subject: *const u8,
    subject_len: usize,
    claims: *const u8,
    claims_len: usize,
    ttl_s: i64,
    since_s: i64,
    now_s: i64,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (issuer, subject, claims, out) = unsafe {
            (
                reference(issuer)?,
                text(subject, subject_len)?,
                text(claims, claims_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        let out = out.require(issuer.0.token_bound(subject_len, claims_len))?;
        let token = issuer.0.access(&grant(subject, claims, ttl_s, since_s), now_s, &mut OsEntropy)?;
        out.write(token.as_bytes())
    })
}

/// Mints the refresh token ("rt+jwt") that a family stands at: see donjon_refresh_begin and
/// donjon_refresh_rotate. The same state gives a token with the same jti, whoever asks.
///
/// state: DONJON_REFRESH_STATE_LEN bytes. The rest as donjon_issuer_access.
///
/// Errors: as donjon_issuer_access; MALFORMED (state), REVOKED (the family), CONFIG_ERROR (the keyring
/// has no primary "state-binding" secret).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_issuer_refresh(
    issuer: *const donjon_issuer,
    state: *const u8,
    state_len: usize,
    subject: *const u8,
    subject_len: usize,
    claims: *const u8,
    claims_len: usize,
    ttl_s: i64,
    since_s: i64,
    now_s: i64,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (issuer, state, subject, claims, out) = unsafe {
            (
                reference(issuer)?,
                bytes(state, state_len)?,
                text(subject, subject_len)?,
                text(claims, claims_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        let out = out.require(issuer.0.token_bound(subject_len, claims_len))?;
        let state = RefreshState::from_bytes(state)?;
        let token = issuer.0.refresh(&state, &grant(subject, claims, ttl_s, since_s), now_s)?;
        out.write(token.as_bytes())
    })
}

/// Frees an issuer.
///
/// # Safety
/// issuer is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_issuer_free(issuer: *mut donjon_issuer) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(issuer);
        Ok(())
    });
}

/// Signs complete claims: nothing is added, the registered ones are checked for their types. For tokens
/// of other shapes than an issuer mints.
///
/// kid: the key, which must be primary or active; empty for the primary token key, or the only one that
///   signs. typ: the header's typ, up to 64 printable ASCII characters; empty for none.
/// claims: one JSON object of up to 16 KiB. cap: at least donjon_token_sign_bound(typ_len, claims_len).
///
/// Errors: UNKNOWN_KEY, KEY_DISABLED, KEY_DESTROYED, ALG_NOT_ALLOWED (the key), INVALID_ARGUMENT (typ),
/// MALFORMED, BAD_CLAIM_TYPE, TOO_LARGE (claims), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_token_sign(
    keyring: *const donjon_keyring,
    kid: *const u8,
    kid_len: usize,
    typ: *const u8,
    typ_len: usize,
    claims: *const u8,
    claims_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, kid, typ, claims, out) = unsafe {
            (
                reference(keyring)?,
                optional_text(kid, kid_len)?,
                text(typ, typ_len)?,
                bytes(claims, claims_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        let out = out.require(sign_claims_bound(typ_len, claims_len))?;
        let token: Result<_, Status> = sign_claims(&keyring.0, kid, typ, claims).map_err(Into::into);
        out.write(token?.as_bytes())
    })
}

/// The bytes that a token of donjon_token_sign takes at most.
#[unsafe(no_mangle)]
pub extern "C" fn donjon_token_sign_bound(typ_len: usize, claims_len: usize) -> usize {
    sign_claims_bound(typ_len, claims_len)
}
