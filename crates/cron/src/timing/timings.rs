//! Makes timings of texts. Those that are the same are shared, so that a million schedules hold as
//! few expressions as they have different ones.

use super::{At, CronTiming, Every, EveryError, Timing, zoned::SharedZone, zoned::Zoned};
use crate::{DstPolicy, Expression, ExpressionError, Fields, Rules, ZoneNameError, Zones};
use chrono::NaiveDateTime;
use hashbrown::{Equivalent, HashMap};
use headgate_event::{Timestamp, limits::TIMINGS_UNUSED_MAX};
use std::{collections::HashSet, hash::RandomState, sync::Arc, time::Duration};
use uuid::Uuid;

/// Makes timings of texts, and shares those that are the same.
#[derive(Debug)]
pub struct Timings {
    zones: Arc<Zones>,
    shared: std::collections::HashMap<Arc<str>, Arc<SharedZone>>,
    /// By text, fields, zone and policy; not those that depend on the schedule as well.
    cron: HashMap<Key, Arc<Timing>, RandomState>,
    rules: HashSet<Arc<Rules>>,
    /// How many were kept when what is unused was let go of last.
    kept: usize,
}

/// What a cron timing is made of, kept to know it again.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    expression: Box<str>,
    fields: Fields,
    timezone: Box<str>,
    policy: DstPolicy,
}

impl Key {
    fn of(text: CronText<'_>) -> Self {
        let CronText { expression, fields, timezone, policy } = text;
        Self { expression: expression.into(), fields, timezone: timezone.into(), policy }
    }
}

impl Equivalent<Key> for CronText<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        (self.expression, self.timezone) == (&*key.expression, &*key.timezone)
            && (self.fields, self.policy) == (key.fields, key.policy)
    }
}

/// A cron expression as it is configured.
#[derive(Clone, Copy, Debug, Hash)]
pub struct CronText<'a> {
    /// The expression.
    pub expression: &'a str,
    /// How many fields it may have.
    pub fields: Fields,
    /// The IANA name of its time zone.
    pub timezone: &'a str,
    /// What the turning of the wall clock does.
    pub policy: DstPolicy,
}

/// Why a text is no timing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TimingError {
    /// The expression is wrong, or would never fire.
    #[error(transparent)]
    Expression(#[from] ExpressionError),
    /// There is no such time zone.
    #[error(transparent)]
    Zone(#[from] ZoneNameError),
    /// The span is none.
    #[error(transparent)]
    Every(#[from] EveryError),
    /// The moment is none.
    #[error(
        "`at`: expected a time such as `2026-12-24T18:00` with `timezone`, or \
         `2026-12-24T18:00:00Z`, found `{found}`"
    )]
    At {
        /// The beginning of the text.
        found: String,
    },
    /// A wall clock time without a zone is no moment.
    #[error("`at`: `{found}` has no offset: expected `timezone` beside it")]
    NoZone {
        /// The text.
        found: String,
    },
    /// The wall clock of the zone never shows that time.
    #[error("`at`: there is no `{found}` in {timezone}")]
    NeverShown {
        /// The text.
        found: String,
        /// The name of the zone.
        timezone: String,
    },
}

impl Timings {
    /// Timings in these zones.
    #[must_use]
    pub fn new(zones: Arc<Zones>) -> Self {
        let (shared, cron, rules) = (Default::default(), HashMap::default(), HashSet::new());
        Self { zones, shared, cron, rules, kept: 0 }
    }

    /// An expression in a time zone. Each `H` in it is drawn from the schedule's id.
    pub fn cron(&mut self, text: CronText<'_>, id: Uuid) -> Result<Arc<Timing>, TimingError> {
        let CronText { expression, fields, timezone, policy } = text;
        if let Some(known) = self.cron.get(&text) {
            return Ok(Arc::clone(known));
        }
        let policy_text = policy_text(policy);
        let expression = Expression::parse(expression, fields, id.as_bytes())?;
        let zone = self.zone(timezone)?;
        self.make_room();
        let depends = expression.depends_on_key();
        let name = (expression.text().to_owned(), Arc::clone(&zone.name));
        let zoned = Box::new(Zoned { expression, zone, policy });
        let timing = CronTiming::new((&name.0, &name.1, &policy_text), zoned);
        let timing = Arc::new(Timing::Cron(timing));
        if !depends {
            self.cron.insert(Key::of(text), Arc::clone(&timing));
        }
        Ok(timing)
    }

