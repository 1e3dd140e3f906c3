//! The published JSON Schema is the one the code has, and real events keep to it.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "event/drafts.rs"]
mod drafts;

use serde_json::Value;
use std::{fs, path::Path};

/// Set to rewrite what is compared.
const UPDATE: &str = "UPDATE_FIXTURES";

fn published() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/event.schema.json")
}

fn generated() -> String {
    let schema = headgate_event::Event::json_schema();
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}

#[expect(clippy::disallowed_methods, reason = "a test is told by it to rewrite its fixture")]
fn updates() -> bool {
    std::env::var_os(UPDATE).is_some()
}

#[test]
fn the_published_schema_is_the_generated_one() {
    let (path, generated) = (published(), generated());
    if updates() {
        fs::write(&path, &generated).expect("docs can be written");
    }
    let published = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(published, generated, "run it with {UPDATE}=1 and read the difference");
}

#[test]
fn real_events_keep_to_the_schema() {
    let schema = serde_json::to_value(headgate_event::Event::json_schema()).expect("JSON");
    for draft in drafts::all() {
        let event = drafts::stored(&draft);
        let event = serde_json::to_value(&event).expect("JSON");
        check(&schema, &schema, &event).unwrap_or_else(|fault| panic!("{fault} in {event:#}"));
        // Every struct of `data` is whole: the one that fits is the one of its type.
        let shape = match draft.event_type.as_str() {
            "webhook.received" => "WebhookData",
            "email.received" => "EmailData",
            "slack.event" => "SlackData",
            "cron.fired" => "CronData",
            _ => "AppData",
        };
        check(&schema, &schema["$defs"][shape], &event["data"]).expect(shape);
    }
}

#[test]
fn what_is_no_event_does_not_keep_to_the_schema() {
    let schema = serde_json::to_value(headgate_event::Event::json_schema()).expect("JSON");
    let event = serde_json::to_value(drafts::stored(&drafts::webhook())).expect("JSON");
    for key in event.as_object().expect("an object").keys() {
        let mut without = event.clone();
        without.as_object_mut().expect("an object").remove(key);
        assert!(check(&schema, &schema, &without).is_err(), "`{key}` is always there");
    }
    let mut wrong = event;
    wrong["verification"]["covers"] = "everything".into();
    assert!(check(&schema, &schema, &wrong).is_err());
}

#[test]
fn every_field_is_described() {
    let schema = serde_json::to_value(headgate_event::Event::json_schema()).expect("JSON");
    let shapes = schema["$defs"].as_object().expect("definitions").iter();
    for (name, shape) in shapes.chain([(&"Event".to_owned(), &schema)]) {
        for (field, value) in shape["properties"].as_object().into_iter().flatten() {
            assert!(value["description"].is_string(), "{name}.{field} has no description");
        }
    }
}

/// The part of JSON Schema that ours uses.
fn check(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(name) = schema["$ref"].as_str().and_then(|to| to.strip_prefix("#/$defs/")) {
        check(root, &root["$defs"][name], value)?;
    }
    for choice in ["anyOf", "oneOf"] {
        let fits = |one: &Value| check(root, one, value).is_ok();
        if schema[choice].as_array().is_some_and(|all| !all.iter().any(fits)) {
            return Err(format!("{value} is none of {}", schema[choice]));
        }
    }
    let is = |name: &Value| match name.as_str().expect("a type is a string") {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("unknown type {other}"),
    };
    let typed = match &schema["type"] {
        Value::Array(names) => names.iter().any(is),
        Value::Null => true,
        name => is(name),
    };
    if !typed || schema.get("const").is_some_and(|only| only != value) {
        return Err(format!("{value} is not {schema}"));
    }
    for key in schema["required"].as_array().into_iter().flatten() {
        let key = key.as_str().expect("a key");
        value.get(key).ok_or_else(|| format!("`{key}` is missing"))?;
    }
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(key) {
            check(root, inner, value).map_err(|fault| format!("{key}: {fault}"))?;
        }
    }
    let items = value.as_array().into_iter().flatten().filter(|_| schema["items"].is_object());
    items.into_iter().try_for_each(|item| check(root, &schema["items"], item))
}
