//! Sample messages, as mail programs write them.

use chrono::DateTime;
use headgate_event::Timestamp;

/// The names of the samples; the first is the usual one.
pub(super) const NAMES: [&str; 3] = ["reply", "invitation", "bounce"];

/// A message and its sender.
pub(super) struct Letter {
    /// MAIL FROM; none for a bounce.
    pub(super) from: Option<&'static str>,
    /// The message, with CRLF line ends.
    pub(super) message: String,
}

const ANN: &str = "ann.lee@example.com";

/// The sample of a name, to this address. `fresh` makes its Message-ID one of its own.
pub(super) fn sample(name: Option<&str>, to: &str, fresh: u64, now: Timestamp) -> Option<Letter> {
    let template = match name.unwrap_or(NAMES[0]) {
        "reply" => REPLY,
        "invitation" => INVITATION,
        "bounce" => BOUNCE,
        _ => return None,
    };
    let date = DateTime::from_timestamp(now.unix_s(), 0).unwrap_or_default().to_rfc2822();
    let message = template
        .replace("{to}", to)
        .replace("{date}", &date)
        .replace("{id}", &format!("{fresh:016x}"))
        .replace('\n', "\r\n");
    let from = (template != BOUNCE).then_some(ANN);
    Some(Letter { from, message })
}

const REPLY: &str = "\
From: Ann Lee <ann.lee@example.com>
To: {to}
Subject: Re: Your order 1041
Date: {date}
Message-ID: <{id}@example.com>
In-Reply-To: <order-1041@shop.example>
References: <order-1041@shop.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=\"mixed-{id}\"

--mixed-{id}
Content-Type: multipart/alternative; boundary=\"both-{id}\"

--both-{id}
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Hello,

two of the four mugs came broken, a photo of the invoice is attached.
Could you send two more? They are a present, so before Friday would be lovely.

Gr=C3=BC=C3=9Fe
Ann

On Mon, 16 Nov 2026 at 10:12, Shop <help@shop.example> wrote:
> Thank you for your order 1041. It left our house today.
--both-{id}
Content-Type: text/html; charset=utf-8

<p>Hello,</p><p>two of the four mugs came broken, a photo of the invoice is attached.<br>
Could you send two more? They are a present, so before Friday would be lovely.</p>
<p>Gr&uuml;&szlig;e<br>Ann</p>
<div class=\"gmail_quote\">On Mon, 16 Nov 2026 at 10:12, Shop wrote:
<blockquote>Thank you for your order 1041. It left our house today.</blockquote></div>
--both-{id}--
--mixed-{id}
Content-Type: image/png; name=\"invoice.png\"
Content-Disposition: attachment; filename=\"invoice.png\"
Content-Transfer-Encoding: base64

iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9
awAAAABJRU5ErkJggg==
--mixed-{id}--
";

const INVITATION: &str = "\
From: Ann Lee <ann.lee@example.com>
To: {to}
Subject: Invitation: Quarterly review
Date: {date}
Message-ID: <{id}@example.com>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=\"both-{id}\"

--both-{id}
Content-Type: text/plain; charset=utf-8

You are invited to the quarterly review on 2 December 2026 at 14:00 UTC.
--both-{id}
Content-Type: text/calendar; method=REQUEST; charset=utf-8

BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//Calendar//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:{id}@example.com
DTSTART:20261202T140000Z
DTEND:20261202T150000Z
SUMMARY:Quarterly review
ORGANIZER:mailto:ann.lee@example.com
END:VEVENT
END:VCALENDAR
--both-{id}--
";

const BOUNCE: &str = "\
From: Mail Delivery System <mailer-daemon@example.com>
To: {to}
Subject: Undelivered Mail Returned to Sender
Date: {date}
Message-ID: <{id}@example.com>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=\"report-{id}\"

--report-{id}
Content-Type: text/plain; charset=utf-8

Your message to bob@example.com could not be delivered: there is no such mailbox.
--report-{id}
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; bob@example.com
Action: failed
Status: 5.1.1
--report-{id}--
";

#[cfg(test)]
mod tests {
    use super::*;
    use headgate_email::Message;

    #[test]
    fn every_sample_is_a_message_without_defects() {
        for name in NAMES {
            let now = Timestamp::from_unix_s(1_776_590_125);
            let letter = sample(Some(name), "a@localhost", 7, now).expect(name);
            assert!(!letter.message.contains('{'), "{name}");
            let message = Message::read(letter.message.into_bytes().into());
            assert!(message.defects().is_empty(), "{name}: {:?}", message.defects());
            assert!(message.author().is_some(), "{name}");
        }
        assert!(sample(Some("other"), "a@localhost", 7, Timestamp::from_unix_s(0)).is_none());
    }
}
