//! What roles and permissions promise.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use donjon::error::Status;
use donjon::rbac::{
    CasbinImport, LintKind, MatrixFormat, Mode, POLICY_SCHEMA, Policy, PolicyError, Reason, RoleError,
    SHIPPED_POLICIES, shipped_policy,
};

const DOCUMENTS: &str = r#"{
    "permissions": ["document:create", "document:read:{id}", "document:update:{id}", "document:delete", "audit:read"],
    "roles": {
        "viewer": {"allow": ["document:read"]},
        "editor": {"inherits": ["viewer"], "allow": ["document:create,update"]},
        "guest": {"allow": ["document:read:welcome"]},
        "intern": {"inherits": ["editor"], "deny": ["document:update:payroll"]},
        "keeper": {"allow": ["*"], "deny": ["document:delete"]},
        "admin": {"allow": ["*"]}
    }
}"#;

fn policy(document: &str) -> Policy {
    Policy::from_json(document.as_bytes()).unwrap()
}

fn refusal(document: &str) -> (String, String) {
    match Policy::from_json(document.as_bytes()) {
        Err(PolicyError::Refused { path, reason }) => (path, reason),
        other => panic!("{other:?}"),
    }
}

fn allows(policy: &Policy, roles: &[&str], permission: &str) -> bool {
    let allowed = policy.allows(roles, None, permission, None);
    let subject = policy.subject(roles.iter().copied(), None, None).unwrap();
    assert_eq!(subject.has(permission, None), allowed);
    assert_eq!(subject.explain(Mode::All, &[permission], None).allowed, allowed);
    allowed
}

#[test]
fn a_permission_is_compared_whole_and_by_case() {
    let policy = policy(DOCUMENTS);
    assert!(allows(&policy, &["viewer"], "document:read"));
    assert!(allows(&policy, &["viewer"], "document:read:42"));
    for other in [
        "document:read_all",
        "Document:read",
        " document:read",
        "document:read ",
        "documents:read",
        "document:rea",
        "",
        ":",
        "document:",
        "document::read",
        "doc*",
        "document:re*",
        "document:read:",
        "document:read\0",
        "document:read:{id}",
        "document:read:4:2",
    ] {
        assert!(!allows(&policy, &["viewer"], other), "{other:?}");
        assert!(!allows(&policy, &["admin"], other), "{other:?}");
    }
}

#[test]
fn a_denial_outweighs_every_grant_whichever_role_and_order() {
    let policy = policy(DOCUMENTS);
    for roles in [&["keeper"][..], &["keeper", "admin"], &["admin", "keeper"]] {
        assert!(!allows(&policy, roles, "document:delete"));
        assert!(!allows(&policy, roles, "document:*"));
        assert!(!allows(&policy, roles, "document"));
        assert!(!allows(&policy, roles, "*"));
        assert!(allows(&policy, roles, "document:create"));
    }
    assert!(allows(&policy, &["admin"], "document:*"));
}

#[test]
fn a_denial_of_what_lies_deeper_denies_what_is_above_it() {
    let policy =
        policy(r#"{"permissions":["a:b:{id}","c:{id}"],"roles":{"r":{"allow":["*"],"deny":["*:*:x"]}}}"#);
    assert!(!allows(&policy, &["r"], "a:b:x"));
    assert!(allows(&policy, &["r"], "a:b:y"));
    assert!(!allows(&policy, &["r"], "c:7"), "c:7:x is denied");
}

#[test]
fn what_stands_between_one_entry_and_those_below_it_is_known() {
    let policy = policy(
        r#"{"permissions": ["report", "report:year:print", "report:year:send"], "roles": {
            "all": {"allow": ["report"]}, "year": {"allow": ["report:year"]}, "part": {"allow": ["report:year:print"]},
            "less": {"allow": ["report"], "deny": ["report:year:send"]}}}"#,
    );
    assert!(policy.check_permission("report:year").is_ok());
    assert_eq!(policy.who_can("report:year"), ["all", "year"]);
    assert!(allows(&policy, &["year"], "report:year"));
    assert!(!allows(&policy, &["part"], "report:year"));
    assert!(!allows(&policy, &["less", "all"], "report:year"));
    assert!(policy.check_permission("report:month").is_err());
    assert!(policy.check_permission("report:{id}").is_err(), "not an open permission");
}

#[test]
fn a_denied_instance_denies_the_whole_but_not_the_others() {
    let policy = policy(DOCUMENTS);
    assert!(!allows(&policy, &["intern"], "document:update:payroll"));
    assert!(!allows(&policy, &["intern"], "document:update"));
    assert!(allows(&policy, &["intern"], "document:update:memo"));
    assert!(allows(&policy, &["intern"], "document:read"));
}

