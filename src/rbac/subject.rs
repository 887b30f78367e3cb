//! A subject: the roles that are active in one request or session, and what they may do.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::RoleError;
use super::catalogue::Asked;
use super::document::is_role_name;
use super::entries::{Bits, EntryId};
use super::hierarchy::RoleId;
use super::permission::{Permission, Segment};
use super::policy::{Found, Policy, Scratch, has_instance, of_entry};

/// The most roles of a subject, and the most permissions that its token carries.
pub const MAX_SUBJECT_ENTRIES: usize = 4096;

/// Roles that are active together: what INCITS 359 calls a session. It keeps its policy alive, and what
/// it may do does not change.
pub struct Subject {
    pub(super) policy: Policy,
    pub(super) roles: Vec<RoleId>,
    pub(super) unknown: Vec<String>,
    token: Option<TokenPermissions>,
    /// The entries that its roles allow, whole.
    pub(super) granted: Bits,
    rights: Scratch,
}

/// The permissions that a token carries. They only narrow what the roles allow.
///
/// They are the client's to choose, in number and in kind, so nothing is worked out from them beforehand.
struct TokenPermissions {
    // INVARIANT: permissions, sorted, each once.
    texts: Vec<String>,
}

impl TokenPermissions {
    /// What is no permission allows nothing.
    fn new<'a>(texts: impl ExactSizeIterator<Item = &'a str>) -> Result<Self, RoleError> {
        if texts.len() > MAX_SUBJECT_ENTRIES {
            return Err(RoleError::TooMany);
        }
        let mut texts: Vec<String> =
            texts.filter(|text| Permission::parse(text).is_ok()).map(String::from).collect();
        texts.sort_unstable();
        texts.dedup();
        Ok(Self { texts })
    }

    fn allow(&self, required: Permission<'_>) -> bool {
        let is_there = self.texts.binary_search_by(|text| text.as_str().cmp(required.as_str())).is_ok();
        is_there || self.permissions().any(|own| own.implies(required))
    }

    fn permissions(&self) -> impl Iterator<Item = Permission<'_>> {
        self.texts.iter().filter_map(|text| Permission::parse(text).ok())
    }

    /// The instances of `entry` that they name, whatever they ask for behind them.
    fn instances_of<'a>(&'a self, entry: Permission<'a>) -> impl Iterator<Item = &'a str> {
        let depth = entry.segments().count();
        let of_entry = self.permissions().filter(move |own| own.intersects(entry));
        let instance = move |own: Permission<'a>| own.segments().nth(depth);
        of_entry.filter_map(instance).flat_map(Segment::names).filter(|name| *name != "*")
    }
}

impl Policy {
    /// Activates `roles` (`role`, or `role@tenant`) for checks in `tenant`, or in none. Without a tenant
    /// only roles without one are active; in a tenant those and its own. Roles that the policy lacks are
    /// left out, and named by [`Subject::explain`].
    ///
    /// `token`: the permissions that the subject's token carries, which narrow what the roles allow;
    /// `None` if the token has no such list.
    ///
    /// # Errors
    /// - [`RoleError::SeparationOfDuty`]: the roles may not be active together.
    /// - [`RoleError::Tenant`]: not a tenant.
    /// - [`RoleError::TooMany`]: over [`MAX_SUBJECT_ENTRIES`].
    pub fn subject<'a>(
        &self,
        roles: impl IntoIterator<Item = &'a str>,
        tenant: Option<&str>,
        token: Option<&[&str]>,
    ) -> Result<Subject, RoleError> {
        if tenant.is_some_and(|tenant| !is_role_name(tenant)) {
            return Err(RoleError::Tenant);
        }
        let mut active = Vec::new();
        let mut unknown = Vec::new();
        for (count, role) in roles.into_iter().enumerate() {
            if count >= MAX_SUBJECT_ENTRIES {
                return Err(RoleError::TooMany);
            }
            match self.active(role, tenant) {
                Found::Active(role) => active.push(role),
                Found::Elsewhere => {}
                Found::Unknown => unknown.push(String::from(role)),
            }
        }
        active.sort_unstable();
        active.dedup();
        let constraints = &self.0.constraints;
        if !constraints.is_empty() && !constraints.allow_activation(&self.closure(&active)) {
            return Err(RoleError::SeparationOfDuty);
        }
        let token = token.map(|texts| TokenPermissions::new(texts.iter().copied())).transpose()?;
        Ok(Subject::new(self.clone(), active, unknown, token))
    }

    /// A subject of one role, whatever separates it from itself.
    pub(super) fn role_subject(&self, role: RoleId) -> Subject {
        Subject::new(self.clone(), alloc::vec![role], Vec::new(), None)
    }
}

impl Subject {
    fn new(
        policy: Policy,
        roles: Vec<RoleId>,
        unknown: Vec<String>,
        token: Option<TokenPermissions>,
    ) -> Self {
        let mut rights = Scratch::new(policy.0.catalogue.len());
        let held = roles.iter().filter_map(|&role| policy.0.roles.get(role));
        rights.inherit_all(held.map(|role| &role.rights));
        rights.sort();
        let mut granted = rights.allow.clone();
        granted.subtract(&rights.deny_met);
        Self { policy, roles, unknown, token, granted, rights }
    }

