//! What a prompt says of a message: who, to whom, about what, where in its thread, what is new,
//! what hangs on it, and at last what it quotes.

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
        ("Delivered to", delivered_to(data)),
        ("Tag", data.tag.as_deref().map(inline).unwrap_or_default()),
        ("Subject", inline(&data.subject)),
        ("Sent", data.date.map(|date| date.to_string()).unwrap_or_default()),
        ("Thread", thread(data)),
        ("Automatic", automatic(data)),
        ("Warning", warnings(data)),
        ("Attachments", counted(&data.attachments)),
    ];
    let facts = facts
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(label, value)| Fact { label: label.to_owned(), value })
        .collect();
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

/// The address that took it, when no header says so.
fn delivered_to(data: &EmailData) -> String {
    let address = data.matched_address.as_deref().unwrap_or_default();
    let named = data.to.iter().chain(&data.cc).any(|one| one.eq_ignore_ascii_case(address));
    if named { String::new() } else { inline(address) }
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
    for (code, words) in [
        ("from_not_one", "more than one author"),
        ("from_unreadable", "an author that cannot be read"),
        ("subject_not_one", "more than one subject"),
        ("provider_found_virus", "the provider found a virus in it"),
        ("provider_found_spam", "the provider takes it for spam"),
        ("content_pending", "its text and files are not here, the provider keeps them"),
    ] {
        if data.defects.iter().any(|defect| defect == code) {
            warnings.push(words.to_owned());
        }
    }
    warnings.join(", ")
}

/// Whether something is no picture in the text: what a person sees as a file.
fn is_file(one: &Attachment) -> bool {
    !one.inline || one.kind.as_deref() != Some("file")
}

/// How many there are: told although the list may have no room.
fn counted(list: &[Attachment]) -> String {
    let files = list.iter().filter(|one| is_file(one));
    let (count, bytes) =
        files.fold((0usize, 0u64), |(count, bytes), one| (count + 1, bytes + one.size_bytes));
    let count = match count {
        0 => String::new(),
        1 => format!("1 file, {bytes} bytes"),
        count => format!("{count} files, {bytes} bytes"),
    };
    let within = list.iter().filter(|one| !is_file(one)).count();
    let within = if within > 0 { format!("{within} within the text") } else { String::new() };
    [count, within].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join("; ")
}

/// A line for each file.
fn listed(list: &[Attachment]) -> String {
    let mut files = list.iter().filter(|one| is_file(one));
    let mut lines: Vec<_> =
        files.by_ref().take(MAIL_ATTACHMENTS_SHOWN_MAX).map(described).collect();
    let more = files.count();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
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

/// What is new, what hangs on it, and then what it quotes: the engine cuts from the end.
fn texts(data: &EmailData) -> Vec<Foreign> {
    let whole = data.text.as_deref().unwrap_or_default();
    let reply = data.reply_text.as_deref().unwrap_or(whole);
    let attachments = listed(&data.attachments);
    let quotes = reply.trim() != whole.trim();
    let after = whole.trim_start().strip_prefix(reply.trim());
    let (label, rest) = match after {
        _ if !quotes => ("", ""),
        Some(rest) => ("what it quotes", rest),
        None => ("the whole text, with what it quotes", whole),
    };
    let first = if quotes { "new" } else { "text" };
    let mut texts = vec![(first, reply), ("attachments", attachments.as_str()), (label, rest)];
    texts.retain(|(_, text)| !text.trim().is_empty());
    let alone = texts.len() == 1;
    let labelled = |label: &str| (!alone).then(|| label.to_owned());
    texts
        .into_iter()
        .map(|(label, text)| Foreign { label: labelled(label), text: text.to_owned() })
        .collect()
}
