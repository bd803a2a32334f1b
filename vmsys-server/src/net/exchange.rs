//! One request and its answer over one connection: HTTP/1.1, bounded in every direction.

use std::io::{self, Read as _};

use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::ext::ReasonPhrase;
use hyper_util::rt::TokioIo;
use tokio::task::{JoinSet, spawn_blocking};
use url::Position;

use super::connect::Connection;
use super::error::{Failure, code_of};
use super::request::{Request, latin1};

/// The bytes that the head of an answer may have.
const MOST_HEAD_BYTES: usize = 64 << 10;
/// The fields that it may have.
const MOST_HEADERS: usize = 200;
/// Codings of a body that are undone, one after the other.
const MOST_CODINGS: usize = 5;

/// An answer whose body has not been read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) status_text: String,
    pub(super) headers: HeaderMap,
    body: Incoming,
    /// Moves the bytes. Dropped, it closes the connection.
    _connection: JoinSet<()>,
}

/// Sends a request and waits for the head of its answer.
pub(super) async fn exchange(connection: Connection, request: &Request) -> Result<Answer, Failure> {
    let (mut sender, driver) = http1::Builder::new()
        .max_buf_size(MOST_HEAD_BYTES)
        .max_headers(MOST_HEADERS)
        .handshake::<_, Full<Bytes>>(TokioIo::new(connection))
        .await
        .map_err(|error| broken(&error))?;
    let mut connection = JoinSet::new();
    connection.spawn(async move {
        // Its error is told to whoever waits for the answer or the body, too.
        let _ = driver.await;
    });
    let response = sender.send_request(head_and_body(request)?).await.map_err(|error| broken(&error))?;
    let (head, body) = response.into_parts();
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(Failure::plain("the server wants to speak another protocol"));
    }
    let said = head.extensions.get::<ReasonPhrase>().map(|reason| latin1(reason.as_bytes()));
    let status_text = said.unwrap_or_else(|| head.status.canonical_reason().unwrap_or_default().to_owned());
    Ok(Answer { status: head.status, status_text, headers: head.headers, body, _connection: connection })
}

fn head_and_body(request: &Request) -> Result<http::Request<Full<Bytes>>, Failure> {
    let url = &request.url;
    let target = match &url[Position::BeforePath..Position::AfterQuery] {
        target if target.starts_with('/') => target.to_owned(),
        query => format!("/{query}"),
    };
    let mut head = http::Request::builder()
        .method(request.method.clone())
        .uri(target)
        .body(Full::new(request.body.clone().unwrap_or_default()))
        .map_err(|error| Failure::invalid(format!("this URL cannot be sent: {error}")))?;
    let host = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort])
        .map_err(|_| Failure::invalid("this host cannot be sent"))?;
    let headers = head.headers_mut();
    headers.insert(HOST, host);
    for (name, value) in [
        (ACCEPT, "*/*"),
        (ACCEPT_ENCODING, "gzip, deflate"),
        (USER_AGENT, concat!("vm-system/", env!("CARGO_PKG_VERSION"))),
    ] {
        if !request.headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    headers.extend(request.headers.clone());
    // Of an empty body, the length is said where a server expects one; so do browsers.
    if request.body.as_ref().is_none_or(Bytes::is_empty) && matches!(request.method, Method::POST | Method::PUT) {
        headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    Ok(head)
}

impl Answer {
    /// Reads the body and undoes its codings; neither what is sent nor what it becomes may have more bytes than `most`.
    pub(super) async fn read(mut self, method: &Method, most: usize) -> Result<(Self, Vec<u8>), Failure> {
        let has_body = *method != Method::HEAD && !matches!(self.status.as_u16(), 204 | 304);
        if !has_body {
            return Ok((self, Vec::new()));
        }
        if self.body.size_hint().lower() > most as u64 {
            return Err(too_large(most));
        }
        let mut bytes = Vec::new();
        while let Some(frame) = self.body.frame().await {
            // Trailers are nothing that a script gets to see.
            let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() else { continue };
            if data.len() > most - bytes.len() {
                return Err(too_large(most));
            }
            bytes.extend_from_slice(&data);
        }
        let codings = codings(&self.headers);
        if codings.is_empty() || bytes.is_empty() {
            return Ok((self, bytes));
        }
        // Ten megabytes take a moment, in which others want to be served.
        let decoded = spawn_blocking(move || decode(bytes, &codings, most)).await;
        Ok((self, decoded.map_err(|_| Failure::plain("the body could not be decoded"))??))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
}

/// The codings of a body, in the order in which they are undone; none when there is one that we do not know: its script
/// gets the bytes as they came, and finds the name in the headers.
fn codings(headers: &HeaderMap) -> Vec<Coding> {
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        for name in value.to_str().unwrap_or("unknown").split(',') {
            match name.trim().to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => codings.push(Coding::Gzip),
                "deflate" => codings.push(Coding::Deflate),
                "identity" | "" => {}
                _ => return Vec::new(),
            }
        }
    }
    codings.reverse();
    codings
}

