//! A small HTTP/1.1 client over a plain socket.
//!
//! Our own and not a crate's, because half of its work is to send what no decent client would send.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// No answer of the daemon may take longer; the tests that care about time set bounds of their own.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request, to be changed at will before it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, target: impl Into<String>) -> Self {
        Self { method: method.to_owned(), target: target.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn json(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("Content-Type", "application/json").body(body)
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
    }

    /// The request as it goes over the wire: `Host` and `Content-Length` are added unless they were given.
    pub(crate) fn encode(&self, host: SocketAddr) -> Vec<u8> {
        let mut wire = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        if !self.has("Host") {
            wire.extend(format!("Host: {host}\r\n").into_bytes());
        }
        if !self.body.is_empty() && !self.has("Content-Length") && !self.has("Transfer-Encoding") {
            wire.extend(format!("Content-Length: {}\r\n", self.body.len()).into_bytes());
        }
        for (name, value) in &self.headers {
            wire.extend_from_slice(name.as_bytes());
            wire.extend_from_slice(b": ");
            wire.extend_from_slice(value);
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(b"\r\n");
        wire.extend_from_slice(&self.body);
        wire
    }
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("status {}: no JSON ({error}): {}", self.status, self.text()),
        }
    }

    /// The document of an answer that must have this status.
    #[track_caller]
    pub(crate) fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// The details of an error that must have this status and code, and the one envelope.
    #[track_caller]
    pub(crate) fn error(&self, status: u16, code: &str) -> Value {
        let (found, details) = self.envelope();
        assert_eq!((self.status, found.as_str()), (status, code), "{}", self.text());
        details
    }

    /// The code and details of any error: it must be the envelope of the contract and nothing else.
    #[track_caller]
    pub(crate) fn envelope(&self) -> (String, Value) {
        assert!(self.status >= 400, "status {} is no error: {}", self.status, self.text());
        let kind = self.header("Content-Type").unwrap_or_default();
        assert!(kind.starts_with("application/json"), "an error of type {kind:?}: {}", self.text());
        assert!(self.header("X-Request-Id").is_some_and(|id| !id.is_empty()), "no X-Request-Id on {}", self.text());
        let document = self.json();
        let outer = document.as_object().expect("the envelope is an object");
        assert_eq!(outer.keys().collect::<Vec<_>>(), ["error"], "{document}");
        let inner = document["error"].as_object().expect("error is an object");
        for key in inner.keys() {
            assert!(["code", "message", "details"].contains(&key.as_str()), "stray {key:?} in {document}");
        }
        assert!(inner.get("message").and_then(Value::as_str).is_some_and(|text| !text.is_empty()), "{document}");
        assert!(inner.get("details").is_some_and(Value::is_object), "details is an object: {document}");
        (inner["code"].as_str().expect("a code").to_owned(), inner["details"].clone())
    }
}

/// One connection, kept open from request to request.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), address })
    }

    /// Sends bytes as they are, well formed or not.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    pub(crate) fn send(&mut self, request: &Request) -> io::Result<()> {
        let wire = request.encode(self.address);
        self.send_raw(&wire)
    }

    pub(crate) fn call(&mut self, request: &Request) -> io::Result<Response> {
        // A server may refuse a body before it has read all of it: then the writing fails, and the answer is there.
        let sent = self.send(request);
        match self.receive(&request.method) {
            Ok(response) => Ok(response),
            Err(error) => Err(sent.err().unwrap_or(error)),
        }
    }

    /// Reads one answer to a request of this method.
    pub(crate) fn receive(&mut self, method: &str) -> io::Result<Response> {
        let status_line = self.line()?;
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let Some(status) = status else { return Err(broken(format!("no status line: {status_line:?}"))) };
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let Some((name, value)) = line.split_once(':') else { return Err(broken(format!("no header: {line:?}"))) };
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut response = Response { status, headers, body: Vec::new() };
        if status == 100 {
            return self.receive(method);
        }
        if method != "HEAD" && status != 204 && status != 304 {
            response.body = self.read_body(&response)?;
        }
        Ok(response)
    }

    /// Ends this side of the conversation, and reads what the other side still has to say.
    pub(crate) fn finish_and_receive(&mut self) -> io::Result<Response> {
        let _ = self.stream.get_ref().shutdown(Shutdown::Write);
        self.receive("GET")
    }

    /// Tells whether the other side has closed the connection, waiting for it.
    pub(crate) fn is_closed_by_peer(&mut self) -> bool {
        match self.stream.fill_buf() {
            Ok(bytes) => bytes.is_empty(),
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }

    fn read_body(&mut self, response: &Response) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if response.header("Transfer-Encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            loop {
                let line = self.line()?;
                let size = line.split(';').next().unwrap_or_default().trim();
                let size = u64::from_str_radix(size, 16).map_err(|_| broken(format!("no chunk size: {line:?}")))?;
                self.take(size, &mut body)?;
                self.line()?;
                if size == 0 {
                    return Ok(body);
                }
            }
        }
        if let Some(length) = response.header("Content-Length") {
            let length = length.parse().map_err(|_| broken(format!("no length: {length:?}")))?;
            self.take(length, &mut body)?;
        } else {
            self.stream.read_to_end(&mut body)?;
        }
        Ok(body)
    }

    fn take(&mut self, length: u64, into: &mut Vec<u8>) -> io::Result<()> {
        let read = self.stream.by_ref().take(length).read_to_end(into)?;
        if read as u64 == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        if self.stream.read_until(b'\n', &mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
    }
}

fn broken(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
