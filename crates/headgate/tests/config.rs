//! What a configuration says when it is wrong, word for word, and what it means when it is right.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use headgate::{
    config::{Config, Context, Environment, Known, LineEnds, StartTls},
    schedules::Calendar,
};
use headgate_cron::Zones;
use headgate_email::{Require, Terms, Unproven, smtp::AddressPattern};
use headgate_http::IpNet;
use headgate_slack::SelfEvents;
use headgate_webhook::{DedupePolicy, Providers, RateLimit};
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

fn environment() -> Environment {
    let variables = [
        ("SET", "a secret"),
        ("XAPP", "xapp-1-token"),
        ("EMPTY", ""),
        ("KEY", "0123456789abcdef0123456789abcdef"),
        ("SPACED", "a key with spaces in it"),
    ];
    Environment::Fixed(BTreeMap::from(variables.map(|(k, v)| (k.to_owned(), v.to_owned()))))
}

fn providers() -> Providers {
    Providers::embedded()
}

fn calendar() -> Calendar {
    Calendar::new(Zones::embedded())
}

fn known() -> Known {
    Known { providers: providers().into(), calendar: calendar() }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(name)
}

fn good(name: &str) -> Config {
    Config::load(&folder("good").join(name), &environment(), &known()).expect("a good file")
}

#[test]
fn every_bad_file_says_all_that_is_wrong_with_it() {
    let mut files: Vec<PathBuf> = fs::read_dir(folder("bad"))
        .expect("the folder of bad files")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    assert!(files.len() >= 25, "the bad files are missing");
    for file in files {
        let text = fs::read_to_string(&file).expect("a text");
        let context = Context {
            environment: &environment(),
            folder: &folder("bad"),
            providers: &providers(),
            calendar: &calendar(),
        };
        let problems = Config::parse("headgate.toml", &text, &context).expect_err("a bad file");
        let stem = file.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        insta::assert_snapshot!(stem, problems.to_string());
    }
}

#[test]
fn an_empty_file_listens_on_this_machine_and_has_no_channel() {
    let config = good("empty.toml");
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.data_dir, folder("good").join("./headgate-data"));
    assert!(config.channels.is_empty() && config.subscriptions.is_empty());
    assert_eq!(config.retention, headgate_queue::Retention::default(), "nothing is deleted");
}

#[test]
fn a_channel_may_describe_its_sender() {
    let config = good("generic.toml");
    let [desk, plain] = config.channels.webhooks.as_slice() else { panic!("two channels") };
    let own = desk.own.as_ref().expect("described");
    assert_eq!((own.name(), own.title(), own.is_signed()), ("generic", "Desk", true));
    assert!(plain.own.is_none(), "the built-in file is what is meant");
}

#[test]
fn with_the_api_on_this_machine_webhooks_may_come_from_anywhere_without_keys() {
    let config = good("public-without-keys.toml");
    assert_eq!(config.server.api_address().to_string(), "[::1]:8081");
    assert!(config.api_keys.is_empty() && config.server.check_open().is_ok());
}

