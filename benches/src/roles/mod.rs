//! One question about a policy, small and large, and loading it.

pub mod model;

use std::hint::black_box;

use donjon::rbac::{Policy, Subject};

use crate::measure::{Runner, race};
use crate::peers::casbin::Casbin;
use crate::peers::cedar::Cedar;
use crate::report::{report, report_bound};
use model::Model;

const MS: f64 = 1e6;

pub fn measure() {
    let small = Model::new(10, 10);
    let small_ns = bounds("100 rules", &small);
    compare(&small);
    let large = Model::new(10_000, 10);
    let large_ns = bounds("100,000 rules", &large);
    for (name, large_ns, small_ns) in
        [("subject", large_ns.0, small_ns.0), ("strings", large_ns.1, small_ns.1)]
    {
        report(
            &format!("roles check from {name}, 100,000 rules"),
            large_ns,
            "donjon, 100 rules",
            small_ns,
            None,
        );
    }
    let document = large.document();
    let loaded = race(&mut [Runner {
        name: "donjon",
        call: &mut || drop(black_box(Policy::from_json(black_box(document.as_bytes())).unwrap())),
    }]);
    report_bound("roles load, 100,000 rules", loaded[0].1, "200 ms", 200.0 * MS);
}

/// What does not depend on the policy's size: a check of a subject that was made once, and of roles that
/// come as text each time.
fn bounds(size: &str, model: &Model) -> (f64, f64) {
    let policy = Policy::from_json(model.document().as_bytes()).unwrap();
    let subject = subject(&policy, model);
    let held = held(model);
    let questions = model.questions();
    for question in &questions {
        assert_eq!(subject.has(&question.permission, None), question.allowed);
        assert_eq!(policy.allows(&held, None, &question.permission, None), question.allowed);
    }
    let (mut asked, mut asked_again) = (questions.iter().cycle(), questions.iter().cycle());
    let measured = race(&mut [
        Runner {
            name: "subject",
            call: &mut || _ = black_box(subject.has(black_box(&next(&mut asked).permission), None)),
        },
        Runner {
            name: "strings",
            call: &mut || {
                let permission = black_box(&next(&mut asked_again).permission);
                _ = black_box(policy.allows(black_box(&held), None, permission, None));
            },
        },
    ]);
    let [(_, subject_ns), (_, strings_ns)] = measured[..] else { unreachable!() };
    report_bound(&format!("roles check from subject, {size}"), subject_ns, "60 ns", 60.0);
    report_bound(&format!("roles check from strings, {size}"), strings_ns, "300 ns", 300.0);
    (subject_ns, strings_ns)
}

/// The same questions of the same policy; all agree on every answer.
fn compare(model: &Model) {
    let policy = Policy::from_json(model.document().as_bytes()).unwrap();
    let subject = subject(&policy, model);
    let held = held(model);
    let (casbin, cedar) = (Casbin::new(model), Cedar::new(model));
    let questions = model.questions();
    let requests: Vec<_> = questions.iter().map(|question| cedar.request(question)).collect();
    for (question, request) in questions.iter().zip(&requests) {
        let answers = [casbin.allows(question), casbin.allows_cached(question), cedar.allows(request)];
        assert_eq!(answers, [question.allowed; 3]);
    }
    let mut asked = [(); 4].map(|()| questions.iter().cycle());
    let [asked_subject, asked_strings, asked_casbin, asked_cached] = &mut asked;
    let mut requests = requests.iter().cycle();
    let measured = race(&mut [
        Runner {
            name: "subject",
            call: &mut || _ = black_box(subject.has(black_box(&next(asked_subject).permission), None)),
        },
        Runner {
            name: "strings",
            call: &mut || {
                let permission = black_box(&next(asked_strings).permission);
                _ = black_box(policy.allows(black_box(&held), None, permission, None));
            },
        },
        Runner { name: "casbin 2", call: &mut || _ = black_box(casbin.allows(next(asked_casbin))) },
        Runner { name: "cedar-policy 4", call: &mut || _ = black_box(cedar.allows(next(&mut requests))) },
        Runner {
            name: "casbin 2, cached",
            call: &mut || _ = black_box(casbin.allows_cached(next(asked_cached))),
        },
    ]);
    let [ours @ .., casbin, cedar, cached] = &measured[..] else { unreachable!() };
    for (from, ours_ns) in ours {
        for ((peer, peer_ns), wanted) in
            [(casbin, Some(1.0 / 500.0)), (cedar, Some(1.0 / 500.0)), (cached, None)]
        {
            report(&format!("roles check from {from}, 100 rules"), *ours_ns, peer, *peer_ns, wanted);
        }
    }
}

fn held(model: &Model) -> Vec<&str> {
    model.held.iter().map(String::as_str).collect()
}

fn subject(policy: &Policy, model: &Model) -> Subject {
    policy.subject(held(model), None, None).unwrap()
}

fn next<T>(endless: &mut impl Iterator<Item = T>) -> T {
    endless.next().unwrap()
}