    /// Whether the subject may do `permission`, or `permission` to `instance`: `document:read` to `42` is
    /// `document:read:42`. An instance that is not one literal name (it may be a client's text) is denied,
    /// as is every permission that the catalogue lacks.
    #[must_use]
    #[inline]
    pub fn has(&self, permission: &str, instance: Option<&str>) -> bool {
        match self.policy.find(permission, instance) {
            Ok(Asked::Entry(entry)) => self.granted.contains(entry) && self.token_allows_text(permission),
            Ok(Asked::Instance(entry, name)) => self.has_instance(entry, name, permission, instance),
            Ok(Asked::Pattern(required)) => self.has_pattern(required),
            Err(_) => false,
        }
    }

    /// Whether the subject may do any of `permissions`. Of none: no.
    #[must_use]
    pub fn has_any(&self, permissions: &[&str], instance: Option<&str>) -> bool {
        permissions.iter().any(|permission| self.has(permission, instance))
    }

    /// Whether the subject may do all of `permissions`. `None` for an empty list, which is a mistake of
    /// the caller's and no permission.
    #[must_use]
    pub fn has_all(&self, permissions: &[&str], instance: Option<&str>) -> Option<bool> {
        let all = || permissions.iter().all(|permission| self.has(permission, instance));
        (!permissions.is_empty()).then(all)
    }

    /// Whether `role` is active, itself or inherited.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        let Some(role) = self.policy.role(role) else { return false };
        self.policy.closure(&self.roles).binary_search(&role).is_ok()
    }

    /// What the subject may do, as catalogue entries, in the catalogue's order; of open entries also
    /// `document:read:42` (this instance), `document:read:*` with `!document:read:42` (all but this one).
    #[must_use]
    pub fn permissions(&self) -> Vec<String> {
        let mut out = Vec::new();
        self.granted_in_part().iter().for_each(|entry| self.list_entry(entry, &mut out));
        out
    }

    /// The entries of which some grant of the roles has something, if only an instance.
    pub(super) fn granted_in_part(&self) -> Bits {
        let mut entries = self.rights.allow.clone();
        self.rights.allow_instances.iter().for_each(|instance| entries.insert(instance.entry));
        entries
    }

    fn list_entry(&self, entry: EntryId, out: &mut Vec<String>) {
        let catalogue = &self.policy.0.catalogue;
        let text = catalogue.text(entry);
        if self.has(text, None) {
            out.push(text.into());
            return;
        }
        if !catalogue.is_open(entry) {
            return;
        }
        if self.may_most_of(entry) && self.token_allows_text(text) {
            out.push(alloc::format!("{text}:*"));
            let denied = of_entry(&self.rights.deny_instances, entry);
            out.extend(denied.iter().map(|&one| alloc::format!("!{}", catalogue.instance_text(one))));
            return;
        }
        let named = of_entry(&self.rights.allow_instances, entry);
        let mut names: Vec<&str> = named.iter().map(|&one| catalogue.instance_name(one)).collect();
        if let (Some(token), Ok(entry)) = (&self.token, Permission::parse(text)) {
            names.extend(token.instances_of(entry));
        }
        names.sort_unstable();
        names.dedup();
        let held = names.into_iter().filter(|name| self.has(text, Some(name)));
        out.extend(held.map(|name| alloc::format!("{text}:{name}")));
    }

    /// Whether the roles allow every instance of `entry` but those that they deny one by one.
    pub(super) fn may_most_of(&self, entry: EntryId) -> bool {
        self.rights.allow.contains(entry) && !self.rights.deny.contains(entry)
    }

    /// The instances of `entry` that the roles grant or deny one by one.
    pub(super) fn named_instances(&self, entry: EntryId) -> impl Iterator<Item = &str> {
        let of = |among| of_entry(among, entry).iter();
        let named = of(&self.rights.allow_instances).chain(of(&self.rights.deny_instances));
        named.map(|&one| self.policy.0.catalogue.instance_name(one))
    }

    fn has_instance(
        &self,
        entry: EntryId,
        name: Option<u32>,
        permission: &str,
        instance: Option<&str>,
    ) -> bool {
        let rights = &self.rights;
        let allowed = rights.allow.contains(entry) || has_instance(&rights.allow_instances, entry, name);
        let denied = rights.deny.contains(entry) || has_instance(&rights.deny_instances, entry, name);
        if !allowed || denied {
            return false;
        }
        match (&self.token, instance) {
            (None, _) => true,
            (Some(_), None) => self.token_allows_text(permission),
            (Some(_), Some(instance)) => self.token_allows_text(&alloc::format!("{permission}:{instance}")),
        }
    }

    /// Lists and wildcards are implied by one grant as a whole, so the grants themselves are asked.
    fn has_pattern(&self, required: Permission<'_>) -> bool {
        let (mut allowed, mut denied) = (false, false);
        for role in self.policy.roles_of(&self.policy.closure(&self.roles)) {
            allowed |= self.policy.granted_by(&role.allow).any(|grant| grant.implies(required));
            denied |= self.policy.granted_by(&role.deny).any(|grant| grant.intersects(required));
        }
        allowed && !denied && self.token_allows(required)
    }

    pub(super) fn token_allows(&self, required: Permission<'_>) -> bool {
        self.token.as_ref().is_none_or(|token| token.allow(required))
    }

    /// [`Subject::token_allows`], where nothing is read if there is no token.
    #[inline]
    fn token_allows_text(&self, permission: &str) -> bool {
        self.token.is_none()
            || Permission::parse(permission).is_ok_and(|required| self.token_allows(required))
    }
}

/// The roles, as they are named.
impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roles: Vec<_> = self.roles.iter().map(|&role| self.policy.role_name(role)).collect();
        f.debug_struct("Subject")
            .field("roles", &roles)
            .field("unknown", &self.unknown)
            .finish_non_exhaustive()
    }
}
