//! Lets many followers follow a collection through a cache while it is written past it, and prints one JSON
//! object with what they did.
//!
//! `followers --cache ADDRESS --origin ADDRESS --collection PATH --followers N --bookmarks FILE
//! --beginning-ms N --writes N --writes-per-second N --documents N`; the file has one position a line, or is
//! empty.

use std::time::Duration;

use milepost_bench::{
    arguments::Arguments,
    swarm::{Plan, run},
};
use tokio::{runtime::Builder, task::LocalSet};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
fn main() -> Result<(), String> {
    let arguments = Arguments::of_the_process()?;
    let bookmarks: String = arguments.value("bookmarks")?;
    let bookmarks =
        std::fs::read_to_string(&bookmarks).map_err(|error| format!("{bookmarks}: {error}"))?;
    let plan = Plan {
        cache: arguments.value("cache")?,
        origin: arguments.value("origin")?,
        collection: arguments.value("collection")?,
        followers: arguments.value("followers")?,
        bookmarks: bookmarks.lines().map(str::to_owned).collect(),
        beginning: Duration::from_millis(arguments.value("beginning-ms")?),
        writes: arguments.value("writes")?,
        writes_per_second: arguments.value("writes-per-second")?,
        documents: arguments.value("documents")?,
    };
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let figures = runtime.block_on(LocalSet::new().run_until(run(plan)))?;
    println!("{figures}");
    Ok(())
}
