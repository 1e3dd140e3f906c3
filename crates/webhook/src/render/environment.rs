//! The two template environments: one for lines of our own, one for text from outside.

use super::{filters, value::Subject};
use headgate_event::{limits::TEMPLATE_BYTES_MAX, prompt::inline};
use minijinja::{
    AutoEscape, Environment, Error, Output, State, UndefinedBehavior, Value, value::ValueKind,
};
use std::io;

/// How often a template tried to say something, and how often it did.
const TRIED: &str = "tried";
const SAID: &str = "said";

/// What a template made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    /// False when every value that it asked for is missing or empty.
    pub(super) said: bool,
}

/// For lines of our own: each value is made fit for a line.
pub(super) fn lines() -> Environment<'static> {
    environment(|out, value| {
        if value.is_safe() {
            return out.write_str(value.as_str().unwrap_or_default()).map_err(Error::from);
        }
        out.write_str(&inline(&text(value)?)).map_err(Error::from)
    })
}

/// For text from outside: each value as it came, because the engine cleans and fences all of it.
pub(super) fn texts() -> Environment<'static> {
    environment(|out, value| out.write_str(&text(value)?).map_err(Error::from))
}

fn environment(
    write: impl Fn(&mut Output<'_>, &Value) -> Result<(), Error> + Send + Sync + 'static,
) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    // What marks a value as safe would let it past the formatter.
    for filter in ["safe", "escape", "e"] {
        environment.remove_filter(filter);
    }
    environment.add_filter("money", filters::money);
    environment.add_filter("time", filters::time);
    environment.add_filter("time_ms", filters::time_ms);
    environment.add_filter("base64_text", filters::base64_text);
    environment.set_formatter(move |out: &mut Output<'_>, state: &mut State<'_, '_>, value| {
        state.set_temp(TRIED, Value::from(true));
        if value.is_undefined() || value.is_none() || value.as_str().is_some_and(str::is_empty) {
            return Ok(());
        }
        state.set_temp(SAID, Value::from(true));
        write(out, value)
    });
    environment
}

/// A value as text: scalars as they are, a list by its items, anything else not at all.
fn text(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Seq => {
            let items: Result<Vec<_>, _> = value.try_iter()?.map(|item| text(&item)).collect();
            let mut items = items?;
            items.retain(|item| !item.is_empty());
            Ok(items.join(", "))
        }
        ValueKind::Undefined | ValueKind::None | ValueKind::Map | ValueKind::Plain => {
            Ok(String::new())
        }
        ValueKind::Bool => Ok(if value.is_true() { "true" } else { "false" }.to_owned()),
        _ => Ok(value.to_string()),
    }
}

/// Runs a template. One that fails says what it had said until then; it was tried when it was
/// loaded, so that this is a body of an unheard-of shape.
pub(super) fn render(environment: &Environment<'_>, name: &str, subject: &Subject<'_>) -> Line {
    let mut out = Bounded { bytes: Vec::new() };
    let state = environment
        .get_template(name)
        .and_then(|template| template.render_captured_to(subject.value(), &mut out));
    let said = match &state {
        Ok(captured) => {
            let state = captured.state();
            state.get_temp(SAID).is_some() || state.get_temp(TRIED).is_none()
        }
        Err(error) => {
            tracing::debug!(template = name, %error, "a prompt template stopped early");
            true
        }
    };
    drop(state);
    Line { text: String::from_utf8_lossy(&out.bytes).into_owned(), said }
}

