//! Writes the bench's documents to stdout, in the shape that a server's fastest way in wants.
//!
//! `documents --count N --shape ndjson|small.ndjson|array|tabs|copy`

use std::io::{BufWriter, Write as _};

use milepost_bench::{
    arguments::Arguments,
    dialect::{document, identifier, with_identifier},
};

fn main() -> Result<(), String> {
    let arguments = Arguments::of_the_process()?;
    let (count, shape): (u32, String) = (arguments.value("count")?, arguments.value("shape")?);
    let line = match shape.as_str() {
        "ndjson" | "array" => with_identifier,
        "small.ndjson" => small,
        "tabs" => columns,
        "copy" => row,
        _ => return Err(format!("no shape {shape}")),
    };
    let (before, between, after) = match shape.as_str() {
        "array" => ("{\"documents\":[\n", ",\n", "\n]}\n"),
        _ => ("", "\n", "\n"),
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut write = |text: &str| {
        out.write_all(text.as_bytes())
            .map_err(|error| error.to_string())
    };
    write(before)?;
    for key in 0..count {
        write(if key == 0 { "" } else { between })?;
        write(&line(key))?;
    }
    write(after)?;
    out.flush().map_err(|error| error.to_string())
}

/// A document of a hundred bytes, as the feed is measured with.
fn small(key: u32) -> String {
    let (id, city, rank) = (identifier(key), key % 1000, key % 9973);
    format!(
        "{{\"id\":\"{id}\",\"name\":\"Document {key:08}\",\"city\":\"c{city:03}\",\"kind\":\"k{}\",\"rank\":{rank}}}",
        key % 10
    )
}

/// For SQLite's `.import` in tabs mode: city, id, kind, name, note, rank, round.
fn columns(key: u32) -> String {
    let value: serde_json::Value = serde_json::from_str(&document(key, 0)).unwrap_or_default();
    let text = |name: &str| match value.get(name) {
        Some(serde_json::Value::String(text)) => text.clone(),
        other => other.map(ToString::to_string).unwrap_or_default(),
    };
    let (city, kind, name) = (text("city"), text("kind"), text("name"));
    let (note, rank, round) = (text("note"), text("rank"), text("round"));
    [city, identifier(key), kind, name, note, rank, round].join("\t")
}

/// For PostgreSQL's `COPY`, into Kinto's table of objects: each a millisecond after the one before.
fn row(key: u32) -> String {
    let (id, body) = (identifier(key), document(key, 0));
    let parent = "/buckets/bench/collections/documents";
    let (minutes, seconds, millis) = (key / 60_000 % 60, key / 1000 % 60, key % 1000);
    let hours = key / 3_600_000;
    let time = format!("2026-01-01 {hours:02}:{minutes:02}:{seconds:02}.{millis:03}");
    format!("{id}\t{parent}\trecord\t{time}\t{body}\tf")
}
