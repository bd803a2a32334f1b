//! What a script asks for, checked again: nothing in it is believed.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use url::Url;
use vmsys_core::Value;

use super::error::Failure;

/// How often a request is sent on, as the standard has it.
const MOST_REDIRECTS: u32 = 20;
/// Fields of a head at most, and their bytes.
const MOST_HEADERS: usize = 100;
const MOST_HEADER_BYTES: usize = 64 << 10;
const MOST_URL_BYTES: usize = 64 << 10;

/// What frames a message or belongs to the connection: never a script's to say.
const OURS: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What to do with an answer that points elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnRedirect {
    Follow,
    Fail,
    Give,
}

/// A request, on its way.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    pub(super) on_redirect: OnRedirect,
    redirects: u32,
}

impl Request {
    /// Reads what `fetch` sends: `{url, method, headers, body, redirect}`.
    pub(super) fn parse(value: &Value) -> Result<Self, Failure> {
        let text = |key: &str| {
            value.get(key).and_then(Value::as_str).ok_or_else(|| Failure::invalid(format!("a request needs its {key}")))
        };
        let method = method(text("method")?)?;
        let body = match value.get("body") {
            None | Some(Value::Null) => None,
            Some(Value::Bytes(bytes)) => Some(Bytes::copy_from_slice(bytes)),
            Some(_) => return Err(Failure::invalid("a body is bytes")),
        };
        if body.is_some() && (method == Method::GET || method == Method::HEAD) {
            return Err(Failure::invalid("Request with GET/HEAD method cannot have body."));
        }
        let on_redirect = match text("redirect")? {
            "follow" => OnRedirect::Follow,
            "error" => OnRedirect::Fail,
            "manual" => OnRedirect::Give,
            _ => return Err(Failure::invalid("redirect is follow, error or manual")),
        };
        Ok(Self {
            method,
            url: url(text("url")?)?,
            headers: headers(value.get("headers"))?,
            body,
            on_redirect,
            redirects: 0,
        })
    }

    /// Whether it has been sent on.
    pub(super) fn was_redirected(&self) -> bool {
        self.redirects > 0
    }

    /// Where an answer sends this request on to; `None` when the answer is the one to give.
    pub(super) fn redirected(&self, status: StatusCode, headers: &HeaderMap) -> Result<Option<Self>, Failure> {
        if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        match self.on_redirect {
            OnRedirect::Give => return Ok(None),
            OnRedirect::Fail => return Err(Failure::plain("unexpected redirect")),
            OnRedirect::Follow => {}
        }
        let Some(location) = headers.get(header::LOCATION) else { return Ok(None) };
        if self.redirects == MOST_REDIRECTS {
            return Err(Failure::plain("redirect count exceeded"));
        }
        // Bytes that are no UTF-8 are percent-encoded by the parser as what they look like in Latin-1.
        let location = latin1(location.as_bytes());
        let mut next = self.clone();
        next.redirects += 1;
        next.url = self
            .url
            .join(&location)
            .map_err(|_| Failure::plain(format!("the redirect to {location:?} leads nowhere")))?;
        check(&next.url)?;
        if next.url.fragment().is_none() {
            next.url.set_fragment(self.url.fragment());
        }
        let becomes_get = match status.as_u16() {
            301 | 302 => self.method == Method::POST,
            303 => self.method != Method::GET && self.method != Method::HEAD,
            _ => false,
        };
        if becomes_get {
            next.method = Method::GET;
            next.body = None;
            for name in [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE] {
                next.headers.remove(name);
            }
        }
        if next.url.origin() != self.url.origin() {
            next.headers.remove(AUTHORIZATION);
            next.headers.remove(COOKIE);
        }
        Ok(Some(next))
    }
}

/// Text of one character a byte, as headers have it.
pub(super) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn method(text: &str) -> Result<Method, Failure> {
    let refused = ["CONNECT", "TRACE", "TRACK"].iter().any(|never| text.eq_ignore_ascii_case(never));
    match Method::from_bytes(text.as_bytes()) {
        Ok(method) if !refused && text.len() <= 64 => Ok(method),
        _ => {
            Err(Failure::invalid(format!("{:?} is no method of a request", text.chars().take(64).collect::<String>())))
        }
    }
}

fn url(text: &str) -> Result<Url, Failure> {
    if text.len() > MOST_URL_BYTES {
        return Err(Failure::invalid(format!("a URL has at most {MOST_URL_BYTES} bytes")));
    }
    let url = Url::parse(text).map_err(|error| Failure::invalid(format!("Invalid URL: {error}")))?;
    check(&url)?;
    Ok(url)
}