#[test]
fn an_instance_is_one_literal_name() {
    let policy = policy(DOCUMENTS);
    let guest = policy.subject(["guest"], None, None).unwrap();
    let viewer = policy.subject(["viewer"], None, None).unwrap();
    assert!(guest.has("document:read", Some("welcome")));
    assert!(!guest.has("document:read", Some("secret")));
    assert!(!guest.has("document:read", None));
    for hostile in ["*", "welcome,secret", "a:b", "", " welcome", "welcome\n", "{id}", "a\u{2028}b"] {
        assert!(!guest.has("document:read", Some(hostile)), "{hostile:?}");
        assert!(!viewer.has("document:read", Some(hostile)), "{hostile:?}");
        assert!(!policy.allows(&["viewer"], None, "document:read", Some(hostile)), "{hostile:?}");
    }
    assert!(viewer.has("document:read", Some("ünïcode-42@example.org")));
    assert!(!viewer.has("document:create", Some("42")), "not an open permission");
}

#[test]
fn roles_that_the_policy_lacks_are_ignored_and_named() {
    let policy = policy(DOCUMENTS);
    assert!(allows(&policy, &["ghost", "viewer"], "document:read"));
    assert!(!allows(&policy, &["ghost"], "document:read"));
    let subject = policy.subject(["ghost", "viewer", "Viewer", "editor@"], None, None).unwrap();
    assert_eq!(
        subject.explain(Mode::All, &["document:read"], None).unknown_roles,
        ["ghost", "Viewer", "editor@"]
    );
}

#[test]
fn any_of_nothing_is_no_and_all_of_nothing_is_a_mistake() {
    let policy = policy(DOCUMENTS);
    let admin = policy.subject(["admin"], None, None).unwrap();
    assert!(!admin.has_any(&[], None));
    assert_eq!(admin.has_all(&[], None), None);
    assert_eq!(admin.explain(Mode::Any, &[], None).reason, Reason::Empty);
    assert_eq!(admin.explain(Mode::All, &[], None).reason, Reason::Empty);
    let viewer = policy.subject(["viewer"], None, None).unwrap();
    assert!(viewer.has_any(&["audit:read", "document:read"], None));
    assert_eq!(viewer.has_all(&["audit:read", "document:read"], None), Some(false));
}

#[test]
fn a_token_only_narrows() {
    let policy = policy(DOCUMENTS);
    let has = |roles: &[&str], token: &[&str], permission| {
        policy.subject(roles.iter().copied(), None, Some(token)).unwrap().has(permission, None)
    };
    assert!(has(&["editor"], &["document:read"], "document:read"));
    assert!(has(&["editor"], &["document:read"], "document:read:7"));
    assert!(has(&["editor"], &["document:read:7"], "document:read:7"));
    assert!(has(&["editor"], &["document:read,fly"], "document:read"));
    assert!(!has(&["editor"], &["document:read:7"], "document:read:8"));
    assert!(!has(&["editor"], &["document:read"], "document:create"));
    assert!(!has(&["viewer"], &["document:create", "*"], "document:create"), "the role lacks it");
    assert!(!has(&["admin"], &[], "document:read"));
    assert!(!has(&["admin"], &["docu*", "", "Document:read"], "document:read"));
    let narrowed = policy.subject(["editor"], None, Some(&["document:create"])).unwrap();
    assert_eq!(narrowed.explain(Mode::All, &["document:read"], None).reason, Reason::TokenLacks);
    assert_eq!(narrowed.permissions(), ["document:create"]);
    let one = policy.subject(["intern"], None, Some(&["document:read,update:7", "document:update:payroll"]));
    assert_eq!(one.unwrap().permissions(), ["document:read:7", "document:update:7"]);
    let deeper = policy.subject(["viewer"], None, Some(&["document:read:7:*", "*:*:8:x"])).unwrap();
    assert!(deeper.has("document:read", Some("7")) && !deeper.has("document:read", Some("8")));
    assert_eq!(deeper.permissions(), ["document:read:7"]);
}

#[test]
fn a_tenants_roles_are_active_in_it_alone() {
    let policy = policy(DOCUMENTS);
    let has = |roles: &[&str], tenant| policy.allows(roles, tenant, "document:create", None);
    assert!(has(&["editor@acme"], Some("acme")));
    assert!(!has(&["editor@acme"], Some("globex")));
    assert!(!has(&["editor@acme"], None));
    assert!(has(&["editor"], None));
    assert!(has(&["editor"], Some("acme")), "a role without a tenant is active in each");
    assert!(!has(&["editor@acme@globex"], Some("globex")));
    assert!(!has(&["editor@"], None));
    for bad in ["", "a b", "a@b", "a\nb"] {
        assert_eq!(policy.subject(["editor"], Some(bad), None).unwrap_err(), RoleError::Tenant);
    }
}

