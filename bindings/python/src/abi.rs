//! The C ABI as safe Rust: one function per call, and, with `abi/`, all the `unsafe` of this crate.
//!
//! Every `unsafe` block here and there rests on the ABI's contract, which `include/donjon.h` states: pointers
//! go in with the length of what they point to and are not kept; outputs are written only on success
//! and never past their capacity; a handle may be used from any thread until it is freed.

#![allow(unsafe_code)]

mod bytes;
mod envelope;
mod fernet;
mod limits;
mod proxies;
mod revocation;
mod sessions;

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::num::NonZeroI32;
use std::ptr::{self, NonNull};

use donjon::ffi;
pub(crate) use donjon::ffi::DONJON_ABI_VERSION as ABI_VERSION;
use donjon::keyring::MAX_KEY_ID_LEN;

pub(crate) use bytes::{Room, bytes, bytes_as_long_as_wanted, bytes_of_up_to, joined};
pub(crate) use envelope::{
    BlindIndex, CHUNK_LEN, Chunked, Column, Context, DATA_KEY_LEN, Decryptor, Encryptor, Ends, NewHeader,
    PREFIX_MAX, PassphraseCost, Reader, Sealer, Stream, TAIL_MAX, blind_index_diagnose, envelope_inspect,
    erasure, external_key_generate, finish_bound, sealer_diagnose, setting_open, setting_seal,
};
pub(crate) use fernet::{
    Fernet, NO_TTL, aes_engine_open, fernet_derive_key, fernet_generate_key, fernet_token_len,
};
pub(crate) use limits::{
    Attempt, HEADERS_IETF, HEADERS_X, LimitTable, LimitVerdict, Limits, Lockout, compare_and_set_script,
    limit_profiles, limits_diagnose, limits_refusal,
};
pub(crate) use proxies::{Proxies, proxies_diagnose};
pub(crate) use revocation::{
    MARKER_DAMAGED, MARKER_MISSING, MARKER_ROLLED_BACK, MARKER_SILENT, REVOKED_FAMILY, REVOKED_KEY,
    REVOKED_SUBJECT, REVOKED_TOKEN, RevocationRules, RevocationSet, SetTerms, Suspect,
    revocation_rules_diagnose, revocation_set_sign, store_marker,
};
pub(crate) use sessions::{
    CHANGED_ADDRESS, CHANGED_USER_AGENT, Decision, Peer, REASON_ABSOLUTE, REASON_ADDRESS, REASON_FOREIGN,
    REASON_IDLE, REASON_MALFORMED, REASON_STORE, REASON_UNKNOWN, REASON_USER_AGENT, Request, SESSIONS_ALL,
    SESSIONS_ONE, SESSIONS_OTHERS, Sessions, Times, Who, sessions_diagnose,
};

/// The time that is no time.
pub(crate) const NEVER: i64 = ffi::DONJON_NEVER;

/// A status other than `DONJON_OK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure(NonZeroI32);

impl Failure {
    pub(crate) const INVALID_ARGUMENT: Self = Self::new(ffi::DONJON_INVALID_ARGUMENT);
    pub(crate) const CONFIG_ERROR: Self = Self::new(ffi::DONJON_CONFIG_ERROR);
    const BUFFER_TOO_SMALL: Self = Self::new(ffi::DONJON_BUFFER_TOO_SMALL);
    pub(crate) const OUT_OF_MEMORY: Self = Self::new(ffi::DONJON_OUT_OF_MEMORY);
    pub(crate) const INTERNAL_ERROR: Self = Self::new(ffi::DONJON_INTERNAL_ERROR);
    pub(crate) const MALFORMED: Self = Self::new(ffi::DONJON_MALFORMED);
    pub(crate) const TOO_LARGE: Self = Self::new(ffi::DONJON_TOO_LARGE);
    pub(crate) const BAD_CLAIM_TYPE: Self = Self::new(ffi::DONJON_BAD_CLAIM_TYPE);
    pub(crate) const WRONG_TOKEN_TYPE: Self = Self::new(ffi::DONJON_WRONG_TOKEN_TYPE);
    pub(crate) const INVALID_HASH: Self = Self::new(ffi::DONJON_INVALID_HASH);
    pub(crate) const PERMISSION_DENIED: Self = Self::new(ffi::DONJON_PERMISSION_DENIED);
    pub(crate) const INVALID_SESSION: Self = Self::new(ffi::DONJON_INVALID_SESSION);
    pub(crate) const REVOKED: Self = Self::new(ffi::DONJON_REVOKED);

    const fn new(status: i32) -> Self {
        match NonZeroI32::new(status) {
            Some(status) => Self(status),
            None => Self(NonZeroI32::MIN),
        }
    }

    pub(crate) const fn status(self) -> i32 {
        self.0.get()
    }
}

type Outcome<T> = Result<T, Failure>;

fn check(status: i32) -> Outcome<()> {
    NonZeroI32::new(status).map_or(Ok(()), |status| Err(Failure(status)))
}

