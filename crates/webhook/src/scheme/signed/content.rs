//! What is signed: a template such as `{timestamp}.{body}`.

use crate::{identity::is_path, scheme::Settings};
use form_urlencoded::parse;
use headgate_event::{Secret, json::Doc};
use http::Method;
use std::borrow::Cow;

const FORM: &str = "application/x-www-form-urlencoded";
/// The escapes that senders who sign a decoded URL undo: characters that a query may hold as they
/// are, but no separators of one.
const UNDONE: [(&str, &str); 12] = [
    ("%3A", ":"),
    ("%2F", "/"),
    ("%3F", "?"),
    ("%40", "@"),
    ("%21", "!"),
    ("%24", "$"),
    ("%27", "'"),
    ("%28", "("),
    ("%29", ")"),
    ("%2A", "*"),
    ("%2C", ","),
    ("%3B", ";"),
];

/// A part of what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Text that is always the same.
    Literal(String),
    /// The body as it came.
    Body,
    /// The CRC-32 (IEEE) of the body, decimal.
    BodyCrc32,
    /// The names and values of a form, sorted, each pair once; nothing for another body.
    SortedForm,
    /// A value in the body; nothing where there is none.
    Json(String),
    /// Of the values with these names in the body those that are there, each as a line of its name
    /// and a line of itself.
    Lines(Vec<String>),
    /// The time as it was sent, not as it was read.
    Timestamp,
    /// The id of the message.
    Id,
    /// The method, upper case.
    Method,
    /// The path as sent, without the query.
    Path,
    /// The URL by which the sender reaches the channel, with the query as sent.
    Url,
    /// The same with the escapes of [`UNDONE`] undone.
    DecodedUrl,
    /// The secret itself, for digests without a key of their own.
    Secret,
    /// A setting of the channel.
    Setting(String),
}

/// What is signed, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content(Vec<Part>);

/// What a template is filled with.
#[derive(Debug)]
pub(super) struct Inputs<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) url: &'a str,
    pub(super) is_form: bool,
    pub(super) body: &'a [u8],
    pub(super) timestamp: &'a str,
    pub(super) id: &'a str,
    pub(super) settings: &'a Settings,
}

/// A part filled in.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    Bytes(Cow<'a, [u8]>),
    /// Each key puts itself here.
    Secret,
}

impl Content {
    /// Reads a template. It signs an id only where its end can be told.
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
        self.0.iter().map(Part::to_string).collect()
    }

    /// What is signed, in order.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.0.iter()
    }

    /// Whether a part is signed.
    pub(super) fn has(&self, part: &Part) -> bool {
        self.0.contains(part)
    }

    /// Whether the body counts. A CRC-32 says nothing against people: another body that has the
    /// same one is made in no time.
    pub(super) fn covers_body(&self) -> bool {
        let covers = |part: &Part| matches!(part, Part::Body | Part::SortedForm | Part::Lines(_));
        self.0.iter().any(covers)
    }

    /// Whether the URL counts.
    pub(super) fn covers_url(&self) -> bool {
        self.has(&Part::Url) || self.has(&Part::DecodedUrl)
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
    pub(super) fn pieces<'a>(&'a self, inputs: &Inputs<'a>) -> Vec<Piece<'a>> {
        let in_body = self.0.iter().any(|part| matches!(part, Part::Json(_) | Part::Lines(_)));
        let doc = in_body.then(|| Doc::parse(inputs.body.to_vec().into()).ok()).flatten();
        self.0.iter().map(|part| part.filled(inputs, doc.as_ref())).collect()
    }
}

