//! Roles and permissions: who may do what, and why.
//!
//! *Decides* whether the roles of a subject allow a permission; which roles may be had, or be active,
//! together; and what a change of policy changes. *Inputs*: a policy document (JSON: a catalogue of
//! permissions, roles that allow, deny and inherit, constraints), the roles of a subject, a tenant, the
//! permissions that its token carries. *State*: none; a policy never changes, and is replaced as a whole.
//! *Threat*: a misspelt permission that everyone or no one has; a grant that reaches further than it
//! reads; a denial that another role's grant undoes; a role that was assigned although it excludes
//! another; an instance from a URL that is a wildcard; a policy that takes the service down when it loads.
//!
//! The model is that of INCITS 359-2012 (NIST RBAC: core, hierarchical, static and dynamic separation of
//! duty), with denials, which override, and tenants. Permissions read as Apache Shiro's wildcard
//! permissions do, except that case counts.
//!
//! ```
//! use donjon::rbac::Policy;
//!
//! let policy = Policy::from_json(br#"{
//!     "permissions": ["document:create", "document:read:{id}", "document:delete"],
//!     "roles": {
//!         "viewer": {"allow": ["document:read"]},
//!         "editor": {"inherits": ["viewer"], "allow": ["document:*"], "deny": ["document:delete"]}
//!     }
//! }"#)?;
//! let ann = policy.subject(["editor"], None, None)?;
//! assert!(ann.has("document:read", Some("42")));
//! assert!(!ann.has("document:delete", None));
//! assert!(!ann.has("document:read", Some("*"))); // an instance is one literal name
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod casbin;
mod catalogue;
mod diff;
mod document;
mod entries;
mod error;
mod explain;
mod hierarchy;
mod lint;
mod matrix;
mod permission;
mod policy;
mod separation;
mod shipped;
mod subject;

pub use casbin::CasbinImport;
pub use catalogue::MAX_CATALOGUE;
pub use diff::{MAX_REVIEWED_CELLS, PolicyDiff, RoleChange};
pub use document::{MAX_CONSTRAINTS, MAX_GRANTS, MAX_NAME_LEN, MAX_POLICY_LEN, MAX_ROLES};
pub use error::{PolicyError, RoleError};
pub use explain::{Because, Explanation, Finding, MAX_EXPLAINED, Mode, Reason};
pub use hierarchy::MAX_INHERITANCE_DEPTH;
pub use lint::{Lint, LintKind};
pub use matrix::{MAX_MATRIX_CELLS, MatrixFormat, Standing};
pub use permission::{MAX_PERMISSION_LEN, MAX_SEGMENTS, MalformedPermission, Permission};
pub use policy::{MAX_COMPILED_LEN, Policy, UnknownPermission};
pub use shipped::{POLICY_SCHEMA, SHIPPED_POLICIES, shipped_policy};
pub use subject::{MAX_SUBJECT_ENTRIES, Subject};