fn check(url: &Url) -> Result<(), Failure> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Failure::refused(format!(
            "fetch is refused: the scheme {}: is neither http: nor https:",
            url.scheme()
        )));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Failure::invalid(
            "a URL to be fetched has no user and no password in it: send an Authorization header",
        ));
    }
    if url.host().is_none() || url.as_str().len() > MOST_URL_BYTES {
        return Err(Failure::invalid("Invalid URL"));
    }
    Ok(())
}

fn headers(list: Option<&Value>) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    let mut bytes = 0;
    for pair in list.and_then(Value::as_array).unwrap_or_default() {
        let Some([Value::String(name), Value::String(value)]) = pair.as_array() else {
            return Err(Failure::invalid("a header is a name and a value"));
        };
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            return Err(Failure::invalid(format!("{name:?} is no name of a header")));
        };
        let value = bytes_of(value).and_then(|value| HeaderValue::from_bytes(&value).ok());
        let Some(value) = value else {
            return Err(Failure::invalid(format!("the value of the header {name} is none")));
        };
        bytes += name.as_str().len() + value.len();
        if headers.len() >= MOST_HEADERS || bytes > MOST_HEADER_BYTES {
            return Err(Failure::invalid(format!(
                "the headers of a request are at most {MOST_HEADERS}, with {MOST_HEADER_BYTES} bytes"
            )));
        }
        if !OURS.contains(&name.as_str()) && !name.as_str().starts_with("proxy-") {
            headers.append(name, value);
        }
    }
    Ok(headers)
}

