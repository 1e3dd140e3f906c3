//! The OpenAPI document: what the calls of the API take and give, for programs.
//!
//! It is made from the table in `router.rs` and from the types that are read and written; what
//! only people can say is in `says/`. `docs/openapi.json` is the same document as a file.

mod operation;
pub(crate) mod says;
mod schemas;

pub(crate) use operation::Operation;

use crate::{
    api::Shared,
    calls::{Call, Verb},
    error::ApiError,
    parameters::Parameters,
    router,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::Uri;
use operation::Context;
use schemas::Schemas;
use serde_json::{Map, Value, json};

const ABOUT: &str = "\
Headgate takes in webhooks, proves that they are genuine, stores them before it says yes, and \
hands them to your consumers until they say done.\n\n\
Every answer has the header `x-request-id`. Errors are JSON: a stable `code` to branch on, and one \
sentence for people. Fields are only ever added: tolerate those you do not know.";

const KEY: &str = "\
A key of the configuration (`[[api_key]]`). Its scopes say what it opens: `read`, `consume`, \
`emit` or `admin`, which opens everything. While no key is configured, direct calls from the same \
machine need none.";

/// `GET /openapi.json`.
pub(crate) async fn show(State(api): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    Ok(Json(document(api.version)).into_response())
}

/// The OpenAPI document of this version of the program.
#[must_use]
pub fn document(version: &str) -> Value {
    let mut schemas = Schemas::new();
    let error = schemas.of_answer(Schemas::answer::<says::Error>);
    let mut paths = Map::new();
    for Call { method, path, needs, operation, .. } in router::calls() {
        let context = Context { scopes: &needs.scopes(), error: &error };
        let written = operation.write(&context, &mut schemas);
        add(&mut paths, (method, path), written);
    }
    let webhook = says::webhook::receive();
    let context = Context { scopes: &[], error: &error };
    let written = webhook.write(&context, &mut schemas);
    add(&mut paths, (Verb::Post, says::webhook::PATH), written);
    json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Headgate",
            "version": version,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The gateway that gave this document"}],
        "tags": says::tags(),
        "paths": paths,
        "components": {
            "schemas": schemas.into_definitions(),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": KEY},
            },
        },
    })
}

fn add(paths: &mut Map<String, Value>, (method, path): (Verb, &str), written: Value) {
    let path = paths.entry(path).or_insert_with(|| json!({}));
    if let Value::Object(methods) = path {
        methods.insert(method.as_str().to_owned(), written);
    }
}
