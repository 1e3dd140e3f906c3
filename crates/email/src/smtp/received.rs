//! Counts the `Received` fields of a message while it comes: too many mean that it goes round.

const NAME: &[u8] = b"received:";

/// How many hosts a message has been through.
#[derive(Debug)]
pub(super) struct Hops {
    count: usize,
    /// How many bytes of the name the line has matched; none when it is another field.
    matched: Option<usize>,
    /// Whether the line has a byte of text.
    empty_line: bool,
    in_header: bool,
}

impl Default for Hops {
    fn default() -> Self {
        Self { count: 0, matched: Some(0), empty_line: true, in_header: true }
    }
}

impl Hops {
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Looks at the next bytes of the message.
    pub(super) fn look(&mut self, mut bytes: &[u8]) {
        while self.in_header && !bytes.is_empty() {
            // A line of another field, from its middle: its end is all that matters.
            if self.matched.is_none() && !self.empty_line {
                let Some(end) = memchr::memchr(b'\n', bytes) else { return };
                bytes = bytes.get(end..).unwrap_or_default();
            }
            let Some((&byte, rest)) = bytes.split_first() else { return };
            self.byte(byte);
            bytes = rest;
        }
    }

    fn byte(&mut self, byte: u8) {
        match byte {
            b'\n' => {
                self.in_header = !self.empty_line;
                (self.matched, self.empty_line) = (Some(0), true);
            }
            b'\r' => {}
            _ => {
                self.empty_line = false;
                self.matched = self.matched.and_then(|matched| {
                    let expected = NAME.get(matched)?;
                    byte.eq_ignore_ascii_case(expected).then_some(matched + 1)
                });
                if self.matched == Some(NAME.len()) {
                    self.count += 1;
                    self.matched = None;
                }
            }
        }
    }
}
