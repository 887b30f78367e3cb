//! Why a subject may or may not: found from the texts of the grants alone, without what is compiled.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::catalogue::NotFound;
use super::hierarchy::RoleId;
use super::permission::Permission;
use super::policy::{GrantId, Policy, Role};
use super::subject::Subject;
use crate::json::{self, ObjectWriter};

/// The most grants, and the most denials, that an explanation lists for one permission.
pub const MAX_EXPLAINED: usize = 16;

/// Whether one of several permissions is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One is enough.
    Any,
    /// All are needed.
    All,
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A role grants it, and none denies it.
    Granted,
    /// A role denies it, or a part of it.
    Denied,
    /// No role grants it.
    Missing,
    /// The catalogue has no such permission.
    UnknownPermission,
    /// Not a permission; or an instance that is not one literal name.
    MalformedPermission,
    /// The roles allow it; the token's own permissions do not.
    TokenLacks,
    /// Nothing was asked for.
    Empty,
}

impl Reason {
    /// The name, as a log has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::Missing => "missing",
            Self::UnknownPermission => "unknown_permission",
            Self::MalformedPermission => "malformed_permission",
            Self::TokenLacks => "token_lacks",
            Self::Empty => "empty",
        }
    }
}

/// A grant or a denial that decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Because<'a> {
    /// The active role, and from it by inheritance to the one whose grant it is.
    pub via: Vec<&'a str>,
    /// The grant, as the policy writes it.
    pub grant: &'a str,
}

/// What came of one permission, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding<'a> {
    /// The permission, with its instance.
    pub permission: String,
    /// Why.
    pub reason: Reason,
    /// What grants it, at most [`MAX_EXPLAINED`].
    pub grants: Vec<Because<'a>>,
    /// What denies it, at most [`MAX_EXPLAINED`].
    pub denies: Vec<Because<'a>>,
}

/// What came of a question, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation<'a> {
    /// Whether the subject may.
    pub allowed: bool,
    /// How the permissions were taken together.
    pub mode: Mode,
    /// Why: of the first permission that decided.
    pub reason: Reason,
    /// Each permission.
    pub findings: Vec<Finding<'a>>,
    /// Roles of the subject that the policy lacks.
    pub unknown_roles: &'a [String],
}

impl Subject {
    /// Explains what [`Subject::has_any`] or [`Subject::has_all`] decide. For the log: a client is told
    /// nothing. Cost: it reads every grant of every active role.
    #[must_use]
    pub fn explain(&self, mode: Mode, permissions: &[&str], instance: Option<&str>) -> Explanation<'_> {
        let lineage = self.policy.lineage(&self.roles);
        let find_out = |permission: &&str| self.find_out(&lineage, permission, instance);
        let findings: Vec<_> = permissions.iter().map(find_out).collect();
        let is_granted = |finding: &&Finding<'_>| finding.reason == Reason::Granted;
        let decisive = match mode {
            Mode::Any => findings.iter().find(is_granted),
            Mode::All => findings.iter().find(|finding| !is_granted(finding)),
        };
        let reason = decisive.or(findings.first()).map_or(Reason::Empty, |finding| finding.reason);
        let allowed = reason == Reason::Granted;
        Explanation { allowed, mode, reason, findings, unknown_roles: &self.unknown }
    }

    fn find_out<'a>(
        &'a self,
        lineage: &Lineage<'a>,
        permission: &str,
        instance: Option<&str>,
    ) -> Finding<'a> {
        let text = match instance {
            None => Cow::Borrowed(permission),
            Some(instance) => Cow::Owned(format!("{permission}:{instance}")),
        };
        let reason = match self.policy.find(permission, instance) {
            Err(NotFound::Malformed) => Err(Reason::MalformedPermission),
            Err(NotFound::Unknown) => Err(Reason::UnknownPermission),
            Ok(_) => Permission::parse(&text).map_err(|_| Reason::MalformedPermission),
        };
        let mut finding = Finding {
            permission: text.clone().into_owned(),
            reason: Reason::Missing,
            grants: Vec::new(),
            denies: Vec::new(),
        };
        let required = match reason {
            Ok(required) => required,
            Err(reason) => return Finding { reason, ..finding },
        };
        for (at, step) in lineage.0.iter().enumerate() {
            let (allow, deny) = (&step.role.allow, &step.role.deny);
            self.collect(lineage, at, allow, &mut finding.grants, |grant| grant.implies(required));
            self.collect(lineage, at, deny, &mut finding.denies, |grant| grant.intersects(required));
        }
        finding.reason = match (finding.grants.is_empty(), finding.denies.is_empty()) {
            (_, false) => Reason::Denied,
            (true, true) => Reason::Missing,
            (false, true) if self.token_allows(required) => Reason::Granted,
            (false, true) => Reason::TokenLacks,
        };
        finding
    }
}

