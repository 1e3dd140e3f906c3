//! A form body, `application/x-www-form-urlencoded` or `multipart/form-data` (RFC 7578): its fields
//! as bytes, because not every provider writes UTF-8.

use super::provider::Unreadable;
use bytes::Bytes;
use futures_util::{FutureExt, stream};
use headgate_event::limits::INBOUND_FORM_FIELDS_MAX;
use headgate_http::RawRequest;
use http::header::CONTENT_TYPE;
use multer::{Multipart, parse_boundary};
use std::{borrow::Cow, convert::Infallible};

/// The fields in their order.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<Field>);

/// One field.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: Bytes,
    /// Of a file.
    pub(super) filename: Option<String>,
    /// Of a file.
    pub(super) content_type: Option<String>,
}

impl Form {
    /// Reads the body by its content type.
    pub(super) fn read(request: &RawRequest) -> Result<Self, Unreadable> {
        let kind = request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default();
        if is_type(kind, "application/x-www-form-urlencoded") {
            return urlencoded(&request.body);
        }
        let boundary = parse_boundary(kind).map_err(|_| {
            let found: String = kind.chars().take(100).collect();
            Unreadable::NoMessage(format!("expected a form as content type, found `{found}`"))
        })?;
        multipart(request.body.clone(), boundary)
    }

    /// The value of a field; of repeated ones the last.
    pub(super) fn bytes(&self, name: &str) -> Option<&Bytes> {
        self.field(name).map(|field| &field.value)
    }

    /// The same as text; what is no UTF-8 is replaced.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.bytes(name).map(|value| String::from_utf8_lossy(value))
    }

    /// The last field of a name.
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.0.iter().rev().find(|field| field.name == name)
    }

    /// All fields.
    pub(super) fn fields(&self) -> &[Field] {
        &self.0
    }

    fn push(&mut self, field: Field) -> Result<(), Unreadable> {
        if self.0.len() == INBOUND_FORM_FIELDS_MAX {
            let most = INBOUND_FORM_FIELDS_MAX;
            return Err(Unreadable::NoMessage(format!(
                "expected {most} fields at most, found more"
            )));
        }
        self.0.push(field);
        Ok(())
    }
}

/// Whether a content type is this one, whatever its parameters.
pub(super) fn is_type(kind: &str, expected: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(expected)
}

fn urlencoded(body: &[u8]) -> Result<Form, Unreadable> {
    let mut form = Form::default();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at(end);
        let name = String::from_utf8_lossy(&decoded(name)).into_owned();
        let value = decoded(value.strip_prefix(b"=").unwrap_or(value));
        form.push(Field { name, value, filename: None, content_type: None })?;
    }
    Ok(form)
}

/// What was percent-encoded, in which a space is a `+`.
fn decoded(text: &[u8]) -> Bytes {
    let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let (high, low) = (hex(after.first()), hex(after.get(1)));
        rest = after;
        match (byte, high.zip(low)) {
            (b'%', Some((high, low))) => {
                #[expect(clippy::cast_possible_truncation, reason = "two digits are a byte")]
                out.push((high * 16 + low) as u8);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(*byte),
        }
    }
    out.into()
}

fn multipart(body: Bytes, boundary: String) -> Result<Form, Unreadable> {
    let malformed =
        |error: multer::Error| Unreadable::NoMessage(format!("expected a form, found: {error}"));
    let body = stream::iter([Ok::<_, Infallible>(body)]);
    let mut multipart = Multipart::new(body, boundary);
    let mut form = Form::default();
    // All of the body is there, so nothing is waited for.
    let whole = async {
        while let Some(field) = multipart.next_field().await.map_err(malformed)? {
            let name = field.name().unwrap_or_default().to_owned();
            let filename = field.file_name().map(str::to_owned);
            let content_type = field.content_type().map(ToString::to_string);
            let value = field.bytes().await.map_err(malformed)?;
            form.push(Field { name, value, filename, content_type })?;
        }
        Ok(())
    };
    let waited =
        || Unreadable::NoMessage("expected a form, found one that does not end".to_owned());
    whole.now_or_never().ok_or_else(waited)??;
    Ok(form)
}
