//! `donjon_subject`.

use super::guard;
use super::memory::{Output, Slot, bytes, foreign_text, free, optional_text, reference};
use super::policy::{MAX_TEXTS, Texts, donjon_policy};
use crate::error::Status;
use crate::json;
use crate::rbac::{Mode, Subject};

/// One of the permissions is enough.
pub const DONJON_ANY: u32 = 1;
/// All of the permissions are needed.
pub const DONJON_ALL: u32 = 2;

/// The most permissions that one question is about.
const MAX_ASKED: usize = 256;

/// Roles that are active together, and what they may do under the policy that they were activated with,
/// which they keep alive.
pub struct donjon_subject(Subject);

/// Activates roles: a JSON list of "role" or "role@tenant", as a verified token carries them. tenant: the
/// tenant that the checks are about; empty for none, where only roles without a tenant are active.
/// permissions: the token's own JSON list, which only narrows what the roles allow; (NULL, 0) if it has
/// none ("[]" allows nothing). Roles that the policy lacks are left out; donjon_subject_explain names them.
///
/// Errors: SEPARATION_OF_DUTY, MALFORMED (not a list of strings), TOO_LARGE (over 4,096 of them),
/// INVALID_ARGUMENT (tenant).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_subject_new(
    policy: *const donjon_policy,
    roles: *const u8,
    roles_len: usize,
    tenant: *const u8,
    tenant_len: usize,
    permissions: *const u8,
    permissions_len: usize,
    out: *mut *mut donjon_subject,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (policy, roles, tenant, permissions, out) = unsafe {
            (
                reference(policy)?,
                bytes(roles, roles_len)?,
                optional_text(tenant, tenant_len)?,
                bytes(permissions, permissions_len)?,
                Slot::new(out)?,
            )
        };
        let roles = Texts::read(roles, MAX_TEXTS)?;
        let token = match permissions {
            [] => None,
            permissions => Some(Texts::read(permissions, MAX_TEXTS)?),
        };
        let token = token.as_ref().map(Texts::all);
        out.put_handle(donjon_subject(policy.0.subject(roles.all(), tenant, token.as_deref())?));
        Ok(())
    })
}

/// Whether the subject may do permission, or permission to instance: "document:read" to "42" is
/// "document:read:42". DONJON_OK if so. instance, which may be a client's text, is one literal name: one
/// with "*", ",", ":", white space or control characters is denied. Empty: none.
///
/// Errors: PERMISSION_DENIED.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_subject_has(
    subject: *const donjon_subject,
    permission: *const u8,
    permission_len: usize,
    instance: *const u8,
    instance_len: usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (subject, permission, instance) = unsafe {
            (
                reference(subject)?,
                foreign_text(permission, permission_len)?,
                foreign_text(instance, instance_len)?,
            )
        };
        verdict(subject.0.has(&permission, named(&instance)))
    })
}

/// Whether role is active, itself or inherited. DONJON_OK if so. Permissions say more: ask for them.
///
/// Errors: PERMISSION_DENIED.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_subject_has_role(
    subject: *const donjon_subject,
    role: *const u8,
    role_len: usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (subject, role) = unsafe { (reference(subject)?, foreign_text(role, role_len)?) };
        verdict(subject.0.has_role(&role))
    })
}

/// Whether the subject may do any, or all, of permissions (a JSON list, at most 256), each to instance if
/// there is one. mode: DONJON_ANY, DONJON_ALL. DONJON_OK if so. Any of none: denied.
///
/// Errors: PERMISSION_DENIED, INVALID_ARGUMENT (mode; all of none), MALFORMED (not a list of strings),
/// TOO_LARGE.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_subject_check(
    subject: *const donjon_subject,
    mode: u32,
    permissions: *const u8,
    permissions_len: usize,
    instance: *const u8,
    instance_len: usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (subject, permissions, instance) = unsafe {
            (reference(subject)?, bytes(permissions, permissions_len)?, foreign_text(instance, instance_len)?)
        };
        let mode = mode_of(mode)?;
        let permissions = Texts::read(permissions, MAX_ASKED)?;
        verdict(match mode {
            Mode::Any => subject.0.has_any(&permissions.all(), named(&instance)),
            Mode::All => {
                subject.0.has_all(&permissions.all(), named(&instance)).ok_or(Status::InvalidArgument)?
            }
        })
    })
}

/// Explains what donjon_subject_check decides, as JSON for the log: {"allowed":false,"mode":"all",
/// "reason":"missing","permissions":[{"permission":"document:read","allowed":false,"reason":"missing",
/// "grants":[{"role":"editor","via":["chief","editor"],"grant":"document:*"}],"denies":[]}],
/// "unknown_roles":["ghost"]}. Reasons: "granted", "denied", "missing", "unknown_permission",
/// "malformed_permission", "token_lacks", "empty". A client is told nothing of it.
///
/// Errors: INVALID_ARGUMENT (mode), MALFORMED, TOO_LARGE, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_subject_explain(
    subject: *const donjon_subject,
    mode: u32,
    permissions: *const u8,
    permissions_len: usize,
    instance: *const u8,
    instance_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (subject, permissions, instance, out) = unsafe {
            (
                reference(subject)?,
                bytes(permissions, permissions_len)?,
                foreign_text(instance, instance_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        let mode = mode_of(mode)?;
        let permissions = Texts::read(permissions, MAX_ASKED)?;
        out.write(subject.0.explain(mode, &permissions.all(), named(&instance)).to_json().as_bytes())
    })
}

/// What the subject may do: a JSON list of catalogue entries; of open ones also "document:read:42" (this
/// instance), or "document:read:*" and "!document:read:42" (all but this one).
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_subject_permissions(
    subject: *const donjon_subject,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (subject, out) = unsafe { (reference(subject)?, Output::new(out, cap, out_len)?) };
        let permissions = subject.0.permissions();
        out.write(json::text_list(permissions.iter().map(|text| &**text)).as_bytes())
    })
}

/// Frees a subject.
///
/// # Safety
/// subject is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_subject_free(subject: *mut donjon_subject) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(subject);
        Ok(())
    });
}

fn verdict(allowed: bool) -> Result<(), Status> {
    if allowed { Ok(()) } else { Err(Status::PermissionDenied) }
}

/// An empty instance is none.
fn named(instance: &str) -> Option<&str> {
    Some(instance).filter(|instance| !instance.is_empty())
}

fn mode_of(mode: u32) -> Result<Mode, Status> {
    match mode {
        DONJON_ANY => Ok(Mode::Any),
        DONJON_ALL => Ok(Mode::All),
        _ => Err(Status::InvalidArgument),
    }
}
