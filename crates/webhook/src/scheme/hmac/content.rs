//! What is signed: a template such as `{timestamp}.{body}`.

use http::Method;

/// A part of what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Text that is always the same.
    Literal(String),
    /// The body as it came.
    Body,
    /// The time as it was sent, not as it was read.
    Timestamp,
    /// The id of the message.
    Id,
    /// The method, upper case.
    Method,
    /// The path as sent, without the query.
    Path,
}

/// What is signed, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content(Vec<Part>);

/// What a template is filled with.
#[derive(Debug)]
pub(super) struct Inputs<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) body: &'a [u8],
    pub(super) timestamp: &'a str,
    pub(super) id: &'a str,
}

impl Content {
    /// Reads a template. It signs the body, and an id only where its end can be told.
    pub(super) fn parse(template: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some(open) = rest.find(['{', '}']) {
            let (literal, from) = rest.split_at(open);
            let inner = from.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let Some((name, after)) = inner else {
                return Err(format!("expected braces in pairs, found `{from}`"));
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            parts.push(part(name)?);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        let content = Self(parts);
        content.checked().map(|()| content)
    }

    fn checked(&self) -> Result<(), String> {
        let variables = || self.0.iter().filter(|part| !matches!(part, Part::Literal(_)));
        if !self.has(&Part::Body) {
            return Err("expected `{body}` in what is signed".to_owned());
        }
        for (at, part) in variables().enumerate() {
            if variables().skip(at + 1).any(|later| later == part) {
                return Err("expected each placeholder once".to_owned());
            }
        }
        for pair in self.0.windows(2) {
            if let [Part::Id, next] = pair
                && !matches!(next, Part::Literal(_))
            {
                return Err("expected text between `{id}` and what follows it".to_owned());
            }
        }
        Ok(())
    }

    /// The template.
    pub(super) fn template(&self) -> String {
        let text = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::Body => "{body}".to_owned(),
            Part::Timestamp => "{timestamp}".to_owned(),
            Part::Id => "{id}".to_owned(),
            Part::Method => "{method}".to_owned(),
            Part::Path => "{path}".to_owned(),
        };
        self.0.iter().map(text).collect()
    }

    /// What is signed, in order.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.0.iter()
    }

    /// Whether a part is signed.
    pub(super) fn has(&self, part: &Part) -> bool {
        self.0.contains(part)
    }

    /// The text that ends the id. An id that holds it could pass for id and time of another.
    pub(super) fn after_id(&self) -> Option<&str> {
        let at = self.0.iter().position(|part| *part == Part::Id)?;
        match self.0.get(at + 1) {
            Some(Part::Literal(text)) => Some(text),
            _ => None,
        }
    }

    /// The signed bytes, piece by piece, so that the body is not copied.
    pub(super) fn pieces<'a>(&'a self, inputs: &'a Inputs<'a>) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().map(|part| match part {
            Part::Literal(text) => text.as_bytes(),
            Part::Body => inputs.body,
            Part::Timestamp => inputs.timestamp.as_bytes(),
            Part::Id => inputs.id.as_bytes(),
            Part::Method => inputs.method.as_str().as_bytes(),
            Part::Path => inputs.path.as_bytes(),
        })
    }
}

fn part(name: &str) -> Result<Part, String> {
    Ok(match name {
        "body" => Part::Body,
        "timestamp" => Part::Timestamp,
        "id" => Part::Id,
        "method" => Part::Method,
        "path" => Part::Path,
        other => {
            return Err(format!(
                "expected `{{body}}`, `{{timestamp}}`, `{{id}}`, `{{method}}` or `{{path}}`, \
                 found `{{{other}}}`"
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_in_its_order() {
        let content = Content::parse("v0:{timestamp}:{body}").expect("a template");
        let method = Method::POST;
        let inputs =
            Inputs { method: &method, path: "/", body: b"raw", timestamp: "12", id: "unused" };
        assert_eq!(content.pieces(&inputs).collect::<Vec<_>>().concat(), b"v0:12:raw");
    }

    #[test]
    fn a_template_that_cannot_be_meant_is_refused() {
        for (template, expected) in [
            ("{timestamp}", "expected `{body}` in what is signed"),
            ("{body}{body}", "expected each placeholder once"),
            ("{id}{body}", "expected text between `{id}` and what follows it"),
            ("{body", "expected braces in pairs, found `{body`"),
            ("body}", "expected braces in pairs, found `}`"),
        ] {
            assert_eq!(Content::parse(template).expect_err(template), expected);
        }
        let unknown = Content::parse("{ts}.{body}").expect_err("unknown");
        assert!(unknown.ends_with("found `{ts}`"), "{unknown}");
    }

    #[test]
    fn the_text_after_the_id_is_what_an_id_must_not_hold() {
        let content = Content::parse("{id}.{timestamp}.{body}").expect("a template");
        assert_eq!(content.after_id(), Some("."));
        assert_eq!(Content::parse("{body}{id}").expect("a template").after_id(), None);
    }
}
