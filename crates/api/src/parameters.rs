//! The parameters in a query string: known by name, read one by one.

use crate::error::ApiError;
use axum::extract::Query;
use http::Uri;
use std::{fmt::Display, ops::RangeInclusive};

/// The parameters of one request, all of them known to its route.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// The parameters of a query; one that is not `known` is an error.
    pub(crate) fn of(uri: &Uri, known: &[&str]) -> Result<Self, ApiError> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|error| {
            ApiError::invalid("invalid_parameter", "the query string cannot be read")
                .with_cause(error)
        })?;
        match pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(unknown(name, known)),
            None => Ok(Self(pairs)),
        }
    }

    /// For a route that takes no parameters.
    pub(crate) fn none(uri: &Uri) -> Result<(), ApiError> {
        Self::of(uri, &[]).map(drop)
    }

    /// Whether a query has this parameter, whatever else it has.
    pub(crate) fn mention(uri: &Uri, name: &str) -> bool {
        Query::<Vec<(String, String)>>::try_from_uri(uri)
            .is_ok_and(|Query(pairs)| pairs.iter().any(|(found, _)| found == name))
    }

    /// Every value of a parameter that may repeat.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that may come once.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut values = self.0.iter().filter(|(found, _)| found == name);
        let first = values.next();
        if values.next().is_some() {
            let message = format!("query parameter `{name}` is given more than once");
            return Err(ApiError::invalid("invalid_parameter", message));
        }
        Ok(first.map(|(_, value)| value.as_str()))
    }

    /// The whole number in a range that a parameter gives.
    pub(crate) fn number(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.one(name)? else { return Ok(None) };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| digits && range.contains(number));
        number.map(Some).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            let (least, most) = (range.start(), range.end());
            invalid(name, format!("expected a whole number in {least}..={most}, found `{shown}`"))
        })
    }
}

/// 422: the value of a parameter is not what is expected.
pub(crate) fn invalid(name: &str, why: impl Display) -> ApiError {
    ApiError::invalid("invalid_parameter", format!("query parameter `{name}`: {why}"))
}

fn unknown(name: &str, known: &[&str]) -> ApiError {
    let shown: String = name.chars().take(40).collect();
    let known = match known {
        [] => "none is taken here".to_owned(),
        names => format!("expected one of `{}`", names.join("`, `")),
    };
    let message = format!("query parameter `{shown}` is not known: {known}");
    ApiError::invalid("unknown_parameter", message)
}