/// What a status in a verdict says.
pub(crate) fn outcome_of(status: i32) -> Outcome<()> {
    check(status)
}

// ---- the table of statuses ----

pub(crate) fn abi_version() -> u32 {
    ffi::donjon_abi_version()
}

pub(crate) fn version() -> &'static str {
    text_of(ffi::donjon_version())
}

pub(crate) fn status_name(status: i32) -> &'static str {
    text_of(ffi::donjon_status_str(status))
}

pub(crate) fn status_message(status: i32) -> &'static str {
    text_of(ffi::donjon_status_message(status))
}

pub(crate) fn status_http(status: i32) -> i32 {
    ffi::donjon_status_http(status)
}

fn text_of(text: *const std::ffi::c_char) -> &'static str {
    // SAFETY: the ABI's texts are static, NUL-terminated ASCII.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or_default()
}

// ---- handles ----

/// An owned handle. What it points to says how it is freed, so that no other destructor fits.
pub(crate) struct Handle<T: Noun>(NonNull<T>);

/// What a handle points to.
pub(crate) trait Noun {
    const FREE: unsafe extern "C" fn(*mut Self);
}

impl Noun for ffi::donjon_keyring {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_keyring_free;
}

impl Noun for ffi::donjon_issuer {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_issuer_free;
}

impl Noun for ffi::donjon_verifier {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_verifier_free;
}

impl Noun for ffi::donjon_purpose_tokens {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_purpose_tokens_free;
}

impl Noun for ffi::donjon_hasher {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_hasher_free;
}

impl Noun for ffi::donjon_policy {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_policy_free;
}

impl Noun for ffi::donjon_subject {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_subject_free;
}

// SAFETY: handles are immutable or synchronised inside (contract, clause 2).
unsafe impl<T: Noun> Send for Handle<T> {}
// SAFETY: as above.
unsafe impl<T: Noun> Sync for Handle<T> {}

impl<T: Noun> Drop for Handle<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from the ABI and is freed here only.
        unsafe { T::FREE(self.0.as_ptr()) }
    }
}

impl<T: Noun> Handle<T> {
    fn make(call: impl FnOnce(*mut *mut T) -> i32) -> Outcome<Self> {
        let mut out = ptr::null_mut();
        check(call(&raw mut out))?;
        NonNull::new(out).map(Self).ok_or(Failure::INTERNAL_ERROR)
    }

    const fn get(&self) -> *const T {
        self.0.as_ptr()
    }
}

/// What `call` writes, if it succeeds.
fn written<T>(call: impl FnOnce(*mut T) -> i32) -> Outcome<T> {
    let mut out = MaybeUninit::uninit();
    check(call(out.as_mut_ptr()))?;
    // SAFETY: the call succeeded, so it has written all of it.
    Ok(unsafe { out.assume_init() })
}

/// Gives `call` a buffer of `capacity` bytes and returns what it wrote.
fn fill(capacity: usize, call: impl FnOnce(*mut u8, usize, *mut usize) -> i32) -> Outcome<Vec<u8>> {
    attempt(capacity, call, &mut 0)
}

/// As [`fill`]; where the buffer is too small, `len` is what it takes.
fn attempt(
    capacity: usize,
    call: impl FnOnce(*mut u8, usize, *mut usize) -> i32,
    len: &mut usize,
) -> Outcome<Vec<u8>> {
    let mut out: Vec<u8> = Vec::new();
    out.try_reserve_exact(capacity).map_err(|_| Failure::OUT_OF_MEMORY)?;
    check(call(out.as_mut_ptr(), out.capacity(), &raw mut *len))?;
    if *len > out.capacity() {
        return Err(Failure::INTERNAL_ERROR);
    }
    // SAFETY: on success the first `len` bytes are written, and they fit.
    unsafe { out.set_len(*len) };
    Ok(out)
}

/// As [`fill`], for what `read` makes something else of at once: a usual token, and the state of limits,
/// need no allocation.
fn pass<R>(
    capacity: usize,
    call: impl FnOnce(*mut u8, usize, *mut usize) -> i32,
    read: impl FnOnce(&[u8]) -> R,
) -> Outcome<R> {
    const USUAL: usize = 4096;
    if capacity > USUAL {
        return fill(capacity, call).map(|out| read(&out));
    }
    let mut out = [MaybeUninit::<u8>::uninit(); USUAL];
    let mut len = 0;
    check(call(out.as_mut_ptr().cast(), out.len(), &raw mut len))?;
    let written = out.get(..len).ok_or(Failure::INTERNAL_ERROR)?;
    // SAFETY: on success the first `len` bytes are written.
    Ok(read(unsafe { &*(ptr::from_ref(written) as *const [u8]) }))
}

/// Asks for the length first. For documents, which cost nothing to write twice.
fn document(call: impl Fn(*mut u8, usize, *mut usize) -> i32) -> Outcome<Vec<u8>> {
    let mut len = 0;
    // The answer is `buffer_too_small` with the length; any other failure comes again below.
    call(ptr::null_mut(), 0, &raw mut len);
    fill(len, call)
}

