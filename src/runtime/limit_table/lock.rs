//! What keeps the threads of a shard apart.

use std::sync::{Mutex, PoisonError};

/// A lock around a `T`: the standard library's, or a model's that tries every order of threads.
pub(super) trait Lock<T> {
    fn new(value: T) -> Self;

    /// Calls `act` while nobody else has the value.
    fn with<R>(&self, act: impl FnOnce(&mut T) -> R) -> R;
}

impl<T> Lock<T> for Mutex<T> {
    fn new(value: T) -> Self {
        Self::new(value)
    }

    fn with<R>(&self, act: impl FnOnce(&mut T) -> R) -> R {
        // A panic under the lock is a defect in donjon; the other keys of the shard stay limited.
        act(&mut self.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
