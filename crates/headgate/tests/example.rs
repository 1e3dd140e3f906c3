//! `headgate.example.toml` is right, and shows every key there is.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use headgate::{
    config::{Config, Context, Environment, Known},
    schedules::Calendar,
};
use headgate_cron::Zones;
use headgate_webhook::Providers;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

fn example() -> (PathBuf, String) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../headgate.example.toml");
    let text = std::fs::read_to_string(&file).expect("the example is there");
    (file, text)
}

fn environment() -> Environment {
    let secret = "0123456789abcdef0123456789abcdef".to_owned();
    let names = [
        "HEADGATE_AGENT_KEY",
        "GITHUB_WEBHOOK_SECRET",
        "STRIPE_WEBHOOK_SECRET",
        "SLACK_SIGNING_SECRET",
        "MAILGUN_SIGNING_KEY",
        "SHOP_PUSH_SECRET",
        "SHOP_PUSH_TOKEN",
    ];
    Environment::Fixed(BTreeMap::from(names.map(|name| (name.to_owned(), secret.clone()))))
}

#[test]
fn the_example_is_a_right_configuration() {
    let (file, _) = example();
    let config = Config::load(&file, &environment(), &known())
        .unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.channels.len(), 7);
    assert_eq!((config.subscriptions.len(), config.push.len()), (2, 1));
    assert_eq!(config.api_keys.len(), 1);
}

#[test]
fn the_example_without_its_environment_says_what_is_missing() {
    let (file, _) = example();
    let nothing = Environment::Fixed(BTreeMap::new());
    let problems = Config::load(&file, &nothing, &known()).expect_err("missing");
    assert_eq!(problems.problems.len(), 7, "{problems}");
}

fn known() -> Known {
    let calendar = Calendar::new(Zones::embedded());
    Known { providers: Providers::embedded().into(), calendar }
}

/// The keys of all sections, as the error about an unknown key lists them.
fn known_keys() -> BTreeSet<String> {
    let text = "nonsense = 1\n[server]\nnonsense = 1\n[queue]\nnonsense = 1\n\
        [quarantine]\nnonsense = 1\n[[api_key]]\nname = \"a\"\nscopes = [\"read\"]\nnonsense = 1\nkey = { nonsense = 1 }\n\
        [[channel]]\nid = \"a\"\ntype = \"webhook\"\nverify = \"none\"\nnonsense = 1\n\
        dedupe = { nonsense = 1 }\n\
        [[channel]]\nid = \"b\"\ntype = \"slack\"\nnonsense = 1\n\
        signing_secrets = [{ nonsense = 1 }]\nclient_certificate = { nonsense = 1 }\n\
        dedupe = { nonsense = 1 }\nanswers = { nonsense = 1 }\n\
        [email]\nnonsense = 1\nconnections = { nonsense = 1 }\n\
        [[channel]]\nid = \"d\"\ntype = \"email\"\nnonsense = 1\ndedupe = { nonsense = 1 }\n\
        [[channel]]\nid = \"c\"\ntype = \"cron\"\nnonsense = 1\n\
        [[channel.schedule]]\nname = \"s\"\ncron = \"@daily\"\nnonsense = 1\n\
        [[catalog]]\ntype = \"a.b\"\nnonsense = 1\n[[subscription]]\nname = \"a\"\nnonsense = 1\nretry = { nonsense = 1 }\n\
        push = { nonsense = 1, secrets = [{ nonsense = 1 }] }\n";
    let context = Context {
        environment: &environment(),
        folder: Path::new(""),
        providers: &known().providers,
        calendar: &known().calendar,
    };
    let problems = Config::parse("x.toml", text, &context).expect_err("nonsense");
    let unknown = problems.problems.iter().filter(|problem| problem.text.contains("unknown key"));
    let lists: Vec<&str> = unknown.map(|problem| problem.text.as_str()).collect();
    assert_eq!(lists.len(), 24, "a section is missing here: {problems}");
    lists.iter().flat_map(|list| list.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn the_example_shows_every_key_that_exists() {
    let (_, text) = example();
    let words: BTreeSet<&str> =
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    let missing: Vec<String> =
        known_keys().into_iter().filter(|key| !words.contains(key.as_str())).collect();
    assert!(missing.is_empty(), "not in headgate.example.toml: {missing:?}");
}
