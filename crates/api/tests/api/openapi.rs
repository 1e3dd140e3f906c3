//! The OpenAPI document: published as it is, whole, and true to the router.

use crate::world::{World, request};
use headgate_api::{Access, ApiKey, Scope, StreamRules, openapi_document};
use headgate_event::Secret;
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path};

/// Set to rewrite what is compared.
const UPDATE: &str = "UPDATE_FIXTURES";

#[expect(clippy::disallowed_methods, reason = "a test is told by it to rewrite its fixture")]
fn updates() -> bool {
    std::env::var_os(UPDATE).is_some()
}

fn document() -> Value {
    openapi_document(env!("CARGO_PKG_VERSION"))
}

/// Every call: method, path, and what is said of it.
fn calls(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let calls = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods");
        methods.iter().map(|(method, said)| (method.to_uppercase(), path.clone(), said.clone()))
    });
    calls.collect()
}

#[test]
fn the_published_document_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let generated = format!("{}\n", serde_json::to_string_pretty(&document()).expect("JSON"));
    if updates() {
        fs::write(&path, &generated).expect("docs can be written");
    }
    let published = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(published, generated, "run it with {UPDATE}=1 and read the difference");
}

#[tokio::test]
async fn the_document_is_served() {
    let world = World::new();
    let answer = world.get("/openapi.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.json(), openapi_document("1.2.3"));
}

#[test]
fn every_reference_has_its_definition_and_every_definition_is_referred_to() {
    let document = document();
    let text = document.to_string();
    let mut named = BTreeSet::new();
    for part in text.split("\"#/components/schemas/").skip(1) {
        named.insert(part.split('"').next().expect("a name").to_owned());
    }
    let defined = document["components"]["schemas"].as_object().expect("schemas");
    assert_eq!(named, defined.keys().cloned().collect());
    assert!(!text.contains("#/$defs/"), "a reference to a place that the document has not");
}

#[test]
fn every_call_has_an_id_of_its_own_words_and_its_parameters() {
    let mut ids = BTreeSet::new();
    for (method, path, said) in calls(&document()) {
        let call = format!("{method} {path}");
        assert!(ids.insert(said["operationId"].to_string()), "{call}: its id is another call's");
        assert!(said["summary"].as_str().is_some_and(|text| text.len() > 8), "{call}");
        let parameters = said["parameters"].as_array().expect("parameters");
        let in_path: BTreeSet<_> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().expect("a name").to_owned())
            .collect();
        let braces: BTreeSet<_> = path
            .split('/')
            .filter_map(|part| Some(part.strip_prefix('{')?.strip_suffix('}')?.to_owned()))
            .collect();
        assert_eq!(in_path, braces, "{call}");
    }
}

#[test]
fn every_field_is_described() {
    let document = document();
    let shapes = document["components"]["schemas"].as_object().expect("schemas");
    for (name, shape) in shapes {
        for (field, value) in shape["properties"].as_object().into_iter().flatten() {
            assert!(value["description"].is_string(), "{name}.{field} has no description");
        }
    }
}

#[tokio::test]
async fn a_call_needs_the_scope_that_the_document_says() {
    let key = |scope| ApiKey::new("a", Secret::new("k"), BTreeSet::from([scope]));
    for (method, path, said) in calls(&document()) {
        if path.starts_with("/v1/webhook/") {
            continue; // another source answers there
        }
        let said = said["description"].as_str().expect("text").to_owned();
        for scope in [Scope::Read, Scope::Consume, Scope::Emit] {
            let world = World::with(Access::Keys(vec![key(scope)]), StreamRules::default());
            let path =
                path.replace("{name}", "agent").replace("{id}", "01KAJ3V3W2N9E6W0V8R3M5T7QZ");
            let query =
                if said.contains("`consume`") && path == "/v1/stream" && scope == Scope::Consume {
                    "?subscription=agent"
                } else {
                    ""
                };
            let mut request = request(&method, &format!("{path}{query}"), "{}");
            request.headers_mut().insert("authorization", "Bearer k".parse().expect("a value"));
            let status = world.send(request).await.status;
            let opens = said.contains("Needs no key") || said.contains(&format!("`{scope}`"));
            assert_eq!(status != 403, opens, "{method} {path} with {scope}: {status}, {said}");
        }
    }
}
