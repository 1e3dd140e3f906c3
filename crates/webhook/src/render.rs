//! What the prompt of an event says, by the templates of its provider's file.
//!
//! Templates are compiled once. A value from outside is made fit for a line by the environment,
//! not by the author of a template, who so cannot forget it. How a prompt is laid out, cut and
//! fenced is not decided here but in `headgate_event::prompt`.

mod environment;
mod filters;
mod simple;
mod table;
mod value;

pub(crate) use table::{EventTable, PromptTable};

use crate::{content::Content, identity::Names, provider::Problems};
use bytes::Bytes;
use environment::Line;
use headgate_event::{
    BodyEncoding,
    prompt::{Fact, Foreign, Rendering, inline, outline, text_outline},
};
use minijinja::Environment;
use simple::{Simple, Voice};
use value::Subject;

/// The templates of one provider.
#[derive(Debug)]
pub(crate) struct Templates {
    /// Makes lines of our own: values from outside are quoted.
    lines: Environment<'static>,
    /// Makes text from outside, which the engine fences.
    texts: Environment<'static>,
    headline: Template,
    /// What every event shows that has no block of its own; an outline when there are none.
    others: Block,
    blocks: Vec<Block>,
}

/// What events of some names show.
#[derive(Debug, Default)]
struct Block {
    on: Vec<String>,
    headline: Option<Template>,
    facts: Vec<(String, Template)>,
    foreign: Vec<(Option<String>, Template)>,
}

/// A template: its name in one of the two environments, and itself where it needs no engine.
#[derive(Debug)]
struct Template {
    name: String,
    simple: Option<Simple>,
}

/// What is rendered.
#[derive(Debug)]
pub(crate) struct Received<'a> {
    pub(crate) names: &'a Names,
    pub(crate) content: &'a Content,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) body: &'a Bytes,
}

impl Templates {
    /// Compiles the templates of a provider file.
    pub(crate) fn read(
        prompt: PromptTable,
        events: Vec<EventTable>,
        problems: &mut Problems,
    ) -> Option<Self> {
        table::compile(prompt, events, problems)
    }

    /// What the prompt of an event says.
    pub(crate) fn render(&self, received: &Received<'_>) -> Rendering {
        let subject = Subject::new(received.names, received.content);
        let block = self.block(received.names);
        let headline = block.headline.as_ref().unwrap_or(&self.headline);
        let headline = self.say(Voice::Line, headline, &subject).text;
        let headline = one_line(headline);
        let mut rendering = Rendering { headline, ..Rendering::default() };
        for (label, template) in &block.facts {
            if let Some(value) = self.line(template, &subject) {
                rendering.facts.push(Fact { label: label.clone(), value });
            }
        }
        for (label, template) in &block.foreign {
            let text = self.say(Voice::Text, template, &subject).text;
            if !text.trim().is_empty() {
                rendering.foreign.push(Foreign { label: label.clone(), text });
            }
        }
        if rendering.facts.is_empty() && rendering.foreign.is_empty() {
            fill(&mut rendering, received);
        }
        rendering
    }

    fn block(&self, names: &Names) -> &Block {
        let event = names.event.as_deref().unwrap_or_default();
        let matches = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => event.starts_with(start),
            None => event == pattern,
        };
        self.blocks.iter().find(|block| block.on.iter().any(matches)).unwrap_or(&self.others)
    }

    /// A line of our own; none when it says nothing.
    fn line(&self, template: &Template, subject: &Subject<'_>) -> Option<String> {
        let Line { text, said } = self.say(Voice::Line, template, subject);
        let text = one_line(text);
        (said && !text.is_empty()).then_some(text)
    }

    /// What a template says, with or without the engine.
    fn say(&self, voice: Voice, template: &Template, subject: &Subject<'_>) -> Line {
        let simple = template.simple.as_ref();
        simple.and_then(|simple| simple.render(voice, subject)).unwrap_or_else(|| {
            let environment = match voice {
                Voice::Line => &self.lines,
                Voice::Text => &self.texts,
            };
            environment::render(environment, &template.name, subject)
        })
    }
}

/// A line without the gaps that missing values leave. Values themselves have no wider ones.
fn one_line(text: String) -> String {
    let bytes = text.as_bytes();
    let visible = bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    let gap = text.starts_with(' ') || text.ends_with(' ') || text.contains("  ");
    if visible && !gap {
        return text;
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What can be said of a body that no template fits.
fn fill(rendering: &mut Rendering, received: &Received<'_>) {
    let outline = match (&received.content.doc, received.content.encoding) {
        (Some(doc), _) => outline(doc.root()),
        (None, BodyEncoding::Base64) => {
            let kind = received.content_type.map(inline).unwrap_or_default();
            let value = match kind.as_str() {
                "" => format!("{} bytes", received.body.len()),
                kind => format!("{} bytes of {kind}", received.body.len()),
            };
            rendering.facts.push(Fact { label: "Body".to_owned(), value });
            return;
        }
        (None, _) if received.body.is_empty() => {
            rendering.facts.push(Fact { label: "Body".to_owned(), value: "empty".to_owned() });
            return;
        }
        (None, _) => text_outline(std::str::from_utf8(received.body).unwrap_or_default()),
    };
    rendering.facts.extend(outline.facts);
    rendering.foreign.extend(outline.foreign);
}
