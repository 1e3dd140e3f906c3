//! What filters say of an event, beside a model that looks everything up in a tree of values.

use super::{
    Filter,
    syntax::{Comparison, Expression, Field, Literal, Number, Path, Step, Test},
};
use headgate_event::{
    Channel, ChannelType, Correlation, DataText, Draft, Event, EventId, EventType, Fill,
    StoredEvent, Timestamp, Verdict, Verification, prompt::Prompt,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

fn event(body: &str) -> Event {
    let draft = Draft {
        identity: None,
        event_type: EventType::WEBHOOK_RECEIVED,
        created_at: Timestamp::from_unix_ms(1_795_219_200_000),
        channel: Arc::new(Channel::new("hub", "Hub", ChannelType::Webhook).expect("valid")),
        provider: Some("github".into()),
        provider_event: Some("pull_request.opened".into()),
        verification: Verification { verdict: Verdict::Verified.into(), ..Verification::none() },
        dedupe: None,
        thread_key: None,
        correlation: Correlation { flow_id: Some("f1".into()), ..Correlation::default() },
        data: DataText::whole(&json!({"method": "POST", "headers": {"x-a": "1"}}))
            .hole("body", Fill::Json),
        metadata: BTreeMap::new(),
        prompt: Prompt { text: String::new(), version: 1 },
        raw: bytes::Bytes::from(body.to_owned()),
    };
    let id = EventId::from_parts(draft.created_at, 7);
    StoredEvent::decode(id, &StoredEvent::encode(&draft), &draft.raw).expect("an event")
}

fn fits(filter: &str, body: &str) -> bool {
    filter.parse::<Filter>().unwrap_or_else(|error| panic!("{filter}: {error}")).fits(&event(body))
}

#[test]
fn a_filter_looks_at_fields_and_into_the_data() {
    let body = r#"{"action": "opened", "n": 12, "big": 12345678901234567890, "f": 1.5, "yes": true,
        "no": null, "list": [1, {"id": "x"}], "a b": {"c.d": 1}, "esc": "q\u0022q", "e": {}}"#;
    for filter in [
        r#"provider == "github" && data.body.action in ["opened", "reopened"]"#,
        r#"type == 'webhook.received' && channel startsWith "hu" && verification == "verified""#,
        r#"provider_event startsWith "pull_request." && flow_id == "f1" && !exists(thread_key)"#,
        r#"data.body.n > 11 && data.body.n >= 12 && data.body.n < 12.5 && data.body.n <= 12"#,
        r#"data.body.n == 12.0 && data.body.f == 1.5 && data.body.f > 1"#,
        r#"data.body.big > 1 && data.body.yes == true && data.body.yes != false"#,
        r#"data.body.no == null && data.body.none == null && !exists(data.body.no)"#,
        r#"exists(data.body.list) && exists(data.body.e) && data.body.list[1].id == "x""#,
        r#"data.body["a b"]["c.d"] == 1 && data.headers.x-a == "1" && data.method == "POST""#,
        r#"data.body.esc == "q\"q" && data.body.action > "a" && data.body.action < "p""#,
        r#"(data.body.n == 1 || data.body.n == 12) && !(data.body.n == 13)"#,
        r#"data.body.n != "12" && data.body.action != null && data.body.none != 1"#,
        r#"!data.body.n == 13 || false_is_no_word_here == 1"#,
    ] {
        if filter.contains("false_is") {
            assert!(filter.parse::<Filter>().is_err());
        } else {
            assert!(fits(filter, body), "{filter}");
            assert!(!fits(&format!("!({filter})"), body), "!({filter})");
        }
    }
    for filter in [
        r#"data.body.n > "1""#,
        r#"data.body.action > 1"#,
        r#"data.body.none < 1"#,
        r#"data.body.n startsWith "1""#,
        r#"data.body.list == 1"#,
        r#"exists(data.body.action.deeper)"#,
        r#"exists(data.body.list[7])"#,
        r#"data.body.list["id"] == "x""#,
    ] {
        assert!(!fits(filter, body), "{filter}");
    }
    assert!(!fits("data.body.x == 1", "[1, 2]"), "other bodies have no such value");
    assert!(fits("data.body[1] == 2", "[1, 2]"));
    assert!(fits("data.body.a == 2 && !exists(data.body.a.b)", r#"{"a": {"b": 1}, "a": 2}"#));
}

#[test]
fn one_item_that_passes_is_enough() {
    let body = r#"{"items": [{"id": "a", "n": 1, "tags": ["x", "y"]}, {"id": "b", "tags": []},
        {"id": "c", "n": 30, "tags": ["z"], "deep": [[1, 2], [3]]}, 7], "none": [], "one": {"id": 1}}"#;
    for filter in [
        r#"data.body.items[*].id == "b" && data.body.items[*].id == "a""#,
        r#"data.body.items[*].id in ["q", "c"] && data.body.items[*].n > 29"#,
        r#"data.body.items[*].tags[*] == "z" && data.body.items[*].tags[0] == "x""#,
        r#"data.body.items[*].tags[*] startsWith "y" && exists(data.body.items[*].n)"#,
        r#"data.body.items[*].deep[*][*] == 3 && data.body.items[2].deep[*][0] == 3"#,
        r#"data.body.items[*] == 7 && data.body.items[3] == 7 && data.body.items[0].id == "a""#,
        r#"data.body.items[*].id != "d" && !(data.body.items[*].id != "a")"#,
        r#"data.body.items[*].n == null && data.body.items[*].id != 1"#,
    ] {
        assert!(fits(filter, body), "{filter}");
        assert!(!fits(&format!("!({filter})"), body), "!({filter})");
    }
    for filter in [
        r#"data.body.items[*].id == "d""#,
        r#"data.body.items[*].tags == "x""#,
        r#"data.body.items[*].tags[*] == "q" || data.body.items[*].tags[7] == "x""#,
        // Nothing has no items, nor has what is no array.
        r#"exists(data.body.none[*]) || data.body.none[*] == null || data.body.gone[*] == null"#,
        r#"exists(data.body.one[*]) || data.body.one[*].id == 1 || data.body[*].id == 1"#,
    ] {
        assert!(!fits(filter, body), "{filter}");
    }
    // Of a key that comes twice the last counts, in an item and around all of them.
    let twice = r#"{"a": [{"b": [1]}, {"b": [2], "b": [3]}], "c": [{"d": 1}], "c": [{"d": 2}]}"#;
    assert!(fits("data.body.a[*].b[*] == 1 && data.body.a[*].b[*] == 3", twice));
    assert!(!fits("data.body.a[*].b[*] == 2 || data.body.c[*].d == 1", twice));
    assert!(fits("data.body[*][*].a == 1", r#"[[{"a": 0}], [], [{"a": 1}, {"a": 2}]]"#));
}

#[test]
fn what_is_no_filter_says_where_and_what_was_expected() {
    let many = vec!["type == \"a\""; 101].join(" && ");
    let deep = format!("{}type == 1", "!".repeat(40));
    let long = format!("type == \"{}\"", "x".repeat(5_000));
    let steps = format!("data{} == 1", ".a".repeat(17));
    let values = format!("type in [{}]", vec!["1"; 101].join(","));
    let mut shown = String::new();
    for text in [
        "",
        " ",
        "provider",
        "provider = \"x\"",
        "provider == github",
        "povider == \"x\"",
        "provider == \"x",
        "provider == \"\\q\"",
        "provider == 01",
        "provider == 1e999",
        "provider == \"x\" and type == \"y\"",
        "(provider == \"x\"",
        "provider == \"x\")",
        "data == 1",
        "data.",
        "data.body.",
        "data.body[",
        "data.body[-1] == 1",
        "data.body[x] == 1",
        "data.body[*",
        "data.body.*",
        "data.body[*].n * 2 == 1",
        "data.body[1 == 1",
        "type in \"x\"",
        "type in []",
        "type in [\"x\"",
        "type startsWith 1",
        "type < true",
        "exists type",
        "exists(type",
        "exists(1)",
        "data.body.x # 1",
        "&&",
        "provider == \"ü\" & 1",
        "type == \"a\" ||",
        "\u{0}",
        &many,
        &deep,
        &long,
        &steps,
        &values,
    ] {
        let error = text.parse::<Filter>().expect_err(text);
        let begin: String = text.chars().take(50).collect();
        shown += &format!("{begin:?}\n    {error}\n");
    }
    insta::assert_snapshot!(shown);
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..4).prop_map(Value::from),
        prop_oneof![Just(0.5_f64), Just(2.0), Just(-1.25)].prop_map(Value::from),
        "[ab\"\\\\ü]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let key = prop_oneof![Just("a"), Just("b"), Just("c d")].prop_map(str::to_owned);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(key, inner, 0..4)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Bool),
        (-3_i128..4).prop_map(|number| Literal::Number(Number::Whole(number))),
        prop_oneof![Just(0.5_f64), Just(-1.25), Just(1e300)]
            .prop_map(|number| Literal::Number(Number::Float(number))),
        "[ab\"\\\\ü]{0,3}".prop_map(Literal::Text),
    ]
}

