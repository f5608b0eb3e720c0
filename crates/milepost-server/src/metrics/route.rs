//! The kinds of things that metrics tell apart: few, fixed, and never a client.

use http::Method;

macro_rules! kinds {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $label:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// All there are.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name as metrics show it.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $label,)+
                }
            }
        }
    };
}

kinds! {
    /// What kind of URL a request was for.
    RouteKind {
        /// None that the service knows.
        #[default]
        Unknown = "unknown",
        /// The service document.
        Service = "service",
        /// A collection, of definitions too.
        Collection = "collection",
        /// A resource.
        Resource = "resource",
        /// A resource's versions, or one of them.
        Versions = "versions",
        /// A collection as of a position.
        Snapshot = "snapshot",
        /// What changed after a position, or what is remembered.
        Changes = "changes",
        /// The same, where the client asked to wait for news.
        Wait = "wait",
        /// A collection's definition.
        Definition = "definition",
        /// A transaction, or its outcome.
        Transaction = "transaction",
        /// Documentation: OpenAPI, problem pages, the API catalog.
        Documentation = "documentation",
        /// Health and metrics.
        Operations = "operations",
        /// A multi-step flow.
        Flow = "flow",
    }
}

kinds! {
    /// A request's method, as far as metrics tell methods apart.
    MethodKind {
        /// GET
        Get = "GET",
        /// HEAD
        Head = "HEAD",
        /// POST
        Post = "POST",
        /// PUT
        Put = "PUT",
        /// PATCH
        Patch = "PATCH",
        /// DELETE
        Delete = "DELETE",
        /// OPTIONS
        Options = "OPTIONS",
        /// QUERY
        Query = "QUERY",
        /// Any other. Methods are the client's words, so they can't all be labels.
        #[default]
        Other = "other",
    }
}

impl From<&Method> for MethodKind {
    fn from(method: &Method) -> Self {
        match method.as_str() {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            "QUERY" => Self::Query,
            _ => Self::Other,
        }
    }
}
