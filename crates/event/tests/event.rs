//! An event as its readers have it: its wire shape, what is in it for each type, what it tolerates.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "event/drafts.rs"]
mod drafts;

use drafts::{BODY, received_at, stored};
use headgate_event::{DataText, Delivery, Draft, Event, EventType, Origin, StoredEvent};
use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

fn wire(event: &Event) -> String {
    serde_json::to_string(event).expect("an event is JSON")
}

fn read(json: &str) -> Event {
    serde_json::from_str(json).expect("the wire shape of an event")
}

fn delivery() -> Delivery {
    Delivery {
        id: "dlv_1".into(),
        subscription: "agent".into(),
        attempt: 2,
        lease_expires_at: received_at(),
        replay_id: None,
    }
}

#[test]
fn the_wire_shape_of_a_webhook_is_this_to_the_byte() {
    let expected = [
        r#"{"schema":"headgate.event.v1","id":"01KAJ3V3W2N9E6W0V8R3M5T7QZ","#,
        r#""type":"webhook.received","origin":"live","created_at":"2026-11-21T01:02:03.456Z","#,
        r#""channel":{"id":"webhook","label":"A label","type":"webhook"},"#,
        r#""provider":"stripe","provider_event":"invoice.paid","#,
        r#""verification":{"verdict":"verified","method":"stripe","covers":"body+time","#,
        r#""detail":null,"key":0},"dedupe_key":"evt_1","thread_key":"cus_1","#,
        r#""correlation":{"flow_id":null,"flow_type":null,"proposal_id":null,"#,
        r#""deal_id":null,"session_id":null},"#,
        r#""data":{"method":"POST","path":"/v1/webhook/billing","query":"","#,
        r#""headers":{"content-type":"application/json","stripe-signature":"[redacted]"},"#,
        r#""body_encoding":"json","body":"#,
        BODY,
        r#","body_raw_b64":"","body_size_bytes":69,"content_type":"application/json","#,
        r#""remote_ip":"203.0.113.9","content_encoding":null},"metadata":{},"#,
        r#""prompt_ready":"what happened","prompt_ready_version":1}"#,
    ];
    assert_eq!(wire(&stored(&drafts::webhook())), expected.concat());
}

#[test]
fn what_an_event_does_not_have_is_null_on_the_wire() {
    let wire = wire(&stored(&drafts::cron()));
    for null in ["provider", "provider_event", "dedupe_key", "thread_key"] {
        assert!(wire.contains(&format!("\"{null}\":null")), "{null} in {wire}");
    }
}

