//! Which rejections a caller means, in the query or in the body.

use crate::{
    error::ApiError,
    events,
    parameters::{Parameters, invalid},
};
use headgate_event::{
    Timestamp,
    limits::{FILTER_VALUE_BYTES_MAX, FILTER_VALUES_MAX, LIST_EVENTS_MAX, RELEASE_DEFAULT},
};
use headgate_quarantine::Filter;
use schemars::JsonSchema;
use serde::Deserialize;

/// The parameters of a filter.
pub(super) const FILTER_PARAMETERS: [&str; 4] = ["channel", "code", "since", "until"];

/// The body of a call that releases one.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ReleaseAsk {
    /// Whether a signed time may be of any age.
    pub(super) ignore_age: bool,
}

/// The body of a call that releases many.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "BulkReleaseAsk")]
pub(crate) struct BulkAsk {
    /// Of this channel, or any of these.
    channel: Option<OneOrMany>,
    /// With this code, or any of these.
    code: Option<OneOrMany>,
    /// Received at or after this moment.
    since: Option<Timestamp>,
    /// Received before this moment.
    until: Option<Timestamp>,
    /// At most so many; 100 when it is left out.
    #[schemars(range(min = 1, max = LIST_EVENTS_MAX))]
    limit: Option<usize>,
    /// The `next_cursor` of the call before.
    pub(super) cursor: Option<String>,
    /// Whether a signed time may be of any age.
    pub(super) ignore_age: bool,
    /// Whether it is only said what would happen.
    pub(super) dry_run: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// The filter that the parameters make.
pub(super) fn filter(parameters: &Parameters) -> Result<Filter, ApiError> {
    let of = |name| values(parameters.all(name).map(str::to_owned));
    Ok(Filter {
        channels: of("channel").map_err(|why| invalid("channel", why))?,
        codes: of("code").map_err(|why| invalid("code", why))?,
        since: events::time(parameters, "since")?,
        until: events::time(parameters, "until")?,
    })
}

impl BulkAsk {
    /// The filter that the body makes.
    pub(super) fn filter(&mut self) -> Result<Filter, ApiError> {
        let of = |field: &str, given: Option<OneOrMany>| {
            let given = match given {
                None => Vec::new(),
                Some(OneOrMany::One(value)) => vec![value],
                Some(OneOrMany::Many(values)) => values,
            };
            values(given.into_iter())
                .map_err(|why| ApiError::invalid("invalid_body", format!("`{field}`: {why}")))
        };
        Ok(Filter {
            channels: of("channel", self.channel.take())?,
            codes: of("code", self.code.take())?,
            since: self.since,
            until: self.until,
        })
    }

    /// The most rejections that the call looks at.
    pub(super) fn limit(&self) -> Result<usize, ApiError> {
        match self.limit {
            None => Ok(RELEASE_DEFAULT),
            Some(limit) if (1..=LIST_EVENTS_MAX).contains(&limit) => Ok(limit),
            Some(limit) => {
                let expected = format!("expected a whole number in 1..={LIST_EVENTS_MAX}");
                Err(ApiError::invalid(
                    "invalid_body",
                    format!("`limit`: {expected}, found {limit}"),
                ))
            }
        }
    }
}

/// The values of one filter, sorted and each once, so that equal filters are equal values. An
/// empty one would otherwise be no filter at all.
fn values(given: impl Iterator<Item = String>) -> Result<Vec<String>, String> {
    let mut values: Vec<String> = given.take(FILTER_VALUES_MAX + 1).collect();
    if values.len() > FILTER_VALUES_MAX {
        return Err(format!("expected at most {FILTER_VALUES_MAX} values, found more"));
    }
    let fits = |value: &String| (1..=FILTER_VALUE_BYTES_MAX).contains(&value.len());
    if let Some(wrong) = values.iter().find(|value| !fits(value)) {
        let found = wrong.len();
        return Err(format!("expected 1 to {FILTER_VALUE_BYTES_MAX} bytes, found {found}"));
    }
    values.sort();
    values.dedup();
    Ok(values)
}