/// As [`document`], for what costs something to write: a usual one is written once.
fn answer(call: impl Fn(*mut u8, usize, *mut usize) -> i32) -> Outcome<Vec<u8>> {
    const USUAL: usize = 4096;
    let mut len = 0;
    match attempt(USUAL, &call, &mut len) {
        Err(Failure::BUFFER_TOO_SMALL) => fill(len, call),
        outcome => outcome,
    }
}

/// What a call that answers yes or no with its status says.
fn allowed(status: i32) -> Outcome<bool> {
    match check(status) {
        Ok(()) => Ok(true),
        Err(Failure::PERMISSION_DENIED) => Ok(false),
        Err(failure) => Err(failure),
    }
}

// ---- keyring ----

pub(crate) struct Keyring(Handle<ffi::donjon_keyring>);

impl Keyring {
    pub(crate) fn generate(spec: &[u8], now_s: i64) -> Outcome<Self> {
        // SAFETY: the module's contract.
        Handle::make(|out| unsafe { ffi::donjon_keyring_generate(spec.as_ptr(), spec.len(), now_s, out) })
            .map(Self)
    }

    pub(crate) fn from_jwks(jwks: &[u8]) -> Outcome<Self> {
        // SAFETY: the module's contract.
        Handle::make(|out| unsafe { ffi::donjon_keyring_from_jwks(jwks.as_ptr(), jwks.len(), out) }).map(Self)
    }

    pub(crate) fn from_master(master: &[u8], config: &[u8]) -> Outcome<Self> {
        Handle::make(|out| {
            let (master, master_len) = (master.as_ptr(), master.len());
            // SAFETY: the module's contract.
            unsafe { ffi::donjon_keyring_from_master(master, master_len, config.as_ptr(), config.len(), out) }
        })
        .map(Self)
    }

    pub(crate) fn from_secret(secret: &[u8], alg: &str, kid: &str) -> Outcome<Self> {
        Handle::make(|out| {
            let (secret, secret_len) = (secret.as_ptr(), secret.len());
            let (alg, alg_len) = (alg.as_ptr(), alg.len());
            // SAFETY: the module's contract.
            unsafe {
                ffi::donjon_keyring_from_secret(
                    secret,
                    secret_len,
                    alg,
                    alg_len,
                    kid.as_ptr(),
                    kid.len(),
                    out,
                )
            }
        })
        .map(Self)
    }

    pub(crate) fn from_pem(pem: &[u8], alg: &str, kid: &str) -> Outcome<Self> {
        Handle::make(|out| {
            let (pem, pem_len) = (pem.as_ptr(), pem.len());
            let (alg, alg_len) = (alg.as_ptr(), alg.len());
            // SAFETY: the module's contract.
            unsafe { ffi::donjon_keyring_from_pem(pem, pem_len, alg, alg_len, kid.as_ptr(), kid.len(), out) }
        })
        .map(Self)
    }

    pub(crate) fn import(&self, jwk: &[u8]) -> Outcome<Self> {
        // SAFETY: the module's contract.
        Handle::make(|out| unsafe { ffi::donjon_keyring_import(self.0.get(), jwk.as_ptr(), jwk.len(), out) })
            .map(Self)
    }

    pub(crate) fn rotate(&self, purpose: &str, alg: &str, now_s: i64, overlap_s: i64) -> Outcome<Self> {
        Handle::make(|out| {
            let (purpose, purpose_len) = (purpose.as_ptr(), purpose.len());
            let (alg, alg_len) = (alg.as_ptr(), alg.len());
            // SAFETY: the module's contract.
            unsafe {
                ffi::donjon_keyring_rotate(
                    self.0.get(),
                    purpose,
                    purpose_len,
                    alg,
                    alg_len,
                    now_s,
                    overlap_s,
                    out,
                )
            }
        })
        .map(Self)
    }

    pub(crate) fn set_status(&self, kid: &str, status: &str, not_after_s: i64) -> Outcome<Self> {
        Handle::make(|out| {
            let (kid, kid_len) = (kid.as_ptr(), kid.len());
            let (status, status_len) = (status.as_ptr(), status.len());
            // SAFETY: the module's contract.
            unsafe {
                ffi::donjon_keyring_set_status(
                    self.0.get(),
                    kid,
                    kid_len,
                    status,
                    status_len,
                    not_after_s,
                    out,
                )
            }
        })
        .map(Self)
    }

    pub(crate) fn to_jwks(&self) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        document(|out, cap, len| unsafe { ffi::donjon_keyring_to_jwks(self.0.get(), out, cap, len) })
    }

    pub(crate) fn public_jwks(&self, now_s: i64) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        document(|out, cap, len| unsafe {
            ffi::donjon_keyring_public_jwks(self.0.get(), now_s, out, cap, len)
        })
    }

    pub(crate) fn summary(&self) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        document(|out, cap, len| unsafe { ffi::donjon_keyring_summary(self.0.get(), out, cap, len) })
    }
}

