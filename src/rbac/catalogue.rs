//! The catalogue: every permission that there is, and what a pattern means in it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::entries::{EntryId, EntrySet, Instance};
use super::permission::{MAX_PERMISSION_LEN, MAX_SEGMENTS, Permission, Segment, is_name};

/// The most permissions of a catalogue.
pub const MAX_CATALOGUE: usize = 65_536;

/// The most places of the catalogue that a permission, or the grants of a policy together, may lead past: a
/// second of work.
pub(super) const MAX_STEPS: usize = 1 << 23;

/// What an open entry ends in: `document:read:{id}`.
const OPEN_SUFFIX: &str = ":{id}";

/// An instance from a URL must not turn out to be another permission: with `document:{id}` and
/// `document:read`, who may see the document `read`?
const AMBIGUOUS: &str = "an instance of one permission would be another permission";

struct Entry {
    /// Without the instance segment.
    text: Box<str>,
    is_open: bool,
}

/// The catalogue's segments as a tree, so that a wildcard visits only what it matches.
#[derive(Default)]
struct Node {
    children: HashMap<Box<str>, usize>,
    entry: Option<EntryId>,
}

/// Every permission of a policy.
pub(super) struct Catalogue {
    entries: Vec<Entry>,
    by_text: HashMap<Box<str>, EntryId>,
    // INVARIANT: the first is the root; children come after their parents.
    nodes: Vec<Node>,
    /// The instances that grants name.
    instances: HashMap<Box<str>, u32>,
    instance_names: Vec<Box<str>>,
    /// Nodes that were looked at to find what grants mean.
    pub(super) steps: usize,
}

/// What a grant means in the catalogue.
#[derive(Debug)]
pub(super) struct Meaning {
    /// What it implies.
    pub(super) implied: Part,
    /// What it meets: the implied, and what lies above or below it.
    pub(super) met: Part,
    /// Entries that it meets at all, if only in one instance.
    pub(super) touched: EntrySet,
}

impl Meaning {
    /// What it takes, in bytes.
    pub(super) fn size(&self) -> usize {
        let part = |part: &Part| part.whole.size().saturating_add(size_of_val(&*part.instances));
        part(&self.implied).saturating_add(part(&self.met)).saturating_add(self.touched.size())
    }
}

/// A part of the catalogue.
#[derive(Debug)]
pub(super) struct Part {
    /// Entries, with all their instances.
    pub(super) whole: EntrySet,
    /// Single instances of open entries.
    pub(super) instances: Box<[Instance]>,
}

/// A permission that is asked for, found in the catalogue.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked<'a> {
    Entry(EntryId),
    /// `None`: an instance that no grant names.
    Instance(EntryId, Option<u32>),
    /// Lists, wildcards, or what stands above entries.
    Pattern(Permission<'a>),
}

/// Why it was not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotFound {
    Malformed,
    Unknown,
}