#[test]
fn every_key_means_what_it_says() {
    let config = good("everything.toml");
    assert_eq!(config.data_dir, folder("good").join("data"));
    assert_eq!(config.server.public_url.as_deref(), Some("https://in.example.com/hooks"));
    let retention = (config.retention.age, config.retention.bytes);
    assert_eq!(retention, (Some(Duration::from_secs(30 * 24 * 3600)), Some(20 << 30)));
    assert_eq!(config.server.api_address().to_string(), "127.0.0.1:9001");
    let proxies: Vec<_> = config.server.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(proxies, ["10.0.0.0/8", "::1/128"]);
    let [billing, open, hub] = config.channels.webhooks.as_slice() else {
        panic!("three channels")
    };
    assert_eq!(billing.channel.label, "Billing inbox");
    let secrets: Vec<&[u8]> = billing.secrets.iter().map(|secret| secret.expose()).collect();
    assert_eq!(secrets, [b"a secret".as_slice(), b"from a file", b"x"]);
    assert_eq!(billing.body_bytes_max, Some(1 << 20));
    assert_eq!(billing.tolerance.map(|span| span.past.as_secs()), Some(600));
    assert_eq!(billing.dedupe, DedupePolicy::Window(Duration::from_secs(3 * 24 * 3600)));
    let rate = |text: &str| text.parse::<RateLimit>().ok();
    assert_eq!(billing.rate, rate("50/s").and_then(|rate| rate.with_burst(100)));
    assert_eq!((hub.rate, open.rate), (rate("600/min"), None));
    let allowed: Vec<_> = billing.allow_ips.iter().map(ToString::to_string).collect();
    assert_eq!(allowed, ["3.18.12.63/32", "10.0.0.0/8"]);
    assert!(matches!(open.dedupe, DedupePolicy::Digest(_)));
    let bounds = config.quarantine.expect("a quarantine");
    assert_eq!((bounds.count, bounds.bytes), (500, 64 << 20));
    assert_eq!(bounds.age, Duration::from_secs(36 * 3600));
    assert_eq!(hub.dedupe, DedupePolicy::Off);
    assert_eq!((open.provider.as_str(), hub.provider.as_str()), ("none", "github"));
    insta::assert_debug_snapshot!("subscriptions", config.subscriptions);
}

