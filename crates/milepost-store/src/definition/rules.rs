//! Who may do what in a collection, as text: what the expressions mean is for a layer above.

use std::{
    any::Any,
    sync::{Arc, OnceLock},
};

/// One rule for each thing that is done to a resource.
#[derive(Debug)]
pub struct Rules {
    /// Who may read.
    pub read: String,
    /// Who may create.
    pub create: String,
    /// Who may replace or patch.
    pub update: String,
    /// Who may delete.
    pub delete: String,
    /// What a layer above made of the texts: once, and kept as long as the definition is.
    made: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl Rules {
    /// These rules.
    pub(super) fn new([read, create, update, delete]: [String; 4]) -> Self {
        Self {
            read,
            create,
            update,
            delete,
            made: OnceLock::new(),
        }
    }

    /// What `make` makes of the texts, made once. One layer above makes one type of it: whoever asks for another
    /// gets one of its own each time.
    pub fn made<T: Any + Send + Sync>(&self, make: impl Fn(&Self) -> T) -> Arc<T> {
        let kept = self.made.get_or_init(|| Arc::new(make(self)));
        let kept = Arc::clone(kept).downcast::<T>();
        kept.unwrap_or_else(|_another| Arc::new(make(self)))
    }

    /// Whether everybody may read everything, as far as the text tells at once.
    #[must_use]
    pub fn is_read_by_all(&self) -> bool {
        self.read.trim() == "true"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_of_rules_is_made_once() {
        let rules = Rules::new(["a", "b", "c", "d"].map(str::to_owned));
        let first = rules.made(|rules| rules.read.clone());
        let second = rules.made(|_| -> String { unreachable!("it was made before") });
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(*rules.made(|rules| rules.read.len()), 1);
    }
}
