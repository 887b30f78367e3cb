//! The policy document: read from JSON, every place named, and written in one canonical form.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::PolicyError;
use super::catalogue::MAX_CATALOGUE;
use super::permission::is_invisible;
use crate::json::{self, Limits, ObjectWriter, Value};

/// The longest policy document, in bytes.
pub const MAX_POLICY_LEN: usize = 16 << 20;

/// The most roles of a policy.
pub const MAX_ROLES: usize = 131_072;

/// The most grants, denials and inheritances of a policy, counted together.
pub const MAX_GRANTS: usize = 1_048_576;

/// The most constraints of one kind.
pub const MAX_CONSTRAINTS: usize = 4096;

/// The longest name of a role or a tenant, in bytes.
pub const MAX_NAME_LEN: usize = 128;

/// One role too many is read, so as to be counted.
const LIMITS: Limits = Limits { depth: 8, members: MAX_ROLES + 1 };

/// A document whose shape has been checked; what its names refer to has not.
#[derive(Debug, Default)]
pub(super) struct Document<'a> {
    pub(super) name: Option<Cow<'a, str>>,
    pub(super) permissions: Vec<Cow<'a, str>>,
    pub(super) roles: Vec<RoleEntry<'a>>,
    pub(super) constraints: Constraints<'a>,
}

#[derive(Debug, Default)]
pub(super) struct RoleEntry<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) description: Option<Cow<'a, str>>,
    pub(super) inherits: Vec<Cow<'a, str>>,
    pub(super) allow: Vec<Cow<'a, str>>,
    pub(super) deny: Vec<Cow<'a, str>>,
}

#[derive(Debug, Default)]
pub(super) struct Constraints<'a> {
    pub(super) static_separation: Vec<Separation<'a>>,
    pub(super) dynamic_separation: Vec<Separation<'a>>,
    pub(super) cardinality: Vec<Cardinality<'a>>,
}

/// Of these roles, at most so many together.
#[derive(Debug)]
pub(super) struct Separation<'a> {
    pub(super) roles: Vec<Cow<'a, str>>,
    pub(super) at_most: usize,
}

/// So many users at most have this role.
#[derive(Debug)]
pub(super) struct Cardinality<'a> {
    pub(super) role: Cow<'a, str>,
    pub(super) at_most: u64,
}

/// Whether `name` can be that of a role or a tenant.
pub(super) fn is_role_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_NAME_LEN
        && !name.chars().any(|c| is_invisible(c) || matches!(c, '@' | char::REPLACEMENT_CHARACTER))
}

impl<'a> Document<'a> {
    pub(super) fn from_json(text: &'a [u8]) -> Result<Self, PolicyError> {
        if text.len() > MAX_POLICY_LEN {
            return Err(PolicyError::TooLarge("the policy is over 16 MiB"));
        }
        // Names that repeat are found here, object by object, so that the refusal can say where.
        let policy = json::parse_repeating(text, LIMITS)?;
        let mut document = Self::default();
        let (mut has_permissions, mut has_roles) = (false, false);
        for (name, value) in members(policy, "")? {
            match &*name {
                "name" => document.name = Some(string(value, "name")?),
                "permissions" => {
                    has_permissions = true;
                    document.permissions = strings(value, "permissions")?;
                }
                "roles" => {
                    has_roles = true;
                    document.roles = roles(value)?;
                }
                "constraints" => document.constraints = constraints(value)?,
                other => return Err(unknown_member("", other)),
            }
        }
        if !has_permissions || !has_roles {
            let missing = if has_permissions { "roles" } else { "permissions" };
            return Err(PolicyError::refused(missing, "it is missing"));
        }
        document.check_sizes()?;
        Ok(document)
    }

    fn check_sizes(&self) -> Result<(), PolicyError> {
        let grants = |role: &RoleEntry<'_>| {
            role.allow.len().saturating_add(role.deny.len()).saturating_add(role.inherits.len())
        };
        if self.permissions.len() > MAX_CATALOGUE {
            return Err(PolicyError::TooLarge("over 65,536 permissions"));
        }
        if self.roles.iter().fold(0, |sum: usize, role| sum.saturating_add(grants(role))) > MAX_GRANTS {
            return Err(PolicyError::TooLarge("over 1,048,576 grants"));
        }
        Ok(())
    }

    /// The one text that this policy has, however it was written: members in a fixed order, names and
    /// lists sorted and without repetition, no white space, nothing that is empty.
    pub(super) fn canonical(&self) -> String {
        let mut out = String::new();
        let mut object = ObjectWriter::open(&mut out);
        if let Some(name) = &self.name {
            object.text("name", name);
        }
        object.raw("permissions", &list(&self.permissions));
        object.raw("roles", &self.canonical_roles());
        let constraints = self.constraints.canonical();
        if constraints != "{}" {
            object.raw("constraints", &constraints);
        }
        object.close();
        out
    }

    fn canonical_roles(&self) -> String {
        let mut roles: Vec<_> = self.roles.iter().collect();
        roles.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let mut out = String::new();
        let mut object = ObjectWriter::open(&mut out);
        for role in roles {
            object.raw(&role.name, &role.canonical());
        }
        object.close();
        out
    }
}