#[test]
fn every_key_of_a_slack_channel_means_what_it_says() {
    let config = good("everything.toml");
    let [team, plain] = config.channels.slack.as_slice() else { panic!("two channels") };
    let socket = team.socket.as_ref().expect("Socket Mode");
    assert_eq!(
        (socket.channel.as_str(), socket.api.as_str()),
        ("team", "https://slack-gov.com/api")
    );
    assert_eq!(socket.app_token.expose(), b"xapp-1-token");
    assert!(plain.socket.is_none());
    let (team, plain) = (&team.spec, &plain.spec);
    assert_eq!((team.channel.id.as_str(), team.channel.label.as_str()), ("team", "Team"));
    let secrets = team.signing_secrets.iter();
    let secrets: Vec<_> =
        secrets.map(|it| (it.secret.expose(), it.api_app_id.as_deref())).collect();
    let expected = [(b"a secret".as_slice(), Some("A0123ABCD")), (b"from a file", None)];
    assert_eq!(secrets, expected);
    let certificate = team.client_certificate.as_ref().expect("a certificate");
    assert_eq!(certificate.header, "x-client-name");
    assert_eq!(certificate.name, "platform-tls-client.slack.com");
    assert_eq!((team.self_events, plain.self_events), (SelfEvents::Drop, SelfEvents::Flag));
    assert_eq!((team.body_bytes_max, plain.body_bytes_max), (Some(256 << 10), None));
    let merging = (team.merge_mentions, plain.merge_mentions);
    assert_eq!(merging, (Some(Duration::from_millis(300)), None));
    let days = |count: u64| Some(Duration::from_secs(count * 24 * 3600));
    assert_eq!((team.dedupe, plain.dedupe), (days(3), None));
    assert_eq!(team.team_names.get("T0123").map(String::as_str), Some("Acme"));
    assert_eq!(team.names.get("C0123").map(String::as_str), Some("general"));
    let answers: Vec<_> = team.answers.iter().map(|(to, json)| (to.as_str(), json.get())).collect();
    assert_eq!(answers, [("view_submission", r#"{"response_action":"clear"}"#)]);
}

#[test]
fn every_key_of_mail_means_what_it_says() {
    let config = good("everything.toml");
    let mail = &config.mail;
    assert_eq!(mail.listen.map(|at| at.to_string()).as_deref(), Some("0.0.0.0:2525"));
    assert_eq!((mail.tls_listen, mail.hostname.as_str()), (None, "mx.example.com"));
    assert_eq!((mail.starttls, mail.bare_newlines), (StartTls::Off, LineEnds::Normalized));
    let networks = |list: &[IpNet]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(networks(&mail.proxies), ["10.0.0.0/8"]);
    assert_eq!(networks(&mail.trusted_networks), ["192.168.0.0/16"]);
    assert_eq!((mail.message_bytes_max, mail.recipients_max), (10 << 20, 20));
    assert_eq!((mail.connections.total, mail.connections.per_network), (200, 5));
    assert_eq!(mail.link_lifetime, Duration::from_secs(3600));
    assert_eq!(mail.resolver.shown(), "192.0.2.53:53, 127.0.0.1:5353");
    assert_eq!(mail.auth_timeout, Duration::from_secs(2));

    let [orders] = config.channels.inbound.as_slice() else { panic!("one channel") };
    assert_eq!((orders.provider.as_str(), orders.secrets.len()), ("sendgrid", 1));
    assert_eq!(orders.mail.terms.require, Require::SpfOrDkim);
    assert!(orders.mail.addresses.is_empty());

    let [support, letters] = config.channels.mail.as_slice() else { panic!("two channels") };
    let texts = |list: &[AddressPattern]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(texts(&support.addresses), ["support@in.example.com", "*@catch.example.com"]);
    assert_eq!(texts(&support.senders_allow), ["*@example.com"]);
    assert_eq!(texts(&support.senders_deny), ["ann@example.com"]);
    assert_eq!((support.channel.label.as_str(), support.bytes_max), ("Support", 1 << 20));
    let days = |count: u64| Some(Duration::from_secs(count * 24 * 3600));
    let terms = Terms { require: Require::Dmarc, unproven: Unproven::Flag, dedupe: days(2) };
    assert_eq!(support.terms, terms);
    let terms = Terms { require: Require::SpfOrDkim, unproven: Unproven::Reject, dedupe: None };
    assert_eq!(letters.terms, terms);
}

#[test]
fn mail_is_taken_under_the_name_of_the_public_url_and_not_at_all_without_a_listener() {
    let usual = good("empty.toml").mail;
    assert!(!usual.listens());
    assert_eq!((usual.message_bytes_max, usual.recipients_max), (25 << 20, 100));
    assert_eq!(usual.link_lifetime, Duration::from_secs(900));
    let context = Context {
        environment: &environment(),
        folder: Path::new(""),
        providers: &providers(),
        calendar: &calendar(),
    };
    let text = "[server]\npublic_url = \"https://in.example.com:8443/hooks\"\n[[api_key]]\n\
                name = \"a\"\nkey = { env = \"KEY\" }\nscopes = [\"read\"]\n\
                [email]\nlisten = \"0.0.0.0:25\"\n";
    let config = Config::parse("headgate.toml", text, &context).expect("right");
    assert_eq!(config.mail.hostname, "in.example.com");
}

#[test]
fn the_quarantine_has_usual_bounds_and_can_be_off() {
    let usual = good("empty.toml").quarantine.expect("a quarantine");
    assert_eq!((usual.count, usual.bytes), (10_000, 256 << 20));
    assert_eq!(usual.age, Duration::from_secs(7 * 24 * 3600));
    let context = Context {
        environment: &environment(),
        folder: Path::new(""),
        providers: &providers(),
        calendar: &calendar(),
    };
    let off = Config::parse("headgate.toml", "quarantine = \"off\"\n", &context).expect("right");
    assert_eq!(off.quarantine, None);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_no_error() {
    assert_eq!(good("windows-lines.toml").server.listen.port(), 1);
}

#[test]
fn no_secret_is_printed_with_the_configuration() {
    let printed = format!("{:?}", good("everything.toml"));
    assert!(!printed.contains("a secret") && !printed.contains("0123456789"), "{printed}");
}

#[test]
fn a_file_that_is_missing_or_not_utf8_is_named() {
    let load = |file: &Path| {
        Config::load(file, &environment(), &known()).expect_err("no configuration").to_string()
    };
    let missing = load(Path::new("no/such.toml"));
    assert!(missing.starts_with("no/such.toml: expected a file that can be read"), "{missing}");
    let scratch = tempfile::tempdir().expect("a folder");
    let file = scratch.path().join("a.toml");
    fs::write(&file, b"a = \"\xff\"").expect("written");
    assert!(load(&file).ends_with("expected UTF-8, found other bytes at offset 5"));
}

#[test]
fn a_file_of_a_secret_that_never_ends_is_refused() {
    let text = "[[channel]]\nid = \"a\"\ntype = \"webhook\"\nprovider = \"github\"\n\
                secrets = [{ file = \"/dev/zero\" }]\n";
    let context = Context {
        environment: &environment(),
        folder: Path::new(""),
        providers: &providers(),
        calendar: &calendar(),
    };
    let problems = Config::parse("headgate.toml", text, &context).expect_err("refused");
    assert_eq!(
        problems.to_string(),
        "headgate.toml:5: channel.a.secrets[0].file: expected at most 65536 bytes in file \
         `/dev/zero`, found more"
    );
}

/// Pieces that make texts near to a configuration likely.
fn piece() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "[[channel]]\n",
        "[server]\n",
        "[[subscription]]\n",
        "[[api_key]]\n",
        "[queue]\n",
        "id = ",
        "type = ",
        "secrets = ",
        "retry = ",
        "listen = ",
        "dedupe = ",
        "start = ",
        "key = ",
        "scopes = ",
        "channel = ",
        "name = ",
        "max_body = ",
        "public_url = ",
        "\"webhook\"",
        "\"a\"",
        "\"none\"",
        "{ env = \"SET\" }",
        "[",
        "]",
        "{",
        "}",
        ",",
        "\n",
        "5",
        "-1",
        "1e400",
        "true",
        "2026-11-21",
        "\"99999999999999999999d\"",
        "\"\\u202e\"",
        "=",
        ".",
        "'''",
        "\"\"\"",
        "#",
        "\0",
        "\u{1F600}",
    ]);
    prop_oneof![4 => words.prop_map(str::to_owned), 1 => any::<String>()]
}

proptest! {
    #[test]
    fn no_text_panics_and_what_is_refused_is_named(
        pieces in prop::collection::vec(piece(), 0..40),
    ) {
        let context = Context {
            environment: &environment(),
            folder: Path::new("."),
            providers: &providers(),
            calendar: &calendar(),
        };
        if let Err(problems) = Config::parse("x.toml", &pieces.concat(), &context) {
            prop_assert!(!problems.problems.is_empty());
            for line in problems.lines() {
                prop_assert!(line.starts_with("x.toml"), "{}", line);
                prop_assert!(!line.contains(char::is_control), "{:?}", line);
            }
        }
    }
}

#[test]
fn the_certificate_and_the_key_are_read_and_must_fit_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let pair = || {
        let key = rcgen::KeyPair::generate().expect("a key");
        let params = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).expect("a name");
        (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
    };
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("writes");
    let text = "[server]\ntls = { certificate = \"cert.pem\", key = \"key.pem\" }\n";
    let parse = || {
        let (environment, providers) = (environment(), providers());
        let context = Context {
            environment: &environment,
            folder: folder.path(),
            providers: &providers,
            calendar: &calendar(),
        };
        Config::parse("headgate.toml", text, &context)
    };
    let told = || {
        let text = parse().expect_err("a pair that does not fit").to_string();
        text.replace(&folder.path().display().to_string(), "..")
    };
    let (certificate, key) = pair();
    put("cert.pem", &certificate);
    put("key.pem", &pair().1);
    assert_eq!(
        told(),
        "headgate.toml:2: server.tls.key: expected the key of the first certificate in \
         `../cert.pem`, found another one in `../key.pem`"
    );
    put("key.pem", &key);
    assert!(parse().expect("a pair").tls.is_some());
    put("cert.pem", "");
    assert_eq!(
        told(),
        "headgate.toml:2: server.tls.certificate: expected a certificate in PEM in \
         `../cert.pem`, found none"
    );
}
