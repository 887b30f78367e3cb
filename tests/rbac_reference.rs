//! The compiled policy against a slow, obvious evaluator: what a permission stands for is written out, name
//! by name, and every question is set arithmetic.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};

use donjon::rbac::{Mode, Permission, Policy, Reason};
use proptest::prelude::*;

/// The names of the little world. The last stands for every name that nobody wrote down.
const NAMES: [&str; 4] = ["a", "b", "c", "fresh"];
/// Longer than every permission of the little world, so that tails show.
const DEPTH: usize = 4;

type Concrete = Vec<&'static str>;

/// Every permission of the little world that `text` stands for.
fn stands_for(text: &str) -> BTreeSet<Concrete> {
    let segments: Vec<Vec<&str>> = text.split(':').map(|segment| segment.split(',').collect()).collect();
    let mut all: Vec<Concrete> = vec![vec![]];
    for depth in 0..DEPTH {
        let fits = |name: &str| match segments.get(depth) {
            None => true,
            Some(names) => names.contains(&"*") || names.contains(&name),
        };
        let fitting: Vec<&str> = NAMES.into_iter().filter(|name| fits(name)).collect();
        all =
            all.iter().flat_map(|begun| fitting.iter().map(|name| [&begun[..], &[*name]].concat())).collect();
    }
    all.into_iter().collect()
}

/// Whether the catalogue has all of `text`: every choice of its names leads to an entry.
fn is_known(catalogue: &[String], text: &str) -> bool {
    let mut choices: Vec<Vec<&str>> = vec![vec![]];
    for segment in text.split(':') {
        let names: Vec<&str> = segment.split(',').collect();
        let names = if names.contains(&"*") { vec!["*"] } else { names };
        choices = choices
            .iter()
            .flat_map(|begun| names.iter().map(|name| [&begun[..], &[*name]].concat()))
            .collect();
    }
    choices.iter().all(|choice| catalogue.iter().any(|entry| covers(choice, entry)))
}

fn covers(choice: &[&str], entry: &str) -> bool {
    let mut entry: Vec<&str> = entry.split(':').collect();
    let is_open = entry.pop_if(|last| *last == "{id}").is_some();
    let (shared, beyond) = choice.split_at(choice.len().min(entry.len()));
    let instance = usize::from(is_open).min(beyond.len());
    shared.iter().zip(&entry).all(|(own, name)| *own == "*" || own == name)
        && beyond[instance..].iter().all(|segment| *segment == "*")
}

#[derive(Debug, Clone)]
struct World {
    catalogue: Vec<String>,
    /// Roles inherit earlier ones only.
    roles: Vec<RoleSpec>,
}

#[derive(Debug, Clone)]
struct RoleSpec {
    inherits: BTreeSet<usize>,
    allow: Vec<String>,
    deny: Vec<String>,
}

impl World {
    fn document(&self) -> String {
        let roles: serde_json::Map<_, _> = self
            .roles
            .iter()
            .enumerate()
            .map(|(id, role)| {
                let inherits: Vec<_> = role.inherits.iter().map(|parent| format!("r{parent}")).collect();
                let value = serde_json::json!({"inherits": inherits, "allow": role.allow, "deny": role.deny});
                (format!("r{id}"), value)
            })
            .collect();
        serde_json::json!({"permissions": self.catalogue, "roles": roles}).to_string()
    }

    fn is_loadable(&self) -> bool {
        let mut grants = self.roles.iter().flat_map(|role| role.allow.iter().chain(&role.deny));
        grants.all(|grant| is_known(&self.catalogue, grant))
    }

    fn closure(&self, roles: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut closure = roles.clone();
        for id in (0..self.roles.len()).rev() {
            if closure.contains(&id) {
                closure.extend(&self.roles[id].inherits);
            }
        }
        closure
    }

