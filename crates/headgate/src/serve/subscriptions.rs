//! Brings the subscriptions of the queue in line with those of the configuration.

use super::reload::Unfinished;
use crate::config::doubts;
use anyhow::Context;
use headgate_queue::{Queue, SubscriptionSpec, SubscriptionStatus};
use std::collections::BTreeMap;

/// Makes and changes the configured subscriptions. One that has left the configuration stays, with
/// all it has not settled, and belongs to the API from then on.
pub(super) async fn bring_in_line(
    queue: &dyn Queue,
    configured: &[SubscriptionSpec],
) -> Result<(), Unfinished> {
    let mut changed = Vec::new();
    let brought = bring_each(queue, configured, &mut changed).await;
    brought.map_err(|cause| Unfinished { changed, cause })
}

/// Each is stored by itself, so `changed` names those that were when a disk refuses another.
async fn bring_each(
    queue: &dyn Queue,
    configured: &[SubscriptionSpec],
    changed: &mut Vec<String>,
) -> anyhow::Result<()> {
    let there = queue.subscriptions().await.context("read the subscriptions")?;
    let there: BTreeMap<String, SubscriptionStatus> =
        there.into_iter().map(|status| (status.spec.name.clone(), status)).collect();
    for spec in configured {
        for doubt in doubts(spec) {
            tracing::warn!("{doubt}");
        }
        let mut spec = spec.clone();
        // Pausing is the API's; the configuration does not speak of it.
        spec.paused = there.get(&spec.name).is_some_and(|status| status.spec.paused);
        if there.get(&spec.name).is_some_and(|status| status.spec == spec) {
            continue;
        }
        let name = spec.name.clone();
        let put = queue.put_subscription(spec).await;
        put.with_context(|| format!("make subscription `{name}`"))?;
        changed.push(format!("subscription `{name}`"));
    }
    let left = there
        .into_values()
        .map(|status| status.spec)
        .filter(|spec| spec.configured && !configured.iter().any(|other| other.name == spec.name));
    for mut spec in left {
        spec.configured = false;
        let (name, pushes) = (spec.name.clone(), spec.push.is_some());
        let put = queue.put_subscription(spec).await;
        put.with_context(|| format!("hand subscription `{name}` to the API"))?;
        changed.push(format!("subscription `{name}`"));
        if pushes {
            tracing::warn!(
                subscription = name,
                "the subscription left the configuration, and its secrets with it: nothing is \
                 pushed until it is given secrets over the API, which can end it too"
            );
        } else {
            tracing::warn!(
                subscription = name,
                "the subscription left the configuration; it goes on, and the API can end it"
            );
        }
    }
    Ok(())
}
