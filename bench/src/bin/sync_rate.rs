//! The disk's own rate: append one block, sync its data, again and again.
//!
//! `sync_rate --folder FOLDER --bytes 4096 --seconds 3` prints syncs per second.

use std::{
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
    time::Duration,
};

use milepost_bench::{arguments::Arguments, clock::Stopwatch};

#[expect(clippy::print_stdout, reason = "the figure is the program's output")]
fn main() -> Result<(), String> {
    let arguments = Arguments::of_the_process()?;
    let path = arguments.value::<PathBuf>("folder")?.join("sync_rate");
    let block = vec![0x5a; arguments.value("bytes")?];
    let time = Duration::from_secs_f64(arguments.value("seconds")?);
    let measured = measure(&path, &block, time);
    // What was written is of no use to anyone; a leftover is overwritten next time.
    let _left_over = fs::remove_file(&path);
    println!(
        "{:.1}",
        measured.map_err(|error| format!("{}: {error}", path.display()))?
    );
    Ok(())
}

fn measure(path: &PathBuf, block: &[u8], time: Duration) -> std::io::Result<f64> {
    let mut file = File::create(path)?;
    let watch = Stopwatch::start();
    let mut syncs = 0_u32;
    while watch.elapsed() < time {
        file.write_all(block)?;
        file.sync_data()?;
        syncs += 1;
    }
    Ok(f64::from(syncs) / watch.elapsed().as_secs_f64())
}