fn path() -> impl Strategy<Value = Path> {
    let step = prop_oneof![
        prop_oneof![Just("a"), Just("b"), Just("c d")].prop_map(|key| Step::Key(key.to_owned())),
        (0_usize..3).prop_map(Step::Item),
        Just(Step::Each),
    ];
    prop_oneof![
        1 => proptest::sample::select(Field::ALL.to_vec()).prop_map(Path::Field),
        4 => proptest::collection::vec(step, 0..4).prop_map(|mut steps| {
            steps.insert(0, Step::Key("body".into()));
            Path::Data(steps)
        }),
    ]
}

fn test() -> impl Strategy<Value = Test> {
    let way = prop_oneof![
        Just(Comparison::Less),
        Just(Comparison::LessOrEqual),
        Just(Comparison::More),
        Just(Comparison::MoreOrEqual),
    ];
    let ordered = literal()
        .prop_filter("ordered", |literal| matches!(literal, Literal::Number(_) | Literal::Text(_)));
    prop_oneof![
        literal().prop_map(Test::Is),
        literal().prop_map(Test::IsNot),
        proptest::collection::vec(literal(), 1..4).prop_map(Test::In),
        (way, ordered).prop_map(|(way, literal)| Test::Compares(way, literal)),
        "[ab]{0,2}".prop_map(Test::StartsWith),
        Just(Test::Exists),
    ]
}

