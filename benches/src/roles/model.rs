//! A policy of any size and questions about it, in terms that ours and the peers share: roles that inherit
//! from one another and may do something to a resource.

use std::collections::HashSet;

pub const SUBJECT: &str = "ann";
const ACTIONS: [&str; 5] = ["read", "write", "share", "delete", "audit"];

#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    pub resource: String,
    pub action: &'static str,
}

pub struct Role {
    pub name: String,
    pub inherits: Option<String>,
    pub allow: Vec<Grant>,
}

/// Something that is asked, and the answer.
pub struct Question {
    pub grant: Grant,
    /// `resource:action`, as donjon is asked.
    pub permission: String,
    pub allowed: bool,
}

pub struct Model {
    catalogue: Vec<Grant>,
    pub roles: Vec<Role>,
    /// The roles of [`SUBJECT`].
    pub held: Vec<String>,
}

impl Model {
    /// `roles` roles with `grants` grants each; the first has no junior, and every tenth role is the junior
    /// of ten others.
    pub fn new(roles: usize, grants: usize) -> Self {
        let resources = (roles * grants / 10).clamp(20, 2_000);
        let catalogue: Vec<Grant> = (0..resources)
            .flat_map(|resource| {
                ACTIONS.map(|action| Grant { resource: format!("resource-{resource}"), action })
            })
            .collect();
        let name = |role: usize| format!("role-{role}");
        let roles_made = (0..roles).map(|role| Role {
            name: name(role),
            inherits: (role > 0).then(|| name(role / 10)),
            // Strides that share no factor with the catalogue's length: no role has a grant twice.
            allow: (0..grants)
                .map(|grant| catalogue[(role * 37 + grant * 11) % catalogue.len()].clone())
                .collect(),
        });
        let roles_made = roles_made.collect();
        let held = [roles / 3, roles - 1].map(name).to_vec();
        Self { catalogue, roles: roles_made, held }
    }

    /// Every role with each of its own grants.
    pub fn grants(&self) -> impl Iterator<Item = (&str, &Grant)> {
        self.roles.iter().flat_map(|role| role.allow.iter().map(|grant| (role.name.as_str(), grant)))
    }

    /// Every role with the one that it inherits.
    pub fn inherits(&self) -> impl Iterator<Item = (&str, &str)> {
        self.roles.iter().filter_map(|role| Some((role.name.as_str(), role.inherits.as_deref()?)))
    }

    /// Hits and misses in turn; every miss that there is, so that a large policy is asked all over.
    pub fn questions(&self) -> Vec<Question> {
        let mut allowed = HashSet::new();
        for held in &self.held {
            let mut next = Some(held.as_str());
            while let Some(role) = next.and_then(|name| self.roles.iter().find(|role| role.name == name)) {
                allowed.extend(&role.allow);
                next = role.inherits.as_deref();
            }
        }
        let (hits, misses): (Vec<_>, Vec<_>) =
            self.catalogue.iter().partition(|grant| allowed.contains(grant));
        let asked = |grant: &&Grant, allowed| Question {
            permission: format!("{}:{}", grant.resource, grant.action),
            grant: (*grant).clone(),
            allowed,
        };
        misses
            .iter()
            .zip(hits.iter().cycle())
            .flat_map(|(miss, hit)| [asked(hit, true), asked(miss, false)])
            .collect()
    }

    /// As donjon's policy document.
    pub fn document(&self) -> String {
        let text = |grant: &Grant| format!("{}:{}", grant.resource, grant.action);
        let roles: serde_json::Map<_, _> = self
            .roles
            .iter()
            .map(|role| {
                let allow: Vec<_> = role.allow.iter().map(text).collect();
                let inherits: Vec<_> = role.inherits.iter().collect();
                (role.name.clone(), serde_json::json!({"inherits": inherits, "allow": allow}))
            })
            .collect();
        let permissions: Vec<_> = self.catalogue.iter().map(text).collect();
        serde_json::json!({"name": "benchmark", "permissions": permissions, "roles": roles}).to_string()
    }
}
