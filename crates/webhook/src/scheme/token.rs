//! A shared token in a header, the query or the body: the sender knows it, and that is all it
//! proves.

use super::{
    About, Check, Headers, Known, Names, Proof, Scheme, SecretError, Signed, Terms, Unsigned,
    header_value,
};
use crate::{
    identity::is_path,
    provider::{Problems, ProviderText, VerifyTable},
};
use headgate_event::{
    Covers, Secret, Timestamp, Verification,
    json::{Doc, Node},
};
use headgate_http::{RawRequest, Reject, Verify};
use http::HeaderName;
use serde::Deserialize;
use std::borrow::Cow;
use toml::Spanned;

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenTable {
    #[serde(rename = "scheme")]
    _scheme: String,
    header: Option<Spanned<Names>>,
    prefix: Option<String>,
    /// A parameter of the query that may hold it instead.
    query: Option<String>,
    /// A path in the body, in which `*` stands for every item of an array: all have to hold it.
    json: Option<Spanned<String>>,
}

/// The scheme as one provider uses it.
#[derive(Clone, Debug)]
pub(super) struct Token {
    at: At,
    /// What stands before the token, `Bearer ` for one.
    prefix: String,
}

/// Where a token is.
#[derive(Clone, Debug)]
enum At {
    /// In a header, or else in a parameter of the query.
    Header { header: Headers, query: Option<String> },
    /// In the body.
    Json(String),
}

/// The scheme with the tokens of a channel.
struct Prepared {
    token: Token,
    known: Known,
    method: String,
}

/// Reads the `[verify]` table.
pub(super) fn read(text: &ProviderText<'_>, problems: &mut Problems) -> Option<Box<dyn Scheme>> {
    let table = text.table::<VerifyTable<TokenTable>>(problems)?.verify;
    let at = match (table.header, table.json) {
        (Some(names), None) => {
            At::Header { header: Headers::read(&names, problems)?, query: table.query }
        }
        (None, Some(path)) if is_path(path.get_ref()) => At::Json(path.into_inner()),
        (_, json) => {
            let at = json.map_or(0..0, |path| path.span());
            problems.add(at, "expected one of `header` and `json`");
            return None;
        }
    };
    Some(Box::new(Token { at, prefix: table.prefix.unwrap_or_default() }))
}

impl Token {
    /// A token in this header, with nothing before it.
    pub(super) fn in_header(header: Headers) -> Self {
        Self { at: At::Header { header, query: None }, prefix: String::new() }
    }

    fn place(&self) -> String {
        match &self.at {
            At::Header { header, query: None } => format!("header `{}`", header.first),
            At::Header { header, query: Some(query) } => {
                format!("header `{}` or query parameter `{query}`", header.first)
            }
            At::Json(path) => format!("the body at `{path}`"),
        }
    }

    /// The tokens that were sent: one, or one of each item of the body.
    fn sent<'a>(&self, request: &'a RawRequest) -> Result<Vec<Cow<'a, [u8]>>, Reject> {
        match &self.at {
            At::Header { header, query } => {
                let named = query.as_ref().and_then(|name| parameter(&request.query, name));
                if let Some(token) = named.filter(|_| !request.headers.contains_key(&header.first))
                {
                    return Ok(vec![Cow::Owned(token.into_bytes())]);
                }
                let (name, value) = header.bytes(request, "missing_token")?;
                let Some(sent) = value.strip_prefix(self.prefix.as_bytes()) else {
                    let message = format!("header `{name}` does not begin with `{}`", self.prefix);
                    return Err(Reject::unauthorized("malformed_token", message));
                };
                Ok(vec![Cow::Borrowed(sent)])
            }
            At::Json(path) => {
                let missing = || {
                    let message = format!("the body has no token at `{path}`");
                    Reject::unauthorized("missing_token", message)
                };
                let doc = Doc::parse(request.body.clone()).map_err(|_| missing())?;
                let tokens = in_body(doc.root(), path).filter(|tokens| !tokens.is_empty());
                let tokens = tokens.ok_or_else(missing)?;
                Ok(tokens.into_iter().map(|token| Cow::Owned(token.into_bytes())).collect())
            }
        }
    }
}

