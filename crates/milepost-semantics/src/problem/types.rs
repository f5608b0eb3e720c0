//! The problem types: names, statuses, titles and what to do about each.
//!
//! A name is a promise: once released it keeps its meaning. The explanations are what the service
//! shows under `/-/problems/{name}`.

macro_rules! problem_types {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $status:literal, $title:literal,
        $explanation:literal;)+) => {
        /// A kind of problem: one per thing a client can do about it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ProblemType {
            $(#[doc = concat!($title, " (", stringify!($status), ").")] $variant,)+
        }

        impl ProblemType {
            /// Every type, in the order of their statuses.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stable name in lowerCamelCase: the end of the document's `type`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The status it is answered with.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// A short summary, the same for every occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }

            /// What it means and what to do about it, in Markdown.
            #[must_use]
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$variant => $explanation,)+ }
            }
        }
    };
}

impl ProblemType {
    /// The status it is answered with, as `http` has it.
    #[must_use]
    pub fn status_code(self) -> http::StatusCode {
        http::StatusCode::from_u16(self.status()).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The type with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whether the same request may succeed later without any change.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(
            self,
            Self::RequestTimeout
                | Self::IndexBuilding
                | Self::IssuerUnavailable
                | Self::Overloaded
                | Self::StorageFull
                | Self::StorageUnavailable
                | Self::OutcomeUnknown
        )
    }
}

