//! What is known of a subject before it is seen: where it comes from, how it is run, how it is
//! audited, and what is expected of it.

use std::{net::SocketAddr, path::Path};

use crate::{
    cargo::{program, read},
    tools::{self, Home, Installing},
};

/// Where a subject comes from; the first package is the subject itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// npm's packages, `name@version`.
    Npm(&'static [&'static str]),
    /// PyPI's packages, `name==version`.
    Pypi(&'static [&'static str]),
    /// Debian's package, which is also the program.
    Debian(&'static str),
}

/// How a subject's memory is measured.
#[derive(Clone, Copy, Debug)]
pub(super) enum Measured {
    /// It is not.
    No,
    /// As its process has it.
    Process,
    /// As its own gauge tells: path and name.
    Gauge(&'static str, &'static str),
}

/// A subject.
#[derive(Debug)]
pub(super) struct Subject {
    /// Its name in tables and on the command line.
    pub(super) name: &'static str,
    pub(super) origin: Origin,
    /// How it is run, a sentence.
    pub(super) setting: &'static str,
    /// Processes of it.
    pub(super) processes: usize,
    /// The words of its command: its folder, its port.
    pub(super) command: fn(&Path, u16) -> Vec<String>,
    /// What must lie in its folder before it starts.
    pub(super) prepare: fn(&Path, u16) -> Result<(), String>,
    /// What must be there before it is audited.
    pub(super) furnish: fn(SocketAddr) -> Result<(), String>,
    /// The path of the base URL.
    pub(super) base: &'static str,
    /// Paths that nothing links to.
    pub(super) seeds: &'static [&'static str],
    /// Whether it is killed and started again between requests.
    pub(super) restarts: bool,
    /// How its memory is measured.
    pub(super) measured: Measured,
    /// Further options of the audit.
    pub(super) options: &'static [&'static str],
    pub(super) expected: Expected,
}

/// What is expected of a subject, by what its documentation says of it.
#[derive(Debug)]
pub(super) struct Expected {
    /// One of these verdicts.
    pub(super) verdicts: &'static [&'static str],
    /// Checks that must have a finding at warn or above.
    pub(super) by: &'static [&'static str],
    /// The expectation as a sentence.
    pub(super) sentence: &'static str,
    /// Who is right where something else was seen, and what else should be known.
    pub(super) remark: &'static str,
}

/// Where subjects are installed.
pub(super) fn home() -> Home {
    Home::of("subjects")
}

impl Subject {
    /// Makes it available; its version.
    ///
    /// # Errors
    /// Why it can't be had.
    pub(super) fn install(&self) -> Result<String, String> {
        let home = home();
        let versioned = |packages: &[&str], mark: &str| {
            let first = packages.first().copied().unwrap_or_default();
            let version = first.rsplit_once(mark).map_or("", |(_, version)| version);
            version.trim_start_matches('=').to_owned()
        };
        match self.origin {
            Origin::Npm(packages) => {
                home.install(Installing::Allowed, &[], packages)?;
                Ok(versioned(packages, "@"))
            }
            Origin::Pypi(packages) => {
                home.install(Installing::Allowed, packages, &[])?;
                Ok(versioned(packages, "="))
            }
            Origin::Debian(package) => {
                tools::command(package, &[package])?;
                let version =
                    read(program("dpkg-query").args(["-W", "-f", "${Version}", package]))?;
                Ok(version)
            }
        }
    }
}
