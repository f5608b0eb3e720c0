//! A race as a timeline: when each writer's last byte went out and its answer was there; all with
//! one parent tag, so two successes are a fork.

use crate::finding::Witness;

const WIDTH: f64 = 900.0;
const LEFT: f64 = 90.0;
const ROW: f64 = 18.0;

pub(super) fn write(witness: &Witness) -> String {
    let racers: Vec<_> = witness
        .proof
        .played
        .exchanges
        .iter()
        .flatten()
        .filter(|exchange| exchange.together.is_some())
        .collect();
    let start = racers
        .iter()
        .map(|exchange| exchange.sent_micros)
        .min()
        .unwrap_or(0);
    let end = racers
        .iter()
        .map(|exchange| exchange.sent_micros + exchange.took_micros)
        .max()
        .unwrap_or(1);
    let span = number(end.saturating_sub(start).max(1));
    let x =
        |micros: u64| LEFT + number(micros.saturating_sub(start)) / span * (WIDTH - LEFT - 160.0);
    let height = ROW * (number(u64::try_from(racers.len()).unwrap_or(0)) + 2.0);
    let mut svg = format!(
        "<div class=\"scroll\"><svg viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" aria-label=\"race timeline\">"
    );
    let mut y = ROW;
    for exchange in racers {
        let won = exchange.response.is_success();
        let colour = if won { "#c0392b" } else { "#2a8a4a" };
        let (from, to) = (
            x(exchange.sent_micros),
            x(exchange.sent_micros + exchange.took_micros),
        );
        let tag = exchange.response.etag().filter(|_| won).unwrap_or_default();
        let parent = exchange
            .request
            .fields
            .first("if-match")
            .unwrap_or("no tag");
        svg.push_str(&format!(
            "<text x=\"2\" y=\"{y}\">#{} {}</text><rect x=\"{from}\" y=\"{}\" width=\"{}\" height=\"10\" fill=\"{colour}\"/><text x=\"{}\" y=\"{y}\">{}</text>",
            exchange.number,
            exchange.response.status,
            y - 9.0,
            (to - from).max(2.0),
            to + 4.0,
            super::escape(&if won { format!("{parent} → {}", if tag.is_empty() { "taken" } else { tag }) } else { String::new() }),
        ));
        y += ROW;
    }
    svg.push_str(&format!(
        "<text x=\"{LEFT}\" y=\"{y}\">{:.1} ms</text></svg></div>",
        span / 1_000.0
    ));
    svg
}

fn number(value: u64) -> f64 {
    f64::from(u32::try_from(value).unwrap_or(u32::MAX))
}
