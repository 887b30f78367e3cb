//! The C ABI of permissions, policies and subjects as a careless or hostile host calls it.
#![no_main]

use donjon::ffi::*;
use donjon_fuzz::abi::{Host, Input, Script, checked, diagnosed, handle, output};
use libfuzzer_sys::fuzz_target;

const MOST_CALLS: usize = 48;
const WORDS: [&str; 22] = [
    r#"{"permissions":["document:create","document:read:{id}","document:delete"],"roles":{"viewer":{"allow":["document:read"]},"editor":{"inherits":["viewer"],"allow":["document:create"],"deny":["document:read:13"]},"admin":{"allow":["*"]}},"constraints":{"static_separation":[{"roles":["viewer","admin"],"at_most":1}],"dynamic_separation":[{"roles":["editor","admin"],"at_most":1}],"cardinality":[{"role":"admin","at_most":1}]}}"#,
    r#"{"name":"small","permissions":["a"],"roles":{"r":{"allow":["a"]}}}"#,
    r#"{"permissions":["a"],"roles":{"r":{"allow":["b"]}}}"#,
    r#"{"permissions":["a"],"roles":{"r":{"inherits":["r"]}}}"#,
    r#"["viewer","editor@acme","ghost"]"#,
    r#"["editor"]"#,
    r#"["editor","admin"]"#,
    r#"["document:read"]"#,
    r#"["document:read","document:create","document:*"]"#,
    "[]",
    "document:read",
    "document:create",
    "document:*",
    "document",
    "document:read,delete",
    "42",
    "13",
    "acme",
    "editor",
    "admin@acme",
    "deepinsight",
    "p, editor, document, read\ng, ann, editor\np, ann, document, delete, deny",
];

fuzz_target!(|script: &[u8]| {
    run(&mut Host::new(script, &WORDS));
});

fn run(host: &mut Host<'_>) {
    let (mut policies, mut subjects) = (Vec::new(), Vec::new());
    let document = Input::draw(&mut Script(&[64]), &WORDS, &[]);
    policies.extend(handle(|out| unsafe { donjon_policy_new(document.ptr, document.len, out) }));
    for _ in 0..MOST_CALLS {
        if host.script.0.is_empty() {
            break;
        }
        let policy = host.pick(&policies);
        match host.script.byte() % 8 {
            0 => {
                let document = host.input();
                let (ptr, len) = (document.ptr, document.len);
                let made = handle(|out| unsafe { donjon_policy_new(ptr, len, out) });
                policies.extend(diagnosed(made, &|out, cap, out_len| unsafe {
                    donjon_policy_diagnose(ptr, len, out, cap, out_len)
                }));
            }
            1 => read_text(host),
            2 => read_policy(host, policy),
            3 => ask_policy(host, policy),
            4 => subjects.extend(subject(host, policy)),
            5 | 6 => {
                let subject = host.pick(&subjects);
                ask(host, subject);
            }
            // What was made of a policy keeps it.
            _ if policies.len() > 1 => unsafe { donjon_policy_free(policies.swap_remove(0)) },
            _ => {}
        }
    }
    policies.into_iter().for_each(|policy| unsafe { donjon_policy_free(policy) });
    subjects.into_iter().for_each(|subject| unsafe { donjon_subject_free(subject) });
}

fn read_text(host: &mut Host<'_>) {
    let (a, b) = (host.input(), host.input());
    match host.script.byte() % 5 {
        0 => host.output(&|out, cap, len| unsafe { donjon_policy_diagnose(a.ptr, a.len, out, cap, len) }),
        1 => host.output(&|out, cap, len| unsafe { donjon_policy_shipped(a.ptr, a.len, out, cap, len) }),
        2 => {
            host.output(&|out, cap, len| unsafe { donjon_policy_import_casbin(a.ptr, a.len, out, cap, len) })
        }
        3 => host.output(&|out, cap, len| unsafe { donjon_policy_schema(out, cap, len) }),
        _ => _ = checked(unsafe { donjon_permission_implies(a.ptr, a.len, b.ptr, b.len) }),
    }
}

fn read_policy(host: &mut Host<'_>, policy: *const donjon_policy) {
    let format = host.script.byte().into();
    match host.script.byte() % 5 {
        0 => host.output(&|out, cap, len| unsafe { donjon_policy_document(policy, out, cap, len) }),
        1 => host.output(&|out, cap, len| unsafe { donjon_policy_digest(policy, out, cap, len) }),
        2 => host.output(&|out, cap, len| unsafe { donjon_policy_lint(policy, out, cap, len) }),
        3 => host.output(&|out, cap, len| unsafe { donjon_policy_diff(policy, policy, out, cap, len) }),
        _ => host.output(&|out, cap, len| unsafe { donjon_policy_matrix(policy, format, out, cap, len) }),
    }
}

fn ask_policy(host: &mut Host<'_>, policy: *const donjon_policy) {
    let (a, b) = (host.input(), host.input());
    let members = host.script.number() as u64;
    match host.script.byte() % 4 {
        0 => _ = checked(unsafe { donjon_policy_check_permission(policy, a.ptr, a.len) }),
        1 => _ = checked(unsafe { donjon_policy_check_role(policy, a.ptr, a.len) }),
        2 => {
            let assigned = unsafe { donjon_policy_assign(policy, a.ptr, a.len, b.ptr, b.len, members) };
            checked(assigned);
        }
        _ => {
            host.output(&|out, cap, len| unsafe {
                donjon_policy_who_can(policy, a.ptr, a.len, out, cap, len)
            });
        }
    }
}

fn subject(host: &mut Host<'_>, policy: *const donjon_policy) -> Option<*mut donjon_subject> {
    let (roles, tenant, token) = (host.input(), host.input(), host.input());
    handle(|out| unsafe {
        donjon_subject_new(policy, roles.ptr, roles.len, tenant.ptr, tenant.len, token.ptr, token.len, out)
    })
}

/// The fast answer and the explained one are the same.
fn ask(host: &mut Host<'_>, subject: *const donjon_subject) {
    let (asked, instance) = (host.input(), host.input());
    let (ptr, len) = (asked.ptr, asked.len);
    match host.script.byte() % 4 {
        0 => _ = checked(unsafe { donjon_subject_has(subject, ptr, len, instance.ptr, instance.len) }),
        1 => _ = checked(unsafe { donjon_subject_has_role(subject, ptr, len) }),
        2 => host.output(&|out, cap, len| unsafe { donjon_subject_permissions(subject, out, cap, len) }),
        _ => {
            let mode = host.script.byte().into();
            let verdict =
                checked(unsafe { donjon_subject_check(subject, mode, ptr, len, instance.ptr, instance.len) });
            let explained = output(&mut host.script, &|out, cap, out_len| unsafe {
                donjon_subject_explain(subject, mode, ptr, len, instance.ptr, instance.len, out, cap, out_len)
            });
            if let Some(explained) = explained {
                let explained: serde_json::Value = serde_json::from_slice(&explained).unwrap();
                assert_eq!(explained["allowed"] == true, verdict == 0, "{explained}");
            }
        }
    }
}
