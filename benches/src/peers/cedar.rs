//! Cedar with a policy per grant and roles as the parents of whom they are given to. Policies, entities and
//! even the requests are made once.

use std::collections::HashSet;
use std::fmt::Write as _;

use cedar_policy::{Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request};

use crate::roles::model::{Grant, Model, Question, SUBJECT};

pub struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
}

impl Cedar {
    pub fn new(model: &Model) -> Self {
        let mut policies = String::new();
        for (role, Grant { resource, action }) in model.grants() {
            writeln!(
                policies,
                r#"permit(principal in Role::"{role}", action == Action::"{action}", resource == Resource::"{resource}");"#,
            )
            .unwrap();
        }
        let entity = |uid: EntityUid, parents: HashSet<EntityUid>| Entity::new_no_attrs(uid, parents);
        let roles = model.roles.iter().map(|role| {
            entity(uid("Role", &role.name), role.inherits.iter().map(|junior| uid("Role", junior)).collect())
        });
        let subject = entity(uid("User", SUBJECT), model.held.iter().map(|role| uid("Role", role)).collect());
        Self {
            authorizer: Authorizer::new(),
            policies: policies.parse().unwrap(),
            entities: Entities::from_entities(roles.chain([subject]), None).unwrap(),
        }
    }

    pub fn request(&self, question: &Question) -> Request {
        let Grant { resource, action } = &question.grant;
        let [subject, action, resource] = [("User", SUBJECT), ("Action", action), ("Resource", resource)]
            .map(|(kind, name)| uid(kind, name));
        Request::new(subject, action, resource, Context::empty(), None).unwrap()
    }

    pub fn allows(&self, request: &Request) -> bool {
        self.authorizer.is_authorized(request, &self.policies, &self.entities).decision() == Decision::Allow
    }
}

fn uid(kind: &str, name: &str) -> EntityUid {
    format!("{kind}::{name:?}").parse().unwrap()
}
