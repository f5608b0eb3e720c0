//! Loads a server with replacements and prints one JSON object with what was acknowledged.
//!
//! `put_load --server ADDRESS[,ADDRESS] --dialect NAME --connections N --keys N --seconds S --salt N`

use std::time::Duration;

use milepost_bench::{
    arguments::Arguments,
    clock::Stopwatch,
    load::{Load, run},
};
use tokio::{runtime::Builder, task::LocalSet};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
fn main() -> Result<(), String> {
    let arguments = Arguments::of_the_process()?;
    let seconds: f64 = arguments.value("seconds")?;
    let load = Load {
        servers: arguments.value("server")?,
        dialect: arguments.value("dialect")?,
        connections: arguments.value("connections")?,
        keys: arguments.value("keys")?,
        time: Duration::from_secs_f64(seconds),
        salt: arguments.value("salt")?,
    };
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let watch = Stopwatch::start();
    let mut outcome = runtime.block_on(LocalSet::new().run_until(run(load)))?;
    let rate = Duration::from_secs(outcome.acknowledged).as_secs_f64() / seconds;
    let (half, most) = (outcome.quantile_ms(500), outcome.quantile_ms(990));
    println!(
        "{{\"perSecond\":{rate:.1},\"refused\":{},\"p50\":{half:.3},\"p99\":{most:.3},\"wholeSeconds\":{:.1}}}",
        outcome.refused,
        watch.elapsed().as_secs_f64(),
    );
    Ok(())
}
