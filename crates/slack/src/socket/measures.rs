//! What is counted and logged of Socket Mode.

use super::{
    pool::{Alarm, Counted, Ending, Refusal},
    watch::SocketStatus,
};
use metrics::{counter, gauge};

/// Counts what the pool says, and logs what an operator may want to know.
pub(super) fn count(channel: &str, counted: &Counted) {
    match counted {
        Counted::Ended(ending) => ended(channel, ending),
        Counted::Unstored => envelope(channel, "unstored"),
        Counted::Overflowed => envelope(channel, "overflowed"),
        Counted::Unacknowledged => envelope(channel, "connection_gone"),
        Counted::WithoutId => envelope(channel, "without_id"),
        Counted::AnswerTooLarge => {
            tracing::warn!(channel, "an answer was left out: Slack drops what is 20 KB or larger");
            let name = channel.to_owned();
            counter!("headgate_slack_socket_answers_too_large_total", "channel" => name)
                .increment(1);
        }
    }
}

/// An envelope that was not acknowledged, by reason.
fn envelope(channel: &str, reason: &'static str) {
    tracing::debug!(channel, reason, "an envelope is not acknowledged");
    let name = channel.to_owned();
    counter!("headgate_slack_socket_unacknowledged_total", "channel" => name, "reason" => reason)
        .increment(1);
}

fn ended(channel: &str, ending: &Ending) {
    let reason = ending.as_str();
    match ending {
        Ending::Refused(Refusal::Passing(cause)) => {
            tracing::warn!(channel, reason, cause, "no connection to Slack");
        }
        Ending::Refused(_) | Ending::Silent | Ending::HalfOpen => {
            tracing::warn!(channel, reason, "a connection to Slack is replaced");
        }
        Ending::Aged | Ending::Told(_) | Ending::Closed => {
            tracing::info!(channel, reason, "a connection to Slack is replaced");
        }
    }
    let name = channel.to_owned();
    counter!("headgate_slack_socket_reconnects_total", "channel" => name, "reason" => reason)
        .increment(1);
}

/// Tells a person.
pub(super) fn alarm(channel: &str, alarm: &Alarm) {
    tracing::error!(channel, alarm = %alarm, "Slack's Socket Mode needs somebody");
    let name = channel.to_owned();
    counter!("headgate_slack_socket_alarms_total", "channel" => name).increment(1);
}

/// Shows how it stands.
#[expect(clippy::cast_precision_loss, reason = "there are a few connections")]
pub(super) fn show(channel: &str, status: &SocketStatus) {
    let set =
        |name: &'static str, value: f64| gauge!(name, "channel" => channel.to_owned()).set(value);
    set("headgate_slack_socket_connections", status.pool.connections as f64);
    set("headgate_slack_socket_listening", status.pool.listening as f64);
    set("headgate_slack_socket_ready", f64::from(u8::from(status.pool.ready)));
    if let Some(age) = status.last_frame_age() {
        set("headgate_slack_socket_last_frame_age_seconds", age.as_secs_f64());
    }
}
