//! A JSON Web Token (RFC 7519) as proof, signed by RS256 or ES256 under one of a sender's keys.
//!
//! The provider file says which algorithm it is. A token that names another one, `none` or an HMAC
//! among them, is refused before any key is looked at, and a key of another kind makes nothing of
//! it. No library reads it here, because the checks that count are those of this program: which
//! claims must say what, and at what time.

mod asked;
mod claims;
mod keys;

use super::{
    About, Check, Headers, Names, Proof, Scheme, SecretError, Signed, Terms, Tolerance, Unsigned,
    header_value,
};
use crate::{
    Fetched, Wanted,
    provider::{Problems, ProviderText, VerifyTable},
};
use asked::{Ask, AskTable};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use claims::{Claims, ExpectTable};
use headgate_event::{
    Covers, Secret, Span, Timestamp, Verdict, Verification,
    limits::{FETCHED_AGAIN_AFTER, STORE_RETRY_AFTER},
};
use headgate_http::{Hosts, RawRequest, Reject, Verify};
use http::HeaderName;
use keys::{Algorithm, KeySet};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use toml::Spanned;

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JwtTable {
    #[serde(rename = "scheme")]
    _scheme: String,
    header: Spanned<Names>,
    #[serde(default)]
    prefix: String,
    algorithm: Algorithm,
    /// The set of keys; without it the secrets of the channel are keys.
    keys: Option<Spanned<String>>,
    /// How the key that a token names is asked for, where the channel's secrets have none of it.
    ask: Option<AskTable>,
    #[serde(default)]
    expect: Vec<ExpectTable>,
    /// The claim that is the SHA-256 of the body, in hex.
    body_digest: Option<String>,
    /// How old a token may be by its `iat`, and how far ahead.
    past: Option<Span>,
    future: Option<Span>,
}

/// The scheme as one provider uses it.
#[derive(Clone, Debug)]
struct Jwt {
    header: Headers,
    prefix: String,
    algorithm: Algorithm,
    keys_url: Option<String>,
    ask: Option<Ask>,
    claims: Claims,
}

struct Prepared {
    jwt: Jwt,
    method: String,
    /// The keys in the secrets of the channel.
    own: Vec<Value>,
    terms: Terms,
    fetched: Arc<Fetched>,
}

/// A token taken apart.
struct Token<'a> {
    /// What is signed.
    signed: &'a str,
    key_id: Option<String>,
    claims: Value,
    signature: Vec<u8>,
}

/// Reads the `[verify]` table.
pub(super) fn read(text: &ProviderText<'_>, problems: &mut Problems) -> Option<Box<dyn Scheme>> {
    let table = text.table::<VerifyTable<JwtTable>>(problems)?.verify;
    let header = Headers::read(&table.header, problems)?;
    if let Some(url) = &table.keys {
        let host = url.get_ref().split('/').nth(2).unwrap_or_default().to_owned();
        let admitted = Hosts::read(&[host]).map(|hosts| hosts.admit(url.get_ref()).is_ok());
        if admitted != Ok(true) {
            let message = format!("expected an `https` URL, found `{}`", url.get_ref());
            problems.add(url.span(), message);
        }
    }
    let ask = match table.ask {
        Some(ask) => Some(ask.checked(problems)?),
        None => None,
    };
    Some(Box::new(Jwt {
        header,
        prefix: table.prefix,
        algorithm: table.algorithm,
        keys_url: table.keys.map(Spanned::into_inner),
        ask,
        claims: Claims::new(table.expect, table.body_digest, table.past, table.future),
    }))
}

