//! The mutant server: a small, clean service of books and notes, and one flag for each way to break
//! statelessness or to make noise. Processes share a database; what one keeps in its own memory
//! dies with it.

mod described;
mod multiplexed;
mod pages;
mod people;
mod secured;
mod serve;
mod state;
mod streams;
mod writes;

pub(crate) use pages::TICK;
pub(crate) use serve::Mutant;

/// One way to break statelessness, or to make noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    CookieMap,
    RenewedCookie,
    UrlSession,
    BoundLink,
    HeaderHandshake,
    ConnectionAuth,
    MultiplexedAuth,
    SessionAuth,
    ConnectionMemory,
    SourceKey,
    AgentKey,
    LastSearch,
    WizardOrder,
    CursorInMemory,
    OneTimeCursor,
    DeletedCursor,
    LinkedCursor,
    IfMatchIgnored,
    RefusedButDone,
    NonAtomicSwap,
    WeakComparison,
    ProcessTag,
    ProcessSecret,
    LockTable,
    ClientMap,
    PrivateMarkedPublic,
    CookieForAll,
    UnsafeGet,
    NoCacheControl,
    NoNotModified,
    BlindOverwrite,
    NoTag,
    SameTag,
    IdleCookie,
    Affinity,
    StreamRegistry,
    StreamResidue,
    DeafStream,
    StreamOfProcess,
    Upgrade,
    ExtendedConnect,
    IdempotencyRecord,
    LogoutList,
    LinkedLogout,
    // What a description admits.
    CookieDescribed,
    SetCookieDescribed,
    LoginDescribed,
    CallbackDescribed,
    StreamDescribed,
    ConditionUndescribed,
    TagUndescribed,
    CachingUndescribed,
    // What is no violation.
    RandomFields,
    Clock,
    SlowClock,
    EchoedAgent,
    SharedCounter,
    ReplicaLag,
    ResourcesInMemory,
    AbCookie,
    RateLimit,
    ClientHeldSession,
    SharedRecent,
    CsrfCookie,
    SealedCursor,
    SignedLink,
    StreamForgotten,
    StreamForgottenLate,
    Compressed,
}

impl Flaw {
    /// Whether there is a stream of books, and its flaw is in how that is kept.
    pub(crate) const fn is_of_streams(self) -> bool {
        matches!(
            self,
            Self::StreamRegistry
                | Self::StreamResidue
                | Self::DeafStream
                | Self::StreamOfProcess
                | Self::StreamForgotten
                | Self::StreamForgottenLate
        )
    }

    /// Whether only the description differs from the clean service's.
    pub(crate) const fn is_described(self) -> bool {
        matches!(
            self,
            Self::CookieDescribed
                | Self::SetCookieDescribed
                | Self::LoginDescribed
                | Self::CallbackDescribed
                | Self::StreamDescribed
                | Self::ConditionUndescribed
                | Self::TagUndescribed
                | Self::CachingUndescribed
        )
    }
}

/// A request as the mutants see it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
    /// Which connection of the process carries it.
    pub(crate) connection: u64,
    pub(crate) source: String,
    /// The TLS session that was resumed, or begun.
    pub(crate) session: Option<String>,
    pub(crate) is_multiplexed: bool,
}

impl Request {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let pairs = self.field("cookie")?.split("; ");
        pairs
            .filter_map(|pair| pair.split_once('='))
            .find(|(own, _)| *own == name)
            .map(|(_, value)| value)
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        let mut answer = Self::bare(status);
        answer.body = body.to_string().into_bytes();
        answer.with("content-type", "application/json")
    }

    pub(crate) fn bare(status: u16) -> Self {
        Self {
            status,
            fields: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}
