//! Whether a machine wrote a message, so that an agent does not answer one that answers.

use super::fields::Fields;
use crate::structure::Part;
use headgate_event::data::AutoFlags;

/// Reads what the headers of a message say of it (RFC 3834, RFC 2919, RFC 3464).
///
/// A null sender is the envelope's to tell: [`with_null_sender`].
pub(super) fn flags(root: &Part<'_>, fields: &Fields) -> AutoFlags {
    let mut flags = AutoFlags::default();
    let value = |name: &str| {
        let value = root.head.first(name)?;
        Some(String::from_utf8_lossy(value).trim().to_ascii_lowercase())
    };
    let mut because = |reason: &str| flags.reasons.push(reason.to_owned());
    let report = root.media.is("multipart", "report");
    let kind = root.media.parameter("report-type").unwrap_or_default().to_ascii_lowercase();
    let author = fields.author().map(|one| one.address.to_ascii_lowercase()).unwrap_or_default();
    let daemon = author.starts_with("mailer-daemon@") || author.starts_with("postmaster@");
    let returned = value("return-path").is_some_and(|path| path == "<>");
    if report {
        because("content-type: multipart/report");
    }
    if returned {
        because("return-path: <>");
    }
    let failed = root.head.first("x-failed-recipients").is_some();
    if failed {
        because("x-failed-recipients");
    }
    let submitted = value("auto-submitted").filter(|word| !word.is_empty() && !is_no(word));
    if let Some(word) = &submitted {
        because(&format!("auto-submitted: {}", first_word(word)));
    }
    let answers = ["x-autoreply", "x-autorespond", "x-autoresponder"];
    let answers = answers.iter().find(|name| root.head.first(name).is_some());
    if let Some(name) = answers {
        because(name);
    }
    let precedence = value("precedence").unwrap_or_default();
    let precedence = first_word(&precedence).to_owned();
    let bulk = ["bulk", "list", "junk", "auto_reply"].contains(&precedence.as_str());
    if bulk {
        because(&format!("precedence: {precedence}"));
    }
    let lists = ["list-id", "list-unsubscribe", "list-post"];
    let lists: Vec<_> = lists.iter().filter(|name| root.head.first(name).is_some()).collect();
    for name in &lists {
        because(name);
    }
    // Exchange says by it which answers it does not want: those who set it are machines mostly.
    let suppress = value("x-auto-response-suppress").is_some_and(|word| word != "none");
    if suppress {
        because("x-auto-response-suppress");
    }
    let delivery = report && (kind.is_empty() || kind == "delivery-status");
    flags.is_bounce = delivery || failed || daemon && (returned || submitted.is_some());
    let replied = submitted.as_deref().is_some_and(|word| word.starts_with("auto-replied"));
    flags.is_auto_reply =
        !flags.is_bounce && (replied || answers.is_some() || precedence == "auto_reply" || report);
    flags.is_list = !lists.is_empty() || precedence == "list" || precedence == "bulk";
    flags
}

/// The same of a message whose MAIL FROM is `<>`: whoever sent it wants no answer (RFC 5321,
/// 4.5.5).
pub(crate) fn with_null_sender(flags: &AutoFlags, mail_from: Option<&str>) -> AutoFlags {
    let mut flags = flags.clone();
    if mail_from == Some("") {
        flags.reasons.insert(0, "mail from: <>".to_owned());
        flags.is_bounce |= !flags.is_auto_reply;
    }
    flags
}

fn is_no(value: &str) -> bool {
    first_word(value) == "no"
}

fn first_word(value: &str) -> &str {
    value.split([';', ' ', '(', ',']).next().unwrap_or_default()
}
