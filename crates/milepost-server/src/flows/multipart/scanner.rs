//! A form's parts, found in what comes as it comes (RFC 7578, RFC 2046 §5.1.1): no I/O, and no decision on what is kept.
//!
//! **What it holds** is never more than was fed last, and either the lines above one part ([`HEAD_BYTES_MAX`]) or what may be
//! the beginning of a boundary. Content is told as soon as it is known to be content, however much follows.
//!
//! **What leads to nothing** (a preamble, blanks behind a boundary, an epilogue) is dropped at once, and is no more than
//! [`IDLE_BYTES_MAX`] in a row. Nothing is searched twice but what may be the beginning of a boundary.
//!
//! **Also considered.** A crate for it: those there are hold a preamble or the lines above a part without a bound, and search
//! them anew with each chunk.

use bytes::{Bytes, BytesMut};

use super::head::Head;

/// The lines above one part, in bytes; more are 400.
pub(super) const HEAD_BYTES_MAX: usize = 8 * 1024;
/// What is read without finding a part or content, in bytes; more is 400.
pub(super) const IDLE_BYTES_MAX: usize = 64 * 1024;
/// RFC 2046 §5.1.1.
const BOUNDARY_BYTES_MAX: usize = 70;
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A part begins.
    Part(Head),
    /// Some of its content, never empty.
    Content(Bytes),
    /// The part ends.
    PartEnd,
}

/// Finds parts.
#[derive(Debug)]
pub(super) struct Scanner {
    /// The end of a line, two hyphens and the boundary.
    delimiter: Vec<u8>,
    /// What was fed and is not told yet.
    held: BytesMut,
    /// So much of it was searched before.
    searched: usize,
    /// How much was dropped since something was found.
    idle: usize,
    place: Place,
}

/// Where in a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Preamble,
    BehindBoundary,
    Head,
    Content,
    Epilogue,
}

impl Scanner {
    /// For a form whose parts have this boundary between them; `None` where it can't be one.
    pub(super) fn new(boundary: &str) -> Option<Self> {
        let is_one = !boundary.is_empty()
            && boundary.len() <= BOUNDARY_BYTES_MAX
            && boundary.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        is_one.then(|| Self {
            delimiter: [b"\r\n--", boundary.as_bytes()].concat(),
            // So that a boundary at the very beginning is at the beginning of a line too.
            held: BytesMut::from(&b"\r\n"[..]),
            searched: 0,
            idle: 0,
            place: Place::Preamble,
        })
    }

    /// Takes what came next. To be called once nothing more is found in what came before.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// Whether the last boundary was found.
    pub(super) fn is_over(&self) -> bool {
        self.place == Place::Epilogue
    }

