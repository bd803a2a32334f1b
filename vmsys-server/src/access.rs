//! Who may talk to the daemon: with a token, whoever shows it; without one, programs of this machine, and no other web
//! page in the user's browser.
//!
//! Whoever reaches the daemon can run code. A page of another site reaches it in two ways: by a request of its own, which
//! bears the page's `Origin`; and by a name of its own that it lets point to this machine (DNS rebinding), which bears
//! that name as `Host`. Without a token both are refused. With one neither needs to be: no page has it that was not given
//! it, and a browser adds none by itself.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};

use crate::config::Config;
use crate::cors::{self, Cors};
use crate::error::ApiError;
use crate::listen::Peer;
use crate::server::StartError;
use crate::token::{self, AuthToken};

/// What is open to everybody: it tells only that there is a daemon.
pub(crate) const HEALTH: &str = "/api/v1/health";

/// What is asked of callers.
#[derive(Debug, Default)]
pub(crate) struct Access {
    /// What callers show, if they have to. It changes when its file is read again; whether there is one does not.
    token: Option<RwLock<AuthToken>>,
    file: Option<PathBuf>,
    cors: Cors,
}

/// What a request that may be answered is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admitted {
    Request,
    /// A browser that asks whether a page may send a request. It is no request yet.
    Preflight,
}

impl Access {
    /// Takes the token of the file, or else the one that was given.
    pub(crate) fn new(config: &Config) -> Result<Self, StartError> {
        let file = config.auth_token_file.clone();
        let token = match &file {
            None => config.auth_token.clone(),
            Some(path) => {
                let refused = |source| StartError::Token { from: path.display().to_string(), source };
                let token = AuthToken::read(path).map_err(refused)?;
                warn_if_open(path);
                Some(token)
            }
        };
        Ok(Self { token: token.map(RwLock::new), file, cors: Cors::new(&config.cors_origins) })
    }

    /// Tells whether callers have to show a token.
    pub(crate) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Tells whether the token has a file that can be read again.
    pub(crate) fn can_reload(&self) -> bool {
        self.file.is_some()
    }

    /// Reads the token's file again. One that cannot be used changes nothing: to be open would be worse than to be old.
    pub(crate) fn reload(&self) {
        let (Some(file), Some(token)) = (&self.file, &self.token) else { return };
        match AuthToken::read(file) {
            Ok(new) => {
                *token.write().unwrap_or_else(PoisonError::into_inner) = new;
                warn_if_open(file);
                tracing::info!(file = %file.display(), "the token was read again");
            }
            Err(error) => {
                tracing::error!(file = %file.display(), cause = %error, "the token was not read again: the old one stays");
            }
        }
    }

    /// Checks who sends a request.
    pub(crate) fn check(&self, head: &Parts, peer: Peer) -> Result<Admitted, ApiError> {
        let preflight = cors::preflight(&head.method, &head.headers);
        if preflight.is_none()
            && let Some(token) = &self.token
        {
            let token = token.read().unwrap_or_else(PoisonError::into_inner);
            if needs_token(head.uri.path()) && !shown(&head.headers).is_some_and(|shown| token.is(shown)) {
                return Err(ApiError::unauthorized());
            }
            return Ok(Admitted::Request);
        }
        if self.token.is_none() && peer.has_host() {
            check_host(&head.uri, &head.headers)?;
        }
        match preflight {
            Some(origin) if self.cors.allows(origin) => Ok(Admitted::Preflight),
            // A page of the daemon's own needs no permission: its browser does not ask for one.
            Some(_) => Err(foreign()),
            None => self.check_origin(&head.uri, &head.headers).map(|()| Admitted::Request),
        }
    }

    fn check_origin(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
        let own = named(uri, headers).next().map(|host| format!("http://{host}")).unwrap_or_default();
        let is_own = |origin: &HeaderValue| origin.as_bytes().eq_ignore_ascii_case(own.as_bytes());
        let foreign_one = |origin: &HeaderValue| !is_own(origin) && !self.cors.allows(origin);
        if headers.get_all(ORIGIN).iter().any(foreign_one) { Err(foreign()) } else { Ok(()) }
    }

    /// Tells the browser of the request's page what it may do with the answer.
    pub(crate) fn tell<B>(&self, head: &Parts, response: &mut Response<B>) {
        let Some(told) = self.cors.headers_for(&head.headers) else { return };
        response.headers_mut().extend(told);
        if response.status() == StatusCode::NO_CONTENT && cors::preflight(&head.method, &head.headers).is_some() {
            response.headers_mut().remove(CONTENT_TYPE);
            response.headers_mut().extend(cors::permission());
        }
    }
}

fn warn_if_open(file: &std::path::Path) {
    if token::is_open_to_others(file) {
        tracing::warn!(file = %file.display(), "other users of this machine can read or write the token's file");
    }
}

fn foreign() -> ApiError {
    ApiError::forbidden(
        "Origin",
        "This daemon does not answer pages of this origin: --cors-origin names those that it does",
    )
}

/// Tells whether a path is asked for with the token. What is not here are the pages of the UI, which hold nothing.
pub(crate) fn needs_token(path: &str) -> bool {
    path != HEALTH && (path.starts_with("/api") || path.starts_with("/metrics"))
}

