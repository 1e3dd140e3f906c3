//! Where a message ends, and what it is without the dots that were stuffed into it (RFC 5321,
//! section 4.5.2).
//!
//! Only CR LF `.` CR LF ends a message. Servers that end it at less can be made to read one message
//! as two, the second one from whomever the sender likes; so everything that some other server
//! takes for the end of a line (a bare CR or LF) is noted, and a message with one is refused or
//! mended.

use memchr::memchr3;

/// What becomes of line ends that are none, and of NUL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BareNewlines {
    /// The message is read to its true end and refused.
    #[default]
    Reject,
    /// A bare CR or LF becomes CR LF, a NUL is left out.
    Normalize,
}

/// Where in a line the decoder is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    LineStart,
    Text,
    /// A CR that may begin the end of a line.
    Return,
    /// A dot at the start of a line.
    Dot,
    /// A dot at the start of a line and a CR.
    DotReturn,
}

/// Takes a message apart from what follows it.
#[derive(Debug)]
pub(super) struct Decoder {
    place: Place,
    stuffing: Stuffing,
    bare: BareNewlines,
    has_bare: bool,
}

/// Whether dots mean something: with DATA they do, with BDAT they do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stuffing {
    Dots,
    None,
}

/// What became of some input.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    /// So many bytes of it are of the message.
    pub(super) used: usize,
    /// Whether the message ends with them.
    pub(super) ended: bool,
}

impl Decoder {
    pub(super) fn new(stuffing: Stuffing, bare: BareNewlines) -> Self {
        Self { place: Place::LineStart, stuffing, bare, has_bare: false }
    }

    /// Whether a line end that is none, or a NUL, came.
    pub(super) fn has_bare(&self) -> bool {
        self.has_bare
    }

    /// Appends the message's next bytes to `out`.
    pub(super) fn decode(&mut self, input: &[u8], out: &mut Vec<u8>) -> Decoded {
        let mut used = 0;
        while let Some(&byte) = input.get(used) {
            if self.place == Place::Text {
                let rest = input.get(used..).unwrap_or_default();
                let plain = memchr3(b'\r', b'\n', 0, rest).unwrap_or(rest.len());
                out.extend_from_slice(rest.get(..plain).unwrap_or_default());
                used += plain;
                if plain > 0 {
                    continue;
                }
            }
            used += 1;
            if self.step(byte, out) {
                return Decoded { used, ended: true };
            }
        }
        Decoded { used, ended: false }
    }

    /// Ends a message whose end is told by its length: a CR that waits for its LF waits in vain.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.place == Place::Return {
            self.bare_return(out);
        }
        self.place = Place::Text;
    }

    /// One byte; whether the message ends with it.
    fn step(&mut self, byte: u8, out: &mut Vec<u8>) -> bool {
        match (self.place, byte) {
            (Place::DotReturn, b'\n') => return true,
            (Place::Return, b'\n') => {
                out.extend_from_slice(b"\r\n");
                self.place = Place::LineStart;
            }
            (Place::LineStart, b'.') if self.stuffing == Stuffing::Dots => self.place = Place::Dot,
            (Place::Dot, b'\r') => self.place = Place::DotReturn,
            (Place::Return | Place::DotReturn, _) => {
                self.bare_return(out);
                self.text(byte, out);
            }
            (Place::LineStart | Place::Text | Place::Dot, _) => self.text(byte, out),
        }
        false
    }

    fn text(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.place = if byte == b'\r' { Place::Return } else { Place::Text };
        match (byte, self.bare) {
            (b'\r', _) => {}
            (b'\n' | 0, BareNewlines::Reject) => {
                self.has_bare = true;
                out.push(byte);
            }
            (b'\n', BareNewlines::Normalize) => {
                self.has_bare = true;
                out.extend_from_slice(b"\r\n");
            }
            (0, BareNewlines::Normalize) => self.has_bare = true,
            _ => out.push(byte),
        }
    }

    fn bare_return(&mut self, out: &mut Vec<u8>) {
        self.has_bare = true;
        out.extend_from_slice(match self.bare {
            BareNewlines::Reject => b"\r",
            BareNewlines::Normalize => b"\r\n",
        });
    }
}
