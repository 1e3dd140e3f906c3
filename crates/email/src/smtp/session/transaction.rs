//! A message's envelope while it is said: MAIL and RCPT, and which of them are legal.

use crate::smtp::{
    address::Address,
    command::MailFrom,
    ports::{Recipient, Recipients, Routed},
    reply::Reply,
};

/// A sender and the recipients that were accepted.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) from: Option<Address>,
    pub(super) recipients: Vec<Recipient>,
    size: Option<u64>,
    utf8: bool,
}

impl Transaction {
    /// A transaction with this sender.
    pub(super) fn begin(mail: MailFrom, message_bytes_max: usize) -> Result<Self, Reply> {
        if mail.size.is_some_and(|size| size > message_bytes_max as u64) {
            return Err(Reply::TOO_LARGE);
        }
        if !mail.utf8 && mail.from.as_ref().is_some_and(|from| !from.is_ascii()) {
            return Err(Reply::NEEDS_UTF8);
        }
        let MailFrom { from, size, utf8 } = mail;
        Ok(Self { from, recipients: Vec::new(), size, utf8 })
    }

    /// Adds a recipient, if a channel takes mail for it.
    pub(super) fn add(
        &mut self,
        address: Address,
        recipients: &dyn Recipients,
        recipients_max: usize,
    ) -> Result<(), Reply> {
        if self.recipients.iter().any(|known| known.address == address) {
            return Ok(());
        }
        // A bounce goes to the one who sent; to many it is something else.
        let most = if self.from.is_none() { 1 } else { recipients_max };
        if self.recipients.len() >= most {
            return Err(Reply::TOO_MANY_RECIPIENTS);
        }
        if !self.utf8 && !address.is_ascii() {
            return Err(Reply::NEEDS_UTF8);
        }
        let matches = match recipients.route(&address, self.from.as_ref()) {
            Routed::To(matches) => matches,
            Routed::Unknown => return Err(Reply::UNKNOWN_RECIPIENT),
            Routed::Denied => return Err(Reply::SENDER_DENIED),
        };
        let recipient = Recipient { address, matches };
        if self.size.is_some_and(|size| size > bytes_max(&recipient)) {
            return Err(Reply::TOO_LARGE);
        }
        self.recipients.push(recipient);
        Ok(())
    }

    /// The largest message that all of its channels take.
    pub(super) fn bytes_max(&self, message_bytes_max: usize) -> u64 {
        let least = self.recipients.iter().map(bytes_max).min();
        least.unwrap_or(u64::MAX).min(message_bytes_max as u64)
    }
}

fn bytes_max(recipient: &Recipient) -> u64 {
    let least = recipient.matches.iter().map(|matched| matched.bytes_max).min();
    least.map_or(u64::MAX, |bytes| bytes as u64)
}
