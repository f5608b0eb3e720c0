//! The command that restarts the audited service.

use std::process::{Command, Stdio};

/// Runs a command by the shell; what it starts in the background goes on.
///
/// # Errors
/// Why it could not be run, or how it ended.
pub(crate) fn restart_by(command: &str) -> Result<(), String> {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command);
    shell
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let status = shell.status().map_err(|error| error.to_string())?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{command:?} ended with {status}"))
}

#[cfg(test)]
mod tests {
    use super::restart_by;

    #[test]
    fn a_command_that_fails_says_how() {
        assert_eq!(restart_by("true"), Ok(()));
        assert!(restart_by("exit 7").is_err_and(|reason| reason.contains('7')));
    }
}