impl RoleEntry<'_> {
    fn canonical(&self) -> String {
        let mut out = String::new();
        let mut object = ObjectWriter::open(&mut out);
        if let Some(description) = &self.description {
            object.text("description", description);
        }
        for (name, entries) in [("inherits", &self.inherits), ("allow", &self.allow), ("deny", &self.deny)] {
            if !entries.is_empty() {
                object.raw(name, &list(entries));
            }
        }
        object.close();
        out
    }
}

impl Constraints<'_> {
    /// Each constraint as one line: `static_separation: at most 1 of approver, payer`.
    pub(super) fn texts(&self) -> Vec<String> {
        let separation = |kind: &'static str| {
            move |one: &Separation<'_>| {
                let mut roles: Vec<&str> = one.roles.iter().map(AsRef::as_ref).collect();
                roles.sort_unstable();
                roles.dedup();
                format!("{kind}: at most {} of {}", one.at_most, roles.join(", "))
            }
        };
        let cardinality =
            |one: &Cardinality<'_>| format!("cardinality: at most {} {}", one.at_most, one.role);
        let separations = self.static_separation.iter().map(separation("static_separation"));
        separations
            .chain(self.dynamic_separation.iter().map(separation("dynamic_separation")))
            .chain(self.cardinality.iter().map(cardinality))
            .collect()
    }

    fn canonical(&self) -> String {
        let separations = |of: &[Separation<'_>]| {
            let one = |separation: &Separation<'_>| {
                format!("{{\"roles\":{},\"at_most\":{}}}", list(&separation.roles), separation.at_most)
            };
            sorted_array(of.iter().map(one).collect())
        };
        let cardinality = |limit: &Cardinality<'_>| {
            let mut out = String::new();
            let mut object = ObjectWriter::open(&mut out);
            object.text("role", &limit.role).raw("at_most", &format!("{}", limit.at_most)).close();
            out
        };
        let mut out = String::new();
        let mut object = ObjectWriter::open(&mut out);
        for (name, of) in [
            ("static_separation", separations(&self.static_separation)),
            ("dynamic_separation", separations(&self.dynamic_separation)),
            ("cardinality", sorted_array(self.cardinality.iter().map(cardinality).collect())),
        ] {
            if of != "[]" {
                object.raw(name, &of);
            }
        }
        object.close();
        out
    }
}

fn list(texts: &[Cow<'_, str>]) -> String {
    let mut texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    texts.sort_unstable();
    texts.dedup();
    json::text_list(texts)
}

fn sorted_array(mut values: Vec<String>) -> String {
    values.sort_unstable();
    values.dedup();
    json::list(&values)
}

fn roles<'a>(value: Value<'a>) -> Result<Vec<RoleEntry<'a>>, PolicyError> {
    let mut roles = Vec::new();
    for (name, value) in members(value, "roles")? {
        let path = format!("roles.{name}");
        if !is_role_name(&name) {
            let path = format!("roles.{}", shortened(&name));
            let reason = "a role's name has 1 to 128 bytes, without `@` and invisible characters";
            return Err(PolicyError::refused(path, reason));
        }
        let mut role = RoleEntry { name, ..RoleEntry::default() };
        for (member, value) in members(value, &path)? {
            let place = || format!("{path}.{member}");
            match &*member {
                "description" => role.description = Some(string(value, &place())?),
                "inherits" => role.inherits = strings(value, &place())?,
                "allow" => role.allow = strings(value, &place())?,
                "deny" => role.deny = strings(value, &place())?,
                other => return Err(unknown_member(&path, other)),
            }
        }
        roles.push(role);
    }
    Ok(roles)
}

fn constraints<'a>(value: Value<'a>) -> Result<Constraints<'a>, PolicyError> {
    let mut constraints = Constraints::default();
    for (name, value) in members(value, "constraints")? {
        let path = format!("constraints.{name}");
        match &*name {
            "static_separation" => constraints.static_separation = each(value, &path, separation)?,
            "dynamic_separation" => constraints.dynamic_separation = each(value, &path, separation)?,
            "cardinality" => constraints.cardinality = each(value, &path, cardinality)?,
            other => return Err(unknown_member("constraints", other)),
        }
    }
    Ok(constraints)
}

