//! Which hosts and addresses are reached, however they are written.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring};

use super::*;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[test]
fn a_request_arrives_as_it_was_made_and_so_does_its_answer() {
    let server =
        Server::saying(b"HTTP/1.1 418 I'm a pot\r\nX-A: 1\r\nx-a: \xfc\r\nContent-Length: 4\r\n\r\nbody".as_slice());
    let client = Client::new(&[&server.host()]);
    let sent = request(&server.url("/p a?q=|é#f"), "PATCH", &[("X-B", "ü"), ("cookie", "c=1")], Some("hello"));
    let reply = client.send(&sent).unwrap();
    assert_eq!((reply.status(), reply.text().as_str(), reply.header("x-a")), (418, "body", Some("1")));
    assert_eq!(reply.0.get("statusText").and_then(Value::as_str), Some("I'm a pot"));
    assert_eq!(reply.0.get("redirected"), Some(&Value::Bool(false)));
    let headers = reply.0.get("headers").and_then(Value::as_array).unwrap();
    assert_eq!(headers[1], Value::Array(vec!["x-a".into(), "ü".into()]));
    assert_eq!(reply.url(), server.url("/p%20a?q=|%C3%A9#f"));
    let seen = &server.seen()[0];
    assert_eq!((seen.line(), seen.body.as_slice()), ("PATCH /p%20a?q=|%C3%A9 HTTP/1.1", b"hello".as_slice()));
    assert_eq!((seen.header("host"), seen.header("content-length")), (Some(server.host().as_str()), Some("5")));
    assert_eq!((seen.header("cookie"), seen.header("accept")), (Some("c=1"), Some("*/*")));
    assert_eq!((seen.header("accept-encoding"), seen.header("connection")), (Some("gzip, deflate"), None));
    assert!(seen.header("user-agent").unwrap().starts_with("vm-system/"));
}

#[test]
fn what_nobody_listed_is_refused_in_every_form() {
    let server = Server::saying(OK);
    let port = server.port();
    let client = Client::with(
        &["api.example.com", &format!("api.example.com:{port}"), &format!("*.example.org:{port}")],
        serde_json::json!({"allow_private": true}),
        Names::default().with("api.example.com", &["127.0.0.1"]).with("evil.com", &["127.0.0.1"]),
        &[],
    );
    for host in [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "127.000.000.001",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "①②⑦.⓪.⓪.①",
        "１２７.0.0.1",
        "127。0。0。1",
        "%6c%6f%63%61%6chost",
        "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
        "169.254.169.254",
        "metadata.google.internal",
        "evil.com",
        "example.org",
        "evilexample.org",
        "api.example.com.evil.com",
        "xapi.example.com",
        "10.0.0.1",
        "127.0.0.1.nip.io",
        "api.example.com%2eevil.com",
    ] {
        assert_eq!(client.failure(&format!("http://{host}:{port}/")), "EPERM", "{host}");
        assert_eq!(client.failure(&format!("https://{host}:{port}/")), "EPERM", "{host}");
    }
    // What looks like the listed host and is not.
    for url in [
        format!("http://api.example.com@127.0.0.1:{port}/"),
        format!("http://api.example.com:80@127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}#@api.example.com/"),
        format!("http://127.0.0.1:{port}?@api.example.com/"),
        format!("http://127.0.0.1:{port}\\@api.example.com/"),
        format!("http:\\\\127.0.0.1:{port}/"),
        format!("http:/127.0.0.1:{port}/"),
        format!("\thttp://127.0.0.1:{port}/"),
        format!("http://api.example.com\u{ff20}127.0.0.1:{port}/"),
        "http://[fe80::1%25lo]/".to_owned(),
        "http://api.example.com:8081/".to_owned(),
        format!("ftp://api.example.com:{port}/"),
        "file:///etc/passwd".to_owned(),
        format!("http://api.example.com:{port}\u{0}.evil.com/"),
    ] {
        assert!(client.get(&url).is_err(), "{url}");
    }
    assert_eq!(server.connections(), 0);
    assert_eq!(
        client.get(&format!("http://API.example.com.:{port}/")).unwrap_err().code(),
        Some("ENOTFOUND"),
        "asked as it is written"
    );
    assert_eq!(client.get(&format!("http://API.example.com:{port}/")).unwrap().text(), "ok");
}

