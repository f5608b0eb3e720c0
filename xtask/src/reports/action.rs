//! `action.yml` and the recipe beside it: by their schemas, the shell step as a runner starts it, and
//! both by a runner on this machine (`act`), with nothing but the upload of the reports stood in for.

use std::{fs, path::PathBuf};

use super::{Reports, home};
use crate::cargo::{self, program, read, root, run};

/// A port that nobody listens at.
const NOBODY: &str = "http://127.0.0.1:1/";

/// The schemas of actions and workflows, and what the shell step ends with.
///
/// # Errors
/// What is wrong with either, or how the step ended otherwise.
pub(super) fn check(reports: &Reports) -> Result<(), String> {
    let check = |schema: &str, file: PathBuf| {
        let mut check = program(home().python("check-jsonschema"));
        run(check.args(["--builtin-schema", schema]).arg(file))
    };
    check("vendor.github-actions", root().join("action.yml"))?;
    check("vendor.github-workflows", recipe(reports)?)?;
    let loud = "--check SC-3 --check OR-1 --fail-on warn";
    for (url, args, expected) in [
        (reports.url.as_str(), loud, "1 verdict=stateful"),
        (&reports.url, "--check CC-1", "0 verdict=no-evidence"),
        (&reports.url, "--check XX-1", "2"),
        (NOBODY, "", "3"),
    ] {
        let told = step(reports, url, args)?;
        if told != expected {
            return Err(format!("with {args:?} the action ends with {told:?}"));
        }
    }
    Ok(())
}

/// The exit code of the shell step and what it puts out, for one URL and its options.
fn step(reports: &Reports, url: &str, args: &str) -> Result<String, String> {
    let mut act = program(home().python("python"));
    act.env("PATH", path())
        .arg(root().join("xtask/reports/act.py"))
        .arg(root().join("action.yml"))
        .arg(url)
        .arg(reports.folder.join("made by it/action.v1"))
        .args(args.split_whitespace());
    let said = read(&mut act)?;
    Ok(said.lines().last().unwrap_or_default().trim().to_owned())
}

/// The path on which the debug build of the program comes first.
fn path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{}:{path}", cargo::target().join("debug").display())
}

/// The first workflow in the page about continuous integration.
fn recipe(reports: &Reports) -> Result<PathBuf, String> {
    let page =
        fs::read_to_string(root().join("docs/audit/ci.md")).map_err(|error| error.to_string())?;
    let workflow = page
        .split_once("```yaml\n")
        .and_then(|(_, rest)| rest.split_once("```"))
        .map(|(workflow, _)| workflow)
        .ok_or("docs/audit/ci.md has no workflow")?;
    let path = reports.folder.join("recipe.yml");
    fs::write(&path, workflow).map_err(|error| error.to_string())?;
    Ok(path)
}

/// A workflow with the action in it, from its checkout to its outputs, by a runner.
///
/// # Errors
/// What the runner said, where that is not what the two jobs should say.
pub(super) fn run_by_runner(reports: &Reports) -> Result<(), String> {
    let folder = reports.folder.join("runner");
    // What the runner keeps lies beside what it checks out, not in it.
    let (repository, upload) = (folder.join("repository"), folder.join("upload"));
    let actions = repository.join(".github/actions/milepost-audit");
    for (from, to) in [
        ("action.yml", actions.join("action.yml")),
        (
            "xtask/reports/runner/workflow.yml",
            repository.join(".github/workflows/audit.yml"),
        ),
        ("xtask/reports/runner/upload.yml", upload.join("action.yml")),
    ] {
        let copied = to
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::copy(root().join(from), &to).map(drop));
        copied.map_err(|error| format!("{}: {error}", to.display()))?;
    }
    let mut act = program(home().python("act"));
    act.current_dir(&repository)
        .env("PATH", path())
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .args(["push", "--platform", "ubuntu-latest=-self-hosted"])
        .args(["--var", &format!("URL={}", reports.url)])
        .arg("--local-repository")
        .arg(format!("actions/upload-artifact@v4={}", upload.display()));
    let output = act.output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for line in ["sessions stateful failure", "caching no-evidence success"] {
        if !said
            .lines()
            .any(|said| said.ends_with(&format!("| {line}")))
        {
            return Err(format!("the runner does not say {line:?}:\n{said}"));
        }
    }
    Ok(())
}
