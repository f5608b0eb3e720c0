//! Help, completions, and the exit codes that scripts rely on.

use crate::stage::User;

const EXIT_CODES: &str = "\
Exit codes:
  0  it worked
  1  it failed in a way that no other code names
  2  the command line makes no sense
  3  the server can't be reached, or can't answer now (502, 503, 504)
  4  the resource changed meanwhile (412), or exists (428); an open conflict
  5  no such resource, collection or file (404, 410)
  6  malformed input, or against the schema (400, 413, 415, 422)
  7  the credentials don't allow it (401, 403)
  8  part of it worked, the rest is reported
  9  a copy and the server disagree, as their digests say
";

fn user() -> User {
    User::at("http://127.0.0.1:1")
}

#[test]
fn help_documents_every_exit_code() {
    let help = user().run(&["--help"]).ok().stdout;
    assert!(help.ends_with(EXIT_CODES), "{help}");
    user().run(&["nonsense"]).code(2);
}

#[test]
fn completions_are_made_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = user().run(&["completions", shell]).ok().stdout;
        assert!(
            script.contains("if-exists") || script.contains("if_exists"),
            "{shell}"
        );
    }
}

#[test]
fn the_version_is_data() {
    let version = user().run(&["version", "--json"]).ok().json();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
}