    fn decide(&self, roles: &BTreeSet<usize>, token: Option<&[String]>, required: &str) -> Reason {
        if !is_known(&self.catalogue, required) {
            return Reason::UnknownPermission;
        }
        let wanted = stands_for(required);
        let held: Vec<_> = self.closure(roles).into_iter().map(|id| &self.roles[id]).collect();
        let denied =
            held.iter().any(|role| role.deny.iter().any(|deny| !stands_for(deny).is_disjoint(&wanted)));
        let allows = |grant: &String| stands_for(grant).is_superset(&wanted);
        if denied {
            Reason::Denied
        } else if !held.iter().any(|role| role.allow.iter().any(allows)) {
            Reason::Missing
        } else if token.is_some_and(|token| !token.iter().any(allows)) {
            Reason::TokenLacks
        } else {
            Reason::Granted
        }
    }
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&NAMES[..3])
}

fn entry() -> impl Strategy<Value = String> {
    (prop::collection::vec(name(), 1..=3), any::<bool>()).prop_map(|(names, is_open)| {
        let open = if is_open && names.len() < 3 { ":{id}" } else { "" };
        format!("{}{open}", names.join(":"))
    })
}

fn permission() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        6 => name().prop_map(str::to_owned),
        2 => prop::collection::vec(name(), 1..=3).prop_map(|names| names.join(",")),
        2 => Just("*".to_owned()),
        1 => Just("fresh".to_owned()),
    ];
    prop::collection::vec(segment, 1..=3).prop_map(|segments| segments.join(":"))
}

fn world() -> impl Strategy<Value = World> {
    let role = (
        prop::collection::btree_set(0_usize..4, 0..3),
        prop::collection::vec(permission(), 0..4),
        prop::collection::vec(permission(), 0..2),
    );
    (prop::collection::btree_set(entry(), 1..7), prop::collection::vec(role, 1..5)).prop_map(
        |(entries, roles)| {
            // `a` and `a:{id}` would declare one permission twice.
            let base = |entry: &str| entry.trim_end_matches(":{id}").to_owned();
            let once: BTreeMap<String, String> =
                entries.into_iter().map(|entry| (base(&entry), entry)).collect();
            // And what stands below an open permission could be an instance of it.
            let is_below_open = |entry: &str| {
                let entry = base(entry);
                let above = |text: &str| text.rsplit_once(':').map(|(above, _)| above.to_owned());
                std::iter::successors(above(&entry), |text| above(text))
                    .any(|above| once.get(&above).is_some_and(|above| above.ends_with(":{id}")))
            };
            let catalogue: Vec<String> =
                once.values().filter(|entry| !is_below_open(entry)).cloned().collect();
            let declared = catalogue.clone();
            let known = |grants: Vec<String>| -> Vec<String> {
                grants.into_iter().filter(|grant| is_known(&declared, grant)).collect()
            };
            let roles = roles.into_iter().enumerate().map(|(id, (inherits, allow, deny))| RoleSpec {
                inherits: inherits.into_iter().filter(|parent| *parent < id).collect(),
                allow: known(allow),
                deny: known(deny),
            });
            World { catalogue, roles: roles.collect() }
        },
    )
}

