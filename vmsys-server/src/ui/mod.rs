//! The web UI: pages and their parts, which are in the program itself. They hold nothing: what they show, they ask the
//! API for, with the token that a person enters.

mod assets;

use std::sync::LazyLock;

use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH,
    REFERRER_POLICY, VARY, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use self::assets::{Asset, Assets};
use crate::access::needs_token;
use crate::route::Answer;

/// What the counters call every path of the UI.
pub(crate) const ROUTE: &str = "/{page}";

/// Nothing but the daemon's own, no code or style within a page, and no page around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What every answer of the UI bears besides its type and how it may be kept.
const GUARDS: [(HeaderName, HeaderValue); 5] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
];

/// The name of a file with a hash in it says what is in the file, for ever.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Others are asked for each time, and answered with 304 as long as they are what they were.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

static ASSETS: LazyLock<Assets> = LazyLock::new(Assets::embedded);

/// Answers what belongs to the UI: a part of it, or its page for whatever a browser wants to show. `None` for all else,
/// which is the API's, or is not found.
pub(crate) fn answer(method: &Method, path: &str, headers: &HeaderMap) -> Option<Answer> {
    respond(&ASSETS, method, path, headers)
}

fn respond(assets: &Assets, method: &Method, path: &str, headers: &HeaderMap) -> Option<Answer> {
    if !(method == Method::GET || method == Method::HEAD) || needs_token(path) || !path.starts_with('/') {
        return None;
    }
    if let Some(asset) = assets.find(path) {
        return Some(of(asset, headers));
    }
    // Which page it is, the page itself finds out: its paths are not ours to know. The root is for everybody.
    (path == "/" || wants_a_page(headers)).then(|| of(assets.page(), headers))
}

fn of(asset: &Asset, headers: &HeaderMap) -> Answer {
    let (bytes, etag, encoding) = match &asset.gzipped {
        Some((bytes, etag)) if takes_gzip(headers) => (bytes, etag, Some(HeaderValue::from_static("gzip"))),
        _ => (&asset.bytes, &asset.etag, None),
    };
    let mut answer = if has(headers, etag) {
        Answer::new(StatusCode::NOT_MODIFIED, asset.content_type, "")
    } else {
        Answer::new(StatusCode::OK, asset.content_type, bytes.clone())
    };
    answer.headers.extend(GUARDS.map(|(name, value)| (Some(name), value)));
    answer.headers.insert(CACHE_CONTROL, if asset.is_immutable { FOR_EVER } else { ASK_AGAIN });
    answer.headers.insert(ETAG, etag.clone());
    if asset.gzipped.is_some() {
        answer.headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    if let Some(encoding) = encoding {
        answer.headers.insert(CONTENT_ENCODING, encoding);
    }
    answer
}

/// Tells whether a browser asks, for something to show. A program that asks for `*/*` is better told that there is nothing.
fn wants_a_page(headers: &HeaderMap) -> bool {
    words(headers, ACCEPT).any(|word| word.eq_ignore_ascii_case("text/html"))
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.any(|value| {
        value.split(',').any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
            let refused = parts.any(|part| part.strip_prefix("q=").and_then(|q| q.parse().ok()) == Some(0.0_f32));
            is_gzip && !refused
        })
    })
}

/// Tells whether the caller has what this tag names.
fn has(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let tag = etag.to_str().unwrap_or_default();
    words(headers, IF_NONE_MATCH).any(|word| word == "*" || word.trim_start_matches("W/") == tag)
}