impl Policy {
    /// The roles of a closure.
    pub(super) fn roles_of<'a>(&'a self, closure: &'a [RoleId]) -> impl Iterator<Item = &'a Role> {
        closure.iter().filter_map(|&role| self.0.roles.get(role))
    }

    pub(super) fn granted_by<'a>(&'a self, grants: &'a [GrantId]) -> impl Iterator<Item = Permission<'a>> {
        let text = |grant: &GrantId| Permission::parse(&self.0.grants.get(*grant)?.text).ok();
        grants.iter().filter_map(text)
    }

    /// These roles and all that they inherit, each once.
    fn lineage(&self, roles: &[RoleId]) -> Lineage<'_> {
        let mut seen = alloc::vec![false; self.0.roles.len()];
        let mut rest: Vec<(RoleId, Option<usize>)> = roles.iter().rev().map(|&role| (role, None)).collect();
        let mut steps = Vec::new();
        while let Some((id, from)) = rest.pop() {
            let Some(role) = self.0.roles.get(id) else { continue };
            if seen.get_mut(id).is_none_or(|seen| core::mem::replace(seen, true)) {
                continue;
            }
            rest.extend(role.inherits.iter().rev().map(|&parent| (parent, Some(steps.len()))));
            steps.push(Step { role, from });
        }
        Lineage(steps)
    }
}

/// Roles, and by which other role's inheritance each is there.
struct Lineage<'a>(Vec<Step<'a>>);

struct Step<'a> {
    role: &'a Role,
    // INVARIANT: earlier in the lineage.
    from: Option<usize>,
}

impl<'a> Lineage<'a> {
    /// The names of the roles that lead to this step, its own last.
    fn via(&self, at: usize) -> Vec<&'a str> {
        let steps = core::iter::successors(self.0.get(at), |step| self.0.get(step.from?));
        let mut names: Vec<&str> = steps.map(|step| &*step.role.name).collect();
        names.reverse();
        names
    }
}

impl Subject {
    fn collect<'a>(
        &'a self,
        lineage: &Lineage<'a>,
        at: usize,
        grants: &'a [GrantId],
        into: &mut Vec<Because<'a>>,
        decides: impl Fn(Permission<'_>) -> bool,
    ) {
        let room = MAX_EXPLAINED.saturating_sub(into.len());
        let deciding = self.policy.granted_by(grants).filter(|grant| decides(*grant)).take(room);
        into.extend(deciding.map(|grant| Because { via: lineage.via(at), grant: grant.as_str() }));
    }
}

impl Explanation<'_> {
    /// The explanation as JSON, for a log.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        let mut object = ObjectWriter::open(&mut out);
        object
            .raw("allowed", if self.allowed { "true" } else { "false" })
            .text("mode", if self.mode == Mode::Any { "any" } else { "all" })
            .text("reason", self.reason.name())
            .raw("permissions", &array(&self.findings, Finding::to_json))
            .raw("unknown_roles", &json::text_list(self.unknown_roles.iter().map(String::as_str)))
            .close();
        out
    }
}

impl Finding<'_> {
    fn to_json(&self) -> String {
        let mut out = String::new();
        let mut object = ObjectWriter::open(&mut out);
        object
            .text("permission", &self.permission)
            .raw("allowed", if self.reason == Reason::Granted { "true" } else { "false" })
            .text("reason", self.reason.name())
            .raw("grants", &array(&self.grants, Because::to_json))
            .raw("denies", &array(&self.denies, Because::to_json))
            .close();
        out
    }
}

impl Because<'_> {
    fn to_json(&self) -> String {
        let mut out = String::new();
        let mut object = ObjectWriter::open(&mut out);
        object
            .optional_text("role", self.via.last().copied())
            .raw("via", &json::text_list(self.via.iter().copied()))
            .text("grant", self.grant)
            .close();
        out
    }
}

fn array<T>(of: &[T], write: impl Fn(&T) -> String) -> String {
    json::list(&of.iter().map(write).collect::<Vec<_>>())
}