proptest! {
    #[test]
    fn implication_is_inclusion_and_intersection_is_sharing(a in permission(), b in permission()) {
        let (all_a, all_b) = (stands_for(&a), stands_for(&b));
        let (a, b) = (Permission::parse(&a).unwrap(), Permission::parse(&b).unwrap());
        prop_assert_eq!(a.implies(b), all_a.is_superset(&all_b));
        prop_assert_eq!(a.intersects(b), !all_a.is_disjoint(&all_b));
    }

    #[test]
    fn the_compiled_policy_decides_what_the_reference_decides(
        world in world(),
        roles in prop::collection::btree_set(0_usize..4, 0..3),
        token in prop::option::of(prop::collection::vec(permission(), 0..3)),
        required in permission(),
    ) {
        let policy = Policy::from_json(world.document().as_bytes()).unwrap();
        let roles: BTreeSet<usize> = roles.into_iter().filter(|role| *role < world.roles.len()).collect();
        let names: Vec<String> = roles.iter().map(|role| format!("r{role}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let tokens: Option<Vec<&str>> = token.as_ref().map(|token| token.iter().map(String::as_str).collect());
        let expected = world.decide(&roles, token.as_deref(), &required);
        let subject = policy.subject(names.iter().copied(), None, tokens.as_deref()).unwrap();

        prop_assert_eq!(subject.has(&required, None), expected == Reason::Granted);
        prop_assert_eq!(subject.explain(Mode::All, &[&required], None).reason, expected);
        if token.is_none() {
            prop_assert_eq!(policy.allows(&names, None, &required, None), expected == Reason::Granted);
        }
        if let Some((base, instance)) = required.rsplit_once(':') {
            let literal = !instance.contains(['*', ',']);
            let is_open = world.catalogue.iter().any(|entry| *entry == format!("{base}:{{id}}"));
            if literal && is_open {
                prop_assert_eq!(subject.has(base, Some(instance)), expected == Reason::Granted);
            } else {
                prop_assert!(!subject.has(base, Some(instance)));
            }
        }
    }

    #[test]
    fn what_is_listed_is_what_is_granted(
        world in world(),
        roles in prop::collection::btree_set(0_usize..4, 0..3),
        token in prop::option::of(prop::collection::vec(permission(), 0..3)),
    ) {
        let policy = Policy::from_json(world.document().as_bytes()).unwrap();
        let roles: BTreeSet<usize> = roles.into_iter().filter(|role| *role < world.roles.len()).collect();
        let names: Vec<String> = roles.iter().map(|role| format!("r{role}")).collect();
        let tokens: Option<Vec<&str>> = token.as_ref().map(|token| token.iter().map(String::as_str).collect());
        let subject = policy.subject(names.iter().map(String::as_str), None, tokens.as_deref()).unwrap();
        let listed: BTreeSet<String> = subject.permissions().into_iter().collect();
        for entry in &world.catalogue {
            let entry = entry.trim_end_matches(":{id}");
            let granted = world.decide(&roles, token.as_deref(), entry) == Reason::Granted;
            prop_assert_eq!(listed.contains(entry), granted, "{}", entry);
        }
        for entry in world.catalogue.iter().filter_map(|entry| entry.strip_suffix(":{id}")) {
            for name in NAMES {
                let instance = format!("{entry}:{name}");
                let is_listed = listed.contains(entry)
                    || listed.contains(&instance)
                    || (listed.contains(&format!("{entry}:*")) && !listed.contains(&format!("!{instance}")));
                let granted = world.decide(&roles, token.as_deref(), &instance) == Reason::Granted;
                prop_assert_eq!(is_listed, granted, "{} of {:?}", instance, listed);
            }
        }
        for text in listed.iter().filter(|text| !text.starts_with('!') && !text.ends_with(":*")) {
            prop_assert_eq!(world.decide(&roles, token.as_deref(), text), Reason::Granted, "{}", text);
        }
    }

    #[test]
    fn who_can_asks_every_role(world in world(), required in permission()) {
        let policy = Policy::from_json(world.document().as_bytes()).unwrap();
        let expected: BTreeSet<String> = (0..world.roles.len())
            .filter(|role| world.decide(&BTreeSet::from([*role]), None, &required) == Reason::Granted)
            .map(|role| format!("r{role}"))
            .collect();
        let can: BTreeSet<String> = policy.who_can(&required).into_iter().map(str::to_owned).collect();
        prop_assert_eq!(can, expected);
    }

    #[test]
    fn a_policy_loads_if_the_catalogue_has_all_that_it_grants(
        world in world(), extra in permission(), denies in any::<bool>(),
    ) {
        let mut world = world;
        let role = &mut world.roles[0];
        if denies { role.deny.push(extra) } else { role.allow.push(extra) }
        prop_assert_eq!(Policy::from_json(world.document().as_bytes()).is_ok(), world.is_loadable());
    }

    #[test]
    fn the_canonical_document_is_the_same_policy(world in world()) {
        let policy = Policy::from_json(world.document().as_bytes()).unwrap();
        let again = Policy::from_json(policy.document().as_bytes()).unwrap();
        prop_assert_eq!(policy.document(), again.document());
        prop_assert_eq!(policy.digest(), again.digest());
        prop_assert!(policy.diff(&again).unwrap().is_empty());
    }
}
