//! The storm: many clients come back at once, and nobody's bookmark is known any more, as the store was
//! restored from a backup. Meanwhile there are writes.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    Options, binary, folder,
    origin::{Asked, Origin},
    swarm::Swarm,
    varnish,
};
use crate::{
    cargo::{program, read},
    say,
};

const DOCUMENTS: usize = 500;
const WRITES: u32 = 40;

/// What one run came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    clients: usize,
    bookmarks: usize,
    asked: u64,
    converged: u64,
    /// `410` at the server, and the most for one URL.
    gone: usize,
    gone_most: usize,
    /// Snapshots: how many positions, pages, and requests for those.
    snapshots: usize,
    pages: usize,
    page_requests: usize,
}

/// Runs with each client at a place of its own, and with all at few places.
///
/// # Errors
/// When something can't be started, or the clients don't converge.
pub(super) fn count_all(options: &Options) -> Result<Vec<Count>, String> {
    let folder = folder("storm")?;
    let (backup, positions) = filled(options, &folder)?;
    let few = positions.len().min(20);
    let all = positions.len().min(options.clients);
    let mut counts = Vec::new();
    for (name, bookmarks) in [("few", few), ("all", all)] {
        let data = folder.join(name);
        milepost(options, "restore", &backup, &data)?;
        let bookmarks = positions
            .get(positions.len() - bookmarks..)
            .unwrap_or_default();
        counts.push(count(options, &folder, &data, bookmarks)?);
    }
    Ok(counts)
}

/// A backup, and positions that the restored store will not know.
fn filled(options: &Options, folder: &Path) -> Result<(std::path::PathBuf, Vec<String>), String> {
    let data = folder.join("first");
    let rounds = options.clients.div_ceil(DOCUMENTS).max(1);
    let positions = Origin::open(options, &data)?.fill(DOCUMENTS, rounds)?;
    let backup = folder.join("backup.milepost");
    milepost(options, "backup", &data, &backup)?;
    Ok((backup, positions))
}

fn milepost(options: &Options, what: &str, from: &Path, to: &Path) -> Result<(), String> {
    let mut command = program(binary(options, "milepost"));
    read(command.arg(what).arg(from).arg(to)).map(|_said| ())
}

fn count(
    options: &Options,
    folder: &Path,
    data: &Path,
    bookmarks: &[String],
) -> Result<Count, String> {
    let clients = options.clients;
    say::talk(&format!(
        "{clients} clients, {} expired bookmarks",
        bookmarks.len()
    ));
    let mut origin = Origin::open(options, data)?;
    let varnish = varnish::before(origin.address(), folder)?;
    let swarm = Swarm {
        cache: varnish.address,
        origin: origin.address(),
        followers: clients,
        bookmarks,
        beginning_ms: 0,
        writes: WRITES,
        documents: DOCUMENTS,
    };
    let done = swarm.run(options, folder)?;
    let asked = origin.asked()?;
    let gone = urls(&asked, |asked| asked.status == 410);
    let pages = urls(&asked, |asked| {
        asked.status == 200 && asked.target.contains("/snapshots/")
    });
    let snapshots: BTreeSet<&str> = pages
        .keys()
        .filter_map(|url| url.split('?').next())
        .collect();
    Ok(Count {
        clients,
        bookmarks: bookmarks.len(),
        asked: done.requests,
        converged: done.converged,
        gone: gone.values().sum(),
        gone_most: gone.values().copied().max().unwrap_or_default(),
        snapshots: snapshots.len(),
        pages: pages.len(),
        page_requests: pages.values().sum(),
    })
}

fn urls(asked: &[Asked], counts: impl Fn(&Asked) -> bool) -> BTreeMap<&str, usize> {
    let mut urls = BTreeMap::new();
    for asked in asked.iter().filter(|asked| counts(asked)) {
        *urls.entry(asked.target.as_str()).or_default() += 1;
    }
    urls
}

/// The counts as Markdown.
pub(super) fn table(counts: &[Count]) -> String {
    let mut text = String::from(
        "| clients | expired bookmarks | requests of clients | 410 at the server | most for one URL | snapshots | \
         their pages | requests for them at the server | ended equal to the server |\n\
         |---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for count in counts {
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
            count.clients,
            count.bookmarks,
            count.asked,
            count.gone,
            count.gone_most,
            count.snapshots,
            count.pages,
            count.page_requests,
            count.converged,
        ));
    }
    text
}

/// Demands what is promised. The writes may pass a round position: then there is a second snapshot; and a minute may
/// end in the middle: then there is a 410 a second time.
///
/// # Errors
/// What is not so.
pub(super) fn hold(counts: &[Count]) -> Result<(), String> {
    for count in counts {
        let converged = usize::try_from(count.converged).unwrap_or_default();
        let is_one = count.snapshots <= 2 && count.page_requests == count.pages;
        if converged != count.clients || !is_one || count.gone_most > 2 {
            return Err(format!("not as promised: {count:?}"));
        }
    }
    Ok(())
}
