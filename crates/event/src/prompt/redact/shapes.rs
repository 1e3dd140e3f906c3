//! The shapes of secrets that can be told by themselves.

/// A token that its issuer begins in a way of its own.
struct Shape {
    prefix: &'static str,
    /// The fewest characters after the prefix.
    rest_min: usize,
    /// Characters besides letters, digits, `_` and `-` that belong to it.
    more: &'static [u8],
    /// What it is, in words.
    name: &'static str,
}

const fn shape(prefix: &'static str, rest_min: usize, name: &'static str) -> Shape {
    Shape { prefix, rest_min, more: b"", name }
}

const SHAPES: [Shape; 38] = [
    shape("ghp_", 16, "GitHub token"),
    shape("gho_", 16, "GitHub token"),
    shape("ghu_", 16, "GitHub token"),
    Shape { prefix: "ghs_", rest_min: 16, more: b".", name: "GitHub token" },
    shape("ghr_", 16, "GitHub token"),
    shape("github_pat_", 16, "GitHub token"),
    shape("glpat-", 16, "GitLab token"),
    shape("xoxa-", 10, "Slack token"),
    shape("xoxb-", 10, "Slack token"),
    shape("xoxc-", 10, "Slack token"),
    shape("xoxd-", 10, "Slack token"),
    shape("xoxe-", 10, "Slack token"),
    Shape { prefix: "xoxe.xox", rest_min: 10, more: b".", name: "Slack token" },
    shape("xoxo-", 10, "Slack token"),
    shape("xoxp-", 10, "Slack token"),
    shape("xoxr-", 10, "Slack token"),
    shape("xoxs-", 10, "Slack token"),
    shape("xapp-", 10, "Slack token"),
    shape("sk_live_", 10, "Stripe key"),
    shape("sk_test_", 10, "Stripe key"),
    shape("rk_live_", 10, "Stripe key"),
    shape("rk_test_", 10, "Stripe key"),
    Shape { prefix: "whsec_", rest_min: 10, more: b"+/=", name: "webhook secret" },
    Shape { prefix: "whsk_", rest_min: 10, more: b"+/=", name: "webhook secret" },
    shape("AIza", 35, "Google key"),
    Shape { prefix: "ya29.", rest_min: 16, more: b".", name: "Google token" },
    shape("GOCSPX-", 16, "Google secret"),
    shape("sk-ant-", 16, "Anthropic key"),
    shape("sk-proj-", 16, "OpenAI key"),
    shape("sk-svcacct-", 16, "OpenAI key"),
    Shape { prefix: "SG.", rest_min: 30, more: b".", name: "SendGrid key" },
    shape("shpat_", 16, "Shopify token"),
    shape("shpss_", 16, "Shopify secret"),
    shape("npm_", 30, "npm token"),
    shape("pypi-", 40, "PyPI token"),
    shape("hf_", 30, "Hugging Face token"),
    shape("dop_v1_", 30, "DigitalOcean token"),
    shape("glsa_", 30, "Grafana token"),
];

/// The token at the beginning of `text`, whose first word has `word_len` bytes: its length and what
/// it is.
pub(super) fn token(text: &[u8], word_len: usize) -> Option<(usize, &'static str)> {
    // Nearly all words are too short for a token, and no part of one.
    if word_len < 14 && text.get(word_len) != Some(&b'.') {
        return None;
    }
    if text.starts_with(b"eyJ") {
        return jwt(text, word_len).map(|len| (len, "JSON Web Token"));
    }
    if is_aws(text, word_len) {
        return Some((word_len, "AWS key"));
    }
    let shape = SHAPES.iter().find(|shape| text.starts_with(shape.prefix.as_bytes()))?;
    let rest = text.get(shape.prefix.len()..)?;
    let len = rest.iter().take_while(|byte| is_word(**byte) || shape.more.contains(byte)).count();
    (len >= shape.rest_min).then_some((shape.prefix.len() + len, shape.name))
}

/// `AKIA` or `ASIA` and sixteen capitals and digits, no more.
fn is_aws(text: &[u8], word_len: usize) -> bool {
    let word = text.get(..word_len).unwrap_or_default();
    word_len == 20
        && (word.starts_with(b"AKIA") || word.starts_with(b"ASIA"))
        && word.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// A JSON Web Token: a header that begins as JSON objects do in base64, and the parts after it.
fn jwt(text: &[u8], header_len: usize) -> Option<usize> {
    const PART_LEN_MIN: usize = 10;
    let rest = text.get(header_len..)?.strip_prefix(b".")?;
    let part = rest.iter().take_while(|byte| is_word(**byte)).count();
    if header_len < PART_LEN_MIN || part < PART_LEN_MIN {
        return None;
    }
    let parts = text.iter().take_while(|byte| is_word(**byte) || **byte == b'.').count();
    Some(parts)
}

/// What is one word to the shapes.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}
