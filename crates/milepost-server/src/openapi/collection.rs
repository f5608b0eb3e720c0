//! The paths of one collection.

use milepost_store::{CollectionPath, Definition, definition::PreconditionRule};
use serde_json::{Map, Value, json};

use super::{
    component, embed, feed,
    operation::Operation,
    parameters,
    responses::{OF_REPRESENTATION, empty, json_response},
    schemas, service,
};
use crate::limits::Limits;

const MERGE_PATCH: &str = "application/merge-patch+json";
const JSON_PATCH: &str = "application/json-patch+json";

/// A collection that is being described.
#[derive(Debug)]
pub(super) struct Described<'d> {
    path: &'d CollectionPath,
    definition: &'d Definition,
    limits: &'d Limits,
    /// The name of its schema.
    schema_name: String,
    /// Its URL below the base, with a parameter for each parent's id.
    url: String,
    /// Those parameters.
    parents: Vec<Value>,
}

impl<'d> Described<'d> {
    pub(super) fn new(
        path: &'d CollectionPath,
        definition: &'d Definition,
        limits: &'d Limits,
        schema_name: String,
    ) -> Self {
        let names: Vec<_> = path.names().collect();
        let mut url = String::new();
        let mut parents = Vec::new();
        for (index, name) in names.iter().enumerate() {
            url.push_str(&format!("/{name}"));
            if index + 1 < names.len() {
                let parameter = format!("{}Id", camel_case(name));
                url.push_str(&format!("/{{{parameter}}}"));
                parents.push(parameters::parent(&parameter, name));
            }
        }
        Self {
            path,
            definition,
            limits,
            schema_name,
            url,
            parents,
        }
    }

    pub(super) fn tag(&self) -> Value {
        let about = self.definition.description.as_deref();
        json!({
            "name": self.path.as_str(),
            "description": about.or(self.definition.title.as_deref()).unwrap_or("Resources of this name."),
        })
    }

    pub(super) fn schema_name(&self) -> &str {
        &self.schema_name
    }

    pub(super) fn schema(&self) -> Value {
        let name = &self.schema_name;
        match &self.definition.schema {
            Some(schema) => embed::embedded(schema.source(), name),
            None => json!({ "description": "Any JSON: no schema is declared." }),
        }
    }

    /// Adds all paths of the collection.
    pub(super) fn add_paths(&self, paths: &mut Map<String, Value>) {
        let url = &self.url;
        self.add(
            paths,
            url,
            &[],
            [("get", self.list()), ("post", self.create())],
        );
        if self.path.depth() > 1 {
            let across = format!("/{}", self.path.names().collect::<Vec<_>>().join("/-/"));
            let changes = self.changes("listChangesAcross", "List what changed across all parents");
            paths.insert(
                format!("{across}/changes/{{position}}"),
                service::item(&["position"], [("get", changes)]),
            );
            paths.insert(across, service::item(&[], [("get", self.list_across())]));
        }
        self.add(
            paths,
            &format!("{url}/changes"),
            &[],
            [("get", self.remembered())],
        );
        self.add(
            paths,
            &format!("{url}/changes/{{position}}"),
            &["position"],
            [("get", self.changes("listChanges", "List what changed"))],
        );
        self.add(
            paths,
            &format!("{url}/snapshots/{{position}}"),
            &["position"],
            [("get", self.snapshot())],
        );
        let resource = format!("{url}/{{id}}");
        self.add(
            paths,
            &resource,
            &["id"],
            [
                ("get", self.read()),
                ("put", self.put()),
                ("patch", self.patch()),
                ("delete", self.delete()),
            ],
        );
        self.add(
            paths,
            &format!("{resource}/versions"),
            &["id"],
            [("get", self.versions())],
        );
        self.add(
            paths,
            &format!("{resource}/versions/{{position}}"),
            &["id", "position"],
            [("get", self.version())],
        );
    }

