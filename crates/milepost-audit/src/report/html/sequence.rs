//! The witness as a sequence: one row a request, a lane for each client, and the arc from the
//! request that is remembered to the one that remembers it.

use super::{
    super::{
        Report,
        witness::{client, is_restart},
    },
    escape,
};
use crate::finding::Witness;

/// Steps that are drawn.
const STEPS_MAX: usize = 40;
const ROW: usize = 24;
const LEFT: usize = 170;
const WIDTH: usize = 900;

pub(super) fn write(report: &Report, witness: &Witness) -> String {
    let played = &witness.proof.played;
    let count = played.exchanges.len().min(STEPS_MAX);
    let height = (count + 1) * ROW;
    let mut svg = format!(
        "<div class=\"scroll\"><svg viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" aria-label=\"sequence of requests\">"
    );
    for (step, exchange) in played.exchanges.iter().enumerate().take(count) {
        let y = (step + 1) * ROW;
        match exchange {
            Some(exchange) => {
                let hue = (exchange.voice.jar.max(exchange.voice.source) * 67) % 360;
                let text = format!(
                    "#{} {} → {}",
                    exchange.number,
                    request(report, &exchange.url, &exchange.request.method),
                    exchange.response.status
                );
                svg.push_str(&format!(
                    "<circle cx=\"{LEFT}\" cy=\"{}\" r=\"5\" fill=\"hsl({hue} 60% 50%)\"/><text x=\"4\" y=\"{y}\">{}, conn. {}</text><text x=\"{}\" y=\"{y}\">{}</text>",
                    y - 4,
                    escape(&client(exchange)),
                    exchange.connection,
                    LEFT + 60,
                    escape(&text),
                ));
            }
            None if is_restart(&witness.proof.script, step) => {
                svg.push_str(&format!("<line x1=\"0\" x2=\"{WIDTH}\" y1=\"{0}\" y2=\"{0}\" stroke=\"currentColor\" stroke-dasharray=\"6 4\"/><text x=\"4\" y=\"{y}\">restart</text>", y - 4));
            }
            None => svg.push_str(&format!("<text x=\"4\" y=\"{y}\">no answer</text>")),
        }
    }
    if let Some(arc) = arc(witness, count) {
        svg.push_str(&arc);
    }
    svg.push_str("</svg></div>");
    svg.push_str(&sentence(witness));
    svg
}

fn request(report: &Report, url: &str, method: &str) -> String {
    let path = url.splitn(4, '/').nth(3).unwrap_or_default();
    let path: String = report.redaction.text(path).chars().take(90).collect();
    format!("{method} /{path}")
}

fn arc(witness: &Witness, count: usize) -> Option<String> {
    let remembered = witness.remembered.as_ref()?;
    if remembered.from >= count || remembered.at >= count || remembered.from == remembered.at {
        return None;
    }
    let (from, at) = (
        (remembered.from + 1) * ROW - 4,
        (remembered.at + 1) * ROW - 4,
    );
    let (x, bend) = (LEFT + 5, LEFT + 55);
    Some(format!(
        "<path d=\"M {x} {from} C {bend} {from} {bend} {at} {x} {at}\" fill=\"none\" stroke=\"#c0392b\" stroke-width=\"2\"/><path d=\"M {x} {at} l 8 -5 l 0 10 z\" fill=\"#c0392b\"/>"
    ))
}

fn sentence(witness: &Witness) -> String {
    let played = &witness.proof.played;
    let Some(remembered) = &witness.remembered else {
        return String::new();
    };
    let number = |step: usize| played.at(step).map(|exchange| exchange.number);
    match (number(remembered.from), number(remembered.at)) {
        (Some(from), Some(at)) if from != at => {
            format!(
                "<p><b>#{from} remembered at #{at} through {}</b></p>",
                escape(&remembered.through.to_string())
            )
        }
        _ => String::new(),
    }
}
