//! What a write sends: a file, stdin, or members given on the command line.
//!
//! `title=Solaris` is a text, `year:=1961` is JSON, `/address/city=Delft` goes deeper.

use std::{
    fs,
    io::{IsTerminal as _, Read as _},
};

use milepost_semantics::json;
use serde_json::{Map, Value};

use crate::exit::Failure;

/// The largest content that is read: far above what a server takes.
const CONTENT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A document to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Content {
    /// The bytes, as given.
    pub(crate) bytes: Vec<u8>,
    /// The same, parsed.
    pub(crate) value: Value,
}

impl Content {
    /// Reads content from the arguments: `FILE`, `@FILE`, `-`, or assignments; nothing means stdin.
    pub(crate) fn of_arguments(arguments: &[String]) -> Result<Self, Failure> {
        match arguments {
            [] if std::io::stdin().is_terminal() => Err(Failure::usage("there is nothing to send")
                .hint("give a file, `-` for stdin, or members like title=Solaris year:=1961")),
            [] => Self::of_stdin(),
            [one] if one == "-" => Self::of_stdin(),
            [one] if one.starts_with('@') => Self::of_file(one.trim_start_matches('@')),
            [one] if !one.contains('=') => Self::of_file(one),
            many => Self::of_assignments(many),
        }
    }

    fn of_stdin() -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        let mut stdin = std::io::stdin().lock().take(CONTENT_BYTES_MAX);
        stdin
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::file("stdin", &error))?;
        Self::parsed(bytes, "stdin")
    }

    fn of_file(path: &str) -> Result<Self, Failure> {
        let bytes = fs::read(path).map_err(|error| Failure::file(path, &error))?;
        Self::parsed(bytes, path)
    }

    fn parsed(bytes: Vec<u8>, name: &str) -> Result<Self, Failure> {
        let limits = json::Limits::with_depth(json::DEPTH_MAX);
        match json::parse(&bytes, limits) {
            Ok(value) => Ok(Self { bytes, value }),
            Err(error) => Err(Failure::invalid(format!(
                "{name} is no JSON document: {error}"
            ))),
        }
    }

    fn of_assignments(assignments: &[String]) -> Result<Self, Failure> {
        let mut document = Map::new();
        for assignment in assignments {
            let (tokens, value) = parse_assignment(assignment)?;
            insert(&mut document, &tokens, value).ok_or_else(|| {
                Failure::usage(format!("{assignment:?} contradicts an earlier member"))
            })?;
        }
        let value = Value::Object(document);
        Ok(Self {
            bytes: value.to_string().into_bytes(),
            value,
        })
    }
}

fn parse_assignment(text: &str) -> Result<(Vec<String>, Value), Failure> {
    let malformed = |why: String| {
        Failure::usage(format!("{text:?} is no member: {why}"))
            .hint("write name=text, name:=JSON, or /deep/name=text")
    };
    let (left, right) = text
        .split_once('=')
        .ok_or_else(|| malformed("there is no '='".into()))?;
    let (name, value) = match left.strip_suffix(':') {
        Some(name) => {
            let value = json::parse(right.as_bytes(), json::Limits::default());
            (name, value.map_err(|error| malformed(error.detail))?)
        }
        None => (left, Value::String(right.to_owned())),
    };
    if name.is_empty() {
        return Err(malformed("there is no name".into()));
    }
    let tokens = match name.strip_prefix('/') {
        Some(deep) => deep
            .split('/')
            .map(|t| t.replace("~1", "/").replace("~0", "~"))
            .collect(),
        None => vec![name.to_owned()],
    };
    Ok((tokens, value))
}

/// Puts a value at a place, making the objects on the way; `None` where something else stands.
fn insert(document: &mut Map<String, Value>, tokens: &[String], value: Value) -> Option<()> {
    let (last, way) = tokens.split_last()?;
    let mut place = document;
    for token in way {
        let entry = place
            .entry(token.clone())
            .or_insert_with(|| Value::Object(Map::new()));
        place = entry.as_object_mut()?;
    }
    match place.insert(last.clone(), value) {
        None => Some(()),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assigned(arguments: &[&str]) -> Result<String, String> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let content = Content::of_arguments(&arguments).map_err(|failure| failure.message)?;
        Ok(String::from_utf8(content.bytes).unwrap())
    }

    #[test]
    fn an_equals_sign_makes_text_and_a_colon_before_it_makes_json() {
        assert_eq!(
            assigned(&[
                "title=1961",
                "year:=1961",
                "tags:=[\"sf\"]",
                "note:=null",
                "a=b=c"
            ]),
            Ok(r#"{"title":"1961","year":1961,"tags":["sf"],"note":null,"a":"b=c"}"#.into())
        );
    }

    #[test]
    fn a_pointer_goes_into_objects_that_are_made_on_the_way() {
        assert_eq!(
            assigned(&["/address/city=Delft", "/address/a~1b:=1"]),
            Ok(r#"{"address":{"city":"Delft","a/b":1}}"#.into())
        );
    }

    #[test]
    fn numbers_stay_as_they_were_written() {
        assert_eq!(assigned(&["n:=1.10e400"]), Ok(r#"{"n":1.10e400}"#.into()));
    }

    #[test]
    fn members_that_contradict_each_other_are_refused() {
        assert!(assigned(&["a=1", "a=2"]).is_err());
        assert!(assigned(&["a=1", "/a/b=2"]).is_err());
        assert!(assigned(&["a:=[", "b=1"]).is_err());
        assert!(assigned(&["=x", "b=1"]).is_err());
    }
}