/// Stops a template that makes more than anyone reads.
struct Bounded {
    bytes: Vec<u8>,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() > TEMPLATE_BYTES_MAX {
            return Err(io::Error::other("the text is as long as it gets"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{content::Content, identity::Names};
    use bytes::Bytes;

    fn rendered(mut environment: Environment<'static>, template: &str, body: &str) -> Line {
        environment.add_template_owned("t", template.to_owned()).expect("a template");
        let body = Bytes::from(body.to_owned());
        let content = Content::read(None, &body, &crate::identity::Form::Text);
        let names = Names::default();
        render(&environment, "t", &Subject::new(&names, &content))
    }

    fn line(template: &str, body: &str) -> Line {
        rendered(lines(), template, body)
    }

    fn said(text: &str) -> Line {
        Line { text: text.to_owned(), said: true }
    }

    #[test]
    fn a_value_from_outside_is_quoted_without_the_templates_doing() {
        let body = r#"{"title":"Say \"hi\"\nnow","n":42}"#;
        assert_eq!(line("#{{ body.n }}: {{ body.title }}", body), said(r#"#42: "Say \"hi\" now""#));
    }

    #[test]
    fn a_line_whose_values_are_all_missing_says_nothing() {
        assert!(!line("{{ body.a.b.c }} -> {{ body.d }}", "{}").said);
        assert!(!line("#{{ body.n }}", r#"{"n":null}"#).said);
        assert!(!line("{{ body.n }}", r#"{"n":""}"#).said);
        assert!(line("{{ body.a }} -> {{ body.b }}", r#"{"b":0}"#).said);
        assert_eq!(line("{% if body.draft %}yes{% endif %}", r#"{"draft":true}"#), said("yes"));
    }

    #[test]
    fn a_template_cannot_let_a_value_past_the_quotes() {
        for template in ["{{ body.t | safe }}", "{{ body.t | escape }}", "{{ body.t | e }}"] {
            let line = line(template, r#"{"t":"a b"}"#);
            assert_eq!(line.text, "", "{template}");
        }
        let set = "{% set x %}{{ body.t }}{% endset %}{{ x }}";
        assert_eq!(line(set, r#"{"t":"a\nb"}"#).text, r#""\"a b\"""#);
        assert_eq!(line("{{ body.t ~ '!' }}", r#"{"t":"a\nb"}"#), said(r#""a b!""#));
    }

    #[test]
    fn lists_are_shown_by_their_items_and_objects_not_at_all() {
        assert_eq!(line("{{ body.l }}", r#"{"l":["a",1,true,{"b":2}]}"#), said(r#""a, 1, true""#));
        assert_eq!(line("{{ body.o }}", r#"{"o":{"a":1}}"#).text, "");
        assert_eq!(line("{{ body.l | length }}", r#"{"l":[1,2,3]}"#), said("3"));
        assert_eq!(line("{{ body.l[0].a }}", r#"{"l":[{"a":"x"}]}"#), said("x"));
        assert_eq!(
            line("{% for k in body.o %}{{ k }},{% endfor %}", r#"{"o":{"b":1,"a":2}}"#),
            said("b,a,")
        );
    }

    #[test]
    fn numbers_keep_their_digits() {
        let body = r#"{"a":12345678901234567890.10,"b":1E5,"c":-3}"#;
        assert_eq!(
            line("{{ body.a }} {{ body.b }} {{ body.c }}", body),
            said("12345678901234567890.10 1E5 -3")
        );
    }

    #[test]
    fn a_list_without_end_is_not_gone_through_to_its_end() {
        let items = vec!["1"; 100_000].join(",");
        let body = format!(r#"{{"l":[{items}]}}"#);
        let template = "{% for n in body.l %}{{ n }}{% endfor %} of {{ body.l | length }}";
        assert_eq!(line(template, &body), said(&format!("{} of 100000", "1".repeat(100))));
        let inner = "{% for b in body.l %}{{ b }}{{ 'x' * 1000 }}{% endfor %}";
        let nested = &format!("{{% for a in body.l %}}{inner}{{% endfor %}}");
        assert!(rendered(texts(), nested, &body).text.len() < TEMPLATE_BYTES_MAX + 2_000);
    }

    #[test]
    fn text_from_outside_stays_as_it_came() {
        let body = r#"{"t":"a\n\"b\" \u001b[31m"}"#;
        assert_eq!(rendered(texts(), "{{ body.t }}", body).text, "a\n\"b\" \u{1b}[31m");
    }
}