problem_types! {
    BadRequest, "badRequest", 400, "The request cannot be understood",
        "The request is malformed in a way that no other type names; `detail` and `issues` say where. Correct it and send it again.";
    MalformedJson, "malformedJson", 400, "The content is not strict JSON",
        "The content must be one JSON document (RFC 8259) in UTF-8 without byte order mark. Duplicate keys and halves of surrogate pairs are refused, since parsers disagree about them. `detail` tells line and column, `issues` the JSON pointer.";
    InvalidDocument, "invalidDocument", 400, "The document violates the collection's schema",
        "Each entry of `issues` names the place (a JSON pointer in `name`) and what the schema demands there; all violations are told at once. A value that an index stands for must also be exactly comparable: a text of at most 512 bytes, a number of at most 400 digits. The schema stands in the collection's definition, `/-/collections/{name}`.";
    InvalidQuery, "invalidQuery", 400, "The query is invalid",
        "A query parameter has a value that cannot be used (such as a `pageSize` over the limit that the service document tells), or is not known here. `issues` names each. Values may carry a comparison in front: `gt:`, `gte:`, `lt:`, `lte:`, `ne:`, `prefix:`, `exists:`; `eq:` takes the rest literally.";
    UndeclaredIndex, "undeclaredIndex", 400, "The collection declares no such index",
        "Only declared indexes can filter and sort, so that a page costs the same however large the collection is. Add the index to `indexes` in the definition that the problem names, or leave the parameter out.";
    InvalidPosition, "invalidPosition", 400, "The position is malformed",
        "A position is `{history}.{sequence}-{check}`, exactly as the service gave it in a link or an entity tag. Take positions from there; never make or change one.";
    MalformedField, "malformedField", 400, "A header field is malformed",
        "A field that the service must understand to do what you mean, such as a precondition, could not be read. It is not ignored, since that would drop your guard. `issues` names the field and what is wrong with it.";
    HostInvalid, "hostInvalid", 400, "The host is missing or malformed",
        "An HTTP/1.1 request has exactly one valid `Host` field, an HTTP/2 request an `:authority` (RFC 9110 §7.2).";
    InvalidId, "invalidId", 400, "The id or name in the URL cannot be used",
        "Ids have 1 to 128 characters out of letters, digits, `-`, `.`, `_` and `~`, and are not `.`, `..` or `-`. Collection names have up to 63 lower-case letters, digits and hyphens, and start with a letter.";
    InvalidPatch, "invalidPatch", 400, "The patch document is invalid",
        "The content doesn't follow its media type: RFC 6902 for `application/json-patch+json`, RFC 7396 for `application/merge-patch+json`. `issues` names each bad operation.";
    InvalidDefinition, "invalidDefinition", 400, "The definition is invalid",
        "The definition of a collection has members that cannot be used: an unknown member, a schema that is none, an index that is no JSON pointer. `issues` names each.";
    InvalidTransaction, "invalidTransaction", 400, "The transaction document is invalid",
        "`operations` is a list of objects with `method`, `href` and, as the method demands, `ifMatch`, `ifNoneMatch` and `value`. `issues` names every mistake with its JSON pointer.";
    StateInvalid, "stateInvalid", 400, "The state cannot be used",
        "The state of a flow, or the link that keeps a place in it, does not open: it expired, was changed, or belongs to another flow, service or user. Which of these is not told. `start` is where the flow begins.";
    InvalidInput, "invalidInput", 400, "The answers cannot be taken",
        "Each entry of `issues` names an answer (`/input/{name}`) and what the step's schema demands of it. Nothing was lost: correct them and send them again with the same `state`.";
    CredentialsMalformed, "credentialsMalformed", 400, "The credentials cannot be read",
        "A request brings credentials once: in one `Authorization` field of the form `Bearer {token}`, or, to read by a grant that is good for an hour at most, as `access_token` in the URL (RFC 6750 §2). `detail` says what is wrong. Send a grant for longer, or for anything but reading, in `Authorization`.";
    Unauthenticated, "unauthenticated", 401, "Who asks has to say who it is",
        "Nobody in particular may do this. Send `Authorization: Bearer {token}` with a token of an issuer that the service trusts: `resource_metadata` in `WWW-Authenticate` is a URL that names them (RFC 9728).";
    TokenInvalid, "tokenInvalid", 401, "The token cannot be used",
        "The token or grant is expired, not yet valid, revoked, for another service, of an unknown issuer or key, of another kind, or was changed; `detail` says which. Get a new one from its issuer, or from whoever made the grant; the same one will not do later, unless its time has yet to begin.";
    NotPermitted, "notPermitted", 403, "You may not do this",
        "The service knows who asks, and its rules do not let that subject do this; or the credentials are a grant for another method or another URL, which `detail` names. The same request with other credentials may succeed; with these it will not.";
    ForeignForm, "foreignForm", 403, "The form is on another site's page",
        "A browser says that the form was sent by a page of another site (`Sec-Fetch-Site`, `Origin`), which is refused whatever it carries. Open the flow at its own URL. Programs send JSON.";
    Forbidden, "forbidden", 403, "Only the service itself writes this",
        "The resource is made by the service, such as a transaction's outcome: it can be read, and nobody's write to it will succeed.";
    NotFound, "notFound", 404, "There is no such resource",
        "Nothing stands at this URL now. Follow links from the service document instead of building URLs; URLs have no slash at the end.";
    CollectionNotDefined, "collectionNotDefined", 404, "The collection is not defined",
        "A collection exists when its definition does. `PUT` one to the URL that the problem names, or run `milepost apply`.";
    ParentNotFound, "parentNotFound", 404, "The parent resource does not exist",
        "A resource of a child collection can only be written below a parent that exists. Create the parent first, or both in one transaction.";
    TransactionNotFound, "transactionNotFound", 404, "There is no outcome of this transaction",
        "No transaction with this id was committed, or its outcome is older than outcomes are kept. If you sent one and don't know how it ended: repeat the same `PUT`, it is performed at most once.";
    MethodNotAllowed, "methodNotAllowed", 405, "The resource does not have this method",
        "`Allow` lists the methods of this resource.";
    NotAcceptable, "notAcceptable", 406, "No representation is acceptable",
        "The service can send none of what `Accept` or `Accept-Encoding` allow. `detail` lists what it can.";
    RequestTimeout, "requestTimeout", 408, "The request took too long to arrive",
        "The request was not complete within the time the service waits. Nothing was done; send it again.";
    IndexBuilding, "indexBuilding", 409, "The index is still being built",
        "The index was declared a moment ago and is not complete yet. Try again after `Retry-After`.";
    ParentHasChildren, "parentHasChildren", 409, "The resource still has children",
        "The definition restricts deleting a parent that has children (`onParentDelete`). Delete the children first, or change the definition to `cascade`.";
    DefinitionInUse, "definitionInUse", 409, "The definition is still in use",
        "The collection still has resources or child collections, so its definition can neither be deleted nor changed in this way. Remove them first.";
    FlowUnusable, "flowUnusable", 409, "The flow cannot be carried out",
        "The resource that defines the flow is no definition of one, or what it says cannot be done with these answers: `detail` tells. Whoever runs the service has to change it.";
    FlowRevised, "flowRevised", 409, "The flow was changed",
        "The flow's definition has another version than the state was sealed under, and doesn't say what becomes of such a state. `start` begins anew; `keep` begins anew with the answers of the steps in `kept`, which still hold.";
    PatchFailed, "patchFailed", 409, "The patch does not fit the current state",
        "The patch is well-formed, but an operation cannot be applied to the resource as it is now: a `test` failed, or a path doesn't exist. `issues` names the operation. Nothing was changed. Read the resource and make the patch anew.";
    PositionExpired, "positionExpired", 410, "The position is no longer answerable",
        "The position is older than what is remembered, or of another history of the store. Discard what you hold and start again at the URL in `Location` (`resync` in the document): it is complete.";
    PreconditionFailed, "preconditionFailed", 412, "A precondition is false",
        "The resource is not in the state that `If-Match`, `If-None-Match` or `If-Unmodified-Since` asked for: somebody else was faster. Nothing was changed. `etag` is the current tag; read, merge, and try again.";
    ShownChanged, "shownChanged", 412, "What was shown changed meanwhile",
        "A resource that the flow showed, such as a price, is not any more as it was shown. Nothing was done. `changed` names each with its value `before` and `after`; `next` is the step again, as things are now: accept it by sending its `state`, or go back.";
    ResourceTooLarge, "resourceTooLarge", 413, "The representation is too large",
        "A representation may have only so many bytes and levels; the service document tells how many. The same limits hold for what a patch would make.";
    TransactionTooLarge, "transactionTooLarge", 413, "The transaction is too large",
        "A transaction has limits on its operations and its bytes, told in the service document. Split it where atomicity isn't needed.";
    UriTooLong, "uriTooLong", 414, "The URL is too long",
        "Send a long filter as the JSON content of a `QUERY` request instead.";
    UnsupportedMediaType, "unsupportedMediaType", 415, "The content's type is not supported",
        "`Accept-Post` and `Accept-Patch`, or `detail`, list the types this resource takes. JSON is always UTF-8.";
    UnsupportedEncoding, "unsupportedEncoding", 415, "The content's coding is not supported",
        "Send the content without a `Content-Encoding`, or with one that `Accept-Encoding` in this answer lists (RFC 9110 §12.5.3).";
    ExpectationFailed, "expectationFailed", 417, "The expectation cannot be met",
        "The service knows `Expect: 100-continue` only.";
    MisdirectedRequest, "misdirectedRequest", 421, "The service is not called by this name",
        "Anybody who can connect may do everything here, so a page in a browser that was led to this address by a name of its own must not: only the names and addresses that the operator allows are answered. Call the service by `localhost` or its address, or have the operator add the name with `--host`.";
    TransactionMismatch, "transactionMismatch", 422, "The id belongs to another transaction",
        "A transaction with this id but another content was committed before. Its outcome is at the same URL. Use a new id for a new transaction.";
    TransactionFailed, "transactionFailed", 422, "The transaction was not performed",
        "An operation could not be performed, so none was. `failed` lists each one that failed, with its status; the status of the answer is that of the first. Correct it and send the transaction again, under the same id.";
    PreconditionRequired, "preconditionRequired", 428, "The write must carry a precondition",
        "Replacing, changing or deleting an existing resource demands `If-Match` with the tag you read, so that nobody's change is lost unseen. `GET` the resource and send its `ETag` in `If-Match`; or define the collection with `\"preconditions\": \"optional\"`.";
    FieldsTooLarge, "fieldsTooLarge", 431, "The header section is too large",
        "The fields of the request together, or one of them, are larger than the service takes. Send fewer or shorter ones.";
    Internal, "internal", 500, "Something went wrong in the service",
        "The request may be right, and the fault is not yours. Tell the operator the `instance`: the log has the cause under it. A write may or may not have been performed; with a precondition it is safe to repeat.";
    NotImplemented, "notImplemented", 501, "The method is not implemented",
        "The service knows this method for no resource at all.";
    IssuerUnavailable, "issuerUnavailable", 503, "The keys of the token's issuer cannot be had",
        "The token names a key that the service doesn't hold, and the URL of its issuer's keys doesn't answer as it should, or too many ask for it. Nothing was done. Try again after `Retry-After`; tokens by keys that are held go on.";
    Overloaded, "overloaded", 503, "The service is busy",
        "More requests arrived than can be answered in time; this one was not performed. Try again after `Retry-After`.";
    StorageFull, "storageFull", 503, "There is no space left to write",
        "Nothing was written. Reads go on. The operator has to make room; then the same request will succeed.";
    StorageUnavailable, "storageUnavailable", 503, "The store cannot be used now",
        "The store is stopping, starting, or refuses writes after a failed disk operation. This request was not performed. Try again after `Retry-After`.";
    OutcomeUnknown, "outcomeUnknown", 503, "It is not known whether the write was performed",
        "The store did not confirm in time. `transaction`, where it is there, is the URL where the outcome will stand if it was performed. Repeat the request with the same precondition or transaction id: if it was performed, the answer says so, and it is never performed twice.";
}
