//! `fetch`: what a template's `net` capabilities allow, against real servers on this machine.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Daemon, Home, NOBODY, all_cases, run, same, text, wait_for};

/// A server that remembers its requests and answers by their path.
struct Site {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    /// Connections that were opened, and those of them whose other side is gone.
    opened: Arc<Mutex<usize>>,
    closed: Arc<Mutex<usize>>,
}

impl Site {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let site = Self {
            address: listener.local_addr().unwrap(),
            requests: Arc::default(),
            opened: Arc::default(),
            closed: Arc::default(),
        };
        let (requests, opened, closed) = (site.requests.clone(), site.opened.clone(), site.closed.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                *opened.lock().unwrap() += 1;
                let (requests, closed) = (requests.clone(), closed.clone());
                thread::spawn(move || {
                    let request = head(&mut stream);
                    requests.lock().unwrap().push(request.clone());
                    let path = request.split(' ').nth(1).unwrap_or_default();
                    let _ = stream.write_all(answer(path, &request).as_bytes());
                    if path.starts_with("/hang") {
                        let _ = stream.read(&mut [0]);
                        *closed.lock().unwrap() += 1;
                    }
                });
            }
        });
        site
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn opened(&self) -> usize {
        *self.opened.lock().unwrap()
    }

    /// Waits until as many of its hanging connections are gone.
    #[track_caller]
    fn wait_for_closed(&self, count: usize) {
        wait_for("connections to be closed", Duration::from_secs(5), || {
            (*self.closed.lock().unwrap() >= count).then_some(())
        });
    }
}

fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    while !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `/to?URL` redirects, `/hang` begins a body that never ends, `/big` has a megabyte, anything else says what it was asked.
fn answer(path: &str, request: &str) -> String {
    if let Some(to) = path.strip_prefix("/to?") {
        return format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
    }
    match path {
        "/hang" => "HTTP/1.1 200 OK\r\n\r\nbegun".to_owned(),
        "/hang-early" => String::new(),
        "/big" => format!("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n{}", "x".repeat(1_000_000)),
        _ => {
            let line = request.lines().next().unwrap_or_default();
            format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nx-it: is\r\ncontent-length: {}\r\n\r\n{line}",
                line.len()
            )
        }
    }
}

/// A session whose template has one `net` capability, and limits.
fn session(daemon: &Daemon, config: &Value, limits: Value) -> String {
    let template = daemon.template(json!({ "limits": limits }));
    let capability = json!({ "kind": "net", "name": "n", "enabled": true, "config": config });
    daemon.post(&format!("/templates/{template}/capabilities"), &capability).ok(201);
    daemon.session_of(&template)
}

fn open_to(daemon: &Daemon, site: &Site) -> String {
    session(daemon, &json!({ "hosts": [site.address.to_string()] }), json!({}))
}

/// What a request ends with: its text, or the code of its error, or of the cause of that.
fn outcome(daemon: &Daemon, session: &str, url: &str) -> String {
    let url = json!(url);
    let code = format!(
        "await fetch({url}).then((r) => r.text(), (e) => `!${{e.name}} ${{e.code ?? e.cause?.code ?? e.cause?.message}}`)"
    );
    daemon.preview(session, &code)
}

#[test]
fn scripts_fetch_what_their_template_lists() {
    let (daemon, site) = (Daemon::start(), Site::start());
    let session = open_to(&daemon, &site);
    let code = format!(
        "const r = await fetch({}, {{ method: 'POST', body: 'hello', headers: {{ 'X-Mine': '1', Host: 'evil' }} }}); \
         [r.status, r.ok, r.url, r.headers.get('x-it'), await r.text(), r instanceof Response]",
        json!(site.url("/a?b"))
    );
    let expected = json!([200, true, site.url("/a?b"), "is", "POST /a?b HTTP/1.1", true]);
    assert_eq!(daemon.eval(&session, &code)["json"], expected);
    let request = site.requests.lock().unwrap()[0].to_lowercase();
    assert!(
        request.contains("x-mine: 1")
            && request.contains(&format!("host: {}", site.address))
            && !request.contains("evil")
    );
    let many = format!(
        "(await Promise.all(Array.from({{ length: 100 }}, (_, i) => fetch({} + i).then((r) => r.text())))).filter((t, i) => t === `GET /${{i}} HTTP/1.1`).length",
        json!(site.url("/"))
    );
    assert_eq!(daemon.preview(&session, &many), "100");
    // Not more at a time than the host can bear: what is too much is refused, and the rest is answered.
    let too_many = format!(
        "(await Promise.allSettled(Array.from({{ length: 300 }}, () => fetch({})))).map((s) => s.reason?.name ?? s.status).reduce((all, one) => ({{ ...all, [one]: (all[one] ?? 0) + 1 }}), {{}})",
        json!(site.url("/"))
    );
    assert_eq!(daemon.eval(&session, &too_many)["json"], json!({ "fulfilled": 256, "RangeError": 44 }));
    let redirected =
        format!("const q = await fetch({}); [q.redirected, q.url, await q.text()]", json!(site.url("/to?/there")));
    assert_eq!(daemon.eval(&session, &redirected)["json"], json!([true, site.url("/there"), "GET /there HTTP/1.1"]));
}