    fn add<const N: usize>(
        &self,
        paths: &mut Map<String, Value>,
        url: &str,
        parameters: &[&str],
        operations: [(&str, Operation); N],
    ) {
        let mut all = self.parents.clone();
        all.extend(parameters.iter().map(|name| component("parameters", name)));
        let mut item = Map::new();
        if !all.is_empty() {
            item.insert("parameters".to_owned(), all.into());
        }
        item.extend(
            operations.map(|(method, operation)| (method.to_owned(), operation.into_json())),
        );
        paths.insert(url.to_owned(), Value::Object(item));
    }

    fn operation(&self, verb: &str, summary: &str) -> Operation {
        let name = self.path.as_str();
        Operation::new(format!("{name}.{verb}"), name, format!("{summary}: {name}"))
    }

    /// What may be written.
    fn representation(&self) -> Value {
        component("schemas", &self.schema_name)
    }

    /// What may be read: the definition may have been another when it was written.
    fn stored(&self) -> Value {
        let earlier = json!({ "description": "What was written under an earlier definition." });
        json!({ "anyOf": [self.representation(), earlier] })
    }

    fn page(&self) -> Value {
        schemas::page(&self.stored())
    }

    fn list(&self) -> Operation {
        self.listing("list", "List the collection")
            .takes_own(self.search())
    }

    fn list_across(&self) -> Operation {
        self.listing("listAcross", "List across all parents")
            .takes_own(self.search())
    }

    fn search(&self) -> Vec<Value> {
        parameters::search(self.definition, self.limits)
            .into_iter()
            .collect()
    }

    fn listing(&self, verb: &str, summary: &str) -> Operation {
        self.operation(verb, summary)
            .describe(
                "Answers a page: the state now. `next` leads to the pages that follow, which show \
                 the same moment; `sort` makes a listing for reading, that ends with neither `next` \
                 nor `resume`. Long filters can be sent as the JSON content of a `QUERY` request \
                 (RFC 10008) to the same URL.",
            )
            .takes_own(parameters::declared(self.definition, self.limits))
            .takes(&["select", "pageSize", "after", "total", "ifNoneMatch"])
            .answers(200, json_response("A page.", &self.page(), OF_REPRESENTATION))
            .answers_as(304, "notModified")
            .answers_as(308, "moved")
            .refuses(&[409, 410, 412])
    }

    fn snapshot(&self) -> Operation {
        self.operation("snapshot", "List the collection as of a position")
            .describe("Answers a page of the complete collection exactly as of the position; the same for ever, as long as it is retained.")
            .takes_own(self.filters())
            .takes(&["select", "pageSize", "after", "total", "seenBy", "ifNoneMatch"])
            .answers(200, json_response("A page.", &self.page(), OF_REPRESENTATION))
            .answers_as(304, "notModified")
            .answers_as(308, "moved")
            .refuses(&[409, 410, 412])
    }

    fn remembered(&self) -> Operation {
        feed::remembered(self.operation("changes", "Tell what is remembered of changes"))
    }

    fn changes(&self, verb: &str, summary: &str) -> Operation {
        let operation = self.operation(verb, summary);
        feed::changes(operation, &self.stored(), self.limits).takes_own(self.filters())
    }

    /// What a listing in the default order can be asked for by its definition.
    fn filters(&self) -> Vec<Value> {
        let declared = parameters::declared(self.definition, self.limits).into_iter();
        declared
            .filter(|parameter| parameter.get("name") != Some(&json!("sort")))
            .collect()
    }

    fn create(&self) -> Operation {
        self.operation("create", "Create a resource")
            .describe("Creates a resource under an id that the service chooses.")
            .takes(&["prefer"])
            .body(&json!({ "application/json": { "schema": self.representation() } }))
            .answers(201, empty(CREATED, CREATED_FIELDS))
            .answers_as(308, "moved")
            .refuses(&[408, 409, 413, 415])
    }

