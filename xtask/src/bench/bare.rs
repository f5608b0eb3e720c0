//! The bare servers, each sending what Milepost sent: one response captured before, field for
//! field and byte for byte; or with its fields the documents, each to whoever asks for it.

use std::fs;

use super::{
    load::binary,
    milepost::Milepost,
    pinned::{Pinned, free_address, server},
};

/// Bare axum and bare hyper with the same captured response.
#[derive(Debug)]
pub(super) struct Bare {
    /// The control.
    pub(super) axum: Pinned,
    /// The limit.
    pub(super) hyper: Pinned,
}

impl Bare {
    /// Captures Milepost's answer to a GET and starts both servers with it.
    ///
    /// # Errors
    /// When the answer has another status than expected, or a server does not come up.
    pub(super) fn sending(
        milepost: &Milepost,
        path: &str,
        fields: &[(&str, &str)],
        status: u16,
        documents: u32,
    ) -> Result<Self, String> {
        let answer = milepost.send("GET", path, fields, b"")?;
        if answer.status != status {
            return Err(format!("{path}: {} where {status} was due", answer.status));
        }
        let file = super::folder()?.join("captured");
        fs::write(&file, answer.unchunked())
            .map_err(|error| format!("{}: {error}", file.display()))?;
        let start = |name: &str| {
            let address = free_address()?;
            let mut command = server(binary(name));
            command
                .args(["--listen", &address.to_string(), "--response"])
                .arg(&file)
                .args(["--documents", &documents.to_string()]);
            Pinned::start(
                command,
                address,
                &super::folder()?.join(format!("{name}.log")),
            )
        };
        Ok(Self {
            axum: start("bare_axum")?,
            hyper: start("bare_hyper")?,
        })
    }
}