#[test]
fn what_is_not_listed_is_refused_in_every_form() {
    let (daemon, site) = (Daemon::start(), Site::start());
    let port = site.address.port();
    let session =
        session(&daemon, &json!({ "hosts": [format!("api.example.com:{port}"), "*.example.org"] }), json!({}));
    let hosts = [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "127.1",
        "0x7f.1",
        "2130706433",
        "017700000001",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "169.254.169.254",
        "api.example.com.evil.com",
        "api.example.com@127.0.0.1",
    ];
    all_cases(hosts, |host| {
        let code = if host.contains('@') { "!TypeError undefined" } else { "!TypeError EPERM" };
        let found = outcome(&daemon, &session, &format!("http://{host}:{port}/"));
        if host.contains('@') {
            return crate::support::holds(host, found.starts_with("!TypeError"), found);
        }
        same(host, found, code.to_owned())
    });
    all_cases(
        [
            "file:///etc/passwd",
            "ftp://api.example.com/",
            "data:text/plain,x",
            "http://example.org/",
            "http://a.example.org:8080/",
        ],
        |url| same(url, outcome(&daemon, &session, url), "!TypeError EPERM".to_owned()),
    );
    assert_eq!(site.opened(), 0);
    let uncaught = daemon.repl(&session, &format!("await fetch('http://localhost:{port}/')"));
    assert_eq!(uncaught["status"], "error");
    let message = text(&uncaught["error"]["message"]);
    assert!(message.contains(&format!("localhost port {port}")) && message.contains("net capability"), "{message}");
}

#[test]
fn names_that_lead_inside_and_redirects_are_checked() {
    let (daemon, site, other) = (Daemon::start(), Site::start(), Site::start());
    // `localhost` by name is this machine; any other name must be said to lead inside.
    let config = json!({ "hosts": [format!("localhost:{}", site.address.port())] });
    let listed = session(&daemon, &config, json!({}));
    assert_eq!(outcome(&daemon, &listed, &format!("http://localhost:{}/x", site.address.port())), "GET /x HTTP/1.1");
    let there = |to: &str| format!("http://localhost:{}/to?{to}", site.address.port());
    all_cases(
        [
            other.url("/"),
            site.url("/"),
            "http://169.254.169.254/".to_owned(),
            "file:///etc/passwd".to_owned(),
            daemon.url(),
        ],
        |to| same(&to, outcome(&daemon, &listed, &there(&to)), "!TypeError EPERM".to_owned()),
    );
    assert_eq!(other.opened(), 0);
}

#[test]
fn the_daemon_is_not_reached_by_its_own_scripts() {
    let (daemon, site) = (Daemon::start(), Site::start());
    let port = daemon.address.port();
    let hosts: Vec<String> = ["127.0.0.1", "localhost", "0.0.0.0", "127.0.0.2", "[::1]", "[::]"]
        .map(|host| format!("{host}:{port}"))
        .to_vec();
    let listed = [hosts.clone(), vec![site.address.to_string()]].concat();
    let session = session(&daemon, &json!({ "hosts": listed, "allow_private": true }), json!({}));
    all_cases(&hosts, |host| {
        let url = format!("http://{host}/api/v1/health");
        same(host, outcome(&daemon, &session, &url), "!TypeError EPERM".to_owned())?;
        same(host, outcome(&daemon, &session, &site.url(&format!("/to?{url}"))), "!TypeError EPERM".to_owned())
    });
}

