//! What is probably not meant: a policy that loads may still be a mistake.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};

use super::diff::MAX_REVIEWED_CELLS;
use super::entries::Bits;
use super::matrix::Standing;
use super::policy::{GrantId, Policy, Role};
use super::separation::any_violated;
use crate::json::ObjectWriter;

/// A kind of doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LintKind {
    /// The role inherits roles that exclude each other, so nobody can ever have it.
    UnreachableRole,
    /// The role inherits roles that may be assigned together, but not be active together.
    SeparationViolation,
    /// A denial that the role has or inherits takes the whole grant away.
    ShadowedGrant,
    /// The role allows nothing.
    EmptyRole,
    /// Two roles or more allow the same entries of the catalogue.
    EqualRoles,
    /// No role has the permission.
    UnusedPermission,
}

impl LintKind {
    /// The name, as a log has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnreachableRole => "unreachable_role",
            Self::SeparationViolation => "separation_violation",
            Self::ShadowedGrant => "shadowed_grant",
            Self::EmptyRole => "empty_role",
            Self::EqualRoles => "equal_roles",
            Self::UnusedPermission => "unused_permission",
        }
    }
}

/// One doubt, and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// What kind of doubt.
    pub kind: LintKind,
    /// The place in the document, such as `roles.editor`.
    pub path: String,
    /// One line for a person.
    pub message: String,
}

impl Policy {
    /// Doubts about the policy, by kind and then in the order of the document. `None` over
    /// [`MAX_REVIEWED_CELLS`]: every role is held against every permission.
    #[must_use]
    pub fn lint(&self) -> Option<Vec<Lint>> {
        if self.0.roles.len().saturating_mul(self.0.catalogue.len()) > MAX_REVIEWED_CELLS {
            return None;
        }
        let mut lints = Vec::new();
        self.lint_separation(&mut lints);
        self.lint_shadowed(&mut lints);
        self.lint_equal(&mut lints);
        self.lint_unused(&mut lints);
        lints.sort_by_key(|lint| lint.kind);
        Some(lints)
    }

    fn lint_separation(&self, lints: &mut Vec<Lint>) {
        let constraints = &self.0.constraints;
        if constraints.is_empty() {
            return;
        }
        for (id, role) in self.0.roles.iter().enumerate() {
            let closure = self.closure(&[id]);
            let path = format!("roles.{}.inherits", role.name);
            if any_violated(&constraints.static_separation, &closure) {
                let message = "nobody can have the role: it inherits roles that exclude each other";
                lints.push(Lint { kind: LintKind::UnreachableRole, path, message: message.into() });
            } else if any_violated(&constraints.dynamic_separation, &closure) {
                let message = "the role can never be active: it inherits roles that exclude each other";
                lints.push(Lint { kind: LintKind::SeparationViolation, path, message: message.into() });
            }
        }
    }

    fn lint_shadowed(&self, lints: &mut Vec<Lint>) {
        for role in &self.0.roles {
            for &grant in role.allow.iter().filter(|&&grant| self.is_shadowed(role, grant)) {
                let text = self.0.grants.get(grant).map_or("", |grant| &grant.text);
                lints.push(Lint {
                    kind: LintKind::ShadowedGrant,
                    path: format!("roles.{}.allow", role.name),
                    message: format!("a denial takes all of `{text}` away"),
                });
            }
        }
    }

    fn is_shadowed(&self, role: &Role, grant: GrantId) -> bool {
        let Some(grant) = self.0.grants.get(grant) else { return false };
        let rights = &role.rights;
        let denied_whole = |entry: u32| {
            rights.deny.contains(entry)
                || (rights.deny_met.contains(entry) && !self.0.catalogue.is_open(entry))
        };
        let entries_are =
            self.0.catalogue.ids().filter(|&id| grant.meaning.implied.whole.contains(id)).all(denied_whole);
        let instances_are = grant.meaning.implied.instances.iter().all(|instance| {
            rights.deny.contains(instance.entry) || rights.deny_instances.binary_search(instance).is_ok()
        });
        entries_are && instances_are
    }

    fn lint_equal(&self, lints: &mut Vec<Lint>) {
        // By digest: the lists themselves may be as long as roles times permissions.
        let mut groups: BTreeMap<[u8; 32], Vec<&str>> = BTreeMap::new();
        for (id, role) in self.0.roles.iter().enumerate() {
            let permissions = self.role_subject(id).permissions();
            if permissions.is_empty() {
                let (path, message) = (format!("roles.{}", role.name), "the role allows nothing".into());
                lints.push(Lint { kind: LintKind::EmptyRole, path, message });
            } else {
                groups.entry(digest(&permissions)).or_default().push(&role.name);
            }
        }
        let mut equal: Vec<_> = groups.into_values().filter(|roles| roles.len() > 1).collect();
        equal.sort_unstable();
        for roles in equal {
            let path = format!("roles.{}", roles.first().copied().unwrap_or_default());
            let others: Vec<_> = roles.iter().skip(1).take(16).map(|role| format!("`{role}`")).collect();
            let message = format!("it allows the same as {}", others.join(", "));
            lints.push(Lint { kind: LintKind::EqualRoles, path, message });
        }
    }

    fn lint_unused(&self, lints: &mut Vec<Lint>) {
        let mut used = Bits::none(self.0.catalogue.len());
        for id in 0..self.0.roles.len() {
            let has = |entry: &u32| matches!(self.standing(id, *entry), Standing::Granted | Standing::Some);
            self.role_subject(id).granted_in_part().iter().filter(has).for_each(|entry| used.insert(entry));
        }
        for entry in self.0.catalogue.ids().filter(|&entry| !used.contains(entry)) {
            lints.push(Lint {
                kind: LintKind::UnusedPermission,
                path: format!("permissions[{entry}]"),
                message: format!("no role has `{}`", self.0.catalogue.declaration(entry)),
            });
        }
    }
}

fn digest(permissions: &[String]) -> [u8; 32] {
    // No permission has a line feed in it.
    let lines = permissions.iter().flat_map(|text| [text.as_bytes(), b"\n"]);
    lines.fold(Sha256::new(), |hash, line| hash.chain_update(line)).finalize().into()
}

impl Lint {
    /// The doubt as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        ObjectWriter::open(&mut out)
            .text("kind", self.kind.name())
            .text("path", &self.path)
            .text("message", &self.message)
            .close();
        out
    }
}
