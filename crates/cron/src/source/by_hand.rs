//! Runs that somebody asks for. They move no cursor, and count for no limit of the schedule.

use super::{ChangeError, CronSource, Inner};
use crate::{Firing, Occurrence, Schedule, draft};
use chrono::{Offset, Utc};
use headgate_event::{
    Accepted, Timestamp,
    data::CronTrigger,
    limits::{BACKFILL_MAX, DRAFTS_PER_ACCEPT_MAX, RUN_KEY_BYTES_MAX},
};
use std::time::Duration;
use uuid::Uuid;

/// What a backfill made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backfilled {
    /// Runs that had not fired.
    pub fired: u64,
    /// Runs that had fired before: nothing fires twice.
    pub duplicates: u64,
}

impl CronSource {
    /// Runs a schedule at once, paused or not. The same key again, within 90 days, is the same run.
    pub async fn run_now(&self, id: Uuid, key: &str) -> Result<Accepted, ChangeError> {
        let fits = (1..=RUN_KEY_BYTES_MAX).contains(&key.len());
        if !fits || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ChangeError::RunKey { found: key.chars().take(80).collect() });
        }
        let schedule = self.inner.schedule(id)?;
        let now = self.inner.ports.clock.now();
        let occurrence = Occurrence { at: now, nominal: Vec::new(), offset: Utc.fix(), dst: None };
        let firing = Firing {
            run_key: Some(key.into()),
            ..by_hand(&schedule, occurrence, now, CronTrigger::Manual)
        };
        let accepted = self.apart(|inner| async move { inner.offer_runs(&[firing]).await }).await?;
        accepted.first().copied().ok_or(ChangeError::Unknown { id })
    }

    /// Makes the runs that were due from `from` to `to`, both included. What fired then does not
    /// fire again; what is not yet 90 days old is known for that.
    pub async fn backfill(
        &self,
        id: Uuid,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Backfilled, ChangeError> {
        let schedule = self.inner.schedule(id)?;
        let now = self.inner.ports.clock.now();
        if from > to || to > now {
            return Err(ChangeError::Range { from, to, now });
        }
        let mut firings = Vec::new();
        let mut cursor = from.minus(Duration::from_millis(1));
        while let Some(due) = schedule.timing().next_after(cursor).filter(|due| due.at <= to) {
            if firings.len() as u64 == BACKFILL_MAX {
                return Err(ChangeError::TooMany);
            }
            cursor = due.at;
            firings.push(by_hand(&schedule, due, now, CronTrigger::Backfill));
        }
        self.apart(|inner| async move {
            let mut made = Backfilled::default();
            for firings in firings.chunks(DRAFTS_PER_ACCEPT_MAX) {
                let accepted = inner.offer_runs(firings).await?;
                let new = accepted.iter().filter(|one| matches!(one, Accepted::New(_))).count();
                made.fired += new as u64;
                made.duplicates += (accepted.len() - new) as u64;
            }
            Ok(made)
        })
        .await
    }
}

impl Inner {
    fn schedule(&self, id: Uuid) -> Result<Schedule, ChangeError> {
        let schedule = self.core().schedule(id).cloned().ok_or(ChangeError::Unknown { id })?;
        if let Some(why) = schedule.timing().parked() {
            return Err(ChangeError::Parked { name: schedule.name().into(), why: why.into() });
        }
        Ok(schedule)
    }

    async fn offer_runs(&self, firings: &[Firing]) -> Result<Vec<Accepted>, ChangeError> {
        let key = &self.ports.prompt_key;
        let drafts = firings.iter().map(|firing| draft(firing, key)).collect();
        Ok(self.ports.sink.accept(drafts).await?)
    }
}

fn by_hand(
    schedule: &Schedule,
    occurrence: Occurrence,
    now: Timestamp,
    trigger: CronTrigger,
) -> Firing {
    Firing {
        schedule: schedule.clone(),
        due_at: occurrence.at,
        occurrence,
        fired_at: now,
        trigger,
        missed: 0,
        previous: None,
        run_key: None,
    }
}
