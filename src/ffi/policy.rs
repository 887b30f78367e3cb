//! `donjon_policy`.

use alloc::string::String;
use alloc::vec::Vec;

use super::memory::{Output, Slot, bytes, foreign_text, free, reference, text};
use super::{diagnosis, guard};
use crate::error::Status;
use crate::json::{self, Limits, Value};
use crate::rbac::{
    CasbinImport, Lint, MatrixFormat, POLICY_SCHEMA, Policy, PolicyError, RoleError, UnknownPermission,
    shipped_policy,
};

/// The matrix as JSON: {"permissions":[…],"roles":[…],"cells":{"admin":{"document:read":"granted"}}};
/// a cell is "granted", "some" (instances) or "denied", and absent where nothing is granted.
pub const DONJON_MATRIX_JSON: u32 = 0;
/// The matrix as a Markdown table.
pub const DONJON_MATRIX_MARKDOWN: u32 = 1;
/// The matrix as a page of HTML that stands alone.
pub const DONJON_MATRIX_HTML: u32 = 2;

/// Roles and permissions, loaded. It never changes: to replace it, load another and swap the pointers.
/// Subjects keep their policy alive, so the old one may be freed at once.
pub struct donjon_policy(pub(super) Policy);

impl From<PolicyError> for Status {
    fn from(error: PolicyError) -> Self {
        error.status()
    }
}

impl From<RoleError> for Status {
    fn from(error: RoleError) -> Self {
        error.status()
    }
}

/// Loads a policy document (JSON; its schema: donjon_policy_schema):
///   {"permissions":["document:create","document:read:{id}"],
///    "roles":{"viewer":{"allow":["document:read"]},
///             "editor":{"inherits":["viewer"],"allow":["document:*"],"deny":[]}},
///    "constraints":{"static_separation":[{"roles":["a","b"],"at_most":1}],
///                   "dynamic_separation":[],"cardinality":[{"role":"owner","at_most":1}]}}
/// The world is closed: a role or permission that is not declared refuses the policy.
///
/// Errors: CONFIG_ERROR, MALFORMED (not strict JSON), TOO_LARGE; donjon_policy_diagnose says where.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_policy_new(
    document: *const u8,
    document_len: usize,
    out: *mut *mut donjon_policy,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (document, out) = unsafe { (bytes(document, document_len)?, Slot::new(out)?) };
        out.put_handle(donjon_policy(Policy::from_json(document)?));
        Ok(())
    })
}

/// Says why donjon_policy_new refuses a document: null if it does not, else
/// `{"error":"config_error","path":"roles.editor.allow[0]","message":"…"}`.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_policy_diagnose(
    document: *const u8,
    document_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (document, out) = unsafe { (bytes(document, document_len)?, Output::new(out, cap, out_len)?) };
        diagnosis::write(Policy::from_json(document), out)
    })
}

/// A policy that is shipped, as a document to start from: "deepinsight" or "session-cluster".
///
/// Errors: INVALID_ARGUMENT (another name), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_policy_shipped(
    name: *const u8,
    name_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (name, out) = unsafe { (text(name, name_len)?, Output::new(out, cap, out_len)?) };
        out.write(shipped_policy(name).ok_or(Status::InvalidArgument)?.as_bytes())
    })
}

/// The JSON Schema (draft 2020-12) of a policy document.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_policy_schema(out: *mut u8, cap: usize, out_len: *mut usize) -> i32 {
    // SAFETY: the caller's pointers, as the contract says.
    guard(|| unsafe { Output::new(out, cap, out_len) }?.write(POLICY_SCHEMA.as_bytes()))
}

/// Reads a casbin CSV file of the plain RBAC model ("p, role, object, action[, deny]" and "g, user, role")
/// as {"policy":{…},"assignments":{"ann":["editor"]}}.
///
/// Errors: MALFORMED (another kind of line, or a name that a role or permission cannot have), CONFIG_ERROR
/// (roles that inherit each other), TOO_LARGE, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_policy_import_casbin(
    csv: *const u8,
    csv_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (csv, out) = unsafe { (bytes(csv, csv_len)?, Output::new(out, cap, out_len)?) };
        let csv = core::str::from_utf8(csv).map_err(|_| Status::Malformed)?;
        out.write(CasbinImport::from_csv(csv)?.to_json().as_bytes())
    })
}

/// The policy in its canonical form: a JSON document that donjon_policy_new reads, the same for every way
/// of writing the policy.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_policy_document(
    policy: *const donjon_policy,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (policy, out) = unsafe { (reference(policy)?, Output::new(out, cap, out_len)?) };
        out.write(policy.0.document().as_bytes())
    })
}

/// SHA-256 of the canonical form, 32 bytes: two hosts with one digest decide alike.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_policy_digest(
    policy: *const donjon_policy,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (policy, out) = unsafe { (reference(policy)?, Output::new(out, cap, out_len)?) };
        out.write(&policy.0.digest())
    })
}

/// Whether a check of this permission can ever be granted: ask when the service starts, for a misspelt
/// permission is denied for ever. A last segment in braces, as in "document:read:{id}", is any instance.
///
/// Errors: MALFORMED, UNKNOWN_PERMISSION.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_policy_check_permission(
    policy: *const donjon_policy,
    permission: *const u8,
    permission_len: usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (policy, permission) = unsafe { (reference(policy)?, foreign_text(permission, permission_len)?) };
        policy.0.check_permission(&permission).map_err(|error| match error {
            UnknownPermission::Malformed => Status::Malformed,
            UnknownPermission::Unknown => Status::UnknownPermission,
        })
    })
}

