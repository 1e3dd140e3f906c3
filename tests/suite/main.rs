//! The whole program from outside: started, used, broken and started again.

mod backup;
mod bad_input;
mod bus;
mod cron;
mod damage;
mod durability;
mod fake_slack;
mod mail;
mod metrics;
mod openapi;
mod peers;
mod push;
mod quarantine;
mod reindex;
mod reload;
mod replay;
mod requests;
mod rust_client;
mod slack;
mod slow;
mod tour;
