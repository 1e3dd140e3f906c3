//! One moment, and no other.

use super::{every::utc, zoned::SharedZone};
use crate::{CivilTimes, DstPolicy, FiringClass, Occurrence, next_occurrence};
use chrono::{NaiveDateTime, TimeDelta};
use headgate_event::Timestamp;
use std::sync::Arc;

/// One moment. It fires once; a schedule that is made after it never fires.
#[derive(Debug)]
pub struct At {
    moment: Moment,
    text: Box<str>,
}

#[derive(Debug)]
enum Moment {
    /// Known in UTC.
    Instant(Timestamp),
    /// Named by a wall clock: when that shows it is the zone's to say, whose rules may change.
    Civil(NaiveDateTime, Arc<SharedZone>),
}

/// What tells a moment from another one: itself, or how it was written and in which zone.
#[derive(PartialEq, Eq)]
pub(super) enum AtIdentity<'a> {
    Instant(Timestamp),
    Civil(&'a str, &'a str),
}

/// A wall clock time as the only one of a schedule.
struct Once(NaiveDateTime);

impl At {
    /// A moment that is known in UTC.
    #[must_use]
    pub fn instant(at: Timestamp) -> Self {
        Self { moment: Moment::Instant(at), text: at.to_string().into() }
    }

    /// What the wall clock of a zone shows once, as written; none when it never does.
    pub(super) fn civil(civil: NaiveDateTime, text: &str, zone: Arc<SharedZone>) -> Option<Self> {
        let at = Self { moment: Moment::Civil(civil, zone), text: text.into() };
        let day_before = civil.checked_sub_signed(TimeDelta::days(2)).unwrap_or(civil);
        at.next_after(Timestamp::from_unix_s(day_before.and_utc().timestamp())).map(|_| at)
    }

    pub(super) fn next_after(&self, cursor: Timestamp) -> Option<Occurrence> {
        match &self.moment {
            Moment::Instant(at) => (*at > cursor).then(|| Occurrence {
                at: *at,
                nominal: Vec::new(),
                offset: utc(),
                dst: None,
            }),
            Moment::Civil(civil, zone) => {
                let rules = zone.rules.load();
                next_occurrence(&Once(*civil), &**rules, DstPolicy::default(), cursor)
            }
        }
    }

    /// Where a wall clock names it, it has fired when that clock showed it, wherever the zone's
    /// rules put it afterwards.
    pub(super) fn class(&self) -> FiringClass {
        match self.moment {
            Moment::Instant(_) => FiringClass::Interval,
            Moment::Civil(..) => FiringClass::Fixed,
        }
    }

    /// What tells it from another one, also in a later run of the program.
    pub(super) fn identity(&self) -> AtIdentity<'_> {
        match &self.moment {
            Moment::Instant(at) => AtIdentity::Instant(*at),
            Moment::Civil(_, zone) => AtIdentity::Civil(&self.text, &zone.name),
        }
    }

    pub(super) fn doubts(&self) -> Vec<String> {
        match &self.moment {
            Moment::Instant(_) => Vec::new(),
            Moment::Civil(_, zone) => zone.doubts(),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn timezone(&self) -> &str {
        match &self.moment {
            Moment::Instant(_) => "UTC",
            Moment::Civil(_, zone) => &zone.name,
        }
    }
}

impl CivilTimes for Once {
    fn next_after(&self, civil: NaiveDateTime) -> Option<NaiveDateTime> {
        (civil < self.0).then_some(self.0)
    }

    fn class(&self) -> FiringClass {
        FiringClass::Fixed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Rules, Schedule, ScheduleOrigin, ScheduleSpec, Ticker, Timing, Zones, ticker::Outcome,
    };
    use headgate_event::{Channel, ChannelType, EventId};
    use serde_json::value::RawValue;

    /// A moment by the wall clock of New York, and its zone.
    fn at_nine() -> (At, Arc<SharedZone>) {
        let zone = Zones::embedded().zone("America/New_York").expect("it is known");
        let zone = Arc::new(SharedZone::new(zone));
        let text = "2027-03-01T09:00";
        let civil = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").expect("a time");
        (At::civil(civil, text, Arc::clone(&zone)).expect("it is shown"), zone)
    }

    /// The zone has other rules from here on.
    fn change_to(zone: &SharedZone, rules: &str) {
        zone.rules.store(Zones::embedded().zone(rules).expect("it is known").rules);
    }

    fn instant(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn ticker(at: At) -> Ticker {
        let channel = Channel::new("timers", "Timers", ChannelType::Cron).expect("fits");
        let spec = ScheduleSpec {
            id: Schedule::id_of(&channel, "once", None).expect("fits"),
            channel: Arc::new(channel),
            name: "once".into(),
            timing: Arc::new(Timing::At(at)),
            payload: RawValue::from_string("{}".into()).expect("JSON"),
            rules: Arc::new(Rules::default()),
            enabled: true,
            origin: ScheduleOrigin::Toml,
        };
        let mut ticker = Ticker::default();
        let schedule = Schedule::new(spec).expect("fits");
        ticker.reload(vec![schedule], instant("2027-01-01T00:00:00Z")).expect("one");
        ticker
    }

    fn fired(ticker: &mut Ticker, now: &str) -> usize {
        let batch = ticker.due(instant(now));
        let id = EventId::from_parts(batch.now, 1);
        ticker.settle(&batch, &vec![Outcome::Stored(id); batch.firings.len()]);
        batch.firings.len()
    }

    #[test]
    fn a_wall_clock_time_moves_with_the_rules_of_its_zone() {
        let (at, zone) = at_nine();
        let before = at.next_after(instant("2027-01-01T00:00:00Z")).map(|next| next.at);
        assert_eq!(before, Some(instant("2027-03-01T14:00:00Z")));
        change_to(&zone, "America/Chicago");
        let after = at.next_after(instant("2027-01-01T00:00:00Z")).map(|next| next.at);
        assert_eq!(after, Some(instant("2027-03-01T15:00:00Z")));
    }

    #[test]
    fn it_fires_where_the_new_rules_put_it() {
        let (at, zone) = at_nine();
        let mut ticker = ticker(at);
        change_to(&zone, "America/Chicago");
        ticker.zones_changed();
        assert_eq!(fired(&mut ticker, "2027-03-01T14:00:00Z"), 0);
        assert_eq!(fired(&mut ticker, "2027-03-01T15:00:00Z"), 1);
    }

    #[test]
    fn what_has_fired_does_not_fire_again_when_new_rules_put_it_later() {
        let (at, zone) = at_nine();
        let mut ticker = ticker(at);
        assert_eq!(fired(&mut ticker, "2027-03-01T14:00:00Z"), 1);
        change_to(&zone, "America/Chicago");
        ticker.zones_changed();
        assert_eq!(fired(&mut ticker, "2027-03-01T15:00:00Z"), 0);
    }
}
