//! A policy: a document whose names have all been found, compiled so that a question is a look-up.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use hashbrown::HashMap;
use sha2::{Digest as _, Sha256};

use super::PolicyError;
use super::catalogue::{Asked, Catalogue, MAX_STEPS, Meaning, NotFound};
use super::document::{Document, MAX_NAME_LEN, MAX_ROLES, RoleEntry, is_role_name, shortened};
use super::entries::{Bits, EntrySet, Instance};
use super::hierarchy::{NoOrder, RoleId, inherited_first};
use super::permission::Permission;
use super::separation::Constraints;
use super::subject::MAX_SUBJECT_ENTRIES;

/// The most memory that the effective rights of a policy may take, in bytes.
pub const MAX_COMPILED_LEN: usize = 64 << 20;

/// A loaded policy. It never changes: to replace it, load another and swap the two. Clones share it.
#[derive(Clone)]
pub struct Policy(pub(super) Arc<Compiled>);

pub(super) struct Compiled {
    pub(super) catalogue: Catalogue,
    pub(super) grants: Vec<Grant>,
    pub(super) roles: Vec<Role>,
    by_name: HashMap<Box<str>, RoleId>,
    pub(super) constraints: Constraints,
    document: String,
    digest: [u8; 32],
}

/// A permission as some role grants or denies it.
pub(super) struct Grant {
    pub(super) text: Box<str>,
    pub(super) meaning: Meaning,
}

/// A grant, by its place.
pub(super) type GrantId = usize;

pub(super) struct Role {
    pub(super) name: Box<str>,
    pub(super) inherits: Vec<RoleId>,
    pub(super) allow: Vec<GrantId>,
    pub(super) deny: Vec<GrantId>,
    /// What it comes to, with all that it inherits.
    pub(super) rights: Arc<Rights>,
}

/// The effective rights of a role.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rights {
    pub(super) allow: EntrySet,
    /// Denied with all instances.
    pub(super) deny: EntrySet,
    /// Denied in part or whole.
    pub(super) deny_met: EntrySet,
    pub(super) allow_instances: Box<[Instance]>,
    pub(super) deny_instances: Box<[Instance]>,
}

impl Policy {
    /// Loads a policy document. Closed world: what it grants, denies, inherits and constrains, it
    /// declares. Cost: a few hundred nanoseconds a grant.
    ///
    /// # Errors
    /// - [`PolicyError::Json`]: not strict JSON; a duplicate role is a duplicate member.
    /// - [`PolicyError::TooLarge`]: over a limit of [`super`], or over [`MAX_COMPILED_LEN`] once compiled.
    /// - [`PolicyError::Refused`]: anything else, with its place.
    pub fn from_json(document: &[u8]) -> Result<Self, PolicyError> {
        Self::compile(&Document::from_json(document)?)
    }

    fn compile(document: &Document<'_>) -> Result<Self, PolicyError> {
        let texts = document.permissions.iter().map(AsRef::as_ref);
        let catalogue = Catalogue::new(texts)
            .map_err(|(index, reason)| PolicyError::refused(format!("permissions[{index}]"), reason))?;
        let by_name = names(document)?;
        let mut grants = Grants { catalogue, by_text: HashMap::new(), all: Vec::new(), size: 0 };
        let mut roles = Vec::with_capacity(document.roles.len());
        let mut inherits = Vec::with_capacity(document.roles.len());
        let none = Arc::new(Rights::none());
        for role in &document.roles {
            inherits.push(parents(role, &by_name)?);
            roles.push(Role {
                name: (*role.name).into(),
                inherits: Vec::new(),
                allow: grants.of(role, "allow", &role.allow)?,
                deny: grants.of(role, "deny", &role.deny)?,
                rights: Arc::clone(&none),
            });
        }
        let order = inherited_first(&inherits).map_err(|no_order| refused_order(&no_order, document))?;
        for (role, parents) in roles.iter_mut().zip(inherits) {
            role.inherits = parents;
        }
        let Grants { catalogue, all: grants, size, .. } = grants;
        compile_rights(&mut roles, &order, &grants, catalogue.len(), size)?;
        let constraints = Constraints::new(&document.constraints, |name| by_name.get(name).copied())?;
        let document = document.canonical();
        let digest = Sha256::digest(document.as_bytes()).into();
        Ok(Self(Arc::new(Compiled { catalogue, grants, roles, by_name, constraints, document, digest })))
    }

    /// The policy in its canonical form: a JSON document that [`Policy::from_json`] reads, the same for
    /// every way of writing the policy.
    #[must_use]
    pub fn document(&self) -> &str {
        &self.0.document
    }

