//! Socket Mode: the protocol by itself, against a Slack without sockets, and over loopback.

#![expect(
    clippy::expect_used,
    reason = "clippy allows it in test functions alone, not in what they share"
)]

mod world;

mod table;

mod simulated;

mod properties;

mod messages;

mod anew;

mod loopback;