/// Why [`Keyring::from_jwks`] refuses a key set.
pub(crate) fn keyring_diagnose(jwks: &[u8]) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    answer(|out, cap, len| unsafe { ffi::donjon_keyring_diagnose(jwks.as_ptr(), jwks.len(), out, cap, len) })
}

// ---- tokens out ----

pub(crate) struct Issuer(Handle<ffi::donjon_issuer>);

/// What a mint takes besides the issuer.
#[derive(Clone, Copy)]
pub(crate) struct Mint<'a> {
    pub(crate) subject: &'a [u8],
    pub(crate) claims: &'a [u8],
    pub(crate) ttl_s: i64,
    pub(crate) since_s: i64,
    pub(crate) now_s: i64,
}

impl Issuer {
    pub(crate) fn new(keyring: &Keyring, config: &[u8]) -> Outcome<Self> {
        Handle::make(|out| {
            // SAFETY: the module's contract.
            unsafe { ffi::donjon_issuer_new(keyring.0.get(), config.as_ptr(), config.len(), out) }
        })
        .map(Self)
    }

    fn bound(&self, mint: Mint<'_>) -> usize {
        // SAFETY: the module's contract.
        unsafe { ffi::donjon_issuer_bound(self.0.get(), mint.subject.len(), mint.claims.len()) }
    }

    /// Mints an access token and hands it to `read`.
    pub(crate) fn access<R>(&self, mint: Mint<'_>, read: impl FnOnce(&[u8]) -> R) -> Outcome<R> {
        // SAFETY: the module's contract.
        let call = |out, cap, len| unsafe {
            ffi::donjon_issuer_access(
                self.0.get(),
                mint.subject.as_ptr(),
                mint.subject.len(),
                mint.claims.as_ptr(),
                mint.claims.len(),
                mint.ttl_s,
                mint.since_s,
                mint.now_s,
                out,
                cap,
                len,
            )
        };
        pass(self.bound(mint), call, read)
    }

    pub(crate) fn refresh(&self, state: &[u8], mint: Mint<'_>) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        fill(self.bound(mint), |out, cap, len| unsafe {
            ffi::donjon_issuer_refresh(
                self.0.get(),
                state.as_ptr(),
                state.len(),
                mint.subject.as_ptr(),
                mint.subject.len(),
                mint.claims.as_ptr(),
                mint.claims.len(),
                mint.ttl_s,
                mint.since_s,
                mint.now_s,
                out,
                cap,
                len,
            )
        })
    }
}

/// Why [`Issuer::new`] refuses a configuration.
pub(crate) fn issuer_diagnose(keyring: &Keyring, config: &[u8]) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    answer(|out, cap, len| unsafe {
        ffi::donjon_issuer_diagnose(keyring.0.get(), config.as_ptr(), config.len(), out, cap, len)
    })
}

pub(crate) fn token_sign(keyring: &Keyring, kid: &str, typ: &str, claims: &[u8]) -> Outcome<Vec<u8>> {
    let bound = ffi::donjon_token_sign_bound(typ.len(), claims.len());
    // SAFETY: the module's contract.
    fill(bound, |out, cap, len| unsafe {
        ffi::donjon_token_sign(
            keyring.0.get(),
            kid.as_ptr(),
            kid.len(),
            typ.as_ptr(),
            typ.len(),
            claims.as_ptr(),
            claims.len(),
            out,
            cap,
            len,
        )
    })
}

// ---- tokens in ----

pub(crate) struct Verifier(Handle<ffi::donjon_verifier>);

/// Verified claims: the ABI's buffer, and where in it each claim is.
pub(crate) struct Claims {
    buffer: Vec<u8>,
    pub(crate) fields: Fields,
}

pub(crate) use ffi::{donjon_claims as Fields, donjon_span as Span};

impl Claims {
    pub(crate) fn bytes(&self, span: Span) -> Option<&[u8]> {
        slice(&self.buffer, span)
    }
}

fn slice(buffer: &[u8], span: Span) -> Option<&[u8]> {
    // An absent span's offset is past any buffer.
    let start = usize::try_from(span.offset).ok()?;
    let length = usize::try_from(span.length).ok()?;
    buffer.get(start..start.checked_add(length)?)
}

/// Room for what a token of this length decodes to and for the id of its key. One over the limit is
/// refused before it is decoded.
fn decoded_capacity(token: &[u8]) -> usize {
    token.len().min(ffi::DONJON_TOKEN_MAX) * 2 + MAX_KEY_ID_LEN
}

impl Verifier {
    pub(crate) fn new(keyring: &Keyring, config: &[u8]) -> Outcome<Self> {
        Handle::make(|out| {
            // SAFETY: the module's contract.
            unsafe { ffi::donjon_verifier_new(keyring.0.get(), config.as_ptr(), config.len(), out) }
        })
        .map(Self)
    }

