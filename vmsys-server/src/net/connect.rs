//! A connection to an address that was checked, with TLS where the URL asks for it.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::Host;

use super::error::Failure;

/// How long one address of several may keep the others waiting.
const NEXT_ADDRESS_AFTER: Duration = Duration::from_secs(5);

/// Makes what is needed for TLS: the roots that browsers trust, and those of a PEM file.
pub(super) fn tls(ca_file: Option<&Path>) -> io::Result<TlsConnector> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca_file {
        let certificates = CertificateDer::pem_file_iter(path).map_err(io::Error::other)?;
        let before = roots.len();
        for certificate in certificates {
            roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
        }
        if roots.len() == before {
            return Err(io::Error::other("there is no certificate in it"));
        }
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// A connection, plain or encrypted.
pub(super) type Connection = Box<dyn Stream>;

/// What moves bytes in both directions.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects to the first of some addresses that answers.
pub(super) async fn connect(
    addresses: &[SocketAddr],
    host: &Host<&str>,
    tls: Option<&TlsConnector>,
) -> Result<Connection, Failure> {
    let stream = connect_tcp(addresses).await?;
    // Requests are written in one piece; a failure here is a connection that is gone, which will show.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return Ok(Box::new(stream)) };
    let name = match host {
        Host::Domain(name) => ServerName::try_from(name.trim_end_matches('.').to_owned())
            .map_err(|_| Failure::plain(format!("{name} is no name that a certificate can have")))?,
        Host::Ipv4(address) => ServerName::IpAddress((*address).into()),
        Host::Ipv6(address) => ServerName::IpAddress((*address).into()),
    };
    match tls.connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) if error.get_ref().is_some() => Err(Failure::coded("ERR_TLS", format!("TLS with {host}: {error}"))),
        Err(error) => Err(Failure::system("read", &error, &host.to_string())),
    }
}

async fn connect_tcp(addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
    let mut failure = None;
    for (at, address) in addresses.iter().enumerate() {
        let connecting = TcpStream::connect(address);
        let connected = if at + 1 == addresses.len() {
            connecting.await
        } else {
            timeout(NEXT_ADDRESS_AFTER, connecting).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        };
        match connected {
            Ok(stream) => return Ok(stream),
            // Of several, the first is told: the others are the second choice.
            Err(error) => failure = failure.or(Some(refused(&error, *address))),
        }
    }
    Err(failure.unwrap_or_else(|| Failure::plain("there is no address to connect to")))
}

fn refused(error: &io::Error, address: SocketAddr) -> Failure {
    Failure::system("connect", error, &address.to_string())
        .with("address", address.ip().to_string())
        .with("port", f64::from(address.port()))
}
