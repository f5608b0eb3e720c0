//! What growth costs: opening a large store, and a page of a filtered, sorted list at two sizes.

use super::{
    Milepost,
    load::{Ask, Reading},
    options::Options,
    report::{Goal, Report},
    rounds::{Contestant, interleave},
};

/// The small store that the large one is compared with.
const FEW: u32 = 10_000;
const PAGE: &str = "/v1/documents?kind=k3&sort=-rank&pageSize=100";

/// A thousand pages, more than are kept ready-made.
fn pages() -> Vec<Ask> {
    let ranks = (1..=100).map(|hundredth| hundredth * 10_000);
    ranks
        .flat_map(|rank| {
            (0..10).map(move |kind| {
                let url =
                    format!("/v1/documents?kind=k{kind}&rank=lt:{rank}&sort=-rank&pageSize=100");
                Ask::get(url)
            })
        })
        .collect()
}

/// Measures both.
///
/// # Errors
/// When Milepost fails.
pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    let few = Milepost::with_documents("few", FEW)?;
    let many = Milepost::with_documents("many", options.many)?.reopened()?;
    let starting = many.process.starting.as_secs_f64() * 1000.0;
    let fresh = many.process.memory_kib("VmRSS").unwrap_or_default() / 1024;
    for (title, asks) in [
        (
            "A page of a filtered, sorted list, at two sizes",
            vec![Ask::get(PAGE)],
        ),
        ("A thousand such pages, at two sizes", pages()),
    ] {
        compare(options, report, (title, &asks), (&few, &many))?;
    }
    report.line(&format!(
        "\nStarting the process on {} documents until it accepts connections: {starting:.0} ms \
         (goal: the store opens in less than 100 ms). Resident memory then: {fresh} MiB.",
        options.many
    ));
    let most = many.process.memory_kib("VmHWM").unwrap_or_default() / 1024;
    report.line(&format!("After the load: at most {most} MiB."));
    Ok(())
}

fn compare(
    options: &Options,
    report: &mut Report,
    (title, asks): (&str, &[Ask]),
    (few, many): (&Milepost, &Milepost),
) -> Result<(), String> {
    let reading = Reading::new("page", asks, options.seconds)?;
    let comparison = interleave(
        options.rounds,
        &mut [
            Contestant::new(format!("{FEW} documents"), || {
                reading.measure(few.process.address)
            }),
            Contestant::new(format!("Milepost, {} documents", options.many), || {
                reading.measure(many.process.address)
            }),
        ],
    )?;
    let goals = [Goal {
        against: "10000",
        ratio: 1.0 / 1.5,
    }];
    report.add(title, &comparison, &goals);
    Ok(())
}