fn separation<'a>(value: Value<'a>, path: &str) -> Result<Separation<'a>, PolicyError> {
    let mut roles = None;
    let mut at_most = 1;
    for (name, value) in members(value, path)? {
        match &*name {
            "roles" => roles = Some(strings(value, &format!("{path}.roles"))?),
            "at_most" => at_most = number(value, &format!("{path}.at_most"))?,
            other => return Err(unknown_member(path, other)),
        }
    }
    let roles = roles.ok_or_else(|| PolicyError::refused(format!("{path}.roles"), "it is missing"))?;
    let at_most = usize::try_from(at_most).unwrap_or(usize::MAX);
    Ok(Separation { roles, at_most })
}

fn cardinality<'a>(value: Value<'a>, path: &str) -> Result<Cardinality<'a>, PolicyError> {
    let (mut role, mut at_most) = (None, None);
    for (name, value) in members(value, path)? {
        match &*name {
            "role" => role = Some(string(value, &format!("{path}.role"))?),
            "at_most" => at_most = Some(number(value, &format!("{path}.at_most"))?),
            other => return Err(unknown_member(path, other)),
        }
    }
    match (role, at_most) {
        (Some(role), Some(at_most)) => Ok(Cardinality { role, at_most }),
        (None, _) => Err(PolicyError::refused(format!("{path}.role"), "it is missing")),
        (_, None) => Err(PolicyError::refused(format!("{path}.at_most"), "it is missing")),
    }
}

fn each<'a, T>(
    value: Value<'a>,
    path: &str,
    read: impl Fn(Value<'a>, &str) -> Result<T, PolicyError>,
) -> Result<Vec<T>, PolicyError> {
    let Value::Array(array) = value else { return Err(PolicyError::refused(path, "not a list")) };
    let mut out = Vec::new();
    for (index, value) in array.iter().enumerate() {
        if index >= MAX_CONSTRAINTS {
            return Err(PolicyError::TooLarge("over 4,096 constraints"));
        }
        let path = format!("{path}[{index}]");
        out.push(read(value, &path)?);
    }
    Ok(out)
}

/// The members of an object, each name once.
fn members<'a>(value: Value<'a>, path: &str) -> Result<Vec<(Cow<'a, str>, Value<'a>)>, PolicyError> {
    let Value::Object(object) = value else {
        return Err(PolicyError::refused(if path.is_empty() { "policy" } else { path }, "not an object"));
    };
    let members: Vec<_> = object.iter().map(|(name, value)| (name.decode(), value)).collect();
    let mut names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| matches!(pair, [a, b] if a == b)) {
        Some(twice) => {
            let name = twice.first().copied().unwrap_or_default();
            Err(PolicyError::refused(member_path(path, name), "it is there twice"))
        }
        None => Ok(members),
    }
}

fn string<'a>(value: Value<'a>, path: &str) -> Result<Cow<'a, str>, PolicyError> {
    match value {
        Value::Text(text) => Ok(text.decode()),
        _ => Err(PolicyError::refused(path, "not a string")),
    }
}

fn strings<'a>(value: Value<'a>, path: &str) -> Result<Vec<Cow<'a, str>>, PolicyError> {
    let Value::Array(array) = value else { return Err(PolicyError::refused(path, "not a list")) };
    let read = |(index, value)| match value {
        Value::Text(text) => Ok(text.decode()),
        _ => Err(PolicyError::refused(format!("{path}[{index}]"), "not a string")),
    };
    array.iter().enumerate().map(read).collect()
}

fn number(value: Value<'_>, path: &str) -> Result<u64, PolicyError> {
    let number = match value {
        Value::Number(number) => number.integer().and_then(|number| u64::try_from(number).ok()),
        _ => None,
    };
    number.filter(|&number| number > 0).ok_or_else(|| PolicyError::refused(path, "not a whole number from 1"))
}

fn unknown_member(path: &str, member: &str) -> PolicyError {
    PolicyError::refused(member_path(path, member), "no such member")
}

fn member_path(path: &str, member: &str) -> String {
    let member = shortened(member);
    if path.is_empty() { member } else { format!("{path}.{member}") }
}

/// A name that may be of any length and content, as a line of a log can bear it.
pub(super) fn shortened(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars().take(MAX_NAME_LEN) {
        match c {
            ' ' => out.push(c),
            c if is_invisible(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}
