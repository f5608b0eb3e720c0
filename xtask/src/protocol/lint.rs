//! httplint reads every kind of response, byte for byte, and must have no bad note on any.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    kinds::{KINDS, Kind},
    service::Service,
};
use crate::{
    cargo::{program, read, target},
    http::Response,
    say, tools,
};

/// Sends every kind of request and lints what comes back.
///
/// # Errors
/// Which answers had another status than the kind's, or a bad note.
pub(super) fn check(service: &Service) -> Result<(), String> {
    let mut wrong = Vec::new();
    let mut responses = Vec::new();
    let folder = target().join("protocol/responses");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let positions = Positions::read(service)?;
    for (number, kind) in KINDS.iter().enumerate() {
        let target = positions.put_into(kind.target);
        let answer = service.send(kind.method, &target, kind.fields, kind.body.as_bytes())?;
        let shown = format!("{} {}", kind.method, kind.target);
        if answer.status != kind.status {
            wrong.push(format!(
                "{shown}: {} where {} was due",
                answer.status, kind.status
            ));
        }
        wrong.extend(
            fields(kind, &answer)
                .into_iter()
                .map(|what| format!("{shown}: {what}")),
        );
        let file = folder.join(number.to_string());
        fs::write(&file, &answer.raw).map_err(|error| format!("{}: {error}", file.display()))?;
        responses.push((shown, file));
    }
    wrong.extend(bad_notes(&responses)?);
    say::talk(&format!("{} kinds of response read", KINDS.len()));
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!("\n{}", wrong.join("\n")))
    }
}

/// Positions that only the service can give.
struct Positions {
    oldest: String,
    head: String,
}

impl Positions {
    fn read(service: &Service) -> Result<Self, String> {
        let answer = service.send("GET", "/v1/roads/changes", &[], b"")?;
        let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let position = |name: &str| {
            let text = told.get(name).and_then(Value::as_str);
            let text = text.map(str::to_owned);
            text.ok_or_else(|| format!("GET /v1/roads/changes: no {name}"))
        };
        Ok(Self {
            oldest: position("oldest")?,
            head: position("head")?,
        })
    }

    fn put_into(&self, target: &str) -> String {
        target
            .replace("{oldest}", &self.oldest)
            .replace("{head}", &self.head)
    }
}

/// What every response must carry, whatever its kind.
fn fields(kind: &Kind, answer: &Response) -> Vec<String> {
    let mut missing = Vec::new();
    let under_base = kind.target.starts_with("/v1");
    for name in [
        "x-content-type-options",
        "content-security-policy",
        "referrer-policy",
    ] {
        if answer.field(name).is_none() {
            missing.push(format!("no {name}"));
        }
    }
    if under_base && answer.field("api-version").is_none() {
        missing.push("no api-version".to_owned());
    }
    if answer.field("set-cookie").is_some() {
        missing.push("a Set-Cookie, which never appears".to_owned());
    }
    missing
}

/// httplint's own reader of messages, for many files in one process: `@ file`, then its notes. The time
/// is that at which the response came: on a slow machine it is read much later.
const READER: &str = "
import os, sys
from argparse import Namespace
from httplint.cli.http_parser import HttpCliParser, modes
for path in sys.argv[1:]:
    print('@', path, flush=True)
    reader = HttpCliParser(Namespace(mode=modes.RESPONSE), os.path.getmtime(path))
    reader.handle_input(open(path, 'rb').read())
    if reader.failed:
        print('* [BAD] cannot be read')
";

/// The bad notes on the responses in these files, each after the request that brought it.
fn bad_notes(responses: &[(String, PathBuf)]) -> Result<Vec<String>, String> {
    let files = responses.iter().map(|(_, file)| file);
    let said = read(
        program(tools::python("python"))
            .args(["-c", READER])
            .args(files),
    )?;
    let mut notes = Vec::new();
    let mut shown = "";
    let mut heard = 0;
    for line in said.lines() {
        if let Some(file) = line.strip_prefix("@ ") {
            let response = responses
                .iter()
                .find(|(_, path)| path.as_path() == Path::new(file));
            shown = response.map_or(file, |(request, _)| request.as_str());
        } else if line.starts_with("* [") {
            heard += 1;
            notes.extend(line.contains("[BAD]").then(|| format!("{shown}: {line}")));
        }
    }
    if heard < responses.len() {
        return Err(format!(
            "httplint had nothing to say of some responses:\n{said}"
        ));
    }
    Ok(notes)
}
