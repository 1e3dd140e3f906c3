//! The expression and the time zone of a command line.

use crate::{cli::CronArguments, failure::Failure, output};
use anyhow::anyhow;
use chrono::{DateTime, FixedOffset};
use headgate_cron::{
    CivilTimes, DstPolicy, Expression, ExpressionError, Fields, Occurrence, Zone, Zones,
    next_occurrence,
};
use headgate_event::Timestamp;
use serde_json::json;
use uuid::Uuid;

/// An expression in a time zone.
pub(super) struct Asked {
    pub(super) expression: Expression,
    pub(super) zone: Zone,
    pub(super) policy: DstPolicy,
    /// Whether its `H` were drawn from an id that nobody gave.
    pub(super) is_drawn_from_nothing: bool,
}

impl Asked {
    /// What a command line names. A wrong expression fails (exit code 1), a wrong option is wrong
    /// usage (2).
    pub(super) fn of(text: &str, named: &CronArguments, zones: &Zones) -> Result<Self, Failure> {
        let zone = zones
            .zone(&named.timezone)
            .map_err(|error| Failure::usage(format!("--timezone: {error}")))?;
        let fields = if named.seconds { Fields::WithSeconds } else { Fields::Five };
        let id = named.id.unwrap_or(Uuid::nil());
        let expression = Expression::parse(text, fields, id.as_bytes());
        let expression = expression.or_else(|error| Err(refused(&error, named)?))?;
        let is_drawn_from_nothing = expression.depends_on_key() && named.id.is_none();
        Ok(Self { expression, zone, policy: named.policy(), is_drawn_from_nothing })
    }

    /// The first occurrence after an instant.
    pub(super) fn next_after(&self, cursor: Timestamp) -> Option<Occurrence> {
        next_occurrence(&self.expression, &*self.zone.rules, self.policy, cursor)
    }

    /// The first so many after an instant; fewer when there are no more.
    pub(super) fn several(&self, after: Timestamp, count: usize) -> Vec<Occurrence> {
        let first = self.next_after(after);
        std::iter::successors(first, |last| self.next_after(last.at)).take(count).collect()
    }

    /// In words, with its zone: `At 14:00 on Thursday, America/New_York`.
    pub(super) fn describe(&self) -> String {
        format!("{}, {}", self.expression.describe(), self.zone.name)
    }

    /// What is allowed but may not be meant.
    pub(super) fn warnings(&self) -> Vec<String> {
        let lints = self.expression.lints();
        let mut warnings: Vec<String> = lints.iter().map(ToString::to_string).collect();
        warnings.extend(self.zone.warnings.iter().map(ToString::to_string));
        if self.is_drawn_from_nothing {
            let hint = "each `H` is drawn from the schedule's id: for its times give --id";
            warnings.push(hint.to_owned());
        }
        warnings
    }

    /// Whether its times are fixed or an interval, in one word.
    pub(super) fn class(&self) -> &'static str {
        match self.expression.class() {
            headgate_cron::FiringClass::Fixed => "fixed",
            headgate_cron::FiringClass::Interval => "interval",
        }
    }
}

/// What a clock in the zone of an occurrence shows at it.
pub(super) fn local(occurrence: &Occurrence) -> DateTime<FixedOffset> {
    let utc = DateTime::from_timestamp(occurrence.at.unix_s(), 0).unwrap_or_default();
    utc.with_timezone(&occurrence.offset)
}

/// A wrong expression: for people with a caret under what is wrong, for programs as an object too.
fn refused(error: &ExpressionError, named: &CronArguments) -> Result<Failure, Failure> {
    if named.json {
        let field = error.field().map(headgate_cron::Field::name);
        let told = json!({ "error": error.to_string(), "field": field, "column": error.column() });
        output::line(&told.to_string())?;
    }
    Ok(Failure::Failed(anyhow!(error.report())))
}
