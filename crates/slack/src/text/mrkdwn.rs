//! Slack's own markup of texts: `<@U1>`, `<#C1|general>`, `<!here>`, `<https://..|label>`.
//!
//! A text is split at its tokens first, and only then the three escapes are undone, in one pass
//! from left to right. In any other order a typed `&lt;@U1&gt;` would read as a mention.

use super::writer::Writer;

/// The text without markup tokens and escapes.
pub(super) fn rendered(text: &str, writer: &mut Writer<'_>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(&unescape(before));
        let (inside, left) = up_to_mark(after);
        match left.strip_prefix('>') {
            Some(left) => {
                out.push_str(&token(inside, writer));
                rest = left;
            }
            None => {
                out.push('<');
                rest = after;
            }
        }
    }
    out.push_str(&unescape(rest));
    out
}

/// What follows a `<`, parted where its token ends or can be none any more: Slack escapes what
/// people type, so a token holds no other `<`. No byte is looked at for two of them.
fn up_to_mark(after: &str) -> (&str, &str) {
    let end = after.find(['<', '>', '\n']).unwrap_or(after.len());
    after.split_at(end)
}

/// The text with its markup, for a line of our own that names no directory.
pub(crate) fn plain(text: &str) -> String {
    rendered(text, &mut Writer::new(&crate::directory::Directory::default()))
}

/// Undoes `&amp;`, `&lt;` and `&gt;` once, from left to right: `&amp;lt;` is `&lt;`.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let known = [("amp;", '&'), ("lt;", '<'), ("gt;", '>')];
        let escape = known.iter().find_map(|(name, char)| Some((after.strip_prefix(name)?, char)));
        let (next, char) = escape.unwrap_or((after, &'&'));
        out.push(*char);
        rest = next;
    }
    out.push_str(rest);
    out
}

/// What stands between `<` and `>`.
fn token(inside: &str, writer: &mut Writer<'_>) -> String {
    let (target, label) = match inside.split_once('|') {
        Some((target, label)) => (target, Some(unescape(label))),
        None => (inside, None),
    };
    let label = label.as_deref();
    if let Some(user) = target.strip_prefix('@').filter(|id| is_id(id)) {
        return writer.user(user, label);
    }
    if let Some(channel) = target.strip_prefix('#').filter(|id| is_id(id)) {
        return writer.channel(channel, label);
    }
    if let Some(special) = target.strip_prefix('!') {
        return command(special, label, writer);
    }
    let is_link = target.split_once(':').is_some_and(|(scheme, _)| {
        let mut bytes = scheme.bytes();
        bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    });
    if is_link {
        return writer.link(&unescape(target), label);
    }
    // No token that is known: as it stands.
    format!("<{}>", unescape(inside))
}

