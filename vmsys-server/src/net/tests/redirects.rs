//! Answers that point elsewhere: each place is checked like the first.

use std::io::Write;

use super::*;

/// Redirects `/CODE?TO` to `TO` with the status `CODE`; everything else is answered.
fn redirector() -> Server {
    Server::start(|seen, stream| {
        let target = seen.path().trim_start_matches('/').split_once('?');
        let answer = match target {
            Some((status, to)) if status.len() == 3 => {
                format!("HTTP/1.1 {status} There\r\nlocation: {to}\r\ncontent-length: 4\r\n\r\ngone")
            }
            _ => format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{}", seen.line().len(), seen.line()),
        };
        let _ = stream.write_all(answer.as_bytes());
    })
}

#[test]
fn redirects_are_followed_as_the_standard_has_it() {
    let server = redirector();
    let client = Client::new(&[&server.host()]);
    for status in [301, 302, 303, 307, 308] {
        let reply = client.get(&server.url(&format!("/{status}?/there#frag"))).unwrap();
        assert_eq!((reply.status(), reply.text().as_str()), (200, "GET /there HTTP/1.1"), "{status}");
        assert_eq!(
            (reply.url(), reply.0.get("redirected")),
            (server.url("/there#frag").as_str(), Some(&Value::Bool(true)))
        );
    }
    for (status, line, body) in [(302, "GET /there HTTP/1.1", ""), (307, "POST /there HTTP/1.1", "hello")] {
        let sent =
            request(&server.url(&format!("/{status}?/there")), "POST", &[("content-type", "a/b")], Some("hello"));
        assert_eq!(client.send(&sent).unwrap().text(), line);
        let seen = server.seen().pop().unwrap();
        assert_eq!((seen.body.as_slice(), seen.header("content-type").is_some()), (body.as_bytes(), !body.is_empty()));
    }
    let there = request(&server.url("/302?/there"), "GET", &[], None);
    let manual = client.send(&redirecting(there.clone(), "manual")).unwrap();
    assert_eq!((manual.status(), manual.header("location"), manual.text().as_str()), (302, Some("/there"), "gone"));
    let refused = client.send(&redirecting(there, "error")).unwrap_err();
    assert_eq!(refused.message(), "unexpected redirect");
    let before = server.connections();
    let around = Server::start(|_, stream| drop(stream.write_all(b"HTTP/1.1 302 X\r\nlocation: /again\r\n\r\n")));
    let client = Client::new(&[&around.host()]);
    assert_eq!(client.failure(&around.url("/")), "redirect count exceeded");
    assert_eq!((around.connections(), server.connections()), (21, before));
}

#[test]
fn no_redirect_leads_where_a_request_may_not_go() {
    let (server, other) = (redirector(), redirector());
    let names = Names::default().with("inside.example", &["127.0.0.1"]).with("out.example", &["127.0.0.1"]);
    let client =
        Client::with(&[&server.host(), &format!("inside.example:{}", other.port())], serde_json::json!({}), names, &[]);
    for status in [301, 302, 303, 307, 308] {
        for to in [
            other.url("/"),
            format!("//{}/", other.host()),
            format!("http://localhost:{}/", server.port()),
            format!("http://[::1]:{}/", server.port()),
            format!("http://out.example:{}/", other.port()),
            format!("http://inside.example:{}/", other.port()),
            "http://169.254.169.254/latest/meta-data/".to_owned(),
            "http://127.0.0.1:1/".to_owned(),
            "file:///etc/passwd".to_owned(),
            "ftp://127.0.0.1/".to_owned(),
            "data:text/plain,x".to_owned(),
            "gopher://127.0.0.1:1/".to_owned(),
        ] {
            assert_eq!(client.failure(&server.url(&format!("/{status}?{to}"))), "EPERM", "{status} {to}");
        }
        let with_user = server.url("/").replace("http://", "http://user:pass@");
        assert!(client.get(&server.url(&format!("/{status}?{with_user}"))).is_err());
    }
    assert_eq!(other.connections(), 0);
}

#[test]
fn secrets_do_not_follow_to_another_origin() {
    let (server, other) = (redirector(), redirector());
    let client = Client::new(&[&server.host(), &other.host()]);
    let secrets = [("authorization", "Bearer s"), ("cookie", "s=1"), ("x-mine", "kept")];
    for (to, keeps) in [("/there".to_owned(), true), (other.url("/there"), false)] {
        client.send(&request(&server.url(&format!("/307?{to}")), "POST", &secrets, Some("b"))).unwrap();
        let seen = if keeps { server.seen() } else { other.seen() }.pop().unwrap();
        assert_eq!((seen.header("authorization").is_some(), seen.header("cookie").is_some()), (keeps, keeps), "{to}");
        assert_eq!((seen.header("x-mine"), seen.body.as_slice()), (Some("kept"), b"b".as_slice()), "{to}");
    }
}
