//! What a hash costs: Argon2's memory, passes and lanes (RFC 9106 §3.1), inside bounds.

use super::PasswordError;

/// The most memory of one hash, in KiB: 2 GiB, RFC 9106's first recommendation.
pub const MAX_MEMORY_KIB: u32 = 2_097_152;

/// The most passes over the memory.
pub const MAX_TIME_COST: u32 = 100;

/// The most lanes.
pub const MAX_PARALLELISM: u32 = 16;

/// The most work, in KiB times passes: four passes over [`MAX_MEMORY_KIB`].
pub const MAX_WORK: u64 = 1 << 23;

/// RFC 9106 §3.1 wants eight blocks of 1 KiB per lane at least.
const MIN_KIB_PER_LANE: u32 = 8;

/// OWASP's equivalent minimums of memory in KiB and passes (Password Storage Cheat Sheet).
const OWASP_MINIMUMS: [(u32, u32); 5] = [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];

/// What one Argon2 hash costs. Inside the bounds of this module.
///
/// Lanes are computed one after the other: more of them cost an attacker nothing and the host no time.
/// They are there for hashes that were made elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Params {
    memory_kib: u32,
    time_cost: u32,
    parallelism: u32,
}

impl Params {
    /// 64 MiB, three passes, one lane.
    pub const DEFAULT: Self = Self { memory_kib: 65_536, time_cost: 3, parallelism: 1 };
    /// OWASP's recommendation: 19 MiB, two passes.
    pub const OWASP: Self = Self { memory_kib: 19_456, time_cost: 2, parallelism: 1 };
    /// RFC 9106's first recommendation: 2 GiB, one pass, four lanes.
    pub const RFC9106: Self = Self { memory_kib: MAX_MEMORY_KIB, time_cost: 1, parallelism: 4 };
    /// RFC 9106's second recommendation: 64 MiB, three passes, four lanes.
    pub const RFC9106_LOW_MEMORY: Self = Self { memory_kib: 65_536, time_cost: 3, parallelism: 4 };

    /// The preset of this name: `default`, `owasp`, `rfc9106` or `rfc9106-low-memory`.
    #[must_use]
    pub fn preset(name: &str) -> Option<Self> {
        match name {
            "default" => Some(Self::DEFAULT),
            "owasp" => Some(Self::OWASP),
            "rfc9106" => Some(Self::RFC9106),
            "rfc9106-low-memory" => Some(Self::RFC9106_LOW_MEMORY),
            _ => None,
        }
    }

    /// Parameters, strong or weak, inside the bounds.
    ///
    /// # Errors
    /// - [`PasswordError::ParamsOutOfBounds`]: over [`MAX_MEMORY_KIB`], [`MAX_TIME_COST`],
    ///   [`MAX_PARALLELISM`] or [`MAX_WORK`]; zero; under 8 KiB per lane.
    pub fn new(memory_kib: u32, time_cost: u32, parallelism: u32) -> Result<Self, PasswordError> {
        let is_bounded = memory_kib <= MAX_MEMORY_KIB
            && (1..=MAX_TIME_COST).contains(&time_cost)
            && (1..=MAX_PARALLELISM).contains(&parallelism)
            && memory_kib >= parallelism.saturating_mul(MIN_KIB_PER_LANE)
            && u64::from(memory_kib).saturating_mul(u64::from(time_cost)) <= MAX_WORK;
        is_bounded
            .then_some(Self { memory_kib, time_cost, parallelism })
            .ok_or(PasswordError::ParamsOutOfBounds)
    }

    /// The memory of one hash, in KiB.
    #[must_use]
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// The passes over the memory.
    #[must_use]
    pub const fn time_cost(self) -> u32 {
        self.time_cost
    }

    /// The lanes.
    #[must_use]
    pub const fn parallelism(self) -> u32 {
        self.parallelism
    }

    /// Whether they are weaker than every one of OWASP's equivalent minimums.
    #[must_use]
    pub fn is_weak(self) -> bool {
        !OWASP_MINIMUMS
            .iter()
            .any(|&(memory_kib, time_cost)| self.memory_kib >= memory_kib && self.time_cost >= time_cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_is_the_last_value_that_passes() {
        for (memory_kib, time_cost, parallelism) in
            [(8, 1, 1), (128, 1, 16), (MAX_MEMORY_KIB, 4, 1), (83_886, 100, 1), (65_536, 3, 16)]
        {
            assert!(Params::new(memory_kib, time_cost, parallelism).is_ok(), "{memory_kib} {time_cost}");
        }
        for (memory_kib, time_cost, parallelism) in [
            (7, 1, 1),
            (127, 1, 16),
            (MAX_MEMORY_KIB + 1, 1, 1),
            (MAX_MEMORY_KIB, 5, 1),
            (83_887, 100, 1),
            (65_536, 0, 1),
            (65_536, 101, 1),
            (65_536, 3, 0),
            (65_536, 3, 17),
            (u32::MAX, u32::MAX, u32::MAX),
        ] {
            let refused = Params::new(memory_kib, time_cost, parallelism);
            assert_eq!(refused, Err(PasswordError::ParamsOutOfBounds), "{memory_kib} {time_cost}");
        }
    }

    #[test]
    fn weak_is_what_every_line_of_the_list_is_stronger_than() {
        let is_weak = |memory_kib, time_cost| Params::new(memory_kib, time_cost, 1).unwrap().is_weak();
        for (memory_kib, time_cost) in OWASP_MINIMUMS {
            assert!(!is_weak(memory_kib, time_cost));
            assert!(is_weak(memory_kib - 1, time_cost));
        }
        assert!(is_weak(7_167, 100));
        for name in ["default", "owasp", "rfc9106", "rfc9106-low-memory"] {
            let Params { memory_kib, time_cost, parallelism } = Params::preset(name).unwrap();
            assert!(!Params::new(memory_kib, time_cost, parallelism).unwrap().is_weak(), "{name}");
        }
    }
}
