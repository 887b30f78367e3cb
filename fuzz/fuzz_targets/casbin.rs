//! Any text as a casbin file: what is imported loads, everybody has roles that exist, and everybody may do
//! what a line of his own role says, unless some line denies.
#![no_main]

use donjon::rbac::{CasbinImport, Policy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|csv: &str| {
    let Ok(import) = CasbinImport::from_csv(csv) else { return };
    let policy = Policy::from_json(import.policy.as_bytes()).unwrap();
    assert_eq!(policy.document(), import.policy);
    serde_json::from_str::<serde_json::Value>(&import.to_json()).unwrap();
    assert!(import.assignments.values().flatten().all(|role| policy.has_role(role)));

    if csv.contains("deny") {
        return;
    }
    for line in csv.lines().filter(|line| line.trim_start().starts_with("p,")) {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        if let ["p", role, object, action] = fields[..]
            && !line.contains('"')
        {
            assert!(policy.allows(&[role], None, &format!("{object}:{action}"), None), "{line}");
        }
    }
});
