//! The external tools that the checks need: which, in which version, and how they get here.
//!
//! Everything but Debian's packages lands under the target folder, so nothing of the user's own
//! installation is touched. A version here is one that the checks were tried with.

use std::{fs, path::PathBuf, process::Command};

use crate::{
    cargo::{self, program, run},
    say,
    step::Done,
};

/// PyPI packages of the checks.
const PYTHON: &[&str] = &["schemathesis==4.32.5", "httplint==2026.10.4"];
/// npm packages of the checks.
const NODE: &[&str] = &["@stoplight/spectral-cli@6.16.3"];
/// Programs that tests need, and Debian's packages of them: the follower in `docs/follow.sh` is run, and
/// followers are led through caches; a store lies in PostgreSQL.
const COMMANDS: &[(&str, &str)] = &[
    ("curl", "curl"),
    ("jq", "jq"),
    ("nginx", "nginx"),
    ("pg_ctlcluster", "postgresql"),
    ("varnishd", "varnish"),
];

/// Whether a missing tool may be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Installing {
    /// Install what is missing, and say so.
    Allowed,
    /// Only say what is missing.
    Forbidden,
}

/// Whether this is continuous integration, where a missing tool is a failure.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// A program of a PyPI package, once installed.
pub(crate) fn python(name: &str) -> PathBuf {
    Home::tools().python(name)
}

/// A program of an npm package, once installed.
pub(crate) fn node(name: &str) -> PathBuf {
    Home::tools().node(name)
}

/// Where npm packages are installed: what is run from there finds them.
pub(crate) fn node_folder() -> PathBuf {
    Home::tools().0.join("node")
}

/// Makes the tools of `cargo xtask check` available.
///
/// # Errors
/// In continuous integration, when one cannot be had.
pub(crate) fn prepare(installing: Installing) -> Result<Done, String> {
    let all = commands(installing).and_then(|()| install(installing, PYTHON, NODE));
    match all {
        Ok(()) => Ok(Done::Passed),
        Err(reason) if is_ci() => Err(reason),
        Err(reason) => Ok(Done::Skipped(reason)),
    }
}

fn commands(installing: Installing) -> Result<(), String> {
    debian(installing, COMMANDS)
}

/// Makes programs available, each with the Debian package that has it.
///
/// # Errors
/// Which is missing, and why it could not be installed.
pub(crate) fn debian(installing: Installing, commands: &[(&str, &str)]) -> Result<(), String> {
    for (name, package) in commands {
        if installing == Installing::Allowed {
            command(name, &[package])?;
        } else if !finds(name) {
            return Err(format!("not installed: {name}"));
        }
    }
    Ok(())
}

/// Makes PyPI and npm packages available under the target folder.
///
/// # Errors
/// What is missing and why it could not be installed.
pub(crate) fn install(
    installing: Installing,
    python: &[&str],
    node: &[&str],
) -> Result<(), String> {
    Home::tools().install(installing, python, node)
}

/// A folder under the target folder with a virtual environment and npm packages of its own, so that
/// what is installed for one purpose can't change the versions of another.
#[derive(Debug)]
pub(crate) struct Home(PathBuf);

impl Home {
    /// Where the tools of the checks are.
    fn tools() -> Self {
        Self(cargo::target().join("tools"))
    }

    /// A home beside the tools.
    pub(crate) fn of(name: &str) -> Self {
        Self(Self::tools().0.join(name))
    }

    /// A program of a PyPI package, once installed.
    pub(crate) fn python(&self, name: &str) -> PathBuf {
        self.0.join("python/bin").join(name)
    }

    /// A program of an npm package, once installed.
    pub(crate) fn node(&self, name: &str) -> PathBuf {
        self.modules().join(".bin").join(name)
    }

    /// Where npm's packages are.
    pub(crate) fn modules(&self) -> PathBuf {
        self.0.join("node/node_modules")
    }

    /// Makes PyPI and npm packages available here.
    ///
    /// # Errors
    /// What is missing and why it could not be installed.
    pub(crate) fn install(
        &self,
        installing: Installing,
        python: &[&str],
        node: &[&str],
    ) -> Result<(), String> {
        let python = python.iter().map(|package| ("python", *package));
        let node = node.iter().map(|package| ("node", *package));
        let absent = python
            .chain(node)
            .filter(|(language, package)| !self.has(language, package));
        let absent: Vec<(&str, &str)> = absent.collect();
        if installing == Installing::Allowed {
            return absent
                .iter()
                .try_for_each(|(language, package)| self.add(language, package));
        }
        if absent.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = absent.iter().map(|(_, package)| *package).collect();
        Err(format!("not installed: {}", names.join(", ")))
    }

    /// Each installed package leaves a file with its exact name and version.
    fn mark(&self, language: &str, package: &str) -> PathBuf {
        self.0
            .join(format!("{language}-{}", package.replace(['/', '@'], "_")))
    }

    fn has(&self, language: &str, package: &str) -> bool {
        self.mark(language, package).exists()
    }

    fn add(&self, language: &str, package: &str) -> Result<(), String> {
        say::talk(&format!("installing {package} into {}", self.0.display()));
        let home = self.0.join(language);
        fs::create_dir_all(&home).map_err(|error| format!("{}: {error}", home.display()))?;
        if language == "python" {
            self.add_python(package)?;
        } else {
            command("npm", &["nodejs", "npm"])?;
            let npm = ["install", "--no-audit", "--no-fund", "--silent", "--prefix"];
            run(program("npm").args(npm).arg(&home).arg(package))?;
        }
        let mark = self.mark(language, package);
        fs::write(&mark, package).map_err(|error| format!("{}: {error}", mark.display()))
    }

    fn add_python(&self, package: &str) -> Result<(), String> {
        let python = self.python("python");
        if !python.exists() {
            command("python3", &["python3", "python3-venv"])?;
            run(program("python3")
                .args(["-m", "venv"])
                .arg(self.0.join("python")))?;
        }
        // Its `pip` names the folder that it was made in; this one works where that was moved.
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ];
        run(program(python).args(pip).arg(package))
    }
}

/// Makes a program of the system available, from Debian's packages if it must be.
///
/// # Errors
/// When it is missing and cannot be installed.
pub(crate) fn command(name: &str, packages: &[&str]) -> Result<(), String> {
    if finds(name) {
        return Ok(());
    }
    say::talk(&format!(
        "installing Debian's {} for {name}",
        packages.join(" ")
    ));
    let root = cargo::read(program("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let apt = |words: &[&str]| {
        let mut command = if root {
            program("apt-get")
        } else {
            program("sudo")
        };
        if !root {
            command.args(["--non-interactive", "apt-get"]);
        }
        run(command.args(words).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update", "--quiet"])?;
    let mut words = vec!["install", "--yes", "--quiet", "--no-install-recommends"];
    words.extend(packages);
    apt(&words)?;
    if finds(name) {
        Ok(())
    } else {
        Err(format!("{name} is still missing"))
    }
}

/// Whether a program is on the path, or where Debian puts what only administrators run.
pub(crate) fn finds(name: &str) -> bool {
    let mut which = Command::new("sh");
    let look = "PATH=\"$PATH:/usr/sbin\" command -v \"$1\"";
    cargo::read(which.args(["-c", look, "sh", name])).is_ok()
}
