//! Bytes to coded bytes. Levels are chosen for answers that are made once and sent at once.

use std::io::{self, Write};

use brotli::CompressorWriter;
use flate2::{Compression, write::GzEncoder};
use milepost_semantics::Coding;

const GZIP_LEVEL: u32 = 5;
const BROTLI_QUALITY: u32 = 4;
const BROTLI_WINDOW_BITS: u32 = 20;
const BROTLI_BUFFER_BYTES: usize = 32 * 1024;
const ZSTD_LEVEL: i32 = 3;

/// The bytes in a coding.
///
/// # Errors
/// Where the coder fails for want of memory.
pub(super) fn encode(coding: Coding, plain: &[u8]) -> io::Result<Vec<u8>> {
    match coding {
        Coding::Identity => Ok(plain.to_vec()),
        Coding::Gzip => gzip(plain),
        Coding::Brotli => brotli(plain),
        Coding::Zstd => zstd::bulk::compress(plain, ZSTD_LEVEL),
    }
}

fn gzip(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(
        Vec::with_capacity(plain.len() / 3),
        Compression::new(GZIP_LEVEL),
    );
    encoder.write_all(plain)?;
    encoder.finish()
}

fn brotli(plain: &[u8]) -> io::Result<Vec<u8>> {
    let out = Vec::with_capacity(plain.len() / 3);
    let mut writer =
        CompressorWriter::new(out, BROTLI_BUFFER_BYTES, BROTLI_QUALITY, BROTLI_WINDOW_BITS);
    writer.write_all(plain)?;
    writer.flush()?;
    Ok(writer.into_inner())
}
