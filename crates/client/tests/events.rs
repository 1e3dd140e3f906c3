//! Events as gateways of all ages give them: the cases that both clients are held to.

use headgate_client::Event;
use serde_json::{Value, json};
use std::{fs, path::Path};

#[test]
fn exactly_the_accessor_that_fits_reads_the_event() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/clients/events");
    let mut read = 0;
    for entry in fs::read_dir(&folder).expect("the cases") {
        let path = entry.expect("an entry").path();
        let case: Value =
            serde_json::from_str(&fs::read_to_string(&path).expect("a case")).expect("JSON");
        let event: Event = serde_json::from_value(case["event"].clone())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let found = accessors(&event);
        let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
        let expected: Vec<&str> = case["accessor"].as_str().into_iter().collect();
        assert_eq!(names, expected, "{}", path.display());
        for (name, value) in case["reads"].as_object().into_iter().flatten() {
            assert_eq!(found[0].1.get(name), Some(value), "{name} of {}", path.display());
        }
        let data: Value = serde_json::from_str(event.data().get()).expect("JSON");
        assert_eq!(data, case["event"]["data"], "{}", path.display());
        let again = serde_json::to_value(&event).expect("JSON");
        let changed = changed(&again, &case["event"], "event");
        assert_eq!(changed, Vec::<String>::new(), "{}", path.display());
        read += 1;
    }
    assert!(read >= 15, "{read} cases in {}", folder.display());
}

/// Where what is written again is not what came; what was not there when it came may be added.
fn changed(again: &Value, came: &Value, place: &str) -> Vec<String> {
    match (again, came) {
        (Value::Object(again), Value::Object(came)) => again
            .iter()
            .filter_map(|(name, value)| Some((name, value, came.get(name)?)))
            .flat_map(|(name, value, came)| changed(value, came, &format!("{place}.{name}")))
            .collect(),
        _ if again == came => Vec::new(),
        _ => vec![format!("{place}: {came} came, {again} is read")],
    }
}

/// The accessors that answer, each with its data as JSON.
fn accessors(event: &Event) -> Vec<(&'static str, Value)> {
    let all = [
        ("webhook", event.webhook().map(|data| json!(data))),
        ("email", event.email().map(|data| json!(data))),
        ("slack", event.slack().map(|data| json!(data))),
        ("cron", event.cron().map(|data| json!(data))),
        ("app", event.app().map(|data| json!(data))),
    ];
    all.into_iter().filter_map(|(name, data)| Some((name, data?))).collect()
}
