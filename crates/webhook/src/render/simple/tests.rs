//! What is said without the engine, held against what the engine says.

use super::{Line, Simple, Subject, Voice};
use crate::identity::Form;
use crate::{
    content::Content,
    identity::Names,
    render::{environment, value::NAMES},
};
use bytes::Bytes;
use headgate_event::limits::TEMPLATE_BYTES_MAX;
use proptest::prelude::*;

fn names() -> Names {
    let event = Some("push.a b".to_owned());
    Names { event, name: "push".to_owned(), action: String::new(), ..Names::default() }
}

/// What the engine says of it, and what is said without it.
fn both(voice: Voice, source: &str, body: &str) -> (Line, Option<Line>) {
    let mut environment = match voice {
        Voice::Line => environment::lines(),
        Voice::Text => environment::texts(),
    };
    environment.add_template_owned("t", source.to_owned()).expect("a template");
    let content = Content::read(None, &Bytes::from(body.to_owned()), &Form::Text);
    let names = names();
    let subject = Subject::new(&names, &content);
    let simple = Simple::read(source).expect("a simple template");
    (environment::render(&environment, "t", &subject), simple.render(voice, &subject))
}

/// JSON with the keys that the templates ask for, repeated ones too.
fn json() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        Just(String::new()),
        Just("refs/heads/main".to_owned()),
        "[ -~]{0,30}",
        "\\PC{0,12}",
        "x{190,220}",
    ];
    let text = text.prop_map(|text| serde_json::Value::String(text).to_string());
    const NUMBERS: [&str; 8] = ["0", "-0", "7", "-12", "0.0", "1E5", "2.50", "9223372036854775808"];
    const PLAIN: [&str; 6] = ["null", "true", "false", "[]", "{}", "\"\\u0000\\n\\u200b\""];
    let leaf = prop_oneof![
        3 => text,
        1 => proptest::sample::select(&NUMBERS[..]).prop_map(str::to_owned),
        1 => proptest::sample::select(&PLAIN[..]).prop_map(str::to_owned),
    ];
    let value = leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            2 => object(inner.clone()),
            1 => array(inner),
        ]
    });
    object(value)
}

fn array(inner: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    proptest::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(",")))
}

fn object(inner: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    proptest::collection::vec(("[abc]", inner), 0..6).prop_map(|pairs| {
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        format!("{{{}}}", pairs.join(","))
    })
}

fn place() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => proptest::sample::select(&NAMES[..]).prop_map(str::to_owned),
        6 => proptest::collection::vec("[abc]", 1..4)
            .prop_map(|keys| format!("body.{}", keys.join("."))),
    ]
}

fn expression() -> impl Strategy<Value = String> {
    let operand = || prop_oneof![4 => place(), 1 => "'[a-z .|]{0,4}'".boxed()];
    let literal = "'[a-z/ ]{0,5}'";
    prop_oneof![
        4 => operand(),
        2 => (operand(), operand()).prop_map(|(a, b)| format!("{a} or {b}")),
        1 => (place(), operand(), 0..20_u8).prop_map(|(a, b, n)| format!("({a} or {b})[:{n}]")),
        1 => place().prop_map(|place| format!("{place} | length if {place} else ''")),
        1 => (place(), literal, literal).prop_map(|(a, from, to)| {
            format!("{a} | replace({from}, {to}) | replace('refs/heads/', '')")
        }),
    ]
}

