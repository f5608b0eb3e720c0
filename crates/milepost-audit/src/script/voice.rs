//! Who speaks: everything by which a server could know somebody again, each chosen apart.

use serde::{Deserialize, Serialize};

use crate::http::Protocol;

/// Whose credentials go with a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Credential {
    /// None.
    Nobody,
    /// The first user's, if one was given.
    #[default]
    First,
    /// The second user's.
    Second,
}

/// Which cookies go with a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Cookies {
    /// The voice's own, as a browser keeps them.
    #[default]
    Jar,
    /// None; what is set is forgotten.
    None,
    /// All but these.
    Without(Vec<String>),
    /// As the jar stood after a step; what is set is forgotten.
    AsOf(usize),
}

/// Numbers are local to a script; each play makes fresh ones of them. 0 is what everybody shares:
/// the usual source address, the usual agent, a connection and a TLS session for each request, no jar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Voice {
    pub(crate) jar: u32,
    pub(crate) connection: u32,
    pub(crate) source: u32,
    pub(crate) agent: u32,
    pub(crate) credential: Credential,
    pub(crate) replica: usize,
    pub(crate) protocol: Protocol,
    /// The TLS sessions that it keeps and resumes.
    pub(crate) session: u32,
}

impl Voice {
    /// A client with a jar and a connection of its own, first user.
    pub(crate) fn client(number: u32) -> Self {
        Self {
            jar: number,
            connection: number,
            ..Self::default()
        }
    }

    /// Unlike everybody: jar, connection, source address and agent of its own.
    pub(crate) fn stranger(number: u32) -> Self {
        Self {
            source: number,
            agent: number,
            session: number,
            ..Self::client(number)
        }
    }

    /// With other credentials.
    pub(crate) const fn as_user(mut self, credential: Credential) -> Self {
        self.credential = credential;
        self
    }

    /// Over another connection.
    pub(crate) const fn over(mut self, connection: u32) -> Self {
        self.connection = connection;
        self
    }

    /// From another source address.
    pub(crate) const fn from(mut self, source: u32) -> Self {
        self.source = source;
        self
    }

    /// With another `User-Agent`.
    pub(crate) const fn agent(mut self, agent: u32) -> Self {
        self.agent = agent;
        self
    }

    /// Speaking something else.
    pub(crate) const fn speaking(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// With the TLS sessions of somebody.
    pub(crate) const fn resuming(mut self, session: u32) -> Self {
        self.session = session;
        self
    }

    /// To another replica.
    pub(crate) const fn at(mut self, replica: usize) -> Self {
        self.replica = replica;
        self
    }
}