/// Whether the policy has this role.
///
/// Errors: UNKNOWN_ROLE.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_policy_check_role(
    policy: *const donjon_policy,
    role: *const u8,
    role_len: usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (policy, role) = unsafe { (reference(policy)?, foreign_text(role, role_len)?) };
        if policy.0.has_role(&role) { Ok(()) } else { Err(Status::UnknownRole) }
    })
}

/// Whether a user who has roles (a JSON list) may be given role too, by static separation of duty and
/// cardinality. Roles may be of tenants ("editor@acme"); one without a tenant counts in each. members: the
/// users who have role now; count and assign in one transaction.
///
/// Errors: UNKNOWN_ROLE, SEPARATION_OF_DUTY, CARDINALITY_EXCEEDED, MALFORMED (roles), TOO_LARGE.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_policy_assign(
    policy: *const donjon_policy,
    roles: *const u8,
    roles_len: usize,
    role: *const u8,
    role_len: usize,
    members: u64,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (policy, roles, role) =
            unsafe { (reference(policy)?, bytes(roles, roles_len)?, foreign_text(role, role_len)?) };
        let roles = Texts::read(roles, MAX_TEXTS)?;
        Ok(policy.0.check_assignment(&roles.all(), &role, members)?)
    })
}

/// The roles that a permission is granted to, sorted: a JSON list.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_policy_who_can(
    policy: *const donjon_policy,
    permission: *const u8,
    permission_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (policy, permission, out) = unsafe {
            (reference(policy)?, foreign_text(permission, permission_len)?, Output::new(out, cap, out_len)?)
        };
        out.write(json::text_list(policy.0.who_can(&permission)).as_bytes())
    })
}

/// The permission matrix, every role against every permission; format: DONJON_MATRIX_JSON, _MARKDOWN,
/// _HTML.
///
/// Errors: INVALID_ARGUMENT (format), TOO_LARGE (over 1,048,576 cells), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_policy_matrix(
    policy: *const donjon_policy,
    format: u32,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (policy, out) = unsafe { (reference(policy)?, Output::new(out, cap, out_len)?) };
        let format = match format {
            DONJON_MATRIX_JSON => MatrixFormat::Json,
            DONJON_MATRIX_MARKDOWN => MatrixFormat::Markdown,
            DONJON_MATRIX_HTML => MatrixFormat::Html,
            _ => return Err(Status::InvalidArgument),
        };
        out.write(policy.0.matrix(format).ok_or(Status::TooLarge)?.as_bytes())
    })
}

/// What changes for whom when after replaces before, in effective permissions:
/// {"roles":{"added":[],"removed":[],"changed":{"editor":{"gained":["document:read"],"lost":[]}}},
///  "permissions":{"added":[],"removed":[]},"constraints":{"added":[],"removed":[]}}.
///
/// Errors: TOO_LARGE (over 16,777,216 roles times permissions), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_policy_diff(
    before: *const donjon_policy,
    after: *const donjon_policy,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (before, after, out) =
            unsafe { (reference(before)?, reference(after)?, Output::new(out, cap, out_len)?) };
        out.write(before.0.diff(&after.0).ok_or(Status::TooLarge)?.to_json().as_bytes())
    })
}

/// What is probably not meant, as a JSON list of {"kind","path","message"}; kinds: "unreachable_role",
/// "separation_violation", "shadowed_grant", "empty_role", "equal_roles", "unused_permission".
///
/// Errors: TOO_LARGE (over 16,777,216 roles times permissions), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_policy_lint(
    policy: *const donjon_policy,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (policy, out) = unsafe { (reference(policy)?, Output::new(out, cap, out_len)?) };
        let lints: Vec<String> = policy.0.lint().ok_or(Status::TooLarge)?.iter().map(Lint::to_json).collect();
        out.write(json::list(&lints).as_bytes())
    })
}

/// Frees a policy. Its subjects live on.
///
/// # Safety
/// policy is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_policy_free(policy: *mut donjon_policy) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(policy);
        Ok(())
    });
}

/// The most texts of a list of roles or of a token's permissions.
pub(super) const MAX_TEXTS: usize = crate::rbac::MAX_SUBJECT_ENTRIES;

/// The longest such list, in bytes: what a token could carry, with room.
const MAX_LIST_LEN: usize = 1 << 20;

/// A JSON list of texts.
pub(super) struct Texts<'a>(Vec<alloc::borrow::Cow<'a, str>>);

impl<'a> Texts<'a> {
    pub(super) fn read(list: &'a [u8], most: usize) -> Result<Self, Status> {
        if list.len() > MAX_LIST_LEN {
            return Err(Status::TooLarge);
        }
        let Ok(Value::Array(array)) = json::parse(list, Limits::DOCUMENT) else {
            return Err(Status::Malformed);
        };
        if !array.is_all_text() {
            return Err(Status::Malformed);
        }
        let texts: Vec<_> = array.texts().take(most.saturating_add(1)).map(json::Text::decode).collect();
        if texts.len() > most { Err(Status::TooLarge) } else { Ok(Self(texts)) }
    }

    pub(super) fn all(&self) -> Vec<&str> {
        self.0.iter().map(AsRef::as_ref).collect()
    }
}
