//! What is said of one call: its parameters, body, answers and errors.

use super::schemas::{Make, Schemas};
use crate::Scope;
use headgate_event::limits::API_BODY_BYTES_MAX;
use schemars::JsonSchema;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What is said of one call.
pub(crate) struct Operation {
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    about: String,
    parameters: Vec<Parameter>,
    /// The bodies it takes, by media type.
    bodies: Vec<(&'static str, Make, Value)>,
    body_required: bool,
    answers: Vec<Answer>,
    errors: BTreeMap<u16, Vec<&'static str>>,
}

/// What is said of one parameter.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    /// `path`, `query` or `header`.
    pub(crate) place: &'static str,
    pub(crate) about: String,
    pub(crate) schema: Value,
    pub(crate) example: Option<Value>,
    pub(crate) required: bool,
}

/// What is said of one answer that is no error.
struct Answer {
    status: u16,
    about: &'static str,
    content: Content,
}

/// What is in an answer.
pub(crate) enum Content {
    Nothing,
    Json(Make, Value),
    /// JSON with a media type of its own.
    JsonAs(&'static str, Make, Value),
    /// Not JSON: the media type, and an example when it is text.
    Other(&'static str, Option<&'static str>),
}

/// What is said of a call elsewhere.
pub(crate) struct Context<'a> {
    pub(crate) scopes: &'a [Scope],
    /// A reference to the shape of errors.
    pub(crate) error: &'a Value,
}

impl Operation {
    /// A call; its id is what generated clients name their function.
    pub(crate) fn new(id: &'static str, tag: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            tag,
            summary,
            about: String::new(),
            parameters: Vec::new(),
            bodies: Vec::new(),
            body_required: false,
            answers: Vec::new(),
            errors: BTreeMap::new(),
        }
    }

    /// What else there is to know.
    pub(crate) fn about(mut self, about: impl Into<String>) -> Self {
        self.about = about.into();
        self
    }

    pub(crate) fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// The JSON body it takes, with an example; it may be left out unless `required` is said.
    pub(crate) fn body<T: JsonSchema>(self, example: Value) -> Self {
        self.body_as::<T>("application/json", example)
            .error(400, &["incomplete_body"])
            .error(413, &["body_too_large"])
            .error(422, &["invalid_json", "invalid_body"])
    }

    /// The body it takes with a media type, which is JSON too.
    pub(crate) fn body_as<T: JsonSchema>(
        mut self,
        media_type: &'static str,
        example: Value,
    ) -> Self {
        self.bodies.push((media_type, Schemas::answer::<T>, example));
        self
    }

    /// Its body may not be left out.
    pub(crate) fn body_required(mut self) -> Self {
        self.body_required = true;
        self
    }

    /// A JSON answer, with an example.
    pub(crate) fn json<T: JsonSchema>(
        self,
        status: u16,
        about: &'static str,
        example: Value,
    ) -> Self {
        self.answer(status, about, Content::Json(Schemas::answer::<T>, example))
    }

    pub(crate) fn answer(mut self, status: u16, about: &'static str, content: Content) -> Self {
        self.answers.push(Answer { status, about, content });
        self
    }

    /// The codes of an error.
    pub(crate) fn error(mut self, status: u16, codes: &[&'static str]) -> Self {
        let known = self.errors.entry(status).or_default();
        known.extend(codes);
        self
    }

    /// What can go wrong with every call that works with the queue.
    pub(crate) fn uses_queue(self) -> Self {
        self.error(500, &["damaged"]).error(503, &["unavailable"])
    }

    /// The operation object of the document.
    pub(crate) fn write(mut self, context: &Context<'_>, schemas: &mut Schemas) -> Value {
        if !context.scopes.is_empty() {
            self = self
                .error(401, &["missing_key", "wrong_key", "repeated_header"])
                .error(403, &["missing_scope", "outside_bounds"])
                .error(403, &["not_local", "forwarded", "from_web_page"])
                .error(429, &["rate_limited"]);
            // A path whose escapes are no text is refused before its call is asked.
            if self.parameters.iter().any(|parameter| parameter.place == "path") {
                self = self.error(400, &["bad_request"]);
            }
        }
        // A call that panics is answered too, by the server.
        self = self.error(500, &["internal"]);
        let parameters: Vec<Value> = self.parameters.iter().map(Parameter::write).collect();
        let mut written = json!({
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "description": self.described(context.scopes),
            "parameters": parameters,
            "security": security(context.scopes),
            "responses": self.responses(context.error, schemas),
        });
        if !self.bodies.is_empty() {
            let about = format!("At most {API_BODY_BYTES_MAX} bytes.");
            let one = |(media_type, make, example): (&'static str, Make, Value)| {
                let said = json!({"schema": schemas.of_body(make), "example": example});
                (media_type.to_owned(), said)
            };
            let content: Map<String, Value> = self.bodies.into_iter().map(one).collect();
            written["requestBody"] = json!({
                "description": about, "required": self.body_required, "content": content
            });
        }
        written
    }

    fn described(&self, scopes: &[Scope]) -> String {
        let scopes: Vec<String> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
        let needs = match scopes.as_slice() {
            [] => "Needs no key.".to_owned(),
            scopes => format!("Needs the scope {}.", scopes.join(" or ")),
        };
        [self.about.as_str(), &needs].join("\n\n").trim_start().to_owned()
    }

    fn responses(&self, error: &Value, schemas: &mut Schemas) -> Map<String, Value> {
        let mut responses = Map::new();
        for answer in &self.answers {
            let (status, mut written) = (answer.status.to_string(), answer.write(schemas));
            // The same answer may come in several media types.
            if let Some(Value::Object(before)) =
                responses.get_mut(&status).map(|it| &mut it["content"])
                && let Some(Value::Object(more)) = written.get_mut("content").map(Value::take)
            {
                before.extend(more);
                continue;
            }
            responses.insert(status, written);
        }
        for (status, codes) in &self.errors {
            let example = json!({"error": {
                "code": codes.first(),
                "message": "what was expected, what was found, and where",
                "request_id": "01KAJ3V3W2N9E6W0V8R3M5T7QZ",
            }});
            let named: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
            let written = json!({
                "description": named.join(", "),
                "content": {"application/json": {"schema": error, "example": example}},
            });
            responses.entry(status.to_string()).or_insert(written);
        }
        responses
    }
}

