//! The list of metrics, what is written about them, and what draws and watches them.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use headgate::telemetry::metrics::{Kind, Metric, all};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Set to rewrite what is compared.
const UPDATE: &str = "UPDATE_FIXTURES";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn names() -> BTreeSet<String> {
    all().map(|metric| metric.name.to_owned()).collect()
}

#[expect(clippy::disallowed_methods, reason = "a test is told by it to rewrite its fixture")]
fn updates() -> bool {
    std::env::var_os(UPDATE).is_some()
}

fn written() -> String {
    let mut text = String::from(
        "# Metrics\n\n`GET /metrics` (scope `read`) gives them in the text format of Prometheus. Every one has its \
         unit in its name.\nLabels are bounded: `channel`, `provider` and `subscription` are what is configured, all \
         others have values of Headgate's\nown. `docs/grafana-dashboard.json` draws them, `docs/alerts.yml` watches \
         them.\n\nThe list is made from the program; a test compares the two.\n\n\
         | metric | kind | labels | says |\n|---|---|---|---|\n",
    );
    let mut metrics: Vec<Metric> = all().collect();
    metrics.sort_by_key(|metric| metric.name);
    for Metric { name, kind, labels, help } in metrics {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        text.push_str(&format!("| `{name}` | {kind} | {} | {help} |\n", labels.join(", ")));
    }
    text
}

#[test]
fn the_list_in_the_docs_is_the_one_of_the_program() {
    let path = root().join("docs/metrics.md");
    if updates() {
        fs::write(&path, written()).expect("docs can be written");
    }
    let published = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(published, written(), "run it with {UPDATE}=1 and read the difference");
}

#[test]
fn every_metric_keeps_to_the_conventions() {
    let mut seen = BTreeSet::new();
    for Metric { name, kind, labels, help } in all() {
        assert!(seen.insert(name), "{name} is twice in the list");
        assert!(name.starts_with("headgate_") || name.starts_with("process_"), "{name}");
        assert_eq!(kind == Kind::Counter, name.ends_with("_total"), "{name}");
        if let Kind::Histogram(bounds) = kind {
            assert!(bounds.is_sorted(), "{name}");
            let unit = ["_seconds", "_bytes", "_events"].iter().any(|unit| name.ends_with(unit));
            assert!(unit, "{name} has no unit");
        }
        assert!(!help.is_empty() && !help.ends_with('.') && !help.contains('\n'), "{name}: {help}");
        assert!(labels.iter().all(|label| !label.is_empty()), "{name}");
    }
}

/// Every file below a folder whose name ends so.
fn files(folder: &Path, end: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, end, found);
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
}

#[test]
fn what_code_counts_is_in_the_list_and_what_is_in_the_list_is_counted() {
    let mut sources = Vec::new();
    let manifest = include_str!("../Cargo.toml");
    for krate in fs::read_dir(root().join("crates")).expect("crates") {
        let krate = krate.expect("a crate").path();
        let name = krate.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        // What the program is not made of counts nothing in it.
        if name == "headgate" || manifest.contains(&format!("\nheadgate-{name}.workspace")) {
            files(&krate.join("src"), ".rs", &mut sources);
        }
    }

    let mut counted = BTreeSet::new();
    for path in sources {
        let text = fs::read_to_string(&path).expect("a source");
        // The list itself counts two of them: what it describes ends before.
        let text = if path.ends_with("telemetry/metrics.rs") {
            text.split("fn describe()").nth(1).expect("what it counts").to_owned()
        } else {
            text
        };
        for part in text.split('"') {
            let is_name = part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            let ours = part.starts_with("headgate_") || part.starts_with("process_");
            if is_name && ours {
                counted.insert(part.to_owned());
            }
        }
    }
    assert_eq!(counted, names(), "what code counts, and what `telemetry/metrics.rs` lists");
}

/// The names of metrics in a query.
fn metrics_in(query: &str) -> BTreeSet<String> {
    let words = query.split(|char: char| !(char.is_ascii_alphanumeric() || char == '_'));
    let ours = words.filter(|word| word.starts_with("headgate_") || word.starts_with("process_"));
    let bare = |word: &str| {
        let base = ["_bucket", "_count", "_sum"].iter().find_map(|part| word.strip_suffix(part));
        let spread = |base: &&str| {
            all().any(|metric| metric.name == *base && matches!(metric.kind, Kind::Histogram(_)))
        };
        base.filter(spread).unwrap_or(word).to_owned()
    };
    ours.map(bare).collect()
}

#[test]
fn the_dashboard_draws_only_what_there_is() {
    fn queries(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    match value.as_str() {
                        Some(text) if key == "expr" || key == "query" => {
                            found.push(text.to_owned())
                        }
                        _ => queries(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| queries(item, found)),
            _ => {}
        }
    }
    let text = fs::read_to_string(root().join("docs/grafana-dashboard.json")).expect("docs");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let mut found = Vec::new();
    queries(&dashboard, &mut found);
    assert!(found.len() > 15, "{} queries", found.len());
    let drawn: BTreeSet<String> = found.iter().flat_map(|query| metrics_in(query)).collect();
    assert_eq!(drawn.difference(&names()).collect::<Vec<_>>(), Vec::<&String>::new());
    let mut ids = BTreeSet::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        assert!(ids.insert(panel["id"].to_string()), "two panels have the id {}", panel["id"]);
        assert!(panel["title"].is_string() && panel["gridPos"]["w"].is_u64(), "{panel}");
    }
    assert_eq!(dashboard["__inputs"][0]["pluginId"], "prometheus", "it is importable");
}

#[test]
fn the_alerts_watch_only_what_there_is() {
    for file in ["docs/alerts.yml", "docs/alerts.test.yml"] {
        let text = fs::read_to_string(root().join(file)).expect("docs");
        let watched = metrics_in(&text);
        assert!(watched.len() > 1, "{file}: {watched:?}");
        assert_eq!(
            watched.difference(&names()).collect::<Vec<_>>(),
            Vec::<&String>::new(),
            "{file}"
        );
    }
    let text = fs::read_to_string(root().join("docs/alerts.yml")).expect("docs");
    let alerts = text.matches("- alert: ").count();
    assert!(alerts >= 9, "{alerts} alerts");
    assert_eq!(text.matches("summary: ").count(), alerts, "each says what is wrong");
    assert_eq!(text.matches("description: ").count(), alerts, "each says what to do");
}