    pub(crate) fn verify(&self, token: &[u8], now_s: i64) -> Outcome<Claims> {
        let mut fields = MaybeUninit::uninit();
        let buffer = fill(decoded_capacity(token), |out, cap, len| {
            let claims = fields.as_mut_ptr();
            // SAFETY: the module's contract.
            unsafe {
                ffi::donjon_verifier_verify(
                    self.0.get(),
                    token.as_ptr(),
                    token.len(),
                    now_s,
                    claims,
                    out,
                    cap,
                    len,
                )
            }
        })?;
        // SAFETY: the call succeeded, so it has written every field.
        Ok(Claims { buffer, fields: unsafe { fields.assume_init() } })
    }
}

/// Why [`Verifier::new`] refuses a configuration.
pub(crate) fn verifier_diagnose(keyring: &Keyring, config: &[u8]) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    answer(|out, cap, len| unsafe {
        ffi::donjon_verifier_diagnose(keyring.0.get(), config.as_ptr(), config.len(), out, cap, len)
    })
}

/// A verified JWS.
pub(crate) struct Jws {
    buffer: Vec<u8>,
    fields: ffi::donjon_jws,
}

impl Jws {
    pub(crate) fn payload(&self) -> Option<&[u8]> {
        slice(&self.buffer, self.fields.payload)
    }

    pub(crate) fn alg(&self) -> Option<&[u8]> {
        slice(&self.buffer, self.fields.alg)
    }

    pub(crate) fn key_id(&self) -> Option<&[u8]> {
        slice(&self.buffer, self.fields.key_id)
    }
}

pub(crate) fn jws_verify(keyring: &Keyring, algorithms: &[u8], jws: &[u8], now_s: i64) -> Outcome<Jws> {
    let mut fields = MaybeUninit::uninit();
    let buffer = fill(decoded_capacity(jws), |out, cap, len| {
        let info = fields.as_mut_ptr();
        // SAFETY: the module's contract.
        unsafe {
            ffi::donjon_jws_verify(
                keyring.0.get(),
                algorithms.as_ptr(),
                algorithms.len(),
                jws.as_ptr(),
                jws.len(),
                now_s,
                info,
                out,
                cap,
                len,
            )
        }
    })?;
    // SAFETY: the call succeeded, so it has written every field.
    Ok(Jws { buffer, fields: unsafe { fields.assume_init() } })
}

pub(crate) fn unverified_header(jws: &[u8]) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    fill(decoded_capacity(jws), |out, cap, len| unsafe {
        ffi::donjon_jws_unverified_header(jws.as_ptr(), jws.len(), out, cap, len)
    })
}

// ---- refresh families, revocation, key sets: pure decisions ----

pub(crate) type RefreshState = [u8; ffi::DONJON_REFRESH_STATE_LEN];

pub(crate) struct RefreshVerdict {
    pub(crate) status: Outcome<()>,
    pub(crate) changed: bool,
    pub(crate) state: RefreshState,
}

pub(crate) fn refresh_begin(now_ms: i64) -> Outcome<RefreshState> {
    let mut state = [0; ffi::DONJON_REFRESH_STATE_LEN];
    // SAFETY: the module's contract; `state` is as long as the ABI says.
    check(unsafe { ffi::donjon_refresh_begin(now_ms, state.as_mut_ptr()) })?;
    Ok(state)
}

pub(crate) fn refresh_family<R>(state: &[u8], read: impl FnOnce(&[u8]) -> R) -> Outcome<R> {
    const LEN: usize = 22;
    // SAFETY: the module's contract.
    let call =
        |out, cap, len| unsafe { ffi::donjon_refresh_family(state.as_ptr(), state.len(), out, cap, len) };
    pass(LEN, call, read)
}

pub(crate) fn refresh_rotate(
    state: &[u8],
    family: &[u8],
    generation: i64,
    now_ms: i64,
    grace_ms: i64,
) -> Outcome<RefreshVerdict> {
    let mut verdict = MaybeUninit::<ffi::donjon_refresh_verdict>::uninit();
    // SAFETY: the module's contract.
    check(unsafe {
        ffi::donjon_refresh_rotate(
            state.as_ptr(),
            state.len(),
            family.as_ptr(),
            family.len(),
            generation,
            now_ms,
            grace_ms,
            verdict.as_mut_ptr(),
        )
    })?;
    // SAFETY: the call succeeded, so it has written the verdict.
    let verdict = unsafe { verdict.assume_init() };
    Ok(RefreshVerdict { status: check(verdict.status), changed: verdict.changed != 0, state: verdict.state })
}

pub(crate) fn refresh_revoke(state: &[u8]) -> Outcome<RefreshState> {
    let mut out = [0; ffi::DONJON_REFRESH_STATE_LEN];
    // SAFETY: the module's contract; `out` is as long as the ABI says.
    check(unsafe { ffi::donjon_refresh_revoke(state.as_ptr(), state.len(), out.as_mut_ptr()) })?;
    Ok(out)
}

pub(crate) use ffi::donjon_revocation_facts as RevocationFacts;

