//! The layout of a prompt, and how it is cut.

use super::{
    About, Fact, Foreign, Prompt, PromptKey, Rendering, VERSION,
    clean::{clean_some, is_plain_line},
    fence::Fence,
    fence::without_fences,
    redact::secrets,
};
use crate::{Timestamp, limits::PROMPT_LINE_BYTES_MAX};

/// How much more of a text is looked at than can be shown, so that a secret which begins where the
/// cut is can be seen whole.
const LOOKED_AT_BEYOND_BYTES: usize = 2048;

/// Lays out the text a model reads, in `bytes_max` bytes at most.
///
/// The headline, how it was verified, the facts, and the texts from outside in a fence whose tag a
/// sender cannot guess. What does not fit is cut: texts from their end first, then facts from
/// theirs; the last line says how many bytes that were. No limit is too small: what remains longest
/// is the line that says how it was verified.
#[must_use]
pub fn render(
    about: &About<'_>,
    rendering: &Rendering,
    key: &PromptKey,
    bytes_max: usize,
) -> Prompt {
    let sheet = Sheet::new(about, rendering, key, bytes_max);
    let removed = sheet.removed_note();
    let (mut text, left_out) = sheet.compose(bytes_max.saturating_sub(removed.len()));
    let mut notes = removed;
    if left_out > 0 {
        let widest = left_out_note(sheet.len());
        let room = bytes_max.saturating_sub(notes.len() + widest.len());
        let (cut, left_out) = sheet.compose(room);
        text = cut;
        notes.push_str(&left_out_note(left_out));
    }
    if text.len() + notes.len() <= bytes_max {
        text.push_str(&notes);
    }
    text.truncate(text.floor_char_boundary(bytes_max));
    Prompt { text, version: VERSION }
}

fn left_out_note(bytes: usize) -> String {
    format!("\n({bytes} bytes left out)")
}

/// A prompt before it is cut: its lines and texts, clean.
struct Sheet {
    headline: String,
    verified: String,
    facts: Vec<String>,
    sections: Vec<Section>,
    fence: Fence,
    /// Hidden characters that were taken out.
    removed: usize,
    /// Bytes of texts that were not looked at, because they cannot fit.
    unread: usize,
}

/// One text from outside.
struct Section {
    label: Option<String>,
    text: String,
}

impl Sheet {
    fn new(about: &About<'_>, rendering: &Rendering, key: &PromptKey, bytes_max: usize) -> Self {
        let mut reading = Reading { removed: 0, unread: 0, room: bytes_max };
        reading.room = reading.room.saturating_add(LOOKED_AT_BEYOND_BYTES);
        let headline = reading.headline(&rendering.headline, about.created_at);
        let verified = reading.verified(about);
        let facts: Vec<_> = rendering.facts.iter().filter_map(|fact| reading.fact(fact)).collect();
        let sections: Vec<_> =
            rendering.foreign.iter().filter_map(|foreign| reading.section(foreign)).collect();
        let texts = sections.iter().flat_map(|section| {
            [section.label.as_deref().unwrap_or_default(), section.text.as_str()]
        });
        let lines = facts.iter().map(String::as_str);
        let content = [about.channel.id.as_str(), headline.as_str()].into_iter();
        let fence = Fence::of(key, content.chain(lines).chain(texts));
        let Reading { removed, unread, .. } = reading;
        Self { headline, verified, facts, sections, fence, removed, unread }
    }

    /// The text in `room` bytes, and how many bytes of it had no room.
    fn compose(&self, room: usize) -> (String, usize) {
        let mut out = String::with_capacity(room.min(self.len()));
        let above = room.saturating_sub(self.verified.len() + 1);
        let shown = self.headline.floor_char_boundary(above.min(self.headline.len()));
        let mut left_out = self.unread + self.headline.len() - shown;
        if shown > 0 {
            out.push_str(self.headline.get(..shown).unwrap_or_default());
            out.push('\n');
        }
        out.push_str(&self.verified);
        let facts = self.facts_in(room.saturating_sub(out.len()), &mut out);
        left_out += facts;
        // A text is not shown where a fact had no room: what is worth less goes first.
        let room = if facts > 0 { 0 } else { room.saturating_sub(out.len()) };
        left_out += self.sections_in(room, &mut out);
        (out, left_out)
    }

    fn facts_in(&self, mut room: usize, out: &mut String) -> usize {
        let mut facts = self.facts.iter();
        let mut gap = "\n\n";
        for fact in facts.by_ref() {
            let len = gap.len() + fact.len();
            if len > room {
                return fact.len() + facts.map(|fact| fact.len() + 1).sum::<usize>();
            }
            room -= len;
            out.push_str(gap);
            out.push_str(fact);
            gap = "\n";
        }
        0
    }

