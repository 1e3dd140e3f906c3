//! What `Content-Encoding` says a body went through on its way, and undoing it.
//!
//! Pure: what comes is all in memory, what it becomes is bounded while it is made. Not for who may
//! send what: a request is proved by the bytes that came, before anything is undone.

mod layers;

use crate::limits::{BROTLI_WINDOW_BYTES_MAX, CODINGS_MAX};
use layers::{TooLarge, layers};
use serde::{Deserialize, Serialize};
use std::{fmt, io, io::BufRead};

/// The least by which the memory of a body that is decoded grows, in bytes.
const STEP_BYTES: usize = 16 << 10;

/// One way to make a body smaller (RFC 9110, section 8.4.1; RFC 7932).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Coding {
    /// `gzip`, of one member or more.
    Gzip,
    /// `deflate`: with the frame of zlib, as the standard says, or bare, as some clients send it.
    Deflate,
    /// `br`: brotli.
    Br,
}

/// The codings of a body, one at least, in the order in which they were applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Codings(Vec<Coding>);

/// A body that is stored as it came: what was done to it, and its size before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coded {
    /// What is to be undone.
    pub codings: Codings,
    /// How many bytes it becomes.
    pub bytes: usize,
}

/// A `Content-Encoding` that is not undone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodingError {
    /// A word in it is no known coding.
    #[error("expected `gzip`, `deflate`, `br` or `identity`, found `{0}`")]
    Unknown(String),
    /// It lists too many.
    #[error("expected at most {CODINGS_MAX} content encodings, found {0}")]
    TooMany(usize),
}

/// Why a body is not decoded.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It, or what is between two of its codings, becomes larger than that.
    #[error("the decoded body has more than {bytes_max} bytes")]
    TooLarge {
        /// The most it may become.
        bytes_max: usize,
    },
    /// There is no memory for it at present.
    #[error("there is no room for a decoded body")]
    NoRoom,
    /// It is cut short, damaged, has more after its end, or is no such thing at all.
    #[error("the body is not what its content encoding `{codings}` makes: {reason}")]
    Corrupt {
        /// What was to be undone.
        codings: Codings,
        /// What is the matter.
        reason: String,
    },
}

impl Codings {
    /// The codings in the value of a `Content-Encoding` header, repeats of it joined by commas;
    /// none when there is nothing to undo.
    pub fn read(value: &str) -> Result<Option<Self>, CodingError> {
        let words = value.split(',').map(str::trim).filter(|word| !word.is_empty());
        let mut codings = Vec::new();
        for word in words {
            match word.to_ascii_lowercase().as_str() {
                "identity" => {}
                "gzip" | "x-gzip" => codings.push(Coding::Gzip),
                "deflate" => codings.push(Coding::Deflate),
                "br" => codings.push(Coding::Br),
                _ => return Err(CodingError::Unknown(word.chars().take(40).collect())),
            }
        }
        match codings.len() {
            0 => Ok(None),
            1..=CODINGS_MAX => Ok(Some(Self(codings))),
            more => Err(CodingError::TooMany(more)),
        }
    }

    /// The body as it was before. Nothing is made beyond `bytes_max`, neither in the end nor
    /// between two codings, and `room` is asked before memory is taken.
    pub fn decode(
        &self,
        body: &[u8],
        bytes_max: usize,
        mut room: impl FnMut(usize) -> bool,
    ) -> Result<Vec<u8>, DecodeError> {
        let brotli = self.0.iter().filter(|coding| **coding == Coding::Br).count();
        if body.is_empty() {
            return Ok(Vec::new()); // some clients name a coding and send nothing
        }
        if brotli > 0 && !room(brotli * BROTLI_WINDOW_BYTES_MAX) {
            return Err(DecodeError::NoRoom);
        }
        let failed = |error: io::Error| {
            if error.get_ref().is_some_and(|cause| cause.is::<TooLarge>()) {
                return DecodeError::TooLarge { bytes_max };
            }
            DecodeError::Corrupt { codings: self.clone(), reason: error.to_string() }
        };
        let mut layers = layers(&self.0, body, bytes_max).map_err(failed)?;
        let mut decoded = Vec::new();
        loop {
            let part = layers.fill_buf().map_err(failed)?;
            if part.is_empty() {
                return Ok(decoded);
            }
            if decoded.capacity() - decoded.len() < part.len() {
                let double = decoded.len().max(STEP_BYTES).min(bytes_max - decoded.len());
                let more = double.max(part.len());
                if !room(more) {
                    return Err(DecodeError::NoRoom);
                }
                decoded.reserve_exact(more);
            }
            decoded.extend_from_slice(part);
            let taken = part.len();
            layers.consume(taken);
        }
    }
}

impl Coded {
    /// The body as it was before. It was decoded once, so what fails here is damage.
    pub fn undo(&self, body: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let decoded = self.codings.decode(body, self.bytes, |_| true)?;
        if decoded.len() == self.bytes {
            return Ok(decoded);
        }
        let reason = format!("expected {} bytes, found {}", self.bytes, decoded.len());
        Err(DecodeError::Corrupt { codings: self.codings.clone(), reason })
    }
}

impl Coding {
    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Br => "br",
        }
    }
}

impl fmt::Display for Codings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|coding| coding.name()).collect();
        f.write_str(&names.join(", "))
    }
}

#[cfg(test)]
mod tests;