impl Jwt {
    fn token<'a>(&self, request: &'a RawRequest) -> Result<Token<'a>, Reject> {
        let text = self.header.text(request, "missing_token", "malformed_token")?;
        let malformed = |what: &str| Reject::unauthorized("malformed_token", what.to_owned());
        let text = text
            .strip_prefix(&self.prefix)
            .ok_or_else(|| malformed("the header does not begin with the word of the scheme"))?;
        let broken = || malformed("the token is not three parts in base64url");
        let (signed, signature) = text.rsplit_once('.').ok_or_else(broken)?;
        let (head, payload) = signed.split_once('.').ok_or_else(broken)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| broken());
        let object = |part: &str| {
            let value: Value = serde_json::from_slice(&decode(part)?).map_err(|_| broken())?;
            if value.is_object() { Ok(value) } else { Err(broken()) }
        };
        let head = object(head)?;
        if head.get("alg").and_then(Value::as_str) != Some(self.algorithm.name()) {
            let message = format!("the token is not signed by {}", self.algorithm.name());
            return Err(Reject::unauthorized("other_algorithm", message));
        }
        if head.get("crit").is_some() {
            return Err(malformed("the token asks for extensions that are not known here"));
        }
        let key_id = head.get("kid").and_then(Value::as_str).map(str::to_owned);
        Ok(Token { signed, key_id, claims: object(payload)?, signature: decode(signature)? })
    }

    fn places(&self) -> String {
        format!("header `{}`", self.header.first)
    }
}

impl Scheme for Jwt {
    fn check(&self, method: &str, terms: &Terms) -> Result<Check, (usize, SecretError)> {
        let mut jwt = self.clone();
        if let Some(tolerance) = terms.tolerance {
            jwt.claims.tolerance = tolerance;
        }
        let mut own = Vec::new();
        for (at, secret) in terms.secrets.iter().enumerate() {
            own.extend(keys::of_secret(secret).map_err(|error| (at, error))?);
        }
        let (method, fetched) = (method.to_owned(), Arc::clone(&terms.fetched));
        Ok(Box::new(Prepared { jwt, method, own, terms: terms.clone(), fetched }))
    }

    /// `secret` is a private key, PKCS#8 in base64.
    fn sign(
        &self,
        request: &Unsigned<'_>,
        terms: &Terms,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Signed, SecretError> {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = json!({ "alg": self.algorithm.name(), "typ": "JWT" });
        let claims = self.claims.sample(request.body, &terms.settings, now);
        let message = format!("{}.{}", encode(&head), encode(&claims));
        let pkcs8 = keys::private(secret)?;
        let (random, unfit) = (SystemRandom::new(), || keys::wrong("another key"));
        let signature = match self.algorithm {
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8.expose()).map_err(|_| unfit())?;
                let mut signed = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signed)
                    .map_err(|_| unfit())?;
                signed
            }
            Algorithm::Es256 => {
                let curve = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let pair = EcdsaKeyPair::from_pkcs8(curve, pkcs8.expose(), &random)
                    .map_err(|_| unfit())?;
                let signed = pair.sign(&random, message.as_bytes()).map_err(|_| unfit())?;
                signed.as_ref().to_vec()
            }
        };
        let token = format!("{}{message}.{}", self.prefix, URL_SAFE_NO_PAD.encode(signature));
        let headers = vec![header_value(self.header.name(), token.as_bytes())?];
        Ok(Signed { headers, in_body: None })
    }

    fn about(&self, _: &RawRequest, _: &Terms) -> About {
        About {
            scheme: format!("a token by {}", self.algorithm.name()),
            place: self.places(),
            proof: self.header.names().cloned().collect(),
            form: format!("`{}` and three parts in base64url", self.prefix),
            ..About::default()
        }
    }

    fn describe(&self) -> String {
        let keys = match &self.keys_url {
            Some(url) => format!("the keys at `{url}`"),
            None if self.ask.is_some() => {
                "the key that it names, asked for or among the channel's secrets".to_owned()
            }
            None => "the keys that are the channel's secrets".to_owned(),
        };
        let covers = if self.claims.digests_body() {
            "it holds the digest of the body"
        } else {
            "it covers nothing of what is sent"
        };
        let (name, place) = (self.algorithm.name(), self.places());
        format!("a token by {name} under {keys}, in {place}; {covers}")
    }

    fn covers(&self) -> Covers {
        if self.claims.digests_body() { Covers::BodyAndTime } else { Covers::Token }
    }

    fn takes_secrets(&self) -> bool {
        self.keys_url.is_none()
    }

    fn settings_for_secrets(&self) -> Vec<&str> {
        self.ask.as_ref().map(Ask::settings).unwrap_or_default()
    }

    fn signs_time(&self) -> bool {
        true
    }

    fn tolerance(&self) -> Option<Tolerance> {
        Some(self.claims.tolerance)
    }

    fn is_proof(&self, header: &HeaderName) -> bool {
        self.header.has(header)
    }

    fn covers_header(&self, _: &HeaderName) -> bool {
        false
    }
}

