//! The server and the intake on real sockets, spoken to in raw bytes, so that no client library
//! tidies up what a hostile or broken sender would send.

#![expect(clippy::expect_used, reason = "a test ends where something is not as it should be")]

mod bodies;
mod counted;
mod drain;
mod gateway;
mod heads;
mod http2;
mod raw;
mod tls;
mod upgrade;
