//! What is allowed in a configuration and is most likely not meant: a subscription that no event
//! can ever fit, a schedule that may be due at other times than its author thinks.

use super::{Config, nearest::nearest};
use headgate_cron::{Schedule, Timing};
use headgate_event::{EventType, limits::DOUBTFUL_SCHEDULES_MAX};
use headgate_queue::SubscriptionSpec;
use std::{collections::HashMap, ptr, sync::Arc};

impl Config {
    /// What to warn of, each in a sentence.
    pub fn doubts(&self) -> Vec<String> {
        let subscriptions = self.subscriptions.iter().flat_map(doubts);
        subscriptions.chain(of_schedules(&self.channels.schedules)).collect()
    }

    /// The same for the log.
    pub fn tell_doubts(&self) {
        for doubt in self.doubts() {
            tracing::warn!(doubt, "doubtful in the configuration");
        }
    }
}

/// What to warn of at schedules: of the first that are doubtful by name, and how many there are
/// besides. Those with the same times are looked at once.
fn of_schedules(schedules: &[Schedule]) -> Vec<String> {
    let mut known: HashMap<*const Timing, Arc<[String]>> = HashMap::new();
    let (mut told, mut doubtful) = (Vec::new(), 0);
    for schedule in schedules {
        let found = known.entry(ptr::from_ref(&**schedule.timing()));
        let found = found.or_insert_with(|| schedule.timing().doubts().into());
        doubtful += usize::from(!found.is_empty());
        if doubtful <= DOUBTFUL_SCHEDULES_MAX {
            let (channel, name) = (&schedule.channel().id, schedule.name());
            told.extend(found.iter().map(|why| format!("schedule `{channel}/{name}`: {why}")));
        }
    }
    if let Some(more) = doubtful.checked_sub(DOUBTFUL_SCHEDULES_MAX).filter(|more| *more > 0) {
        told.push(format!(
            "{more} more schedules are doubtful: `headgate cron explain` says why each is"
        ));
    }
    told
}

/// What to warn of at one subscription.
pub fn doubts(spec: &SubscriptionSpec) -> Vec<String> {
    let name = &spec.name;
    let nothing = spec.selection.fits_nothing();
    let nothing = nothing.map(|why| format!("subscription `{name}` can get no event: {why}"));
    let own = [
        EventType::WEBHOOK_RECEIVED,
        EventType::EMAIL_RECEIVED,
        EventType::SLACK_EVENT,
        EventType::CRON_FIRED,
    ];
    let own: Vec<&str> = own.iter().map(EventType::as_str).collect();
    // An application may name its events as it likes, but hardly like one of ours with a slip.
    let meant = spec.selection.asked_types().into_iter().filter_map(|found| {
        let meant = nearest(&found, own.iter().copied()).filter(|meant| *meant != found)?;
        Some(format!(
            "subscription `{name}` asks for events of type `{found}`, which none of Headgate's \
             sources makes: is `{meant}` meant?"
        ))
    });
    nothing.into_iter().chain(meant).collect()
}

#[cfg(test)]
mod tests {
    use super::doubts;
    use headgate_queue::SubscriptionSpec;

    #[test]
    fn a_subscription_that_nothing_can_fit_is_doubted() {
        let mut shown = String::new();
        for filter in [
            "type == 'webhook.recieved'",
            "provider == 'github' && provider == 'stripe'",
            "type == 'webhook.received' && channel == 'b'",
            "type in ['email.received', 'proposal.received'] || channel == 'b'",
        ] {
            let mut spec = SubscriptionSpec::new("agent");
            spec.selection.channels = vec!["a".into()];
            spec.selection.filter = Some(filter.parse().expect("a filter"));
            shown += &format!("{filter}\n");
            doubts(&spec).iter().for_each(|doubt| shown += &format!("    {doubt}\n"));
        }
        insta::assert_snapshot!(shown);
    }
}
