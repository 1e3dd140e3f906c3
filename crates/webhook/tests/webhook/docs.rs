//! The table of `docs/providers.md` is made from the provider files.
//!
//! `UPDATE_FIXTURES=1` writes it anew.

use crate::gate::PROVIDERS;
use headgate_webhook::{Provider, Tolerance};
use std::{fs, path::Path};

const BEGIN: &str = "<!-- made from the provider files by a test -->\n";

#[test]
fn the_table_in_the_docs_is_that_of_the_provider_files() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/providers.md");
    let text = fs::read_to_string(&file).expect("docs/providers.md");
    let (before, _) = text.split_once(BEGIN).expect("the place of the table");
    let expected = format!("{before}{BEGIN}{}", table());
    #[expect(clippy::disallowed_methods, reason = "a test is told by its environment to write")]
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(&file, &expected).expect("written");
        return;
    }
    assert!(text == expected, "run it with UPDATE_FIXTURES=1 and read the difference");
}

fn table() -> String {
    let mut text = String::from(
        "\n| provider | covers | window | the sender waits | it sends again | shakes hands |\n\
         |---|---|---|---|---|---|\n",
    );
    for provider in PROVIDERS.iter() {
        text.push_str(&row(provider));
    }
    text.push_str("\n## What the files say that nobody has confirmed\n\n");
    for provider in PROVIDERS.iter().filter(|provider| !provider.unconfirmed().is_empty()) {
        text.push_str(&format!("* `{}`: {}\n", provider.name(), provider.unconfirmed().join("; ")));
    }
    text
}

fn row(provider: &Provider) -> String {
    let name = match provider.docs() {
        Some(docs) => format!("[`{}`]({docs})", provider.name()),
        None => format!("`{}`", provider.name()),
    };
    let sender = provider.sender();
    let window = provider.tolerance().map(|Tolerance { past, .. }| seconds(past));
    let handshakes = provider.handshakes();
    let names = handshakes.iter().filter_map(|text| text.split(':').next()).collect::<Vec<_>>();
    let covers = match provider.covers().as_str() {
        "token" => "token; **not the body**".to_owned(),
        covers => covers.to_owned(),
    };
    let cells = [
        format!("{name} {}", provider.title()),
        covers,
        window.unwrap_or_default(),
        sender.timeout.map(seconds).unwrap_or_default(),
        sender.retries.clone().unwrap_or_default(),
        names.join(", "),
    ];
    format!("| {} |\n", cells.join(" | "))
}

fn seconds(span: std::time::Duration) -> String {
    format!("{} s", span.as_secs_f64())
}
