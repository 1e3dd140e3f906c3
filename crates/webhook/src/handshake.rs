//! What senders ask before they send, and what they are answered: a challenge echoed or signed, a
//! token compared, a secret handed over. None of it becomes an event.
//!
//! A provider file lists them. Those that show themselves in the head of a request are answered
//! before its body is read; the others once it is there, or once it has proved itself.

mod place;
mod reply;
mod table;

pub(crate) use table::HandshakeTable;

use crate::scheme::{Settings, lists};
use headgate_event::{Secret, json::Node, limits::CHALLENGE_BYTES_MAX};
use headgate_http::{Answer, Hosts, Reject};
use http::{HeaderMap, Method, StatusCode};
use place::Place;
use reply::Reply;

/// The handshakes of one provider.
#[derive(Debug, Default)]
pub(crate) struct Handshakes(Vec<Handshake>);

/// One of them.
#[derive(Debug)]
struct Handshake {
    name: String,
    method: Method,
    /// What has to be there, and say what.
    when: Vec<(Place, Option<String>)>,
    /// What is answered, kept or visited.
    challenge: Option<Place>,
    /// What a setting of the channel has to list.
    expect: Option<(Place, String)>,
    stage: Stage,
    /// Whether the challenge is kept for the operator.
    captures: bool,
    /// The hosts of which the challenge is a URL, which is fetched.
    visit: Option<Hosts>,
    reply: Reply,
}

/// When a handshake can be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// By the head alone.
    Head,
    /// By the body.
    Body,
    /// By the body, once it has proved itself.
    Proved,
}

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: Option<Node<'a>>,
}

/// What a handshake comes to.
#[derive(Debug)]
pub(crate) struct Shaken {
    /// Its name in the provider file.
    pub(crate) name: String,
    /// What was handed over for the operator.
    pub(crate) captured: Option<Secret>,
    /// What has to be fetched before it is answered.
    pub(crate) visit: Option<String>,
    /// The answer.
    pub(crate) answer: Answer,
}

impl Handshakes {
    /// Those of a provider file.
    pub(crate) fn read(
        tables: Vec<toml::Spanned<HandshakeTable>>,
        problems: &mut crate::provider::Problems,
    ) -> Option<Self> {
        let read: Vec<_> = tables.into_iter().map(|table| table::read(table, problems)).collect();
        read.into_iter().collect::<Option<_>>().map(Self)
    }

    /// Whether any is known only at this stage.
    pub(crate) fn has(&self, stage: Stage) -> bool {
        self.0.iter().any(|handshake| handshake.stage == stage)
    }

    /// Whether one of them hands the channel its secret.
    pub(crate) fn bring_secret(&self) -> bool {
        self.0.iter().any(|handshake| handshake.captures)
    }

    /// The names and what is done, for people.
    pub(crate) fn describe(&self) -> Vec<String> {
        self.0.iter().map(Handshake::describe).collect()
    }

    /// Whether a body may be a challenge that we signed for whoever asked: its proof is none.
    pub(crate) fn has_signed(&self, body: &[u8]) -> bool {
        let signs = self.0.iter().any(|handshake| handshake.reply.signs());
        signs && std::str::from_utf8(body).is_ok_and(is_word)
    }

    /// The handshake that a request is, and what it comes to; none when it is no handshake.
    pub(crate) fn shake(
        &self,
        stage: Stage,
        asked: Asked<'_>,
        secrets: &[Secret],
        settings: &Settings,
    ) -> Option<Result<Shaken, Reject>> {
        let mut known = self.0.iter().filter(|handshake| handshake.stage == stage);
        let handshake = known.find(|handshake| handshake.fits(asked))?;
        Some(handshake.shaken(asked, secrets, settings))
    }
}

impl Handshake {
    fn fits(&self, asked: Asked<'_>) -> bool {
        let says = |(place, is): &(Place, Option<String>)| {
            let found = place.find(asked);
            found.is_some_and(|found| is.as_ref().is_none_or(|is| *is == found))
        };
        self.method == *asked.method
            && self.when.iter().all(says)
            && self.challenge.as_ref().is_none_or(|place| place.find(asked).is_some())
    }

    fn shaken(
        &self,
        asked: Asked<'_>,
        secrets: &[Secret],
        settings: &Settings,
    ) -> Result<Shaken, Reject> {
        let challenge = self.challenge.as_ref().and_then(|place| place.find(asked));
        let challenge = challenge.unwrap_or_default();
        if let Some(hosts) = &self.visit {
            hosts.admit(&challenge)?;
        } else if self.challenge.is_some() && !self.reply.takes(&challenge) {
            let message = "the challenge is too long, or holds what no challenge does";
            return Err(Reject::new(StatusCode::BAD_REQUEST, "bad_challenge", message));
        }
        if let Some((place, setting)) = &self.expect
            && settings.contains_key(setting)
            && !lists(settings, setting, &place.find(asked).unwrap_or_default())
        {
            let message = format!("{} is not as the channel has it", place.describe());
            return Err(Reject::new(StatusCode::FORBIDDEN, "handshake_refused", message));
        }
        Ok(Shaken {
            name: self.name.clone(),
            captured: self.captures.then(|| Secret::new(challenge.as_str())),
            visit: self.visit.is_some().then(|| challenge.clone()),
            answer: self.reply.answer(&challenge, secrets.first()),
        })
    }

    fn describe(&self) -> String {
        let place = self.challenge.as_ref().map(Place::describe);
        let place = place.map_or(String::new(), |place| format!(" with {place}"));
        let proved = if self.stage == Stage::Proved { ", once it is proved" } else { "" };
        let kept = if self.captures { "; what it brings is kept for you" } else { "" };
        let visited = if self.visit.is_some() { "; its address is visited" } else { "" };
        format!("{}: {}{place}{proved}{kept}{visited}", self.name, self.method)
    }
}

/// Whether a challenge can be echoed: visible ASCII and spaces, without what makes markup.
fn is_plain(challenge: &str) -> bool {
    let fits = |byte: u8| matches!(byte, b' '..=b'~') && !b"<>&\"'`\\".contains(&byte);
    (1..=CHALLENGE_BYTES_MAX).contains(&challenge.len()) && challenge.bytes().all(fits)
}

/// Whether a challenge can be signed: a word. Nothing that a sender signs is one, so that nobody
/// can have us sign a request of theirs.
fn is_word(challenge: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~=+/".contains(&byte);
    is_plain(challenge) && challenge.bytes().all(fits)
}
