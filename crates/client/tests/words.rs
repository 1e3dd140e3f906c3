//! What a client says when it is made of what cannot be.

use headgate_client::{Client, ClientError};
use std::time::Duration;

fn refused(builder: headgate_client::Builder) -> String {
    builder.build().map_or_else(|error| error.to_string(), |_| "it was made".to_owned())
}

#[test]
fn a_client_of_what_cannot_be_is_refused() {
    let said = [
        refused(Client::builder().url("ftp://host")),
        refused(Client::builder().url("http://user:pass@host")),
        refused(Client::builder().url("http://host?key=1")),
        refused(Client::builder().url("http://host/?key=hg_secret_123")),
        refused(Client::builder().url("http://host#hg_secret_123")),
        refused(Client::builder().url("http://host/?key=hg_se@cret")),
        refused(Client::builder().key("line\nbreak")),
        refused(Client::builder().key(" ")),
        refused(Client::builder().concurrency(0)),
        refused(Client::builder().lease(Duration::ZERO)),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn a_run_needs_a_subscription_and_a_handler() {
    let mut client = Client::builder().build().expect("a client");
    let without_name = client.run().await.expect_err("no subscription").to_string();
    client = Client::builder().subscription("agent").build().expect("a client");
    let without_handler = client.run().await.expect_err("no handler").to_string();
    insta::assert_snapshot!(format!("{without_name}\n{without_handler}"));
}

#[test]
fn the_key_is_shown_nowhere() {
    let secret = "a-secret-0123456789";
    let builder = Client::builder().url("https://gateway.example").key(secret);
    let shown = format!("{builder:?}");
    let client = builder.build();
    // A machine without certificates says so, and shows as little.
    let shown = format!("{shown} {client:?}");
    assert!(!shown.contains(secret), "{shown}");
}

#[tokio::test]
async fn a_gateway_that_is_away_is_worth_another_try() {
    let client = Client::builder().url("http://127.0.0.1:1").build().expect("a client");
    let replay = headgate_client::Replay::default();
    let error = client.replay(&replay).await.expect_err("nobody listens");
    assert!(error.try_again(), "{error}");
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
}