    /// SHA-256 of [`Policy::document`]: two hosts with one digest decide alike.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.0.digest
    }

    /// Whether a check of `permission` can ever be granted: for a service to ask when it starts. A last
    /// segment in braces, as in `document:read:{id}`, stands for any instance.
    ///
    /// # Errors
    /// - [`UnknownPermission::Malformed`]: not a permission.
    /// - [`UnknownPermission::Unknown`]: the catalogue has no such permission.
    pub fn check_permission(&self, permission: &str) -> Result<(), UnknownPermission> {
        let found = match permission.strip_suffix('}').and_then(|text| text.rsplit_once(":{")) {
            // Whatever stands for the instance is one name, which an instance can be.
            Some((permission, parameter)) => self.0.catalogue.find_instance(permission, parameter),
            None => self.0.catalogue.find(permission),
        };
        found.map(|_| ()).map_err(|not_found| match not_found {
            NotFound::Malformed => UnknownPermission::Malformed,
            NotFound::Unknown => UnknownPermission::Unknown,
        })
    }

    /// Whether the policy has this role.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.role(role).is_some()
    }

    /// The names of the roles, in the order of the document.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.0.roles.iter().map(|role| &*role.name)
    }

    /// Whether these roles allow `permission`: [`super::Subject::has`] without making a subject first.
    /// No roles that exclude each other allow anything. `tenant`, `instance`: as there.
    #[must_use]
    pub fn allows(
        &self,
        roles: &[&str],
        tenant: Option<&str>,
        permission: &str,
        instance: Option<&str>,
    ) -> bool {
        let Ok(asked) = self.find(permission, instance) else { return false };
        let is_plain = self.0.constraints.is_empty()
            && tenant.is_none_or(is_role_name)
            && roles.len() <= MAX_SUBJECT_ENTRIES;
        if !is_plain || matches!(asked, Asked::Pattern(_)) {
            let subject = self.subject(roles.iter().copied(), tenant, None);
            return subject.is_ok_and(|subject| subject.has(permission, instance));
        }
        let (mut allowed, mut denied) = (false, false);
        for role in roles {
            if let Found::Active(role) = self.active(role, tenant) {
                let rights = &self.0.roles.get(role).map(|role| &role.rights);
                allowed |= rights.is_some_and(|rights| rights.allows(asked));
                denied |= rights.is_none_or(|rights| rights.denies(asked));
            }
        }
        allowed && !denied
    }

    #[inline]
    pub(super) fn find<'a>(
        &self,
        permission: &'a str,
        instance: Option<&str>,
    ) -> Result<Asked<'a>, NotFound> {
        match instance {
            None => self.0.catalogue.find(permission),
            Some(instance) => self.0.catalogue.find_instance(permission, instance),
        }
    }

    pub(super) fn role(&self, name: &str) -> Option<RoleId> {
        self.0.by_name.get(name).copied()
    }

    pub(super) fn role_name(&self, role: RoleId) -> &str {
        self.0.roles.get(role).map_or("", |role| &role.name)
    }

    /// What a subject's role comes to in a check in `tenant`.
    pub(super) fn active(&self, role: &str, tenant: Option<&str>) -> Found {
        if let Some(role) = self.role(role) {
            return Found::Active(role);
        }
        match role.split_once('@').and_then(|(name, of)| Some((self.role(name)?, of))) {
            Some((role, of)) if Some(of) == tenant => Found::Active(role),
            Some((_, of)) if is_role_name(of) => Found::Elsewhere,
            _ => Found::Unknown,
        }
    }

    /// These roles and all that they inherit, sorted, each once.
    pub(super) fn closure(&self, roles: &[RoleId]) -> Vec<RoleId> {
        let mut seen = alloc::vec![false; self.0.roles.len()];
        let mut closure = Vec::new();
        let mut rest = roles.to_vec();
        while let Some(role) = rest.pop() {
            if seen.get_mut(role).is_some_and(|seen| !core::mem::replace(seen, true)) {
                closure.push(role);
                rest.extend(self.0.roles.get(role).into_iter().flat_map(|role| &role.inherits));
            }
        }
        closure.sort_unstable();
        closure
    }
}

/// The digest alone: documents are long.
impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").field("digest", &self.0.digest).finish_non_exhaustive()
    }
}

/// A role of a subject, in a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Active(RoleId),
    /// Of another tenant, or of one where the check has none.
    Elsewhere,
    Unknown,
}

/// A permission that no check can grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnknownPermission {
    /// Not a permission.
    #[error("not a permission")]
    Malformed,
    /// The catalogue has no such permission.
    #[error("the catalogue has no such permission")]
    Unknown,
}

impl Rights {
    fn none() -> Self {
        let none = || EntrySet::Few(Box::default());
        Self {
            allow: none(),
            deny: none(),
            deny_met: none(),
            allow_instances: Box::default(),
            deny_instances: Box::default(),
        }
    }

