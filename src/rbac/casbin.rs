//! Importing a casbin CSV file of the plain RBAC model: `p, role, object, action[, allow|deny]` and
//! `g, user, role`.

use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::PolicyError;
use super::document::{Document, MAX_GRANTS, MAX_POLICY_LEN, RoleEntry, is_role_name};
use super::permission::is_name;
use super::policy::Policy;
use crate::json::{ObjectWriter, text_list};

/// A casbin file as a policy, and who has which role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CasbinImport {
    /// The policy, in its canonical form.
    pub policy: String,
    /// Per user the roles that the file gives him.
    pub assignments: BTreeMap<String, Vec<String>>,
}

#[derive(Default)]
struct Entries<'a> {
    permissions: BTreeSet<String>,
    allow: BTreeMap<&'a str, BTreeSet<String>>,
    deny: BTreeMap<&'a str, BTreeSet<String>>,
    members: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl CasbinImport {
    /// Reads a casbin CSV file. `p, editor, document, read` becomes the permission `document:read`,
    /// allowed to the role `editor`; `deny` in a fifth field denies it. In `g, ann, editor`, a name that
    /// stands on the right of some `g` or in a `p` is a role, and inherits; any other is a user. A user who
    /// has a `p` of his own besides a `g` becomes a role of his name that he alone is assigned; one who has
    /// nothing but a `p` cannot be told from a role, and is assigned nothing.
    ///
    /// # Errors
    /// - [`PolicyError::Casbin`]: another kind of line, a name that a permission or a role cannot have
    ///   (`*`, a colon, a comma, white space): other casbin models mean something else by them.
    /// - As [`Policy::from_json`] for what comes of it: a role that inherits itself, too many of them.
    pub fn from_csv(csv: &str) -> Result<Self, PolicyError> {
        if csv.len() > MAX_POLICY_LEN {
            return Err(PolicyError::TooLarge("the file is over 16 MiB"));
        }
        let mut entries = Entries::default();
        let csv = csv.strip_prefix('\u{feff}').unwrap_or(csv);
        for (index, line) in csv.lines().enumerate() {
            if index >= MAX_GRANTS {
                return Err(PolicyError::TooLarge("over 1,048,576 lines"));
            }
            let refused = |reason| PolicyError::Casbin { line: index.saturating_add(1), reason };
            entries.read(line).map_err(refused)?;
        }
        entries.finish()
    }

    /// `{"policy":{…},"assignments":{"ann":["editor"]}}`
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut assignments = String::new();
        let mut object = ObjectWriter::open(&mut assignments);
        for (user, roles) in &self.assignments {
            object.raw(user, &text_list(roles.iter().map(String::as_str)));
        }
        object.close();
        let mut out = String::new();
        ObjectWriter::open(&mut out).raw("policy", &self.policy).raw("assignments", &assignments).close();
        out
    }
}

impl<'a> Entries<'a> {
    fn read(&mut self, line: &'a str) -> Result<(), &'static str> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let fields: Vec<&str> = line.split(',').map(unquoted).collect();
        // A quoted comma would have been cut in two, and a doubled quote means one.
        if fields.iter().any(|field| field.contains('"')) {
            return Err("a quote inside a field");
        }
        match *fields {
            ["p", role, object, action] | ["p", role, object, action, "allow"] => {
                let permission = self.permission(object, action)?;
                self.allow.entry(role_name(role)?).or_default().insert(permission);
            }
            ["p", role, object, action, "deny"] => {
                let permission = self.permission(object, action)?;
                self.deny.entry(role_name(role)?).or_default().insert(permission);
            }
            ["g", member, role] => {
                self.members.entry(role_name(member)?).or_default().insert(role_name(role)?);
            }
            _ => return Err("not a `p` or `g` line of the plain RBAC model"),
        }
        Ok(())
    }

    fn permission(&mut self, object: &str, action: &str) -> Result<String, &'static str> {
        if !is_name(object) || !is_name(action) {
            return Err("an object or an action that is not one plain name");
        }
        let permission = format!("{object}:{action}");
        self.permissions.insert(permission.clone());
        Ok(permission)
    }

    fn finish(self) -> Result<CasbinImport, PolicyError> {
        let mut roles: BTreeSet<&str> = BTreeSet::new();
        roles.extend(self.allow.keys().chain(self.deny.keys()));
        roles.extend(self.members.values().flatten());
        let texts = |of: Option<&BTreeSet<String>>| -> Vec<Cow<'_, str>> {
            of.into_iter().flatten().map(|text| Cow::Owned(text.clone())).collect()
        };
        let inherits = |role: &str| -> Vec<Cow<'_, str>> {
            self.members.get(role).into_iter().flatten().map(|&of| Cow::Borrowed(of)).collect()
        };
        let document = Document {
            permissions: self.permissions.iter().map(|text| Cow::Borrowed(text.as_str())).collect(),
            roles: roles
                .iter()
                .map(|&role| RoleEntry {
                    name: Cow::Borrowed(role),
                    description: None,
                    inherits: inherits(role),
                    allow: texts(self.allow.get(role)),
                    deny: texts(self.deny.get(role)),
                })
                .collect(),
            ..Document::default()
        };
        let policy = document.canonical();
        Policy::from_json(policy.as_bytes())?;
        // A role that has members is a role; one that is only somebody's own is assigned to him.
        let mut with_members: BTreeSet<&str> = BTreeSet::new();
        with_members.extend(self.members.values().flatten());
        let mut assignments = BTreeMap::new();
        for (&member, of) in &self.members {
            if !roles.contains(member) {
                assignments.insert(member.into(), of.iter().map(|&role| role.into()).collect());
            } else if !with_members.contains(member) {
                assignments.insert(member.into(), alloc::vec![member.into()]);
            }
        }
        Ok(CasbinImport { policy, assignments })
    }
}

fn unquoted(field: &str) -> &str {
    let field = field.trim();
    field.strip_prefix('"').and_then(|field| field.strip_suffix('"')).unwrap_or(field)
}

fn role_name(name: &str) -> Result<&str, &'static str> {
    if is_role_name(name) { Ok(name) } else { Err("not the name of a role or a user") }
}
