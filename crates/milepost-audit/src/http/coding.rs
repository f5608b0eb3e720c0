//! Content codings (RFC 9110 §8.4.1): a body that came compressed, though nobody asked for that, is
//! read as what it stands for. A coding that is not known here is named, and the body left as it came.

use std::io::{ErrorKind, Read};

use super::Fields;

/// A body without its codings.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) body: Vec<u8>,
    /// Whether all of it is here.
    pub(super) is_whole: bool,
    /// Why it is still coded, where it is.
    pub(super) unread: Option<String>,
}

/// Takes the codings off that the fields name, the last one first; what grows beyond `bytes_max` is
/// cut.
pub(super) fn decoded(fields: &Fields, body: Vec<u8>, is_whole: bool, bytes_max: usize) -> Decoded {
    let mut decoded = Decoded {
        body,
        is_whole,
        unread: None,
    };
    if decoded.body.is_empty() {
        return decoded;
    }
    for coding in codings(fields).into_iter().rev() {
        match plain(&coding, &decoded.body, bytes_max) {
            Ok((body, fits)) => {
                decoded.body = body;
                decoded.is_whole &= fits;
            }
            Err(reason) => {
                decoded.unread = Some(reason);
                break;
            }
        }
    }
    decoded
}

/// The codings in the order in which they were applied, in lower case.
fn codings(fields: &Fields) -> Vec<String> {
    let listed = fields
        .all("content-encoding")
        .flat_map(|value| value.split(','));
    let named = listed.map(|coding| coding.trim().to_ascii_lowercase());
    named
        .filter(|coding| !coding.is_empty() && coding != "identity")
        .collect()
}

/// The bytes that a coding stands for, and whether they end within the limit.
fn plain(coding: &str, bytes: &[u8], bytes_max: usize) -> Result<(Vec<u8>, bool), String> {
    match coding {
        "gzip" | "x-gzip" => all(coding, flate2::read::MultiGzDecoder::new(bytes), bytes_max),
        // Some servers leave the wrapping of RFC 1950 away.
        "deflate" => all(coding, flate2::read::ZlibDecoder::new(bytes), bytes_max)
            .or_else(|_| all(coding, flate2::read::DeflateDecoder::new(bytes), bytes_max)),
        "br" => all(
            coding,
            brotli::Decompressor::new(bytes, BUFFER_BYTES),
            bytes_max,
        ),
        other => Err(format!("content coding {other} is not known here")),
    }
}

/// Bytes that brotli reads at a time.
const BUFFER_BYTES: usize = 4 * 1024;

fn all(coding: &str, reader: impl Read, bytes_max: usize) -> Result<(Vec<u8>, bool), String> {
    let mut body = Vec::new();
    let one_more = u64::try_from(bytes_max)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let read = reader.take(one_more).read_to_end(&mut body);
    let fits = body.len() <= bytes_max;
    body.truncate(bytes_max);
    match read {
        Ok(_) => Ok((body, fits)),
        // It was cut: what came before the cut is what can be read.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof && !body.is_empty() => {
            Ok((body, false))
        }
        Err(error) => Err(format!("it is said to be {coding}, and is not: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write};

    use super::*;

    const TEXT: &[u8] = br#"{"links":["/books","/books/b1","/recent"]}"#;

    fn read(coding: &str, body: &[u8]) -> Decoded {
        let fields = Fields::default().with("content-encoding", coding);
        decoded(&fields, body.to_vec(), true, 1_000)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut writer = write::GzEncoder::new(Vec::new(), Compression::fast());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    fn brotli(bytes: &[u8]) -> Vec<u8> {
        let mut coded = Vec::new();
        let mut writer = brotli::CompressorWriter::new(&mut coded, 4_096, 5, 20);
        writer.write_all(bytes).unwrap();
        drop(writer);
        coded
    }

    #[test]
    fn what_comes_compressed_is_read_as_what_it_stands_for() {
        let mut zlib = write::ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(TEXT).unwrap();
        let mut raw = write::DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(TEXT).unwrap();
        let coded = [
            ("identity", TEXT.to_vec()),
            ("gzip", gzip(TEXT)),
            ("X-GZIP", gzip(TEXT)),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", raw.finish().unwrap()),
            ("br", brotli(TEXT)),
            ("br, gzip", gzip(&brotli(TEXT))),
        ];
        for (coding, body) in coded {
            let decoded = read(coding, &body);
            assert_eq!(decoded.unread, None, "{coding}");
            assert!(decoded.is_whole && decoded.body == TEXT, "{coding}");
        }
    }

    #[test]
    fn a_coding_that_is_not_known_and_one_that_lies_are_named_and_left_as_they_came() {
        for (coding, says) in [
            ("zstd", "coding zstd is not known"),
            ("gzip", "said to be gzip"),
        ] {
            let decoded = read(coding, TEXT);
            assert!(
                decoded.unread.is_some_and(|reason| reason.contains(says)),
                "{coding}"
            );
            assert_eq!(decoded.body, TEXT, "{coding}");
        }
    }

    #[test]
    fn a_small_body_that_grows_without_end_is_cut() {
        let decoded = read("gzip", &gzip(&vec![b'x'; 1_000_000]));
        assert!(!decoded.is_whole && decoded.body.len() == 1_000);
    }
}
