//! Policies: any JSON, and small ones made of bytes; what is loaded has one canonical form, and every
//! decision that is compiled is the one that the texts of the grants explain.
#![no_main]

use donjon::rbac::{MatrixFormat, Mode, Policy, Subject};
use donjon_fuzz::abi::Script;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const CATALOGUE: [&str; 7] = ["a:a", "a:b", "a:c:{id}", "b:a:{id}", "b:b:c", "c", "c:a:{id}"];
const SEGMENTS: [&str; 10] = ["a", "b", "c", "*", "a,b", "b,c", "a,*", "42", "42,c", "43"];
const ROLES: [&str; 4] = ["r0", "r1", "r2", "r3"];
const HELD: [&str; 8] = ["r0", "r1", "r2", "r3", "r0@t", "r1@u", "r2@t", "ghost"];

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    if script.byte() % 2 == 0 {
        let Ok(policy) = Policy::from_json(script.0) else { return };
        check(&policy);
        return;
    }
    let document = document(&mut script).to_string();
    let Ok(policy) = Policy::from_json(document.as_bytes()) else { return };
    check(&policy);
    ask(&policy, &mut script);
});

/// One canonical form; and what lists things lists them.
fn check(policy: &Policy) {
    let again = Policy::from_json(policy.document().as_bytes()).unwrap();
    assert_eq!((again.document(), again.digest()), (policy.document(), policy.digest()));
    assert!(policy.diff(&again).unwrap().is_empty());
    for format in [MatrixFormat::Json, MatrixFormat::Markdown, MatrixFormat::Html] {
        assert!(policy.matrix(format).is_none_or(|matrix| !matrix.is_empty()));
    }
    for doubt in policy.lint().unwrap() {
        serde_json::from_str::<Value>(&doubt.to_json()).unwrap();
    }
}

fn ask(policy: &Policy, script: &mut Script<'_>) {
    let held: Vec<&str> = some_of(&HELD, script.byte()).collect();
    let tenant = [None, Some("t")][usize::from(script.byte() % 2)];
    let narrowed = script.byte();
    let token: Vec<String> = (0..narrowed % 4).map(|_| permission(script)).collect();
    let token: Vec<&str> = token.iter().map(String::as_str).collect();
    let token = Some(&token[..]).filter(|_| narrowed % 4 != 0);
    let subject = policy.subject(held.iter().copied(), tenant, token);
    while !script.0.is_empty() {
        let instance = [None, None, Some("42"), Some("44"), Some("*")][usize::from(script.byte() % 5)];
        let permission = permission(script);
        let Ok(subject) = &subject else {
            assert!(!policy.allows(&held, tenant, &permission, instance));
            continue;
        };
        decide(subject, &permission, instance);
        if token.is_none() {
            assert_eq!(
                policy.allows(&held, tenant, &permission, instance),
                subject.has(&permission, instance)
            );
        }
    }
    let Ok(subject) = subject else { return };
    let listed = subject.permissions();
    for entry in CATALOGUE.map(|entry| entry.trim_end_matches(":{id}")) {
        assert_eq!(subject.has(entry, None), listed.iter().any(|text| text == entry), "{entry} {listed:?}");
    }
}

fn decide(subject: &Subject, permission: &str, instance: Option<&str>) {
    let has = subject.has(permission, instance);
    for mode in [Mode::Any, Mode::All] {
        let explained = subject.explain(mode, &[permission], instance);
        assert_eq!(explained.allowed, has, "{permission} {instance:?} {}", explained.to_json());
    }
    if let (true, Some(instance)) = (has, instance) {
        assert!(subject.has(&format!("{permission}:{instance}"), None));
        assert!(instance != "*");
    }
}

fn document(script: &mut Script<'_>) -> Value {
    let mut roles = serde_json::Map::new();
    for (index, name) in ROLES.into_iter().enumerate() {
        let inherits: Vec<&str> = some_of(&ROLES[..index], script.byte()).collect();
        let lists = script.byte();
        let mut permissions = |count: u8| -> Vec<String> { (0..count).map(|_| permission(script)).collect() };
        let (allow, deny) = (permissions(lists % 4), permissions(lists / 4 % 3));
        roles.insert(name.into(), json!({"inherits": inherits, "allow": allow, "deny": deny}));
    }
    let separated: Vec<&str> = some_of(&ROLES, script.byte()).collect();
    let constraints = match separated.len() {
        3.. => json!({"dynamic_separation": [{"roles": separated, "at_most": 1}]}),
        _ => json!({}),
    };
    json!({"permissions": CATALOGUE, "roles": roles, "constraints": constraints})
}

fn permission(script: &mut Script<'_>) -> String {
    let drawn = script.byte();
    let segments = (0..=drawn % 3).map(|_| SEGMENTS[usize::from(script.byte()) % SEGMENTS.len()]);
    segments.collect::<Vec<_>>().join(":")
}

fn some_of<'a>(names: &'a [&'a str], mask: u8) -> impl Iterator<Item = &'a str> {
    names.iter().enumerate().filter(move |(index, _)| mask >> index & 1 == 1).map(|(_, name)| *name)
}
