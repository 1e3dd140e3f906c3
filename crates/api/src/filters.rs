//! Which events a caller wants, as the query or the body says it.

use headgate_event::{
    EventType, is_name,
    limits::{CHANNEL_ID_BYTES_MAX, FILTER_VALUE_BYTES_MAX, FILTER_VALUES_MAX},
};
use headgate_queue::{KeyName, Selection};
use std::collections::BTreeMap;

/// What is wrong with a filter: which one, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FilterError {
    pub(crate) filter: FilterName,
    pub(crate) why: String,
}

/// Which filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FilterName {
    Types,
    Channels,
    Providers,
    Key(KeyName),
    /// The expression.
    Expression,
}

/// The selection of the values that `texts` gives for each filter. Several mean any of them, in
/// whatever order; none means all.
pub(crate) fn selection<'a, T: Iterator<Item = &'a str>>(
    texts: impl Fn(FilterName) -> T,
) -> Result<Selection, FilterError> {
    let filter = match texts(FilterName::Expression).next() {
        Some(text) => Some(text.parse().map_err(|error: headgate_queue::FilterError| {
            FilterError { filter: FilterName::Expression, why: error.to_string() }
        })?),
        None => None,
    };
    let of = |filter| (filter, texts(filter));
    let mut keys = BTreeMap::new();
    for name in KeyName::ALL {
        let values = values(of(FilterName::Key(name)), key_value)?;
        if !values.is_empty() {
            keys.insert(name, values);
        }
    }
    Ok(Selection {
        types: values(of(FilterName::Types), |text| {
            text.parse::<EventType>().map_err(|error| error.to_string())
        })?,
        channels: values(of(FilterName::Channels), |text| name("a channel id", text))?,
        providers: values(of(FilterName::Providers), |text| name("a provider", text))?,
        keys,
        filter,
    })
}

/// The values of one filter, sorted and each once, so that equal filters are equal values.
fn values<'a, T: Ord>(
    (filter, texts): (FilterName, impl Iterator<Item = &'a str>),
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, FilterError> {
    let error = |why| FilterError { filter, why };
    let mut values = Vec::new();
    for text in texts {
        if values.len() == FILTER_VALUES_MAX {
            return Err(error(format!("expected at most {FILTER_VALUES_MAX} values, found more")));
        }
        values.push(read(text).map_err(error)?);
    }
    values.sort();
    values.dedup();
    Ok(values)
}

/// Keys are whatever their senders say, so only what no event can have is refused.
fn key_value(text: &str) -> Result<String, String> {
    match text.len() {
        1..=FILTER_VALUE_BYTES_MAX => Ok(text.to_owned()),
        found => Err(format!("expected 1 to {FILTER_VALUE_BYTES_MAX} bytes, found {found}")),
    }
}

fn name(what: &str, text: &str) -> Result<String, String> {
    if is_name(text, CHANNEL_ID_BYTES_MAX) {
        return Ok(text.to_owned());
    }
    let shown: String = text.chars().take(80).collect();
    Err(format!(
        "`{shown}` is not {what}: expected 1 to {CHANNEL_ID_BYTES_MAX} of `a-z`, `0-9`, `-`, `_`"
    ))
}

impl FilterName {
    /// The names of all query parameters, for routes that take them.
    pub(crate) const PARAMETERS: [&'static str; 12] = [
        "type",
        "channel",
        "provider",
        "provider_event",
        "thread_key",
        "flow_id",
        "flow_type",
        "proposal_id",
        "deal_id",
        "session_id",
        "event_id",
        "filter",
    ];

    /// The name of the query parameter.
    pub(crate) fn parameter(self) -> &'static str {
        match self {
            Self::Types => "type",
            Self::Channels => "channel",
            Self::Providers => "provider",
            Self::Key(name) => name.as_str(),
            Self::Expression => "filter",
        }
    }

    /// The name of the field in a body.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::Types => "types",
            Self::Channels => "channels",
            Self::Providers => "providers",
            Self::Key(name) => name.as_str(),
            Self::Expression => "filter",
        }
    }
}