pub(crate) fn revocation_check(facts: &RevocationFacts) -> Outcome<()> {
    // SAFETY: the module's contract.
    check(unsafe { ffi::donjon_revocation_check(facts) })
}

pub(crate) use ffi::{
    DONJON_JWKS_FAILED, DONJON_JWKS_FETCHED, DONJON_JWKS_PERIODIC, DONJON_JWKS_UNKNOWN_KEY,
};

pub(crate) struct JwksVerdict {
    pub(crate) fetch: bool,
    pub(crate) retry_after_ms: i64,
    pub(crate) state: [u8; ffi::DONJON_JWKS_STATE_LEN],
}

pub(crate) fn jwks_refresh(
    state: &[u8],
    event: i32,
    now_ms: i64,
    cooldown_ms: i64,
    max_age_ms: i64,
) -> Outcome<JwksVerdict> {
    let mut verdict = MaybeUninit::<ffi::donjon_jwks_verdict>::uninit();
    // SAFETY: the module's contract.
    check(unsafe {
        ffi::donjon_jwks_refresh(
            state.as_ptr(),
            state.len(),
            event,
            now_ms,
            cooldown_ms,
            max_age_ms,
            verdict.as_mut_ptr(),
        )
    })?;
    // SAFETY: the call succeeded, so it has written the verdict.
    let verdict = unsafe { verdict.assume_init() };
    Ok(JwksVerdict {
        fetch: verdict.fetch != 0,
        retry_after_ms: verdict.retry_after_ms,
        state: verdict.state,
    })
}

// ---- single-purpose tokens ----

pub(crate) struct PurposeTokens(Handle<ffi::donjon_purpose_tokens>);

/// What a single-purpose token is for.
#[derive(Clone, Copy)]
pub(crate) struct Use<'a> {
    pub(crate) purpose: &'a str,
    pub(crate) subject: &'a [u8],
    pub(crate) state: &'a [u8],
}

impl PurposeTokens {
    pub(crate) fn new(keyring: &Keyring) -> Outcome<Self> {
        // SAFETY: the module's contract.
        Handle::make(|out| unsafe { ffi::donjon_purpose_tokens_new(keyring.0.get(), out) }).map(Self)
    }

    pub(crate) fn mint(&self, used: Use<'_>, ttl_s: i64, now_s: i64) -> Outcome<Vec<u8>> {
        let bound = ffi::donjon_purpose_tokens_bound(used.purpose.len(), used.subject.len());
        // SAFETY: the module's contract.
        fill(bound, |out, cap, len| unsafe {
            ffi::donjon_purpose_tokens_mint(
                self.0.get(),
                used.purpose.as_ptr(),
                used.purpose.len(),
                used.subject.as_ptr(),
                used.subject.len(),
                used.state.as_ptr(),
                used.state.len(),
                ttl_s,
                now_s,
                out,
                cap,
                len,
            )
        })
    }

    pub(crate) fn check(&self, used: Use<'_>, token: &[u8], now_s: i64) -> Outcome<()> {
        // SAFETY: the module's contract.
        check(unsafe {
            ffi::donjon_purpose_tokens_check(
                self.0.get(),
                used.purpose.as_ptr(),
                used.purpose.len(),
                used.subject.as_ptr(),
                used.subject.len(),
                used.state.as_ptr(),
                used.state.len(),
                token.as_ptr(),
                token.len(),
                now_s,
            )
        })
    }
}

// ---- passwords ----

pub(crate) struct Hasher(Handle<ffi::donjon_hasher>);

pub(crate) use ffi::donjon_password_verdict as PasswordVerdict;

impl Hasher {
    pub(crate) fn new(peppers: Option<&Keyring>, config: &[u8]) -> Outcome<Self> {
        let peppers = peppers.map_or(ptr::null(), |peppers| peppers.0.get());
        // SAFETY: the module's contract; the peppers may be NULL.
        Handle::make(|out| unsafe { ffi::donjon_hasher_new(peppers, config.as_ptr(), config.len(), out) })
            .map(Self)
    }

    pub(crate) fn max_wait_ms(&self) -> u32 {
        // SAFETY: the module's contract.
        unsafe { ffi::donjon_hasher_max_wait_ms(self.0.get()) }
    }

    pub(crate) fn slots(&self) -> u32 {
        // SAFETY: the module's contract.
        unsafe { ffi::donjon_hasher_slots(self.0.get()) }
    }

