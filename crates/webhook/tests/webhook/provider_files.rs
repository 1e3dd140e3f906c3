//! What is wrong with a provider file is told with its line.

use headgate_webhook::{Provider, Providers};

const RIGHT: &str = r#"name = "acme"
title = "Acme"

[verify]
scheme = "hmac"
algorithm = "sha256"
encoding = "hex"
signed = "{timestamp}.{body}"
signature = { header = "acme-signature", items = ",", fields = "=", labels = ["v1"] }
timestamp = { field = "t", unit = "s", past = "300s", future = "300s" }

[identity]
event = [{ json = "type" }]

[prompt]
headline = "Acme {{ event }}"
facts = [["Id", "{{ body.id }}"]]
"#;

/// What a file with `from` turned into `to` is refused with.
fn refusal(from: &str, to: &str) -> Vec<String> {
    assert!(RIGHT.contains(from), "{from}");
    let text = RIGHT.replacen(from, to, 1);
    let errors = Provider::parse("acme.toml", &text).expect_err(&text);
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn the_files_that_are_built_in_are_right() {
    let embedded = Providers::embedded();
    let names: Vec<_> = embedded.iter().map(Provider::name).collect();
    assert!(names.len() >= 60, "{names:?}");
    for provider in embedded.iter() {
        assert!(!provider.proof().is_empty() && !provider.title().is_empty());
        assert!(provider.docs().is_none_or(|docs| docs.starts_with("https://")));
    }
    Provider::parse("acme.toml", RIGHT).expect("right");
}

#[test]
fn github_sends_up_to_25_mib() {
    let providers = Providers::embedded();
    assert_eq!(providers.find("github").expect("known").body_bytes_max(), 25 << 20);
    assert_eq!(providers.find("stripe").expect("known").body_bytes_max(), 10 << 20);
}

#[test]
fn an_unknown_key_is_refused_wherever_it_stands() {
    for (from, to, line) in [
        ("title =", "tittle = \"x\"\ntitle =", 2),
        ("encoding =", "encodings = \"hex\"\nencoding =", 7),
        ("items = \",\"", "items = \",\", item = \",\"", 9),
        ("json = \"type\"", "jason = \"type\"", 13),
        ("headline =", "head = \"x\"\nheadline =", 16),
    ] {
        let errors = refusal(from, to);
        assert_eq!(errors.len(), 1, "{errors:?}");
        let start = format!("acme.toml:{line}: unknown field `");
        assert!(errors[0].starts_with(&start), "{errors:?}");
    }
}

#[test]
fn a_scheme_that_cannot_be_meant_is_refused() {
    for (from, to, expected) in [
        (
            "scheme = \"hmac\"",
            "scheme = \"rot13\"",
            "5: expected scheme `hmac`, `url-form-hmac`, `sha256-concat`, `ed25519`, `ecdsa`, \
             `rsa-cert`, `jwt`, `standard-webhooks`, `token`, `basic`, `by-secret`, `by-header` \
             or `none`, found `rot13`",
        ),
        (
            "{timestamp}.{body}",
            "{timestamp}",
            "8: expected `{body}` in what is signed, or `covers = \"token\"`",
        ),
        (
            "{timestamp}.{body}",
            "{body}",
            "10: `verify.timestamp` is given, but `signed` does not have `{timestamp}`",
        ),
        (
            "{timestamp}.{body}",
            "{id}.{timestamp}.{body}",
            "8: `{id}` is signed, but `verify.id` does not say where it is",
        ),
        ("labels = [\"v1\"]", "labels = [\"v1\", \"t\"]", "9: label `t` stands for two things"),
        ("labels = [\"v1\"]", "labels = []", "9: expected `fields` and `labels` together"),
        ("items = \",\"", "items = \"=\"", "9: expected `items` and `fields` to differ"),
        (
            "acme-signature",
            "Acme-Signature",
            "9: expected a lower-case header name, found `Acme-Signature`",
        ),
        (
            "field = \"t\"",
            "field = \"t\", header = \"x\"",
            "10: expected one of `header`, `field` and `json`",
        ),
        (
            "past = \"300s\"",
            "past = \"300\"",
            "10: expected a duration such as `250ms`, `5s`, `1h30m` or `30d`, found `300`",
        ),
    ] {
        assert_eq!(refusal(from, to), [format!("acme.toml:{expected}")]);
    }
}

#[test]
fn events_in_a_body_that_cannot_be_found_are_refused() {
    let listed = "expected a dotted path, in which `*` stands for every item of an array that is \
                  listed too, found";
    for (items, expected) in [
        ("\"a..b\"", "expected a dotted path or nothing, found `a..b`".to_owned()),
        ("[]", "expected a path at least, found none".to_owned()),
        ("[\"a.*.b\"]", format!("{listed} `a.*.b`")),
        ("[\"a\", \"b.*.c\"]", format!("{listed} `b.*.c`")),
        ("[\"a\", \"a.*\"]", format!("{listed} `a.*`")),
        ("7", "expected the path of an array, or a list of them".to_owned()),
        (
            "[\"a\"]\nevent = [{ json = \"b\" }]",
            "expected no places beside a list of `items`: those of `[identity]` count".to_owned(),
        ),
    ] {
        let errors = refusal("[prompt]", &format!("[split]\nitems = {items}\n\n[prompt]"));
        assert_eq!(errors, [format!("acme.toml:16: {expected}")]);
    }
}

#[test]
fn a_template_that_cannot_work_is_refused() {
    for (from, to, expected) in [
        ("{{ body.id }}", "{{ body.id }", "17: the template is wrong: "),
        ("{{ body.id }}", "{{ body.id | shout }}", "17: the template is wrong: "),
        ("{{ body.id }}", "{{ body.id | safe }}", "17: the template is wrong: "),
        (
            "{{ body.id }}",
            "{{ id }}",
            "17: the template is wrong: `id` is not known: expected `event`, `name`, `action`, \
             `body`",
        ),
        ("[[\"Id\",", "[[\"Id\", \"{{ name }}\"], [\"Id\",", "17: label `Id` stands for more"),
        ("[[\"Id\",", "[[\" \",", "17: expected a label, found nothing"),
    ] {
        let errors = refusal(from, to);
        assert!(errors[0].starts_with(&format!("acme.toml:{expected}")), "{errors:?}");
    }
}

#[test]
fn all_that_is_wrong_is_told_in_the_order_of_the_file() {
    let text = RIGHT
        .replace("name = \"acme\"", "name = \"Acme Inc\"")
        .replace("title = \"Acme\"", "title = \" \"\nanswer = { status = 301 }")
        .replace("json = \"type\"", "json = \"a..b\"")
        .replace("{timestamp}.{body}", "{ts}.{body}")
        .replace("{{ event }}", "{{ evnt }}");
    let errors = Provider::parse("acme.toml", &text).expect_err("wrong");
    let lines: Vec<_> = errors.iter().map(|error| error.line).collect();
    assert_eq!(lines, [1, 2, 3, 9, 14, 17], "{errors:#?}");
}

#[test]
fn two_blocks_for_one_event_are_refused() {
    let block = "\n[[event]]\non = [\"a.*\", \"b\"]\n";
    let errors = refusal("facts =", &format!("{block}{block}facts ="));
    assert!(errors[0].ends_with("event `a.*` has two blocks"), "{errors:?}");
}
