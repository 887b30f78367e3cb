//! States of other limits, and damaged ones: nothing is given away by a change of configuration.

use alloc::vec::Vec;

use super::limits::Limits;
use super::one::Limit;
use super::state::{State, StateBuf, each_stored};

/// How a stored limit stood: used, and left.
#[derive(Clone, Copy)]
struct Old {
    period_s: u32,
    used: u32,
    left: u32,
}

/// The state of `limits` for a key that `state` was stored for.
///
/// A limit that was there already stays as it is. One that is new takes over from the one of its period, or
/// from all that are there no more: as much is used as was, and no more is left than was. One that is only
/// added counts what was used. A lock that is on stays on.
pub(super) fn converted(limits: &Limits, state: &[u8], now: u64) -> StateBuf {
    let mut next = StateBuf::new();
    let mut stored = Vec::new();
    if each_stored(state, |limit, state| stored.push((limit, state))).is_none() {
        for limit in limits.list() {
            State::with_used(limit, limit.capacity(), now).write(limit, &mut next);
        }
        return next;
    }
    let standing = |(limit, state): &(Limit, State)| {
        let used = state.meter().read(limit, now).used;
        Old { period_s: limit.period_s(), used, left: limit.capacity().saturating_sub(used) }
    };
    let old: Vec<Old> = stored.iter().map(standing).collect();
    for limit in limits.list() {
        if let Some((_, state)) = stored.iter().find(|(stored, _)| stored.tag() == limit.tag()) {
            state.write(limit, &mut next);
            continue;
        }
        let mut state = State::with_used(limit, used(limits, limit, &old).min(limit.capacity()), now);
        if let State::Lockout(lockout) = &mut state {
            for (_, stored) in &stored {
                if let State::Lockout(before) = stored {
                    lockout.take_over(*before);
                }
            }
        }
        state.write(limit, &mut next);
    }
    next
}

fn used(limits: &Limits, limit: &Limit, old: &[Old]) -> u32 {
    let takes_over = |old: Old| old.used.max(limit.capacity().saturating_sub(old.left));
    if let Some(same) = old.iter().find(|old| old.period_s == limit.period_s()) {
        return takes_over(*same);
    }
    let is_gone = |old: &&Old| limits.list().iter().all(|limit| limit.period_s() != old.period_s);
    let of_gone = old.iter().filter(is_gone).copied().map(takes_over).max();
    of_gone.or_else(|| old.iter().map(|old| old.used).max()).unwrap_or(0)
}
