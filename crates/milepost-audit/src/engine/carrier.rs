//! By what a server knows a client again.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::script::{Credential, Voice};

/// What carries state from one request to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Carrier {
    /// The cookies of these names, separated by commas.
    Cookie(String),
    /// The TCP (or TLS) connection.
    Connection,
    /// The TLS session, resumed over another connection.
    TlsSession,
    /// The address the client speaks from.
    Source,
    /// The `User-Agent`.
    Agent,
    /// The credentials: whatever this user did before.
    Credential,
    /// A value in the URL.
    Url(String),
    /// A field, by name.
    Field(String),
    /// The process that answered.
    Process,
    /// Nothing of the client: anybody sees the same.
    Anybody,
    /// Several together; none alone does it.
    Several,
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cookie(names) => write!(f, "cookie {names}"),
            Self::Connection => write!(f, "the connection"),
            Self::TlsSession => write!(f, "the TLS session"),
            Self::Source => write!(f, "the source address"),
            Self::Agent => write!(f, "the User-Agent"),
            Self::Credential => write!(f, "the credentials"),
            Self::Url(token) => write!(f, "{token} in the URL"),
            Self::Field(name) => write!(f, "field {name}"),
            Self::Process => write!(f, "the process that answered"),
            Self::Anybody => write!(f, "nothing of the client"),
            Self::Several => write!(f, "several traits of the client together"),
        }
    }
}

/// What a probe has in common with the history before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shared {
    All,
    Nothing,
    OnlyCredential,
    Cookies,
    Connection,
    TlsSession,
    Source,
    Agent,
}

impl Shared {
    /// What can be shared alone, apart from the credentials.
    pub(crate) const TRAITS: [Self; 4] =
        [Self::Cookies, Self::Connection, Self::Source, Self::Agent];

    /// The probe's voice beside its history's.
    pub(crate) fn beside(self, history: Voice, number: u32) -> Voice {
        let other = Voice::stranger(number);
        match self {
            Self::All => history,
            Self::Nothing => other.as_user(Credential::Second),
            Self::OnlyCredential => other,
            Self::Cookies => Voice {
                jar: history.jar,
                ..other
            },
            // A connection comes from one address and has one TLS session: those are tried alone too.
            Self::Connection => Voice {
                connection: history.connection,
                source: history.source,
                session: history.session,
                ..other
            },
            Self::TlsSession => Voice {
                session: history.session,
                ..other
            },
            Self::Source => Voice {
                source: history.source,
                ..other
            },
            Self::Agent => Voice {
                agent: history.agent,
                ..other
            },
        }
    }
}
