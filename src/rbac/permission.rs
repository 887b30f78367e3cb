//! A permission as it is written: colon-separated segments, each a name, a comma list of names, or `*`.

/// The longest permission, in bytes.
pub const MAX_PERMISSION_LEN: usize = 512;

/// The most segments of a permission.
pub const MAX_SEGMENTS: usize = 8;

/// The text is not a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a permission: {0}")]
pub struct MalformedPermission(pub(super) &'static str);

/// A checked permission, such as `document:read`, `document:read,update` or `document:*`.
///
/// It stands for every permission that it implies, as a wildcard permission of Apache Shiro does, except
/// that case and white space count: `document` implies `document:read`, which implies `document:read:42`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission<'a> {
    // INVARIANT: 1 to `MAX_SEGMENTS` segments of one or more names, none empty.
    text: &'a str,
}

impl<'a> Permission<'a> {
    /// Reads a permission.
    ///
    /// # Errors
    /// - [`MalformedPermission`]: empty, over [`MAX_PERMISSION_LEN`] or [`MAX_SEGMENTS`], an empty segment
    ///   or name, white space, a control character, a brace, `*` inside a name.
    pub fn parse(text: &'a str) -> Result<Self, MalformedPermission> {
        if text.len() > MAX_PERMISSION_LEN {
            return Err(MalformedPermission("over 512 bytes"));
        }
        let this = Self { text };
        if this.segments().count() > MAX_SEGMENTS {
            return Err(MalformedPermission("over 8 segments"));
        }
        for name in this.segments().flat_map(Segment::names) {
            if name != "*" {
                check_name(name)?;
            }
        }
        Ok(this)
    }

    /// The permission as it was written.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.text
    }

    /// Whether a grant of this permission grants all of `required`.
    #[must_use]
    pub fn implies(self, required: Self) -> bool {
        let mut required = required.segments();
        // What the requirement leaves open is everything: only a wildcard has that.
        self.segments().all(|granted| match required.next() {
            Some(required) => granted.contains(required),
            None => granted.is_wildcard(),
        })
    }

    /// Whether some permission is implied by both: a denial of one touches the other.
    #[must_use]
    pub fn intersects(self, other: Self) -> bool {
        // Past the shorter one's end everything is meant, so it meets the longer one's tail.
        self.segments().zip(other.segments()).all(|(a, b)| a.meets(b))
    }

    pub(super) fn segments(self) -> impl Iterator<Item = Segment<'a>> {
        self.text.split(':').map(Segment)
    }
}

/// One segment: a comma list of names.
#[derive(Clone, Copy)]
pub(super) struct Segment<'a>(&'a str);

impl<'a> Segment<'a> {
    pub(super) fn names(self) -> impl Iterator<Item = &'a str> {
        self.0.split(',')
    }

    pub(super) fn is_wildcard(self) -> bool {
        self.names().any(|name| name == "*")
    }

    fn has(self, name: &str) -> bool {
        self.names().any(|own| own == name)
    }

    fn contains(self, other: Self) -> bool {
        self.is_wildcard() || (!other.is_wildcard() && other.names().all(|name| self.has(name)))
    }

    fn meets(self, other: Self) -> bool {
        self.is_wildcard() || other.is_wildcard() || other.names().any(|name| self.has(name))
    }
}

/// Whether `text` is one literal name, and so may stand for an instance.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= MAX_PERMISSION_LEN && check_name(text).is_ok()
}

/// Whether nobody can see the character: white space, control, and what only formats. Two names that look
/// alike are two names.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control()
        || c.is_whitespace()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

fn check_name(name: &str) -> Result<(), MalformedPermission> {
    if name.is_empty() {
        return Err(MalformedPermission("an empty segment"));
    }
    if name.starts_with('!') {
        return Err(MalformedPermission(
            "a `!` at the start of a name: lists of permissions mark exceptions by it",
        ));
    }
    let mut chars = name.chars();
    let special = [':', ',', '*', '{', '}', char::REPLACEMENT_CHARACTER];
    match chars.find(|c| is_invisible(*c) || special.contains(c)) {
        None => Ok(()),
        Some('*') => Err(MalformedPermission("a wildcard inside a segment")),
        Some(char::REPLACEMENT_CHARACTER) => Err(MalformedPermission("text that was not UTF-8")),
        // A template that nobody filled in must not pass for a name.
        Some('{' | '}') => Err(MalformedPermission("a brace")),
        Some(_) => Err(MalformedPermission("an invisible character or a separator in a name")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn implies(granted: &str, required: &str) -> bool {
        Permission::parse(granted).unwrap().implies(Permission::parse(required).unwrap())
    }

    fn intersects(a: &str, b: &str) -> bool {
        let (a, b) = (Permission::parse(a).unwrap(), Permission::parse(b).unwrap());
        assert_eq!(a.intersects(b), b.intersects(a));
        a.intersects(b)
    }

    #[test]
    fn a_permission_implies_its_tails() {
        assert!(implies("document", "document:read"));
        assert!(implies("document:read", "document:read:42"));
        assert!(!implies("document:read:42", "document:read"));
        assert!(implies("*", "anything:at:all"));
    }

    #[test]
    fn trailing_wildcards_imply_the_shorter_permission() {
        assert!(implies("document:*", "document"));
        assert!(implies("document:read:*", "document:read"));
        assert!(!implies("document:read:42", "document"));
    }

    #[test]
    fn a_list_must_be_covered_whole() {
        assert!(implies("document:read,update", "document:update"));
        assert!(implies("document:read,update", "document:update,read"));
        assert!(!implies("document:read,update", "document:read,delete"));
        assert!(!implies("document:read,update", "document:*"));
        assert!(implies("document:read,*", "document:*"));
    }

    #[test]
    fn names_are_compared_whole_and_by_case() {
        for other in ["document:read_all", "Document:read", "documents:read", "document:rea"] {
            assert!(!implies("document:read", other), "{other}");
        }
        assert!(!implies("document", "documents"));
    }

    #[test]
    fn a_denial_meets_what_it_shares_a_permission_with() {
        assert!(intersects("document:delete", "document:*"));
        assert!(intersects("document:read:42", "document:read"));
        assert!(intersects("*:read", "document:read,update"));
        assert!(!intersects("document:delete", "document:read"));
        assert!(!intersects("*:*:7", "document:read:42"));
    }

    #[test]
    fn what_is_no_permission_is_refused() {
        for text in [
            "",
            ":",
            "::",
            "a:",
            ":a",
            "a::b",
            "a,",
            ",a",
            "a,,b",
            "doc*",
            "*doc",
            "a:**",
            " a",
            "a ",
            "a: b",
            "a\tb",
            "a\0",
            "a\u{7f}",
            "a\u{85}b",
            "a\u{a0}",
            "document:read:{id}",
            "1:2:3:4:5:6:7:8:9",
        ] {
            assert!(Permission::parse(text).is_err(), "{text:?}");
        }
        assert!(Permission::parse(&"a".repeat(MAX_PERMISSION_LEN)).is_ok());
        assert!(Permission::parse(&"a".repeat(MAX_PERMISSION_LEN + 1)).is_err());
        assert!(Permission::parse("1:2:3:4:5:6:7:8").is_ok());
    }
}
