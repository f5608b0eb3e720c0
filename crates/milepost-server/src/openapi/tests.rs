//! What the generated document promises.
