//! Positions: points in a store's total order of commits (protocol §5).
//!
//! On the wire `{history}.{sequence}-{check}`, e.g. `k3f7.1042-x7qa`: unreserved characters only, so
//! that one stands in a path and in an entity tag as it is. A client treats it as opaque. Positions
//! are deliberately not `Ord`: only sequences of one history are ordered, and whoever compares must
//! have looked at the history first. Whether the check is the right one for that commit is the
//! store's to know.

use std::fmt;
use std::str::FromStr;

use crate::tag::EntityTag;

/// The longest text of a position, in bytes.
pub const POSITION_BYTES_MAX: usize = 8 + 1 + 20 + 1 + 4;

/// Crockford's base32 in lower case: no letter that is mistaken for a digit.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A history's name: 1–8 characters `[a-z0-9]`. A store gets a new one when it is made and whenever
/// it is restored to an earlier point.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct History {
    /// The characters, then zeros.
    bytes: [u8; 8],
}

/// Four characters of Crockford's base32 in lower case, made at a commit from its content and
/// verified when the position comes back, so that a fork of history is found, not followed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Check {
    bytes: [u8; 4],
}

/// A point in a store's order of commits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    history: History,
    sequence: u64,
    check: Check,
}

/// A position's text: at most [`POSITION_BYTES_MAX`] unreserved characters.
#[derive(Clone, Copy, Debug)]
pub struct PositionText {
    bytes: [u8; POSITION_BYTES_MAX],
    length: usize,
}

/// What is wrong with a text that should be a position, or a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedPosition {
    /// There is no `.` between history and sequence.
    #[error("a position has a dot between its history and its sequence")]
    MissingDot,
    /// There is no `-` between sequence and check.
    #[error("a position has a hyphen between its sequence and its check")]
    MissingCheck,
    /// The history is not 1–8 characters `[a-z0-9]`.
    #[error("a history is 1 to 8 lower-case letters and digits")]
    History,
    /// The sequence is not a canonical decimal number below 2^64: digits only, no leading zero.
    #[error("a sequence is a decimal number without leading zeros, below 2^64")]
    Sequence,
    /// The check is not exactly four characters of its alphabet.
    #[error(
        "a check is 4 characters out of {}",
        "0123456789abcdefghjkmnpqrstvwxyz"
    )]
    Check,
}

impl History {
    /// Six characters (30 bits) from a random number; different numbers may give the same history.
    #[must_use]
    pub fn from_random(random: u64) -> Self {
        let mut bytes = [0; 8];
        for (slot, shift) in bytes.iter_mut().take(6).zip((0..).step_by(5)) {
            *slot = base32_digit(random >> shift);
        }
        Self { bytes }
    }

    /// The history as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        ascii(self.as_bytes())
    }

    fn as_bytes(&self) -> &[u8] {
        let used = self
            .bytes
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(self.bytes.len());
        self.bytes.get(..used).unwrap_or_default()
    }
}

impl Check {
    /// Four characters (20 bits) from a hash of whatever the commit was.
    #[must_use]
    pub fn from_hash(hash: u32) -> Self {
        // The 12 high bits would be lost: fold them into the low ones.
        let folded = u64::from(hash ^ (hash >> 20));
        let mut bytes = [0; 4];
        for (slot, shift) in bytes.iter_mut().zip((0..).step_by(5)) {
            *slot = base32_digit(folded >> shift);
        }
        Self { bytes }
    }

    /// The check as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        ascii(&self.bytes)
    }
}

impl Position {
    /// The position of a commit.
    #[must_use]
    pub const fn new(history: History, sequence: u64, check: Check) -> Self {
        Self {
            history,
            sequence,
            check,
        }
    }

    /// Which history of the store the commit belongs to.
    #[must_use]
    pub const fn history(&self) -> History {
        self.history
    }

    /// The commit's number in its history; larger is later.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The check made at the commit.
    #[must_use]
    pub const fn check(&self) -> Check {
        self.check
    }

    /// The position as text, on the stack: one is made for every answer.
    #[must_use]
    pub fn text(&self) -> PositionText {
        let mut text = PositionText {
            bytes: [0; POSITION_BYTES_MAX],
            length: 0,
        };
        text.push(self.history.as_bytes());
        text.push(b".");
        text.push(itoa::Buffer::new().format(self.sequence).as_bytes());
        text.push(b"-");
        text.push(&self.check.bytes);
        text
    }

    /// The position an entity tag of this service was made from, variant or not, weak or not;
    /// `None` for any other tag.
    #[must_use]
    pub fn from_tag(tag: &EntityTag) -> Option<Self> {
        let text = std::str::from_utf8(tag.opaque()).ok()?;
        let position = text
            .split_once('+')
            .map_or(text, |(position, _variant)| position);
        position.parse().ok()
    }
}

impl PositionText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        ascii(self.as_bytes())
    }

    /// The text in ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn push(&mut self, part: &[u8]) {
        let end = self.length + part.len();
        if let Some(space) = self.bytes.get_mut(self.length..end) {
            space.copy_from_slice(part);
            self.length = end;
        }
    }
}

impl FromStr for History {
    type Err = MalformedPosition;

    fn from_str(text: &str) -> Result<Self, MalformedPosition> {
        let is_allowed = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if text.is_empty() || !text.as_bytes().iter().all(is_allowed) {
            return Err(MalformedPosition::History);
        }
        let mut bytes = [0; 8];
        let used = bytes
            .get_mut(..text.len())
            .ok_or(MalformedPosition::History)?;
        used.copy_from_slice(text.as_bytes());
        Ok(Self { bytes })
    }
}

impl FromStr for Check {
    type Err = MalformedPosition;

    fn from_str(text: &str) -> Result<Self, MalformedPosition> {
        let bytes: Option<[u8; 4]> = text.as_bytes().try_into().ok();
        let bytes = bytes.ok_or(MalformedPosition::Check)?;
        if bytes.iter().all(|byte| ALPHABET.contains(byte)) {
            Ok(Self { bytes })
        } else {
            Err(MalformedPosition::Check)
        }
    }
}

impl FromStr for Position {
    type Err = MalformedPosition;

    /// Strict: exactly what `Display` writes, so that one position has one text.
    fn from_str(text: &str) -> Result<Self, MalformedPosition> {
        let (history, rest) = text.split_once('.').ok_or(MalformedPosition::MissingDot)?;
        let (sequence, check) = rest
            .split_once('-')
            .ok_or(MalformedPosition::MissingCheck)?;
        Ok(Self {
            history: history.parse()?,
            sequence: parse_sequence(sequence)?,
            check: check.parse()?,
        })
    }
}

fn parse_sequence(text: &str) -> Result<u64, MalformedPosition> {
    let is_canonical =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let sequence: Option<u64> = text.parse().ok();
    sequence
        .filter(|_| is_canonical)
        .ok_or(MalformedPosition::Sequence)
}

fn base32_digit(bits: u64) -> u8 {
    let index = usize::try_from(bits & 31).unwrap_or_default();
    ALPHABET.get(index).copied().unwrap_or(b'0')
}

fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "History({self})")
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Check({self})")
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Position({self})")
    }
}
