//! Probes as data: who sends what over which connection, and what must be true of the answers.
//!
//! Every probe of the auditor is a script and every proof a set of claims about it. What is found
//! can therefore be played again by anybody (`milepost audit replay`), shrunk, and shown.

mod claim;
mod play;
mod template;
mod voice;

use serde::{Deserialize, Serialize};

pub(crate) use claim::Claim;
pub(crate) use play::{Exchange, OWN_NAME, Played, Stage};
pub(crate) use template::told;
pub(crate) use voice::{Cookies, Credential, Voice};

use crate::http::{Fields, Request};

/// A request and who sends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Send {
    pub(crate) voice: Voice,
    #[serde(default)]
    pub(crate) cookies: Cookies,
    /// May hold placeholders, see `template`.
    pub(crate) request: Request,
    /// Neighbouring steps of one group are released at the same moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) together: Option<u32>,
}

impl Send {
    /// A GET.
    pub(crate) fn get(target: &str, voice: Voice) -> Self {
        Self::with("GET", target, voice)
    }

    /// A request without body.
    pub(crate) fn with(method: &str, target: &str, voice: Voice) -> Self {
        Self {
            voice,
            cookies: Cookies::Jar,
            request: Request {
                method: method.to_owned(),
                target: target.to_owned(),
                fields: Fields::default(),
                body: None,
            },
            together: None,
        }
    }

    /// With a field more.
    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.request.fields.add(name, value);
        self
    }

    /// With a body of a media type.
    pub(crate) fn body(mut self, media_type: &str, body: &str) -> Self {
        self.request.fields.add("content-type", media_type);
        self.request.body = Some(body.to_owned());
        self
    }

    /// With other cookies than the voice's own.
    pub(crate) fn cookies(mut self, cookies: Cookies) -> Self {
        self.cookies = cookies;
        self
    }

    /// Released together with its neighbours of the same group.
    pub(crate) const fn together(mut self, group: u32) -> Self {
        self.together = Some(group);
        self
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Step {
    /// A request, and its answer awaited.
    Send(Box<Send>),
    /// The service is restarted by the command that was given.
    Restart,
}

/// Steps in order; a step is named by its place, counted from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Script(pub(crate) Vec<Step>);

impl Script {
    /// Adds a request; its place.
    pub(crate) fn send(&mut self, send: Send) -> usize {
        self.0.push(Step::Send(Box::new(send)));
        self.0.len() - 1
    }

    /// Adds a restart.
    pub(crate) fn restart(&mut self) {
        self.0.push(Step::Restart);
    }
}
