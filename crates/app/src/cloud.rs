//! A CloudEvent as an emission.
//!
//! Its id, type, time and data have places of their own in an event. The attributes by which an
//! application correlates are read from extensions (`flowid` and so on; names of attributes have no
//! underscore). All attributes are kept, so that the CloudEvent can be given again as it came.

use crate::{Catalog, Emission, EmissionError, Form, Payload};
use bytes::Bytes;
use headgate_event::{
    Correlation, Fill,
    cloudevents::{Attribute, CloudData, CloudEvent},
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

impl Emission {
    /// The emission that a CloudEvent is.
    pub fn of_cloud_event(event: CloudEvent, catalog: &Catalog) -> Result<Self, EmissionError> {
        let event_type = catalog.admit(&event.event_type, Form::CloudEvent)?;
        let text = |name: &str| match event.extensions.get(name) {
            Some(Attribute::Text(text)) if !text.is_empty() => Some(text.clone()),
            _ => None,
        };
        let correlation = Correlation {
            flow_id: text("flowid"),
            flow_type: text("flowtype"),
            proposal_id: text("proposalid"),
            deal_id: text("dealid"),
            session_id: text("sessionid"),
        };
        let (thread_key, dedupe_key) = (text("threadkey"), text("dedupekey"));
        let context = context(&event);
        let payload = match event.data {
            CloudData::None => Payload { raw: Bytes::from_static(b"null"), fill: Fill::Json },
            CloudData::Json(value) => {
                Payload::json(Bytes::copy_from_slice(value.get().as_bytes()))?
            }
            CloudData::Text(text) => Payload { raw: text.into(), fill: Fill::Text },
            CloudData::Binary(raw) => Payload { raw, fill: Fill::Base64 },
        };
        Ok(Self {
            event_type,
            form: Form::CloudEvent,
            event_id: Some(event.id),
            timestamp: event.time,
            correlation,
            payload,
            metadata: BTreeMap::new(),
            thread_key,
            dedupe_key,
            context: Some(context),
        })
    }
}

/// What is kept of the attributes, and in which form the data came.
fn context(event: &CloudEvent) -> Value {
    let form = match event.data {
        CloudData::None => "none",
        CloudData::Json(_) => "json",
        CloudData::Text(_) => "text",
        CloudData::Binary(_) => "base64",
    };
    let mut context = Map::new();
    for (name, text) in [
        ("subject", &event.subject),
        ("datacontenttype", &event.datacontenttype),
        ("dataschema", &event.dataschema),
    ] {
        if let Some(text) = text {
            context.insert(name.to_owned(), json!(text));
        }
    }
    context.insert("source".to_owned(), json!(event.source));
    context.insert("data".to_owned(), json!(form));
    if !event.extensions.is_empty() {
        context.insert("extensions".to_owned(), json!(event.extensions));
    }
    Value::Object(context)
}
