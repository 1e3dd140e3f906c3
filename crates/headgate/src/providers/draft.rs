//! A provider file to begin with.

use crate::{cli::ProvidersNewArguments, failure::Failure};
use headgate_webhook::Provider;

/// The file by these answers; refused is what could not be read again.
pub(super) fn of(answers: &ProvidersNewArguments) -> Result<String, Failure> {
    let ProvidersNewArguments { name, header, algorithm, encoding, event, delivery, .. } = answers;
    let title = answers.title.as_deref().unwrap_or(name);
    let prefix = answers.prefix.as_ref();
    let prefix = prefix.map_or(String::new(), |prefix| format!(", prefix = {}", quoted(prefix)));
    let (signed, timestamp) = match &answers.time_header {
        None => (
            "{body}",
            "# No time is signed: what is sent can be sent again by whoever saw it.\n".to_owned(),
        ),
        Some(header) => (
            "{timestamp}.{body}",
            format!(
                "# The unit is `s`, `ms` or `rfc3339`; what is older or newer is refused.\n\
                 timestamp = {{ header = {}, unit = \"s\", past = \"5m\", future = \"5m\" }}\n",
                quoted(header)
            ),
        ),
    };
    let (name_shown, title_shown) = (quoted(name), quoted(title));
    let (header, algorithm, encoding) = (quoted(header), quoted(algorithm), quoted(encoding));
    let (event, delivery) = (quoted(event), quoted(delivery));
    let text = format!(
        r#"# {title}: who sends, and what. `headgate providers check FILE` says what is wrong with it;
# docs/providers.md says all that may stand here.

name = {name_shown}
title = {title_shown}
# docs = "https://.."

# How it behaves towards answers; for people to read.
# [sender]
# timeout = "10s"
# retries = "3 times within an hour"

[verify]
scheme = "hmac"
algorithm = {algorithm}
encoding = {encoding}
# What is signed; besides: {{id}}, {{method}}, {{path}}, {{url}}.
signed = "{signed}"
signature = {{ header = {header}{prefix} }}
{timestamp}
[identity]
# What happened.
event = [{{ json = {event} }}]
# What a retry has too. Without it repeats are only marked.
delivery = [{{ json = {delivery} }}]
# What belongs together.
# thread = [{{ json = "customer.id" }}]

[prompt]
headline = "{title} {{{{ event or 'event' }}}}"

# What events of these names show; without a block an event shows an outline of its body.
# [[event]]
# on = ["invoice.*"]
# facts = [["Amount", "{{{{ body.amount | money(body.currency) }}}}"]]
# foreign = [["Note", "{{{{ body.note }}}}"]]
"#
    );
    match Provider::parse("the new file", &text) {
        Ok(_) => Ok(text.trim_end().to_owned()),
        Err(errors) => {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Err(Failure::usage(lines.join("\n")))
        }
    }
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
