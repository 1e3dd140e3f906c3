//! Which secrets are found, and what is left alone.

use headgate_event::prompt::{
    inline,
    redact::{is_secret_header, secrets},
};

/// Tokens are put together here, so that no scanner takes this file for a leak.
fn token(prefix: &str, rest: &str) -> String {
    format!("{prefix}{rest}")
}

const REST: &str = "16C7e42F292c6912E7710c838347Ae178B4a";

#[test]
fn tokens_of_known_issuers_are_redacted() {
    let long = REST.repeat(2);
    let cases = [
        ("ghp_", REST, "GitHub token"),
        ("gho_", REST, "GitHub token"),
        ("ghu_", REST, "GitHub token"),
        ("ghs_", REST, "GitHub token"),
        ("ghr_", REST, "GitHub token"),
        ("github_pat_", "11ABCDEFG0abcdefghijkl_abcdefghijklmnop", "GitHub token"),
        ("xoxb-", "17653672481-19874698323-pdFZKVeTuE8sk7oOcBrzbqgy", "Slack token"),
        ("xoxp-", "17653672481-19874698323-pdFZ", "Slack token"),
        ("xapp-", "1-A0123456789-1234567890-abcdef", "Slack token"),
        ("sk_live_", "4eC39HqLyjWDarjtT1zdp7dc", "Stripe key"),
        ("sk_test_", "4eC39HqLyjWDarjtT1zdp7dc", "Stripe key"),
        ("rk_live_", "4eC39HqLyjWDarjtT1zdp7dc", "Stripe key"),
        ("whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw+/==", "webhook secret"),
        ("AKIA", "IOSFODNN7EXAMPLE", "AWS key"),
        ("ASIA", "IOSFODNN7EXAMPLE", "AWS key"),
        ("AIza", "SyA1234567890abcdefghijklmnopqrstuvw", "Google key"),
        ("ya29.", REST, "Google token"),
        ("SG.", long.as_str(), "SendGrid key"),
        ("glpat-", "abcdefghij0123456789", "GitLab token"),
        ("eyJ", "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3", "JSON Web Token"),
    ];
    for (prefix, rest, name) in cases {
        let secret = token(prefix, rest);
        let shown = secrets(&format!("see {secret}, thanks")).into_owned();
        assert_eq!(shown, format!("see [redacted: {name}], thanks"));
        assert_eq!(secrets(&secret), format!("[redacted: {name}]"));
        assert!(!inline(&secret).contains(rest), "{name}");
    }
}

