//! The durable stream: what a subscription gives, leased, sent and settled.

use super::{
    connection::Ended,
    frames::{self, ErrorFrame},
    in_flight::InFlight,
    voice::Voice,
};
use crate::{
    api::Shared,
    error::ApiError,
    shown::{Shown, View},
};
use headgate_event::{
    Event,
    limits::{LEASE_WAIT_MS_MAX, STREAM_LEASE_DELIVERIES_MAX},
};
use headgate_queue::{AckMode, LeaseAsk, Settlement, Verb};
use std::{convert::Infallible, time::Duration};

/// What a client and we agreed on when the stream was opened.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) subscription: String,
    pub(super) ack: AckMode,
    pub(super) lease: Duration,
    pub(super) max_in_flight: usize,
    pub(super) view: View,
}

/// A stream of a subscription.
#[derive(Debug)]
pub(super) struct Durable {
    api: Shared,
    terms: Terms,
    in_flight: InFlight,
}

impl Durable {
    pub(super) fn new(api: &Shared, terms: Terms) -> Self {
        let in_flight = InFlight::new(terms.max_in_flight);
        Self { api: api.clone(), terms, in_flight }
    }

    fn shown(&self, event: Event) -> Shown {
        Shown { event: self.api.served(event), view: self.terms.view }
    }

    /// Whether sending an event settles it.
    pub(super) fn settles_by_sending(&self) -> bool {
        self.terms.ack == AckMode::OnSend
    }

    /// What it gives.
    pub(super) fn subscription(&self) -> &str {
        &self.terms.subscription
    }

    /// How long its leases last.
    pub(super) fn lease(&self) -> Duration {
        self.terms.lease
    }

    /// Leases and sends until the stream ends.
    pub(super) async fn speak(&self, voice: &mut impl Voice) -> Result<Infallible, Ended> {
        loop {
            let room = self.in_flight.room(self.api.clock.now());
            if room == 0 {
                voice.until(self.in_flight.freed(&*self.api.clock)).await?;
                continue;
            }
            let ask = LeaseAsk {
                max: room.min(STREAM_LEASE_DELIVERIES_MAX),
                wait: Duration::from_millis(LEASE_WAIT_MS_MAX),
                lease: Some(self.terms.lease),
                bytes: None,
            };
            let leasing = self.api.queue.lease(&self.terms.subscription, ask);
            let leased = voice.until(leasing).await?;
            self.send(voice, leased.map_err(|error| Ended::Queue(error.into()))?).await?;
        }
    }

    /// Sends what was leased. All of it counts as in flight first, so that what the socket does
    /// not take is given back.
    async fn send(&self, voice: &mut impl Voice, leased: Vec<Event>) -> Result<(), Ended> {
        leased.iter().filter_map(Event::delivery).for_each(|delivery| self.in_flight.add(delivery));
        let mut sent = Vec::with_capacity(leased.len());
        for event in leased {
            let Some(delivery) = event.delivery() else { continue };
            // While a slow client read the ones before it, this one's lease may have ended.
            if delivery.lease_expires_at > self.api.clock.now() {
                voice.event(&self.shown(event.clone())).await?;
                sent.push(delivery.id.clone());
            }
        }
        voice.flush().await?;
        let count = sent.len() as u64;
        metrics::counter!("headgate_stream_events_total", "kind" => "durable").increment(count);
        match self.terms.ack {
            AckMode::Explicit => Ok(()),
            AckMode::OnSend => self.ack_sent(sent).await,
        }
    }

    async fn ack_sent(&self, sent: Vec<String>) -> Result<(), Ended> {
        let acks: Vec<_> = sent.into_iter().map(|id| Settlement { id, verb: Verb::Ack }).collect();
        let ids: Vec<_> = acks.iter().map(|ack| ack.id.clone()).collect();
        let settled = self.api.queue.settle(&self.terms.subscription, acks).await;
        // One whose lease ended meanwhile comes again, as it would for a client that settles.
        settled.map_err(|error| Ended::Queue(error.into()))?;
        ids.iter().for_each(|id| self.in_flight.remove(id));
        Ok(())
    }

    /// Settles what the client said, all with one commit, and answers what could not be done.
    pub(super) async fn settle(&self, texts: &[String]) -> Vec<ErrorFrame> {
        let mut errors = Vec::new();
        let mut settlements = Vec::new();
        for text in texts {
            match frames::read(text) {
                Ok(settlement) => settlements.push(settlement),
                Err(error) => errors.push(error),
            }
        }
        if settlements.is_empty() {
            return errors;
        }
        let name = &self.terms.subscription;
        match self.api.queue.settle(name, settlements.clone()).await {
            Ok(results) => {
                for (settlement, result) in settlements.into_iter().zip(results) {
                    self.note(&settlement);
                    if let Err(error) = result {
                        errors.push(ErrorFrame::unsettled(&error, settlement.id));
                    }
                }
            }
            Err(error) => {
                let error = ApiError::from(error);
                let of = |settlement: Settlement| ErrorFrame::of(&error, Some(settlement.id));
                errors.extend(settlements.into_iter().map(of));
            }
        }
        errors
    }

    /// What was settled is no longer in flight; nor is what could not be, because its lease is
    /// over or it was never ours.
    fn note(&self, settlement: &Settlement) {
        match settlement.verb {
            Verb::Extend { lease } => {
                self.in_flight.extend(&settlement.id, self.api.clock.now().plus(lease));
            }
            Verb::Ack | Verb::Retry { .. } | Verb::Bury { .. } => {
                self.in_flight.remove(&settlement.id);
            }
        }
    }

    /// Gives back what the client did not settle, so that it need not wait for its lease to end.
    ///
    /// A first attempt is given again at once, a later one after the policy's wait: a client that
    /// connects and breaks over and over must not use up all attempts within seconds. When the
    /// program stops nothing is given back: its leases end with it and cost no attempt.
    pub(super) async fn give_back(&self, ended: &Ended) {
        let open = self.in_flight.take_all();
        if open.is_empty() || matches!(ended, Ended::Stopping) {
            return;
        }
        let give_back = |(id, attempt)| {
            let after = (attempt == 1).then_some(Duration::ZERO);
            let reason = Some("the stream closed before it was settled".to_owned());
            Settlement { id, verb: Verb::Retry { after, reason } }
        };
        let settlements = open.into_iter().map(give_back).collect();
        if let Err(error) = self.api.queue.settle(&self.terms.subscription, settlements).await {
            // Their leases end by themselves.
            tracing::debug!(%error, "the deliveries of a closed stream were not given back");
        }
    }
}