#[test]
fn only_a_delivered_event_speaks_of_its_delivery() {
    let event = stored(&drafts::cron());
    assert!(!wire(&event).contains("\"delivery\":"));
    let delivered = event.delivered(Origin::Replay, delivery());
    let end = concat!(
        r#""prompt_ready_version":1,"delivery":{"id":"dlv_1","subscription":"agent","attempt":2,"#,
        r#""lease_expires_at":"2026-11-21T01:02:03.456Z","replay_id":null}}"#
    );
    assert!(wire(&delivered).ends_with(end), "{}", wire(&delivered));
    assert!(wire(&delivered).contains(r#""origin":"replay""#));
    assert_eq!(delivered.delivery(), Some(&delivery()));
    assert_eq!(event.delivery(), None);
}

#[test]
fn an_event_is_read_back_from_its_wire_shape() {
    for draft in drafts::all() {
        let event = stored(&draft);
        assert_eq!(read(&wire(&event)), event);
        let delivered = event.delivered(Origin::Live, delivery());
        assert_eq!(read(&wire(&delivered)), delivered);
    }
}

fn accessors(event: &Event) -> [bool; 5] {
    [
        event.webhook().is_some(),
        event.email().is_some(),
        event.slack().is_some(),
        event.cron().is_some(),
        event.app().is_some(),
    ]
}

#[test]
fn exactly_the_accessor_of_its_type_gives_the_data() {
    for (index, draft) in drafts::all().iter().enumerate() {
        let mut expected = [false; 5];
        expected[index] = true;
        assert_eq!(accessors(&stored(draft)), expected, "{}", draft.event_type);
    }
}

#[test]
fn the_data_of_each_type_is_what_its_source_said() {
    let webhook = stored(&drafts::webhook());
    assert_eq!(webhook.webhook().expect("webhook").body.get(), BODY);
    let email = stored(&drafts::email());
    let email = email.email().expect("email");
    assert_eq!((email.from.as_str(), email.attachments.len()), ("alice@example.com", 1));
    assert!(email.auth.as_ref().is_some_and(|auth| auth.from_verified));
    let slack = stored(&drafts::slack());
    assert_eq!(slack.slack().expect("slack").raw.get(), r#"{"type":"event_callback"}"#);
    let cron = stored(&drafts::cron());
    assert_eq!(cron.cron().expect("cron").payload.get(), r#"{"report":"weekly"}"#);
    let app = stored(&drafts::app());
    assert_eq!(app.app().expect("app").payload.get(), "[1.10]");
    assert_eq!(app.correlation().flow_id.as_deref(), Some("f-1"));
    assert_eq!(app.metadata().get(), r#"{"tier":"gold"}"#);
}

#[test]
fn malformed_data_gives_no_struct_and_stays_as_it_is() {
    let malformed = serde_json::json!({"method": 1, "anything": [null]});
    let draft = Draft { data: DataText::whole(&malformed), ..drafts::webhook() };
    let event = stored(&draft);
    assert_eq!(accessors(&event), [false; 5]);
    assert_eq!(event.data().get(), r#"{"anything":[null],"method":1}"#);
    assert_eq!(read(&wire(&event)), event);
}

#[test]
fn an_app_type_on_a_channel_of_another_kind_is_no_app_event() {
    let event_type: EventType = "proposal.received".parse().expect("a type");
    let event = stored(&Draft { event_type, ..drafts::webhook() });
    assert_eq!(accessors(&event), [false; 5]);
}

#[test]
fn fields_of_a_later_version_are_tolerated() {
    let wire = wire(&stored(&drafts::webhook()));
    let later = wire
        .replacen("{\"schema\"", "{\"later\":{\"deep\":[1]},\"schema\"", 1)
        .replacen("\"method\":\"POST\"", "\"method\":\"POST\",\"later\":1", 1)
        .replacen("\"covers\"", "\"later\":true,\"covers\"", 1);
    let event = read(&later);
    assert_eq!(event.webhook().expect("webhook").method, "POST");
    assert!(event.data().get().contains("\"later\":1"), "data stays whole");
}

#[test]
fn fields_that_an_earlier_version_did_not_have_may_be_missing() {
    let event = read(concat!(
        r#"{"id":"01KAJ3V3W2N9E6W0V8R3M5T7QZ","type":"cron.fired","#,
        r#""created_at":"2026-11-21T01:02:03.456Z","#,
        r#""channel":{"id":"timers","label":"timers","type":"cron"},"#,
        r#""verification":{"verdict":"verified","method":"internal","covers":"none"},"#,
        r#""data":{"schedule_id":"s","cron_expr":"* * * * *","timezone":"UTC","#,
        r#""scheduled_at":"2026-11-21T01:02:00Z","fired_at":"2026-11-21T01:02:00Z","#,
        r#""payload":null},"prompt_ready":"","prompt_ready_version":1}"#
    ));
    assert_eq!(event.cron().expect("cron").missed_count, 0);
    assert_eq!(
        (event.origin(), event.provider(), event.metadata().get()),
        (&Origin::Live.into(), None, "{}")
    );
}

#[test]
fn events_are_equal_by_content_and_hash_by_id() {
    let event = stored(&drafts::webhook());
    assert_eq!(event, stored(&drafts::webhook()));
    assert_eq!(event, event.clone());
    let other = stored(&Draft { thread_key: Some("cus_2".into()), ..drafts::webhook() });
    assert_ne!(event, other);
    assert_ne!(event, event.delivered(Origin::Live, delivery()));
    let hash = |event: &Event| {
        let mut hasher = DefaultHasher::new();
        event.hash(&mut hasher);
        hasher.finish()
    };
    assert_eq!(hash(&event), hash(&other), "the id alone is hashed");
    assert_eq!(HashSet::from([event.clone(), other, event]).len(), 2);
}

#[test]
fn an_event_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    let event = stored(&drafts::webhook());
    shared(&event);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(event.webhook().is_some()));
        }
    });
}

#[test]
fn damaged_bytes_are_no_event() {
    let draft = drafts::webhook();
    let bytes = StoredEvent::encode(&draft);
    assert!(StoredEvent::decode(drafts::id(), &bytes[..bytes.len() - 1], &draft.raw).is_err());
    assert!(StoredEvent::decode(drafts::id(), &bytes, &draft.raw[1..]).is_err());
    assert!(StoredEvent::decode(drafts::id(), b"{}", b"").is_err());
}

#[test]
fn a_body_that_came_compressed_is_stored_once_and_once_again() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, BODY.as_bytes()).expect("written");
    let raw = bytes::Bytes::from(encoder.finish().expect("finished"));
    let codings = headgate_event::Codings::read("gzip").expect("known").expect("one");
    let coded = headgate_event::Coded { codings, bytes: BODY.len() };
    let draft = drafts::webhook();
    let data = draft.data.field("content_encoding", "gzip").coded(Some(coded));
    let draft = Draft { raw: raw.clone(), data, dedupe: None, ..draft };
    let event = stored(&draft);
    assert!(event.data().get().contains(BODY), "{}", event.data().get());
    let again = Draft::restored(&event, raw, None).expect("an event");
    assert!(!again.data.parts().0.contains("nested"), "the body is in the raw bytes alone");
    assert_eq!(stored(&again), event);
}

#[test]
fn an_event_with_a_word_of_a_later_version_is_not_stored_once_more() {
    let draft = Draft { dedupe: None, ..drafts::webhook() };
    let wire = wire(&stored(&draft));
    for (known, later, field) in [
        ("\"type\":\"webhook\"", "\"type\":\"fax\"", "channel.type"),
        ("\"verified\"", "\"attested\"", "verification.verdict"),
        ("\"body+time\"", "\"page\"", "verification.covers"),
    ] {
        let event = read(&wire.replacen(known, later, 1));
        let error = Draft::restored(&event, draft.raw.clone(), None).expect_err(field).to_string();
        assert!(error.starts_with(&format!("`{field}`: expected a word")), "{error}");
    }
}

#[test]
fn the_id_is_no_part_of_what_is_stored() {
    let bytes = StoredEvent::encode(&drafts::webhook());
    let text = String::from_utf8(bytes).expect("JSON");
    assert!(!text.contains("01KAJ3V3W2N9E6W0V8R3M5T7QZ"));
    assert!(!text.contains("nested"), "the body is in the raw bytes alone");
}
