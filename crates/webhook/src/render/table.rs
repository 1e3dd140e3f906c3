//! The prompt part of a provider file, and its templates compiled.

use super::{
    Block, Template, Templates,
    environment::{lines, texts},
    simple::Simple,
    value::{NAMES, Subject},
};
use crate::{content::Content, identity::Names, provider::Problems};
use headgate_event::BodyEncoding;
use minijinja::Environment;
use serde::Deserialize;
use std::collections::BTreeSet;
use toml::Spanned;

/// The `[prompt]` table: what every event shows that has no block of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PromptTable {
    headline: Spanned<String>,
    #[serde(default)]
    facts: Vec<Labelled>,
    #[serde(default)]
    foreign: Vec<Labelled>,
}

/// An `[[event]]` block: what events of some names show instead.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventTable {
    /// Names; one that ends in `*` is the beginning of names.
    on: Spanned<Vec<String>>,
    headline: Option<Spanned<String>>,
    #[serde(default)]
    facts: Vec<Labelled>,
    #[serde(default)]
    foreign: Vec<Labelled>,
}

/// A label and a template.
type Labelled = (Spanned<String>, Spanned<String>);

struct Compiler<'p> {
    lines: Environment<'static>,
    texts: Environment<'static>,
    problems: &'p mut Problems,
    /// Templates have no names of their own.
    next: usize,
}

pub(super) fn compile(
    prompt: PromptTable,
    events: Vec<EventTable>,
    problems: &mut Problems,
) -> Option<Templates> {
    let mut compiler = Compiler { lines: lines(), texts: texts(), problems, next: 0 };
    let headline = compiler.line(prompt.headline);
    let others = compiler.block(Vec::new(), None, prompt.facts, prompt.foreign);
    let mut known = BTreeSet::new();
    let mut blocks = Vec::new();
    for event in events {
        let at = event.on.span();
        for name in event.on.get_ref() {
            if !known.insert(name.clone()) {
                compiler.problems.add(at.clone(), format!("event `{name}` has two blocks"));
            }
        }
        let on = event.on.into_inner();
        blocks.push(compiler.block(on, event.headline, event.facts, event.foreign));
    }
    let Compiler { lines, texts, .. } = compiler;
    let blocks = blocks.into_iter().collect::<Option<_>>()?;
    Some(Templates { lines, texts, headline: headline?, others: others?, blocks })
}

impl Compiler<'_> {
    fn block(
        &mut self,
        on: Vec<String>,
        headline: Option<Spanned<String>>,
        facts: Vec<Labelled>,
        foreign: Vec<Labelled>,
    ) -> Option<Block> {
        let before = self.problems.len();
        let headline = headline.and_then(|template| self.line(template));
        let mut block = Block { on, headline, ..Block::default() };
        self.unique(&facts, "fact");
        self.unique(&foreign, "text");
        for (label, template) in facts {
            if label.get_ref().trim().is_empty() {
                self.problems.add(label.span(), "expected a label, found nothing");
            }
            if let Some(template) = self.line(template) {
                block.facts.push((label.into_inner(), template));
            }
        }
        for (label, template) in foreign {
            if let Some(template) = self.text(template) {
                let label = Some(label.into_inner()).filter(|label| !label.trim().is_empty());
                block.foreign.push((label, template));
            }
        }
        (self.problems.len() == before).then_some(block)
    }

    fn unique(&mut self, labelled: &[Labelled], what: &str) {
        let mut seen = BTreeSet::new();
        for (label, _) in labelled {
            if !seen.insert(label.get_ref()) {
                let message =
                    format!("label `{}` stands for more than one {what}", label.get_ref());
                self.problems.add(label.span(), message);
            }
        }
    }

    fn line(&mut self, template: Spanned<String>) -> Option<Template> {
        self.next += 1;
        add(&mut self.lines, self.next, template, self.problems)
    }

    fn text(&mut self, template: Spanned<String>) -> Option<Template> {
        self.next += 1;
        add(&mut self.texts, self.next, template, self.problems)
    }
}

/// Compiles a template and tries it on nothing, so that what is wrong with it is found at once.
fn add(
    environment: &mut Environment<'static>,
    number: usize,
    template: Spanned<String>,
    problems: &mut Problems,
) -> Option<Template> {
    let (at, name) = (template.span(), number.to_string());
    let source = template.into_inner();
    let refuse = |error: minijinja::Error| error.detail().unwrap_or("it fails").to_owned();
    let tried = environment
        .add_template_owned(name.clone(), source.clone())
        .and_then(|()| environment.get_template(&name))
        .map_err(refuse)
        .and_then(|template| {
            let unknown = template.undeclared_variables(false).into_iter();
            let mut unknown: Vec<_> = unknown.filter(|n| !NAMES.contains(&n.as_str())).collect();
            unknown.sort();
            if let Some(name) = unknown.first() {
                return Err(format!("`{name}` is not known: expected `{}`", NAMES.join("`, `")));
            }
            let nothing =
                Content { encoding: BodyEncoding::Text, doc: None, foreign_charset: false };
            let names = Names::default();
            let subject = Subject::new(&names, &nothing);
            template.render(subject.value()).map(drop).map_err(refuse)
        });
    match tried {
        Ok(()) => Some(Template { name, simple: Simple::read(&source) }),
        Err(message) => {
            problems.add(at, format!("the template is wrong: {message}"));
            None
        }
    }
}
