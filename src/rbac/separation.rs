//! Separation of duty and cardinality (INCITS 359-2012 §5.3, §5.4): which roles may not be together.
//!
//! With a hierarchy, a role excludes others with all that it inherits. Cardinality counts the users who are
//! assigned the role itself.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::document::{Constraints as Declared, Separation as DeclaredSeparation, is_role_name, shortened};
use super::hierarchy::RoleId;
use super::policy::{Found, Policy};
use super::{PolicyError, RoleError};

/// Constraints whose roles have been found.
#[derive(Default)]
pub(super) struct Constraints {
    pub(super) static_separation: Vec<Separation>,
    pub(super) dynamic_separation: Vec<Separation>,
    cardinality: Vec<(RoleId, u64)>,
    /// Each constraint as one line, for a person who compares two policies.
    pub(super) texts: Vec<String>,
}

/// Of these roles, at most so many together.
pub(super) struct Separation {
    roles: Vec<RoleId>,
    at_most: usize,
}

impl Separation {
    /// Whether these roles, given with all that they inherit, are too many together.
    fn is_violated(&self, closure: &[RoleId]) -> bool {
        let held = |role: &&RoleId| closure.binary_search(role).is_ok();
        self.roles.iter().filter(held).count() > self.at_most
    }
}

/// Whether these roles, given with all that they inherit, violate one of them.
pub(super) fn any_violated(separations: &[Separation], closure: &[RoleId]) -> bool {
    separations.iter().any(|separation| separation.is_violated(closure))
}

impl Constraints {
    pub(super) fn new(
        declared: &Declared<'_>,
        find: impl Fn(&str) -> Option<RoleId>,
    ) -> Result<Self, PolicyError> {
        let find = |name: &str, path: &dyn Fn() -> String| {
            find(name)
                .ok_or_else(|| PolicyError::refused(path(), format!("no such role: `{}`", shortened(name))))
        };
        let separations = |kind: &str, declared: &[DeclaredSeparation<'_>]| {
            let read = |(index, separation): (usize, &DeclaredSeparation<'_>)| {
                let path = format!("constraints.{kind}[{index}]");
                let mut roles = Vec::with_capacity(separation.roles.len());
                for (at, name) in separation.roles.iter().enumerate() {
                    roles.push(find(name, &|| format!("{path}.roles[{at}]"))?);
                }
                roles.sort_unstable();
                roles.dedup();
                if roles.len() <= separation.at_most {
                    let reason = "it excludes nothing: name more roles than may be together";
                    return Err(PolicyError::refused(path, reason));
                }
                Ok(Separation { roles, at_most: separation.at_most })
            };
            declared.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()
        };
        let mut cardinality = Vec::with_capacity(declared.cardinality.len());
        for (index, limit) in declared.cardinality.iter().enumerate() {
            let role = find(&limit.role, &|| format!("constraints.cardinality[{index}].role"))?;
            if cardinality.iter().any(|&(seen, _)| seen == role) {
                let path = format!("constraints.cardinality[{index}].role");
                return Err(PolicyError::refused(path, "the role has a limit already"));
            }
            cardinality.push((role, limit.at_most));
        }
        Ok(Self {
            texts: declared.texts(),
            static_separation: separations("static_separation", &declared.static_separation)?,
            dynamic_separation: separations("dynamic_separation", &declared.dynamic_separation)?,
            cardinality,
        })
    }

    /// Whether no constraint is about which roles are together.
    pub(super) fn is_empty(&self) -> bool {
        self.static_separation.is_empty() && self.dynamic_separation.is_empty()
    }

    /// Whether these roles may be active together. What may not even be assigned together may not.
    pub(super) fn allow_activation(&self, closure: &[RoleId]) -> bool {
        !any_violated(&self.static_separation, closure) && !any_violated(&self.dynamic_separation, closure)
    }
}

impl Policy {
    /// Whether a user who has `roles` may be given `role` too, by static separation of duty and
    /// cardinality. `role` and `roles` may be of tenants (`editor@acme`); a role without a tenant counts
    /// in each. `members`: how many users have `role` now; the host counts and assigns in one
    /// transaction, or two may both become the last one.
    ///
    /// # Errors
    /// - [`RoleError::Unknown`]: the policy has no such role. Unknown `roles` exclude nothing.
    /// - [`RoleError::SeparationOfDuty`]: static constraints exclude it.
    /// - [`RoleError::CardinalityExceeded`]: as many users have it as may.
    pub fn check_assignment(&self, roles: &[&str], role: &str, members: u64) -> Result<(), RoleError> {
        let tenant = role.split_once('@').map(|(_, tenant)| tenant);
        let target = match self.active(role, tenant) {
            Found::Active(target) if tenant.is_none_or(is_role_name) => target,
            _ => return Err(RoleError::Unknown),
        };
        let mut scopes: Vec<Option<&str>> = alloc::vec![tenant];
        if tenant.is_none() {
            scopes.extend(roles.iter().filter_map(|role| Some(Some(role.split_once('@')?.1))));
            scopes.sort_unstable();
            scopes.dedup();
        }
        for scope in scopes {
            let mut held: Vec<RoleId> = alloc::vec![target];
            held.extend(roles.iter().filter_map(|role| match self.active(role, scope) {
                Found::Active(role) => Some(role),
                _ => None,
            }));
            let closure = self.closure(&held);
            if any_violated(&self.0.constraints.static_separation, &closure) {
                return Err(RoleError::SeparationOfDuty);
            }
        }
        let limit = self.0.constraints.cardinality.iter().find(|(limited, _)| *limited == target);
        match limit {
            // Who has it already takes no further place.
            Some(&(_, at_most)) if members >= at_most && !roles.contains(&role) => {
                Err(RoleError::CardinalityExceeded)
            }
            _ => Ok(()),
        }
    }
}
