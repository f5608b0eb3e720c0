//! Fan-out: what a write costs the server when many follow through a cache.

use std::collections::BTreeMap;

use super::{
    Options, folder,
    origin::{Asked, Origin},
    swarm::Swarm,
    varnish,
};
use crate::say;

const DOCUMENTS: usize = 100;
/// The time over which followers begin: longer than they rest, so that they don't come in step.
const BEGINNING_MS: u32 = 3_000;
/// What a write may cost the server, in requests: each place in the feed is asked for about as often as its
/// page goes stale while somebody stands there, and few writes make a place of their own.
const PER_WRITE_MAX: f64 = 4.0;
/// By how much a write may cost more with more followers, in requests: what chance does.
const PER_WRITE_MORE_MAX: f64 = 0.5;

/// What one run came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    followers: usize,
    writes: u32,
    /// Requests that the followers made while there were writes, and until all had seen the last.
    asked: u64,
    /// Those of them that reached the server.
    reached: usize,
    urls: usize,
    converged: u64,
}

impl Count {
    fn per_write(&self) -> f64 {
        f64::from(u32::try_from(self.reached).unwrap_or(u32::MAX)) / f64::from(self.writes.max(1))
    }
}

/// Runs once for each number of followers.
///
/// # Errors
/// When something can't be started, or the followers don't converge.
pub(super) fn count_all(options: &Options) -> Result<Vec<Count>, String> {
    let runs = options.followers.iter();
    runs.map(|followers| count(options, *followers)).collect()
}

fn count(options: &Options, followers: usize) -> Result<Count, String> {
    let writes = options.writes;
    say::talk(&format!("{followers} followers, {writes} writes"));
    let folder = folder("fanout")?;
    let mut origin = Origin::open(options, &folder.join("data"))?;
    origin.fill(DOCUMENTS, 1)?;
    let varnish = varnish::before(origin.address(), &folder)?;
    let before = origin.asked()?.len();
    let swarm = Swarm {
        cache: varnish.address,
        origin: origin.address(),
        followers,
        bookmarks: &[],
        beginning_ms: BEGINNING_MS,
        writes,
        documents: DOCUMENTS,
    };
    let done = swarm.run(options, &folder)?;
    let asked = origin.asked()?;
    let since = asked.get(before..).unwrap_or_default();
    let reached = reached(since);
    Ok(Count {
        followers,
        writes,
        asked: done.requests,
        reached: reached.values().sum(),
        urls: reached.len(),
        converged: done.converged,
    })
}

/// How often each page was asked of the server from the first write on. The writer's own two questions at the
/// end are among them.
fn reached(asked: &[Asked]) -> BTreeMap<&str, usize> {
    let writing = asked.iter().skip_while(|asked| asked.method != "PUT");
    let mut urls = BTreeMap::new();
    for asked in writing.filter(|asked| asked.method == "GET") {
        *urls.entry(asked.target.as_str()).or_default() += 1;
    }
    urls
}

/// The counts as Markdown.
pub(super) fn table(counts: &[Count]) -> String {
    let mut text = String::from(
        "| followers | writes | requests of followers | requests at the server | per write | different URLs | \
         ended equal to the server |\n|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for count in counts {
        text.push_str(&format!(
            "| {} | {} | {} | {} | {:.2} | {} | {} |\n",
            count.followers,
            count.writes,
            count.asked,
            count.reached,
            count.per_write(),
            count.urls,
            count.converged,
        ));
    }
    text
}

/// Demands what is promised.
///
/// # Errors
/// What is not so.
pub(super) fn hold(counts: &[Count]) -> Result<(), String> {
    for count in counts {
        let converged = usize::try_from(count.converged).unwrap_or_default();
        if converged != count.followers {
            return Err(format!("{converged} of {} converged", count.followers));
        }
        if count.per_write() > PER_WRITE_MAX {
            return Err(format!("a write cost {:.2} requests", count.per_write()));
        }
    }
    for (fewer, more) in counts.iter().zip(counts.iter().skip(1)) {
        if more.per_write() > fewer.per_write() + PER_WRITE_MORE_MAX {
            return Err("what a write costs grows with the followers".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_that_grows_with_the_followers_and_a_follower_left_behind_are_told() {
        let count = |followers, reached| Count {
            followers,
            writes: 100,
            asked: 1_000,
            reached,
            urls: 10,
            converged: 10,
        };
        assert!(hold(&[count(10, 40), count(10, 60)]).is_ok());
        assert!(hold(&[count(10, 40), count(10, 140)]).is_err());
        assert!(hold(&[count(10, 500)]).is_err());
        assert!(hold(&[count(11, 40)]).is_err());
    }

    #[test]
    fn what_was_asked_before_the_first_write_is_not_counted() {
        let asked = |method: &str, target: &str| Asked {
            method: method.to_owned(),
            target: target.to_owned(),
            status: 200,
        };
        let log = [
            asked("GET", "/a"),
            asked("PUT", "/d0"),
            asked("GET", "/a"),
            asked("PUT", "/d1"),
            asked("GET", "/b"),
            asked("GET", "/b"),
        ];
        assert_eq!(reached(&log), BTreeMap::from([("/a", 1), ("/b", 2)]));
    }
}
