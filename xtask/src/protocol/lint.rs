//! httplint reads every kind of response, byte for byte, and must have no bad note on any.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use super::{
    kinds::{KINDS, Kind},
    service::Service,
};
use crate::{http::Response, say, tools};

/// Sends every kind of request and lints what comes back.
///
/// # Errors
/// Which answers had another status than the kind's, or a bad note.
pub(super) fn check(service: &Service) -> Result<(), String> {
    let mut wrong = Vec::new();
    for kind in KINDS {
        let answer = service.send(kind.method, kind.target, kind.fields, kind.body.as_bytes())?;
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
        wrong.extend(
            bad_notes(&answer.raw)?
                .into_iter()
                .map(|note| format!("{shown}: {note}")),
        );
    }
    say::talk(&format!("{} kinds of response read", KINDS.len()));
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!("\n{}", wrong.join("\n")))
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

fn bad_notes(raw: &[u8]) -> Result<Vec<String>, String> {
    let failed = |error: std::io::Error| format!("httplint: {error}");
    let mut command = Command::new(tools::python("httplint"));
    command
        .arg("--now")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(raw).map_err(failed)?;
    }
    let output = child.wait_with_output().map_err(failed)?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut notes: Vec<String> = said
        .lines()
        .filter(|line| line.contains("[BAD]"))
        .map(str::to_owned)
        .collect();
    if !output.status.success() || said.trim().is_empty() {
        notes.push(format!(
            "unreadable: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    Ok(notes)
}
