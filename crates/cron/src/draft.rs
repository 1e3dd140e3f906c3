//! The event of a firing.
//!
//! Its dedupe key is what makes each occurrence fire once, over crashes and several processes: the
//! cursor only says where to look from.

mod words;

use crate::{DstMark, Firing};
use bytes::Bytes;
use headgate_event::{
    Correlation, DataText, Dedupe, Draft, EventType, Verification,
    data::{CronData, CronDst, CronTrigger},
    limits::{DEDUPE_WINDOW_DEFAULT, DEDUPE_WINDOW_MAX, PROMPT_BYTES_MAX},
    prompt::{self, About, PromptKey},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The event of a firing, with its prompt by the installation's key.
#[must_use]
pub fn draft(firing: &Firing, key: &PromptKey) -> Draft {
    let schedule = &firing.schedule;
    let verification = Verification::internal();
    let channel = Arc::clone(schedule.channel());
    let about =
        About { channel: &channel, verification: &verification, created_at: firing.fired_at };
    let rendering = words::rendering(firing);
    let prompt = prompt::render(&about, &rendering, key, PROMPT_BYTES_MAX);
    Draft {
        identity: None,
        event_type: EventType::CRON_FIRED,
        created_at: firing.fired_at,
        provider: None,
        provider_event: None,
        verification,
        dedupe: Some(dedupe(firing)),
        thread_key: None,
        correlation: Correlation::default(),
        data: DataText::whole(&data(firing)),
        metadata: BTreeMap::new(),
        prompt,
        raw: Bytes::new(),
        channel,
    }
}

/// What makes a firing known as one that happened. It cannot be switched off.
///
/// The key is the occurrence of the schedule (`cron:{id}:{scheduled_at}`), or the run by hand. It
/// is known as long as the occurrence may be caught up, with a day to spare, and a week at least;
/// what is asked for by hand may be older.
#[must_use]
pub fn dedupe(firing: &Firing) -> Dedupe {
    let (id, at) = (firing.schedule.id(), firing.occurrence.at);
    let key = match &firing.run_key {
        Some(key) => format!("cron:{id}:run:{key}"),
        None => format!("cron:{id}:{at}"),
    };
    let window = match firing.trigger {
        CronTrigger::Backfill | CronTrigger::Manual => DEDUPE_WINDOW_MAX,
        CronTrigger::Schedule | CronTrigger::Catchup => {
            let rules = firing.schedule.rules();
            (rules.catchup.window + rules.jitter + DAY).max(DEDUPE_WINDOW_DEFAULT)
        }
    };
    Dedupe { key, window }
}

fn data(firing: &Firing) -> CronData {
    let Firing { schedule, occurrence, .. } = firing;
    let nominal = occurrence.nominal.first();
    CronData {
        schedule_id: schedule.id().to_string(),
        cron_expr: schedule.timing().expression(),
        timezone: schedule.timing().timezone().to_owned(),
        scheduled_at: occurrence.at,
        fired_at: firing.fired_at,
        payload: schedule.payload().to_owned(),
        schedule_name: Some(schedule.name().to_owned()),
        missed_count: firing.missed,
        late_by_ms: late_by_ms(firing),
        nominal_local: nominal.map(|civil| civil.format("%Y-%m-%dT%H:%M:%S").to_string()),
        utc_offset: Some(occurrence.offset.to_string()),
        dst: occurrence.dst.map(|mark| CronDst::from(mark).into()),
        trigger: firing.trigger.into(),
    }
}

impl From<DstMark> for CronDst {
    fn from(mark: DstMark) -> Self {
        match mark {
            DstMark::Gap => Self::Gap,
            DstMark::FirstPass => Self::Fold1,
            DstMark::SecondPass => Self::Fold2,
        }
    }
}

/// How long after its due time a firing is, in milliseconds.
fn late_by_ms(firing: &Firing) -> u64 {
    u64::try_from(firing.fired_at.since(firing.due_at).as_millis()).unwrap_or(u64::MAX)
}