    /// The next that is found; `None` where more has to come first.
    ///
    /// # Errors
    /// Says why it is no such form.
    pub(super) fn next(&mut self) -> Result<Option<Token>, &'static str> {
        loop {
            let before = (self.place, self.held.len());
            let found = match self.place {
                Place::Preamble => self.preamble()?,
                Place::BehindBoundary => self.behind_boundary()?,
                Place::Head => self.head()?,
                Place::Content => self.content(),
                Place::Epilogue => self.epilogue()?,
            };
            if found.is_some() {
                self.idle = 0;
                return Ok(found);
            }
            if before == (self.place, self.held.len()) {
                return Ok(None);
            }
        }
    }

    fn preamble(&mut self) -> Result<Option<Token>, &'static str> {
        match find(&self.held, &self.delimiter, 0) {
            Some(at) => {
                self.skip(at + self.delimiter.len())?;
                self.place = Place::BehindBoundary;
            }
            None => self.skip(self.certain())?,
        }
        Ok(None)
    }

    /// Blanks, then the end of the line, or two hyphens where no part follows.
    fn behind_boundary(&mut self) -> Result<Option<Token>, &'static str> {
        let bytes = self.held.iter();
        let blanks = bytes.take_while(|byte| matches!(byte, b' ' | b'\t'));
        let blanks = blanks.count();
        self.skip(blanks)?;
        match self.held.get(..2) {
            None => {}
            // The end of the line stays: the lines above the part may be none.
            Some(b"\r\n") => (self.place, self.searched) = (Place::Head, 0),
            Some(b"--") => self.place = Place::Epilogue,
            Some(_) => return Err("a boundary is followed by something else than a line's end"),
        }
        Ok(None)
    }

    fn head(&mut self) -> Result<Option<Token>, &'static str> {
        let from = self.searched.saturating_sub(END_OF_HEAD.len() - 1);
        self.searched = self.held.len();
        let found = find(&self.held, END_OF_HEAD, from);
        if found.unwrap_or(self.held.len()) > HEAD_BYTES_MAX {
            return Err("the lines above a part are too long");
        }
        let Some(at) = found else { return Ok(None) };
        let lines = self.held.split_to(at + END_OF_HEAD.len());
        self.place = Place::Content;
        Head::read(lines.get(2..at).unwrap_or_default()).map(|head| Some(Token::Part(head)))
    }

    fn content(&mut self) -> Option<Token> {
        match find(&self.held, &self.delimiter, 0) {
            Some(0) => {
                let _boundary = self.held.split_to(self.delimiter.len());
                self.place = Place::BehindBoundary;
                Some(Token::PartEnd)
            }
            Some(at) => Some(Token::Content(self.held.split_to(at).freeze())),
            None => {
                let certain = self.certain();
                (certain > 0).then(|| Token::Content(self.held.split_to(certain).freeze()))
            }
        }
    }

    fn epilogue(&mut self) -> Result<Option<Token>, &'static str> {
        self.skip(self.held.len())?;
        Ok(None)
    }

    /// How much of what is held is no part of a boundary, where no whole one is in it.
    fn certain(&self) -> usize {
        self.held.len().saturating_sub(self.delimiter.len() - 1)
    }

    fn skip(&mut self, bytes: usize) -> Result<(), &'static str> {
        let _skipped = self.held.split_to(bytes.min(self.held.len()));
        self.idle += bytes;
        if self.idle > IDLE_BYTES_MAX {
            return Err("there is too much that belongs to no part");
        }
        Ok(())
    }
}