/// The bytes of text that has only characters of one byte.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|char| u8::try_from(u32::from(char)).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str, method: &str, headers: &[(&str, &str)], body: Option<&str>) -> Result<Request, Failure> {
        let headers = headers.iter().map(|(name, value)| Value::Array(vec![(*name).into(), (*value).into()])).collect();
        Request::parse(&Value::object([
            ("url", url.into()),
            ("method", method.into()),
            ("headers", Value::Array(headers)),
            ("body", body.map(|text| text.as_bytes().to_vec()).into()),
            ("redirect", "follow".into()),
        ]))
    }

    fn location(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_bytes(text.as_bytes()).unwrap())])
    }

    fn code(result: Result<impl std::fmt::Debug, Failure>) -> Option<String> {
        vmsys_core::CallError::from(result.unwrap_err()).code().map(str::to_owned)
    }

    #[test]
    fn only_the_web_is_fetched() {
        for url in
            ["file:///etc/passwd", "ftp://a.example/", "data:,x", "gopher://a.example", "ws://a.example", "unix:/x"]
        {
            assert_eq!(code(request(url, "GET", &[], None)).as_deref(), Some("EPERM"), "{url}");
            let from = request("http://a.example", "GET", &[], None).unwrap();
            assert_eq!(code(from.redirected(StatusCode::FOUND, &location(url))).as_deref(), Some("EPERM"), "{url}");
        }
        for url in [
            "",
            "/x",
            "a.example",
            "http://",
            "http://a b",
            "http://u@a.example",
            "http://u:p@a.example",
            "http://:p@a.example",
        ] {
            assert_eq!(code(request(url, "GET", &[], None)), None, "{url}");
        }
    }

    #[test]
    fn a_host_has_one_form_however_it_is_written() {
        for (text, host) in [
            ("//2130706433", "127.0.0.1"),
            ("//0x7f000001", "127.0.0.1"),
            ("//0177.0.0.1", "127.0.0.1"),
            ("//017700000001", "127.0.0.1"),
            ("//127.1", "127.0.0.1"),
            ("//0x7F.1.", "127.0.0.1"),
            ("//127.0.0.1.", "127.0.0.1"),
            ("//%31%32%37.0.0.1", "127.0.0.1"),
            ("//１２７。０。０。１", "127.0.0.1"),
            ("//①②⑦.⓪.⓪.①", "127.0.0.1"),
            ("//0", "0.0.0.0"),
            ("//LOCALHOST", "localhost"),
            ("//ⓛocalhost", "localhost"),
            ("//a.example\\@127.0.0.1", "a.example"),
            ("//a.example\t\n", "a.example"),
            ("//[::ffff:7f00:1]", "[::ffff:7f00:1]"),
            ("//[0:0:0:0:0:0:0:1]", "[::1]"),
            ("a.example", "a.example"),
            ("///a.example", "a.example"),
        ] {
            assert_eq!(
                request(&format!("http:{text}"), "GET", &[], None).unwrap().url.host_str(),
                Some(host),
                "{text}"
            );
        }
        for text in ["//[fe80::1%25eth0]", "//[::1", "//256.1.1.1", "//1.2.3.4.5", "//a%00b", "//[127.0.0.1]"] {
            assert!(request(&format!("http:{text}"), "GET", &[], None).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_can_be_smuggled() {
        let with = |headers: &[(&str, &str)]| request("http://a.example", "POST", headers, Some("x"));
        for (name, value) in [
            ("a b", "x"),
            ("a\r\nb", "x"),
            ("", "x"),
            ("é", "x"),
            ("a:", "x"),
            ("a", "x\r\nb: y"),
            ("a", "x\ny"),
            ("a", "x\0"),
            ("a", "ż"),
            ("a", "\u{7f}"),
        ] {
            assert!(with(&[(name, value)]).is_err(), "{name:?}: {value:?}");
        }
        let ours = [
            "Host",
            "content-length",
            "Transfer-Encoding",
            "Connection",
            "TE",
            "upgrade",
            "Expect",
            "Trailer",
            "Keep-Alive",
            "Proxy-Authorization",
        ];
        for name in ours {
            assert!(with(&[(name, "x")]).unwrap().headers.is_empty(), "{name}");
        }
        let kept =
            with(&[("Cookie", "a=1"), ("x-é".trim_end_matches('é'), "ü"), ("a", "1"), ("A", "2")]).unwrap().headers;
        assert_eq!((kept.len(), kept["x-"].as_bytes()), (4, [0xfc].as_slice()));
        for method in ["", "CONNECT", "connect", "TRACE", "Track", "GET /x HTTP/1.1\r\n", "a b", "é"] {
            assert!(request("http://a.example", method, &[], None).is_err(), "{method:?}");
        }
        for method in ["GET", "HEAD"] {
            assert!(request("http://a.example", method, &[], Some("")).is_err(), "{method} with a body");
        }
        let many: Vec<_> = (0..101).map(|_| ("a", "b")).collect();
        assert!(with(&many).is_err() && with(&many[1..]).is_ok());
        assert!(with(&[("a", &"x".repeat(MOST_HEADER_BYTES))]).is_err());
    }

    #[test]
    fn methods_and_bodies_change_with_the_status() {
        for (method, status, after, keeps) in [
            ("POST", 301, "GET", false),
            ("POST", 302, "GET", false),
            ("POST", 303, "GET", false),
            ("PUT", 303, "GET", false),
            ("PUT", 301, "PUT", true),
            ("PUT", 302, "PUT", true),
            ("POST", 307, "POST", true),
            ("POST", 308, "POST", true),
        ] {
            let sent =
                request("http://a.example/x", method, &[("content-type", "a/b"), ("x", "y")], Some("body")).unwrap();
            let next = sent.redirected(StatusCode::from_u16(status).unwrap(), &location("y")).unwrap().unwrap();
            assert_eq!((next.method.as_str(), next.url.as_str()), (after, "http://a.example/y"), "{method} {status}");
            assert_eq!(
                (next.body.is_some(), next.headers.contains_key(CONTENT_TYPE)),
                (keeps, keeps),
                "{method} {status}"
            );
            assert!(next.headers.contains_key("x") && next.was_redirected());
        }
        let head = request("http://a.example/x", "HEAD", &[], None).unwrap();
        assert_eq!(head.redirected(StatusCode::SEE_OTHER, &location("y")).unwrap().unwrap().method, Method::HEAD);
        for status in [200, 300, 304, 305, 306] {
            assert!(
                head.redirected(StatusCode::from_u16(status).unwrap(), &location("y")).unwrap().is_none(),
                "{status}"
            );
        }
        assert!(head.redirected(StatusCode::FOUND, &HeaderMap::new()).unwrap().is_none(), "without a location");
    }

    #[test]
    fn secrets_stay_with_their_origin() {
        let secrets = [("authorization", "a"), ("cookie", "b"), ("x", "y")];
        for (to, keeps) in [
            ("/y", true),
            ("http://a.example:80/", true),
            ("//b.example/", false),
            ("https://a.example/", false),
            ("http://a.example:81/", false),
        ] {
            let sent = request("http://a.example/x#here", "GET", &secrets, None).unwrap();
            let next = sent.redirected(StatusCode::FOUND, &location(to)).unwrap().unwrap();
            assert_eq!(next.headers.contains_key(AUTHORIZATION), keeps, "{to}");
            assert_eq!(next.headers.contains_key(COOKIE), keeps, "{to}");
            assert!(next.headers.contains_key("x"), "{to}");
            assert_eq!(next.url.fragment(), Some("here"), "{to}");
        }
    }

    #[test]
    fn chains_of_redirects_end() {
        let mut request = request("http://a.example/", "GET", &[], None).unwrap();
        for _ in 0..MOST_REDIRECTS {
            request = request.redirected(StatusCode::FOUND, &location("/")).unwrap().unwrap();
        }
        assert!(request.redirected(StatusCode::FOUND, &location("/")).is_err());
        assert!(request.redirected(StatusCode::OK, &location("/")).unwrap().is_none());
    }
}