    /// Patterns are not answered from here: they have grants that cover them as a whole.
    fn allows(&self, asked: Asked<'_>) -> bool {
        match asked {
            Asked::Entry(entry) => self.allow.contains(entry),
            Asked::Instance(entry, name) => {
                self.allow.contains(entry) || has_instance(&self.allow_instances, entry, name)
            }
            Asked::Pattern(_) => false,
        }
    }

    fn denies(&self, asked: Asked<'_>) -> bool {
        match asked {
            Asked::Entry(entry) => self.deny_met.contains(entry),
            Asked::Instance(entry, name) => {
                self.deny.contains(entry) || has_instance(&self.deny_instances, entry, name)
            }
            Asked::Pattern(_) => true,
        }
    }

    fn size(&self) -> usize {
        [
            self.allow.size(),
            self.deny.size(),
            self.deny_met.size(),
            size_of_val(&*self.allow_instances),
            size_of_val(&*self.deny_instances),
        ]
        .into_iter()
        .sum()
    }
}

pub(super) fn has_instance(among: &[Instance], entry: u32, name: Option<u32>) -> bool {
    name.is_some_and(|name| among.binary_search(&Instance { entry, name }).is_ok())
}

/// The instances of one entry, of a sorted list.
pub(super) fn of_entry(among: &[Instance], entry: u32) -> &[Instance] {
    let start = among.partition_point(|instance| instance.entry < entry);
    let end = among.partition_point(|instance| instance.entry <= entry);
    among.get(start..end).unwrap_or_default()
}

fn names(document: &Document<'_>) -> Result<HashMap<Box<str>, RoleId>, PolicyError> {
    if document.roles.len() > MAX_ROLES {
        return Err(PolicyError::TooLarge("over 131,072 roles"));
    }
    Ok(document.roles.iter().enumerate().map(|(id, role)| (Box::from(&*role.name), id)).collect())
}

fn parents(role: &RoleEntry<'_>, by_name: &HashMap<Box<str>, RoleId>) -> Result<Vec<RoleId>, PolicyError> {
    let find = |(index, parent): (usize, &Cow<'_, str>)| {
        by_name.get(&**parent).copied().ok_or_else(|| {
            let path = format!("roles.{}.inherits[{index}]", role.name);
            PolicyError::refused(path, format!("no such role: `{}`", shortened(parent)))
        })
    };
    let mut parents: Vec<RoleId> = role.inherits.iter().enumerate().map(find).collect::<Result<_, _>>()?;
    parents.sort_unstable();
    parents.dedup();
    Ok(parents)
}

fn refused_order(no_order: &NoOrder, document: &Document<'_>) -> PolicyError {
    let name = |role: &RoleId| document.roles.get(*role).map_or("", |role| &*role.name);
    match no_order {
        NoOrder::Cycle(path) => {
            let first = path.first().map_or("", name);
            // A cycle may be as long as the document; a message may not.
            let names: Vec<_> = path.iter().take(MAX_NAME_LEN).map(name).collect();
            let more = if names.len() < path.len() { " → …" } else { "" };
            let reason = format!("the role inherits itself: {}{more}", names.join(" → "));
            PolicyError::refused(format!("roles.{first}.inherits"), reason)
        }
        NoOrder::TooDeep(role) => {
            let path = format!("roles.{}.inherits", name(role));
            PolicyError::refused(path, "roles inherit one another more than 64 deep")
        }
    }
}

/// The grants found so far: one of each text.
struct Grants<'a> {
    catalogue: Catalogue,
    by_text: HashMap<&'a str, GrantId>,
    all: Vec<Grant>,
    /// What their meanings take, in bytes.
    size: usize,
}

impl<'a> Grants<'a> {
    fn of(
        &mut self,
        role: &RoleEntry<'_>,
        member: &str,
        texts: &'a [Cow<'_, str>],
    ) -> Result<Vec<GrantId>, PolicyError> {
        let mut out = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            let grant = self.grant(text);
            // First, for what takes too long is not looked for to the end.
            if self.catalogue.steps > MAX_STEPS || self.size > MAX_COMPILED_LEN {
                return Err(PolicyError::TooLarge("its wildcards and lists stand for too much"));
            }
            out.push(grant.map_err(|reason| {
                let path = format!("roles.{}.{member}[{index}]", role.name);
                PolicyError::refused(path, format!("{reason}: `{}`", shortened(text)))
            })?);
        }
        out.sort_unstable();
        out.dedup();
        Ok(out)
    }

    fn grant(&mut self, text: &'a str) -> Result<GrantId, &'static str> {
        if let Some(&known) = self.by_text.get(text) {
            return Ok(known);
        }
        let permission = Permission::parse(text).map_err(|error| error.0)?;
        let meaning = self.catalogue.intern(permission).ok_or("not in the catalogue")?;
        self.size = self.size.saturating_add(meaning.size());
        let id = self.all.len();
        self.all.push(Grant { text: text.into(), meaning });
        self.by_text.insert(text, id);
        Ok(id)
    }
}

