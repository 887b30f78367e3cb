//! What changes for whom when one policy replaces another: in effective permissions, not in text.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::policy::Policy;
use crate::json::{ObjectWriter, text_list};

/// What a role gains and loses, as [`super::Subject::permissions`] writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleChange {
    /// What it may that it could not.
    pub gained: Vec<String>,
    /// What it could that it may no more.
    pub lost: Vec<String>,
}

/// The difference of two policies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyDiff {
    /// Roles that only the later policy has.
    pub roles_added: Vec<String>,
    /// Roles that only the earlier policy has.
    pub roles_removed: Vec<String>,
    /// Roles whose effective permissions differ. A role that one policy lacks has none there.
    pub roles_changed: BTreeMap<String, RoleChange>,
    /// Permissions that only the later catalogue has.
    pub permissions_added: Vec<String>,
    /// Permissions that only the earlier catalogue has.
    pub permissions_removed: Vec<String>,
}

impl Policy {
    /// What changes when `after` replaces this policy. Cost: every role's permissions are listed.
    #[must_use]
    pub fn diff(&self, after: &Self) -> PolicyDiff {
        let roles = |policy: &Self| policy.roles().map(String::from).collect::<BTreeSet<_>>();
        let entries = |policy: &Self| {
            let catalogue = &policy.0.catalogue;
            catalogue.ids().map(|id| catalogue.declaration(id)).collect::<BTreeSet<_>>()
        };
        let (roles_before, roles_after) = (roles(self), roles(after));
        let (entries_before, entries_after) = (entries(self), entries(after));
        let mut roles_changed = BTreeMap::new();
        for role in roles_before.union(&roles_after) {
            let (had, has) = (self.permissions_of(role), after.permissions_of(role));
            if had != has {
                let change = RoleChange { gained: minus(&has, &had), lost: minus(&had, &has) };
                roles_changed.insert(role.clone(), change);
            }
        }
        PolicyDiff {
            roles_added: minus(&roles_after, &roles_before),
            roles_removed: minus(&roles_before, &roles_after),
            roles_changed,
            permissions_added: minus(&entries_after, &entries_before),
            permissions_removed: minus(&entries_before, &entries_after),
        }
    }

    /// The effective permissions of a role, whoever may have it.
    pub(super) fn permissions_of(&self, role: &str) -> BTreeSet<String> {
        let role = self.role(role);
        role.map(|role| self.role_subject(role).permissions().into_iter().collect()).unwrap_or_default()
    }
}

impl PolicyDiff {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The difference as JSON: `{"roles":{"added":[],"removed":[],"changed":{"editor":{"gained":[],
    /// "lost":[]}}},"permissions":{"added":[],"removed":[]}}`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut changed = String::new();
        let mut object = ObjectWriter::open(&mut changed);
        for (role, change) in &self.roles_changed {
            object.raw(role, &pair("gained", &change.gained, "lost", &change.lost, None));
        }
        object.close();
        let roles = pair("added", &self.roles_added, "removed", &self.roles_removed, Some(&changed));
        let permissions = pair("added", &self.permissions_added, "removed", &self.permissions_removed, None);
        let mut out = String::new();
        ObjectWriter::open(&mut out).raw("roles", &roles).raw("permissions", &permissions).close();
        out
    }
}

fn minus(these: &BTreeSet<String>, those: &BTreeSet<String>) -> Vec<String> {
    these.difference(those).cloned().collect()
}

fn pair(a: &str, of_a: &[String], b: &str, of_b: &[String], changed: Option<&str>) -> String {
    let mut out = String::new();
    let mut object = ObjectWriter::open(&mut out);
    object
        .raw(a, &text_list(of_a.iter().map(String::as_str)))
        .raw(b, &text_list(of_b.iter().map(String::as_str)));
    if let Some(changed) = changed {
        object.raw("changed", changed);
    }
    object.close();
    out
}
