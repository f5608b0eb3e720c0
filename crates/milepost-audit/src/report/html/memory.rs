//! Memory against a count, clients or dropped streams, and, as control, against as many requests that
//! leave nothing behind.

use crate::finding::Measured;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 260.0;
const EDGE: f64 = 50.0;

pub(super) fn write(measured: &Measured) -> String {
    let widest = measured
        .points
        .iter()
        .map(|(count, _, _)| *count)
        .fold(1.0, f64::max);
    let values = measured
        .points
        .iter()
        .flat_map(|(_, many, one)| [*many, *one]);
    let (low, high) = values.fold((0.0_f64, 1.0_f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let x = |count: f64| EDGE + count / widest * (WIDTH - 2.0 * EDGE);
    let y = |bytes: f64| HEIGHT - EDGE - (bytes - low) / (high - low) * (HEIGHT - 2.0 * EDGE);
    let line = |pick: fn(&(f64, f64, f64)) -> f64| {
        let points = measured
            .points
            .iter()
            .map(|point| format!("{:.1},{:.1}", x(point.0), y(pick(point))));
        points.collect::<Vec<_>>().join(" ")
    };
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" aria-label=\"memory against {11}s\">\
         <line x1=\"{EDGE}\" x2=\"{0}\" y1=\"{1}\" y2=\"{1}\" stroke=\"currentColor\"/><line x1=\"{EDGE}\" x2=\"{EDGE}\" y1=\"{EDGE}\" y2=\"{2}\" stroke=\"currentColor\"/>\
         <polyline points=\"{3}\" fill=\"none\" stroke=\"#c0392b\" stroke-width=\"2\"/><polyline points=\"{4}\" fill=\"none\" stroke=\"#2a6fb5\" stroke-width=\"2\" stroke-dasharray=\"5 3\"/>\
         <text x=\"{EDGE}\" y=\"20\">growth in KiB: — many {11}s, - - {12}; {5:.0} bytes a {11} (95 %: {6:.0} to {7:.0})</text>\
         <text x=\"4\" y=\"{EDGE}\">{8:.0}</text><text x=\"{9}\" y=\"{10}\">{widest:.0} {11}s</text></svg>",
        WIDTH - EDGE,
        y(0.0_f64.max(low)),
        HEIGHT - EDGE,
        line(|point| point.1),
        line(|point| point.2),
        measured.slope,
        measured.low,
        measured.high,
        high / 1024.0,
        WIDTH - 2.0 * EDGE,
        HEIGHT - 20.0,
        measured.each,
        measured.control,
    )
}
