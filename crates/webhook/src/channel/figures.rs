//! What is counted of a channel. Each figure is looked up in the recorder once, when it is first
//! needed: a lookup costs as much as some headers.

use headgate_event::Channel;
use metrics::{Counter, Histogram, counter, histogram};
use std::{sync::OnceLock, time::Duration};

/// The figures of a channel.
#[derive(Default)]
pub(crate) struct Figures {
    answer_seconds: OnceLock<Histogram>,
    events: OnceLock<Counter>,
    duplicates: OnceLock<Counter>,
}

impl Figures {
    /// A request was answered after so long.
    pub(crate) fn answered(&self, channel: &Channel, after: Duration) {
        let name = || channel.id.clone();
        self.answer_seconds
            .get_or_init(|| histogram!("headgate_webhook_answer_seconds", "channel" => name()))
            .record(after);
    }

    /// An event was stored.
    pub(crate) fn stored(&self, channel: &Channel, provider: &str) {
        let (name, provider) = (|| channel.id.clone(), || provider.to_owned());
        self.events
            .get_or_init(|| {
                counter!(
                    "headgate_webhook_events_total",
                    "channel" => name(),
                    "provider" => provider()
                )
            })
            .increment(1);
    }

    /// A repeat came.
    pub(crate) fn repeated(&self, channel: &Channel) {
        let name = || channel.id.clone();
        self.duplicates
            .get_or_init(|| counter!("headgate_webhook_duplicates_total", "channel" => name()))
            .increment(1);
    }
}
