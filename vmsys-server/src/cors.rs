//! Pages of other origins that may use the API: those that the operator names, and no other.
//!
//! Not tower-http's layer: there is no tower here, and what is left of it, once wildcards and credentials are not to be had,
//! is this file.

use std::fmt;

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method};

/// What a page may send, and read of an answer, besides what every page may.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
const SENT: HeaderValue =
    HeaderValue::from_static("Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id");
const READ: HeaderValue = HeaderValue::from_static("Location, Retry-After, WWW-Authenticate, X-Request-Id");

/// How long a browser may remember an answer to a preflight, in seconds.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");

/// The origin of a web page, as its browser writes it: `https://app.example`, `http://localhost:5173`.
///
/// ```
/// use vmsys_server::Origin;
/// let origin: Origin = "HTTPS://App.Example:443/".parse()?;
/// assert_eq!(origin.to_string(), "https://app.example");
/// assert!("*".parse::<Origin>().is_err()); // each is named
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(HeaderValue);

impl std::str::FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || "expected an origin, as in https://app.example or http://localhost:5173".to_owned();
        let url = url::Url::parse(text).map_err(|_| refused())?;
        let bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !bare || !matches!(url.scheme(), "http" | "https") {
            return Err(refused());
        }
        HeaderValue::from_str(&url.origin().ascii_serialization()).map(Self).map_err(|_| refused())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

/// The origins that are answered.
#[derive(Debug, Default)]
pub(crate) struct Cors(Vec<Origin>);

impl Cors {
    pub(crate) fn new(origins: &[Origin]) -> Self {
        Self(origins.to_vec())
    }

    /// Tells whether pages of this origin may use the API.
    pub(crate) fn allows(&self, origin: &HeaderValue) -> bool {
        self.0.iter().any(|allowed| allowed.0 == *origin)
    }

    /// What a browser has to be told for its page, with every answer; the origin is the request's, if it is allowed.
    pub(crate) fn headers_for(&self, request: &HeaderMap) -> Option<HeaderMap> {
        if self.0.is_empty() {
            return None;
        }
        let mut headers = HeaderMap::new();
        // Also where none is allowed: what answers one page must not be given to another out of a cache.
        headers.insert(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = sole_origin(request).filter(|origin| self.allows(origin)) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, READ);
        }
        Some(headers)
    }
}

/// The origin of a request that names exactly one.
fn sole_origin(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (Some(origin), None) => Some(origin),
        _ => None,
    }
}

/// The origin that a browser asks for before it lets a page send its request, if that is what this is.
pub(crate) fn preflight<'a>(method: &Method, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
    if *method != Method::OPTIONS || !headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return None;
    }
    sole_origin(headers)
}

/// What a preflight is answered: what pages may send. That this one may send anything, [`Cors::headers_for`] says.
pub(crate) fn permission() -> HeaderMap {
    let pairs = [
        (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (ACCESS_CONTROL_ALLOW_HEADERS, SENT),
        (ACCESS_CONTROL_MAX_AGE, REMEMBERED),
    ];
    pairs.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_taken_as_browsers_write_them() {
        for (text, origin) in [
            ("https://app.example", "https://app.example"),
            ("https://app.example:443/", "https://app.example"),
            ("http://LOCALHOST:5173", "http://localhost:5173"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().to_string(), origin, "{text}");
        }
        for text in [
            "",
            "*",
            "null",
            "app.example",
            "https://*.app.example/x",
            "https://app.example/path",
            "https://app.example?x",
            "https://user@app.example",
            "file:///tmp",
            "ftp://app.example",
            "https://",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }

    fn headers(pairs: &[(http::HeaderName, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.clone(), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_an_origin_that_is_named_is_told_that_it_may() {
        let cors = Cors::new(&["http://a.example".parse().unwrap()]);
        let told = cors.headers_for(&headers(&[(ORIGIN, "http://a.example")])).unwrap();
        assert_eq!(told[ACCESS_CONTROL_ALLOW_ORIGIN], "http://a.example");
        assert_eq!(told[VARY], "Origin");
        for others in [
            &[][..],
            &[(ORIGIN, "http://b.example")],
            &[(ORIGIN, "http://a.example:81")],
            &[(ORIGIN, "null")],
            &[(ORIGIN, "http://a.example"), (ORIGIN, "http://a.example")],
        ] {
            let told = cors.headers_for(&headers(others)).unwrap();
            assert_eq!(told.keys().collect::<Vec<_>>(), [VARY], "{others:?}");
        }
        assert!(Cors::default().headers_for(&headers(&[(ORIGIN, "http://a.example")])).is_none());
    }

    #[test]
    fn a_preflight_is_an_options_request_that_asks_for_a_method() {
        let asks = headers(&[(ORIGIN, "http://a.example"), (ACCESS_CONTROL_REQUEST_METHOD, "POST")]);
        assert!(preflight(&Method::OPTIONS, &asks).is_some());
        assert!(preflight(&Method::POST, &asks).is_none());
        assert!(preflight(&Method::OPTIONS, &headers(&[(ORIGIN, "http://a.example")])).is_none());
        assert!(preflight(&Method::OPTIONS, &headers(&[(ACCESS_CONTROL_REQUEST_METHOD, "POST")])).is_none());
    }
}
