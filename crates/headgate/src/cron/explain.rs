//! `headgate cron explain`: what an expression means, field by field, what the turning of the
//! clock does to it, and what is doubtful about it.

use super::{asked::Asked, or_now, words};
use crate::{cli::CronExplainArguments, failure::Failure, output};
use headgate_cron::{
    CivilTimes, FiringClass, Fold, Gap, Turn, TurnLint, ZoneRules, Zones, turn_lints,
};
use headgate_event::{Timestamp, limits::TURNS_AHEAD};
use serde_json::{Value, json};

/// Explains one expression.
pub(super) fn run(arguments: &CronExplainArguments, zones: &Zones) -> Result<(), Failure> {
    let asked = Asked::of(&arguments.expression, &arguments.cron, zones)?;
    let explanation = Explanation { asked: &asked, at: or_now(arguments.at) };
    if arguments.cron.json {
        return output::line(&explanation.json().to_string());
    }
    explanation.lines().iter().try_for_each(|line| output::line(line))
}

/// What is said of an expression, as of an instant.
pub(super) struct Explanation<'a> {
    pub(super) asked: &'a Asked,
    pub(super) at: Timestamp,
}

impl Explanation<'_> {
    /// For people.
    pub(super) fn lines(&self) -> Vec<String> {
        let fields = self.asked.expression.spelled();
        let width = fields.iter().map(|field| field.text.len()).max().unwrap_or_default().min(24);
        let mut lines = vec![self.asked.describe(), String::new()];
        lines.extend(fields.iter().map(|field| {
            format!("{:<12}  {:<width$}  {}", field.field.name(), field.text, field.words)
        }));
        lines.push(String::new());
        lines.push(format!("clock    {}", self.clock()));
        lines.extend(self.turns().into_iter().map(|(turn, lint)| {
            format!("turn     {}  {}", words::instant(turn.at), self.turn(turn, lint.as_ref()))
        }));
        lines.extend(self.asked.warnings().iter().map(|warning| format!("warning  {warning}")));
        lines
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let Asked { expression, zone, .. } = self.asked;
        let fields = expression.spelled();
        let fields: Vec<Value> = fields
            .iter()
            .map(|field| {
                json!({
                    "field": field.field.name(),
                    "text": field.text,
                    "values": field.values,
                    "words": field.words,
                })
            })
            .collect();
        let turns: Vec<Value> =
            self.turns().iter().map(|(turn, lint)| turn_json(*turn, lint.as_ref())).collect();
        json!({
            "expr": expression.text(),
            "tz": &*zone.name,
            "description": self.asked.describe(),
            "class": self.asked.class(),
            "dst_gap": self.gap().as_str(),
            "dst_fold": self.fold().as_str(),
            "fields": fields,
            "turns": turns,
            "warnings": self.asked.warnings(),
        })
    }

    /// What the clock's turning does to the expression, whenever it turns.
    fn clock(&self) -> String {
        let class = match self.asked.expression.class() {
            FiringClass::Fixed => "fixed times",
            FiringClass::Interval => "an interval",
        };
        let gap = match self.gap() {
            Gap::Cron | Gap::Skip => "does not come",
            Gap::After => "comes at the first instant after it",
            Gap::Shift => "comes later by the length of the gap",
        };
        let fold = match self.fold() {
            Fold::Cron | Fold::First => "comes the first time",
            Fold::Second => "comes the second time",
            Fold::Both => "comes both times",
        };
        format!("{class}: what the clock leaves out {gap}, what it shows twice {fold}")
    }

    /// The rule for gaps that holds, never `cron`.
    fn gap(&self) -> Gap {
        match (self.asked.policy.gap, self.asked.expression.class()) {
            (Gap::Cron, FiringClass::Fixed) => Gap::After,
            (Gap::Cron, FiringClass::Interval) => Gap::Skip,
            (gap, _) => gap,
        }
    }

    /// The rule for folds that holds, never `cron`.
    fn fold(&self) -> Fold {
        match (self.asked.policy.fold, self.asked.expression.class()) {
            (Fold::Cron, FiringClass::Fixed) => Fold::First,
            (Fold::Cron, FiringClass::Interval) => Fold::Both,
            (fold, _) => fold,
        }
    }

    /// The turns of the clock that are coming, each with the first of the fixed times it touches.
    fn turns(&self) -> Vec<(Turn, Option<TurnLint>)> {
        let Asked { expression, zone, policy, .. } = self.asked;
        let lints = turn_lints(expression, &*zone.rules, *policy, self.at);
        let turns = zone.rules.turns(self.at, self.at.plus(TURNS_AHEAD));
        let of = |turn: &Turn| lints.iter().find(|lint| lint.turn == *turn).cloned();
        turns.into_iter().map(|turn| (turn, of(&turn))).collect()
    }

    fn turn(&self, turn: Turn, lint: Option<&TurnLint>) -> String {
        if let Some(lint) = lint {
            return lint.to_string();
        }
        let touched = match self.asked.expression.class() {
            FiringClass::Fixed => ": none of the times is in it",
            FiringClass::Interval => "",
        };
        format!("{}{touched}", words::turn(turn))
    }
}

fn turn_json(turn: Turn, lint: Option<&TurnLint>) -> Value {
    json!({
        "at": words::instant(turn.at),
        "from": turn.civil_before().format("%Y-%m-%dT%H:%M:%S").to_string(),
        "to": turn.civil_after().format("%Y-%m-%dT%H:%M:%S").to_string(),
        "forward_s": turn.forward_s(),
        "touches": lint.map(|lint| lint.civil.format("%Y-%m-%dT%H:%M:%S").to_string()),
        "due": lint.map(|lint| {
            lint.due.iter().map(|due| words::instant(due.at)).collect::<Vec<_>>()
        }),
    })
}
