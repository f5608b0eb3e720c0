//! What a listing's keys ask for: read once against the collection's definition, with everything
//! that is wrong told at once.

use milepost_semantics::{Issue, ProblemType, index::Filter, problem::Part};
use milepost_store::{CollectionPath, Definition, IndexFilter, ResourceKey, SortKey};

use super::params::Params;
use crate::{href, refusal::Refusal, rules::SEEN_BY, service::Shared};

/// What a listing asks for, apart from collection and moment.
#[derive(Debug, Default)]
pub(crate) struct ListRequest {
    /// All must hold.
    pub(crate) filters: Vec<IndexFilter>,
    /// Words to look for.
    pub(crate) text: Option<String>,
    /// What to order by.
    pub(crate) sort: Vec<SortKey>,
    /// The parts of each representation to show; all where empty.
    pub(crate) select: Vec<String>,
    /// The most items on a page.
    pub(crate) page_size: Option<usize>,
    /// Where the previous page ended.
    pub(crate) after: Option<String>,
    /// Whether to count.
    pub(crate) total: bool,
    /// Whose view the URL is of, as it says.
    pub(crate) seen_by: Option<String>,
    /// What every page of this listing repeats in its URL.
    pub(crate) carried: Params,
}

/// Reads keys and values, noting what is wrong.
struct Reader<'r> {
    shared: &'r Shared,
    definition: &'r Definition,
    request: ListRequest,
    filter_values: usize,
    undeclared: Vec<Issue>,
    issues: Vec<Issue>,
}

impl ListRequest {
    /// Reads what is asked of `collection`.
    pub(crate) fn read(
        shared: &Shared,
        collection: &CollectionPath,
        definition: &Definition,
        params: &Params,
    ) -> Result<Self, Refusal> {
        Self::read_beside(shared, collection, definition, params, Vec::new())
    }

    /// The same, where other keys of the query were read before: what was wrong with them is told
    /// together with what is wrong here.
    pub(crate) fn read_beside(
        shared: &Shared,
        collection: &CollectionPath,
        definition: &Definition,
        params: &Params,
        issues: Vec<Issue>,
    ) -> Result<Self, Refusal> {
        let mut reader = Reader {
            shared,
            definition,
            request: Self::default(),
            filter_values: 0,
            undeclared: Vec::new(),
            issues,
        };
        for (key, value) in params.iter() {
            reader.pair(key, value);
        }
        reader.finish(collection)
    }

    /// Whether the order is that of ids alone, so that an id says where a page ended.
    pub(crate) fn is_plain(&self) -> bool {
        self.filters.is_empty() && self.sort.is_empty() && self.text.is_none()
    }

    /// Whether the pages together show one position, and lead on to the changes.
    pub(crate) fn is_snapshot(&self) -> bool {
        self.sort.is_empty() && self.text.is_none()
    }

    /// Leads on as this view, and whether the URL is of it. Who begins needs none.
    pub(crate) fn lead_on_as(&mut self, view: Option<String>) -> bool {
        let begins = self.seen_by.is_none() && self.after.is_none();
        let is_of = begins || self.seen_by == view;
        if let Some(view) = view {
            self.carried.push(SEEN_BY, view);
        }
        is_of
    }

    /// The keys of this page's canonical URL.
    pub(crate) fn params(&self) -> Params {
        let mut params = self.carried.clone();
        if let Some(after) = &self.after {
            params.push("after", after);
        }
        if self.total {
            params.push("total", "true");
        }
        params
    }

    /// The keys of the next page's canonical URL. The total needn't be told twice.
    pub(crate) fn next_params(&self, after: &str) -> Params {
        let mut params = self.carried.clone();
        params.push("after", after);
        params
    }
}

