//! Bare permissions.

use super::guard;
use super::memory::foreign_text;
use crate::error::Status;
use crate::rbac::Permission;

/// Whether a grant of "granted" grants all of "required": DONJON_OK if so. "document" implies
/// "document:read", which implies "document:read:42"; "*" is any name of its segment, "read,update" both.
///
/// Errors: PERMISSION_DENIED (also if required is no permission), MALFORMED (granted is none).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_permission_implies(
    granted: *const u8,
    granted_len: usize,
    required: *const u8,
    required_len: usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (granted, required) =
            unsafe { (foreign_text(granted, granted_len)?, foreign_text(required, required_len)?) };
        let granted = Permission::parse(&granted).map_err(|_| Status::Malformed)?;
        let required = Permission::parse(&required).map_err(|_| Status::PermissionDenied)?;
        if granted.implies(required) { Ok(()) } else { Err(Status::PermissionDenied) }
    })
}
