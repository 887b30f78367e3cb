//! What changes for whom when one policy replaces another: in effective permissions, not in text.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::entries::EntryId;
use super::policy::Policy;
use super::subject::Subject;
use crate::json::{ObjectWriter, text_list};

/// The most roles times permissions that a diff or a lint goes through.
pub const MAX_REVIEWED_CELLS: usize = 1 << 24;

/// What a role gains and loses: `document:read` (with all instances), `document:read:*` (with all but those
/// that follow as `!document:read:42`), `document:read:42`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
    /// Constraints that only the later policy has: `static_separation: at most 1 of approver, payer`.
    pub constraints_added: Vec<String>,
    /// Constraints that only the earlier policy has.
    pub constraints_removed: Vec<String>,
}

impl Policy {
    /// What changes when `after` replaces this policy, entry by entry of the catalogues. That one grant
    /// takes the place of several is no change, though a check of a list or a wildcard, which one grant has
    /// to imply as a whole, may see it. Constraints stand apart: what a role gains here it may not be able
    /// to be active with.
    ///
    /// `None` over [`MAX_REVIEWED_CELLS`].
    #[must_use]
    pub fn diff(&self, after: &Self) -> Option<PolicyDiff> {
        let cells = |policy: &Self| policy.0.roles.len().saturating_mul(policy.0.catalogue.len());
        if cells(self).saturating_add(cells(after)) > MAX_REVIEWED_CELLS {
            return None;
        }
        let roles = |policy: &Self| set(policy.roles().map(String::from));
        let entries = |policy: &Self| {
            let catalogue = &policy.0.catalogue;
            set(catalogue.ids().map(|id| catalogue.declaration(id)))
        };
        let constraints = |policy: &Self| set(policy.0.constraints.texts.iter().cloned());
        let (roles_before, roles_after) = (roles(self), roles(after));
        let (entries_before, entries_after) = (entries(self), entries(after));
        let (constraints_before, constraints_after) = (constraints(self), constraints(after));
        let counterparts = (self.entries_in(after), after.entries_in(self));
        let mut roles_changed = BTreeMap::new();
        for role in roles_before.union(&roles_after) {
            let of = |policy: &Self| Some(policy.role_subject(policy.role(role)?));
            let change = change(of(self).as_ref(), of(after).as_ref(), &counterparts);
            if change != RoleChange::default() {
                roles_changed.insert(role.clone(), change);
            }
        }
        Some(PolicyDiff {
            roles_added: minus(&roles_after, &roles_before),
            roles_removed: minus(&roles_before, &roles_after),
            roles_changed,
            permissions_added: minus(&entries_after, &entries_before),
            permissions_removed: minus(&entries_before, &entries_after),
            constraints_added: minus(&constraints_after, &constraints_before),
            constraints_removed: minus(&constraints_before, &constraints_after),
        })
    }

    /// For each entry, that of the other policy by the same name.
    fn entries_in(&self, other: &Self) -> Counterparts {
        let catalogue = &other.0.catalogue;
        let ids = map(catalogue.ids().map(|id| (catalogue.text(id), id)));
        self.0.catalogue.ids().map(|id| ids.get(self.0.catalogue.text(id)).copied()).collect()
    }
}

type Counterparts = Vec<Option<EntryId>>;

/// What a role has of one entry.
#[derive(Default, PartialEq, Eq)]
struct Holding<'a> {
    whole: bool,
    /// The instances that nobody names.
    unnamed: bool,
    /// The instances that are named, and whether it has them.
    named: BTreeMap<&'a str, bool>,
}

impl<'a> Holding<'a> {
    fn of(subject: &'a Subject, entry: EntryId) -> Self {
        let text = subject.policy.0.catalogue.text(entry);
        let has = |name: &'a str| (name, subject.has(text, Some(name)));
        Self {
            whole: subject.granted.contains(entry),
            unnamed: subject.may_most_of(entry) && subject.policy.0.catalogue.is_open(entry),
            named: map(subject.named_instances(entry).map(has)),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.named.get(name).copied().unwrap_or(self.unnamed)
    }

    /// What this one has that the other lacks.
    fn beyond(&self, other: &Self, text: &str, out: &mut Vec<String>) {
        let is_new = |name: &&str| self.has(name) && !other.has(name);
        let names = set(self.named.keys().chain(other.named.keys()).copied());
        let unnamed = self.unnamed && !other.unnamed;
        let whole = self.whole && !other.whole;
        if whole {
            out.push(text.into());
        }
        if whole && (unnamed || !self.unnamed) {
            return;
        }
        if unnamed {
            out.push(format!("{text}:*"));
            out.extend(names.iter().filter(|name| !self.has(name)).map(|name| format!("!{text}:{name}")));
        } else {
            out.extend(names.into_iter().filter(is_new).map(|name| format!("{text}:{name}")));
        }
    }
}

/// What a role gains and loses. Of most entries it has the same before and after, and a policy has millions
/// of cells, so that nothing is kept of those.
fn change(
    before: Option<&Subject>,
    after: Option<&Subject>,
    (in_after, in_before): &(Counterparts, Counterparts),
) -> RoleChange {
    let was_touched = touched(before).map(|entry| (Some(entry), counterpart(in_after, entry)));
    let is_touched = touched(after).map(|entry| (counterpart(in_before, entry), Some(entry)));
    let mut differing = BTreeMap::new();
    for (had, has) in was_touched.chain(is_touched) {
        let held = (holding(before, had), holding(after, has));
        if held.0 != held.1 {
            differing.insert(text(before, had).or_else(|| text(after, has)), held);
        }
    }
    let mut change = RoleChange::default();
    for (text, (had, has)) in &differing {
        let text = text.unwrap_or_default();
        has.beyond(had, text, &mut change.gained);
        had.beyond(has, text, &mut change.lost);
    }
    change
}

fn touched(subject: Option<&Subject>) -> impl Iterator<Item = EntryId> {
    let touched = subject.map(Subject::granted_in_part);
    touched.map(|touched| touched.iter().collect::<Vec<_>>()).unwrap_or_default().into_iter()
}

fn counterpart(counterparts: &Counterparts, entry: EntryId) -> Option<EntryId> {
    counterparts.get(usize::try_from(entry).ok()?).copied().flatten()
}

fn holding(subject: Option<&Subject>, entry: Option<EntryId>) -> Holding<'_> {
    subject.zip(entry).map(|(subject, entry)| Holding::of(subject, entry)).unwrap_or_default()
}

fn text(subject: Option<&Subject>, entry: Option<EntryId>) -> Option<&str> {
    subject.zip(entry).map(|(subject, entry)| subject.policy.0.catalogue.text(entry))
}

impl PolicyDiff {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The difference as JSON: `{"roles":{"added":[],"removed":[],"changed":{"editor":{"gained":[],
    /// "lost":[]}}},"permissions":{"added":[],"removed":[]},"constraints":{"added":[],"removed":[]}}`.
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
        let constraints = pair("added", &self.constraints_added, "removed", &self.constraints_removed, None);
        let mut out = String::new();
        ObjectWriter::open(&mut out)
            .raw("roles", &roles)
            .raw("permissions", &permissions)
            .raw("constraints", &constraints)
            .close();
        out
    }
}

// `collect` sorts first, which is a sort more in the library for each type.
fn set<T: Ord>(items: impl Iterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    set.extend(items);
    set
}

fn map<K: Ord, V>(entries: impl Iterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    map.extend(entries);
    map
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