fn command(special: &str, label: Option<&str>, writer: &mut Writer<'_>) -> String {
    match special {
        "here" | "channel" | "everyone" | "group" => return format!("@{special}"),
        _ => {}
    }
    if let Some(group) = special.strip_prefix("subteam^").filter(|id| is_id(id)) {
        return writer.group(group, label);
    }
    if let Some(date) = special.strip_prefix("date^") {
        let mut parts = date.splitn(3, '^');
        let (ts, format) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let url = parts.next().map(unescape);
        let label = label.unwrap_or_default();
        if let Some(shown) = writer.date(ts, &unescape(format), label, url.as_deref()) {
            return shown;
        }
    }
    label.map_or_else(|| format!("<!{}>", unescape(special)), str::to_owned)
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Directory;
    use std::collections::BTreeMap;

    fn read(text: &str) -> (String, Vec<String>, usize) {
        let names = [("U1", "alice"), ("C9", "ops")];
        let names = names.map(|(id, name)| (id.to_owned(), name.to_owned()));
        let directory = Directory::new(BTreeMap::from(names));
        let mut writer = Writer::new(&directory);
        let text = rendered(text, &mut writer);
        (text, writer.mentions, writer.hidden.len())
    }

    #[test]
    fn every_token_has_its_words() {
        for (text, expected) in [
            ("hi <@U1>, <@U2|bob> and <@W3>", "hi @alice (U1), @bob (U2) and @W3"),
            ("<#C1|general> <#C2|> <#C9>", "#general (C1) #C2 #ops (C9)"),
            ("<!here> <!channel|@channel> <!everyone>", "@here @channel @everyone"),
            ("<!subteam^S1|@oncall> <!subteam^S2>", "@oncall (S1) @S2"),
            ("<https://example.com/a?b=1&amp;c=2>", "https://example.com/a?b=1&c=2"),
            ("<https://example.com|a | b &gt; c>", "[a | b > c](https://example.com)"),
            ("<mailto:a@example.com|a@example.com>", "a@example.com"),
            ("<tel:+15551234|call us>", "[call us](tel:+15551234)"),
            (
                "<!date^1392734382^Due {date_num} at {time}|in Feb>",
                "Due 2014-02-18T14:39:42Z at (in Feb)",
            ),
            ("<!date^no^{date}|in Feb>", "in Feb"),
            (
                "<!date^1392734382^{date}^https://example.com/a?b&amp;c|in Feb>",
                "[2014-02-18T14:39:42Z (in Feb)](https://example.com/a?b&c)",
            ),
            (
                "<#C1|general>, <#C1>, <@U2|bob>, <@U2>",
                "#general (C1), #general (C1), @bob (U2), @bob (U2)",
            ),
            ("<!later|words>", "words"),
            (
                "*b* _i_ ~s~ `x &lt; y` :wave::skin-tone-2:",
                "*b* _i_ ~s~ `x < y` :wave::skin-tone-2:",
            ),
        ] {
            assert_eq!(read(text).0, expected, "{text}");
        }
    }

    #[test]
    fn what_somebody_types_is_no_mention() {
        for (text, expected) in [
            ("&lt;@U1&gt;", "<@U1>"),
            ("&amp;lt;@U1&amp;gt;", "&lt;@U1&gt;"),
            ("&amp;amp;", "&amp;"),
            ("<@U1", "<@U1"),
            ("<@u1> <@> <>", "<@u1> <@> <>"),
            ("&lt;!channel&gt; & &quot;", "<!channel> & &quot;"),
        ] {
            let (text, mentions, _) = read(text);
            assert_eq!((text.as_str(), mentions.len()), (expected, 0));
        }
    }

    #[test]
    fn a_label_that_names_another_host_is_noted_and_cannot_end_its_brackets() {
        assert_eq!(read("<https://evil.example|https://bank.example/login>").2, 1);
        assert_eq!(read("<https://evil.example|bank.example>").2, 1);
        assert_eq!(read("<https://www.bank.example/a|Bank.example>").2, 0);
        assert_eq!(read("<https://bank.example|the bank>").2, 0);
        let date = |label| format!("<!date^1392734382^{{date}}^https://evil.example|{label}>");
        assert_eq!((read(&date("bank.example")).2, read(&date("in Feb")).2), (1, 0));
        let (text, ..) = read("<https://evil.example|x](https://bank.example)>");
        assert_eq!(text, r"[x\](https://bank.example)](https://evil.example)");
    }
    /// Symptom: a megabyte of `<` took minutes. Cause: each looked for its `>` to the end. Fix: up to
    /// the next mark.
    #[test]
    fn no_byte_is_looked_at_for_two_tokens() {
        let bare = "<".repeat(2_000);
        let spaced = "<a b".repeat(2_000);
        let lines = "<a\n".repeat(2_000);
        let closed = format!("{}>", "<@".repeat(2_000));
        for text in [bare, spaced, lines, closed] {
            let opened = text.match_indices('<').map(|(at, _)| &text[at + 1..]);
            let looked_at: usize = opened.map(|after| up_to_mark(after).0.len() + 1).sum();
            assert!(looked_at <= text.len(), "{looked_at} of {}", text.len());
        }
    }
}
