//! Following links from the base, breadth first, politely: one origin, bounded in number, at most
//! a few of one shape, and nothing that says it ends a session.

use std::collections::{HashMap, HashSet, VecDeque};

use super::{Corpus, Description, Operation, links};
use crate::{
    engine::Stop,
    http::resolve,
    options::Options,
    script::{Send, Stage, Voice},
};

/// Operations of one shape (`/books/{}`): more of them show nothing new.
const OF_ONE_SHAPE_MAX: usize = 4;
/// Words in a path that a crawler stays away from, safe method or not.
const AVOIDED: &[&str] = &[
    "logout",
    "signout",
    "sign-out",
    "log-out",
    "shutdown",
    "quit",
    "-/console",
];
/// What answers are not read for operations: pictures and scripts.
const ASSETS: &[&str] = &[
    ".css", ".js", ".png", ".jpg", ".svg", ".ico", ".woff", ".woff2", ".map",
];

/// Asks the base and whatever it leads to; `seeds` are targets beside it.
///
/// # Errors
/// Why the base could not be asked.
pub(crate) fn crawl(
    stage: &Stage<'_>,
    seeds: &[String],
    options: &Options,
) -> Result<Corpus, Stop> {
    let limits = &options.limits;
    let place = stage
        .replicas
        .first()
        .ok_or(Stop::Missing("no service was given"))?;
    let mut crawl = Crawl {
        excluded: options.excluded.clone(),
        ..Crawl::default()
    };
    crawl.want(&place.target, None);
    for seed in seeds {
        crawl.want(seed, None);
    }
    let mut corpus = Corpus::default();
    let mut walk = stage.walk();
    while let Some((target, found_in)) = crawl.next() {
        if corpus.operations.len() >= limits.operations_max {
            let left = crawl.queue.len() + crawl.described.1.len() + 1;
            corpus.left_out.push(format!(
                "{left} more URLs, beyond {} operations",
                limits.operations_max
            ));
            break;
        }
        // One client asks everything: it has the cookies and the connection of what it saw before.
        match walk.ask(&Send::get(&target, Voice::client(1))) {
            Ok(exchange) => {
                let number = corpus.operations.len();
                let response = exchange.response;
                if corpus.description.is_none()
                    && let Some(description) = Description::of(&response)
                {
                    // What is linked is there; a described example may lead nowhere, and waits.
                    crawl.described = (number, description.targets_below(place.base()));
                    corpus.description = Some(description);
                }
                let references = links::all(&response);
                let is_readable = |_: &&String| response.is_whole;
                let references = references.iter().filter(is_readable);
                let found = references.filter_map(|one| resolve(&place.origin, &target, one));
                found.for_each(|found| crawl.want(&found, Some(number)));
                // Text that looked like a path, and is none.
                if response.status == 404 && found_in.is_some() {
                    continue;
                }
                corpus.operations.push(Operation {
                    target,
                    found_in,
                    status: response.status,
                    media_type: response.media_type(),
                    is_stream: !response.is_whole,
                });
            }
            Err(stop) if corpus.operations.is_empty() || stop.is_final() => return Err(stop),
            Err(stop) => corpus.left_out.push(format!("GET {target}: {stop}")),
        }
    }
    corpus.left_out.extend(crawl.avoided);
    Ok(corpus)
}

#[derive(Default)]
struct Crawl {
    queue: VecDeque<(String, Option<usize>)>,
    seen: HashSet<String>,
    shapes: HashMap<String, usize>,
    avoided: Vec<String>,
    excluded: Vec<String>,
    /// Targets of a description that was found, and in which answer.
    described: (usize, Vec<String>),
}

impl Crawl {
    /// The next target: first what is linked, then what is described.
    fn next(&mut self) -> Option<(String, Option<usize>)> {
        if self.queue.is_empty() {
            let (number, targets) = std::mem::take(&mut self.described);
            for target in targets {
                self.want(&target, Some(number));
            }
        }
        self.queue.pop_front()
    }

    fn want(&mut self, target: &str, found_in: Option<usize>) {
        if !self.seen.insert(target.to_owned()) {
            return;
        }
        let path = target
            .split('?')
            .next()
            .unwrap_or(target)
            .to_ascii_lowercase();
        if ASSETS.iter().any(|ending| path.ends_with(ending)) {
            return;
        }
        if self.excluded.iter().any(|outer| is_below(target, outer)) {
            self.avoided.push(format!("GET {target}: it is excluded"));
            return;
        }
        if AVOIDED.iter().any(|word| path.contains(word)) {
            self.avoided.push(format!(
                "GET {target}: its name says that it ends something"
            ));
            return;
        }
        let of_shape = self.shapes.entry(shape(target, found_in)).or_insert(0);
        *of_shape += 1;
        if *of_shape <= OF_ONE_SHAPE_MAX {
            self.queue.push_back((target.to_owned(), found_in));
        }
    }
}

/// Whether a target is a path, or lies below it.
pub(crate) fn is_below(target: &str, outer: &str) -> bool {
    let outer = outer.trim_end_matches('/');
    target
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

/// A URL with its variable parts taken out: siblings found in one answer are of one shape.
fn shape(target: &str, found_in: Option<usize>) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (folder, last) = path.rsplit_once('/').unwrap_or(("", path));
    let names: Vec<&str> = query
        .split('&')
        .map(|pair| pair.split('=').next().unwrap_or(pair))
        .collect();
    let fixed = |segment: &str| {
        let is_id = segment.len() > 20 || segment.chars().any(|c| c.is_ascii_digit());
        if is_id {
            "{}".to_owned()
        } else {
            segment.to_owned()
        }
    };
    let folder: Vec<String> = folder.split('/').map(fixed).collect();
    let depth = folder.len();
    let last = if depth > 2 && found_in.is_some() {
        "{}".to_owned()
    } else {
        fixed(last)
    };
    format!("{}/{last}?{}", folder.join("/"), names.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn siblings_are_of_one_shape_and_cousins_are_not() {
        assert_eq!(
            shape("/v1/books/solaris", Some(1)),
            shape("/v1/books/emma", Some(1))
        );
        assert_ne!(shape("/v1/books", Some(1)), shape("/v1/authors", Some(1)));
        assert_eq!(shape("/a/17/b?x=1", Some(1)), shape("/a/18/b?x=2", Some(1)));
        assert_ne!(shape("/a?x=1", None), shape("/a?y=1", None));
    }

    #[test]
    fn an_excluded_path_is_left_with_all_below_it_and_nothing_beside_it() {
        for below in ["/delay", "/delay/3", "/delay?s=3"] {
            assert!(is_below(below, "/delay/"), "{below}");
        }
        assert!(!is_below("/delayed", "/delay") && !is_below("/", "/delay"));
    }
}
