//! casbin with its plain model of roles: the enforcer is made once.

use casbin::{CachedEnforcer, CoreApi as _, DefaultModel, Enforcer, MemoryAdapter, MgmtApi as _};
use tokio::runtime::Builder;

use crate::roles::model::{Model, Question, SUBJECT};

const RBAC_MODEL: &str = "
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
";

pub struct Casbin {
    plain: Enforcer,
    /// Remembers the answers, and looks them up by the question.
    cached: CachedEnforcer,
}

impl Casbin {
    pub fn new(model: &Model) -> Self {
        Builder::new_current_thread().build().unwrap().block_on(async {
            let rbac = DefaultModel::from_str(RBAC_MODEL).await.unwrap();
            let mut plain = Enforcer::new(rbac.clone(), MemoryAdapter::default()).await.unwrap();
            let mut cached = CachedEnforcer::new(rbac, MemoryAdapter::default()).await.unwrap();
            let owned = |rule: &[&str]| rule.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
            let grants: Vec<_> =
                model.grants().map(|(role, grant)| owned(&[role, &grant.resource, grant.action])).collect();
            let held = model.held.iter().map(|role| owned(&[SUBJECT, role]));
            let links: Vec<_> =
                model.inherits().map(|(role, junior)| owned(&[role, junior])).chain(held).collect();
            plain.add_policies(grants.clone()).await.unwrap();
            plain.add_grouping_policies(links.clone()).await.unwrap();
            cached.add_policies(grants).await.unwrap();
            cached.add_grouping_policies(links).await.unwrap();
            Self { plain, cached }
        })
    }

    pub fn allows(&self, question: &Question) -> bool {
        self.plain.enforce((SUBJECT, &question.grant.resource, question.grant.action)).unwrap()
    }

    pub fn allows_cached(&self, question: &Question) -> bool {
        self.cached.enforce((SUBJECT, &question.grant.resource, question.grant.action)).unwrap()
    }
}