impl Catalogue {
    /// Reads the entries, in order.
    ///
    /// # Errors
    /// The place of the first bad one, and what is wrong with it.
    pub(super) fn new<'a>(
        texts: impl ExactSizeIterator<Item = &'a str>,
    ) -> Result<Self, (usize, &'static str)> {
        let mut this = Self {
            entries: Vec::with_capacity(texts.len()),
            by_text: HashMap::with_capacity(texts.len()),
            nodes: alloc::vec![Node::default()],
            instances: HashMap::new(),
            instance_names: Vec::new(),
            steps: 0,
        };
        for (index, text) in texts.enumerate() {
            this.insert(text).map_err(|reason| (index, reason))?;
        }
        Ok(this)
    }

    fn insert(&mut self, text: &str) -> Result<(), &'static str> {
        let (text, is_open) = match text.strip_suffix(OPEN_SUFFIX) {
            Some(text) => (text, true),
            None => (text, false),
        };
        let permission = Permission::parse(text).map_err(|error| error.0)?;
        if is_open && (permission.segments().count() >= MAX_SEGMENTS || text.len() >= MAX_PERMISSION_LEN - 1)
        {
            return Err("there is no room for an instance");
        }
        let id = EntryId::try_from(self.entries.len()).map_err(|_| "too many permissions")?;
        let mut at = 0;
        for segment in permission.segments() {
            if self.node_entry(at).is_some_and(|entry| self.is_open(entry)) {
                return Err(AMBIGUOUS);
            }
            if segment.is_wildcard() || segment.names().nth(1).is_some() {
                return Err("the catalogue names permissions one by one, without lists and wildcards");
            }
            let name = segment.names().next().unwrap_or_default();
            at = self.child(at, name);
        }
        let node = self.nodes.get_mut(at).ok_or("no such node")?;
        if is_open && !node.children.is_empty() {
            return Err(AMBIGUOUS);
        }
        if node.entry.replace(id).is_some() {
            return Err("the permission is there twice");
        }
        self.by_text.insert(text.into(), id);
        self.entries.push(Entry { text: text.into(), is_open });
        Ok(())
    }

    fn node_entry(&self, node: usize) -> Option<EntryId> {
        self.nodes.get(node)?.entry
    }

    fn child(&mut self, of: usize, name: &str) -> usize {
        let next = self.nodes.len();
        let Some(node) = self.nodes.get_mut(of) else { return 0 };
        if let Some(&child) = node.children.get(name) {
            return child;
        }
        node.children.insert(name.into(), next);
        self.nodes.push(Node::default());
        next
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = EntryId> + use<> {
        0..EntryId::try_from(self.entries.len()).unwrap_or(EntryId::MAX)
    }

    /// An entry as a requirement: without its open end.
    pub(super) fn text(&self, entry: EntryId) -> &str {
        self.entry(entry).map_or("", |entry| &entry.text)
    }

    /// An entry as the document declares it.
    pub(super) fn declaration(&self, entry: EntryId) -> String {
        let mut text = String::from(self.text(entry));
        if self.is_open(entry) {
            text.push_str(OPEN_SUFFIX);
        }
        text
    }

    pub(super) fn is_open(&self, entry: EntryId) -> bool {
        self.entry(entry).is_some_and(|entry| entry.is_open)
    }

    pub(super) fn instance_name(&self, instance: Instance) -> &str {
        let name = usize::try_from(instance.name).ok().and_then(|name| self.instance_names.get(name));
        name.map_or("", |name| name)
    }

    pub(super) fn instance_text(&self, instance: Instance) -> String {
        alloc::format!("{}:{}", self.text(instance.entry), self.instance_name(instance))
    }

    fn entry(&self, entry: EntryId) -> Option<&Entry> {
        self.entries.get(usize::try_from(entry).ok()?)
    }

    /// What a grant means; the names of its instances are numbered on the way.
    ///
    /// `None` if some part of it is nothing that the catalogue has.
    pub(super) fn intern(&mut self, grant: Permission<'_>) -> Option<Meaning> {
        let (found, covered) = self.look_up(grant);
        self.steps = self.steps.saturating_add(found.steps);
        if !covered {
            return None;
        }
        for &(_, name) in &found.met.instances {
            if !self.instances.contains_key(name) {
                let number = u32::try_from(self.instance_names.len()).ok()?;
                self.instances.insert(name.into(), number);
                self.instance_names.push(name.into());
            }
        }
        Some(self.finish(found))
    }

    /// What is found, and whether that is all of it.
    fn look_up<'a>(&self, permission: Permission<'a>) -> (Found<'a>, bool) {
        let mut found = Found::default();
        let segments: Vec<_> = permission.segments().collect();
        let root: Vec<&Node> = self.nodes.iter().take(1).collect();
        let covered = self.walk(&root, &segments, &mut found);
        (found, covered)
    }

    fn finish(&self, found: Found<'_>) -> Meaning {
        let part = |part: FoundPart<'_>| {
            let numbered =
                |&(entry, name): &(EntryId, &str)| Some(Instance { entry, name: *self.instances.get(name)? });
            let mut instances: Vec<_> = part.instances.iter().filter_map(numbered).collect();
            instances.sort_unstable();
            instances.dedup();
            Part { whole: EntrySet::new(part.whole, self.entries.len()), instances: instances.into() }
        };
        Meaning {
            implied: part(found.implied),
            met: part(found.met),
            touched: EntrySet::new(found.touched, self.entries.len()),
        }
    }

    /// Follows `segments` below these nodes; whether every choice of their names leads to something. As
    /// deep as a permission has segments, and no node is seen twice at one depth.
    fn walk<'a>(&self, at: &[&Node], segments: &[Segment<'a>], found: &mut Found<'a>) -> bool {
        if at.is_empty() {
            return false;
        }
        found.steps = found.steps.saturating_add(at.len());
        let Some((segment, rest)) = segments.split_first() else {
            at.iter().for_each(|node| self.take_all(node, found));
            return true;
        };
        found.steps = found.steps.saturating_add(at.len().saturating_mul(segment.names().count()));
        if found.steps > MAX_STEPS {
            return false;
        }
        // A trailing wildcard implies the shorter permission too.
        let ends = rest.iter().all(|segment| segment.is_wildcard());
        let here: Vec<EntryId> = at.iter().filter_map(|node| node.entry).collect();
        found.touched.extend_from_slice(&here);
        if segment.is_wildcard() {
            found.met.whole.extend_from_slice(&here);
            if ends {
                found.implied.whole.extend_from_slice(&here);
            }
            let children = at.iter().flat_map(|node| node.children.values());
            let below: Vec<&Node> = children.filter_map(|&child| self.nodes.get(child)).collect();
            return self.walk(&below, rest, found) || (ends && !here.is_empty());
        }
        let mut names: Vec<&str> = segment.names().collect();
        // Once each: `a,a:a,a:a,a…` would be followed twice as often with every segment.
        names.sort_unstable();
        names.dedup();
        let open: Vec<EntryId> = here.into_iter().filter(|&entry| self.is_open(entry)).collect();
        let implies_instances = ends && !open.is_empty();
        let mut covered = true;
        for name in names {
            let instances = open.iter().map(|&entry| (entry, name));
            found.met.instances.extend(instances.clone());
            if implies_instances {
                found.implied.instances.extend(instances);
            }
            let children = at.iter().filter_map(|node| node.children.get(name));
            let below: Vec<&Node> = children.filter_map(|&child| self.nodes.get(child)).collect();
            covered &= self.walk(&below, rest, found) || implies_instances;
        }
        covered
    }

    fn take_all(&self, node: &Node, found: &mut Found<'_>) {
        found.steps = found.steps.saturating_add(1);
        if let Some(entry) = node.entry {
            found.implied.whole.push(entry);
            found.met.whole.push(entry);
            found.touched.push(entry);
        }
        for child in node.children.values().filter_map(|&child| self.nodes.get(child)) {
            self.take_all(child, found);
        }
    }

    /// Finds a permission that is asked for, or its instance.
    #[inline]
    pub(super) fn find<'a>(&self, permission: &'a str) -> Result<Asked<'a>, NotFound> {
        match self.by_text.get(permission) {
            Some(&entry) => Ok(Asked::Entry(entry)),
            None => self.find_part(permission),
        }
    }

    /// Finds the instance of a permission. `instance` is one literal name, or nothing is found.
    pub(super) fn find_instance(&self, permission: &str, instance: &str) -> Result<Asked<'static>, NotFound> {
        let entry = self.by_text.get(permission).copied().filter(|&entry| self.is_open(entry));
        // The same limit as for the two written as one.
        let len = permission.len().saturating_add(instance.len()).saturating_add(1);
        if !is_name(instance) || len > MAX_PERMISSION_LEN {
            return Err(NotFound::Malformed);
        }
        Ok(Asked::Instance(entry.ok_or(NotFound::Unknown)?, self.instances.get(instance).copied()))
    }

    fn find_part<'a>(&self, text: &'a str) -> Result<Asked<'a>, NotFound> {
        let permission = Permission::parse(text).map_err(|_| NotFound::Malformed)?;
        // Below a closed entry there may be others: what stands between them is a pattern.
        let is_open = |entry: &str| self.by_text.get(entry).is_some_and(|&entry| self.is_open(entry));
        match text.rsplit_once(':') {
            Some((entry, instance)) if is_open(entry) && is_name(instance) => {
                return self.find_instance(entry, instance);
            }
            _ => {}
        }
        if self.look_up(permission).1 { Ok(Asked::Pattern(permission)) } else { Err(NotFound::Unknown) }
    }
}

/// A [`Meaning`] in the order of the walk, some of it twice.
#[derive(Default)]
struct Found<'a> {
    implied: FoundPart<'a>,
    met: FoundPart<'a>,
    touched: Vec<EntryId>,
    /// Nodes looked at.
    steps: usize,
}

#[derive(Default)]
struct FoundPart<'a> {
    whole: Vec<EntryId>,
    instances: Vec<(EntryId, &'a str)>,
}