/// Returns the token that a request shows, if it shows exactly one.
fn shown(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

/// What a request calls the daemon: in its target, as proxies are asked, and in its `Host`.
fn named<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> + Clone {
    let host = headers.get(HOST).map(|host| host.to_str().unwrap_or_default());
    uri.authority().map(Authority::as_str).into_iter().chain(host)
}

fn check_host(uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
    let named = named(uri, headers);
    let several = headers.get_all(HOST).iter().count() > 1;
    if several || named.clone().next().is_none() || !named.clone().all(is_loopback) {
        return Err(ApiError::forbidden("Host", "This daemon answers only as localhost, 127.0.0.1 or [::1]"));
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
    use http::Request;
    use http::header::ACCESS_CONTROL_REQUEST_METHOD;

    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn head(method: &str, uri: &str, pairs: &[(http::HeaderName, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri(uri).body(()).unwrap();
        for (name, value) in pairs {
            request.headers_mut().append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        request.into_parts().0
    }

    fn tcp() -> Peer {
        Peer::Tcp(([127, 0, 0, 1], 5).into())
    }

    fn verdict(uri: &str, pairs: &[(http::HeaderName, &str)]) -> bool {
        Access::default().check(&head("GET", uri, pairs), tcp()).is_ok()
    }

    fn guarded() -> Access {
        let config = Config {
            auth_token: Some(AuthToken::parse(TOKEN).unwrap()),
            cors_origins: vec!["http://a.example".parse().unwrap()],
            ..Config::default()
        };
        Access::new(&config).unwrap()
    }

    fn status(access: &Access, head: &Parts) -> u16 {
        access.check(head, tcp()).map_or_else(|error| error.status().as_u16(), |_| 200)
    }

    #[test]
    fn a_token_is_asked_for_wherever_there_is_something() {
        let access = guarded();
        let good = format!("Bearer {TOKEN}");
        for path in
            ["/api/v1/sessions", "/api", "/api/", "/api/v1/health/", "/api/v1/health/x", "/metrics", "/api/nosuch"]
        {
            for method in ["GET", "POST", "OPTIONS", "HEAD", "BREW"] {
                assert_eq!(status(&access, &head(method, path, &[])), 401, "{method} {path}");
                let with = head(method, path, &[(AUTHORIZATION, &good), (HOST, "vm.example")]);
                assert_eq!(status(&access, &with), 200, "{method} {path}");
            }
        }
        assert_eq!(status(&access, &head("GET", "http://x.example/api/v1/sessions", &[])), 401);
        for path in ["/api/v1/health", "/", "/assets/app.js"] {
            assert_eq!(status(&access, &head("GET", path, &[])), 200, "{path}");
        }
    }

    #[test]
    fn a_token_is_shown_in_one_way() {
        let access = guarded();
        let is_taken = |value: &str| status(&access, &head("GET", "/api/v1/x", &[(AUTHORIZATION, value)])) == 200;
        for value in [format!("Bearer {TOKEN}"), format!("bearer {TOKEN}"), format!("BEARER   {TOKEN}  ")] {
            assert!(is_taken(&value), "{value}");
        }
        for value in [
            TOKEN.to_owned(),
            format!("Bearer{TOKEN}"),
            format!("Bearer {TOKEN}x"),
            format!("Bearer {}", &TOKEN[1..]),
            format!("Bearer {TOKEN} {TOKEN}"),
            format!("Bearer \"{TOKEN}\""),
            format!("Basic {TOKEN}"),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            String::new(),
        ] {
            assert!(!is_taken(&value), "{value}");
        }
        let good = format!("Bearer {TOKEN}");
        let twice = [(AUTHORIZATION, good.as_str()), (AUTHORIZATION, good.as_str())];
        assert_eq!(status(&access, &head("GET", "/api/v1/x", &twice)), 401);
    }

    #[test]
    fn a_preflight_needs_no_token_but_an_origin_that_is_named() {
        let asks = |origin| head("OPTIONS", "/api/v1/x", &[(ORIGIN, origin), (ACCESS_CONTROL_REQUEST_METHOD, "POST")]);
        let access = guarded();
        assert_eq!(access.check(&asks("http://a.example"), tcp()).unwrap(), Admitted::Preflight);
        assert_eq!(status(&access, &asks("http://b.example")), 403);
        // Without a token, it is first of all a request that must have been sent to this machine by name.
        let mut open = guarded();
        open.token = None;
        assert_eq!(status(&open, &asks("http://a.example")), 403);
        let mut named = asks("http://a.example");
        named.headers.insert(HOST, HeaderValue::from_static("localhost:3210"));
        assert_eq!(open.check(&named, tcp()).unwrap(), Admitted::Preflight);
        let request = head("POST", "/api/v1/x", &[(ORIGIN, "http://a.example"), (HOST, "localhost:3210")]);
        assert_eq!(open.check(&request, tcp()).unwrap(), Admitted::Request);
    }

    #[test]
    fn behind_a_socket_file_every_host_is_ours() {
        let access = Access::default();
        let check = |pairs: &[_]| access.check(&head("GET", "/api/v1/x", pairs), Peer::Unix).is_ok();
        assert!(check(&[]) && check(&[(HOST, "docker")]) && check(&[(HOST, "a"), (ORIGIN, "http://a")]));
        assert!(!check(&[(HOST, "a"), (ORIGIN, "http://evil.example")]));
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
