//! Socket Mode: the protocol by itself, against a Slack without sockets, and over loopback.

mod world;

mod table;

mod simulated;

mod properties;

mod messages;

mod loopback;
