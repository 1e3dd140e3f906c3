use super::*;
use serde_json::Value;
use std::{fs, path::Path};

fn verdict(said: &Value) -> Verdict {
    let reason = |terms: &Value| terms["reason"].as_str().map(str::to_owned);
    if let Some(terms) = said.get("retry") {
        let after = terms["after_ms"].as_u64().map(Duration::from_millis);
        return Verdict::Retry { after, reason: reason(terms) };
    }
    match said.get("bury") {
        Some(terms) => Verdict::Bury { reason: reason(terms).expect("a reason") },
        None => Verdict::Ack,
    }
}

fn key(name: &str, replay: Option<&str>) -> Key<String> {
    let (event, named) = name.split_once('@').map_or((name, None), |(e, r)| (e, Some(r)));
    Key { event: event.to_owned(), replay: named.or(replay).map(str::to_owned) }
}

fn seconds(value: &Value) -> Duration {
    Duration::from_secs_f64(value.as_f64().unwrap_or_default())
}

/// Plays one step; what was said last is kept for the step `heard`.
fn play(hand: &mut Hand<String, String>, last: &mut Batch, step: &Value) {
    let at = seconds(&step["at"]);
    let text = |name: &str| step[name].as_str().unwrap_or_else(|| panic!("{name} of {step}"));
    let names: Vec<&String> = step.as_object().expect("a step").keys().collect();
    match () {
        () if step.get("take").is_some() => {
            let key = key(text("take"), step["replay"].as_str());
            hand.take(key, text("delivery").to_owned(), text("take").to_owned(), at);
        }
        () if step.get("starts").is_some() => {
            let started: Vec<String> = std::iter::from_fn(|| hand.start()).collect();
            assert_eq!(Value::from(started), step["starts"], "{step}");
        }
        () if step.get("conclude").is_some() => {
            let is_late = step["is_late"] == true;
            let concluded = hand.conclude(key(text("conclude"), None), verdict(&step["as"]), at);
            assert_ne!(concluded, is_late, "{step}");
        }
        () if step.get("says").is_some() => {
            *last = hand.flush(at);
            assert_eq!(serde_json::to_value(last.body()).expect("JSON"), step["says"], "{step}");
        }
        () if step.get("says_count").is_some() => {
            assert_eq!(Value::from(hand.flush(at).verdicts.len()), step["says_count"], "{step}");
        }
        () if step.get("refused").is_some() => {
            let refused = hand.refused(text("refused"), text("code"), at);
            if let Some(is_done) = step["is_done"].as_bool() {
                let refused = refused.unwrap_or_else(|| panic!("nothing was refused: {step}"));
                assert_eq!(refused.is_done(text("code")), is_done, "{step}");
            }
        }
        () if step.get("done").is_some() => {
            for number in 0..step["done"].as_u64().expect("a number") {
                let name = format!("e{number}");
                hand.take(key(&name, None), format!("d{name}"), name.clone(), at);
                assert_eq!(hand.start(), Some(name.clone()));
                hand.conclude(key(&name, None), Verdict::Ack, at);
            }
        }
        () if step.get("let_go").is_some() => {
            assert_eq!(Value::from(hand.let_go()), step["let_go"], "{step}");
        }
        () if step.get("next_at").is_some() => {
            let wanted = step["next_at"].as_f64().map(Duration::from_secs_f64);
            assert_eq!(hand.next_at(), wanted, "{step}");
        }
        () if step.get("room").is_some() => assert_eq!(Value::from(hand.room()), step["room"]),
        () if step.get("has_said_all").is_some() => {
            assert_eq!(Value::from(hand.has_said_all()), step["has_said_all"], "{step}");
        }
        () if step.get("give_back").is_some() => hand.give_back(text("give_back")),
        () if step.get("lost").is_some() => hand.lost(at),
        () if step.get("heard").is_some() => hand.heard(last),
        () if step.get("streamed").is_some() => hand.streamed(),
        () => panic!("no such step: {names:?}"),
    }
}

#[test]
fn what_is_in_hand_is_as_the_cases_of_both_clients_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/clients/hand");
    let mut played = 0;
    for entry in fs::read_dir(&folder).expect("the cases") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a case");
        let case: Value = serde_json::from_str(&text).expect("JSON");
        let concurrency = case["concurrency"].as_u64().expect("a number") as usize;
        let lease = Duration::from_millis(case["lease_ms"].as_u64().expect("a number"));
        let (mut hand, mut last) = (Hand::new(concurrency, lease), Batch::default());
        for step in case["steps"].as_array().expect("steps") {
            println!("{}: {step}", path.display());
            play(&mut hand, &mut last, step);
        }
        played += 1;
    }
    assert!(played >= 24, "{played} cases in {}", folder.display());
}

#[test]
fn what_was_done_is_forgotten_in_time_and_in_number() {
    let mut done = Done::new(Duration::from_secs(10), 2);
    let [a, b, c] = ["a", "b", "c"].map(|name| key(name, None));
    for key in [&a, &b] {
        done.note(key.clone(), Duration::ZERO);
    }
    assert!(done.has(&a, Duration::from_secs(9)) && !done.has(&a, Duration::from_secs(10)));
    done.note(c.clone(), Duration::from_secs(1));
    assert!(!done.has(&a, Duration::ZERO) && done.has(&b, Duration::ZERO));
    assert!(done.has(&c, Duration::ZERO));
}
