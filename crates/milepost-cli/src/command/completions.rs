//! `milepost completions`: a script that completes the command line in a shell.

use clap::Args;
use clap_complete::Shell;

use crate::{Ended, arguments, exit::Exit, terminal::Terminal};

const EXAMPLES: &str = "\
Examples:
  milepost completions bash > ~/.local/share/bash-completion/completions/milepost
  milepost completions fish > ~/.config/fish/completions/milepost.fish
  milepost completions zsh  > \"${fpath[1]}/_milepost\"
";

/// Print a completion script for a shell
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let mut script = Vec::new();
        clap_complete::generate(
            self.shell,
            &mut arguments::description(),
            "milepost",
            &mut script,
        );
        terminal.data(&script)?;
        Ok(Exit::Ok)
    }
}