    fn read(&self) -> Operation {
        self.operation("read", "Read a resource")
            .describe("Answers the representation, byte for byte as it was written.")
            .takes(&["ifNoneMatch"])
            .answers(
                200,
                json_response("The representation.", &self.stored(), OF_REPRESENTATION),
            )
            .answers_as(304, "notModified")
            .answers_as(308, "moved")
            .refuses(&[412])
    }

    fn put(&self) -> Operation {
        self.writing(
            "put",
            "Create or replace a resource",
            "Writes the whole representation.",
        )
        .body(&json!({ "application/json": { "schema": self.representation() } }))
        .answers(201, empty(CREATED, CREATED_FIELDS))
        .refuses(&[408, 409, 412, 413, 415, 428])
    }

    fn patch(&self) -> Operation {
        self.writing(
            "patch",
            "Change a resource",
            "Changes parts of the representation.",
        )
        .body(&json!({
            MERGE_PATCH: { "schema": component("schemas", "MergePatch") },
            JSON_PATCH: { "schema": component("schemas", "JsonPatch") },
        }))
        .refuses(&[408, 409, 412, 413, 415, 428])
    }

    fn writing(&self, verb: &str, summary: &str, about: &str) -> Operation {
        let about = format!("{about} {}", self.condition());
        self.operation(verb, summary)
            .describe(about)
            .takes(&["ifMatch", "ifNoneMatch", "prefer"])
            .answers(
                200,
                json_response(
                    "Written; the representation, which was preferred.",
                    &self.stored(),
                    WRITTEN,
                ),
            )
            .answers(204, empty("Written.", WRITTEN))
            .answers_as(308, "moved")
    }

    fn delete(&self) -> Operation {
        self.operation("delete", "Delete a resource")
            .describe(format!("Deletes the resource. {}", self.condition()))
            .takes(&["ifMatch", "ifNoneMatch", "prefer"])
            .answers(204, empty("Deleted.", &["Preference-Applied"]))
            .answers_as(308, "moved")
            .refuses(&[409, 412, 428])
    }

    fn condition(&self) -> &'static str {
        match self.definition.preconditions {
            PreconditionRule::Required => {
                "An existing resource is written only with `If-Match` and the entity tag that was read."
            }
            PreconditionRule::Optional => {
                "`If-Match` guards against overwriting what others wrote."
            }
        }
    }

    fn versions(&self) -> Operation {
        self.operation("versions", "List a resource's versions")
            .describe("Answers the retained versions, newest first.")
            .takes(&["before", "pageSize", "ifNoneMatch"])
            .answers(
                200,
                json_response(
                    "A page of versions.",
                    &component("schemas", "Versions"),
                    OF_REPRESENTATION,
                ),
            )
            .answers_as(304, "notModified")
            .answers_as(308, "moved")
            .refuses(&[410, 412])
    }

    fn version(&self) -> Operation {
        self.operation("version", "Read a version of a resource")
            .describe("Answers the representation that the write at this position made; the same for ever, as long as it is retained.")
            .takes(&["ifNoneMatch"])
            .answers(200, json_response("The representation.", &self.stored(), OF_REPRESENTATION))
            .answers_as(304, "notModified")
            .answers_as(308, "moved")
            .refuses(&[410, 412])
    }
}

/// A body that may be there or not can't be described, so it is told in words.
const CREATED: &str = "Created. The representation follows as JSON where `Prefer` asked for it.";
const CREATED_FIELDS: &[&str] = &[
    "Location",
    "ETag",
    "Last-Modified",
    "Content-Location",
    "Preference-Applied",
];
/// The fields of a write's answer.
const WRITTEN: &[&str] = &[
    "ETag",
    "Last-Modified",
    "Content-Location",
    "Preference-Applied",
];

/// `bank-accounts` as `bankAccounts`.
fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    for (index, word) in name.split('-').enumerate() {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if index > 0 => camel.extend(first.to_uppercase().chain(letters)),
            Some(first) => camel.extend(std::iter::once(first).chain(letters)),
            None => {}
        }
    }
    camel
}
