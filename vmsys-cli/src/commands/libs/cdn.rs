//! Files of packages from a content delivery network.

use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderValue, USER_AGENT};
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use indicatif::ProgressBar;
use rustls::ClientConfig;
use tokio::task::JoinSet;
use vmsys_core::library::CatalogLibrary;

use super::download::Bars;
use crate::error::{Error, Result};

/// Where files come from unless told otherwise. It serves what was published, byte for byte.
pub(super) const DEFAULT: &str = "https://cdn.jsdelivr.net/npm";
/// How long one file may take, and how long a connection.
const PATIENCE: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(10);

type HttpsClient = Client<HttpsConnector<HttpConnector>, Empty<Bytes>>;

/// A network, by its address.
pub(super) struct Cdn<'a> {
    address: &'a str,
    runtime: tokio::runtime::Runtime,
}

impl<'a> Cdn<'a> {
    pub(super) fn new(address: &'a str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::failed("IO_ERROR", format!("cannot start a runtime: {error}")))?;
        Ok(Self { address, runtime })
    }

    /// Gets files side by side, and hands over each one, or why there is none, with its address.
    pub(super) fn fetch(
        &self,
        wanted: &[&'static CatalogLibrary],
        bars: &Bars,
        mut done: impl FnMut(&CatalogLibrary, Result<Vec<u8>, String>, &str),
    ) {
        self.runtime.block_on(async {
            let client = client(ClientConfig::builder().with_webpki_roots().with_no_client_auth());
            let mut running = JoinSet::new();
            for &known in wanted {
                let url = format!("{}/{}@{}/{}", self.address, known.name, known.version, known.file);
                let (client, bar) = (client.clone(), bars.filling(known));
                running.spawn(async move {
                    let bytes = tokio::time::timeout(PATIENCE, get(&client, &url, known.bytes, &bar)).await;
                    bar.finish_and_clear();
                    let late = |_| Err(format!("no whole answer within {} seconds", PATIENCE.as_secs()));
                    (known, bytes.unwrap_or_else(late).map_err(|why| format!("{url}: {why}")), url)
                });
            }
            while let Some(ended) = running.join_next().await {
                match ended {
                    Ok((known, bytes, url)) => done(known, bytes, &url),
                    // A fault of ours, and no task is ever cancelled.
                    Err(panic) => std::panic::resume_unwind(panic.into_panic()),
                }
            }
        });
    }
}

/// Reads the address of a network.
pub(super) fn address(text: &str) -> Result<String, String> {
    let bad = || "expected an address such as https://cdn.example/npm".to_owned();
    let text = text.trim_end_matches('/');
    let uri: Uri = text.parse().map_err(|_| bad())?;
    let http = matches!(uri.scheme_str(), Some("http" | "https"));
    if http && uri.host().is_some_and(|host| !host.is_empty()) && uri.query().is_none() {
        Ok(text.to_owned())
    } else {
        Err(bad())
    }
}

fn client(tls: ClientConfig) -> HttpsClient {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_connect_timeout(Some(CONNECT));
    let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(http);
    Client::builder(TokioExecutor::new()).build(https)
}

/// Gets one file. Redirects are not followed: a network that serves packages answers an exact version itself.
async fn get(client: &HttpsClient, url: &str, expected: u64, bar: &ProgressBar) -> Result<Vec<u8>, String> {
    let agent = HeaderValue::from_static(concat!("vm-system/", env!("CARGO_PKG_VERSION")));
    let request = Request::get(url).header(USER_AGENT, agent).body(Empty::new()).map_err(|error| error.to_string())?;
    let answer = client.request(request).await.map_err(|error| causes(&error))?;
    if !answer.status().is_success() {
        return Err(format!("the answer is {}", answer.status()));
    }
    let mut body = answer.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| causes(&error))?;
        if let Some(data) = frame.data_ref() {
            bytes.extend_from_slice(data);
            bar.set_position(bytes.len() as u64);
        }
        // What is longer cannot be the file, however much of it there is.
        if bytes.len() as u64 > expected {
            return Err(format!("another file: it has more than {expected} bytes"));
        }
    }
    Ok(bytes)
}

