//! Entropy that never gives the same twice, so that what is drawn can be told apart.

use donjon::entropy::{Entropy, EntropyError};

#[derive(Default)]
pub struct Draws(u64);

impl Entropy for Draws {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), EntropyError> {
        self.0 += 1;
        let number = self.0.to_be_bytes();
        out.iter_mut().zip(number.iter().cycle()).for_each(|(slot, byte)| *slot = *byte);
        Ok(())
    }
}
