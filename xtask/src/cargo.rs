//! Running cargo, and other programs, from the workspace's root.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The workspace's root: the folder above this package's.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

/// Where build output goes: `CARGO_TARGET_DIR`, else `target` under the root.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A program that will run in the workspace's root.
///
/// `cargo run` describes the running package in its environment. Some build scripts watch those
/// variables, so passing them on would rebuild dependencies at every turn: they are removed.
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    for (key, _) in std::env::vars_os() {
        let name = key.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&key);
        }
    }
    command
}

/// Cargo itself with the words given, the same one that runs this.
pub(crate) fn cargo(words: &[&str]) -> Command {
    let mut command = program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(words);
    command
}

/// Runs a program to its end, its output going where this program's goes.
///
/// # Errors
/// When it cannot be started or ends with another code than 0.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let shown = shown(command);
    let status = command
        .status()
        .map_err(|error| format!("{shown}: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{shown}: {status}"))
    }
}

/// Builds the program that checks run, without optimisation.
///
/// # Errors
/// When it can't be built.
pub(crate) fn build_milepost() -> Result<(), String> {
    run(&mut cargo(&[
        "build",
        "--locked",
        "--package",
        "milepost-cli",
    ]))
}

/// Runs a program to its end and hands back what it printed to stdout.
///
/// # Errors
/// When it cannot be started, or ends with another code than 0: then with what it said.
pub(crate) fn read(command: &mut Command) -> Result<String, String> {
    let shown = shown(command);
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .map_err(|error| format!("{shown}: {error}"))?;
    let said = String::from_utf8_lossy(&stdout).into_owned();
    if status.success() {
        Ok(said)
    } else {
        Err(format!(
            "{shown}: {status}\n{said}{}",
            String::from_utf8_lossy(&stderr)
        ))
    }
}

fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    words.join(" ")
}