/// The words of a list in a header, without their parameters.
fn words(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',').filter_map(|word| word.split(';').next()).map(str::trim))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Body;

    fn ask(method: &str, path: &str, pairs: &[(HeaderName, &'static str)]) -> Option<(u16, Answer)> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.clone(), HeaderValue::from_static(value));
        }
        let answer = respond(&Assets::sample(), &method.parse().unwrap(), path, &headers)?;
        Some((answer.status.as_u16(), answer))
    }

    fn text(answer: &Answer) -> &[u8] {
        let Body::Whole(bytes) = &answer.body else { panic!("{answer:?}") };
        bytes
    }

    const HTML: (HeaderName, &str) = (ACCEPT, "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");

    #[test]
    fn browsers_are_shown_the_page_wherever_they_are() {
        for path in ["/", "/sessions", "/sessions/1/executions/2", "/no/such/page", "/apix", "/assets/gone.js"] {
            let answer = ask("GET", path, &[HTML]);
            if path == "/apix" {
                // What begins like the API is the API's.
                assert!(answer.is_none());
                continue;
            }
            let (status, answer) = answer.unwrap();
            assert_eq!((status, text(&answer)), (200, b"<!doctype html>".as_slice()), "{path}");
            assert_eq!(answer.headers[CACHE_CONTROL], "no-cache");
        }
        assert_eq!(ask("HEAD", "/", &[]).unwrap().0, 200);
    }

    #[test]
    fn what_is_no_page_is_left_to_the_api() {
        let html = [HTML];
        for (method, path, pairs) in [
            ("GET", "/sessions", &[][..]),
            ("GET", "/sessions", &[(ACCEPT, "*/*")]),
            ("GET", "/api/v1/sessions", &html),
            ("GET", "/api", &html),
            ("GET", "/metrics", &html),
            ("POST", "/", &html),
            ("POST", "/assets/app-1.js", &html),
            ("OPTIONS", "*", &html),
        ] {
            assert!(ask(method, path, pairs).is_none(), "{method} {path}");
        }
    }

    #[test]
    fn parts_are_kept_for_ever_and_known_by_their_tags() {
        let (status, plain) = ask("GET", "/assets/app-1.js", &[]).unwrap();
        assert_eq!((status, text(&plain)), (200, b"let a".as_slice()));
        assert_eq!(plain.headers[CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(plain.content_type, "text/javascript; charset=utf-8");
        assert!(plain.headers.get(CONTENT_ENCODING).is_none());

        let (_, packed) = ask("GET", "/assets/app-1.js", &[(ACCEPT_ENCODING, "br, gzip;q=0.8")]).unwrap();
        assert_eq!(
            (text(&packed), &packed.headers[CONTENT_ENCODING]),
            (b"packed".as_slice(), &"gzip".parse().unwrap())
        );
        assert_ne!(packed.headers[ETAG], plain.headers[ETAG]);
        assert_eq!(packed.headers[VARY], "Accept-Encoding");
        assert!(
            ask("GET", "/assets/app-1.js", &[(ACCEPT_ENCODING, "gzip;q=0, br")])
                .unwrap()
                .1
                .headers
                .get(CONTENT_ENCODING)
                .is_none()
        );
    }

    #[test]
    fn whoever_has_it_is_not_sent_it_again() {
        let (_, answer) = ask("GET", "/", &[]).unwrap();
        let tag = answer.headers[ETAG].to_str().unwrap().to_owned();
        for (value, status) in
            [(tag.clone(), 304), (format!("\"x\", W/{tag}"), 304), ("*".to_owned(), 304), ("\"x\"".to_owned(), 200)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, value.parse().unwrap());
            let answer = respond(&Assets::sample(), &Method::GET, "/", &headers).unwrap();
            assert_eq!((answer.status.as_u16(), text(&answer).is_empty()), (status, status == 304), "{value}");
            assert_eq!(answer.headers[ETAG].to_str().unwrap(), tag);
        }
    }

    #[test]
    fn a_page_may_load_nothing_of_others_and_is_in_no_frame() {
        let (_, answer) = ask("GET", "/", &[]).unwrap();
        let policy = answer.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        for words in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(words), "{policy}");
        }
        assert!(!policy.contains("unsafe"));
        assert_eq!(answer.headers[X_FRAME_OPTIONS], "DENY");
    }
}
