//! json-server, from npm, with the documents in its file.

use std::{fs, path::Path};

use super::{Ask, Peer, identifier};
use crate::{
    bench::{
        documents, install,
        pinned::{Pinned, free_address, server},
    },
    tools,
};

const PACKAGE: &str = "json-server@0.17.4";

pub(super) fn start(folder: &Path, count: u32) -> Result<Peer, String> {
    install(&[], &[PACKAGE])?;
    let file = folder.join("db.json");
    fs::copy(documents(count, "array")?, &file).map_err(|error| error.to_string())?;
    let address = free_address()?;
    let mut command = server(tools::node("json-server"));
    command.args([
        "--quiet",
        "--host",
        "127.0.0.1",
        "--port",
        &address.port().to_string(),
    ]);
    command.arg(&file);
    let process = Pinned::start(command, address, &folder.join("log"))?;
    Ok(Peer {
        name: "json-server",
        dialect: "json-server",
        written: count,
        remark: "0.17.4; it writes its whole file anew at each change and does not sync it.",
        process,
        read: |key| Ask::get(format!("/documents/{}", identifier(key))),
        list: Some(|| Ask::get("/documents?_limit=100")),
        _companion: None,
    })
}
