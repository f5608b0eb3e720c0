//! Reading just as much of an HTTP/1.1 response as a closed loop needs: where it ends, its status
//! and its entity tag.

/// The start of a response's body, and what its head said.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// The entity tag, with its quotes.
    pub tag: Option<String>,
    /// The length of the head in bytes.
    length: usize,
    framing: Framing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
}

impl Head {
    /// Reads a head, `None` while it is not whole.
    ///
    /// # Errors
    /// When what stands there is not a response.
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, String> {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = bytes
            .get(..end)
            .and_then(|head| std::str::from_utf8(head).ok());
        let mut lines = head.ok_or("a head that is not text")?.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| format!("not a response: {first}"))?;
        let mut parsed = Self {
            status,
            tag: None,
            length: end + 4,
            framing: Framing::Length(0),
        };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            parsed.learn(name, value.trim())?;
        }
        Ok(Some(parsed))
    }

    fn learn(&mut self, name: &str, value: &str) -> Result<(), String> {
        if name.eq_ignore_ascii_case("etag") {
            self.tag = Some(value.to_owned());
        } else if name.eq_ignore_ascii_case("content-length") {
            let length = value
                .parse()
                .map_err(|error| format!("content-length: {error}"))?;
            self.framing = Framing::Length(length);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            self.framing = Framing::Chunked;
        }
        Ok(())
    }

    /// The length of the head in bytes.
    #[must_use]
    pub fn byte_count(&self) -> usize {
        self.length
    }

    /// The length of the whole response in bytes, `None` while it is not all there.
    #[must_use]
    pub fn whole(&self, bytes: &[u8]) -> Option<usize> {
        let has_content = !matches!(self.status, 100..200 | 204 | 304);
        let end = match self.framing {
            _ if !has_content => self.length,
            Framing::Length(length) => self.length + length,
            Framing::Chunked => self.length + chunked(bytes.get(self.length..)?)?,
        };
        (end <= bytes.len()).then_some(end)
    }

    /// The content of a whole response, without its framing.
    #[must_use]
    pub fn content(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let framed = bytes.get(self.length..self.whole(bytes)?)?;
        match self.framing {
            Framing::Length(_) => Some(framed.to_vec()),
            Framing::Chunked => unchunked(framed),
        }
    }
}

fn unchunked(mut framed: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    while let Some((size, start)) = chunk(framed).filter(|(size, _)| *size > 0) {
        content.extend_from_slice(framed.get(start..start + size)?);
        framed = framed.get(start + size + 2..)?;
    }
    Some(content)
}

/// The size of the first chunk, and where it begins.
fn chunk(bytes: &[u8]) -> Option<(usize, usize)> {
    let line = bytes.windows(2).position(|window| window == b"\r\n")?;
    let size = std::str::from_utf8(bytes.get(..line)?).ok()?;
    let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
    Some((size, line + 2))
}

/// The length of a chunked body with its framing.
fn chunked(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let (size, start) = chunk(bytes.get(at..)?)?;
        at += start + size + 2;
        if size == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_whole_only_with_all_of_its_content() {
        let bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\nETag: \"a.2\"\r\n\r\nabc";
        let head = Head::parse(bytes).unwrap().unwrap();
        assert_eq!((head.status, head.tag.as_deref()), (200, Some("\"a.2\"")));
        assert_eq!(head.whole(bytes), Some(bytes.len()));
        assert_eq!(head.whole(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Head::parse(b"HTTP/1.1 200 OK\r\n").unwrap(), None);
    }

    #[test]
    fn a_chunked_response_ends_with_its_last_chunk() {
        let bytes = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let head = Head::parse(bytes).unwrap().unwrap();
        assert_eq!(head.whole(bytes), Some(bytes.len()));
        assert_eq!(head.whole(&bytes[..bytes.len() - 3]), None);
        assert_eq!(head.content(bytes).as_deref(), Some(b"abc".as_slice()));
    }
}