fn expression() -> impl Strategy<Value = Expression> {
    let leaf = (path(), test()).prop_map(|(path, test)| Expression::Test(path, test));
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expression::All),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expression::Any),
            inner.prop_map(|inner| Expression::Not(Box::new(inner))),
        ]
    })
}

/// The values at a path, in the event as a tree of values.
fn looked_up(event: &Value, path: &Path) -> Vec<Value> {
    let one = match path {
        Path::Field(Field::Channel) => event["channel"]["id"].clone(),
        Path::Field(Field::EventId) => Value::Null,
        Path::Field(Field::Verification) => event["verification"]["verdict"].clone(),
        Path::Field(field) => {
            let name = field.as_str();
            let beside = event["correlation"].get(name).cloned();
            beside.unwrap_or_else(|| event[name].clone())
        }
        Path::Data(steps) => return looked_up_in(&event["data"], steps),
    };
    vec![one]
}

fn looked_up_in(at: &Value, steps: &[Step]) -> Vec<Value> {
    let Some((step, rest)) = steps.split_first() else { return vec![at.clone()] };
    let next = match step {
        Step::Key(key) => at.as_object().and_then(|object| object.get(key)),
        Step::Item(item) => at.as_array().and_then(|items| items.get(*item)),
        Step::Each => {
            let items = at.as_array().into_iter().flatten();
            return items.flat_map(|item| looked_up_in(item, rest)).collect();
        }
    };
    // Nothing has no items.
    looked_up_in(next.unwrap_or(&Value::Null), rest)
}

