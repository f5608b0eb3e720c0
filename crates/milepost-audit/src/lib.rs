//! Is this HTTP API stateless? Observed from outside, and proved.
//!
//! The auditor sends requests whose only difference is one trait of the client (its cookies, its
//! connection, its address, what it asked before) and looks for differences in the answers. What it
//! says is reproduced three times of three, shrunk to the smallest history, and handed over as a
//! script that anybody can play again. It knows no server, and never says "is stateless": only what
//! was looked at, and what was not.
//!
//! It distinguishes *session state* (what one client is in the middle of), which it looks for, from
//! *resource state*, which every client sees and which is the server's to keep.
//!
//! Safe by default: only loopback addresses, only safe methods, bounded in requests and time.
//!
//! ```no_run
//! use milepost_audit::{Options, audit};
//!
//! let options = Options { url: "http://127.0.0.1:8080/".to_owned(), ..Options::default() };
//! let report = audit(&options, |progress| drop(progress.doing))?;
//! assert_eq!(report.verdict().name(), "no-evidence");
//! # Ok::<(), milepost_audit::AuditError>(())
//! ```

mod audit;
mod check;
mod clock;
mod corpus;
mod engine;
mod explain;
mod finding;
mod http;
mod jar;
mod options;
mod profile;
mod random;
mod redact;
mod replay;
mod report;
mod sandbox;
mod script;
mod waiver;

pub use audit::{AuditError, Progress, audit, fetch};
pub use explain::{Explained, explain, explained};
pub use finding::{Confidence, Level, Verdict};
pub use options::{Limits, Memory, Options, Restart, SandboxBody};
pub use profile::Profile;
pub use replay::{ReplayError, Replayed, replay};
pub use report::{Format, Report};
pub use waiver::Waiver;
