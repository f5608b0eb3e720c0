//! Two answers side by side: what differs, and, in grey, what differs and is noise.

use super::{super::Report, escape};
use crate::{
    engine::{Difference, Spot, differences},
    finding::Witness,
    script::{Claim, Exchange},
};

/// Rows that are shown.
const ROWS_MAX: usize = 60;
/// Characters of one value.
const VALUE_MAX: usize = 400;

pub(super) fn write(report: &Report, witness: &Witness) -> String {
    let proof = &witness.proof;
    let contrast = proof
        .claims
        .iter()
        .find_map(|claim| Some((claim, claim.contrast()?)));
    let Some((claim, (left, right))) = contrast else {
        return String::new();
    };
    let (Some(one), Some(other)) = (proof.played.at(left), proof.played.at(right)) else {
        return String::new();
    };
    let mut found = differences(&one.response, &other.response);
    // What it is about may be a field that is not compared otherwise.
    if let Claim::FieldDiffers(_, _, name) = claim
        && found
            .iter()
            .all(|known| known.spot != Spot::Field(name.clone()))
    {
        let of = |exchange: &Exchange| {
            let value = exchange.response.fields.first(name);
            value.unwrap_or_default().to_owned()
        };
        found.push(Difference {
            spot: Spot::Field(name.clone()),
            left: of(one),
            right: of(other),
        });
    }
    if found.is_empty() {
        return String::new();
    }
    let mut table = format!(
        "<div class=\"scroll\"><table><tr><th>differs</th><th>#{} {}</th><th>#{} {}</th></tr>",
        one.number, one.response.status, other.number, other.response.status
    );
    for difference in found.iter().take(ROWS_MAX) {
        let masked = if proof.mask.covers(&difference.spot) {
            " class=\"masked\" title=\"noise: differs between identical requests\""
        } else {
            ""
        };
        table.push_str(&format!(
            "<tr{masked}><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&difference.spot.to_string()),
            value(report, &difference.spot, &difference.left),
            value(report, &difference.spot, &difference.right)
        ));
    }
    table.push_str("</table></div>");
    table
}

fn value(report: &Report, spot: &Spot, text: &str) -> String {
    let text = match spot {
        Spot::Field(name) => report.redaction.field(name, text),
        _ => report.redaction.text(text),
    };
    let short: String = text.chars().take(VALUE_MAX).collect();
    escape(&short)
}
