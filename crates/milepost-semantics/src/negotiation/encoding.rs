//! `Accept-Encoding` (RFC 9110 §12.5.3): which content codings a client can undo.

use http::header::{ACCEPT_ENCODING, HeaderMap};

use super::quality::Quality;
use crate::coding::Coding;
use crate::field::grammar::{Cursor, Parameter};
use crate::field::{MalformedField, combined};

/// The codings of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcceptEncoding {
    /// Weights by coding, of those that are named and known here.
    named: Vec<(Coding, Quality)>,
    /// The weight of `*`.
    others: Option<Quality>,
}

impl AcceptEncoding {
    /// Reads the field, over any number of lines. Absent means that nothing is known about the
    /// client, which gets no coding then.
    ///
    /// # Errors
    /// When an element is no coding or has no valid weight.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, MalformedField> {
        let Some(text) = combined(headers, &ACCEPT_ENCODING)? else {
            return Ok(Self::default());
        };
        let malformed = || {
            let detail = "it lists content codings such as gzip, br;q=0.9, identity;q=0.1";
            MalformedField::new(&ACCEPT_ENCODING, detail, text.as_bytes())
        };
        Self::parse(&text).ok_or_else(malformed)
    }

    /// How much a coding is wanted.
    ///
    /// The plain bytes are acceptable unless `identity;q=0` or `*;q=0` excludes them, but wanted
    /// less than any coding that is named with a weight.
    #[must_use]
    pub fn quality(&self, coding: Coding) -> Quality {
        let named = self.named.iter().find(|(known, _)| *known == coding);
        match (named, self.others) {
            (Some((_, quality)), _) => *quality,
            (None, Some(quality)) => quality,
            (None, None) if coding == Coding::Identity => Quality::LEAST,
            (None, None) => Quality::ZERO,
        }
    }

    /// The coding that is wanted most; of several the one offered first. `None` when none is
    /// acceptable.
    #[must_use]
    pub fn choose(&self, offered: &[Coding]) -> Option<Coding> {
        let mut chosen: Option<(Coding, Quality)> = None;
        for coding in offered {
            let quality = self.quality(*coding);
            let is_better = chosen.is_none_or(|(_, best)| quality > best);
            if quality.is_acceptable() && is_better {
                chosen = Some((*coding, quality));
            }
        }
        chosen.map(|(coding, _)| coding)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut cursor = Cursor::new(text);
        let mut accepted = Self::default();
        cursor.skip_commas();
        while !cursor.is_at_end() {
            let name = cursor.token()?;
            let quality = weight(&cursor.parameters()?)?;
            if !cursor.is_at_element_end() {
                return None;
            }
            match Coding::from_token(name) {
                Some(coding) => accepted.named.push((coding, quality)),
                None if name == "*" => accepted.others = Some(quality),
                None => {}
            }
            cursor.skip_commas();
        }
        Some(accepted)
    }
}

fn weight(params: &[Parameter]) -> Option<Quality> {
    match params {
        [] => Some(Quality::ONE),
        [Parameter { name, value }] if name == "q" => Quality::parse(value),
        _ => None,
    }
}
