//! The backends against the conformance suite, and what each promises beyond it.

mod memory;
