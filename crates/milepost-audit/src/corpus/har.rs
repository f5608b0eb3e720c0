//! Recorded traffic (HAR 1.2) as a source of operations: the GETs on the audited origin.

use serde_json::Value;

use crate::http::Origin;

/// The targets of recorded GETs on an origin, in order.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn targets(text: &str, origin: &Origin) -> Result<Vec<String>, String> {
    let har: Value =
        serde_json::from_str(text).map_err(|error| format!("the HAR is no JSON: {error}"))?;
    let entries = har.pointer("/log/entries").and_then(Value::as_array);
    let entries = entries.ok_or("the HAR has no log.entries")?;
    let target = |entry: &Value| {
        let request = entry.get("request")?;
        let is_get = request.get("method")?.as_str()? == "GET";
        let place = crate::http::Place::parse(request.get("url")?.as_str()?).ok()?;
        (is_get && place.origin == *origin).then_some(place.target)
    };
    Ok(entries.iter().filter_map(target).collect())
}
