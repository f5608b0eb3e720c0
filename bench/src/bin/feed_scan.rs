//! Reads every version of a store in its order, in this process and from one connection, and prints
//! how many rows and bytes a second that were: what reading the same rows costs at least.
//!
//! `feed_scan --data FOLDER`

use std::path::PathBuf;

use milepost_bench::{arguments::Arguments, clock::Stopwatch};
use rusqlite::{Connection, OpenFlags};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The columns that a page of changes is made from.
const SCAN: &str = "SELECT row, parent, id, body FROM versions ORDER BY row";

#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
fn main() -> Result<(), String> {
    let arguments = Arguments::of_the_process()?;
    let file = arguments.value::<PathBuf>("data")?.join("store.sqlite");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let scan = || -> rusqlite::Result<(u32, usize)> {
        let db = Connection::open_with_flags(&file, flags)?;
        let mut statement = db.prepare(SCAN)?;
        let mut rows = statement.query([])?;
        let (mut count, mut bytes) = (0, 0);
        while let Some(row) = rows.next()? {
            count += 1;
            bytes += row.get_ref(2)?.as_str()?.len();
            bytes += row.get_ref(3)?.as_blob_or_null()?.map_or(0, <[u8]>::len);
        }
        Ok((count, bytes))
    };
    // Once before, so that the second reads what is in memory.
    let failed = |error: rusqlite::Error| format!("{}: {error}", file.display());
    scan().map_err(failed)?;
    let watch = Stopwatch::start();
    let (rows, bytes) = scan().map_err(failed)?;
    let seconds = watch.elapsed().as_secs_f64();
    println!("{{\"rows\":{rows},\"bytes\":{bytes},\"seconds\":{seconds:.4}}}");
    Ok(())
}
