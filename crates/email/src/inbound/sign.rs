//! The signature of a message that is posted as it is, for those who post it.

use super::{
    proof::Keys,
    raw::{CLIENT, FROM, SIGNATURE, TIMESTAMP, TO, preamble},
};
use headgate_event::{Secret, Timestamp, data::Envelope};

/// The headers of such a POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawSignature(pub Vec<(&'static str, String)>);

/// The headers for a message that is posted at `now` with this envelope.
#[must_use]
pub fn sign_raw(
    secret: &Secret,
    now: Timestamp,
    envelope: &Envelope,
    message: &[u8],
) -> RawSignature {
    let time = now.unix_s().to_string();
    // A bounce has the sender `<>`: an empty line says that nobody knows it.
    let from = match envelope.mail_from.as_deref() {
        Some("") => "<>".to_owned(),
        from => from.unwrap_or_default().to_owned(),
    };
    let to = envelope.rcpt_to.join(",");
    let client = [&envelope.remote_ip, &envelope.helo];
    let client: Vec<_> = client.into_iter().flatten().map(String::as_str).collect();
    let client = client.join(" ");
    let preamble = preamble(time.as_bytes(), from.as_bytes(), to.as_bytes(), client.as_bytes());
    let keys = Keys::new(std::iter::once(secret.expose()));
    let digest = keys.digests(&[&preamble, message]).into_iter().map(hex::encode);
    let signature = digest.fold("v1=".to_owned(), |text, digest| text + &digest);
    let mut headers = vec![(TIMESTAMP, time), (SIGNATURE, signature)];
    let lines = [(FROM, from), (TO, to), (CLIENT, client)];
    headers.extend(lines.into_iter().filter(|(_, value)| !value.is_empty()));
    RawSignature(headers)
}
