//! Which URLs may be fetched at all.

use crate::Reject;
use http::Uri;

/// The hosts that something may be fetched from: exact names, in which a `*` stands for one label
/// or a part of one.
#[derive(Clone, Debug)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// The hosts of these names, or what is wrong with one of them.
    pub fn read<S: AsRef<str>>(names: &[S]) -> Result<Self, String> {
        let fits = |name: &str| {
            let byte = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.*".contains(&byte)
            };
            // What may stand for anything stands before a name that is written out.
            let fixed = name.rsplit('.').take(2).all(|label| !label.contains('*'));
            name.contains('.') && name.bytes().all(byte) && fixed
        };
        match names.iter().map(AsRef::as_ref).find(|name| !fits(name)) {
            Some(wrong) => Err(format!("expected a lower-case host name, found `{wrong}`")),
            None if names.is_empty() => Err("expected a host at least, found none".to_owned()),
            None => Ok(Self(names.iter().map(|name| name.as_ref().to_owned()).collect())),
        }
    }

    /// Whether a URL is `https`, of one of these hosts, and nothing else is strange about it; 401
    /// `foreign_host` where it is not.
    pub fn admit(&self, url: &str) -> Result<(), Reject> {
        let refuse = |why: String| Err(Reject::unauthorized("foreign_host", why));
        let Some(uri) = url.parse::<Uri>().ok().filter(|_| url.len() <= 1024) else {
            return refuse("the address of what proves the request is no URL".to_owned());
        };
        let host = uri.host().unwrap_or_default();
        let authority = uri.authority().map_or("", http::uri::Authority::as_str);
        if uri.scheme_str() != Some("https") || authority != host {
            let why = "the address of what proves the request is not `https` and a host";
            return refuse(why.to_owned());
        }
        if !self.0.iter().any(|known| matches(known, host)) {
            return refuse(format!(
                "what proves the request is not at {}",
                self.0.iter().map(|host| format!("`{host}`")).collect::<Vec<_>>().join(" or ")
            ));
        }
        Ok(())
    }
}

/// Whether a host is this one; labels are compared one by one.
fn matches(known: &str, host: &str) -> bool {
    let (known, host): (Vec<_>, Vec<_>) = (known.split('.').collect(), host.split('.').collect());
    let label = |(known, found): (&&str, &&str)| match known.split_once('*') {
        None => known == found,
        Some((before, after)) => {
            let middle = found.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            let word =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            middle.is_some_and(|middle| !middle.is_empty() && middle.bytes().all(word))
        }
    };
    known.len() == host.len() && known.iter().zip(&host).all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_hosts_over_https_are_fetched_from() {
        let names = ["sns.*.amazonaws.com", "api.paypal.com"];
        let hosts = Hosts::read(&names).expect("hosts");
        for right in ["https://sns.eu-west-1.amazonaws.com/x.pem", "https://api.paypal.com/v1/c"] {
            assert!(hosts.admit(right).is_ok(), "{right}");
        }
        for wrong in [
            "http://api.paypal.com/c",
            "https://api.paypal.com:8443/c",
            "https://user@api.paypal.com/c",
            "https://api.paypal.com.evil.example/c",
            "https://evil.example/api.paypal.com",
            "https://sns..amazonaws.com/x",
            "https://sns.a.b.amazonaws.com/x",
            "https://sns.a_b.amazonaws.com/x",
            "https://SNS.eu-west-1.amazonaws.com/x",
            "https://amazonaws.com/x",
            "//api.paypal.com/c",
            "https://api.paypal.com\\@evil.example/",
            "",
        ] {
            assert!(hosts.admit(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_host_that_could_be_anyones_is_refused() {
        for wrong in ["*.com", "sns.*.com", "*", "Example.com", "localhost", "a.b/c"] {
            assert!(Hosts::read(&[wrong]).is_err(), "{wrong}");
        }
        assert!(Hosts::read::<&str>(&[]).is_err());
    }
}