#[test]
fn without_an_enabled_capability_there_is_no_fetch() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let globals = "[typeof fetch, typeof Headers, typeof Request, typeof Response].join()";
    assert_eq!(daemon.preview(&daemon.session_of(&template), globals), "undefined,undefined,undefined,undefined");
    let disabled = json!({ "kind": "net", "name": "n", "config": { "hosts": ["a.example"] } });
    daemon.post(&format!("/templates/{template}/capabilities"), &disabled).ok(201);
    assert_eq!(daemon.preview(&daemon.session_of(&template), "typeof fetch"), "undefined");
    let refused = daemon.repl(&daemon.session_of(&template), "fetch('http://a.example')");
    assert_eq!(refused["error"]["message"], "ReferenceError: fetch is not defined");
}

#[test]
fn requests_are_bounded_in_size_and_time() {
    let (daemon, site) = (Daemon::start(), Site::start());
    let config = json!({ "hosts": [site.address.to_string()], "max_bytes": 999_999, "timeout_ms": 300 });
    let session = session(&daemon, &config, json!({}));
    assert_eq!(outcome(&daemon, &session, &site.url("/big")), "!TypeError ERR_RESPONSE_TOO_LARGE");
    for path in ["/hang", "/hang-early"] {
        let started = Instant::now();
        assert_eq!(outcome(&daemon, &session, &site.url(path)), "!TypeError ETIMEDOUT");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
    site.wait_for_closed(2);
    assert_eq!(outcome(&daemon, &session, &format!("http://{NOBODY}/")), "!TypeError EPERM");
}

#[test]
fn what_is_given_up_is_closed_at_once() {
    let (daemon, site) = (Daemon::start(), Site::start());
    let hang = json!(site.url("/hang"));
    let config = json!({ "hosts": [site.address.to_string()] });
    let aborting = session(&daemon, &config, json!({}));
    let code = format!(
        "const c = new AbortController(); setTimeout(() => c.abort(), 50); await fetch({hang}, c).catch((e) => e.name)"
    );
    assert_eq!(daemon.preview(&aborting, &code), "AbortError");
    site.wait_for_closed(1);
    assert_eq!(
        daemon.preview(
            &aborting,
            &format!("await fetch({hang}, {{ signal: AbortSignal.timeout(50) }}).catch((e) => e.name)")
        ),
        "TimeoutError"
    );
    site.wait_for_closed(2);

    let short = session(&daemon, &config, json!({ "wall_ms": 500 }));
    let execution = daemon.repl(&short, &format!("await fetch({hang})"));
    assert_eq!((&execution["status"], &execution["error"]["code"]), (&json!("timeout"), &json!("TIMEOUT")));
    site.wait_for_closed(3);

    let (posted, took) = daemon.while_running(&aborting, &format!("await fetch({hang})"), |id| {
        wait_for("the request to arrive", Duration::from_secs(5), || (site.opened() == 4).then_some(()));
        let started = Instant::now();
        daemon.poke(&format!("/executions/{id}/cancel")).ok(200);
        started.elapsed()
    });
    assert_eq!(posted.ok(201)["status"], "cancelled");
    assert!(took < Duration::from_secs(2), "{took:?}");
    site.wait_for_closed(4);
    // One that nobody waits for is given up with its session.
    daemon.while_running(&aborting, &format!("fetch({hang}); await new Promise(() => {{}})"), |_| {
        wait_for("the request to arrive", Duration::from_secs(5), || (site.opened() == 5).then_some(()));
        daemon.delete(&format!("/sessions/{aborting}")).ok(200);
    });
    site.wait_for_closed(5);
}

#[test]
fn proxies_of_the_environment_are_not_heeded() {
    let (site, proxy) = (Site::start(), Site::start());
    let daemon = Daemon::with(&Home::new(), |command| {
        for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env(name, proxy.url(""));
        }
    });
    let session = open_to(&daemon, &site);
    assert_eq!(outcome(&daemon, &session, &site.url("/direct")), "GET /direct HTTP/1.1");
    assert_eq!(proxy.opened(), 0);
}

#[test]
fn a_file_of_certificates_must_have_some() {
    let home = Home::new();
    for (name, content) in [("missing.pem", None), ("empty.pem", Some("nothing"))] {
        if let Some(content) = content {
            home.write(name, content);
        }
        let mut command = home.serve();
        command.arg("--net-ca-file").arg(home.worktree().join(name));
        let ran = run(command, Duration::from_secs(30)).expect(1);
        assert!(ran.stderr.contains(name) && ran.stderr.contains("hint: --net-ca-file"), "{}", ran.stderr);
    }
}
