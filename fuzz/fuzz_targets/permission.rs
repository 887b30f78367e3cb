//! Two permissions, one a line, against what they mean: a set of names, or everything, in each of the
//! segments that a permission can have.
#![no_main]

use std::collections::BTreeSet;

use donjon::rbac::{MAX_PERMISSION_LEN, MAX_SEGMENTS, Permission};
use libfuzzer_sys::fuzz_target;

/// `None` is everything.
type Meaning<'a> = Vec<Option<BTreeSet<&'a str>>>;

fuzz_target!(|text: &str| {
    let (a, b) = text.split_once('\n').unwrap_or((text, text));
    let meanings = [a, b].map(|text| {
        let meaning = meaning(text);
        assert_eq!(Permission::parse(text).is_ok(), meaning.is_some(), "{text:?}");
        meaning
    });
    let [Some(mine), Some(other)] = meanings else { return };
    let (a, b) = (Permission::parse(a).unwrap(), Permission::parse(b).unwrap());
    assert_eq!(Permission::parse(a.as_str()), Ok(a));
    assert!(a.implies(a) && a.intersects(a));

    let implies = mine.iter().zip(&other).all(|(mine, other)| match (mine, other) {
        (None, _) => true,
        (Some(mine), Some(other)) => mine.is_superset(other),
        (Some(_), None) => false,
    });
    assert_eq!(a.implies(b), implies, "{a:?} {b:?}");
    let intersects = mine.iter().zip(&other).all(|(mine, other)| match (mine, other) {
        (Some(mine), Some(other)) => !mine.is_disjoint(other),
        _ => true,
    });
    assert_eq!(a.intersects(b), intersects, "{a:?} {b:?}");
    assert_eq!(b.intersects(a), intersects, "{a:?} {b:?}");
});

fn meaning(text: &str) -> Option<Meaning<'_>> {
    let is_name = |name: &&str| {
        let is_seen = |c: char| !c.is_whitespace() && !c.is_control() && !is_format(c);
        let is_plain = |c: char| is_seen(c) && !"*{}\u{fffd}".contains(c);
        let is_start = |c: char| is_plain(c) && c != '!';
        *name == "*" || (name.starts_with(is_start) && name.chars().all(is_plain))
    };
    let mut meaning: Meaning<'_> = text
        .split(':')
        .map(|segment| {
            let names: BTreeSet<&str> = segment.split(',').collect();
            let is_read = names.iter().all(is_name);
            is_read.then(|| if names.contains("*") { None } else { Some(names) })
        })
        .collect::<Option<_>>()?;
    let is_short = text.len() <= MAX_PERMISSION_LEN && meaning.len() <= MAX_SEGMENTS;
    meaning.resize(MAX_SEGMENTS, None);
    is_short.then_some(meaning)
}

/// What changes how a text is shown and shows nothing itself: the joiners, marks, embeddings and tags of
/// Unicode's category Cf.
fn is_format(c: char) -> bool {
    const RANGES: [(u32, u32); 8] = [
        (0xAD, 0xAD),
        (0x61C, 0x61C),
        (0x180E, 0x180E),
        (0x200B, 0x200F),
        (0x202A, 0x202E),
        (0x2060, 0x206F),
        (0xFEFF, 0xFEFF),
        (0xE0000, 0xE007F),
    ];
    RANGES.iter().any(|(first, last)| (*first..=*last).contains(&u32::from(c)))
}
