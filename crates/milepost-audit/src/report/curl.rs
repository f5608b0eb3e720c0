//! A witness as lines for a shell: jars are files, connections are what curl makes of them, values
//! of earlier answers are left to the reader as `$NAME`.

use super::Report;
use crate::{
    finding::Witness,
    script::{Cookies, Credential, Send, Step},
};

/// One line for each step.
pub(super) fn lines(report: &Report, witness: &Witness) -> Vec<String> {
    let steps = witness.proof.script.0.iter().enumerate();
    steps
        .map(|(at, step)| match step {
            Step::Restart => "# restart the service here".to_owned(),
            Step::Send(send) => line(report, witness, at, send),
        })
        .collect()
}

fn line(report: &Report, witness: &Witness, at: usize, send: &Send) -> String {
    let mut line = "curl -si".to_owned();
    if send.request.method != "GET" {
        line.push_str(&format!(" -X {}", send.request.method));
    }
    let voice = send.voice;
    if voice.jar != 0 {
        let jar = voice.jar;
        match &send.cookies {
            Cookies::None => {}
            Cookies::Jar | Cookies::Without(_) => {
                line.push_str(&format!(" -b jar{jar} -c jar{jar}"))
            }
            Cookies::AsOf(step) => line.push_str(&format!(" -b jar{jar}-as-of-step-{step}")),
        }
    }
    if voice.source != 0 {
        line.push_str(&format!(" --interface 127.64.0.{}", voice.source));
    }
    if voice.agent != 0 {
        line.push_str(&format!(" -A 'agent {}'", voice.agent));
    }
    match voice.credential {
        Credential::First if report.redaction.has_credentials() => {
            line.push_str(" -H \"Authorization: Bearer $TOKEN\"")
        }
        Credential::Second => line.push_str(" -H \"Authorization: Bearer $TOKEN2\""),
        _ => {}
    }
    for (name, value) in send.request.fields.iter() {
        line.push_str(&format!(
            " -H {}",
            quoted(&format!("{name}: {}", variables(value)))
        ));
    }
    if let Some(body) = &send.request.body {
        line.push_str(&format!(" -d {}", quoted(&variables(body))));
    }
    let url = witness
        .proof
        .played
        .at(at)
        .map(|exchange| exchange.url.clone());
    let url = report
        .redaction
        .text(&url.unwrap_or_else(|| send.request.target.clone()));
    line.push_str(&format!(" {}", quoted(&url)));
    if let Some(group) = send.together {
        line.push_str(&format!(" &  # released together, group {group}"));
    }
    line
}

/// `${3:etag}` as `$STEP3_ETAG`.
fn variables(text: &str) -> String {
    let mut parts = text.split("${");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('}') {
            Some((name, rest)) => {
                let name = name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
                let name = name.to_ascii_uppercase();
                out.push_str(&format!("$STEP{name}{rest}"));
            }
            None => out.push_str(part),
        }
    }
    out
}

/// Quoted for a shell; variables stay variables.
fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('`', "\\`");
    format!("\"{escaped}\"")
}