#[test]
fn a_name_that_leads_inside_needs_more_than_its_name() {
    let server = Server::saying(OK);
    let names = Names::default()
        .with("inside.example", &["127.0.0.1"])
        .with("partly.example", &["8.8.8.8", "127.0.0.1"])
        .with("mapped.example", &["::ffff:127.0.0.1"])
        .with("cloud.example", &["169.254.169.254"])
        .with("private.example", &["10.1.2.3"])
        .with("unique.example", &["fd00::1"])
        .with("zero.example", &["0.0.0.0"])
        .with("nat64.example", &["64:ff9b::7f00:1"])
        .with("nowhere.example", &[]);
    let hosts = [&format!("*.example:{}", server.port()), "*.example"];
    let client = Client::with(&hosts, serde_json::json!({}), names.clone(), &[]);
    for name in ["inside", "partly", "mapped", "cloud", "private", "unique", "zero", "nat64"] {
        assert_eq!(client.failure(&format!("http://{name}.example:{}/", server.port())), "EPERM", "{name}");
        assert_eq!(client.failure(&format!("http://{name}.example/")), "EPERM", "{name}");
    }
    assert_eq!(client.failure("http://nowhere.example/"), "ENOTFOUND");
    assert_eq!(client.failure("http://unknown.example/"), "ENOTFOUND");
    assert_eq!(server.connections(), 0);

    let asked = names.asked.clone();
    asked.lock().unwrap().clear();
    let client = Client::with(&hosts, serde_json::json!({"allow_private": true}), names, &[]);
    for name in ["inside", "mapped"] {
        assert_eq!(client.get(&format!("http://{name}.example:{}/", server.port())).unwrap().text(), "ok");
    }
    assert_eq!(*asked.lock().unwrap(), ["inside.example", "mapped.example"], "each is looked up once");
    assert_eq!(server.seen()[0].header("host"), Some(format!("inside.example:{}", server.port()).as_str()));
}

#[test]
fn what_is_listed_literally_is_reached() {
    let server = Server::saying(OK);
    let port = server.port();
    let names = Names::default().with("localhost", &["8.8.8.8"]);
    let client =
        Client::with(&[&server.host(), &format!("localhost:{port}")], serde_json::json!({}), names.clone(), &[]);
    for host in ["127.0.0.1", "127.1", "2130706433", "[::ffff:127.0.0.1]", "localhost", "LocalHost."] {
        assert_eq!(client.get(&format!("http://{host}:{port}/")).unwrap().text(), "ok", "{host}");
    }
    assert!(names.asked.lock().unwrap().is_empty(), "localhost is this machine, whatever a resolver says");
    for host in ["127.0.0.2", "[::1]", "0.0.0.0"] {
        assert_eq!(client.failure(&format!("http://{host}:{port}/")), "EPERM", "{host}");
    }
}

#[test]
fn the_daemons_own_port_is_refused_whatever_is_listed() {
    let server = Server::saying(OK);
    let port = server.port();
    let hosts: Vec<String> = ["127.0.0.1", "localhost", "127.0.0.2", "0.0.0.0", "[::1]", "[::]", "name.example"]
        .map(|host| format!("{host}:{port}"))
        .to_vec();
    let listed: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let names = Names::default().with("name.example", &["127.0.0.1"]);
    let settings = serde_json::json!({"allow_private": true});
    let client = Client::with(&listed, settings.clone(), names.clone(), &[1, port]);
    for host in &hosts {
        assert_eq!(client.failure(&format!("http://{host}/")), "EPERM", "{host}");
    }
    assert_eq!(client.failure(&format!("http://[::ffff:127.0.0.1]:{port}/")), "EPERM");
    assert_eq!(server.connections(), 0);
    let client = Client::with(&listed, settings, names, &[1]);
    assert_eq!(client.get(&format!("http://name.example:{port}/")).unwrap().text(), "ok");
}

#[test]
fn failures_on_the_way_have_the_codes_of_node() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = Client::new(&[&free.to_string()]);
    let error = client.get(&format!("http://{free}/")).unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (Some("ECONNREFUSED"), format!("connect ECONNREFUSED {free}").as_str())
    );
    let refused = Client::new(&["a.example"]).get("http://b.example:8080/").unwrap_err();
    assert_eq!(
        refused.message(),
        "fetch is refused: b.example port 8080 is not allowed: add \"b.example:8080\" to the hosts of a net capability of \
         the session's template, and create a new session"
    );
}

/// A server with the certificate that is in this folder, for `tls.example` and 127.0.0.1.
fn tls_server() -> u16 {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            // Who does not trust the certificate hangs up here.
            if server::read(&mut stream).is_none() {
                continue;
            }
            stream.write_all(OK.as_bytes()).unwrap();
            stream.conn.send_close_notify();
            stream.flush().unwrap();
            let _ = stream.read(&mut [0]);
        }
    });
    port
}

#[test]
fn tls_needs_a_certificate_that_somebody_vouches_for() {
    let port = tls_server();
    let hosts = [&format!("tls.example:{port}"), &format!("other.example:{port}"), &format!("127.0.0.1:{port}")];
    let names = Names::default().with("tls.example", &["127.0.0.1"]).with("other.example", &["127.0.0.1"]);
    let mut client = Client::with(&hosts.map(String::as_str), serde_json::json!({"allow_private": true}), names, &[]);
    assert_eq!(client.failure(&format!("https://tls.example:{port}/")), "ERR_TLS", "nobody knows the authority");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/net/tests/ca.pem");
    Arc::get_mut(&mut client.session).unwrap().shared.tls = connect::tls(Some(&file)).unwrap();
    for host in ["tls.example", "127.0.0.1"] {
        assert_eq!(client.get(&format!("https://{host}:{port}/")).unwrap().text(), "ok", "{host}");
    }
    assert_eq!(client.failure(&format!("https://other.example:{port}/")), "ERR_TLS", "the certificate of another");
    assert!(connect::tls(Some(Path::new("/nonexistent.pem"))).is_err());
    let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/net/tests/server.key");
    assert!(connect::tls(Some(&key)).is_err(), "no certificate in it");
}
