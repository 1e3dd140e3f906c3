//! What must hold of any bytes whatever, as functions that panic when it does not.
//!
//! Fuzzers call them with bytes they make up (`fuzz/`, on a nightly compiler); the ordinary tests
//! call them with the bytes that fuzzers found worth keeping (`fuzz/corpus/`). For development
//! only: no program has this crate in it.

#![expect(clippy::expect_used, reason = "a property that does not hold is told by a panic")]

mod config;
mod cron;
mod email;
mod event;
mod http;
mod log;
mod parts;
mod prompt;
mod provider;
mod slack;
mod slack_socket;
mod smtp;
mod verify;
mod words;

pub use parts::Parts;

/// A property: its name, which is that of its corpus, and what is called with any bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All of them. Each has a file of its name in `fuzz/fuzz_targets/` and a folder of seeds in
/// `fuzz/corpus/`.
pub const TARGETS: &[Target] = &[
    ("batch", log::batch),
    ("config", config::config),
    ("cron_expression", cron::expression),
    ("cursor", words::cursor),
    ("decoded", http::decoded),
    ("email_html", email::html),
    ("email_message", email::message),
    ("email_reply", email::reply),
    ("event_wire", event::wire),
    ("forwarded", http::forwarded),
    ("frame", log::frame),
    ("http_head", http::head),
    ("json", event::json),
    ("prompt", prompt::prompt),
    ("provider_file", provider::file),
    ("provider_prompt", provider::prompt),
    ("slack_body", slack::body),
    ("slack_markup", slack::markup),
    ("slack_signature", slack::signature),
    ("slack_socket", slack_socket::message),
    ("smtp_data", smtp::data),
    ("smtp_session", smtp::session),
    ("stored_event", event::stored),
    ("verify", verify::verify),
    ("words", words::words),
];

/// Calls the property of this name.
///
/// # Panics
///
/// When it does not hold, or there is none of that name.
pub fn run(name: &str, bytes: &[u8]) {
    let (_, check) = TARGETS.iter().find(|(known, _)| *known == name).expect("a property");
    check(bytes);
}
