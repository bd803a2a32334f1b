//! Who may talk to the daemon: programs of this machine, and no other web page in the user's browser.
//!
//! Whoever reaches the daemon can run code. A page of another site reaches it in two ways: by a request of its own, which
//! bears the page's `Origin`; and by a name of its own that it lets point to this machine (DNS rebinding), which bears
//! that name as `Host`. Both are refused.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Uri};

use crate::error::ApiError;

/// Checks where a request comes from.
pub(crate) fn check(uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().map(|host| host.to_str().unwrap_or_default());
    let named = uri.authority().map(Authority::as_str).into_iter().chain(host);
    if hosts.next().is_some() || named.clone().next().is_none() || !named.clone().all(is_loopback) {
        return Err(ApiError::forbidden("Host", "This daemon answers only as localhost, 127.0.0.1 or [::1]"));
    }
    let own = named.map(|host| format!("http://{host}")).next().unwrap_or_default();
    if headers.get_all(ORIGIN).iter().any(|origin| !origin.as_bytes().eq_ignore_ascii_case(own.as_bytes())) {
        return Err(ApiError::forbidden("Origin", "This daemon does not answer pages of other origins"));
    }
    Ok(())
}

/// Tells whether an authority, with or without a port, names this machine to itself.
fn is_loopback(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    // A user's name in front of the host is no part of a `Host`.
    if authority.as_str().contains('@') {
        return false;
    }
    let host = authority.host();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn verdict(uri: &str, pairs: &[(http::HeaderName, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        check(&uri.parse().unwrap(), &headers).is_ok()
    }

    #[test]
    fn only_loopback_names_are_answered() {
        for host in ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:3210", "127.8.9.1", "[::1]", "[::1]:3210"] {
            assert!(verdict("/", &[(HOST, host)]), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "10.0.0.1",
            "0.0.0.0",
            "user@localhost",
            "",
            "[::ffff:10.0.0.1]",
            "local host",
        ] {
            assert!(!verdict("/", &[(HOST, host)]), "{host}");
        }
        assert!(!verdict("/", &[]));
        assert!(!verdict("/", &[(HOST, "localhost"), (HOST, "localhost")]));
        assert!(!verdict("http://evil.example/", &[(HOST, "localhost")]));
        assert!(verdict("http://localhost/", &[(HOST, "localhost")]));
    }

    #[test]
    fn only_its_own_pages_are_answered() {
        let from = |origin: &str| verdict("/", &[(HOST, "127.0.0.1:3210"), (ORIGIN, origin)]);
        assert!(from("http://127.0.0.1:3210"));
        for origin in
            ["null", "", "http://127.0.0.1", "https://127.0.0.1:3210", "http://localhost:3210", "http://evil.example"]
        {
            assert!(!from(origin), "{origin}");
        }
    }
}
