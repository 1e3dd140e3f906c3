//! Benchmarks of Headgate that print an anchor beside every figure.
//!
//! Absolute figures mean little on a shared machine, so every run measures in turns: the least a
//! server can do, the least a durable server can do, and the release binary of Headgate.

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::time::Duration;

mod call;
mod clock;
mod consume;
mod cron;
mod delivery;
mod disk;
mod drip;
mod expressions;
mod folder;
mod ingest;
mod large;
mod load;
mod process;
mod push;
mod schemes;
mod server;
mod slack;
mod slow;
mod smtp;
mod store;

/// Measures Headgate beside its anchors.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    benchmark: Benchmark,
}

#[derive(Debug, Subcommand)]
enum Benchmark {
    /// Durable ingest of a signed webhook over HTTP.
    Ingest {
        /// Connections, each with one request in flight.
        #[arg(long, value_delimiter = ',', default_value = "64,256")]
        connections: Vec<usize>,
        /// How long each server is measured.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// How often the servers take turns.
        #[arg(long, default_value_t = 2)]
        rounds: usize,
        /// The size of the body in bytes.
        #[arg(long, default_value_t = 1024)]
        body_bytes: usize,
    },
    /// A healthy sender's latency beside slow connections, and without them.
    Slow {
        /// Slow connections.
        #[arg(long, default_value_t = 10_000)]
        slow: usize,
        /// Connections of the healthy sender, each with one request in flight.
        #[arg(long, default_value_t = 4)]
        connections: usize,
        /// How long each load is measured.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// How often the servers take turns.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// The latency of small webhooks beside one connection that keeps sending large bodies.
    Large {
        /// Connections of the small ones, each with one request in flight.
        #[arg(long, default_value_t = 64)]
        connections: usize,
        /// The size of a large body in MiB.
        #[arg(long, default_value_t = 40)]
        large_mib: usize,
        /// How long each load is measured.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// How often both loads are measured.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// A binary to measure in the place of the one that the tree makes.
        #[arg(long)]
        headgate: Option<std::path::PathBuf>,
    },
    /// The clients: how fast they take, handle and settle what waits, and their memory meanwhile.
    Consume {
        /// How many events wait.
        #[arg(long, default_value_t = 1_000_000)]
        events: u64,
        /// How many of them a client without work takes.
        #[arg(long, default_value_t = 200_000)]
        taken: u64,
        /// The size of the body in bytes.
        #[arg(long, default_value_t = 1024)]
        body_bytes: usize,
        /// How many handlers run at one time.
        #[arg(long, default_value_t = 1_000)]
        concurrency: usize,
        /// A Python that has the package `headgate`; it is measured too.
        #[arg(long)]
        python: Option<std::path::PathBuf>,
        /// A binary to measure in the place of the one that the tree makes.
        #[arg(long)]
        headgate: Option<std::path::PathBuf>,
    },
    /// The Rust client as a process of its own.
    #[command(hide = true)]
    Taker(consume::taker::Arguments),
    /// Slow clients as a process of their own.
    #[command(hide = true)]
    Drip {
        /// The server.
        #[arg(long)]
        to: std::net::SocketAddr,
        /// How many.
        #[arg(long)]
        connections: usize,
    },
    /// A queue with many events: fill, reopen, lists, lease and settle, replay scan.
    Store {
        /// How many events to fill in.
        #[arg(long, default_value_t = 1_000_000)]
        events: u64,
        /// Connections that fill.
        #[arg(long, default_value_t = 256)]
        connections: usize,
        /// How long lease and settle are measured.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// The size of the body in bytes.
        #[arg(long, default_value_t = 1024)]
        body_bytes: usize,
    },
    /// Schedules: the next time, a million of them loaded, firing into the durable queue.
    Cron {
        /// Schedules that are loaded.
        #[arg(long, default_value_t = 1_000_000)]
        schedules: usize,
        /// Calls for each expression in each zone.
        #[arg(long, default_value_t = 20_000)]
        calls: usize,
        /// Schedules that fire each second.
        #[arg(long, default_value_t = 10_000)]
        rate: usize,
        /// How long they fire.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// Schedules that are due in one second.
        #[arg(long, default_value_t = 100_000)]
        at_once: usize,
    },
    /// Delivery: pushes to a local sink, latency to a consumer, what an order costs.
    Delivery {
        /// Deliveries of each measurement.
        #[arg(long, default_value_t = 50_000)]
        deliveries: usize,
        /// Endpoints of the wide fan-out.
        #[arg(long, default_value_t = 1_000)]
        endpoints: usize,
        /// How long latency is measured.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// How often what is compared takes turns.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// A binary to measure in the place of the one that the tree makes.
        #[arg(long)]
        headgate: Option<std::path::PathBuf>,
    },
    /// Mail by SMTP, sent by Postfix's `smtp-source`, beside `smtp-sink` and Postfix itself.
    Smtp {
        /// Messages of 2 KiB in each measurement; Postfix gets a tenth of them.
        #[arg(long, default_value_t = 40_000)]
        messages: usize,
        /// How long latency is measured.
        #[arg(long, default_value_t = 5)]
        seconds: u64,
        /// How often the receivers take turns.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// The folder with Postfix's programs `smtp-source`, `smtp-sink` and `postfix`.
        #[arg(long, default_value = "/usr/sbin")]
        postfix: std::path::PathBuf,
        /// A binary to measure in the place of the one that the tree makes.
        #[arg(long)]
        headgate: Option<std::path::PathBuf>,
    },
    /// Slack: verifying, rendering, and a steady stream of signed events.
    Slack {
        /// Calls of each measurement.
        #[arg(long, default_value_t = 50_000)]
        calls: usize,
        /// Events a second.
        #[arg(long, default_value_t = 500)]
        rate: u64,
        /// How long they come.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Cron expressions: the next time, reading, hostile texts, memory.
    Expressions {
        /// Calls for each expression.
        #[arg(long, default_value_t = 200_000)]
        calls: u32,
        /// Expressions held in memory at one time.
        #[arg(long, default_value_t = 1_000_000)]
        held: u32,
    },
    /// Every scheme by which senders prove themselves, and the prompt of a pull request.
    Schemes {
        /// Calls for each scheme.
        #[arg(long, default_value_t = 20_000)]
        calls: u32,
        /// The size of the body in bytes.
        #[arg(long, default_value_t = 10 << 10)]
        body_bytes: usize,
    },
    /// An anchor as a process of its own, so that its CPU time can be told apart.
    #[command(hide = true)]
    Anchor {
        /// Whether it also appends to a log and waits for fdatasync.
        #[arg(long)]
        log: Option<std::path::PathBuf>,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().benchmark {
        Benchmark::Cron { schedules, calls, rate, seconds, at_once } => {
            let span = Duration::from_secs(seconds);
            cron::run(&cron::Plan { schedules, calls, rate, span, at_once })
        }
        Benchmark::Delivery { deliveries, endpoints, seconds, rounds, headgate } => {
            let span = Duration::from_secs(seconds);
            delivery::run(&delivery::Plan { deliveries, endpoints, span, rounds, headgate })
        }
        Benchmark::Expressions { calls, held } => {
            expressions::run(&expressions::Plan { calls, held })
        }
        Benchmark::Ingest { connections, seconds, rounds, body_bytes } => {
            let span = Duration::from_secs(seconds);
            ingest::run(&ingest::Plan { connections, span, rounds, body_bytes })
        }
        Benchmark::Smtp { messages, seconds, rounds, postfix, headgate } => {
            let span = Duration::from_secs(seconds);
            smtp::run(&smtp::Plan { messages, span, rounds, postfix, headgate })
        }
        Benchmark::Slack { calls, rate, seconds } => {
            slack::run(&slack::Plan { calls, rate, span: Duration::from_secs(seconds) })
        }
        Benchmark::Slow { slow, connections, seconds, rounds } => {
            let span = Duration::from_secs(seconds);
            slow::run(&slow::Plan { slow, connections, span, rounds })
        }
        Benchmark::Large { connections, large_mib, seconds, rounds, headgate } => {
            let (span, large_bytes) = (Duration::from_secs(seconds), large_mib << 20);
            large::run(&large::Plan { connections, large_bytes, span, rounds, headgate })
        }
        Benchmark::Consume { events, taken, body_bytes, concurrency, python, headgate } => {
            let plan = consume::Plan { events, taken, body_bytes, concurrency, python, headgate };
            consume::run(&plan)
        }
        Benchmark::Taker(arguments) => consume::taker::run(&arguments),
        Benchmark::Schemes { calls, body_bytes } => {
            schemes::run(&schemes::Plan { calls, body_bytes })
        }
        Benchmark::Drip { to, connections } => drip::run(to, connections),
        Benchmark::Store { events, connections, seconds, body_bytes } => {
            let span = Duration::from_secs(seconds);
            store::run(&store::Plan { events, connections, span, body_bytes })
        }
        Benchmark::Anchor { log } => server::run(log.as_deref()),
    }
}
