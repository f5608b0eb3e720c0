//! What is asked: the operations of the service, found by following links from its base, from an
//! OpenAPI description and from recorded traffic.

mod crawl;
pub(crate) mod description;
mod har;
pub(crate) mod links;

pub(crate) use crawl::{crawl, is_below};
pub(crate) use description::Description;
pub(crate) use har::targets as har_targets;

/// A safe operation of the service: GET on one URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// Path with query.
    pub(crate) target: String,
    /// The operation in whose answer it was found; `None` for what the user or a description named.
    pub(crate) found_in: Option<usize>,
    /// What the crawling client was answered.
    pub(crate) status: u16,
    /// The media type of that answer.
    pub(crate) media_type: String,
    /// Whether the answer never ended.
    pub(crate) is_stream: bool,
}

impl Operation {
    /// As reports name it.
    pub(crate) fn label(&self) -> String {
        format!("GET {}", self.target)
    }
}

/// All operations, and what else was learnt on the way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Corpus {
    pub(crate) operations: Vec<Operation>,
    pub(crate) description: Option<Description>,
    /// What was found and left out, and why.
    pub(crate) left_out: Vec<String>,
}

impl Corpus {
    /// Operations that end, in the order in which they were found.
    pub(crate) fn safe(&self) -> impl Iterator<Item = usize> {
        let numbered = self.operations.iter().enumerate();
        numbered
            .filter(|(_, operation)| !operation.is_stream)
            .map(|(number, _)| number)
    }

    /// The operations whose answers lead to one, outermost first, itself left out.
    pub(crate) fn path_to(&self, operation: usize) -> Vec<usize> {
        let mut path = Vec::new();
        let mut at = operation;
        while let Some(parent) = self
            .operations
            .get(at)
            .and_then(|operation| operation.found_in)
        {
            if path.contains(&parent) {
                break;
            }
            path.insert(0, parent);
            at = parent;
        }
        path
    }
}
