//! Who inherits from whom: an order in which the inherited come first, or the cycle that forbids one.

use alloc::vec::Vec;

/// A role, by its place in the document.
pub(super) type RoleId = usize;

/// The longest chain of inheritance.
pub const MAX_INHERITANCE_DEPTH: usize = 64;

/// There is no such order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoOrder {
    /// Each role of the path inherits the next; the last is the first again.
    Cycle(Vec<RoleId>),
    /// A chain over [`MAX_INHERITANCE_DEPTH`], which ends in this role.
    TooDeep(RoleId),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    /// On the path that is being followed.
    Open,
    /// It and all that it inherits have been listed; the chain below it has so many roles.
    Done(usize),
}

/// The roles in an order in which each comes after those that it inherits.
pub(super) fn inherited_first(inherits: &[Vec<RoleId>]) -> Result<Vec<RoleId>, NoOrder> {
    let mut marks = alloc::vec![Mark::New; inherits.len()];
    let mut order = Vec::with_capacity(inherits.len());
    // The path is a stack of its own: a chain may be as long as the document.
    let mut path: Vec<(RoleId, usize)> = Vec::new();
    for start in 0..inherits.len() {
        if marks.get(start) == Some(&Mark::New) {
            path.push((start, 0));
        }
        while let Some((role, next)) = path.pop() {
            let parents = inherits.get(role).map_or(&[][..], Vec::as_slice);
            if let Some(&parent) = parents.get(next) {
                path.push((role, next.saturating_add(1)));
                set(&mut marks, role, Mark::Open);
                match marks.get(parent) {
                    Some(Mark::New) => path.push((parent, 0)),
                    Some(Mark::Open) => return Err(NoOrder::Cycle(cycle(&path, parent))),
                    _ => {}
                }
                continue;
            }
            let depth_of = |parent: &RoleId| match marks.get(*parent) {
                Some(&Mark::Done(depth)) => depth,
                _ => 0,
            };
            let depth = parents.iter().map(depth_of).max().unwrap_or(0).saturating_add(1);
            if depth > MAX_INHERITANCE_DEPTH {
                return Err(NoOrder::TooDeep(role));
            }
            set(&mut marks, role, Mark::Done(depth));
            order.push(role);
        }
    }
    Ok(order)
}

fn set(marks: &mut [Mark], role: RoleId, mark: Mark) {
    if let Some(slot) = marks.get_mut(role) {
        *slot = mark;
    }
}

fn cycle(path: &[(RoleId, usize)], back_to: RoleId) -> Vec<RoleId> {
    let roles = path.iter().map(|&(role, _)| role).skip_while(|&role| role != back_to);
    roles.chain([back_to]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn what_is_inherited_comes_first() {
        let order = inherited_first(&[vec![1, 2], vec![2], vec![], vec![0]]).unwrap();
        assert_eq!(order, [2, 1, 0, 3]);
    }

    #[test]
    fn a_cycle_is_named_whole() {
        assert_eq!(inherited_first(&[vec![1], vec![2], vec![1]]), Err(NoOrder::Cycle(vec![1, 2, 1])));
        assert_eq!(inherited_first(&[vec![0]]), Err(NoOrder::Cycle(vec![0, 0])));
    }

    #[test]
    fn a_long_chain_is_refused_without_recursion() {
        let chain = |len: usize| -> Vec<Vec<RoleId>> {
            (1..=len).map(|next| if next == len { vec![] } else { vec![next] }).collect()
        };
        assert!(inherited_first(&chain(MAX_INHERITANCE_DEPTH)).is_ok());
        assert!(matches!(inherited_first(&chain(100_000)), Err(NoOrder::TooDeep(_))));
    }
}
