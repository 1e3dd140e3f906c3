//! One reader on another, from the bytes that came to the body as it was: each undoes one coding
//! and is bounded, so that a small part of memory serves for all that is between them.

use super::Coding;
use brotli_decompressor::{BrotliDecoderParameter, Decompressor};
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

/// What one layer holds of what it made, in bytes.
const LAYER_BYTES: usize = 16 << 10;

type Layer<'a> = Box<dyn BufRead + 'a>;

/// A layer made more than it may.
#[derive(Debug, thiserror::Error)]
#[error("a layer made more than it may")]
pub(super) struct TooLarge;

/// Undoes one coding, and wants nothing behind its end.
enum Undo<'a> {
    Gzip(MultiGzDecoder<Layer<'a>>),
    Zlib(ZlibDecoder<Chain<Cursor<Vec<u8>>, Layer<'a>>>),
    Deflate(DeflateDecoder<Chain<Cursor<Vec<u8>>, Layer<'a>>>),
    Br(Box<Decompressor<Layer<'a>>>),
}

/// A reader that may give so many bytes and no more.
struct Capped<R> {
    reader: R,
    left: usize,
}

/// The last layer: the body as it was.
pub(super) fn layers<'a>(
    codings: &[Coding],
    body: &'a [u8],
    bytes_max: usize,
) -> io::Result<Layer<'a>> {
    let mut layer: Layer<'a> = Box::new(body);
    for coding in codings.iter().rev() {
        let reader = match coding {
            Coding::Gzip => Undo::Gzip(MultiGzDecoder::new(layer)),
            Coding::Deflate => deflate(layer)?,
            Coding::Br => brotli(layer),
        };
        let capped = Capped { reader, left: bytes_max };
        layer = Box::new(BufReader::with_capacity(LAYER_BYTES, capped));
    }
    Ok(layer)
}

/// The standard means the frame of zlib (RFC 1950); its first two bytes tell it from bare deflate,
/// which they can only be when an encoder fills unused bits with ones.
fn deflate(mut layer: Layer<'_>) -> io::Result<Undo<'_>> {
    let mut head = Vec::new();
    layer.by_ref().take(2).read_to_end(&mut head)?;
    let framed = matches!(head.as_slice(), [method, flags]
        if method & 0x0f == 8 && method >> 4 <= 7
            && u16::from_be_bytes([*method, *flags]).is_multiple_of(31));
    let whole = Cursor::new(head).chain(layer);
    Ok(if framed {
        Undo::Zlib(ZlibDecoder::new(whole))
    } else {
        Undo::Deflate(DeflateDecoder::new(whole))
    })
}

/// Without the windows of up to 1 GiB that are no part of the standard.
fn brotli(layer: Layer<'_>) -> Undo<'_> {
    let mut decoder = Decompressor::new(layer, LAYER_BYTES);
    let standard =
        decoder.set_parameter(BrotliDecoderParameter::BROTLI_DECODER_PARAM_LARGE_WINDOW, 0);
    debug_assert!(standard, "nothing is read yet");
    Undo::Br(Box::new(decoder))
}

impl Undo<'_> {
    fn next(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(into),
            Self::Zlib(decoder) => decoder.read(into),
            Self::Deflate(decoder) => decoder.read(into),
            Self::Br(decoder) => decoder.read(into),
        }
    }

    /// Whether nothing comes behind the end.
    fn is_at_end(&mut self) -> io::Result<bool> {
        let rest = match self {
            // Whatever is behind a member is another one, or an error.
            Self::Gzip(_) => return Ok(true),
            Self::Zlib(decoder) => decoder.get_mut().fill_buf()?,
            Self::Deflate(decoder) => decoder.get_mut().fill_buf()?,
            Self::Br(decoder) => {
                // The second read past the end fails when the decoder holds bytes unread.
                let more = decoder.read(&mut [0])?;
                debug_assert_eq!(more, 0, "it said that it is at its end");
                decoder.get_mut().fill_buf()?
            }
        };
        Ok(rest.is_empty())
    }
}

impl Read for Undo<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let made = self.next(into)?;
        if made == 0 && !into.is_empty() && !self.is_at_end()? {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "bytes behind its end"));
        }
        Ok(made)
    }
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let made = self.reader.read(into)?;
        self.left = self.left.checked_sub(made).ok_or_else(|| io::Error::other(TooLarge))?;
        Ok(made)
    }
}
