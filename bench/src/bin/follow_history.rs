//! Writes a history of edits at full speed while fifty followers of all kinds follow, and prints what
//! came of it as one JSON object, if every one of them ended exact.
//!
//! `follow_history --server URL --milepost FILE --folder PATH --history FILE`

use std::path::PathBuf;

use milepost_bench::{
    arguments::Arguments,
    fleet::{Crew, Fleet, History, run},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
fn main() -> Result<(), String> {
    let arguments = Arguments::of_the_process()?;
    let history = History::read(&arguments.value::<PathBuf>("history")?)?;
    let fleet = Fleet {
        server: arguments.value("server")?,
        milepost: arguments.value("milepost")?,
        folder: arguments.value("folder")?,
        crew: Crew {
            plain: 20,
            filtered: 15,
            killed: 8,
            restored: 7,
        },
    };
    let outcome = run(&fleet, &history)?;
    println!(
        "{{\"operations\":{},\"revisions\":{},\"resources\":{},\"followers\":{},\"kills\":{},\"restores\":{},\
         \"writingSeconds\":{:.2},\"wholeSeconds\":{:.2}}}",
        outcome.operations,
        outcome.revisions,
        outcome.resources,
        outcome.followers,
        outcome.kills,
        outcome.restores,
        outcome.writing_s,
        outcome.whole_s,
    );
    Ok(())
}