impl Answer {
    fn write(&self, schemas: &mut Schemas) -> Value {
        let mut written = json!({"description": self.about});
        match &self.content {
            Content::Nothing => {}
            Content::Json(make, example) | Content::JsonAs(_, make, example) => {
                let media_type = match &self.content {
                    Content::JsonAs(media_type, ..) => *media_type,
                    _ => "application/json",
                };
                written["content"] = json!({media_type: {
                    "schema": schemas.of_answer(*make),
                    "example": example,
                }});
            }
            Content::Other(media_type, example) => {
                let example = example.map(|example| json!({"example": example}));
                written["content"] = json!({ *media_type: example.unwrap_or_else(|| json!({})) });
            }
        }
        written
    }
}

impl Parameter {
    /// A parameter of the path.
    pub(crate) fn path(name: &'static str, about: &str, example: &str) -> Self {
        let schema = json!({"type": "string"});
        Self { required: true, ..Self::query(name, about, schema).place("path") }
            .example(example.into())
    }

    /// A header that may be left out.
    pub(crate) fn header(name: &'static str, about: &str, schema: Value) -> Self {
        Self::query(name, about, schema).place("header")
    }

    /// A parameter of the query that may be left out.
    pub(crate) fn query(name: &'static str, about: &str, schema: Value) -> Self {
        let about = about.to_owned();
        Self { name, place: "query", about, schema, example: None, required: false }
    }

    /// A parameter of the query that may repeat, which means any of its values.
    pub(crate) fn repeated(name: &'static str, about: &str) -> Self {
        let schema = json!({"type": "array", "items": {"type": "string"}});
        Self::query(name, &format!("{about}. May repeat, which means any of them."), schema)
    }

    pub(crate) fn example(mut self, example: Value) -> Self {
        self.example = Some(example);
        self
    }

    pub(crate) fn required(mut self) -> Self {
        self.required = true;
        self
    }

    fn place(mut self, place: &'static str) -> Self {
        self.place = place;
        self
    }

    fn write(&self) -> Value {
        let mut written = json!({
            "name": self.name,
            "in": self.place,
            "description": self.about,
            "required": self.required,
            "schema": self.schema,
        });
        if let Some(example) = &self.example {
            written["example"] = example.clone();
        }
        written
    }
}

fn security(scopes: &[Scope]) -> Value {
    if scopes.is_empty() { json!([]) } else { json!([{ "key": [] }]) }
}
