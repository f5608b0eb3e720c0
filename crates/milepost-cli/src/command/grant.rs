//! `milepost grant`: links that let whoever has one do one thing for a while, made with the server's keys; and narrows them,
//! which needs no key.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::Args;
use milepost_server::identity::{
    GRANT_IN_URL_S_MAX, Grant, GrantError, GrantKey, GrantSubject, Narrowing, narrowed,
};
use serde_json::Map;
use ureq::http::Uri;

use super::token::read_claim;
use crate::{
    Ended,
    duration::Seconds,
    exit::{Exit, Failure},
    keys::{RingPlace, now},
    serving::LOCAL_ISSUER,
    terminal::Terminal,
};

const EXAMPLES: &str = "\
Examples:
  milepost grant GET http://127.0.0.1:7070/v1/books/solaris --for 1h
  milepost grant GET http://127.0.0.1:7070/v1/books/solaris --for 15m --link      a URL that works by itself
  milepost grant PUT http://127.0.0.1:7070/v1/books/solaris --subject ada --keys shared.json
  milepost grant GET http://127.0.0.1:7070/v1/books --below --for 7d > books.grant
  milepost grant --narrow books.grant --for 5m                                    shorter: no key is needed
  milepost grant GET http://127.0.0.1:7070/v1/books/emma --narrow books.grant     one of them

It is for this method and this URL, path and query to the letter; with --narrow METHOD is the grant's own. It is signed, not
encrypted: whoever has it can read URL, subject and claims. It goes into Authorization: Bearer (--token, MILEPOST_TOKEN),
and is taken by a server that runs with --grants and the same keys. Rules are asked about its subject as about anybody.
It ends with its time, with its subject's epoch, or with the key: milepost keys revoke.
";

/// How long a grant is good that nothing is said of.
const LIFETIME: Seconds = Seconds(3600);
/// The most that is read of a file with a grant, in bytes; no grant has more than 8 KiB.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Make a link that allows one thing for a while, or narrow one
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct GrantCommand {
    /// What may be done: GET (HEAD is meant too), PUT, PATCH, DELETE, POST, QUERY
    #[arg(
        value_name = "METHOD",
        required_unless_present = "narrow",
        requires = "url"
    )]
    method: Option<String>,

    /// Where: the whole URL, or what stands in it behind the host
    #[arg(value_name = "URL")]
    url: Option<String>,

    /// How long it is good: 90s, 30m, 1h, 7d [default: 1h; with --narrow and no --link, as long as it was]
    #[arg(long = "for", value_name = "TIME")]
    lifetime: Option<Seconds>,

    /// Also everything below the URL, with any query
    #[arg(long, requires = "url")]
    below: bool,

    /// Whom it speaks for [default: a bearer without a name, whom rules see as urn:milepost:grant]
    #[arg(long, value_name = "ID", conflicts_with = "narrow")]
    subject: Option<String>,

    /// Whose word the subject is, as the server's --issuer has it [default: urn:milepost:local]
    #[arg(long, value_name = "NAME", requires = "subject")]
    issuer: Option<String>,

    /// What rules see of the subject: `role=teller` is a text, `epoch:=3` JSON; may be repeated
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "narrow")]
    claim: Vec<String>,

    /// Print the URL with the grant in it: for GET, for an hour at most
    #[arg(long, requires = "url")]
    link: bool,

    /// Narrow the grant in this file instead (`-` for stdin), as its holder: to what else is given
    #[arg(long, value_name = "FILE")]
    narrow: Option<PathBuf>,

    #[command(flatten)]
    ring: RingPlace,
}