fn same(value: &Value, literal: &Literal) -> bool {
    match literal {
        Literal::Null => value.is_null(),
        Literal::Bool(truth) => value.as_bool() == Some(*truth),
        Literal::Text(text) => value.as_str() == Some(text),
        Literal::Number(Number::Whole(number)) => value.as_f64() == Some(*number as f64),
        Literal::Number(Number::Float(number)) => value.as_f64() == Some(*number),
    }
}

fn model(event: &Value, expression: &Expression) -> bool {
    match expression {
        Expression::All(parts) => !parts.iter().any(|part| !model(event, part)),
        Expression::Any(parts) => !parts.iter().all(|part| !model(event, part)),
        Expression::Not(inner) => !model(event, inner),
        Expression::Test(path, test) => {
            let values = looked_up(event, path);
            let passes = |value: &Value| match test {
                Test::Is(literal) | Test::IsNot(literal) => same(value, literal),
                Test::In(literals) => literals.iter().any(|literal| same(value, literal)),
                Test::StartsWith(text) => value.as_str().is_some_and(|it| it.starts_with(text)),
                Test::Exists => !value.is_null(),
                Test::Compares(way, literal) => {
                    let order = match literal {
                        Literal::Text(text) => value.as_str().map(|it| it.cmp(text)),
                        Literal::Number(Number::Whole(number)) => {
                            value.as_f64().and_then(|it| it.partial_cmp(&(*number as f64)))
                        }
                        Literal::Number(Number::Float(number)) => {
                            value.as_f64().and_then(|it| it.partial_cmp(number))
                        }
                        Literal::Null | Literal::Bool(_) => None,
                    };
                    order.is_some_and(|order| match way {
                        Comparison::Less => order.is_lt(),
                        Comparison::LessOrEqual => order.is_le(),
                        Comparison::More => order.is_gt(),
                        Comparison::MoreOrEqual => order.is_ge(),
                    })
                }
            };
            values.iter().any(passes) != matches!(test, Test::IsNot(_))
        }
    }
}

proptest! {
    #[test]
    fn a_filter_that_is_written_is_read_as_the_same(expression in expression()) {
        let text = expression.to_string();
        prop_assume!(text.len() <= 4_000);
        let read = text.parse::<Filter>();
        let read = read.map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        prop_assert_eq!(read.expression(), &expression, "{}", text);
        prop_assert_eq!(read.expression().to_string(), text);
    }

    #[test]
    fn a_filter_says_what_looking_everything_up_says(
        expression in expression(), body in value(),
    ) {
        let event = event(&body.to_string());
        let filter = Filter::of(expression.to_string(), expression.clone());
        let tree: Value = serde_json::to_value(&event).expect("an event");
        prop_assert_eq!(filter.fits(&event), model(&tree, &expression), "{} of {}", filter, body);
    }

    #[test]
    fn what_a_filter_implies_holds_of_everything_that_fits(
        expression in expression(), body in value(),
    ) {
        let event = event(&body.to_string());
        let filter = Filter::of(expression.to_string(), expression);
        if filter.fits(&event) {
            let selection = crate::Selection { filter: Some(filter.clone()), ..Default::default() };
            prop_assert!(selection.indexed().wants(&event), "{}", filter);
            prop_assert_eq!(selection.fits_nothing(), None);
        }
    }

    #[test]
    fn any_text_is_a_filter_or_an_error_with_a_column(text in "\\PC{0,60}") {
        if let Err(error) = text.parse::<Filter>() {
            prop_assert!(error.column >= 1 && error.column <= text.chars().count() + 1);
        }
    }

    #[test]
    fn texts_of_its_words_are_filters_or_errors(
        words in proptest::collection::vec(proptest::sample::select(vec![
            "type", "data", ".", "body", "[", "]", "0", "\"a\"", "==", "!=", "in", "(", ")", "&&",
            "||", "!", "exists", "startsWith", "null", "<", ",", "*",
        ]), 0..24),
    ) {
        if let Ok(filter) = words.join(" ").parse::<Filter>() {
            let again: Filter = filter.expression().to_string().parse().expect("what it wrote");
            prop_assert_eq!(again.expression().to_string(), filter.expression().to_string());
        }
    }
}
