//! The durable stream: what a subscription gives, leased, sent and settled.

use super::{
    connection::Ended,
    frames::{self, ErrorFrame, Said},
    in_flight::{InFlight, Open},
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
use headgate_queue::{AckMode, LeaseAsk, QueueError, SettleError, Settlement, Verb};
use std::{convert::Infallible, future::pending, time::Duration};
use tokio::sync::watch;

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
    /// Whether the client asked for no more.
    draining: watch::Sender<bool>,
}

impl Durable {
    pub(super) fn new(api: &Shared, terms: Terms) -> Self {
        let in_flight = InFlight::new(terms.max_in_flight);
        Self { api: api.clone(), terms, in_flight, draining: watch::Sender::new(false) }
    }

    fn shown(&self, event: Event) -> Shown {
        Shown { event: self.api.served(event), view: self.terms.view }
    }

    /// Who settles: the client, or sending.
    pub(super) fn ack(&self) -> AckMode {
        self.terms.ack
    }

    /// What it gives.
    pub(super) fn subscription(&self) -> &str {
        &self.terms.subscription
    }

    /// How long its leases last.
    pub(super) fn lease(&self) -> Duration {
        self.terms.lease
    }

    /// Leases and sends until the stream ends. To a client that wants no more nothing is sent from
    /// then on, and no word about it comes before the last event.
    pub(super) async fn speak(&self, voice: &mut impl Voice) -> Result<Infallible, Ended> {
        let mut drained = self.draining.subscribe();
        loop {
            let next = async {
                tokio::select! {
                    biased;
                    // Nobody else could end it: the sender lives as long as this.
                    _ = drained.wait_for(|drained| *drained) => None,
                    leased = self.take_leases() => Some(leased),
                }
            };
            let Some(leased) = voice.until(next).await? else {
                voice.drained().await?;
                return voice.until(pending()).await;
            };
            self.send(voice, leased.map_err(|error| Ended::Queue(error.into()))?).await?;
        }
    }

    /// Waits for room and leases as much as there is. Dropping it leaves nothing leased.
    async fn take_leases(&self) -> Result<Vec<Event>, QueueError> {
        let room = loop {
            let room = self.in_flight.room(self.api.clock.now());
            if room > 0 {
                break room;
            }
            self.in_flight.freed(&*self.api.clock).await;
        };
        let ask = LeaseAsk {
            max: room.min(STREAM_LEASE_DELIVERIES_MAX),
            wait: Duration::from_millis(LEASE_WAIT_MS_MAX),
            lease: Some(self.terms.lease),
            bytes: None,
        };
        self.api.queue.lease(&self.terms.subscription, ask).await
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

    /// Does what the client said, settles with one commit, and answers what could not be done.
    pub(super) async fn take(&self, texts: &[String]) -> Vec<ErrorFrame> {
        let mut errors = Vec::new();
        let mut settlements = Vec::new();
        for text in texts {
            match frames::read(text) {
                Ok(Said::Settled(settlement)) => settlements.push(settlement),
                Ok(Said::Released(id)) => match self.release(id) {
                    Ok(settlement) => settlements.push(settlement),
                    Err(error) => errors.push(error),
                },
                Ok(Said::Drain) => drop(self.draining.send_replace(true)),
                Err(error) => errors.push(error),
            }
        }
        if !settlements.is_empty() {
            self.settle(settlements, &mut errors).await;
        }
        errors
    }

    /// Only what this stream has in flight: another may have been given the same attempt since.
    fn release(&self, id: String) -> Result<Settlement, ErrorFrame> {
        let Some(lease_ends) = self.in_flight.lease_ends(&id) else {
            let error = SettleError::LeaseExpired { id: id.clone() };
            return Err(ErrorFrame::unsettled(&error, id));
        };
        Ok(Settlement { id, verb: Verb::Release { lease_ends } })
    }

    async fn settle(&self, settlements: Vec<Settlement>, errors: &mut Vec<ErrorFrame>) {
        let name = &self.terms.subscription;
        match self.api.queue.settle(name, settlements.clone()).await {
            Ok(results) => {
                for (settlement, result) in settlements.into_iter().zip(results) {
                    self.note(&settlement, result.is_ok());
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
    }

    /// What was settled is no longer in flight; nor is what could not be, because its lease is
    /// over or it was never ours.
    fn note(&self, settlement: &Settlement, is_done: bool) {
        match settlement.verb {
            Verb::Extend { lease } if is_done => {
                self.in_flight.extend(&settlement.id, self.api.clock.now().plus(lease));
            }
            _ => self.in_flight.remove(&settlement.id),
        }
    }

    /// Gives back what the client did not settle, so that it need not wait for its lease to end.
    ///
    /// A first attempt is given again at once, a later one after the policy's wait: a client that
    /// connects and breaks over and over must not use up all attempts within seconds. When the
    /// program stops nothing is given back: its leases end with it and cost no attempt. What a
    /// client has renewed by a call, because its stream broke before we knew, it still works on.
    pub(super) async fn give_back(&self, ended: &Ended) {
        let open = self.in_flight.take_all();
        if open.is_empty() || matches!(ended, Ended::Stopping) {
            return;
        }
        let give_back = |(id, Open { lease_ends, attempt })| {
            let after = (attempt == 1).then_some(Duration::ZERO);
            let reason = Some("the stream closed before it was settled".to_owned());
            Settlement { id, verb: Verb::GiveBack { after, reason, lease_ends } }
        };
        let settlements = open.into_iter().map(give_back).collect();
        if let Err(error) = self.api.queue.settle(&self.terms.subscription, settlements).await {
            // Their leases end by themselves.
            tracing::debug!(%error, "the deliveries of a closed stream were not given back");
        }
    }
}
