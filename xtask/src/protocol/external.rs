//! Spectral and Schemathesis, as their own programs, against the running server's description.

use std::fs;

use super::{description, service::Service};
use crate::{
    cargo::{program, run, target},
    tools,
};

/// The rules that the description is linted with.
const RULESET: &str = "xtask/spectral.yaml";
/// Cases per operation: enough to have found every fault seeded while this was tried.
const EXAMPLES: &str = "30";
/// One seed, so that a failure is the same failure again.
const SEED: &str = "20";

/// Lints the generated description with `spectral:oas`; warnings are shown, errors fail.
///
/// # Errors
/// When there is an error or Spectral cannot run.
pub(super) fn spectral(service: &Service) -> Result<(), String> {
    let file = target().join("protocol/openapi.json");
    let text = description::text(service)?;
    fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    let words = ["lint", "--ruleset", RULESET, "--fail-severity", "error"];
    run(program(tools::node("spectral")).args(words).arg(file))
}

/// Sends generated requests, good and bad, and compares every answer with the description.
///
/// # Errors
/// When an answer is a server error, has an undocumented status or breaks its schema.
pub(super) fn schemathesis(service: &Service) -> Result<(), String> {
    let url = format!("http://{}/v1/openapi.json", service.address());
    let mut command = program(tools::python("schemathesis"));
    command.args(["run", &url, "--checks"]);
    // Not `allow_header_conformance`: OpenAPI 3.1 has no way to describe QUERY.
    command.arg("not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance");
    command.args([
        "--max-examples",
        EXAMPLES,
        "--seed",
        SEED,
        "--continue-on-failure",
    ]);
    command.args([
        "--suppress-health-check",
        "all",
        "--generation-database",
        "none",
    ]);
    command
        .env("NO_COLOR", "1")
        .current_dir(target().join("protocol"));
    run(&mut command)
}
