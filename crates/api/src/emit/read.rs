//! Reading what was sent: which shape it has, and the emissions in it.

use super::{Call, Shape};
use crate::{
    body,
    error::ApiError,
    parameters::{Parameters, invalid},
};
use bytes::Bytes;
use headgate_app::{Catalog, Emission, EmissionError, EmitAsk, EnvelopeAsk};
use headgate_event::cloudevents::{self, BATCH_MEDIA_TYPE, CloudEventError, MEDIA_TYPE, PREFIX};
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;

/// The shape in which events are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Headgate's own, one or an array.
    Own,
    /// Envelopes, one or an array.
    Envelope,
    /// One CloudEvent in JSON.
    Structured,
    /// An array of CloudEvents in JSON.
    Batch,
    /// One CloudEvent with its attributes as headers.
    Binary,
}

/// The shape that the query, the media type or the headers name.
pub(super) fn format(parameters: &Parameters, headers: &HeaderMap) -> Result<Format, ApiError> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let is = |media_type: &str| essence.eq_ignore_ascii_case(media_type);
    let named = parameters.one("format")?;
    match named {
        None | Some("cloudevents") if is(BATCH_MEDIA_TYPE) => Ok(Format::Batch),
        None | Some("cloudevents") if is(MEDIA_TYPE) => Ok(Format::Structured),
        None | Some("cloudevents")
            if headers.keys().any(|name| name.as_str().starts_with(PREFIX)) =>
        {
            Ok(Format::Binary)
        }
        None => Ok(Format::Own),
        Some("envelope") => Ok(Format::Envelope),
        Some("cloudevents") => Ok(Format::Structured),
        Some(other) => {
            let shown: String = other.chars().take(40).collect();
            let why = format!("expected `envelope` or `cloudevents`, found `{shown}`");
            Err(invalid("format", why))
        }
    }
}

/// The emissions that were sent.
pub(super) fn call(
    format: Format,
    headers: &HeaderMap,
    body: Bytes,
    catalog: &Catalog,
) -> Result<Call, ApiError> {
    match format {
        Format::Own => asked(&body, |ask: EmitAsk| ask.emission(catalog)),
        Format::Envelope => asked(&body, |ask: EnvelopeAsk| ask.emission(catalog)),
        Format::Structured => {
            let event = cloudevents::from_json(&body).map_err(|error| wrong(None, &error))?;
            one(Emission::of_cloud_event(event, catalog))
        }
        Format::Binary => {
            let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            let event =
                cloudevents::from_headers(headers, body).map_err(|error| wrong(None, &error))?;
            one(Emission::of_cloud_event(event, catalog))
        }
        Format::Batch => {
            let events = cloudevents::from_json_batch(&body)
                .map_err(|(place, error)| wrong(place, &error))?;
            let each = events.into_iter().map(|event| Emission::of_cloud_event(event, catalog));
            several(each)
        }
    }
}

/// One object, or an array of them.
fn asked<T: DeserializeOwned>(
    body: &[u8],
    emission: impl Fn(T) -> Result<Emission, EmissionError>,
) -> Result<Call, ApiError> {
    if body.trim_ascii_start().starts_with(b"[") {
        let asks: Vec<T> = body::array(body)?;
        return several(asks.into_iter().map(emission));
    }
    one(emission(body::parse(body)?))
}

fn one(emission: Result<Emission, EmissionError>) -> Result<Call, ApiError> {
    let emission = emission.map_err(|error| refused(error, Shape::One, 0))?;
    Ok(Call { emissions: vec![emission], shape: Shape::One })
}

fn several(
    emissions: impl Iterator<Item = Result<Emission, EmissionError>>,
) -> Result<Call, ApiError> {
    let at = |(place, emission): (usize, Result<_, _>)| {
        emission.map_err(|error| refused(error, Shape::Batch, place))
    };
    let emissions = emissions.enumerate().map(at).collect::<Result<_, _>>()?;
    Ok(Call { emissions, shape: Shape::Batch })
}

/// 422: an event is not taken, and with it none of the call.
pub(super) fn refused(error: EmissionError, shape: Shape, place: usize) -> ApiError {
    ApiError::invalid(error.code, format!("{}{}", shape.place(place), error.message))
}

fn wrong(place: Option<usize>, error: &CloudEventError) -> ApiError {
    let place = place.map(|place| Shape::Batch.place(place)).unwrap_or_default();
    ApiError::invalid("invalid_cloud_event", format!("{place}{error}"))
}