fn compile_rights(
    roles: &mut [Role],
    order: &[RoleId],
    grants: &[Grant],
    entries: usize,
    mut size: usize,
) -> Result<(), PolicyError> {
    let mut scratch = Scratch::new(entries);
    for &id in order {
        let Some(role) = roles.get(id) else { continue };
        let inherited = |parent: &RoleId| roles.get(*parent).map(|parent| &parent.rights);
        // A role that only renames another shares its rights.
        let rights = match (&*role.inherits, &*role.allow, &*role.deny) {
            ([parent], [], []) => inherited(parent).map(Arc::clone),
            _ => None,
        };
        let rights = rights.unwrap_or_else(|| {
            scratch.clear();
            scratch.inherit_all(role.inherits.iter().filter_map(inherited));
            role.allow.iter().filter_map(|&grant| grants.get(grant)).for_each(|grant| scratch.allow(grant));
            role.deny.iter().filter_map(|&grant| grants.get(grant)).for_each(|grant| scratch.deny(grant));
            let rights = scratch.finish();
            size = size.saturating_add(rights.size());
            Arc::new(rights)
        });
        if size > MAX_COMPILED_LEN {
            return Err(PolicyError::TooLarge("the compiled policy is over 64 MiB"));
        }
        if let Some(role) = roles.get_mut(id) {
            role.rights = rights;
        }
    }
    Ok(())
}

/// Rights in the making. Also what a subject of several roles comes to.
pub(super) struct Scratch {
    pub(super) allow: Bits,
    pub(super) deny: Bits,
    pub(super) deny_met: Bits,
    pub(super) allow_instances: Vec<Instance>,
    pub(super) deny_instances: Vec<Instance>,
}

impl Scratch {
    pub(super) fn new(entries: usize) -> Self {
        Self {
            allow: Bits::none(entries),
            deny: Bits::none(entries),
            deny_met: Bits::none(entries),
            allow_instances: Vec::new(),
            deny_instances: Vec::new(),
        }
    }

    fn clear(&mut self) {
        self.allow.clear();
        self.deny.clear();
        self.deny_met.clear();
        self.allow_instances.clear();
        self.deny_instances.clear();
    }

    /// Takes over rights; those that several roles share, once.
    pub(super) fn inherit_all<'a>(&mut self, rights: impl Iterator<Item = &'a Arc<Rights>>) {
        let mut rights: Vec<&Arc<Rights>> = rights.collect();
        rights.sort_unstable_by_key(|rights| Arc::as_ptr(rights));
        rights.dedup_by_key(|rights| Arc::as_ptr(rights));
        let mut sorted_len = 0_usize;
        for rights in rights {
            self.inherit(rights);
            // Sorted whenever it may have doubled, so that it never takes twice what it comes to.
            let len = self.allow_instances.len().saturating_add(self.deny_instances.len());
            if len > sorted_len.saturating_mul(2).saturating_add(1024) {
                self.sort();
                sorted_len = self.allow_instances.len().saturating_add(self.deny_instances.len());
            }
        }
    }

    fn inherit(&mut self, rights: &Rights) {
        self.allow.add(&rights.allow);
        self.deny.add(&rights.deny);
        self.deny_met.add(&rights.deny_met);
        self.allow_instances.extend_from_slice(&rights.allow_instances);
        self.deny_instances.extend_from_slice(&rights.deny_instances);
    }

    fn allow(&mut self, grant: &Grant) {
        self.allow.add(&grant.meaning.implied.whole);
        self.allow_instances.extend_from_slice(&grant.meaning.implied.instances);
    }

    fn deny(&mut self, grant: &Grant) {
        self.deny.add(&grant.meaning.met.whole);
        self.deny_met.add(&grant.meaning.touched);
        self.deny_instances.extend_from_slice(&grant.meaning.met.instances);
    }

    /// Puts the instances in order, each once.
    pub(super) fn sort(&mut self) {
        for instances in [&mut self.allow_instances, &mut self.deny_instances] {
            instances.sort_unstable();
            instances.dedup();
        }
    }

    fn finish(&mut self) -> Rights {
        self.sort();
        Rights {
            allow: EntrySet::of(&self.allow),
            deny: EntrySet::of(&self.deny),
            deny_met: EntrySet::of(&self.deny_met),
            allow_instances: (&*self.allow_instances).into(),
            deny_instances: (&*self.deny_instances).into(),
        }
    }
}