#[test]
fn what_is_assigned_to_a_secret_name_is_redacted() {
    for (text, shown) in [
        ("password=hunter2", "password=[redacted: password]"),
        ("PASSWORD = hunter2 # x", "PASSWORD = [redacted: password] # x"),
        ("?token=abc&page=2", "?token=[redacted: token]&page=2"),
        ("DB_PASSWORD='a b'", "DB_PASSWORD='[redacted: password]'"),
        (
            r#"{"client_secret": "x y", "a": 1}"#,
            r#"{"client_secret": "[redacted: secret]", "a": 1}"#,
        ),
        (r#"{\"apiKey\": \"abc\"}"#, r#"{\"apiKey\": \"[redacted: API key]\"}"#),
        ("api_key: 1234567890abc", "api_key: [redacted: API key]"),
        ("x-api-key: 1234567890abc", "x-api-key: [redacted: API key]"),
        ("Password: correcthorse\nbye", "Password: [redacted: password]\nbye"),
        (":password => \"x\"", ":password => \"[redacted: password]\""),
        (
            "Authorization: Basic dXNlcjpwYXNz\nHost: a",
            "Authorization: [redacted: authorization]\nHost: a",
        ),
        ("curl -H 'Authorization: token x'", "curl -H 'Authorization: [redacted: authorization]"),
        ("Cookie: a=b; c=d", "Cookie: [redacted: cookie]"),
        ("Bearer abcdef123456", "Bearer [redacted: credential]"),
        ("bearer AbCdEfGhIjKl.x", "bearer [redacted: credential]"),
        ("https://bob:hunter2@example.com/x", "https://[redacted: credentials]@example.com/x"),
        ("postgres://u:p@ss@db:5432/x", "postgres://[redacted: credentials]@db:5432/x"),
    ] {
        assert_eq!(secrets(text), shown, "{text}");
    }
}

#[test]
fn a_private_key_is_redacted_whole_even_when_it_is_cut_off() {
    let [begin, end] = ["BEGIN", "END"].map(|word| format!("-----{word} RSA PRIVATE KEY-----"));
    let body = "\nMIIEpAIBAAKCAQEA7bq+/=\nabc\n";
    assert_eq!(secrets(&format!("a {begin}{body}{end} b")), "a [redacted: private key] b");
    assert_eq!(secrets(&format!("a {begin}{body}")), "a [redacted: private key]");
    let escaped = format!(r#"{{"key": "{begin}\nMIIE\n{end}\n", "b": 1}}"#);
    assert_eq!(secrets(&escaped), r#"{"key": "[redacted: private key]\n", "b": 1}"#);
    let public = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----";
    assert_eq!(secrets(public), public);
}

#[test]
fn a_secret_is_found_when_hidden_characters_split_it() {
    let secret = token("ghp_16C7\u{200b}e42F292c6912", "E7710c838347Ae178B4a");
    assert_eq!(inline(&secret), "\"[redacted: GitHub token]\" (1 hidden character removed)");
}

#[test]
fn what_is_no_secret_stays() {
    for text in [
        "9c5d3f1e0a7b4c2d8e6f1a3b5c7d9e0f1a2b3c4d",
        "5f0c5bfa-2b3c-4c5e-9d0a-0d0f5a1b2c3d",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "The token: a word of the text, says the lexer",
        "Basic authentication and Bearer authentication are supported",
        "if token == other { password::check() }",
        "token = request.get(\"x\")",
        "password = ${{ secrets.DB_PASSWORD }}",
        "secret=$SECRET token=<your token> password=****",
        "\"password\": null, \"token\": true, \"secret\": \"\"",
        "max_tokens=100 tokenizer=fast secretary=Ann",
        "https://github.com/acme/sdk?tab=readme#top and git@github.com:acme/sdk.git",
        "https://alice@example.com/ and http://[::1]:8080/x@y",
        "sk_test_ and ghp_short and AKIA and eyJ.x and whsec_",
        "AKIAIOSFODNN7EXAMPLEX is one letter too long",
        "a.b.c: d, key: value, id=5",
    ] {
        assert_eq!(secrets(text), text);
    }
}

#[test]
fn redacting_takes_linear_time() {
    // Each of these made a careless scanner start over at every place.
    for piece in [
        "-----BEGIN RSA PRIVATE KEY-----",
        "https://",
        "password=\"",
        "eyJ",
        "Bearer ",
        "a:",
        "\\\"",
    ] {
        let text = piece.repeat(400_000 / piece.len());
        assert!(secrets(&text).len() <= 2 * text.len() + 100);
    }
}

#[test]
fn headers_that_carry_secrets_are_redacted_by_name() {
    for name in [
        "X-Auth-Key",
        "Ocp-Apim-Subscription-Key",
        "X-Functions-Key",
        "X-Session-Id",
        "Authorization",
        "proxy-authorization",
        "cookie",
        "Set-Cookie",
        "x-hub-signature-256",
        "stripe-signature",
        "x-gitlab-token",
        "x-api-key",
        "X-ApiKey",
        "x-shopify-hmac-sha256",
        "x-secret",
        "x-amz-security-token",
        "x-airtable-content-mac",
        "x-telegram-bot-api-secret-token",
    ] {
        assert!(is_secret_header(name), "{name}");
    }
    for name in [
        "X-Event-Key",
        "Idempotency-Key",
        "content-type",
        "user-agent",
        "x-github-delivery",
        "webhook-id",
        "idempotency-key",
        "mac-address",
    ] {
        assert!(!is_secret_header(name), "{name}");
    }
}

#[test]
fn a_header_is_secret_by_any_part_of_its_name_in_any_case() {
    let parts = "signature token secret api-key apikey api_key auth-key access-key private-key \
                 functions-key subscription-key session passcode hmac password credential -mac jwt \
                 authorization";
    for part in parts.split(' ') {
        for name in [part.to_owned(), format!("x-s{part}"), format!("X-{part}-Of").to_uppercase()] {
            assert!(is_secret_header(&name), "{name}");
        }
    }
    assert!(["cookie", "Set-Cookie"].into_iter().all(is_secret_header));
    for name in ["", "host", "user-agent", "content-type", "x-cookies", "mac", "api", "x-signa"] {
        assert!(!is_secret_header(name), "{name}");
    }
}