impl Part {
    fn filled<'a>(&'a self, inputs: &Inputs<'a>, doc: Option<&Doc>) -> Piece<'a> {
        let owned = |text: String| Cow::Owned(text.into_bytes());
        let text = |text: &'a str| Cow::Borrowed(text.as_bytes());
        Piece::Bytes(match self {
            Self::Secret => return Piece::Secret,
            Self::Literal(literal) => text(literal),
            Self::Body => Cow::Borrowed(inputs.body),
            Self::BodyCrc32 => owned(crc32(inputs.body).to_string()),
            Self::SortedForm if inputs.is_form => owned(sorted_form(inputs.body)),
            Self::SortedForm => text(""),
            Self::Json(path) => {
                let found = doc.and_then(|doc| doc.root().path(path)?.scalar());
                owned(found.map(Cow::into_owned).unwrap_or_default())
            }
            Self::Lines(names) => owned(doc.map(|doc| lines(doc, names)).unwrap_or_default()),
            Self::Timestamp => text(inputs.timestamp),
            Self::Id => text(inputs.id),
            Self::Method => text(inputs.method.as_str()),
            Self::Path => text(inputs.path),
            Self::Url => text(inputs.url),
            Self::DecodedUrl => owned(decoded(inputs.url)),
            Self::Setting(name) => {
                Cow::Borrowed(inputs.settings.get(name).map_or(&b""[..], Secret::expose))
            }
        })
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Literal(text) => return f.write_str(text),
            Self::Json(path) => return write!(f, "{{json:{path}}}"),
            Self::Setting(name) => return write!(f, "{{setting:{name}}}"),
            Self::Lines(names) => return write!(f, "{{lines:{}}}", names.join(",")),
            Self::Body => "{body}",
            Self::BodyCrc32 => "{body_crc32}",
            Self::SortedForm => "{sorted_form}",
            Self::Timestamp => "{timestamp}",
            Self::Id => "{id}",
            Self::Method => "{method}",
            Self::Path => "{path}",
            Self::Url => "{url}",
            Self::DecodedUrl => "{decoded_url}",
            Self::Secret => "{secret}",
        })
    }
}

fn part(name: &str) -> Result<Part, String> {
    Ok(match name {
        "body" => Part::Body,
        "body_crc32" => Part::BodyCrc32,
        "sorted_form" => Part::SortedForm,
        "timestamp" => Part::Timestamp,
        "id" => Part::Id,
        "method" => Part::Method,
        "path" => Part::Path,
        "url" => Part::Url,
        "decoded_url" => Part::DecodedUrl,
        "secret" => Part::Secret,
        other => match other.split_once(':') {
            Some(("json", path)) if is_path(path) => Part::Json(path.to_owned()),
            Some(("lines", names)) if names.split(',').all(is_path) => {
                Part::Lines(names.split(',').map(str::to_owned).collect())
            }
            Some(("setting", name)) if !name.is_empty() => Part::Setting(name.to_owned()),
            _ => {
                return Err(format!(
                    "expected `{{body}}`, `{{body_crc32}}`, `{{sorted_form}}`, `{{timestamp}}`, \
                     `{{id}}`, `{{method}}`, `{{path}}`, `{{url}}`, `{{decoded_url}}`, \
                     `{{secret}}`, `{{json:PATH}}`, `{{lines:NAMES}}` or `{{setting:NAME}}`, found `{{{other}}}`"
                ));
            }
        },
    })
}

/// Whether a Content-Type is that of a form.
pub(super) fn is_form(content_type: Option<&http::HeaderValue>) -> bool {
    let text = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FORM))
}

/// The value of a field that a form has once.
pub(super) fn in_form(body: &[u8], field: &str) -> Option<String> {
    let mut found = parse(body).filter(|(name, _)| name == field);
    let value = found.next()?.1.into_owned();
    found.next().is_none().then_some(value)
}

/// `name` and `value` of each pair, sorted by both, repeated pairs once.
fn sorted_form(body: &[u8]) -> String {
    let mut pairs: Vec<_> = parse(body).collect();
    pairs.sort();
    pairs.dedup();
    pairs.iter().flat_map(|(name, value)| [name.as_ref(), value.as_ref()]).collect()
}

fn decoded(url: &str) -> String {
    UNDONE.iter().fold(url.to_owned(), |url, (escape, plain)| {
        url.replace(escape, plain).replace(&escape.to_ascii_lowercase(), plain)
    })
}

/// A line for each name and each value that is there. Only the first value may hold line feeds: if
/// others might, values could be moved between the lines without changing what is signed. What has
/// such a value is signed by nobody, and no content stands for that.
fn lines(doc: &Doc, names: &[String]) -> String {
    let mut lines = String::new();
    for (place, name) in names.iter().enumerate() {
        let Some(value) = doc.root().get(name).and_then(|value| value.scalar()) else { continue };
        if place > 0 && value.contains('\n') {
            return String::new();
        }
        lines.extend([name.as_str(), "\n", &*value, "\n"]);
    }
    lines
}

