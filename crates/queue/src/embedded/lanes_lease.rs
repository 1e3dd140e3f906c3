//! What consumers take of replays, and say of them: the deliveries of a replay are leased and
//! settled by the name of its subscription.

use super::{Embedded, committer::What, search::Catch};
use crate::{
    DeliveryId, LeaseAsk, QueueError, Seq, SettleError, Settlement, attempt::NotedAttempt,
    subscription::Subscriber,
};
use headgate_event::Timestamp;
use std::{collections::BTreeMap, sync::Arc};

/// What was found of each replay.
type Found = Vec<(Arc<Subscriber>, Catch)>;

impl Embedded {
    /// Ends the leases of replays that are over, and replays of which everything has ended.
    pub(super) async fn end_leases_of_replays(
        &self,
        lanes: &[Arc<Subscriber>],
        now: Timestamp,
        head: Seq,
    ) -> Result<(), QueueError> {
        for lane in lanes {
            let overdue = lane.held().deliveries.overdue(now);
            if overdue {
                unless_ended(self.move_for(lane, now, head, What::EndLeases).await)?;
            } else if lane.is_finished() {
                self.committer.tell(Arc::clone(lane), now, head, What::Note);
            }
        }
        Ok(())
    }

    /// Deliveries of these replays, each in its turn, beside live ones of so many bytes, when
    /// there are any.
    pub(super) async fn found_of_replays(
        &self,
        lanes: &[Arc<Subscriber>],
        ask: LeaseAsk,
        mut taken: Option<usize>,
        head: Seq,
    ) -> Result<Found, QueueError> {
        let now = self.clock.now();
        let (mut found, mut left) = (Found::new(), ask.max);
        // None is always first.
        let turn = self.lanes.turn() % lanes.len().max(1);
        for (at, lane) in lanes.iter().cycle().skip(turn).take(lanes.len()).enumerate() {
            let part = left.div_ceil(lanes.len() - at);
            let bytes = ask.bytes.map(|bytes| bytes.saturating_sub(taken.unwrap_or(0)));
            let ask = LeaseAsk { max: part, bytes, ..ask };
            if part == 0 {
                continue;
            }
            match unless_ended(self.found(lane, ask, now, head).await) {
                Ok(None | Some(None)) => {}
                Ok(Some(Some(one))) => {
                    left -= one.len().min(left);
                    taken = Some(taken.unwrap_or(0) + one.bytes());
                    found.push((Arc::clone(lane), one));
                }
                // It has its turn when there is nothing beside it.
                Err(QueueError::Larger { .. }) if taken.is_some() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Settles deliveries of a subscription and of its replays, and answers for each in its order.
    pub(super) async fn settle_each(
        &self,
        known: &Arc<Subscriber>,
        lanes: &[Arc<Subscriber>],
        settlements: Vec<Settlement>,
        mut attempts: Vec<NotedAttempt>,
    ) -> Result<Vec<Result<(), SettleError>>, QueueError> {
        let mut results: Vec<Option<Result<(), SettleError>>> = vec![None; settlements.len()];
        let mut groups: BTreeMap<u64, Vec<(usize, Settlement)>> = BTreeMap::new();
        for (at, settlement) in settlements.into_iter().enumerate() {
            let generation = settlement.id.parse::<DeliveryId>().map_or(0, |id| id.generation);
            groups.entry(generation).or_default().push((at, settlement));
        }
        for (generation, group) in groups {
            let (places, group): (Vec<usize>, Vec<Settlement>) = group.into_iter().unzip();
            let lane = lanes.iter().find(|lane| lane.generation() == generation);
            let answers = match (lane, self.lanes.ended(generation)) {
                (Some(lane), _) => self.settle_of_replay(lane, group).await?,
                (None, Some(ended)) => {
                    group.into_iter().map(|one| Err(ended.late(one.id))).collect()
                }
                (None, None) => self.settle_of(known, group, std::mem::take(&mut attempts)).await?,
            };
            for (place, answer) in places.into_iter().zip(answers) {
                if let Some(result) = results.get_mut(place) {
                    *result = Some(answer);
                }
            }
        }
        if !attempts.is_empty() {
            // Attempts of replays are told with those of the subscription.
            self.settle_of(known, Vec::new(), attempts).await?;
        }
        let unknown = || Err(SettleError::Unknown { id: String::new() });
        Ok(results.into_iter().map(|result| result.unwrap_or_else(unknown)).collect())
    }

    /// The same for one replay, which may end meanwhile.
    async fn settle_of_replay(
        &self,
        lane: &Arc<Subscriber>,
        settlements: Vec<Settlement>,
    ) -> Result<Vec<Result<(), SettleError>>, QueueError> {
        let settled = self.settle_of(lane, settlements.clone(), Vec::new()).await;
        match (settled, self.lanes.ended(lane.generation())) {
            (Err(QueueError::UnknownSubscription { .. }), Some(ended)) => {
                Ok(settlements.into_iter().map(|one| Err(ended.late(one.id))).collect())
            }
            (settled, _) => settled,
        }
    }
}

/// What came of a call for a replay; none when it has ended or was cancelled meanwhile.
pub(super) fn unless_ended<T>(answer: Result<T, QueueError>) -> Result<Option<T>, QueueError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(QueueError::UnknownSubscription { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
