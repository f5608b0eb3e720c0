//! `milepost audit`: whether an HTTP API keeps state about its clients, observed from outside.
//!
//! `milepost audit URL` looks, `milepost audit replay WITNESS` plays again what was found, and
//! `milepost audit explain CHECK` says what a check does.

use std::{fs, path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use milepost_audit::{
    AuditError, Format, Level, Limits, Memory, Options, Profile, Progress, Report, SandboxBody,
    Verdict, Waiver, audit,
};

use crate::{
    Ended,
    auditing::{Explain, Replay, Service, today, usage_of_file},
    exit::{Exit, Failure},
    terminal::Terminal,
};

const EXAMPLES: &str = "\
Examples:
  milepost audit http://127.0.0.1:8080/
  milepost audit http://127.0.0.1:8080/ --openapi api.json --bearer \"$ADA\" --bearer2 \"$BOB\"
  milepost audit http://127.0.0.1:8080/ --write --sandbox /notes
  milepost audit http://127.0.0.1:8080/ --replica http://127.0.0.1:8081/ --restart-cmd ./restart
  milepost audit http://127.0.0.1:8080/ --format html --format json --output report
  milepost audit replay report.json
  milepost audit explain SC-3

Only loopback addresses are asked, and only by safe methods, unless you say otherwise. The verdict is
never \"is stateless\": what this run could not show is listed.

Exit codes: 0 nothing at --fail-on or above, 1 findings, 2 usage, 3 inconclusive or unreachable
";

/// Find out whether an HTTP API keeps state about its clients
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Audit {
    #[command(subcommand)]
    also: Option<Also>,

    /// Base URL of the service; links are followed from there
    #[arg(value_name = "URL", required = true)]
    url: Option<String>,

    /// OpenAPI 3.0 or 3.1 description, JSON or YAML, as a file or a URL on the service
    #[arg(long, value_name = "URL|FILE")]
    openapi: Option<String>,

    /// Recorded traffic (HAR) whose GETs are asked too
    #[arg(long, value_name = "FILE")]
    har: Option<PathBuf>,

    /// Allow writing below --sandbox
    #[arg(long, requires = "sandbox")]
    write: bool,

    /// Path below which resources may be made, changed and deleted
    #[arg(long, value_name = "PATH", requires = "write")]
    sandbox: Option<String>,

    /// A body that the sandbox takes, where it takes no JSON; `{version}` in it stands for a number
    #[arg(long, value_name = "FILE", requires = "sandbox")]
    sandbox_body: Option<PathBuf>,

    /// Media type of --sandbox-body
    #[arg(
        long,
        value_name = "TYPE",
        requires = "sandbox_body",
        default_value = "text/plain"
    )]
    sandbox_type: String,

    /// Path that is not asked, nor what lies below it; may be repeated
    #[arg(long = "exclude", value_name = "PATH")]
    excluded: Vec<String>,

    /// The process whose memory is measured
    #[arg(long, value_name = "N", conflicts_with = "metrics")]
    pid: Option<u32>,

    /// A gauge of the service's memory in bytes, in the Prometheus text format
    #[arg(long, value_name = "URL#GAUGE")]
    metrics: Option<String>,

    /// Clients in the first of four measurements of memory, each of which has twice as many as the one
    /// before
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(4..=100_000))]
    clients: u32,

    /// Guideline whose severities apply: nl-adr, azure, aip, zalando, webdav
    #[arg(long, value_name = "NAME", value_parser = profile)]
    profile: Option<Profile>,

    /// Accepted findings: a JSON array of {check, operation?, reason, expires}
    #[arg(long, value_name = "FILE")]
    waivers: Option<PathBuf>,

    /// From which level on a finding is a failure: warn or bad
    #[arg(long, value_name = "LEVEL", default_value = "bad", value_parser = level)]
    fail_on: Level,

    /// Form of the report: terminal, html, json, har, sarif, junit; several are possible
    #[arg(long = "format", value_name = "FORM", value_parser = format, default_value = "terminal")]
    formats: Vec<Format>,

    /// File to write; with several forms each gets its own ending
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Only these checks
    #[arg(long = "check", value_name = "ID")]
    checks: Vec<String>,

    /// Operations that are looked at
    #[arg(long, value_name = "N", default_value_t = 100)]
    operations: usize,

    /// Requests of the whole run
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    requests: u64,

    /// Requests a second; unlimited by default, one at a time
    #[arg(long, value_name = "N")]
    rate: Option<u32>,

    /// Seconds that the whole run may take
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    time: u64,

    /// Seconds that one answer may take
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    timeout: u64,

    /// What random orders are drawn from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    #[command(flatten)]
    service: Service,
}

#[derive(Debug, Subcommand)]
enum Also {
    /// Play the witnesses of a report again
    #[command(
        after_help = "Examples:\n  milepost audit replay report.json\n  milepost audit replay report.har --url http://127.0.0.1:8081/\n"
    )]
    Replay(Replay),
    /// Say what a check sends, what it proves, how to fix it and what can fool it
    #[command(
        after_help = "Examples:\n  milepost audit explain        every check\n  milepost audit explain SC-3\n"
    )]
    Explain(Explain),
}

