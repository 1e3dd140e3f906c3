//! CloudEvents: what is one, what is none, and that nothing of one is lost on the way.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use headgate_event::cloudevents::{
    Attribute, CloudData, CloudEvent, from_headers, from_json, from_json_batch,
};
use proptest::prelude::*;

const WHOLE: &str = r#"{
    "specversion": "1.0", "id": "A234-1234", "source": "/cloudevents/spec/pull",
    "type": "com.github.pull_request.opened", "subject": "123",
    "time": "2018-04-05T17:31:00+02:00", "datacontenttype": "application/json",
    "dataschema": "https://example.com/schema", "count": 7, "urgent": true, "unset": null,
    "data": {"n": 1.50}
}"#;

fn refused(text: &str) -> String {
    from_json(text.as_bytes()).expect_err(text).to_string()
}

fn with(more: &str) -> String {
    let (begin, rest) = WHOLE.split_at(1);
    format!("{begin}{more},{rest}")
}

#[test]
fn a_structured_event_is_read_with_all_its_attributes() {
    let event = from_json(WHOLE.as_bytes()).expect("a CloudEvent");
    assert_eq!((event.id.as_str(), event.event_type.len()), ("A234-1234", 30));
    assert_eq!(event.time.expect("a time").to_string(), "2018-04-05T15:31:00.000Z");
    assert_eq!(event.extensions.get("count"), Some(&Attribute::Integer(7)));
    assert_eq!(event.extensions.get("urgent"), Some(&Attribute::Boolean(true)));
    assert!(!event.extensions.contains_key("unset"));
    let CloudData::Json(data) = &event.data else { panic!("{event:?}") };
    assert_eq!(data.get(), r#"{"n": 1.50}"#, "token for token");
}

#[test]
fn what_is_no_event_is_refused_with_its_attribute() {
    let without = |name: &str| WHOLE.replace(&format!("\"{name}\""), "\"other\"");
    insta::assert_snapshot!(
        [
            refused("[]"),
            refused("{"),
            refused(&without("id")),
            refused(&without("source")),
            refused(&without("type")),
            refused(&without("specversion")),
            refused(&WHOLE.replace("\"1.0\"", "\"0.3\"")),
            refused(&WHOLE.replace("\"A234-1234\"", "\"\"")),
            refused(&WHOLE.replace("\"A234-1234\"", "7")),
            refused(&WHOLE.replace("/cloudevents/spec/pull", "a b")),
            refused(&WHOLE.replace("2018-04-05T17:31:00+02:00", "2018-04-05")),
            refused(&WHOLE.replace("https://example.com/schema", "schema.json")),
            refused(&WHOLE.replace("application/json", "json")),
            refused(&with(r#""Bad_Name": 1"#)),
            refused(&with(r#""real": 1.5"#)),
            refused(&with(r#""wide": 2147483648"#)),
            refused(&with(r#""list": []"#)),
            refused(&with("\"bell\": \"\\u0007\"")),
            refused(&with(r#""data_base64": "AAEC""#)),
            refused(&WHOLE.replace("\"data\": {\"n\": 1.50}", "\"data_base64\": \"A!\"")),
        ]
        .join("\n")
    );
}

#[test]
fn the_media_type_says_whether_a_string_is_text() {
    let text = WHOLE.replace("application/json", "text/plain").replace("{\"n\": 1.50}", "\"hi\"");
    let event = from_json(text.as_bytes()).expect("a CloudEvent");
    assert!(matches!(&event.data, CloudData::Text(text) if text == "hi"), "{event:?}");
    let json = WHOLE.replace("{\"n\": 1.50}", "\"hi\"");
    let event = from_json(json.as_bytes()).expect("a CloudEvent");
    assert!(matches!(&event.data, CloudData::Json(json) if json.get() == "\"hi\""), "{event:?}");
}

#[test]
fn a_batch_names_the_event_that_is_none() {
    let batch = format!("[{WHOLE}, {}]", WHOLE.replace("\"id\"", "\"other\""));
    let (place, error) = from_json_batch(batch.as_bytes()).expect_err("one has no id");
    assert_eq!((place, error.to_string().as_str()), (Some(1), "attribute `id` is missing"));
    assert!(from_json_batch(b"{}").is_err());
    assert_eq!(from_json_batch(b"[]").expect("an empty batch").len(), 0);
}

/// What a client in binary mode sends.
fn binary(headers: &[(&str, &str)], body: &'static [u8]) -> Result<CloudEvent, String> {
    let usual = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/a"), ("ce-type", "t")];
    let all = usual.iter().chain(headers).map(|(name, value)| (*name, value.as_bytes()));
    from_headers(all, Bytes::from_static(body)).map_err(|error| error.to_string())
}

#[test]
fn headers_are_decoded_as_the_binding_says() {
    let note = |value: &str| {
        let event = binary(&[("ce-note", value)], b"").expect("a CloudEvent");
        event.extensions.get("note").map(ToString::to_string)
    };
    for (value, expected) in [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("\"quoted \\\"text\\\"\"", "quoted \"text\""),
        ("100%", "100%"),
        ("%zz", "%zz"),
        ("%c3%a9", "é"),
    ] {
        assert_eq!(note(value).as_deref(), Some(expected), "{value}");
    }
    assert!(binary(&[("ce-note", "%ff")], b"").is_err(), "no UTF-8");
}

#[test]
fn a_body_is_what_its_media_type_says() {
    let data = |kind: &str, body| binary(&[("content-type", kind)], body).map(|event| event.data);
    assert!(matches!(data("application/json", b" [1.0]"), Ok(CloudData::Json(_))));
    assert!(matches!(data("application/x+json; charset=utf-8", b"1"), Ok(CloudData::Json(_))));
    assert!(matches!(data("text/plain", b"hi"), Ok(CloudData::Text(_))));
    assert!(matches!(data("application/octet-stream", b"hi"), Ok(CloudData::Binary(_))));
    assert!(matches!(data("text/plain", b"\xff"), Ok(CloudData::Binary(_))));
    assert!(matches!(data("application/json", b""), Ok(CloudData::None)));
    let refused = data("application/json", b"{").expect_err("no JSON");
    assert!(refused.starts_with("the data is not the JSON that"), "{refused}");
}

fn attributes() -> impl Strategy<Value = String> {
    // Visible text, with what headers have to escape.
    "[ -~äß€😀]{1,40}".prop_filter("not blank at its ends", |text| text.trim() == text)
}

proptest! {
    #[test]
    fn an_event_is_read_in_either_mode_as_it_was_written(
        id in attributes(), subject in attributes(), note in attributes(), number in any::<i32>(),
    ) {
        let mut event = from_json(WHOLE.as_bytes()).expect("a CloudEvent");
        event.id = id;
        event.subject = Some(subject);
        event.extensions.insert("note".to_owned(), Attribute::Text(note));
        event.extensions.insert("count".to_owned(), Attribute::Integer(number));
        let structured = serde_json::to_vec(&event).expect("plain data");
        let read = from_json(&structured).expect("what we wrote");
        prop_assert_eq!((&read.id, &read.subject), (&event.id, &event.subject));
        prop_assert_eq!(&read.extensions, &event.extensions);
        let encoded = event.binary();
        for (name, value) in &encoded.headers {
            let visible = value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
            prop_assert!(visible, "{name}: {value}");
        }
        let headers = encoded.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let read = from_headers(headers, encoded.body.clone()).expect("what we wrote");
        prop_assert_eq!((&read.id, &read.subject), (&event.id, &event.subject));
        prop_assert_eq!(read.time, event.time);
        // Types of attributes are not in headers.
        let texts = |event: &CloudEvent| -> Vec<String> {
            event.extensions.iter().map(|(name, value)| format!("{name}={value}")).collect()
        };
        prop_assert_eq!(texts(&read), texts(&event));
    }

    #[test]
    fn any_bytes_are_an_event_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = from_json(&bytes);
        let _ = from_json_batch(&bytes);
        let header = [("ce-id", bytes.as_slice())];
        let _ = from_headers(header.into_iter(), Bytes::from(bytes.clone()));
    }
}
