//! Who is asked whether a message is from whom it says, and what a channel asks for.
//!
//! Not for how that is found out: SPF, DKIM and DMARC are behind [`Authenticator`].

use crate::Message;
use headgate_event::{
    BoxFuture, Timestamp,
    data::{Auth, AuthResult, Envelope},
};

/// Finds out who really sent a message.
///
/// It answers within a bounded time whatever the network does, and never fails: what could not be
/// found out in time has the verdict `temperror`. It stores nothing and refuses nobody; what a
/// channel makes of its verdicts is [`Require`]'s.
pub trait Authenticator: Send + Sync + 'static {
    /// The verdicts on a message that came by SMTP. A reader of the event sees them as they are,
    /// but for `from_verified`, which is taken back where the message names more or less than one
    /// author.
    fn authenticate<'a>(&'a self, claimed: Claimed<'a>) -> BoxFuture<'a, Auth>;
}

/// A message and what its sender claims.
#[derive(Clone, Copy, Debug)]
pub struct Claimed<'a> {
    /// The message; [`Message::raw`] has its bytes, [`Message::author`] the one author it names.
    pub message: &'a Message,
    /// Who handed it over: the client's address, its greeting, MAIL FROM.
    pub envelope: &'a Envelope,
    /// When its last byte came: the time at which signatures must hold.
    pub received_at: Timestamp,
}

/// What a channel asks of a message before it takes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Require {
    /// Nothing: the event says how its sender was proved.
    #[default]
    Nothing,
    /// A pass of SPF or of a DKIM signature, whichever domain it is for.
    SpfOrDkim,
    /// A pass of DMARC for the one author.
    Dmarc,
}

/// Whether a message is what a channel asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// It could not be found out; it may be when the message comes again.
    Unknown,
}

impl Require {
    /// What the verdicts on a message are to a channel that asks for this.
    #[must_use]
    pub fn met_by(self, auth: Option<&Auth>) -> Met {
        let Some(auth) = auth else {
            return if self == Self::Nothing { Met::Yes } else { Met::No };
        };
        let (passed, asked): (bool, Vec<&AuthResult>) = match self {
            Self::Nothing => return Met::Yes,
            Self::SpfOrDkim => {
                let asked: Vec<_> = auth.spf.iter().chain(&auth.dkim).collect();
                (asked.iter().any(|result| result.verdict == "pass"), asked)
            }
            Self::Dmarc => (auth.from_verified, auth.dmarc.iter().collect()),
        };
        let unknown = asked.iter().any(|result| result.verdict == "temperror");
        match (passed, unknown) {
            (true, _) => Met::Yes,
            (false, true) => Met::Unknown,
            (false, false) => Met::No,
        }
    }

    /// The word of the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::SpfOrDkim => "spf_or_dkim",
            Self::Dmarc => "dmarc",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(verdict: &str) -> AuthResult {
        AuthResult { verdict: verdict.to_owned(), domain: None }
    }

    #[test]
    fn a_pass_of_spf_or_dkim_is_no_pass_of_dmarc() {
        let auth = Auth {
            spf: Some(result("fail")),
            dkim: vec![result("fail"), result("pass")],
            dmarc: Some(result("fail")),
            ..Auth::default()
        };
        let met = |require: Require| require.met_by(Some(&auth));
        assert_eq!(met(Require::Nothing), Met::Yes);
        assert_eq!(met(Require::SpfOrDkim), Met::Yes);
        assert_eq!(met(Require::Dmarc), Met::No);
    }

    #[test]
    fn what_nobody_checked_is_no_pass_and_what_could_not_be_checked_is_unknown() {
        for require in [Require::SpfOrDkim, Require::Dmarc] {
            assert_eq!(require.met_by(None), Met::No);
        }
        let silent = result("temperror");
        let auth = Auth { spf: Some(silent.clone()), dmarc: Some(silent), ..Auth::default() };
        for require in [Require::SpfOrDkim, Require::Dmarc] {
            assert_eq!(require.met_by(Some(&auth)), Met::Unknown);
        }
        let passed = Auth { from_verified: true, dkim: vec![result("pass")], ..auth };
        for require in [Require::SpfOrDkim, Require::Dmarc] {
            assert_eq!(require.met_by(Some(&passed)), Met::Yes);
        }
    }
}
