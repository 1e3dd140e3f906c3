//! Walks `fixtures/slack/mapping.json`: every type of event, and where its fields are.

use crate::gate::{Gate, Post};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn rows() -> Vec<Value> {
    let text = include_str!("../../../../fixtures/slack/mapping.json");
    let rows: Vec<Value> = serde_json::from_str(text).expect("rows");
    assert!(rows.len() > 100, "about a hundred types");
    rows
}

/// The event in its envelope.
fn outer(event: &Value, number: usize) -> String {
    let envelope = json!({
        "token": "XXYYZZ", "type": "event_callback", "team_id": "T1", "api_app_id": "A1",
        "event_id": format!("Ev{number}"), "event_time": 1711,
        "authorizations": [{"team_id": "T1", "user_id": "UB", "is_bot": true}],
        "event": event,
    });
    envelope.to_string()
}

#[tokio::test]
async fn every_type_has_its_fields_where_the_table_says() {
    let gate = Gate::new();
    let mut wrong = Vec::new();
    for (number, row) in rows().iter().enumerate() {
        let event = gate.event(&Post::json(outer(&row["event"], number))).await;
        let data: Value = serde_json::from_str(event.data().get()).expect("JSON");
        for (field, expected) in row["expect"].as_object().expect("fields") {
            if data[field] != *expected {
                wrong.push(format!("{}: {field} is {}", row, data[field]));
            }
        }
        assert_eq!(data["event_type"], row["event"]["type"]);
        assert_eq!(data["subtype"], row["event"]["subtype"]);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_known_type_is_told_in_a_sentence_of_its_own() {
    let gate = Gate::new();
    let mut said = BTreeSet::new();
    for (number, row) in rows().iter().enumerate() {
        let event = gate.event(&Post::json(outer(&row["event"], number))).await;
        let headline = event.prompt_ready().lines().next().unwrap_or_default().to_owned();
        let invented = row["event"]["type"] == "not_yet_invented";
        assert_eq!(headline.contains(" happened at "), invented, "{headline}");
        assert!(!headline.contains(['{', '[']), "{headline}");
        said.insert(headline);
    }
    assert!(said.len() > 80, "{said:#?}");
}

#[tokio::test]
async fn every_field_is_there_where_an_event_has_nothing() {
    let gate = Gate::new();
    let event = gate.event(&Post::json("{}")).await;
    let data: Value = serde_json::from_str(event.data().get()).expect("JSON");
    for field in [
        "team_id",
        "team_name",
        "channel_id",
        "user_id",
        "text",
        "thread_ts",
        "api_app_id",
        "event_id",
        "subtype",
        "channel_type",
        "bot_id",
        "message_ts",
        "message_key",
        "installation_team_id",
        "retry_num",
        "retry_reason",
        "text_rendered",
    ] {
        assert_eq!(data.get(field), Some(&Value::Null), "{field}");
    }
    assert_eq!(
        (&data["event_ts"], &data["transport"]),
        (&json!("1776590125.000000"), &json!("http"))
    );
    assert_eq!((&data["raw"], &data["is_mention"]), (&json!({}), &json!(false)));
}
