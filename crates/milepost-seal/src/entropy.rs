//! Randomness as an input: keys and nonces ask for it, tests decide it.

/// A source of bytes that nobody can guess.
pub trait Entropy {
    /// Fills the bytes.
    ///
    /// # Errors
    /// [`NoEntropy`] when there is none; nothing may be sealed then.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy>;
}

/// There is no randomness: the operating system gives none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no randomness")]
pub struct NoEntropy;

/// The operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(bytes).or(Err(NoEntropy))
    }
}