    pub(crate) fn hash(&self, password: &[u8], now_s: i64) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        fill(ffi::DONJON_PASSWORD_HASH_MAX, |out, cap, len| unsafe {
            ffi::donjon_hasher_hash(self.0.get(), password.as_ptr(), password.len(), now_s, out, cap, len)
        })
    }

    pub(crate) fn verify(&self, password: &[u8], hash: &[u8], now_s: i64) -> Outcome<PasswordVerdict> {
        let mut verdict = MaybeUninit::uninit();
        // SAFETY: the module's contract.
        check(unsafe {
            ffi::donjon_hasher_verify(
                self.0.get(),
                password.as_ptr(),
                password.len(),
                hash.as_ptr(),
                hash.len(),
                now_s,
                verdict.as_mut_ptr(),
            )
        })?;
        // SAFETY: the call succeeded, so it has written the verdict.
        Ok(unsafe { verdict.assume_init() })
    }

    /// Why nobody is let in: there is no hash that the password could be of.
    pub(crate) fn verify_unknown_user(&self, password: &[u8], now_s: i64) -> Failure {
        // SAFETY: the module's contract.
        let status = unsafe {
            ffi::donjon_hasher_verify_unknown_user(self.0.get(), password.as_ptr(), password.len(), now_s)
        };
        check(status).err().unwrap_or(Failure::INTERNAL_ERROR)
    }

    pub(crate) fn needs_rehash(&self, hash: &[u8], now_s: i64) -> Outcome<bool> {
        let mut out = 0;
        // SAFETY: the module's contract.
        check(unsafe {
            ffi::donjon_hasher_needs_rehash(self.0.get(), hash.as_ptr(), hash.len(), now_s, &raw mut out)
        })?;
        Ok(out != 0)
    }
}

/// Why [`Hasher::new`] refuses a configuration.
pub(crate) fn hasher_diagnose(peppers: Option<&Keyring>, config: &[u8]) -> Outcome<Vec<u8>> {
    let peppers = peppers.map_or(ptr::null(), |peppers| peppers.0.get());
    // SAFETY: the module's contract; the peppers may be NULL.
    answer(|out, cap, len| unsafe {
        ffi::donjon_hasher_diagnose(peppers, config.as_ptr(), config.len(), out, cap, len)
    })
}

pub(crate) fn password_strength(profile: &str, password: &[u8], user_inputs: &[u8]) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    answer(|out, cap, len| unsafe {
        ffi::donjon_password_strength(
            profile.as_ptr(),
            profile.len(),
            password.as_ptr(),
            password.len(),
            user_inputs.as_ptr(),
            user_inputs.len(),
            out,
            cap,
            len,
        )
    })
}

pub(crate) fn password_estimate(password: &[u8], user_inputs: &[u8]) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    answer(|out, cap, len| unsafe {
        ffi::donjon_password_estimate(
            password.as_ptr(),
            password.len(),
            user_inputs.as_ptr(),
            user_inputs.len(),
            out,
            cap,
            len,
        )
    })
}

pub(crate) fn password_breach_prefix(password: &[u8]) -> Outcome<Vec<u8>> {
    const LEN: usize = 5;
    // SAFETY: the module's contract.
    fill(LEN, |out, cap, len| unsafe {
        ffi::donjon_password_breach_prefix(password.as_ptr(), password.len(), out, cap, len)
    })
}

pub(crate) fn password_breach_count(password: &[u8], range: &[u8]) -> Outcome<u64> {
    let mut count = 0;
    // SAFETY: the module's contract.
    check(unsafe {
        ffi::donjon_password_breach_count(
            password.as_ptr(),
            password.len(),
            range.as_ptr(),
            range.len(),
            &raw mut count,
        )
    })?;
    Ok(count)
}

// ---- roles and permissions ----

pub(crate) fn permission_implies(granted: &[u8], required: &[u8]) -> Outcome<bool> {
    // SAFETY: the module's contract.
    allowed(unsafe {
        ffi::donjon_permission_implies(granted.as_ptr(), granted.len(), required.as_ptr(), required.len())
    })
}

pub(crate) struct Policy(Handle<ffi::donjon_policy>);

pub(crate) use ffi::{DONJON_MATRIX_HTML, DONJON_MATRIX_JSON, DONJON_MATRIX_MARKDOWN};

impl Policy {
    pub(crate) fn new(document: &[u8]) -> Outcome<Self> {
        // SAFETY: the module's contract.
        Handle::make(|out| unsafe { ffi::donjon_policy_new(document.as_ptr(), document.len(), out) })
            .map(Self)
    }

    pub(crate) fn document(&self) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        document(|out, cap, len| unsafe { ffi::donjon_policy_document(self.0.get(), out, cap, len) })
    }

    pub(crate) fn digest(&self) -> Outcome<Vec<u8>> {
        const LEN: usize = 32;
        // SAFETY: the module's contract.
        fill(LEN, |out, cap, len| unsafe { ffi::donjon_policy_digest(self.0.get(), out, cap, len) })
    }

    pub(crate) fn check_permission(&self, permission: &[u8]) -> Outcome<()> {
        // SAFETY: the module's contract.
        check(unsafe {
            ffi::donjon_policy_check_permission(self.0.get(), permission.as_ptr(), permission.len())
        })
    }

    pub(crate) fn check_role(&self, role: &[u8]) -> Outcome<()> {
        // SAFETY: the module's contract.
        check(unsafe { ffi::donjon_policy_check_role(self.0.get(), role.as_ptr(), role.len()) })
    }

    pub(crate) fn assign(&self, roles: &[u8], role: &[u8], members: u64) -> Outcome<()> {
        let (roles, roles_len) = (roles.as_ptr(), roles.len());
        // SAFETY: the module's contract.
        check(unsafe {
            ffi::donjon_policy_assign(self.0.get(), roles, roles_len, role.as_ptr(), role.len(), members)
        })
    }

    pub(crate) fn who_can(&self, permission: &[u8]) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        answer(|out, cap, len| unsafe {
            ffi::donjon_policy_who_can(self.0.get(), permission.as_ptr(), permission.len(), out, cap, len)
        })
    }

    pub(crate) fn matrix(&self, format: u32) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        answer(|out, cap, len| unsafe { ffi::donjon_policy_matrix(self.0.get(), format, out, cap, len) })
    }

    pub(crate) fn diff(&self, after: &Self) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        answer(|out, cap, len| unsafe { ffi::donjon_policy_diff(self.0.get(), after.0.get(), out, cap, len) })
    }

    pub(crate) fn lint(&self) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        answer(|out, cap, len| unsafe { ffi::donjon_policy_lint(self.0.get(), out, cap, len) })
    }
}

