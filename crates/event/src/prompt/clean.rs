//! Takes out of a text what a reader cannot see: controls, terminal escapes, hidden characters.
//!
//! What is left is visible text, spaces, tabs and line feeds. Every way to write a line break
//! becomes one line feed, so that what is one line to us is one line to every reader.

/// A text without hidden characters, and how many it had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Visible text, spaces, tabs and line feeds.
    pub text: String,
    /// How many characters were taken out.
    pub removed: usize,
}

/// Takes out C0 and C1 controls, whole ANSI escapes, bidirectional controls, zero-width and tag
/// characters and variation selectors. Cleaning twice is cleaning once.
///
/// ```
/// # use headgate_event::prompt::clean;
/// let cleaned = clean("\u{1b}[31mred\u{1b}[0m\r\nan\u{200b}d more");
/// assert_eq!((cleaned.text.as_str(), cleaned.removed), ("red\nand more", 10));
/// ```
#[must_use]
pub fn clean(text: &str) -> Cleaned {
    clean_some(text, usize::MAX).0
}

/// Cleans until the result has about `bytes_max` bytes, and says how many bytes it did not read.
pub(super) fn clean_some(text: &str, bytes_max: usize) -> (Cleaned, usize) {
    let mut cleaned = Cleaned {
        text: String::with_capacity(text.len().min(bytes_max).saturating_add(4)),
        removed: 0,
    };
    let mut rest = text;
    while !rest.is_empty() && cleaned.text.len() < bytes_max {
        let space = rest.len().min(bytes_max - cleaned.text.len());
        let run = rest.bytes().take(space).take_while(|byte| is_plain(*byte)).count();
        let (plain, after) = rest.split_at(run);
        cleaned.text.push_str(plain);
        rest = after;
        if run < space
            && let Some(char) = rest.chars().next()
        {
            let read = cleaned.take(char, rest);
            rest = rest.get(read..).unwrap_or_default();
        }
    }
    (cleaned, rest.len())
}

/// Whether a text is one line of visible ASCII, with no more than one space between words and no
/// sign of a fence: cleaning, joining its words and parting fences leave it as it is.
pub(super) fn is_plain_line(text: &str) -> bool {
    let mut after_space = true;
    for byte in text.bytes() {
        match byte {
            b' ' if after_space => return false,
            b'<' | b'>' => return false,
            b' '..=b'~' => after_space = byte == b' ',
            _ => return false,
        }
    }
    !after_space
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n' | b'\t')
}

impl Cleaned {
    /// Takes `char`, which begins `rest`, and says how many bytes of `rest` that settles.
    fn take(&mut self, char: char, rest: &str) -> usize {
        match char {
            '\r' => {
                self.text.push('\n');
                return if rest.starts_with("\r\n") { 2 } else { 1 };
            }
            // Vertical tab, form feed, next line, line and paragraph separator.
            '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => self.text.push('\n'),
            '\u{1b}' | '\u{90}' | '\u{98}' | '\u{9b}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => {
                let sequence = rest.get(..escape_len(rest)).unwrap_or(rest);
                self.removed += sequence.chars().count();
                return sequence.len();
            }
            // The choice between two looks of the character before it, common with emoji: there is
            // nothing hidden in one of them.
            '\u{fe0e}' | '\u{fe0f}' if !rest.chars().nth(1).is_some_and(is_hidden) => {}
            _ if is_hidden(char) => self.removed += 1,
            _ => self.text.push(char),
        }
        char.len_utf8()
    }
}

/// The length of the terminal escape that begins `text`, by ECMA-48.
fn escape_len(text: &str) -> usize {
    let mut chars = text.chars();
    let first = chars.next().map_or(0, char::len_utf8);
    let (introducer, opened) = match text.chars().next() {
        Some('\u{1b}') => match chars.next() {
            Some(second @ '\u{20}'..='\u{7e}') => (second, first + 1),
            _ => return first,
        },
        // The C1 controls are their 7-bit forms in one character.
        Some('\u{9b}') => ('[', first),
        _ => (']', first),
    };
    let bytes = text.as_bytes().get(opened..).unwrap_or_default();
    let run = |from: usize, range: std::ops::RangeInclusive<u8>| {
        bytes.iter().skip(from).take_while(|byte| range.contains(byte)).count()
    };
    match introducer {
        '[' => {
            let parameters = run(0, 0x30..=0x3f);
            let body = parameters + run(parameters, 0x20..=0x2f);
            opened + body + run(body, 0x40..=0x7e).min(1)
        }
        ']' | 'P' | 'X' | '^' | '_' => opened + string_len(text.get(opened..).unwrap_or_default()),
        '\u{20}'..='\u{2f}' => {
            let body = run(0, 0x20..=0x2f);
            opened + body + run(body, 0x30..=0x7e).min(1)
        }
        _ => opened,
    }
}

/// The length of a control string with its end; 0 when another control comes first, because then a
/// terminal would not swallow it either. Each search ends where the next one can begin, so all of
/// them together read the text once.
fn string_len(text: &str) -> usize {
    let Some((end, char)) = text.char_indices().find(|(_, char)| char.is_control()) else {
        return 0;
    };
    match char {
        '\u{7}' | '\u{9c}' => end + char.len_utf8(),
        '\u{1b}' if text.get(end + 1..).is_some_and(|rest| rest.starts_with('\\')) => end + 2,
        _ => 0,
    }
}

/// Whether a character shows nothing, or changes how others show (Unicode: `Cc`, the invisible of
/// `Cf`, default ignorable code points, noncharacters).
fn is_hidden(char: char) -> bool {
    matches!(char,
        '\u{0}'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        // Zero-width characters, marks of direction, embeddings, overrides, isolates.
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{fdd0}'..='\u{fdef}'
        | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        // Tag characters and the variation selectors beyond the first sixteen.
        | '\u{e0000}'..='\u{e0fff}')
        || (char as u32) & 0xfffe == 0xfffe
}