/// The CRC-32 of IEEE 802.3, as zip has it.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str, body: &[u8]) -> String {
        let content = Content::parse(template).expect("a template");
        let settings = Settings::from([("hook".to_owned(), Secret::new("4JH"))]);
        let inputs = Inputs {
            method: &Method::POST,
            path: "/a",
            url: "https://example.com/a?q=%3a%2Fb%20c%26",
            is_form: true,
            body,
            timestamp: "12",
            id: "unused",
            settings: &settings,
        };
        let pieces = content.pieces(&inputs);
        let bytes = pieces.into_iter().map(|piece| match piece {
            Piece::Bytes(bytes) => bytes.into_owned(),
            Piece::Secret => b"<secret>".to_vec(),
        });
        String::from_utf8(bytes.collect::<Vec<_>>().concat()).expect("text")
    }

    #[test]
    fn a_template_is_filled_in_its_order() {
        assert_eq!(filled("v0:{timestamp}:{body}", b"raw"), "v0:12:raw");
        assert_eq!(filled("{secret}{method}{decoded_url}", b""), {
            "<secret>POSThttps://example.com/a?q=:/b%20c%26"
        });
        assert_eq!(filled("{lines:A,B,C}", br#"{"C":"x","A":1,"B":null}"#), "A\n1\nC\nx\n");
        assert_eq!(filled("{json:a.0}|{json:b}|{setting:hook}", br#"{"a":[true]}"#), "true||4JH");
    }

    #[test]
    fn a_form_is_sorted_and_repeated_pairs_count_once() {
        assert_eq!(filled("{sorted_form}", b"b=2&a=y+z&a=x&b=2&c="), "axay zb2c");
    }

    #[test]
    fn the_crc_is_that_of_zip() {
        assert_eq!(filled("{body_crc32}", b"123456789"), "3421780262");
    }

    #[test]
    fn the_signing_string_of_paypal_is_as_published() {
        let vectors = include_str!("../../../../../fixtures/webhooks/vectors.json");
        let vectors: Vec<serde_json::Value> = serde_json::from_str(vectors).expect("vectors");
        let vector = vectors.iter().find(|vector| vector["kind"] == "signing-string").expect("one");
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        let hook = Secret::new(text(&vector["setting"]));
        let settings = Settings::from([("webhook_id".to_owned(), hook)]);
        let body = text(&vector["body"]);
        let inputs = Inputs {
            method: &Method::POST,
            path: "",
            url: "",
            is_form: false,
            body: body.as_bytes(),
            timestamp: &text(&vector["headers"]["paypal-transmission-time"]),
            id: &text(&vector["headers"]["paypal-transmission-id"]),
            settings: &settings,
        };
        let template = "{id}|{timestamp}|{setting:webhook_id}|{body_crc32}";
        let content = Content::parse(template).expect("a template");
        let pieces = content.pieces(&inputs).into_iter().map(|piece| match piece {
            Piece::Bytes(bytes) => bytes.into_owned(),
            Piece::Secret => Vec::new(),
        });
        let signed = String::from_utf8(pieces.collect::<Vec<_>>().concat()).expect("text");
        assert_eq!(signed, text(&vector["expect"]["signing_string"]));
    }

    #[test]
    fn a_template_that_cannot_be_meant_is_refused() {
        for (template, expected) in [
            ("{body}{body}", "expected each placeholder once"),
            ("{id}{body}", "expected text between `{id}` and what follows it"),
            ("{body", "expected braces in pairs, found `{body`"),
            ("body}", "expected braces in pairs, found `}`"),
        ] {
            assert_eq!(Content::parse(template).expect_err(template), expected);
        }
        for template in ["{ts}.{body}", "{json:}", "{json:a..b}", "{setting:}"] {
            let unknown = Content::parse(template).expect_err("unknown");
            assert!(unknown.contains("found `{"), "{unknown}");
        }
    }

    #[test]
    fn the_text_after_the_id_is_what_an_id_must_not_hold() {
        let content = Content::parse("{id}.{timestamp}.{body}").expect("a template");
        assert_eq!(content.after_id(), Some("."));
        assert_eq!(Content::parse("{body}{id}").expect("a template").after_id(), None);
    }

    /// A publisher of any topic could choose a text that, put into other lines, is signed as well.
    #[test]
    fn values_cannot_be_moved_between_lines_that_are_signed() {
        let names = ["Message", "TopicArn", "Type"].map(str::to_owned);
        let signed = |json: &str| lines(&Doc::parse(json.to_owned().into()).expect("JSON"), &names);
        let genuine =
            signed(r#"{"Message": "a\nTopicArn\nV\nType\nN", "TopicArn": "A", "Type": "N"}"#);
        assert!(genuine.ends_with("\nTopicArn\nA\nType\nN\n"));
        let moved = r#"{"Message": "a", "TopicArn": "V", "Type": "N\nTopicArn\nA\nType\nN"}"#;
        assert_eq!(signed(moved), "", "else it is {genuine:?}");
    }
}