/// An error and what is behind it, in one line.
fn causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::thread;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
    use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

    use super::*;

    #[test]
    fn addresses_are_http_with_a_host() {
        for (text, read) in [
            ("https://cdn.example/npm", "https://cdn.example/npm"),
            ("http://127.0.0.1:8080/npm//", "http://127.0.0.1:8080/npm"),
            ("http://[::1]:80", "http://[::1]:80"),
        ] {
            assert_eq!(address(text).as_deref(), Ok(read));
        }
        for text in ["", "cdn.example", "/npm", "ftp://cdn.example", "https://", "http://cdn.example/?q", "http://a b/"]
        {
            assert!(address(text).is_err(), "{text}");
        }
    }

    /// A certificate of its own for `localhost`, until 2126, made for this test: it vouches for nothing else.
    const CERTIFICATE: &str = "MIIBXjCCAQSgAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyNjAx\
         MDEwMDAwMDBaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFDF55buA987zn+efA0h1KKn\
         znhv4GbwvOufmXVD5CMJ3Y1HmcYzcXOxv202s7ecw6WCUBv0WKRL0jfvG9jhlSSjRTBDMBQGA1UdEQQNMAuCCWxvY2FsaG9zdDAM\
         BgNVHRMBAf8EAjAAMB0GA1UdDgQWBBTmpGXH/KdxvZ5sBa8+v3lDwyYH/zAKBggqhkjOPQQDAgNIADBFAiAmi1eHcthq8DdOB2fL\
         JhpL4ywZtMNc47RHPtxnjPrpCAIhAOTrz5lFNSRUMX/yhAMnsZpuOTQ5iz0Q7PKOWAmQybg6";
    /// Its key, which is no secret.
    const KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgxAZdeNKHSugEdtz8V4ZANoyUNeD2/5f0PCnjjNhub8GhRANCAARQ\
         xeeW7gPfO85/nnwNIdSip854b+Bm8Lzrn5l1Q+QjCd2NR5nGM3Fzsb9tNrO3nMOlglAb9FikS9I37xvY4ZUk";

    /// Answers over TLS with a certificate that nobody vouches for.
    #[test]
    fn a_network_over_tls_must_be_vouched_for() {
        let certificate = CertificateDer::from(STANDARD.decode(CERTIFICATE).unwrap());
        let key = PrivatePkcs8KeyDer::from(STANDARD.decode(KEY).unwrap());
        let server = ServerConfig::builder().with_no_client_auth();
        let server = server.with_single_cert(vec![certificate.clone()], key.into()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://localhost:{}/npm/x@1.0.0/x.js", listener.local_addr().unwrap().port());
        let server = Arc::new(server);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = ServerConnection::new(Arc::clone(&server)).unwrap();
                let mut stream = StreamOwned::new(connection, stream.unwrap());
                let mut head = [0; 4096];
                // A client that does not trust the certificate hangs up here.
                let Ok(read) = stream.read(&mut head) else { continue };
                assert!(head[..read].starts_with(b"GET /npm/x@1.0.0/x.js HTTP/1.1\r\n"));
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nit";
                stream.write_all(answer).unwrap();
                stream.conn.send_close_notify();
                stream.flush().unwrap();
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bar = ProgressBar::hidden();
            let trusting = client(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth());
            assert_eq!(get(&trusting, &url, 2, &bar).await, Ok(b"it".to_vec()));
            let ours = client(ClientConfig::builder().with_webpki_roots().with_no_client_auth());
            let refusal = get(&ours, &url, 2, &bar).await.unwrap_err();
            assert!(refusal.contains("certificate"), "{refusal}");
        });
    }
}
