//! Sorting in little code, for what is sorted rarely: each use of the standard library's sorts is 6 to 18 KiB.

/// Sorts in place by heapsort: the order of equal items is not kept. `n log n` comparisons, twice those of
/// `sort_unstable_by`, whatever the items.
pub(crate) fn sort_by<T>(items: &mut [T], is_less: impl Fn(&T, &T) -> bool) {
    let greatest = |heap: &[T], nodes: [usize; 3]| {
        let present = nodes.into_iter().filter_map(|at| Some((at, heap.get(at)?)));
        present.reduce(|a, b| if is_less(a.1, b.1) { b } else { a }).map(|(at, _)| at)
    };
    // Lets an item sink to where neither of those below it is greater.
    let sink = |heap: &mut [T], mut at: usize| {
        loop {
            let below = at.saturating_mul(2);
            let nodes = [at, below.saturating_add(1), below.saturating_add(2)];
            let Some(next) = greatest(heap, nodes).filter(|&next| next != at) else { break };
            heap.swap(at, next);
            at = next;
        }
    };
    (0..items.len() / 2).rev().for_each(|at| sink(items, at));
    for end in (1..items.len()).rev() {
        items.swap(0, end);
        sink(items.split_at_mut(end).0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::sort_by;
    use alloc::vec::Vec;

    proptest::proptest! {
        #[test]
        fn it_sorts(mut items: Vec<u8>) {
            let mut expected = items.clone();
            expected.sort_unstable();
            sort_by(&mut items, |a, b| a < b);
            assert_eq!(items, expected);
        }
    }
}
