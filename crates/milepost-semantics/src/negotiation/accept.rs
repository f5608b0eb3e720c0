//! `Accept` (RFC 9110 §12.5.1): which media types a client can use.

use http::header::{ACCEPT, HeaderMap};

use super::quality::Quality;
use crate::field::grammar::Cursor;
use crate::field::{MalformedField, combined};
use crate::media_type::MediaType;

/// The media ranges of a request. Without any, everything is acceptable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accept {
    ranges: Vec<Range>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Range {
    media: MediaType,
    quality: Quality,
}

/// How closely a range describes a media type: the closest range decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Closeness {
    Anything,
    Type,
    Subtype,
    Params(usize),
}

impl Accept {
    /// Reads the field, over any number of lines; absent or empty, everything is acceptable.
    ///
    /// # Errors
    /// When an element is no media range or has no valid weight.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, MalformedField> {
        let Some(text) = combined(headers, &ACCEPT)? else {
            return Ok(Self::default());
        };
        let ranges = parse(&text);
        let malformed = || {
            let detail = "it lists media ranges such as application/json;q=0.9, */*;q=0.1";
            MalformedField::new(&ACCEPT, detail, text.as_bytes())
        };
        ranges.map(|ranges| Self { ranges }).ok_or_else(malformed)
    }

    /// How much a media type is wanted.
    #[must_use]
    pub fn quality(&self, offered: &MediaType) -> Quality {
        if self.ranges.is_empty() {
            return Quality::ONE;
        }
        let matching = self.ranges.iter();
        let closest = matching
            .filter_map(|range| {
                closeness(&range.media, offered).map(|close| (close, range.quality))
            })
            .max_by_key(|(close, _)| *close);
        closest.map_or(Quality::ZERO, |(_, quality)| quality)
    }

    /// The media type that is wanted most; of several the one offered first. `None` when none is
    /// acceptable.
    #[must_use]
    pub fn choose<'o>(&self, offered: &'o [MediaType]) -> Option<&'o MediaType> {
        let mut chosen: Option<(&MediaType, Quality)> = None;
        for media in offered {
            let quality = self.quality(media);
            let is_better = chosen.is_none_or(|(_, best)| quality > best);
            if quality.is_acceptable() && is_better {
                chosen = Some((media, quality));
            }
        }
        chosen.map(|(media, _)| media)
    }
}

fn parse(text: &str) -> Option<Vec<Range>> {
    let mut cursor = Cursor::new(text);
    let mut ranges = Vec::new();
    cursor.skip_commas();
    while !cursor.is_at_end() {
        let media = MediaType::read(&mut cursor)?;
        if !cursor.is_at_element_end() {
            return None;
        }
        ranges.push(Range {
            quality: weight(&media)?,
            media,
        });
        cursor.skip_commas();
    }
    Some(ranges)
}

fn weight(media: &MediaType) -> Option<Quality> {
    media.param("q").map_or(Some(Quality::ONE), Quality::parse)
}

/// `None` when the range doesn't contain the media type.
fn closeness(range: &MediaType, offered: &MediaType) -> Option<Closeness> {
    if range.essence() == "*/*" {
        return Some(Closeness::Anything);
    }
    let (kind, subtype) = range.essence().split_once('/')?;
    if subtype == "*" {
        let (offered_kind, _) = offered.essence().split_once('/')?;
        return (kind == offered_kind).then_some(Closeness::Type);
    }
    if range.essence() != offered.essence() {
        return None;
    }
    let demanded: Vec<_> = demanded_params(range).collect();
    let has = |(name, value): &&(String, String)| {
        offered
            .param(name)
            .is_some_and(|given| given.eq_ignore_ascii_case(value))
    };
    if !demanded.iter().all(has) {
        return None;
    }
    Some(match demanded.len() {
        0 => Closeness::Subtype,
        count => Closeness::Params(count),
    })
}

/// Parameters that tell media types apart: not the weight nor what follows it, and not the charset
/// that everything here has.
fn demanded_params(range: &MediaType) -> impl Iterator<Item = &(String, String)> {
    let is_media_param = |(name, _): &&(String, String)| name != "q";
    let is_implied =
        |(name, value): &(String, String)| name == "charset" && value.eq_ignore_ascii_case("utf-8");
    range
        .params()
        .iter()
        .take_while(is_media_param)
        .filter(move |param| !is_implied(param))
}