    fn sections_in(&self, room: usize, out: &mut String) -> usize {
        let whole: usize = self.sections.iter().map(|section| section.text.len()).sum();
        if whole == 0 {
            return 0;
        }
        let (opening, closing) = (self.fence.opening(), self.fence.closing());
        let around = 2 + opening.len() + 1 + closing.len();
        let mut inside = String::new();
        let mut shown = 0;
        let mut room = room.saturating_sub(around);
        for section in &self.sections {
            let label = section.label.as_deref();
            let over = label.map(|label| self.fence.section(label) + "\n").unwrap_or_default();
            let end = room.saturating_sub(over.len() + 1).min(section.text.len());
            let end = section.text.floor_char_boundary(end);
            if end == 0 {
                break;
            }
            inside.push_str(&over);
            inside.push_str(section.text.get(..end).unwrap_or_default());
            inside.push('\n');
            shown += end;
            room = room.saturating_sub(over.len() + end + 1);
            if end < section.text.len() {
                break;
            }
        }
        if shown > 0 {
            for part in ["\n\n", &opening, "\n", &inside, &closing] {
                out.push_str(part);
            }
        }
        whole - shown
    }

    fn removed_note(&self) -> String {
        match self.removed {
            0 => String::new(),
            1 => "\n(1 hidden character removed)".to_owned(),
            removed => format!("\n({removed} hidden characters removed)"),
        }
    }

    /// At least as many bytes as all of it has.
    fn len(&self) -> usize {
        let texts = self.sections.iter().map(|section| {
            section.text.len() + section.label.as_ref().map_or(0, |label| label.len() + 24)
        });
        let lines = self.facts.iter().map(|fact| fact.len() + 1);
        let frame = self.headline.len() + self.verified.len() + 128;
        frame + self.unread + texts.sum::<usize>() + lines.sum::<usize>()
    }
}

/// Reads what a rendering has and counts what it takes out.
struct Reading {
    removed: usize,
    unread: usize,
    /// How many bytes of texts are still worth reading.
    room: usize,
}

impl Reading {
    fn headline(&mut self, headline: &str, at: Timestamp) -> String {
        let headline = self.line(headline);
        let what = match headline.trim_end_matches('.') {
            "" => "Event received",
            what => what,
        };
        let second = Timestamp::from_unix_s(at.unix_s()).to_string().replace(".000Z", "Z");
        format!("{what} at {second}.")
    }

    fn verified(&mut self, about: &About<'_>) -> String {
        let channel = about.channel;
        let (id, kind) = (self.line(&channel.id), self.line(&channel.kind.to_string()));
        let verification = about.verification;
        if verification.is_verified() {
            let method = self.line(&verification.method);
            let covers = self.line(verification.covers.as_str());
            format!("channel: {id} ({kind}) · verified: {method}, {covers}")
        } else {
            format!("channel: {id} ({kind}) · NOT VERIFIED: anyone could have sent this")
        }
    }

    fn fact(&mut self, fact: &Fact) -> Option<String> {
        let value = self.line(&fact.value);
        if value.is_empty() {
            return None;
        }
        let label = self.line(&fact.label);
        Some(if label.is_empty() { value } else { format!("{label}: {value}") })
    }

    /// One line of our own. Whoever made it was to take values through `inline`; who forgot it
    /// still cannot break the layout.
    fn line(&mut self, text: &str) -> String {
        if text.len() <= PROMPT_LINE_BYTES_MAX && is_plain_line(text) {
            return text.to_owned();
        }
        let (cleaned, unread) = clean_some(text, PROMPT_LINE_BYTES_MAX);
        self.removed += cleaned.removed;
        let words: Vec<_> = cleaned.text.split_whitespace().collect();
        let mut line = without_fences(&words.join(" ")).into_owned();
        if unread > 0 || line.len() > PROMPT_LINE_BYTES_MAX {
            line.truncate(line.floor_char_boundary(PROMPT_LINE_BYTES_MAX));
            line.push('…');
        }
        line
    }

    fn section(&mut self, foreign: &Foreign) -> Option<Section> {
        let (cleaned, unread) = clean_some(&foreign.text, self.room);
        self.unread += unread;
        self.removed += cleaned.removed;
        self.room = self.room.saturating_sub(cleaned.text.len());
        let text = cleaned.text.trim_matches('\n').trim_end();
        if text.is_empty() {
            return None;
        }
        let text = without_fences(&secrets(text)).into_owned();
        let label = foreign.label.as_deref().map(|label| self.line(label));
        Some(Section { label: label.filter(|label| !label.is_empty()), text })
    }
}
