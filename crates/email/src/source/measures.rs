//! What is counted of messages.

use metrics::counter;

/// A message that is stored for a channel, or was before.
pub(crate) fn stored(channel: &str, duplicate: bool) {
    let name = channel.to_owned();
    if duplicate {
        counter!("headgate_email_duplicates_total", "channel" => name).increment(1);
    } else {
        counter!("headgate_email_events_total", "channel" => name).increment(1);
    }
}

/// A request of a provider that tells of something other than a message.
pub(crate) fn passed_over(channel: &str) {
    let name = channel.to_owned();
    counter!("headgate_email_passed_over_total", "channel" => name).increment(1);
}

/// A carrier of messages that was answered whether it may send.
pub(crate) fn shook_hands(channel: &str, handshake: String) {
    let name = channel.to_owned();
    counter!("headgate_email_handshakes_total", "channel" => name, "handshake" => handshake)
        .increment(1);
}

/// A message that a channel does not take.
pub(crate) fn rejected(channel: &str, code: &'static str) {
    let name = channel.to_owned();
    counter!("headgate_email_rejected_total", "channel" => name, "code" => code).increment(1);
}