impl Reader<'_> {
    fn pair(&mut self, key: &str, value: &str) {
        match key {
            "sort" => self.sort(value),
            "select" => self.select(value),
            "q" => self.text(value),
            "pageSize" => self.page_size(value),
            "after" => self.after(value),
            "total" => self.total(value),
            SEEN_BY => self.request.seen_by = Some(value.to_owned()),
            index => self.filter(index, value),
        }
    }

    fn wrong(&mut self, key: &str, value: &str, detail: impl Into<String>) {
        self.issues
            .push(Issue::new(Part::Query, key, detail).with_value(value));
    }

    fn undeclared(&mut self, name: &str, detail: String) {
        self.undeclared.push(Issue::new(Part::Query, name, detail));
    }

    fn filter(&mut self, name: &str, value: &str) {
        let Some(index) = self.definition.index(name) else {
            return self.undeclared(
                name,
                format!("no index {name:?} is declared, and nothing else has this name"),
            );
        };
        self.filter_values += 1;
        if self.filter_values == self.shared.limits.filter_values_max + 1 {
            let detail = format!(
                "a list can be filtered by {} values",
                self.shared.limits.filter_values_max
            );
            return self.wrong(name, value, detail);
        }
        match Filter::parse(value, index.value_type) {
            Ok(filter) => {
                self.request.carried.push(name, value);
                let filters = &mut self.request.filters;
                match filters.iter_mut().find(|filter| filter.index == name) {
                    Some(present) => present.any_of.push(filter),
                    None => filters.push(IndexFilter {
                        index: name.to_owned(),
                        any_of: vec![filter],
                    }),
                }
            }
            Err(error) => self.wrong(name, value, error.to_string()),
        }
    }

    fn sort(&mut self, value: &str) {
        for key in value.split(',') {
            let (name, descending) = key
                .strip_prefix('-')
                .map_or((key, false), |name| (name, true));
            if self.definition.index(name).is_none() {
                self.undeclared("sort", format!("no index {name:?} is declared"));
            } else if self.request.sort.iter().any(|sort| sort.index == name) {
                self.wrong("sort", value, format!("{name:?} stands in it twice"));
            } else {
                self.request.sort.push(SortKey {
                    index: name.to_owned(),
                    descending,
                });
            }
        }
        if self.request.sort.len() > self.shared.limits.sort_keys_max {
            let detail = format!(
                "a list can be sorted by {} keys",
                self.shared.limits.sort_keys_max
            );
            self.wrong("sort", value, detail);
        }
    }

    fn select(&mut self, value: &str) {
        for name in value.split(',') {
            if name.is_empty() {
                self.wrong(
                    "select",
                    value,
                    "names of members or indexes, separated by commas",
                );
            } else if !self.request.select.iter().any(|selected| selected == name) {
                self.request.select.push(name.to_owned());
            }
        }
    }

    fn text(&mut self, value: &str) {
        let bytes_max = self.shared.limits.text_bytes_max;
        if self.definition.text.is_empty() {
            self.undeclared("q", "no \"text\" to search is declared".to_owned());
        } else if self.request.text.is_some() {
            self.wrong("q", value, "may stand once");
        } else if value.len() > bytes_max {
            self.wrong("q", value, format!("may have {bytes_max} bytes"));
        } else {
            self.request.text = Some(value.to_owned());
        }
    }

    fn page_size(&mut self, value: &str) {
        let items_max = self.shared.limits.page_items_max;
        let size = value
            .parse()
            .ok()
            .filter(|size| (1..=items_max).contains(size));
        match size {
            Some(_) if self.request.page_size.is_some() => {
                self.wrong("pageSize", value, "may stand once")
            }
            Some(size) => self.request.page_size = Some(size),
            None => self.wrong(
                "pageSize",
                value,
                format!("is a number from 1 to {items_max}"),
            ),
        }
    }

    fn after(&mut self, value: &str) {
        if self.request.after.is_some() || value.is_empty() {
            self.wrong(
                "after",
                value,
                "is the end of a page, once: take it from a page's \"next\"",
            );
        } else {
            self.request.after = Some(value.to_owned());
        }
    }

    fn total(&mut self, value: &str) {
        match value {
            "true" => self.request.total = true,
            "false" => {}
            _ => self.wrong("total", value, "is \"true\" or \"false\""),
        }
    }

    fn finish(mut self, collection: &CollectionPath) -> Result<ListRequest, Refusal> {
        if self.request.text.is_some() && !self.request.sort.is_empty() {
            self.wrong(
                "sort",
                "",
                "what is searched for with \"q\" comes in an order of its own",
            );
        }
        if self.issues.is_empty() && self.undeclared.is_empty() {
            self.carry();
            return Ok(self.request);
        }
        Err(self.refusal(collection))
    }

    /// Completes what every page repeats.
    fn carry(&mut self) {
        let ListRequest {
            text,
            sort,
            select,
            page_size,
            carried,
            ..
        } = &mut self.request;
        if let Some(text) = text {
            carried.push("q", text.as_str());
        }
        if !sort.is_empty() {
            let keys = sort
                .iter()
                .map(|key| format!("{}{}", if key.descending { "-" } else { "" }, key.index));
            carried.push("sort", keys.collect::<Vec<_>>().join(","));
        }
        if !select.is_empty() {
            select.sort_unstable();
            carried.push("select", select.join(","));
        }
        if let Some(size) = page_size {
            carried.push("pageSize", size.to_string());
        }
    }

    fn refusal(self, collection: &CollectionPath) -> Refusal {
        let definition =
            ResourceKey::definition(collection).map(|key| href::resource(&self.shared.base, &key));
        let is_undeclared = !self.undeclared.is_empty();
        let kind = if self.issues.is_empty() {
            ProblemType::UndeclaredIndex
        } else {
            ProblemType::InvalidQuery
        };
        let issues: Vec<_> = self.issues.into_iter().chain(self.undeclared).collect();
        let detail: Vec<_> = issues
            .iter()
            .map(|issue| format!("{}: {}", issue.name, issue.detail))
            .collect();
        let mut detail = detail.join("; ");
        let declared: Vec<_> = self
            .definition
            .indexes
            .iter()
            .map(|index| index.name.as_str())
            .collect();
        if is_undeclared && !collection.is_reserved() {
            let declared = if declared.is_empty() {
                "none".to_owned()
            } else {
                declared.join(", ")
            };
            detail = format!("{detail} (declared indexes: {declared})");
        }
        let refusal = Refusal::issues(kind, detail, issues);
        match definition.filter(|_| is_undeclared && !collection.is_reserved()) {
            Some(definition) => refusal.with_member("definition", definition),
            None => refusal,
        }
    }
}