#[test]
fn an_explanation_names_the_role_the_way_to_it_and_the_grant() {
    let policy = policy(DOCUMENTS);
    let subject = policy.subject(["intern"], None, None).unwrap();
    let explanation = subject.explain(Mode::All, &["document:read", "document:update"], Some("payroll"));
    assert!(!explanation.allowed);
    assert_eq!(explanation.reason, Reason::Denied);
    let [read, update] = &explanation.findings[..] else { panic!("{explanation:?}") };
    assert_eq!(read.reason, Reason::Granted);
    assert_eq!(read.grants[0].via, ["intern", "editor", "viewer"]);
    assert_eq!(read.grants[0].grant, "document:read");
    assert_eq!(update.denies[0].via, ["intern"]);
    assert_eq!(update.denies[0].grant, "document:update:payroll");
    let json: serde_json::Value = serde_json::from_str(&explanation.to_json()).unwrap();
    assert_eq!(json["permissions"][1]["denies"][0]["role"], "intern");
}

#[test]
fn what_is_not_declared_is_refused_with_its_place() {
    let role = |role: &str| format!(r#"{{"permissions":["a:b"],"roles":{{"r":{role},"s":{{}}}}}}"#);
    for (grant, reason) in [
        ("a:c", "not in the catalogue: `a:c`"),
        ("a:b,c", "not in the catalogue: `a:b,c`"),
        ("a:b:42", "not in the catalogue: `a:b:42`"),
        ("", "an empty segment: ``"),
        ("a::b", "an empty segment: `a::b`"),
        ("a:b*", "a wildcard inside a segment: `a:b*`"),
        ("A:b", "not in the catalogue: `A:b`"),
    ] {
        let (path, found) = refusal(&role(&format!(r#"{{"allow":["a:b","{grant}"]}}"#)));
        assert_eq!((path.as_str(), found.as_str()), ("roles.r.allow[1]", reason));
        let (path, _) = refusal(&role(&format!(r#"{{"deny":["{grant}"]}}"#)));
        assert_eq!(path, "roles.r.deny[0]");
    }
    let unknown = refusal(&role(r#"{"inherits":["ghost"]}"#));
    assert_eq!(unknown, ("roles.r.inherits[0]".into(), "no such role: `ghost`".into()));
    assert_eq!(refusal(&role(r#"{"inherits":"s"}"#)).0, "roles.r.inherits");
    assert_eq!(refusal(&role(r#"{"allow":["a:b",1]}"#)).0, "roles.r.allow[1]");
    assert_eq!(refusal(&role(r#"{"alow":["a:b"]}"#)).0, "roles.r.alow");
    assert_eq!(refusal(r#"{"permissions":["a","a"],"roles":{}}"#).0, "permissions[1]");
    assert_eq!(refusal(r#"{"permissions":["a","a:{id}"],"roles":{}}"#).0, "permissions[1]");
    assert_eq!(refusal(r#"{"permissions":["a:*"],"roles":{}}"#).0, "permissions[0]");
    assert_eq!(refusal(r#"{"permissions":["a:b,c"],"roles":{}}"#).0, "permissions[0]");
    // The document `read` of a URL would be the permission to read every document.
    for ambiguous in [r#"["d:{id}","d:read"]"#, r#"["d:read","d:{id}"]"#, r#"["d:{id}","d:read:{id}"]"#] {
        let (path, _) = refusal(&format!(r#"{{"permissions":{ambiguous},"roles":{{}}}}"#));
        assert_eq!(path, "permissions[1]");
    }
    assert_eq!(refusal(r#"{"roles":{}}"#).0, "permissions");
    assert_eq!(refusal(r#"{"permissions":[]}"#).0, "roles");
    assert_eq!(refusal(r#"{"permissions":[],"roles":{"a@b":{}}}"#).0, "roles.a@b");
    assert_eq!(refusal("[]").0, "policy");
}

#[test]
fn a_cycle_is_refused_and_named() {
    let document = r#"{"permissions":[],"roles":{"a":{"inherits":["b"]},"b":{"inherits":["c"]},"c":{"inherits":["b"]}}}"#;
    let (path, reason) = refusal(document);
    assert_eq!((path.as_str(), reason.as_str()), ("roles.b.inherits", "the role inherits itself: b → c → b"));
    assert!(refusal(r#"{"permissions":[],"roles":{"a":{"inherits":["a"]}}}"#).1.ends_with("a → a"));
}

#[test]
fn a_duplicate_role_is_refused_and_named() {
    let few = r#"{"permissions":[],"roles":{"a":{},"b":{},"a":{}}}"#;
    let many: String = (0..40).map(|id| format!(r#""r{id}":{{}},"#)).collect();
    let many = format!(r#"{{"permissions":[],"roles":{{{many}"r7":{{}}}}}}"#);
    for (document, name) in [(few, "a"), (&many, "r7")] {
        let error = Policy::from_json(document.as_bytes()).unwrap_err();
        assert_eq!(error.status(), Status::ConfigError);
        assert!(error.to_string().contains(&format!("roles.{name}")), "{error}");
    }
}

#[test]
fn constraints_that_exclude_nothing_or_nobody_known_are_refused() {
    let with = |constraints: &str| {
        let roles = r#"{"a":{},"b":{}}"#;
        refusal(&format!(r#"{{"permissions":[],"roles":{roles},"constraints":{constraints}}}"#)).0
    };
    assert_eq!(
        with(r#"{"static_separation":[{"roles":["a","x"]}]}"#),
        "constraints.static_separation[0].roles[1]"
    );
    assert_eq!(with(r#"{"static_separation":[{"roles":["a","a"]}]}"#), "constraints.static_separation[0]");
    assert_eq!(
        with(r#"{"dynamic_separation":[{"roles":["a","b"],"at_most":2}]}"#),
        "constraints.dynamic_separation[0]"
    );
    assert_eq!(
        with(r#"{"dynamic_separation":[{"roles":["a","b"],"at_most":0}]}"#),
        "constraints.dynamic_separation[0].at_most"
    );
    assert_eq!(with(r#"{"cardinality":[{"role":"a"}]}"#), "constraints.cardinality[0].at_most");
    assert_eq!(
        with(r#"{"cardinality":[{"role":"a","at_most":1},{"role":"a","at_most":2}]}"#),
        "constraints.cardinality[1].role"
    );
    assert_eq!(with(r#"{"other":[]}"#), "constraints.other");
}

const SEPARATED: &str = r#"{
    "permissions": ["payment:create", "payment:approve", "report:read"],
    "roles": {
        "payer": {"allow": ["payment:create"]},
        "approver": {"allow": ["payment:approve"]},
        "chief": {"inherits": ["approver"]},
        "auditor": {"allow": ["report:read"]},
        "owner": {},
        "impossible": {"inherits": ["payer", "chief"]}
    },
    "constraints": {
        "static_separation": [{"roles": ["payer", "approver"]}],
        "dynamic_separation": [{"roles": ["approver", "auditor"]}],
        "cardinality": [{"role": "owner", "at_most": 2}]
    }
}"#;

#[test]
fn static_separation_is_kept_at_assignment_through_the_hierarchy() {
    let policy = policy(SEPARATED);
    assert_eq!(policy.check_assignment(&[], "payer", 0), Ok(()));
    assert_eq!(policy.check_assignment(&["payer"], "approver", 0), Err(RoleError::SeparationOfDuty));
    assert_eq!(policy.check_assignment(&["payer"], "chief", 0), Err(RoleError::SeparationOfDuty));
    assert_eq!(policy.check_assignment(&["chief"], "payer", 0), Err(RoleError::SeparationOfDuty));
    assert_eq!(policy.check_assignment(&[], "impossible", 0), Err(RoleError::SeparationOfDuty));
    assert_eq!(policy.check_assignment(&["approver"], "auditor", 0), Ok(()), "assigned, not active");
    assert_eq!(policy.check_assignment(&["ghost"], "payer", 0), Ok(()));
    for role in ["ghost", "payer@", "payer@a@b", "payer@a b", "payer@\n", "@a", ""] {
        assert_eq!(policy.check_assignment(&[], role, 0), Err(RoleError::Unknown), "{role:?}");
    }
    assert_eq!(policy.check_assignment(&["payer@a"], "approver@b", 0), Ok(()), "other tenants");
    assert_eq!(policy.check_assignment(&["payer@a"], "approver@a", 0), Err(RoleError::SeparationOfDuty));
    assert_eq!(policy.check_assignment(&["payer"], "approver@a", 0), Err(RoleError::SeparationOfDuty));
    assert_eq!(policy.check_assignment(&["payer@a"], "approver", 0), Err(RoleError::SeparationOfDuty));
}

#[test]
fn cardinality_is_kept_at_assignment() {
    let policy = policy(SEPARATED);
    assert_eq!(policy.check_assignment(&[], "owner", 1), Ok(()));
    assert_eq!(policy.check_assignment(&[], "owner", 2), Err(RoleError::CardinalityExceeded));
    assert_eq!(policy.check_assignment(&["owner"], "owner", 2), Ok(()), "who has it takes no further place");
}

#[test]
fn roles_that_exclude_each_other_are_not_active_together() {
    let policy = policy(SEPARATED);
    for roles in
        [&["approver", "auditor"][..], &["chief", "auditor"], &["payer", "approver"], &["impossible"]]
    {
        let refused = policy.subject(roles.iter().copied(), None, None);
        assert_eq!(refused.unwrap_err(), RoleError::SeparationOfDuty, "{roles:?}");
        assert!(!policy.allows(roles, None, "payment:approve", None));
    }
    assert!(policy.subject(["approver@a", "auditor@b"], Some("a"), None).is_ok());
    assert!(policy.subject(["approver@a", "auditor"], Some("a"), None).is_err());
    assert!(policy.allows(&["approver"], None, "payment:approve", None));
}

#[test]
fn the_shipped_policies_are_the_requirements_tables() {
    let deepinsight = policy(shipped_policy("deepinsight").unwrap());
    let cluster = policy(shipped_policy("session-cluster").unwrap());
    let permissions = |policy: &Policy, role: &str| {
        let mut permissions = policy.subject([role], None, None).unwrap().permissions();
        permissions.sort();
        permissions
    };
    assert_eq!(permissions(&deepinsight, "admin").len(), 17);
    assert_eq!(permissions(&deepinsight, "power_user").len(), 12);
    assert_eq!(
        permissions(&deepinsight, "standard_user"),
        [
            "database:export",
            "document:create",
            "document:read",
            "extraction:create",
            "extraction:read",
            "ontology:read",
            "ontology:update",
        ]
    );
    assert_eq!(permissions(&deepinsight, "viewer"), ["document:read", "extraction:read", "ontology:read"]);
    assert_eq!(permissions(&cluster, "admin").len(), 17);
    assert_eq!(permissions(&cluster, "session_manager").len(), 12);
    assert!(!cluster.allows(&["session_manager"], None, "chunks:delete", None));
    // The role table of the requirements leaves it out; their matrix, which is followed, has it.
    assert!(cluster.allows(&["session_operator"], None, "pipeline:control", None));
    assert_eq!(
        permissions(&cluster, "session_viewer"),
        ["chunks:read", "pipeline:read", "sessions:read", "statistics:read"]
    );
    assert_eq!(
        permissions(&cluster, "auditor"),
        ["admin:audit", "chunks:read", "sessions:read", "statistics:read"]
    );
    for (name, document) in SHIPPED_POLICIES {
        assert_eq!(policy(document).lint().unwrap(), [], "{name}");
    }
    assert!(shipped_policy("Deepinsight").is_none());
    assert!(serde_json::from_str::<serde_json::Value>(POLICY_SCHEMA).unwrap().is_object());
}

#[test]
fn the_digest_is_of_the_policy_and_not_of_its_spelling() {
    let one = policy(r#"{"permissions":["a","b"],"roles":{"r":{"allow":["b","a"]},"s":{}}}"#);
    let same = policy(r#" {"roles":{"s":{"deny":[]},"r":{"allow":["a","b","a"]}}, "permissions":["b","a"]}"#);
    let other = policy(r#"{"permissions":["a","b"],"roles":{"r":{"allow":["a"]},"s":{}}}"#);
    assert_eq!(one.digest(), same.digest());
    assert_ne!(one.digest(), other.digest());
    assert_eq!(one.document(), r#"{"permissions":["a","b"],"roles":{"r":{"allow":["a","b"]},"s":{}}}"#);
}

#[test]
fn a_diff_is_of_what_roles_can_do() {
    let before = policy(
        r#"{"permissions":["a","b:{id}"],"roles":{"r":{"allow":["a"]},"s":{"allow":["*"]},"gone":{"allow":["a"]}}}"#,
    );
    let after = policy(
        r#"{"permissions":["a","b:{id}","c"],"roles":{"r":{"allow":["b:7"]},"s":{"allow":["a,b,c"]},"new":{}}}"#,
    );
    let diff = before.diff(&after).unwrap();
    assert_eq!(
        diff.to_json(),
        concat!(
            r#"{"roles":{"added":["new"],"removed":["gone"],"changed":{"gone":{"gained":[],"lost":["a"]},"#,
            r#""r":{"gained":["b:7"],"lost":["a"]},"s":{"gained":["c"],"lost":[]}}},"#,
            r#""permissions":{"added":["c"],"removed":[]},"constraints":{"added":[],"removed":[]}}"#
        )
    );
    assert!(before.diff(&before.clone()).unwrap().is_empty());
}

#[test]
fn a_denial_that_goes_is_a_gain_and_one_that_comes_is_a_loss() {
    let of = |role: &str| policy(&format!(r#"{{"permissions":["d:r:{{id}}","e"],"roles":{{"x":{role}}}}}"#));
    let whole = r#"{"allow":["d"]}"#;
    let but_one = r#"{"allow":["d"],"deny":["d:r:1"]}"#;
    let but_two = r#"{"allow":["d"],"deny":["d:r:1,2"]}"#;
    let only_two = r#"{"allow":["d:r:2"]}"#;
    for (before, after, gained, lost) in [
        (but_two, but_one, &["d:r:2"][..], &[][..]),
        (but_one, but_two, &[], &["d:r:2"]),
        (whole, but_one, &[], &["d:r", "d:r:1"]),
        (but_one, whole, &["d:r", "d:r:1"], &[]),
        (but_one, only_two, &[], &["d:r:*", "!d:r:1"]),
        (only_two, but_one, &["d:r:*", "!d:r:1"], &[]),
        (only_two, whole, &["d:r"], &[]),
        ("{}", whole, &["d:r"], &[]),
        ("{}", but_one, &["d:r:*", "!d:r:1"], &[]),
        ("{}", r#"{"allow":["*"]}"#, &["d:r", "e"], &[]),
        (r#"{"allow":["d","e"]}"#, r#"{"allow":["*"]}"#, &[], &[]),
    ] {
        let diff = of(before).diff(&of(after)).unwrap();
        let change = diff.roles_changed.get("x").cloned().unwrap_or_default();
        assert_eq!(
            (&*change.gained, &*change.lost),
            (
                &*gained.iter().map(|text| text.to_string()).collect::<Vec<_>>(),
                &*lost.iter().map(|text| text.to_string()).collect::<Vec<_>>()
            ),
            "{before} → {after}"
        );
    }
}

#[test]
fn a_constraint_that_goes_is_in_the_diff() {
    let with = policy(SEPARATED);
    let without = SEPARATED.replace(r#""dynamic_separation": [{"roles": ["approver", "auditor"]}],"#, "");
    let diff = with.diff(&policy(&without)).unwrap();
    assert_eq!(diff.constraints_removed, ["dynamic_separation: at most 1 of approver, auditor"]);
    assert!(diff.constraints_added.is_empty() && diff.roles_changed.is_empty());
}

#[test]
fn a_casbin_file_of_many_users_is_read_in_one_go() {
    let lines: String = (0..20_000).map(|id| format!("p, r{id}, o, a\ng, r{id}, top\n")).collect();
    let import = CasbinImport::from_csv(&format!("\u{feff}{lines}")).unwrap();
    assert_eq!(import.assignments.len(), 20_000);
}

#[test]
fn an_explanation_of_many_permissions_follows_the_roles_once() {
    let parents: Vec<String> = (0..50_000).map(|id| format!(r#""p{id}""#)).collect();
    let roles: String = (0..50_000).map(|id| format!(r#""p{id}":{{}},"#)).collect();
    let chain: String = (0..60).map(|id| format!(r#""c{id}":{{"inherits":["c{}"]}},"#, id + 1)).collect();
    let document = format!(
        r#"{{"permissions":["a"],"roles":{{{roles}{chain}"c60":{{"inherits":[{}]}}}}}}"#,
        parents.join(",")
    );
    let subject = policy(&document).subject(["c0"], None, None).unwrap();
    assert_eq!(subject.explain(Mode::Any, &["a"; 256], None).reason, Reason::Missing);
}

#[test]
fn a_token_costs_nothing_that_the_catalogue_multiplies() {
    let entries: Vec<String> = (0..65_536).map(|id| format!(r#""t{id}:r""#)).collect();
    let policy =
        policy(&format!(r#"{{"permissions":[{}],"roles":{{"x":{{"allow":["*"]}}}}}}"#, entries.join(",")));
    let wide: Vec<String> = (0..4096).map(|id| format!("*:r,x{id}")).collect();
    let wide: Vec<&str> = wide.iter().map(String::as_str).collect();
    let subject = policy.subject(["x"], None, Some(&wide)).unwrap();
    assert!(subject.has("t7:r", None));
}

#[test]
fn lint_finds_what_is_probably_not_meant() {
    let policy = policy(SEPARATED);
    let found: Vec<_> = policy.lint().unwrap().into_iter().map(|lint| (lint.kind, lint.path)).collect();
    assert!(found.contains(&(LintKind::UnreachableRole, "roles.impossible.inherits".into())));
    assert!(found.contains(&(LintKind::EmptyRole, "roles.owner".into())));
    assert!(found.contains(&(LintKind::EqualRoles, "roles.approver".into())));
    let shadowed =
        self::policy(r#"{"permissions":["a","b","c"],"roles":{"r":{"allow":["a","b"],"deny":["b"]}}}"#);
    let found: Vec<_> = shadowed.lint().unwrap().into_iter().map(|lint| (lint.kind, lint.message)).collect();
    assert_eq!(
        found,
        [
            (LintKind::ShadowedGrant, "a denial takes all of `b` away".into()),
            (LintKind::UnusedPermission, "no role has `b`".into()),
            (LintKind::UnusedPermission, "no role has `c`".into()),
        ]
    );
}

#[test]
fn a_matrix_shows_what_is_granted_in_part_and_what_is_denied() {
    let policy = policy(DOCUMENTS);
    let json: serde_json::Value = serde_json::from_str(&policy.matrix(MatrixFormat::Json).unwrap()).unwrap();
    assert_eq!(json["cells"]["guest"], serde_json::json!({"document:read:{id}": "some"}));
    assert_eq!(json["cells"]["intern"]["document:update:{id}"], "some");
    assert_eq!(json["cells"]["keeper"]["document:delete"], "denied");
    assert_eq!(json["cells"]["admin"]["audit:read"], "granted");
    assert!(policy.matrix(MatrixFormat::Markdown).unwrap().starts_with("| Permission | viewer | editor |"));
}

#[test]
fn names_are_not_markup_in_a_rendered_matrix() {
    let policy = policy(
        r#"{"permissions":["<script>"],"roles":{"a|b":{"allow":["*"]},"<img/src=x/onerror=alert(1)>":{},"[x](javascript:1)":{}}}"#,
    );
    let html = policy.matrix(MatrixFormat::Html).unwrap();
    assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    let markdown = policy.matrix(MatrixFormat::Markdown).unwrap();
    assert!(
        markdown.contains(r"a\|b") && markdown.contains(r"\<script\>") && markdown.contains(r"\[x\]"),
        "{markdown}"
    );
}

#[test]
fn a_matrix_of_long_names_is_refused() {
    let entries: Vec<String> = (0..1000).map(|id| format!(r#""{id}{}""#, "x".repeat(490))).collect();
    let roles: Vec<String> = (0..1000).map(|id| format!(r#""r{id}":{{"allow":["*"]}}"#)).collect();
    let document = format!(r#"{{"permissions":[{}],"roles":{{{}}}}}"#, entries.join(","), roles.join(","));
    assert!(policy(&document).matrix(MatrixFormat::Json).is_none());
}

#[test]
fn a_refusal_is_one_line_whatever_it_is_about() {
    for document in [
        r#"{"permissions":[],"roles":{},"x\nforged":1}"#,
        r#"{"permissions":[],"roles":{"a\nb":{}}}"#,
        r#"{"permissions":["a"],"roles":{"r":{"allow":["a\nforged"]}}}"#,
        r#"{"permissions":["a"],"roles":{"r":{"inherits":["\u202Ex"]}}}"#,
    ] {
        let message = Policy::from_json(document.as_bytes()).unwrap_err().to_string();
        assert!(!message.contains(['\n', '\u{202e}']), "{message:?}");
    }
}

#[test]
fn who_can_names_the_roles() {
    let policy = policy(DOCUMENTS);
    assert_eq!(policy.who_can("document:delete"), ["admin"]);
    assert_eq!(
        policy.who_can("document:read:welcome"),
        ["admin", "editor", "guest", "intern", "keeper", "viewer"]
    );
    assert_eq!(policy.who_can("no:such"), [""; 0]);
}

#[test]
fn a_service_can_ask_for_its_permissions_when_it_starts() {
    let policy = policy(DOCUMENTS);
    for known in
        ["document:read", "document:read:{document_id}", "document:read:42", "document:*", "document"]
    {
        assert!(policy.check_permission(known).is_ok(), "{known}");
    }
    for unknown in ["document:raed", "document:create:{id}", "document:create:42", "documents", "x:{id}"] {
        assert_eq!(
            policy.check_permission(unknown).unwrap_err().to_string(),
            "the catalogue has no such permission"
        );
    }
    for malformed in [
        "",
        "document:",
        "document:re*",
        "{id}",
        "document:{id}:read",
        "document:read:{}",
        "document:read:{a},{b}",
        "document:read:{a b}",
        "document:read:{*}",
        "document:read:{{x}}",
        "document:read:{a:b}",
    ] {
        assert!(policy.check_permission(malformed).is_err(), "{malformed}");
    }
}

#[test]
fn casbin_files_of_the_plain_model_are_imported() {
    let import = CasbinImport::from_csv(
        "# comment\np, admin, data, read\np, admin, data, write\np, bob, data, write\n\np, intern, data, write, deny\n\
         g, alice, admin\ng, bob, intern\ng, admin, staff\n",
    )
    .unwrap();
    let policy = policy(&import.policy);
    assert_eq!(import.assignments["alice"], ["admin"]);
    assert_eq!(import.assignments["bob"], ["bob"]);
    assert_eq!(import.assignments.len(), 2);
    assert!(allows(&policy, &["admin"], "data:write"));
    assert!(!allows(&policy, &["bob"], "data:write"), "denied through intern");
    for (line, bad) in [
        (1, "p, alice, data1"),
        (1, "p, alice, /data/*, read"),
        (2, "g, a, b\ng, a, b, domain"),
        (1, "p2, a, b, c"),
        (1, "p, a, b, c, maybe"),
        (1, "p, a, b:c, d"),
        (1, "p, , b, c"),
        (1, "p, alice, \"a, b\", allow"),
        (1, "p, alice, \"a \"\"b\"\"\", read"),
        (1, "g, alice, \"admin"),
    ] {
        assert!(
            matches!(CasbinImport::from_csv(bad), Err(PolicyError::Casbin { line: at, .. }) if at == line),
            "{bad}"
        );
    }
    assert!(CasbinImport::from_csv("g, a, b\ng, b, a").is_err());
}

#[test]
fn a_policy_over_a_limit_is_refused_and_never_overflows() {
    let roles: String = (0..100_000).map(|id| format!(r#""r{id}":{{}},"#)).collect();
    let document = format!(r#"{{"permissions":[],"roles":{{{roles}"last":{{}}}}}}"#);
    assert!(Policy::from_json(document.as_bytes()).is_ok());
    let chain: String = (0..10_000).map(|id| format!(r#""r{id}":{{"inherits":["r{}"]}},"#, id + 1)).collect();
    let document = format!(r#"{{"permissions":[],"roles":{{{chain}"r10000":{{}}}}}}"#);
    assert!(refusal(&document).1.contains("more than 64 deep"));
    let long = "x".repeat(1 << 20);
    assert!(refusal(&format!(r#"{{"permissions":["{long}"],"roles":{{}}}}"#)).1.contains("512 bytes"));
    assert!(refusal(&format!(r#"{{"permissions":[],"roles":{{"{long}":{{}}}}}}"#)).0.len() < 1024);
    let nested = format!(r#"{{"permissions":{}{},"roles":{{}}}}"#, "[".repeat(1 << 20), "]".repeat(1 << 20));
    assert_eq!(Policy::from_json(nested.as_bytes()).unwrap_err().status(), Status::Malformed);
    let huge = vec![b' '; (16 << 20) + 1];
    assert_eq!(Policy::from_json(&huge).unwrap_err().status(), Status::TooLarge);
}

#[test]
fn an_instance_is_bounded_with_its_permission() {
    let policy = policy(DOCUMENTS);
    let viewer = policy.subject(["viewer"], None, None).unwrap();
    for (len, fits) in [(498, true), (499, false), (512, false), (1 << 20, false)] {
        let instance = "x".repeat(len);
        let text = format!("document:read:{instance}");
        assert_eq!(viewer.has("document:read", Some(&instance)), fits, "{len}");
        assert_eq!(viewer.has(&text, None), fits, "{len}");
        assert_eq!(viewer.explain(Mode::All, &["document:read"], Some(&instance)).allowed, fits, "{len}");
    }
    for full in ["1:2:3:4:5:6:7:8", &"x".repeat(511)] {
        assert_eq!(
            refusal(&format!(r#"{{"permissions":["{full}:{{id}}"],"roles":{{}}}}"#)).0,
            "permissions[0]"
        );
    }
}

#[test]
fn what_is_inherited_many_times_is_taken_over_once() {
    let instances: Vec<String> = (0..20_000).map(|id| format!(r#""d:i{id}""#)).collect();
    let bases = [r#""b""#; 40_000].join(",");
    let names: String = (0..2_000).map(|id| format!(r#""p{id}":{{"inherits":["b"]}},"#)).collect();
    let parents: Vec<String> = (0..2_000).map(|id| format!(r#""p{id}""#)).collect();
    let document = format!(
        r#"{{"permissions":["d:{{id}}"],"roles":{{"b":{{"allow":[{}]}},{names}
            "again":{{"inherits":[{bases}]}},"all":{{"inherits":[{}],"deny":["d:i7"]}}}}}}"#,
        instances.join(","),
        parents.join(",")
    );
    let policy = policy(&document);
    assert!(policy.allows(&["again"], None, "d", Some("i7")));
    assert!(!policy.allows(&["all"], None, "d", Some("i7")));
}

#[test]
fn grants_that_stand_for_too_much_are_refused_before_they_take_long() {
    let entries: Vec<String> = (0..65_536)
        .map(|id| format!(r#""{}:{id}""#, ["a", "b", "c", "d", "e", "f", "g", "h"][id % 8]))
        .collect();
    let grants: Vec<String> = (0..2_000)
        .map(|id| format!(r#""a,b,c,d,e,f,g,h{}""#, ",a".repeat(id % 200) + &",b".repeat(id / 200)))
        .collect();
    let document = format!(
        r#"{{"permissions":[{}],"roles":{{"r":{{"allow":[{}]}}}}}}"#,
        entries.join(","),
        grants.join(",")
    );
    assert_eq!(Policy::from_json(document.as_bytes()).unwrap_err().status(), Status::TooLarge);
}

#[test]
fn one_grant_that_stands_for_too_much_is_refused_before_it_is_written_out() {
    let entries: Vec<String> = (0..65_536).map(|id| format!(r#""{id}:{{id}}""#)).collect();
    let letters = || "abcdefghijkl".chars();
    let names: Vec<String> = letters().flat_map(|a| letters().map(move |b| format!("{a}{b}"))).collect();
    let with = |grant: &str| {
        let document =
            format!(r#"{{"permissions":[{}],"roles":{{"r":{{"allow":["{grant}"]}}}}}}"#, entries.join(","));
        Policy::from_json(document.as_bytes())
    };
    let wide = format!("*:{}", names.join(","));
    assert!(with("*:aa,ab").is_ok());
    assert_eq!(with(&wide).unwrap_err().status(), Status::TooLarge);
    assert!(!with("*").unwrap().allows(&["r"], None, &wide, None));
}

#[test]
fn lists_of_repeated_names_are_followed_once() {
    let segments = ["a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a"; 8].join(":");
    let policy = policy(r#"{"permissions":["a:a:a:a:a:a:a:a"],"roles":{"r":{"allow":["*"]}}}"#);
    assert!(allows(&policy, &["r"], &segments));
    assert!(policy.subject(["r"], None, Some(&[&segments])).unwrap().has("a:a:a:a:a:a:a:a", None));
}

#[test]
fn a_subject_outlives_the_policy_that_was_replaced() {
    let first = policy(DOCUMENTS);
    let subject = first.subject(["viewer"], None, None).unwrap();
    drop(first);
    assert!(subject.has("document:read", None));
    assert!(subject.has_role("viewer") && !subject.has_role("editor") && !subject.has_role("ghost"));
    let editor = policy(DOCUMENTS).subject(["editor"], None, None).unwrap();
    assert!(editor.has_role("viewer"), "inherited");
}
