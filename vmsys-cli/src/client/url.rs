//! Where the daemon is.

use std::fmt;
use std::path::PathBuf;

use http::Uri;
use http::uri::{Parts, Scheme};

use crate::error::{Error, Result};

/// The address of a daemon: `http://HOST[:PORT][/BASE]`, or `unix:PATH` for a socket file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerUrl {
    place: Place,
    /// Host and port as the caller wrote them: what the `Host` header says.
    authority: String,
    /// The path in front of `/api/v1`: empty, or `/x/y` without a slash at its end.
    base: String,
}

/// What is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Tcp {
        /// As the resolver wants it: an IPv6 address without its brackets.
        host: String,
        port: u16,
    },
    Unix(PathBuf),
}

impl ServerUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// A usage error: it is no URL, has another scheme than `http`, or parts that make no sense here.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let refuse = |why: &str| {
            Err(Error::usage(format!("the daemon's address {text:?} {why}")).hint(
                "--server-url and VM_SYSTEM_URL take addresses like http://127.0.0.1:3210, or unix:PATH for a socket",
            ))
        };
        if text.is_empty() {
            return refuse("is empty");
        }
        if let Some(path) = text.strip_prefix("unix:") {
            if path.is_empty() {
                return refuse("names no file");
            }
            // Whose host it is makes no difference there, but HTTP wants one.
            return Ok(Self {
                place: Place::Unix(path.into()),
                authority: "localhost".to_owned(),
                base: String::new(),
            });
        }
        let Some((scheme, _)) = text.split_once("://") else {
            return refuse("does not begin with http://");
        };
        if scheme.eq_ignore_ascii_case("https") {
            return refuse("asks for https, which this client does not speak: use http, or a proxy on this machine");
        }
        if text.contains('#') {
            return refuse("has a fragment");
        }
        let Parts { scheme: Some(scheme), authority: Some(authority), path_and_query, .. } = (match text.parse::<Uri>()
        {
            Ok(uri) => uri.into_parts(),
            Err(_) => return refuse("is not a URL"),
        }) else {
            return refuse("is not a URL");
        };
        if scheme != Scheme::HTTP {
            return refuse("has a scheme other than http");
        }
        if authority.as_str().contains('@') {
            return refuse("has a user name in it");
        }
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("" | ":") => 80,
            // `port_u16` is as silent about a port out of range as about none at all.
            _ => match authority.port_u16() {
                Some(port) if port != 0 => port,
                _ => return refuse("has a port that is none"),
            },
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return refuse("has no host");
        }
        let base = match &path_and_query {
            Some(path) if path.query().is_some() => return refuse("has a query"),
            Some(path) => path.path().trim_end_matches('/').to_owned(),
            None => String::new(),
        };
        Ok(Self { place: Place::Tcp { host, port }, authority: authority.as_str().to_owned(), base })
    }

    /// Returns what to connect to.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Returns what the `Host` header says.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns the target of a request for a path of the API.
    pub(crate) fn target(&self, path: &ApiPath) -> String {
        format!("{}{}", self.base, path.0)
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Tcp { .. } => write!(f, "http://{}{}", self.authority, self.base),
            Place::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A path of the daemon's, with its query: every part that came from outside is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiPath(String);

impl ApiPath {
    /// A path of segments below `/api/v1`.
    pub(crate) fn new(segments: &[&str]) -> Self {
        let mut path = "/api/v1".to_owned();
        for segment in segments {
            path.push('/');
            // A server, or a proxy before it, would take `.` and `..` for steps, even when they are encoded.
            match *segment {
                "." | ".." => path.push_str(&segment.replace('.', "%252E")),
                _ => encode(&mut path, segment),
            }
        }
        Self(path)
    }

    /// Where the metrics are, which is not below `/api/v1`.
    pub(crate) fn metrics() -> Self {
        Self("/metrics".to_owned())
    }

    /// The same with one more member of the query, if there is a value for it.
    pub(crate) fn query(mut self, name: &str, value: Option<impl fmt::Display>) -> Self {
        if let Some(value) = value {
            self.0.push(if self.0.contains('?') { '&' } else { '?' });
            self.0.push_str(name);
            self.0.push('=');
            encode(&mut self.0, &value.to_string());
        }
        self
    }
}

/// Appends the text, with every byte but the unreserved ones of RFC 3986 as `%XX`.
fn encode(target: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => target.push(char::from(byte)),
            _ => target.push_str(&format!("%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    #[test]
    fn addresses_are_taken_apart() {
        for (text, host, port, authority, target) in [
            ("http://127.0.0.1:3210", "127.0.0.1", 3210, "127.0.0.1:3210", "/api/v1/health"),
            ("http://127.0.0.1:3210/", "127.0.0.1", 3210, "127.0.0.1:3210", "/api/v1/health"),
            ("HTTP://localhost", "localhost", 80, "localhost", "/api/v1/health"),
            ("http://[::1]:3210", "::1", 3210, "[::1]:3210", "/api/v1/health"),
            ("http://[::1]", "::1", 80, "[::1]", "/api/v1/health"),
            ("http://host.example/a/vm/", "host.example", 80, "host.example", "/a/vm/api/v1/health"),
        ] {
            let url = ServerUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let place = Place::Tcp { host: host.to_owned(), port };
            assert_eq!((url.place(), url.authority()), (&place, authority), "{text}");
            assert_eq!(url.target(&ApiPath::new(&["health"])), target, "{text}");
        }
        let url = ServerUrl::parse("http://[::1]:3210/vm/").expect("the address is good");
        assert_eq!(url.to_string(), "http://[::1]:3210/vm");
        for (text, path) in [("unix:/run/vm.sock", "/run/vm.sock"), ("unix:vm.sock", "vm.sock")] {
            let url = ServerUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((url.place(), url.to_string().as_str()), (&Place::Unix(path.into()), text));
            assert_eq!(
                (url.authority(), url.target(&ApiPath::new(&["health"])).as_str()),
                ("localhost", "/api/v1/health")
            );
        }
    }

    #[test]
    fn addresses_that_make_no_sense_are_usage_errors() {
        for (text, why) in [
            ("", "is empty"),
            ("127.0.0.1:3210", "begin with http://"),
            ("localhost", "begin with http://"),
            ("https://127.0.0.1:3210", "https"),
            ("ftp://127.0.0.1", "scheme"),
            ("unix:", "names no file"),
            ("http://", "is not a URL"),
            ("http://:80", "has no host"),
            ("http://a b", "is not a URL"),
            ("http://[::1", "is not a URL"),
            ("http://user:secret@host", "user name"),
            ("http://host/?x=1", "query"),
            ("http://host/#x", "fragment"),
            ("http://host:0", "port"),
            ("http://host:99999", "port"),
            ("http://host:port", "port"),
        ] {
            let error = ServerUrl::parse(text).expect_err(text);
            assert_eq!(error.exit(), Exit::Usage, "{text}");
            assert!(error.message().contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn whatever_comes_from_outside_is_encoded() {
        assert_eq!(ApiPath::new(&["templates", "a/../b?c#d ü"]).0, "/api/v1/templates/a%2F..%2Fb%3Fc%23d%20%C3%BC");
        assert_eq!(ApiPath::new(&["templates", ".."]).0, "/api/v1/templates/%252E%252E");
        let path = ApiPath::new(&["sessions"]).query("status", None::<&str>);
        assert_eq!(path.0, "/api/v1/sessions");
        assert_eq!(
            path.query("status", Some("a&b")).query("limit", Some(5)).0,
            "/api/v1/sessions?status=a%26b&limit=5"
        );
    }
}