/// The value of a parameter that is there once.
fn parameter(query: &str, name: &str) -> Option<String> {
    let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known == name);
    let value = found.next()?.1.into_owned();
    found.next().is_none().then_some(value)
}

/// What stands at a path; none when it leads nowhere in one of the items.
fn in_body(node: Node<'_>, path: &str) -> Option<Vec<String>> {
    let Some((before, after)) = path.split_once(".*.") else {
        return Some(vec![node.path(path)?.scalar()?.into_owned()]);
    };
    let items: Vec<_> = node.path(before)?.items().map(|item| in_body(item, after)).collect();
    let found: Option<Vec<Vec<String>>> = items.into_iter().collect();
    found.map(|found| found.concat())
}

impl Scheme for Token {
    fn check(&self, method: &str, terms: &Terms) -> Result<Check, (usize, SecretError)> {
        if let Some(at) = terms.secrets.iter().position(Secret::is_empty) {
            return Err((at, SecretError::Empty));
        }
        let (token, known) = (self.clone(), Known::of(&terms.secrets));
        Ok(Box::new(Prepared { token, known, method: method.to_owned() }))
    }

    fn sign(
        &self,
        _: &Unsigned<'_>,
        _: &Terms,
        secret: &Secret,
        _: Timestamp,
    ) -> Result<Signed, SecretError> {
        if secret.is_empty() {
            return Err(SecretError::Empty);
        }
        let At::Header { header, .. } = &self.at else {
            let token = String::from_utf8_lossy(secret.expose()).into_owned();
            return Ok(Signed { headers: Vec::new(), in_body: Some(token) });
        };
        let value = [self.prefix.as_bytes(), secret.expose()].concat();
        let headers = vec![header_value(header.name(), &value)?];
        Ok(Signed { headers, in_body: None })
    }

    fn about(&self, _: &RawRequest, _: &Terms) -> About {
        let prefix = match self.prefix.as_str() {
            "" => String::new(),
            prefix => format!("`{prefix}` and "),
        };
        About {
            scheme: "a shared token".to_owned(),
            place: self.place(),
            proof: match &self.at {
                At::Header { header, query: None } => header.names().cloned().collect(),
                _ => Vec::new(),
            },
            form: format!("{prefix}the secret itself"),
            ..About::default()
        }
    }

    fn describe(&self) -> String {
        format!("a shared token in {}; it covers nothing of what is sent", self.place())
    }

    fn covers(&self) -> Covers {
        Covers::Token
    }

    fn takes_secrets(&self) -> bool {
        true
    }

    fn signs_time(&self) -> bool {
        false
    }

    fn is_proof(&self, header: &HeaderName) -> bool {
        matches!(&self.at, At::Header { header: known, .. } if known.has(header))
    }

    fn secret_in_body(&self) -> Option<&str> {
        match &self.at {
            At::Json(path) => Some(path),
            At::Header { .. } => None,
        }
    }

    fn covers_header(&self, _: &HeaderName) -> bool {
        false
    }
}

impl Proof for Prepared {}

impl Verify for Prepared {
    fn verify(&self, request: &RawRequest, _: Timestamp) -> Result<Verification, Reject> {
        let mismatch = || {
            let message = "the token is none of this channel";
            Reject::unauthorized("token_mismatch", message)
        };
        let sent = self.token.sent(request)?;
        let proofs = sent.iter().map(|token| self.known.proof(token, &self.method));
        let proofs: Option<Vec<_>> = proofs.collect::<Vec<_>>().into_iter().collect();
        proofs.and_then(|proofs| proofs.into_iter().next()).ok_or_else(mismatch)
    }
}
