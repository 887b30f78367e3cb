//! The bytes of one key's state, in 24 bytes for all that states of one limit are.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::limit::LimitError;

/// The length of a fixed window's state.
const SHORT_LEN: usize = 19;

/// The length of every other state of one limit but the sliding log's.
const FULL_LEN: usize = 23;

/// Longer states are kept in multiples of this many bytes, so that most of their growth is in place.
const LONG_STEP: usize = 64;

/// A state; none for nobody.
#[derive(Debug)]
pub(super) enum State {
    Vacant,
    Short([u8; SHORT_LEN]),
    Full([u8; FULL_LEN]),
    /// The first `len` bytes of `bytes`.
    Long {
        len: u16,
        bytes: Box<[u8]>,
    },
}

impl State {
    pub(super) fn new(bytes: &[u8]) -> Result<Self, LimitError> {
        let mut state = Self::Vacant;
        state.set(bytes)?;
        Ok(state)
    }

    pub(super) const fn is_vacant(&self) -> bool {
        matches!(self, Self::Vacant)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Vacant => &[],
            Self::Short(bytes) => bytes,
            Self::Full(bytes) => bytes,
            Self::Long { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
        }
    }

    /// The bytes that it holds beside its own 24.
    pub(super) fn allocated(&self) -> usize {
        match self {
            Self::Long { bytes, .. } => bytes.len(),
            _ => 0,
        }
    }

    /// Takes `new`, which is not empty. Where it cannot, the state stays as it was.
    pub(super) fn set(&mut self, new: &[u8]) -> Result<(), LimitError> {
        match self {
            Self::Full(bytes) if new.len() == FULL_LEN => bytes.copy_from_slice(new),
            Self::Long { len, bytes } if (FULL_LEN.saturating_add(1)..=bytes.len()).contains(&new.len()) => {
                let new_len = u16::try_from(new.len()).map_err(|_| LimitError::Internal)?;
                bytes.get_mut(..new.len()).ok_or(LimitError::Internal)?.copy_from_slice(new);
                *len = new_len;
            }
            _ => *self = Self::copy_of(new)?,
        }
        Ok(())
    }

    fn copy_of(new: &[u8]) -> Result<Self, LimitError> {
        if let Ok(bytes) = new.try_into() {
            return Ok(Self::Full(bytes));
        }
        if let Ok(bytes) = new.try_into() {
            return Ok(Self::Short(bytes));
        }
        let len = u16::try_from(new.len()).map_err(|_| LimitError::Internal)?;
        let room = new.len().next_multiple_of(LONG_STEP);
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(room).map_err(|_| LimitError::OutOfMemory)?;
        bytes.extend_from_slice(new);
        bytes.resize(room, 0);
        Ok(Self::Long { len, bytes: bytes.into_boxed_slice() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_what_it_was_given_whatever_it_was_before() {
        assert_eq!(size_of::<State>(), 24);
        let lens = [1, 18, 19, 20, 22, 23, 24, 63, 64, 65, 400, 3152];
        for before in lens {
            for after in lens {
                let mut state = State::new(&std::vec![1; before]).unwrap();
                let bytes: Vec<u8> = (0..after).map(|byte| byte as u8).collect();
                state.set(&bytes).unwrap();
                assert_eq!(state.as_bytes(), bytes, "{after} bytes after {before}");
                assert!(!state.is_vacant());
            }
        }
        assert_eq!(State::Vacant.as_bytes(), b"");
    }

    #[test]
    fn a_state_that_grows_stays_where_it_is_to_the_next_multiple_of_64() {
        let mut state = State::new(&[7; 65]).unwrap();
        let place = state.as_bytes().as_ptr();
        for len in [70, 128, 24] {
            state.set(&std::vec![9; len]).unwrap();
            assert_eq!((state.as_bytes().as_ptr(), state.allocated()), (place, 128));
        }
        state.set(&[1; 129]).unwrap();
        assert_eq!(state.allocated(), 192);
        state.set(&[1; 23]).unwrap();
        assert_eq!(state.allocated(), 0);
    }

    #[test]
    fn what_is_longer_than_any_state_is_refused_and_changes_nothing() {
        let mut state = State::new(&[1; 23]).unwrap();
        assert_eq!(state.set(&std::vec![0; 65_536]), Err(LimitError::Internal));
        assert_eq!(state.as_bytes(), [1; 23]);
    }
}
