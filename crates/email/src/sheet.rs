//! What a prompt says of a message: who, to whom, about what, where in its thread, what is new, what
//! hangs on it, and at last what it quotes.

use headgate_event::{
    data::{Attachment, EmailData},
    limits::{MAIL_ADDRESSES_SHOWN_MAX, MAIL_ATTACHMENTS_SHOWN_MAX},
    prompt::{Fact, Foreign, Rendering, inline},
};

/// The rendering of a message.
pub(crate) fn rendering(data: &EmailData) -> Rendering {
    let facts = [
        ("From", from(data)),
        ("Reply to", reply_to(data)),
        ("To", addresses(&data.to)),
        ("Cc", addresses(&data.cc)),
        ("Delivered to", data.matched_address.as_deref().map(inline).unwrap_or_default()),
        ("Tag", data.tag.as_deref().map(inline).unwrap_or_default()),
        ("Subject", inline(&data.subject)),
        ("Sent", data.date.map(|date| date.to_string()).unwrap_or_default()),
        ("Thread", thread(data)),
        ("Automatic", automatic(data)),
        ("Warning", warnings(data)),
    ];
    let mut facts: Vec<_> = facts
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(label, value)| Fact { label: label.to_owned(), value })
        .collect();
    facts.extend(attachments(&data.attachments));
    Rendering { headline: "E-mail received".to_owned(), facts, foreign: texts(data) }
}

fn from(data: &EmailData) -> String {
    let verified = data.auth.as_ref().is_some_and(|auth| auth.from_verified);
    let verified = if verified { "sender verified" } else { "sender not verified" };
    let address = if data.from.is_empty() { "nobody".to_owned() } else { inline(&data.from) };
    match &data.from_name {
        Some(name) => format!("{} {address} ({verified})", inline(name)),
        None => format!("{address} ({verified})"),
    }
}

/// Where an answer would go, when that is not the author.
fn reply_to(data: &EmailData) -> String {
    let elsewhere = data.reply_to.iter().any(|one| !one.eq_ignore_ascii_case(&data.from));
    if elsewhere { addresses(&data.reply_to) } else { String::new() }
}

fn addresses(list: &[String]) -> String {
    let shown: Vec<_> =
        list.iter().take(MAIL_ADDRESSES_SHOWN_MAX).map(|address| inline(address)).collect();
    match list.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn thread(data: &EmailData) -> String {
    match (data.references.len(), &data.in_reply_to) {
        (0, None) => "the first message".to_owned(),
        (0 | 1, _) => "an answer".to_owned(),
        (more, _) => format!("an answer, {more} messages before it"),
    }
}

fn automatic(data: &EmailData) -> String {
    let flags = [
        (data.auto.is_bounce, "a delivery report"),
        (data.auto.is_auto_reply, "an automatic answer"),
        (data.auto.is_list, "sent to a list"),
    ];
    let flags: Vec<_> = flags.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
    if flags.is_empty() { String::new() } else { format!("{}; do not answer", flags.join(", ")) }
}

fn warnings(data: &EmailData) -> String {
    let mut warnings = Vec::new();
    if data.hidden_text_bytes > 0 {
        warnings.push(format!("{} bytes of hidden text left out", data.hidden_text_bytes));
    }
    for (code, words) in
        [("from_not_one", "more than one author"), ("subject_not_one", "more than one subject")]
    {
        if data.defects.iter().any(|defect| defect == code) {
            warnings.push(words.to_owned());
        }
    }
    warnings.join(", ")
}

/// Those a person sees as files; pictures in the text only as a number.
fn attachments(list: &[Attachment]) -> Vec<Fact> {
    let (inline_ones, files): (Vec<_>, Vec<_>) =
        list.iter().partition(|one| one.inline && one.kind.as_deref() == Some("file"));
    let fact = |label: &str, value: String| Fact { label: label.to_owned(), value };
    let mut facts: Vec<_> = files
        .iter()
        .take(MAIL_ATTACHMENTS_SHOWN_MAX)
        .map(|one| fact("Attachment", described(one)))
        .collect();
    let more = files.len().saturating_sub(MAIL_ATTACHMENTS_SHOWN_MAX);
    if more > 0 {
        facts.push(fact("Attachments", format!("{more} more")));
    }
    if !inline_ones.is_empty() {
        facts.push(fact("Inline files", inline_ones.len().to_string()));
    }
    facts
}

fn described(one: &Attachment) -> String {
    let mut words = vec![
        inline(&one.filename),
        format!("({}, {} bytes)", inline(&one.content_type), one.size_bytes),
    ];
    match (one.kind.as_deref(), one.protection.as_deref()) {
        (Some("encrypted"), Some(by)) => words.push(format!("encrypted by {by}")),
        (Some("encrypted"), None) => words.push("encrypted".to_owned()),
        (Some("signature"), Some(by)) => words.push(format!("{by} signature, not checked")),
        (Some("signature"), None) => words.push("signature, not checked".to_owned()),
        (Some("message"), _) => words.push("a message".to_owned()),
        _ => {}
    }
    if let Some(calendar) = &one.calendar {
        let parts = [
            ("calendar", &calendar.method),
            ("about", &calendar.summary),
            ("at", &calendar.start),
            ("zone", &calendar.start_zone),
            ("uid", &calendar.uid),
        ];
        let told = parts.iter().filter_map(|(word, value)| Some((word, value.as_ref()?)));
        words.extend(told.map(|(word, value)| format!("{word} {}", inline(value))));
    }
    if !one.contains.is_empty() {
        let names: Vec<_> = one.contains.iter().take(MAIL_ADDRESSES_SHOWN_MAX).collect();
        let names: Vec<_> = names.iter().map(|file| inline(&file.filename)).collect();
        words.push(format!("holds {}", names.join(", ")));
    }
    words.join(" ")
}

/// What is new, and then what it quotes: the engine cuts from the end.
fn texts(data: &EmailData) -> Vec<Foreign> {
    let whole = data.text.as_deref().unwrap_or_default();
    let reply = data.reply_text.as_deref().unwrap_or(whole);
    if reply.trim() == whole.trim() {
        return vec![Foreign { label: None, text: whole.to_owned() }];
    }
    let after = whole.trim_start().strip_prefix(reply.trim());
    let (label, rest) = match after {
        Some(rest) => ("what it quotes", rest),
        None => ("the whole text, with what it quotes", whole),
    };
    [("new", reply), (label, rest)]
        .map(|(label, text)| Foreign { label: Some(label.to_owned()), text: text.to_owned() })
        .into()
}
