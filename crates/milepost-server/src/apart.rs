//! Work that recurses as deep as somebody's expression goes: on a thread of its own, with a stack that is large enough for
//! every expression that is taken (`expression_bounds`), and whose panic ends nothing else.

use std::thread;

/// The stack of such a thread. Only what is used of it is memory.
pub(crate) const STACK_BYTES: usize = 32 * 1024 * 1024;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The system has no thread to give.
    #[error("has no thread to be read on: {0}")]
    NoThread(#[from] std::io::Error),
    /// What was to be done panicked.
    #[error("can't be read or evaluated")]
    Panicked,
}

/// Does the work, and waits for it.
pub(crate) fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Fault> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK_BYTES);
        let begun = thread.spawn_scoped(scope, work)?;
        begun.join().map_err(|_panic| Fault::Panicked)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_and_ends_nothing_else() {
        let panicking = apart(|| -> u8 { panic!("as an interpreter may") });
        assert!(matches!(panicking, Err(Fault::Panicked)));
        assert!(matches!(apart(|| 1), Ok(1)));
    }
}