impl GrantCommand {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        self.refuse_link_that_no_server_takes()?;
        let grant = match &self.narrow {
            Some(file) => narrowed(read(file)?.trim(), &self.narrowing()),
            None => self.grant()?.sign(&self.key()?),
        };
        let grant = grant.map_err(|error| unusable(&error))?;
        terminal.line(match self.url.as_ref().filter(|_| self.link) {
            Some(url) => linked(url, &grant),
            None => grant,
        })?;
        Ok(Exit::Ok)
    }

    fn refuse_link_that_no_server_takes(&self) -> Result<(), Failure> {
        let is_long = self
            .lifetime
            .is_some_and(|lifetime| lifetime.0 > GRANT_IN_URL_S_MAX);
        let writes = self.method.as_deref().is_some_and(|method| method != "GET");
        if self.link && (is_long || writes) {
            let message = "a URL carries grants for GET only, and for an hour at most";
            return Err(Failure::usage(message)
                .hint("leave --link out, and send the grant in Authorization: Bearer"));
        }
        Ok(())
    }

    fn grant(&self) -> Result<Grant, Failure> {
        let claims = self.claim.iter().map(|claim| read_claim(claim));
        let issuer = self.issuer.as_deref().unwrap_or(LOCAL_ISSUER);
        Ok(Grant {
            method: self.method.clone().unwrap_or_default(),
            url: behind_host(self.url.as_deref().unwrap_or_default()),
            below: self.below,
            expires_s: ends(self.lifetime.unwrap_or(LIFETIME)),
            subject: self.subject.clone().map(|id| GrantSubject {
                issuer: issuer.to_owned(),
                id,
            }),
            claims: claims.collect::<Result<Map<_, _>, _>>()?,
        })
    }

    fn narrowing(&self) -> Narrowing {
        Narrowing {
            method: self.method.clone(),
            url: self.url.as_deref().map(behind_host),
            below: self.below,
            // No URL carries what was made for a week.
            expires_s: self
                .lifetime
                .or(self.link.then_some(Seconds(GRANT_IN_URL_S_MAX)))
                .map(ends),
        }
    }

    fn key(&self) -> Result<GrantKey, Failure> {
        let ring = self.ring.file().read().map_err(|error| {
            Failure::from(error)
                .hint("name the server's: --data DIR, or --keys FILE; a server makes them when it first starts")
        })?;
        GrantKey::active(&ring).ok_or_else(|| {
            Failure::failed("the ring has no key that signs").hint("milepost keys rotate")
        })
    }
}

fn unusable(error: &GrantError) -> Failure {
    let message = error.to_string();
    match error {
        GrantError::Malformed { .. } => Failure::invalid(message)
            .hint("--narrow takes a file with what milepost grant printed, without --link"),
        GrantError::TooNarrow => Failure::invalid(message),
        GrantError::Nothing => {
            Failure::usage(message).hint("milepost grant --narrow FILE --for 5m")
        }
        GrantError::Wider { .. } => {
            Failure::usage(message).hint("ask whoever made it for another one")
        }
        _ => Failure::usage(message),
    }
}

fn ends(lifetime: Seconds) -> u64 {
    now().as_unix_seconds().saturating_add(lifetime.0)
}

/// `https://host/path?query` without what stands before the path; what is no URL stays as it is, to be refused as that.
fn behind_host(url: &str) -> String {
    let parsed: Option<Uri> = url.parse().ok().filter(|_| !url.contains('#'));
    let behind = parsed.as_ref().and_then(Uri::path_and_query);
    behind.map_or_else(|| url.to_owned(), ToString::to_string)
}

/// The URL with the grant in it.
fn linked(url: &str, grant: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}access_token={grant}")
}

fn read(file: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if file.as_os_str() == "-" {
        let stdin = std::io::stdin().lock();
        stdin.take(FILE_BYTES_MAX).read_to_string(&mut text)
    } else {
        let opened = std::fs::File::open(file);
        opened.and_then(|opened| opened.take(FILE_BYTES_MAX).read_to_string(&mut text))
    };
    read.map_err(|error| Failure::file(file.display(), &error))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_about_what_stands_behind_the_host() {
        for (url, behind) in [
            ("https://a.example:1/v1/b?c=d", "/v1/b?c=d"),
            ("https://a.example", "/"),
            ("https://a.example?c=d", "/?c=d"),
            ("/v1/b?c=://d", "/v1/b?c=://d"),
            ("/v1/b#c", "/v1/b#c"),
            ("b c", "b c"),
        ] {
            assert_eq!(behind_host(url), behind);
        }
    }
}
