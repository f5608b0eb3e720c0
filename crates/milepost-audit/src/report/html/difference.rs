//! Two answers side by side: what differs, and, in grey, what differs and is noise.

use super::{super::Report, escape};
use crate::{engine::differences, finding::Witness, script::Claim};

/// Rows that are shown.
const ROWS_MAX: usize = 60;
/// Characters of one value.
const VALUE_MAX: usize = 400;

pub(super) fn write(report: &Report, witness: &Witness) -> String {
    let proof = &witness.proof;
    let Some((left, right)) = proof.claims.iter().find_map(Claim::contrast) else {
        return String::new();
    };
    let (Some(one), Some(other)) = (proof.played.at(left), proof.played.at(right)) else {
        return String::new();
    };
    let mut table = format!(
        "<div class=\"scroll\"><table><tr><th>differs</th><th>#{} {}</th><th>#{} {}</th></tr>",
        one.number, one.response.status, other.number, other.response.status
    );
    for difference in differences(&one.response, &other.response)
        .iter()
        .take(ROWS_MAX)
    {
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

fn value(report: &Report, spot: &crate::engine::Spot, text: &str) -> String {
    let text = match spot {
        crate::engine::Spot::Field(name) => report.redaction.field(name, text),
        _ => report.redaction.text(text),
    };
    let short: String = text.chars().take(VALUE_MAX).collect();
    escape(&short)
}
