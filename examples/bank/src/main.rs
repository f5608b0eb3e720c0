//! `bank`: the story, or its parts one by one.

use std::{error::Error, net::SocketAddr, path::PathBuf, process::ExitCode};

use bank::{
    accountant::{self, Accountant},
    say,
    serve::{self, Serving},
    story,
};

const HELP: &str = "\
A bank that mounts Milepost, and an accountant who follows it.

Usage:
  bank [story]                                 tell the whole story, with servers that are killed
  bank serve [--data DIR] [--listen ADDRESS]   open the bank, until ctrl-c
  bank accountant URL BOOKS [--follow]         bring the books in the file BOOKS up to date

Options:
  --data DIR        where the bank keeps everything [default: bank-data]
  --listen ADDRESS  a loopback address; port 0 takes any free one [default: 127.0.0.1:7700]
  --follow          go on, as transfers are made";

/// What is asked for.
enum Asked {
    Story,
    Serve(Serving),
    Accountant(Accountant),
    Help,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asked = match asked(&arguments) {
        Ok(asked) => asked,
        Err(mistake) => {
            complain(&format!("{mistake}\n\n{HELP}"));
            return ExitCode::from(2);
        }
    };
    let ended: Result<(), Box<dyn Error>> = match asked {
        Asked::Story => story::tell().map_err(Into::into),
        Asked::Serve(serving) => serve::serve(&serving).map_err(Into::into),
        Asked::Accountant(asked) => accountant::account(&asked).map_err(Into::into),
        Asked::Help => {
            say::line(HELP);
            Ok(())
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&with_sources(&*error));
            ExitCode::FAILURE
        }
    }
}

fn asked(arguments: &[String]) -> Result<Asked, String> {
    let (command, rest) = match arguments.split_first() {
        None => ("story", arguments),
        Some((command, rest)) => (&**command, rest),
    };
    match command {
        "story" if rest.is_empty() => Ok(Asked::Story),
        "serve" => serving(rest).map(Asked::Serve),
        "accountant" => accountant(rest).map(Asked::Accountant),
        "help" | "--help" | "-h" => Ok(Asked::Help),
        "story" => Err("the story takes no arguments".to_owned()),
        other => Err(format!("there is no command {other:?}")),
    }
}

fn serving(arguments: &[String]) -> Result<Serving, String> {
    let mut serving = Serving {
        data: PathBuf::from("bank-data"),
        listen: SocketAddr::from(([127, 0, 0, 1], 7700)),
    };
    let mut arguments = arguments.iter();
    while let Some(option) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{option} needs a value"));
        match &**option {
            "--data" => serving.data = PathBuf::from(value()?),
            "--listen" => {
                let value = value()?;
                let no_address = || format!("{value:?} is no address, such as 127.0.0.1:7700");
                serving.listen = value.parse().ok().ok_or_else(no_address)?;
            }
            other => return Err(format!("serve has no option {other:?}")),
        }
    }
    Ok(serving)
}

fn accountant(arguments: &[String]) -> Result<Accountant, String> {
    let (options, words): (Vec<_>, Vec<_>) =
        arguments.iter().partition(|word| word.starts_with("--"));
    if let Some(other) = options.iter().find(|option| **option != "--follow") {
        return Err(format!("accountant has no option {other:?}"));
    }
    match &*words {
        [bank, books] => Ok(Accountant {
            bank: (*bank).clone(),
            books: PathBuf::from(books),
            is_following: !options.is_empty(),
        }),
        _ => Err("accountant needs the bank's URL and the file of the books".to_owned()),
    }
}

fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

#[expect(clippy::print_stderr, reason = "the one place where it complains")]
fn complain(text: &str) {
    eprintln!("bank: {text}");
}
