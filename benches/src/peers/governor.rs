//! governor with its default store of keys, DashMap, and a clock that the benchmark sets.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::FakeRelativeClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

pub struct Governor {
    limiter: RateLimiter<String, DefaultKeyedStateStore<String>, FakeRelativeClock, NoOpMiddleware<Nanos>>,
    clock: FakeRelativeClock,
}

impl Governor {
    pub fn new(per_second: u32) -> Self {
        let clock = FakeRelativeClock::default();
        let quota = Quota::per_second(NonZeroU32::new(per_second).unwrap());
        Self { limiter: RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock.clone()), clock }
    }

    /// A limiter that reads the processor's clock each time, as it does by default.
    pub fn with_own_clock(per_second: u32) -> impl Fn(&String) -> bool {
        let limiter = RateLimiter::keyed(Quota::per_second(NonZeroU32::new(per_second).unwrap()));
        move |key| limiter.check_key(key).is_ok()
    }

    pub fn allows(&self, key: &String) -> bool {
        self.limiter.check_key(key).is_ok()
    }

    pub fn advance_ms(&self, ms: u32) {
        self.clock.advance(Duration::from_millis(ms.into()));
    }
}