/// Why [`Policy::new`] refuses a document.
pub(crate) fn policy_diagnose(document: &[u8]) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    answer(|out, cap, len| unsafe {
        ffi::donjon_policy_diagnose(document.as_ptr(), document.len(), out, cap, len)
    })
}

pub(crate) fn policy_shipped(name: &str) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    document(|out, cap, len| unsafe { ffi::donjon_policy_shipped(name.as_ptr(), name.len(), out, cap, len) })
}

pub(crate) fn policy_schema() -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    document(|out, cap, len| unsafe { ffi::donjon_policy_schema(out, cap, len) })
}

pub(crate) fn policy_import_casbin(csv: &[u8]) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    answer(|out, cap, len| unsafe {
        ffi::donjon_policy_import_casbin(csv.as_ptr(), csv.len(), out, cap, len)
    })
}

pub(crate) struct Subject(Handle<ffi::donjon_subject>);

/// How many of several permissions are wanted.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Any,
    All,
}

impl Mode {
    const fn number(self) -> u32 {
        match self {
            Self::Any => ffi::DONJON_ANY,
            Self::All => ffi::DONJON_ALL,
        }
    }
}

impl Subject {
    pub(crate) fn new(policy: &Policy, roles: &[u8], tenant: &[u8], permissions: &[u8]) -> Outcome<Self> {
        Handle::make(|out| {
            let (roles, roles_len) = (roles.as_ptr(), roles.len());
            let (tenant, tenant_len) = (tenant.as_ptr(), tenant.len());
            let (permissions, permissions_len) = (permissions.as_ptr(), permissions.len());
            // SAFETY: the module's contract.
            unsafe {
                ffi::donjon_subject_new(
                    policy.0.get(),
                    roles,
                    roles_len,
                    tenant,
                    tenant_len,
                    permissions,
                    permissions_len,
                    out,
                )
            }
        })
        .map(Self)
    }

    pub(crate) fn has(&self, permission: &[u8], instance: &[u8]) -> Outcome<bool> {
        // SAFETY: the module's contract.
        allowed(unsafe {
            ffi::donjon_subject_has(
                self.0.get(),
                permission.as_ptr(),
                permission.len(),
                instance.as_ptr(),
                instance.len(),
            )
        })
    }

    pub(crate) fn has_role(&self, role: &[u8]) -> Outcome<bool> {
        // SAFETY: the module's contract.
        allowed(unsafe { ffi::donjon_subject_has_role(self.0.get(), role.as_ptr(), role.len()) })
    }

    pub(crate) fn check(&self, mode: Mode, permissions: &[u8], instance: &[u8]) -> Outcome<bool> {
        // SAFETY: the module's contract.
        allowed(unsafe {
            ffi::donjon_subject_check(
                self.0.get(),
                mode.number(),
                permissions.as_ptr(),
                permissions.len(),
                instance.as_ptr(),
                instance.len(),
            )
        })
    }

    pub(crate) fn explain(&self, mode: Mode, permissions: &[u8], instance: &[u8]) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        answer(|out, cap, len| unsafe {
            ffi::donjon_subject_explain(
                self.0.get(),
                mode.number(),
                permissions.as_ptr(),
                permissions.len(),
                instance.as_ptr(),
                instance.len(),
                out,
                cap,
                len,
            )
        })
    }

    pub(crate) fn permissions(&self) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        answer(|out, cap, len| unsafe { ffi::donjon_subject_permissions(self.0.get(), out, cap, len) })
    }
}

/// The bytes that operations of this thread draw from now on; none gives them back to the OS.
#[cfg(feature = "test-entropy")]
pub(crate) fn test_entropy(bytes: Option<&[u8]>) -> Outcome<()> {
    let (pointer, len) = bytes.map_or((ptr::null(), 0), |bytes| (bytes.as_ptr(), bytes.len()));
    // SAFETY: the module's contract.
    check(unsafe { ffi::donjon_test_entropy(pointer, len) })
}