    /// A steady beat from an anchor; from 1970-01-01T00:00:00Z without one.
    pub fn every(
        &mut self,
        span: Duration,
        anchor: Option<Timestamp>,
    ) -> Result<Arc<Timing>, TimingError> {
        Ok(Arc::new(Timing::Every(Every::new(span, anchor.unwrap_or_default())?)))
    }

    /// One moment: with an offset, or by the wall clock of a zone. A time that the clock leaves out
    /// is the first instant after it, of one that comes twice it is the first. Beside an offset a
    /// zone makes no difference, but has to be one.
    pub fn at(&mut self, text: &str, timezone: Option<&str>) -> Result<Arc<Timing>, TimingError> {
        if let Ok(at) = text.parse::<Timestamp>() {
            timezone.map(|timezone| self.zone(timezone)).transpose()?;
            return Ok(Arc::new(Timing::At(At::instant(at))));
        }
        let found = || text.chars().take(40).collect::<String>();
        let forms = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"];
        let civil = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
        let civil = civil.ok_or_else(|| TimingError::At { found: found() })?;
        let timezone = timezone.ok_or_else(|| TimingError::NoZone { found: found() })?;
        let zone = self.zone(timezone)?;
        let name = zone.name.to_string();
        let at = At::civil(civil, text, zone);
        let never = || TimingError::NeverShown { found: found(), timezone: name };
        Ok(Arc::new(Timing::At(at.ok_or_else(never)?)))
    }

    /// The rules, shared with all schedules that have the same.
    pub fn rules(&mut self, rules: Rules) -> Arc<Rules> {
        if let Some(known) = self.rules.get(&rules) {
            return Arc::clone(known);
        }
        self.make_room();
        let rules = Arc::new(rules);
        self.rules.insert(Arc::clone(&rules));
        rules
    }

    /// Lets all expressions go by the zones as they are after a reload; whether any is another one.
    /// Then [`CronSource::zones_changed`](crate::CronSource::zones_changed) has to be called.
    pub fn renew(&self) -> bool {
        let mut changed = false;
        for zone in self.shared.values() {
            if let Ok(there) = self.zones.zone(&zone.name) {
                changed |= zone.renew(there);
            }
        }
        changed
    }

    /// How many different expressions it holds, for who makes timings without end.
    #[must_use]
    pub fn expression_count(&self) -> usize {
        self.cron.len()
    }

    /// Lets go of what is unused whenever there is twice as much as was in use: who makes and
    /// deletes schedules over and over needs no more room than who keeps them.
    fn make_room(&mut self) {
        if self.cron.len() + self.rules.len() > 2 * self.kept + TIMINGS_UNUSED_MAX {
            self.forget_unused();
        }
    }

    /// Lets go of what no schedule uses any more.
    pub fn forget_unused(&mut self) {
        let used = |timing: &Arc<Timing>| Arc::strong_count(timing) > 1;
        self.cron.retain(|_, timing| used(timing));
        self.rules.retain(|rules| Arc::strong_count(rules) > 1);
        self.shared.retain(|_, zone| Arc::strong_count(zone) > 1);
        self.kept = self.cron.len() + self.rules.len();
    }

    fn zone(&mut self, name: &str) -> Result<Arc<SharedZone>, TimingError> {
        if let Some(known) = self.shared.get(name) {
            return Ok(Arc::clone(known));
        }
        let zone = self.zones.zone(name)?;
        let shared = self.shared.entry(Arc::clone(&zone.name));
        Ok(Arc::clone(shared.or_insert_with(|| Arc::new(SharedZone::new(zone)))))
    }
}

fn policy_text(policy: DstPolicy) -> String {
    if policy == DstPolicy::default() {
        return String::new();
    }
    format!("{}/{}", policy.gap.as_str(), policy.fold.as_str())
}
