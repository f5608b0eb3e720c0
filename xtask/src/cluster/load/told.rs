//! Pages of changes as the checker of histories takes them; and the whole timeline, page by page.

use std::{net::SocketAddr, thread, time::Duration};

use serde_json::Value;

use super::{
    places::{COLLECTIONS, resource},
    wire::{Answer, Ask, ask},
};
use crate::{
    cluster::history::{Entry, Position, Resource, Seen, Timeline},
    http::Response,
};

/// A node that has just come back may need a moment.
const ATTEMPTS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(200);

/// A page as it was told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) position: Position,
    pub(crate) items: Vec<(Resource, Seen)>,
    /// Where it goes on, and whether that is `resume`.
    pub(crate) onward: (String, bool),
}

impl Told {
    /// Reads a page of a collection.
    pub(crate) fn read(collection: u32, response: &Response) -> Option<Self> {
        let page: Value = serde_json::from_slice(&response.body).ok()?;
        let text = |value: &Value, name: &str| Some(value.get(name)?.as_str()?.to_owned());
        let mut items = Vec::new();
        for item in page.get("items")?.as_array()? {
            let of = resource(collection, &text(item, "id")?)?;
            let seen = if item.get("deleted").is_some() {
                Seen::Deleted(Position::parse(&text(item, "position")?)?)
            } else {
                Seen::Version {
                    tag: Position::parse(&text(item, "etag")?)?,
                    content: item.get("value")?.get("writer")?.as_u64()?,
                }
            };
            items.push((of, seen));
        }
        let next = text(&page, "next").map(|next| (next, false));
        Some(Self {
            position: Position::parse(&text(&page, "position")?)?,
            items,
            onward: next.or_else(|| Some((text(&page, "resume")?, true)))?,
        })
    }
}

/// Everything that a node says to have happened since.
///
/// # Errors
/// When it can't be read to its end.
pub(crate) fn timeline(door: SocketAddr, begin: &[Position]) -> Result<Timeline, String> {
    let mut entries = Vec::new();
    for (number, (name, begin)) in COLLECTIONS.iter().zip(begin).enumerate() {
        let collection = u32::try_from(number).unwrap_or(u32::MAX);
        let mut target = format!("/v1/{name}/changes/{begin}?versions=all");
        loop {
            let told = page(door, collection, &target)?;
            entries.extend(told.items.into_iter().filter_map(entry));
            if told.onward.1 {
                break;
            }
            target = told.onward.0;
        }
    }
    Ok(Timeline::new(entries))
}

fn page(door: SocketAddr, collection: u32, target: &str) -> Result<Told, String> {
    let mut said = String::new();
    for _ in 0..ATTEMPTS {
        let answer = ask(door, &Ask::fetch(target));
        if let Answer::Told(response) = &answer
            && response.status == 200
            && let Some(told) = Told::read(collection, response)
        {
            return Ok(told);
        }
        said = format!("{answer:?}");
        thread::sleep(PAUSE);
    }
    Err(format!("{target}: {said}"))
}

fn entry((resource, seen): (Resource, Seen)) -> Option<Entry> {
    let (position, content) = match seen {
        Seen::Version { tag, content } => (tag, Some(content)),
        Seen::Deleted(position) => (position, None),
        Seen::Tag(_) | Seen::Nothing => return None,
    };
    Some(Entry {
        position,
        resource,
        content,
    })
}