fn decode(mut bytes: Vec<u8>, codings: &[Coding], most: usize) -> Result<Vec<u8>, Failure> {
    if codings.len() > MOST_CODINGS {
        return Err(Failure::plain(format!("a body with more than {MOST_CODINGS} codings is not decoded")));
    }
    for coding in codings {
        let mut decoded = Vec::new();
        let limit = most as u64 + 1;
        let read = match coding {
            Coding::Gzip => MultiGzDecoder::new(&*bytes).take(limit).read_to_end(&mut decoded),
            // By the standard it has zlib's head; some servers leave that out, and every browser bears with them.
            Coding::Deflate if bytes.first().is_some_and(|first| first & 0x0f == 8) => {
                ZlibDecoder::new(&*bytes).take(limit).read_to_end(&mut decoded)
            }
            Coding::Deflate => DeflateDecoder::new(&*bytes).take(limit).read_to_end(&mut decoded),
        };
        read.map_err(|error| Failure::coded("Z_DATA_ERROR", format!("the body is not what its coding says: {error}")))?;
        if decoded.len() > most {
            return Err(too_large(most));
        }
        bytes = decoded;
    }
    Ok(bytes)
}

fn too_large(most: usize) -> Failure {
    Failure::coded(
        "ERR_RESPONSE_TOO_LARGE",
        format!("the body has more than {most} bytes, which is what may be held of it"),
    )
}

/// What hyper says of a connection that failed.
fn broken(error: &hyper::Error) -> Failure {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref::<io::Error>() {
            return Failure::coded(code_of(cause), format!("the connection failed: {cause}"));
        }
        source = cause.source();
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return Failure::coded("ECONNRESET", "other side closed");
    }
    if error.is_parse() {
        return Failure::coded("ERR_HTTP_PARSE", format!("the answer is no HTTP: {error}"));
    }
    Failure::plain(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn encodings(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (CONTENT_ENCODING, HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn codings_are_undone_last_first() {
        use Coding::{Deflate, Gzip};
        for (values, expected) in [
            (&[][..], vec![]),
            (&["gzip"], vec![Gzip]),
            (&["X-GZIP"], vec![Gzip]),
            (&["deflate, gzip"], vec![Gzip, Deflate]),
            (&["deflate", "identity", "gzip"], vec![Gzip, Deflate]),
            (&["br"], vec![]),
            (&["gzip, br"], vec![]),
        ] {
            assert_eq!(codings(&encodings(values)), expected, "{values:?}");
        }
    }

    #[test]
    fn bodies_are_decoded_within_their_bound() {
        let text = b"hello ".repeat(1000);
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&text).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(&text).unwrap();
        assert_eq!(decode(gzip(&text), &[Coding::Gzip], 6000).unwrap(), text);
        assert_eq!(decode(zlib.finish().unwrap(), &[Coding::Deflate], 6000).unwrap(), text);
        assert_eq!(decode(raw.finish().unwrap(), &[Coding::Deflate], 6000).unwrap(), text);
        assert_eq!(decode(gzip(&gzip(&text)), &[Coding::Gzip; 2], 6000).unwrap(), text);
        assert!(decode(gzip(&text), &[Coding::Gzip], 5999).is_err());
        assert!(decode(b"nonsense".to_vec(), &[Coding::Gzip], 6000).is_err());
        let whole = gzip(&text);
        assert!(decode(whole[..whole.len() / 2].to_vec(), &[Coding::Gzip], 6000).is_err(), "cut");
        assert!(decode(gzip(&text), &[Coding::Gzip; 6], 6000).is_err());
    }
}