impl Prepared {
    /// The keys at hand for one of this name, and when they came.
    fn keys(&self, key_id: Option<&str>, now: Timestamp) -> Option<(KeySet, Timestamp)> {
        if let Some(url) = &self.jwt.keys_url {
            let (bytes, at) = self.fetched.find(url, now)?;
            return Some((KeySet::parse(&bytes), at));
        }
        match self.asked(key_id) {
            Some((ask, wanted)) => {
                let (bytes, at) = self.fetched.find(wanted.name(), now)?;
                Some((KeySet::of(ask.key(&bytes).into_iter().collect()), at))
            }
            None => Some((KeySet::of(self.own.clone()), now)),
        }
    }

    /// What is asked for a key of this name, unless the channel's secrets have it.
    fn asked(&self, key_id: Option<&str>) -> Option<(&Ask, Wanted)> {
        let ask = self.jwt.ask.as_ref()?;
        let own = KeySet::of(self.own.clone());
        let wanted = ask.wanted(&self.terms.settings, key_id).filter(|_| !own.has(key_id));
        Some((ask, wanted?))
    }
}

impl Proof for Prepared {
    /// The keys, when there are none, or none by the name of this one and they are not of right
    /// now.
    fn wants(&self, request: &RawRequest, now: Timestamp) -> Result<Option<Wanted>, Reject> {
        if self.jwt.keys_url.is_none() && self.jwt.ask.is_none() {
            return Ok(None);
        }
        let token = self.jwt.token(request)?;
        let key_id = token.key_id.as_deref();
        let Some(url) = &self.jwt.keys_url else {
            let missing = self.keys(key_id, now).is_none();
            return Ok(self.asked(key_id).map(|(_, wanted)| wanted).filter(|_| missing));
        };
        let wanted = match self.keys(key_id, now) {
            None => true,
            Some((keys, at)) => !keys.has(key_id) && now.since(at) > FETCHED_AGAIN_AFTER,
        };
        Ok(wanted.then(|| url.as_str().into()))
    }
}

impl Verify for Prepared {
    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verification, Reject> {
        let token = self.jwt.token(request)?;
        let key_id = token.key_id.as_deref();
        let Some((keys, _)) = self.keys(key_id, now) else {
            return Err(Reject::unavailable("the keys are not at hand", STORE_RETRY_AFTER));
        };
        let signed = token.signed.as_bytes();
        let Some(at) = keys.made(self.jwt.algorithm, key_id, signed, &token.signature) else {
            let message = "the token was not signed by a key of the sender";
            return Err(Reject::unauthorized("signature_mismatch", message));
        };
        let digest = hex::encode(Sha256::digest(&request.body));
        self.jwt.claims.admit(&token.claims, &self.terms.settings, &digest, now)?;
        Ok(Verification {
            verdict: Verdict::Verified.into(),
            method: self.method.clone().into(),
            covers: Scheme::covers(&self.jwt).into(),
            detail: None,
            key: self.jwt.keys_url.is_none().then(|| u32::try_from(at).ok()).flatten(),
        })
    }
}
