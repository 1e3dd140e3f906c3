//! What has to stand in a proved body, because the proof says only that the sender's service sent
//! it, and that sends for everybody.

use crate::{
    identity::is_path,
    provider::Problems,
    scheme::{Settings, lists},
};
use headgate_event::json::Doc;
use headgate_http::{RawRequest, Reject};
use serde::Deserialize;
use toml::Spanned;

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scheme) struct ExpectTable {
    json: Spanned<String>,
    setting: String,
}

/// A value in the body that a setting of the channel has to list.
#[derive(Clone, Debug)]
pub(super) struct Expect {
    path: String,
    setting: String,
}

impl ExpectTable {
    pub(super) fn checked(self, problems: &mut Problems) -> Option<Expect> {
        let at = self.json.span();
        let path = self.json.into_inner();
        if !is_path(&path) {
            problems.add(at, format!("expected a dotted path, found `{path}`"));
            return None;
        }
        Some(Expect { path, setting: self.setting })
    }
}

impl Expect {
    pub(super) fn admit(&self, request: &RawRequest, settings: &Settings) -> Result<(), Reject> {
        let doc = Doc::parse(request.body.clone()).ok();
        let found = doc.as_ref().and_then(|doc| doc.root().path(&self.path)?.scalar());
        let found = found.unwrap_or_default();
        if lists(settings, &self.setting, &found) {
            return Ok(());
        }
        let Self { path, setting } = self;
        let message = format!("`{path}` is none of those in setting `{setting}` of the channel");
        Err(Reject::unauthorized("unexpected_value", message))
    }
}