impl Audit {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        match self.also {
            Some(Also::Replay(command)) => return command.run(terminal),
            Some(Also::Explain(command)) => return command.run(terminal),
            None => {}
        }
        let options = self.options()?;
        let progress = crate::auditing::Shown::new(terminal);
        let ended = audit(&options, |step: Progress<'_>| progress.tell(&step));
        progress.finish();
        let report = ended.map_err(|error| refused(&error))?;
        self.write(terminal, &report)?;
        Ok(self.exit(&report))
    }

    fn options(&self) -> Result<Options, Failure> {
        let read =
            |path: &PathBuf| fs::read_to_string(path).map_err(|error| usage_of_file(path, &error));
        let openapi = match &self.openapi {
            Some(place) if place.contains("://") => Some(self.fetched(place)?),
            Some(place) => Some(read(&PathBuf::from(place))?),
            None => None,
        };
        let waivers = self.waivers.as_ref().map(read).transpose()?;
        let waivers = waivers
            .map(|text| Waiver::parse_all(&text))
            .transpose()
            .map_err(Failure::usage)?;
        Ok(Options {
            url: self.url.clone().unwrap_or_default(),
            openapi,
            har: self.har.as_ref().map(read).transpose()?,
            sandbox: self.sandbox.clone().filter(|_| self.write),
            sandbox_body: self.sandbox_body()?,
            excluded: self.excluded.clone(),
            memory: self.memory()?,
            profile: self.profile,
            waivers: waivers.unwrap_or_default(),
            today: today(),
            only: self.checks.clone(),
            limits: Limits {
                operations_max: self.operations,
                requests_max: self.requests,
                requests_per_second_max: self.rate,
                run: Duration::from_secs(self.time),
                exchange: Duration::from_secs(self.timeout),
                memory_clients: self.clients,
                ..Limits::default()
            },
            seed: self.seed,
            ..self.service.options()?
        })
    }

    fn sandbox_body(&self) -> Result<Option<SandboxBody>, Failure> {
        let Some(path) = &self.sandbox_body else {
            return Ok(None);
        };
        let text = fs::read_to_string(path).map_err(|error| usage_of_file(path, &error))?;
        if !text.contains("{version}") {
            let wrong = format!("{}: all its versions would be the same", path.display());
            return Err(Failure::usage(wrong).hint("put {version} where one differs from another"));
        }
        Ok(Some(SandboxBody {
            media_type: self.sandbox_type.clone(),
            text,
        }))
    }

    fn memory(&self) -> Result<Option<Memory>, Failure> {
        if let Some(pid) = self.pid {
            return Ok(Some(Memory::Process(pid)));
        }
        let Some(metrics) = &self.metrics else {
            return Ok(None);
        };
        let (url, name) = metrics.split_once('#').ok_or_else(|| {
            Failure::usage("--metrics names no gauge")
                .hint("--metrics http://127.0.0.1:8080/metrics#process_resident_memory_bytes")
        })?;
        Ok(Some(Memory::Gauge {
            url: url.to_owned(),
            name: name.to_owned(),
        }))
    }

    /// A description from the service, asked under the same rule as the service itself.
    fn fetched(&self, url: &str) -> Result<String, Failure> {
        milepost_audit::fetch(url, &self.service.options()?).map_err(|error| refused(&error))
    }

    fn write(&self, terminal: Terminal, report: &Report) -> Result<(), Failure> {
        let Some(output) = &self.output else {
            for format in &self.formats {
                let colour = terminal.stdout_colour();
                terminal.data(report.write(*format, colour).as_bytes())?;
            }
            return Ok(());
        };
        for format in &self.formats {
            let path = match self.formats.as_slice() {
                [_] => output.clone(),
                _ => output.with_extension(format.extension()),
            };
            let text = report.write(*format, false);
            fs::write(&path, text).map_err(|error| Failure::file(path.display(), &error))?;
            terminal.talk(format!("{} report in {}", format.name(), path.display()));
        }
        if !self.formats.contains(&Format::Terminal) {
            terminal.talk(report.sentence());
        }
        Ok(())
    }

    fn exit(&self, report: &Report) -> Exit {
        if report.worst() >= self.fail_on {
            return Exit::Failed;
        }
        match report.verdict() {
            Verdict::Inconclusive => Exit::Unreachable,
            _ => Exit::Ok,
        }
    }
}

fn refused(error: &AuditError) -> Failure {
    match error {
        AuditError::Usage(message) => Failure::usage(message.clone()),
        error => Failure::new(Exit::Unreachable, error.to_string())
            .hint("is it the base URL, and is the service running?"),
    }
}

fn profile(name: &str) -> Result<Profile, String> {
    named(name, &Profile::ALL, Profile::name)
}

fn format(name: &str) -> Result<Format, String> {
    named(name, &Format::ALL, Format::name)
}

fn level(name: &str) -> Result<Level, String> {
    named(name, &[Level::Warn, Level::Bad], Level::name)
}

fn named<T: Copy>(name: &str, all: &[T], of: impl Fn(T) -> &'static str) -> Result<T, String> {
    let found = all.iter().copied().find(|one| of(*one) == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|one| of(*one)).collect();
        format!("one of {}", names.join(", "))
    })
}
