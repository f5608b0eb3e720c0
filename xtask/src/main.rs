//! The project's chores: `cargo xtask check` is everything that has to hold before a change
//! lands, `cargo xtask bench` measures against bare servers and peers.
//!
//! Nothing here is part of the product, and nothing here decides how it behaves.

mod bench;
mod caches;
mod cargo;
mod check;
mod clock;
mod cluster;
mod deploy;
mod http;
mod javascript;
mod only;
mod protocol;
mod reports;
mod say;
mod step;
mod subjects;
mod tidy;
mod tools;

use std::process::ExitCode;

const HELP: &str = "\
Usage: cargo xtask <COMMAND>

Commands:
  check [--no-install]   everything that continuous integration checks; installs the external
                         tools it needs first (--no-install: only says which are missing)
  javascript             only the JavaScript client, in Node and in a browser
  protocol               only what independent tools say about the wire
  cluster up             PostgreSQL with Patroni and etcd, three of each, on this machine, to try
                         nodes on; until ctrl-c
  cluster check          what is checked of nodes over it, a few faults among that
  faults [OPTIONS]       what clients see of three nodes over that cluster while each of it is
                         killed, frozen and cut off: --minutes N --clients N --program FILE
                         --embedded
  deploy                 whether what lies in deploy/ is taken by the programs it is for
  caches [OPTIONS]       what a cache in front saves the server: --followers N,N --writes N
                         --rate N --clients N --only fanout,storm --debug
  reports                only what others' readers say about the forms of an audit's report
  tidy                   the project's own rules about its sources and documents
  bench [OPTIONS]        against bare servers, the disk and peers: --rounds N --seconds N
                         --documents N --many N --history FILE --only get,put,…
  subjects [--only NAME,…]
                         audits services that others made, on loopback, plays each witness
                         again, and writes docs/audited.md
  help                   this text
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["check"] => check::run_all(tools::Installing::Allowed),
        ["check", "--no-install"] => check::run_all(tools::Installing::Forbidden),
        ["javascript"] => check::run_javascript(tools::Installing::Allowed),
        ["protocol"] => check::run_protocol(tools::Installing::Allowed),
        ["bench", options @ ..] => {
            bench::Options::parse(options).and_then(|options| bench::run_all(&options))
        }
        ["caches", options @ ..] => {
            caches::Options::parse(options).and_then(|options| caches::run_all(&options))
        }
        ["cluster", words @ ..] => cluster::run(words),
        ["faults", options @ ..] => cluster::FaultOptions::parse(options)
            .and_then(|options| cluster::run_faults(&options, tools::Installing::Allowed)),
        ["deploy"] => deploy::run_all(tools::Installing::Allowed),
        ["reports"] => reports::run_all(tools::Installing::Allowed),
        ["subjects"] => subjects::run_all(&[]),
        ["subjects", "--only", names] => subjects::run_all(&names.split(',').collect::<Vec<_>>()),
        ["tidy"] => tidy::run(),
        ["help" | "--help" | "-h"] => {
            say::data(HELP);
            Ok(())
        }
        _ => Err(format!("not a chore: {:?}\n\n{HELP}", words.join(" "))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            say::talk(&format!("error: {reason}"));
            ExitCode::FAILURE
        }
    }
}
