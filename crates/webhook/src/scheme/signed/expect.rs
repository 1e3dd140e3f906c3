//! What has to stand in a proved body: what the channel says, because the proof says only that the
//! sender's service sent it, and that sends for everybody; and what a header repeats, which nothing
//! proves.

use crate::{
    identity::is_path,
    provider::Problems,
    scheme::{Settings, lists},
};
use headgate_event::json::Doc;
use headgate_http::{RawRequest, Reject};
use http::HeaderName;
use serde::Deserialize;
use toml::Spanned;

/// The table as it is written: one of `setting` and `header`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scheme) struct ExpectTable {
    json: Spanned<String>,
    setting: Option<String>,
    header: Option<String>,
}

/// A value in the body, and what it has to be.
#[derive(Clone, Debug)]
pub(super) struct Expect {
    path: String,
    is: Is,
}

#[derive(Clone, Debug)]
enum Is {
    /// One of those that a setting of the channel lists.
    Listed(String),
    /// What a header says, where it is sent.
    Repeated(HeaderName),
}

impl ExpectTable {
    pub(super) fn checked(self, problems: &mut Problems) -> Option<Expect> {
        let at = self.json.span();
        let path = self.json.into_inner();
        if !is_path(&path) {
            problems.add(at, format!("expected a dotted path, found `{path}`"));
            return None;
        }
        let is = match (self.setting, self.header) {
            (Some(setting), None) => Is::Listed(setting),
            (None, Some(name)) => Is::Repeated(problems.header(&name, at)?),
            _ => {
                problems.add(at, "expected one of `setting` and `header`");
                return None;
            }
        };
        Some(Expect { path, is })
    }
}

impl Expect {
    pub(super) fn admit(&self, request: &RawRequest, settings: &Settings) -> Result<(), Reject> {
        let doc = Doc::parse(request.body.clone()).ok();
        let found = doc.as_ref().and_then(|doc| doc.root().path(&self.path)?.scalar());
        let found = found.unwrap_or_default();
        let path = &self.path;
        let message = match &self.is {
            Is::Listed(setting) if lists(settings, setting, &found) => return Ok(()),
            Is::Listed(setting) => {
                format!("`{path}` is none of those in setting `{setting}` of the channel")
            }
            Is::Repeated(name) => match request.single_header(name.as_str())? {
                Some(said) if said != found.as_bytes() => {
                    format!("header `{name}` is not what `{path}` says, which is signed")
                }
                _ => return Ok(()),
            },
        };
        Err(Reject::unauthorized("unexpected_value", message))
    }
}
