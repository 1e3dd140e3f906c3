//! An event of ours as a CloudEvent, and its two ways over HTTP.
//!
//! What came as a CloudEvent goes out with the id, source and attributes it came with. Of any
//! other event the channel is the source. Attributes of ours are added as extensions.

use super::{
    Attribute, CloudData, CloudEvent, MEDIA_TYPE, METADATA, PREFIX, attribute::is_json,
    binary::encoded,
};
use crate::{Event, data::AppData};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How a CloudEvent goes over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentMode {
    /// All of it in the body, as JSON.
    Structured,
    /// Its attributes as headers, its data as the body.
    Binary,
}

/// A CloudEvent as it goes over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The headers, with lower-case names; every value is visible ASCII.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// An event as headers and a body.
#[must_use]
pub fn encode(event: &Event, mode: ContentMode) -> Encoded {
    let event = of_event(event);
    match mode {
        ContentMode::Structured => Encoded {
            headers: vec![("content-type".to_owned(), format!("{MEDIA_TYPE}; charset=utf-8"))],
            // Texts, numbers and JSON always serialize.
            body: serde_json::to_vec(&event).unwrap_or_default().into(),
        },
        ContentMode::Binary => event.binary(),
    }
}

/// An event as a CloudEvent.
#[must_use]
pub fn of_event(event: &Event) -> CloudEvent {
    let mut made = match event.app() {
        Some(data) => of_app(event, data),
        None => CloudEvent {
            id: event.id().to_string(),
            source: source(event),
            event_type: event.event_type().as_str().to_owned(),
            subject: None,
            time: Some(event.created_at()),
            datacontenttype: Some("application/json".to_owned()),
            dataschema: None,
            extensions: BTreeMap::new(),
            data: CloudData::Json(event.data().to_owned()),
        },
    };
    made.extensions.extend(extensions(event));
    made
}

fn source(event: &Event) -> String {
    format!("urn:headgate:channel:{}", event.channel().id)
}

fn of_app(event: &Event, data: &AppData) -> CloudEvent {
    let metadata: Map<String, Value> =
        serde_json::from_str(event.metadata().get()).unwrap_or_default();
    let context = metadata.get(METADATA);
    let text = |name| context.and_then(|it| it.get(name)).and_then(Value::as_str);
    let owned = |name| text(name).map(str::to_owned);
    let usual = context.is_none().then(|| "application/json".to_owned());
    CloudEvent {
        id: data.event_id.clone(),
        source: owned("source").unwrap_or_else(|| source(event)),
        event_type: event.event_type().as_str().to_owned(),
        subject: owned("subject"),
        time: Some(data.timestamp),
        datacontenttype: owned("datacontenttype").or(usual),
        dataschema: owned("dataschema"),
        extensions: kept(context),
        data: payload(data, text("data")),
    }
}

/// The extensions that a CloudEvent came with.
fn kept(context: Option<&Value>) -> BTreeMap<String, Attribute> {
    let kept = context.and_then(|it| it.get("extensions")).and_then(Value::as_object);
    let attribute = |value: &Value| match value {
        Value::Bool(truth) => Some(Attribute::Boolean(*truth)),
        Value::Number(number) => {
            number.as_i64().and_then(|n| n.try_into().ok()).map(Attribute::Integer)
        }
        Value::String(text) => Some(Attribute::Text(text.clone())),
        _ => None,
    };
    let all = kept.into_iter().flatten();
    all.filter_map(|(name, value)| Some((name.clone(), attribute(value)?))).collect()
}

fn payload(data: &AppData, form: Option<&str>) -> CloudData {
    let text = || serde_json::from_str::<String>(data.payload.get()).ok();
    let read = match form {
        Some("none") => Some(CloudData::None),
        Some("text") => text().map(CloudData::Text),
        Some("base64") => text()
            .and_then(|text| STANDARD.decode(text).ok())
            .map(|bytes| CloudData::Binary(bytes.into())),
        _ => None,
    };
    read.unwrap_or_else(|| CloudData::Json(data.payload.clone()))
}

/// What a consumer of Headgate may want to know besides.
fn extensions(event: &Event) -> BTreeMap<String, Attribute> {
    let correlation = event.correlation();
    let texts = [
        ("headgateid", Some(event.id().to_string())),
        ("headgatechannel", Some(event.channel().id.clone())),
        ("headgateprovider", event.provider().map(str::to_owned)),
        ("headgateevent", event.provider_event().map(str::to_owned)),
        ("threadkey", event.thread_key().map(str::to_owned)),
        ("flowid", correlation.flow_id.clone()),
        ("flowtype", correlation.flow_type.clone()),
        ("proposalid", correlation.proposal_id.clone()),
        ("dealid", correlation.deal_id.clone()),
        ("sessionid", correlation.session_id.clone()),
        ("headgateverdict", serde_name(&event.verification().verdict)),
        ("headgateorigin", event.delivery().and_then(|_| serde_name(event.origin()))),
        ("headgatedelivery", event.delivery().map(|delivery| delivery.id.clone())),
    ];
    let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text?)));
    let mut all: BTreeMap<String, Attribute> =
        texts.map(|(name, text)| (name.to_owned(), Attribute::Text(text))).collect();
    if let Some(delivery) = event.delivery() {
        let attempt = i32::try_from(delivery.attempt).unwrap_or(i32::MAX);
        all.insert("headgateattempt".to_owned(), Attribute::Integer(attempt));
    }
    all
}

/// The word on the wire.
fn serde_name(value: &impl serde::Serialize) -> Option<String> {
    serde_json::to_value(value).ok()?.as_str().map(str::to_owned)
}

impl CloudEvent {
    /// Headers and body of the binary mode.
    #[must_use]
    pub fn binary(&self) -> Encoded {
        let mut headers = Vec::new();
        let mut add = |name: &str, text: &str| {
            headers.push((format!("{PREFIX}{name}"), encoded(text)));
        };
        add("specversion", super::VERSION);
        add("id", &self.id);
        add("source", &self.source);
        add("type", &self.event_type);
        for (name, text) in [("subject", &self.subject), ("dataschema", &self.dataschema)] {
            if let Some(text) = text {
                add(name, text);
            }
        }
        if let Some(time) = self.time {
            add("time", &time.to_string());
        }
        for (name, value) in &self.extensions {
            add(name, &value.to_string());
        }
        let body = match &self.data {
            CloudData::None => Bytes::new(),
            CloudData::Json(value) => Bytes::copy_from_slice(value.get().as_bytes()),
            CloudData::Text(text) => Bytes::copy_from_slice(text.as_bytes()),
            CloudData::Binary(bytes) => bytes.clone(),
        };
        let is_json_data = matches!(self.data, CloudData::Json(_));
        let usual = || is_json_data.then(|| "application/json".to_owned());
        let declared = self.datacontenttype.clone();
        // A value that is JSON under another media type could not be read back as one.
        let media_type = declared.filter(|it| !is_json_data || is_json(it)).or_else(usual);
        headers.extend(media_type.map(|media_type| ("content-type".to_owned(), media_type)));
        Encoded { headers, body }
    }
}