/// Where `mark` is in `bytes`, from `from` on. What it begins with is in a boundary once, so that no byte is compared more than
/// twice, whatever is sent.
fn find(bytes: &[u8], mark: &[u8], from: usize) -> Option<usize> {
    let (first, others) = mark.split_first()?;
    let mut from = from;
    loop {
        let rest = bytes.get(from..)?;
        let at = from + rest.iter().position(|byte| byte == first)?;
        if bytes.get(at + 1..)?.starts_with(others) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    /// What a form says, or why it is none, fed in pieces of these lengths, over and over.
    fn read(form: &[u8], pieces: &[usize]) -> Result<Vec<(Head, Vec<u8>)>, &'static str> {
        let mut scanner = Scanner::new("b").unwrap();
        let mut parts: Vec<(Head, Vec<u8>)> = Vec::new();
        let (mut rest, mut pieces) = (form, pieces.iter().cycle());
        loop {
            match scanner.next()? {
                Some(Token::Part(head)) => parts.push((head, Vec::new())),
                Some(Token::Content(bytes)) => parts.last_mut().unwrap().1.extend(bytes),
                Some(Token::PartEnd) => {}
                None if rest.is_empty() => break,
                None => {
                    let room = HEAD_BYTES_MAX + scanner.delimiter.len();
                    assert!(scanner.held.len() <= room, "{} held", scanner.held.len());
                    let (piece, others) = rest.split_at(rest.len().min(*pieces.next().unwrap()));
                    scanner.feed(piece);
                    rest = others;
                }
            }
        }
        scanner.is_over().then_some(parts).ok_or("cut off")
    }

    fn names(parts: Vec<(Head, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
        let parts = parts.into_iter();
        parts.map(|(head, content)| (head.name, content)).collect()
    }

    fn form(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
        let one = |(name, content): &(String, Vec<u8>)| {
            let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            [head.as_bytes(), content, b"\r\n"].concat()
        };
        let parts: Vec<Vec<u8>> = parts.iter().map(one).collect();
        [parts.concat(), b"--b--\r\n".to_vec()].concat()
    }

    /// Pieces of which boundaries and ends of lines are made, and others.
    fn content() -> impl Strategy<Value = Vec<u8>> {
        let piece = select(vec![
            "\r", "\n", "\r\n", "-", "--", "\r\n-", "\r\n--", "\r\n\r\n", "a", "--a", "\0", "x: y",
        ]);
        vec(piece, 0..24).prop_map(|pieces| pieces.concat().into_bytes())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn parts_are_what_was_sent_whatever_they_contain_and_in_whatever_pieces_they_come(
            parts in vec(("[a-z]{1,4}", content()), 0..5),
            pieces in vec(1_usize..40, 1..4),
        ) {
            let read = read(&form(&parts), &pieces);
            prop_assert_eq!(read.map(names), Ok(parts));
        }

        #[test]
        fn what_is_no_form_is_refused_or_read_the_same_in_whatever_pieces_it_comes(
            begun in any::<bool>(),
            odd in vec(select(vec!["--b", "\r\n", "--", " ", "\r\n--b", "--b--", "Content-Disposition: form-data; name=\"a\"", "\u{fffd}", "b"]), 0..24),
            pieces in vec(1_usize..9, 1..4),
        ) {
            let odd = odd.concat();
            let odd = if begun { format!("--b\r\n{odd}") } else { odd };
            let whole = read(odd.as_bytes(), &[odd.len().max(1)]);
            let cut = read(odd.as_bytes(), &pieces);
            prop_assert_eq!(whole.is_ok(), cut.is_ok());
            if let (Ok(whole), Ok(cut)) = (whole, cut) {
                prop_assert_eq!(whole, cut);
            }
        }
    }

    #[test]
    fn what_stands_before_and_behind_is_dropped_and_bounded() {
        let head = "Content-Disposition: form-data; name=\"a\"\r\n\r\n";
        let form = |before: usize, behind: usize| {
            let (before, behind) = ("x".repeat(before), "y".repeat(behind));
            format!("{before}\r\n--b \t\r\n{head}one\r\n--b--{behind}").into_bytes()
        };
        for piece in [1, 4096, 1 << 20] {
            let one = |read: Vec<(Head, Vec<u8>)>| (read.len(), read[0].1.clone());
            let few = read(&form(1000, 1000), &[piece]).map(one);
            assert_eq!(few, Ok((1, b"one".to_vec())));
            let told = Err("there is too much that belongs to no part");
            assert_eq!(read(&form(70_000, 0), &[piece]).map(one), told);
            assert_eq!(read(&form(0, 70_000), &[piece]).map(one), told);
        }
    }

    #[test]
    fn the_lines_above_a_part_are_bounded() {
        let form = |lines: usize| {
            let lines = "x: y\r\n".repeat(lines);
            format!("--b\r\nContent-Disposition: form-data; name=a\r\n{lines}\r\n\r\n--b--")
                .into_bytes()
        };
        for piece in [1, 4096, 1 << 20] {
            assert_eq!(read(&form(100), &[piece]).map(|parts| parts.len()), Ok(1));
            let told = Err("the lines above a part are too long");
            assert_eq!(read(&form(2000), &[piece]).map(|parts| parts.len()), told);
        }
    }

    #[test]
    fn no_more_is_held_than_was_fed_last_and_a_boundary() {
        let mut scanner = Scanner::new("b").unwrap();
        scanner.feed(b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n");
        assert!(matches!(scanner.next(), Ok(Some(Token::Part(_)))));
        for _piece in 0..1000 {
            scanner.feed(&[b'x'; 1000]);
            while scanner.next().unwrap().is_some() {}
            assert!(scanner.held.len() < scanner.delimiter.len());
        }
    }

    #[test]
    fn a_boundary_is_one() {
        assert!(Scanner::new("----WebKitFormBoundary7MA4YWxkTrZu0gW").is_some());
        for other in ["", &"b".repeat(71), "a\r\nb", "ż"] {
            assert!(Scanner::new(other).is_none(), "{other:?}");
        }
    }
}