fn template() -> impl Strategy<Value = String> {
    const TEXTS: [&str; 7] = ["x", " ", "#", "\n ", "}", "{ ", " -> ü"];
    let piece = prop_oneof![
        2 => expression().prop_map(|shown| format!("{{{{ {shown} }}}}")),
        1 => proptest::sample::select(&TEXTS[..]).prop_map(str::to_owned),
    ];
    let piece = piece.prop_recursive(2, 12, 3, |inner| {
        let inner = || proptest::collection::vec(inner.clone(), 0..3).prop_map(|all| all.concat());
        (place(), inner(), inner(), 0..6_u8).prop_map(|(place, a, b, shape)| match shape {
            4 => format!("{{% for item in {place} %}}{a}{{% endfor %}}"),
            5 => format!("{{% for item in {place}[:2] %}}{a}{{{{ item }}}}{{% endfor %}}"),
            0 => format!("{{% if {place} %}}{a}{{% endif %}}"),
            1 => format!("{{% if not {place} %}}{a}{{% endif %}}"),
            2 => format!("{{% if {place} %}}{a}{{% else %}}{b}{{% endif %}}"),
            _ => format!("{{% if not {place} %}}{a}{{% else %}}{b}{{% endif %}}"),
        })
    });
    let pieces = proptest::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat());
    // A brace of the text beside one of a mark is another mark.
    pieces.prop_filter("read by both", |source| {
        let mark = source.contains("{{{") || source.contains("{{%");
        !mark && !source.ends_with('\n') && Simple::read(source).is_some()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_said_without_the_engine_is_what_the_engine_says(
        source in template(),
        body in json(),
    ) {
        for voice in [Voice::Line, Voice::Text] {
            let (engine, simple) = both(voice, &source, &body);
            if let Some(simple) = simple {
                prop_assert_eq!(simple, engine, "{}", source);
            }
        }
    }
}

#[test]
fn templates_of_provider_files_need_no_engine() {
    let body = r#"{"a":{"b":"refs/heads/x y"},"n":0,"l":[1,"",null,{"c":1},[2,"z"]],"t":true}"#;
    for (source, said) in [
        ("GitHub {{ name or 'event' }} {{ action }}", "GitHub push "),
        ("#{{ body.n }} {{ body.a.b }}, {{ body.a.b.c }}", "#0 \"refs/heads/x y\", "),
        ("{{ body.n or body.a.b }}", "\"refs/heads/x y\""),
        ("{{ body.n or body.none }}", ""),
        (
            "{% if body.t %}yes{% endif %}{% if body.none %}no{% else %}, {{ body.t }}{% endif %}",
            "yes, true",
        ),
        ("{% if not body.n %}{{ (body.a.b or '')[:6] }}{% endif %}", "refs/h"),
        ("{{ body.l | length if body.l else '' }}", "5"),
        ("{{ body.a.b | replace('refs/heads/', '') | replace('y', 'z') }}", "\"x z\""),
        ("{{ body.l }}", "\"1, 2, z\""),
        (
            "{{ body.t }}{% for a in body.x[:3] %}{% for b in a %}{{ b }}{% endfor %}{% endfor %}",
            "true",
        ),
    ] {
        let (engine, simple) = both(Voice::Line, source, body);
        assert_eq!(simple.as_ref().map(|line| line.text.as_str()), Some(said), "{source}");
        assert_eq!(simple, Some(engine), "{source}");
    }
}

#[test]
fn what_is_not_known_for_sure_is_left_to_the_engine() {
    for source in [
        "{{ body.a | safe }}",
        "{{ body.a | money(body.b) }}",
        "{{ body.a ~ 'x' }}",
        "{{ body.a[0] }}",
        "{{ body['a'] }}",
        "{{ body.a.0 }}",
        "{{ other }}",
        "{{ name.first }}",
        "{{- body.a }}",
        "{{ body.a -}}",
        "{{body.a}}",
        "{# said to nobody #}",
        "{{ body.a }}\n",
        "{{ 'it\\'s' }}",
        "{{ body.a or body.b | replace('a', 'b') }}",
        "{{ body.a | length if body.b else '' }}",
        "{{ (body.a or '')[:12] | upper }}",
        "{{ (body.a or '')[-2:] }}",
        "{{ body.a and body.b }}",
        "{% if body.a == 1 %}x{% endif %}",
        "{% if body.a %}x{% elif body.b %}y{% endif %}",
        "{% for a in body.a %}{{ a }}{% else %}none{% endfor %}",
        "{% for a, b in body.a %}{{ a }}{% endfor %}",
        "{% for a in body.a if a %}{{ a }}{% endfor %}",
        "{% for a in body.a | sort %}{{ a }}{% endfor %}",
        "{% for a in body.a %}{{ a }}",
        "{% for a in body.a %}{% raw %}{% endfor %}{% endraw %}{% endfor %}",
        "{% if body.a %}x",
        "x{% endif %}",
        "{% set a = body.a %}",
    ] {
        assert!(Simple::read(source).is_none(), "{source}");
    }
    let each = "{% for a in body.a %}{{ a }}.{% endfor %}";
    let (engine, simple) = both(Voice::Line, each, r#"{"a":[1,2]}"#);
    assert_eq!((engine.text.as_str(), simple), ("1.2.", None));
    let (engine, simple) = both(Voice::Line, "{{ (body.a or '')[:2] }}!", r#"{"a":5}"#);
    assert_eq!((engine.text.as_str(), simple), ("", None));
}

#[test]
fn a_template_that_says_too_much_is_left_to_the_engine() {
    let body = format!(r#"{{"a":"{}"}}"#, "x".repeat(TEMPLATE_BYTES_MAX + 1));
    let (engine, simple) = both(Voice::Text, "{{ body.a }}", &body);
    assert_eq!(simple, Some(engine));
    assert_eq!(both(Voice::Text, "{{ body.a }}{{ body.a }}", &body).1, None);
}
