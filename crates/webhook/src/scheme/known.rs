//! Secrets that are sent as they are, and how what is sent is compared with them.

use headgate_event::{Covers, Secret, Verdict, Verification};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// The secrets of a channel, by their digests: two digests are of one length, so that a comparison
/// takes the same time whatever was sent, and the secrets themselves are not kept.
pub(super) struct Known(Vec<[u8; 32]>);

impl Known {
    pub(super) fn of(secrets: &[Secret]) -> Self {
        Self(secrets.iter().map(|secret| Sha256::digest(secret.expose()).into()).collect())
    }

    /// The proof by a secret that was sent as it is: it covers nothing but itself. None when it is
    /// no secret of the channel.
    pub(super) fn proof(&self, sent: &[u8], method: &str) -> Option<Verification> {
        let key = self.position(sent)?;
        Some(Verification {
            verdict: Verdict::Verified.into(),
            method: method.to_owned().into(),
            covers: Covers::Token.into(),
            detail: None,
            key: u32::try_from(key).ok(),
        })
    }

    /// Which secret was sent. All of them are looked at.
    fn position(&self, sent: &[u8]) -> Option<usize> {
        let sent: [u8; 32] = Sha256::digest(sent).into();
        let equal: Vec<Choice> = self.0.iter().map(|known| known.ct_eq(&sent)).collect();
        equal.into_iter().position(bool::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_secret_is_known() {
        let known = Known::of(&[Secret::new("first"), Secret::new("second")]);
        assert_eq!(known.position(b"first"), Some(0));
        assert_eq!(known.position(b"second"), Some(1));
        for other in [&b""[..], b"firs", b"firsts", b"First", b"second\n"] {
            assert_eq!(known.position(other), None);
        }
    }
}
