//! `donjon_sessions`, at its requests: cookies, CSRF tokens, other sites.

use super::guard;
use super::memory::{Output, bytes, reference};
use super::sessions::donjon_sessions;
use crate::runtime::OsEntropy;
use crate::session::{CSRF_TOKEN_LEN, MAX_SET_COOKIE_LEN, Request};

/// The characters of a CSRF token.
pub const DONJON_CSRF_TOKEN_LEN: usize = 64;

/// The longest Set-Cookie, in bytes.
pub const DONJON_SET_COOKIE_MAX: usize = 1024;

const _: () = assert!(DONJON_CSRF_TOKEN_LEN == CSRF_TOKEN_LEN && DONJON_SET_COOKIE_MAX == MAX_SET_COOKIE_LEN);

/// The value of a Set-Cookie that carries a session id:
/// "__Host-session=…; Path=/; Max-Age=86400; Secure; HttpOnly; SameSite=Lax".
///
/// id: empty for one that clears the cookie.
///
/// Errors: INVALID_SESSION (not an id), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sessions_cookie(
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
        out.write(sessions.0.web().cookie(id)?.as_bytes())
    })
}

/// The value of a Set-Cookie that carries a CSRF token to the scripts of the session's pages, in a cookie of the
/// session's name and "-csrf": "__Host-session-csrf=…; Path=/; Max-Age=86400; Secure; SameSite=Lax".
///
/// token: empty for one that clears the cookie.
///
/// Errors: INVALID_ARGUMENT (not a token), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sessions_csrf_cookie(
    sessions: *const donjon_sessions,
    token: *const u8,
    token_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sessions, token, out) =
            unsafe { (reference(sessions)?, bytes(token, token_len)?, Output::new(out, cap, out_len)?) };
        out.write(sessions.0.web().csrf_cookie(token)?.as_bytes())
    })
}

/// The session id in a Cookie header; empty if there is no such cookie.
///
/// header: the header's value; of several lines, all, joined by "; ".
///
/// Errors: INVALID_SESSION (the cookie is there twice, or has no id), TOO_LARGE (over 16 KiB), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sessions_read_cookie(
    sessions: *const donjon_sessions,
    header: *const u8,
    header_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sessions, header, out) =
            unsafe { (reference(sessions)?, bytes(header, header_len)?, Output::new(out, cap, out_len)?) };
        out.write(sessions.0.web().read_cookie(header)?.unwrap_or_default().as_bytes())
    })
}

/// Makes a CSRF token for a session: DONJON_CSRF_TOKEN_LEN characters, good for no other session. Each differs,
/// and all stay good as long as the session does. A session that was rotated has another id, and wants a new one.
///
/// cap: at least DONJON_CSRF_TOKEN_LEN.
///
/// Errors: INVALID_SESSION (not an id), BUFFER_TOO_SMALL, ENTROPY_UNAVAILABLE.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sessions_csrf_token(
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
        let out = out.require(DONJON_CSRF_TOKEN_LEN)?;
        out.write(sessions.0.web().csrf_token(id, &mut OsEntropy)?.as_bytes())
    })
}

/// Whether a request may do what it asks for, as far as browsers and other sites are concerned. Ask before
/// anything is done, log-in included. It is no check of the session: that is donjon_sessions_check's.
///
/// GET, HEAD and OPTIONS may: they have to change nothing. Any other method has to come from a page of the service
/// itself or of a trusted origin, or from no page at all; and with a session, has to carry a token of it, unless
/// the configuration says "csrf_token":"not_required".
///
/// id: the session's; empty for none. method: as it was sent.
/// sec_fetch_site, origin, host: the headers Sec-Fetch-Site, Origin and Host (or :authority, as the browser sent
///   it); empty for one that is not there.
/// csrf_token: what the request carries in a header or a field; empty for none.
///
/// Errors: CROSS_SITE (from a page of another site), CSRF_FAILED (no token of this session).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sessions_check_request(
    sessions: *const donjon_sessions,
    id: *const u8,
    id_len: usize,
    method: *const u8,
    method_len: usize,
    sec_fetch_site: *const u8,
    sec_fetch_site_len: usize,
    origin: *const u8,
    origin_len: usize,
    host: *const u8,
    host_len: usize,
    csrf_token: *const u8,
    csrf_token_len: usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sessions, id, csrf_token) =
            unsafe { (reference(sessions)?, bytes(id, id_len)?, bytes(csrf_token, csrf_token_len)?) };
        // SAFETY: as above.
        let request = unsafe {
            Request {
                method: bytes(method, method_len)?,
                sec_fetch_site: bytes(sec_fetch_site, sec_fetch_site_len)?,
                origin: bytes(origin, origin_len)?,
                host: bytes(host, host_len)?,
            }
        };
        Ok(sessions.0.web().check_request(id, &request, csrf_token)?)
    })
}
