//! Takes secrets out of what leaves Headgate as text: prompts and the headers in `data`.
//!
//! It finds what is known to be a secret by its shape. It is a net, not a proof: the exact bytes
//! stay in the event's raw form.

mod pair;
mod scan;
mod shapes;

pub(super) use pair::secret_name;
pub use scan::secrets;
use std::borrow::Cow;

/// What stands for the value of a header that is secret.
pub const REDACTED: &str = "[redacted]";

/// The value of a header as `data` shows it: `[redacted]` where the name says that it is a secret.
#[must_use]
pub fn header_value<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if is_secret_header(name) { Cow::Borrowed(REDACTED) } else { Cow::Borrowed(value) }
}

fn is_secret_header(name: &str) -> bool {
    const NAMES: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];
    const PARTS: [&str; 19] = [
        "signature",
        "token",
        "secret",
        "api-key",
        "apikey",
        "api_key",
        "auth-key",
        "access-key",
        "private-key",
        "functions-key",
        "subscription-key",
        "session",
        "passcode",
        "hmac",
        "password",
        "credential",
        "-mac",
        "jwt",
        "authorization",
    ];
    let name = name.to_ascii_lowercase();
    NAMES.contains(&name.as_str()) || PARTS.iter().any(|part| name.contains(part))
}
