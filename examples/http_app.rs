//! An HTTP service that hosts sessions: hyper in front, a session for each name, and the code that is posted to it.
//!
//! It serves until it has answered the requests that it makes of itself; a service of yours would go on.
#![expect(clippy::print_stdout, reason = "examples show what they do")]

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use vmsys_core::{EvalError, NewSession, NewTemplate, Session, TemplateId, VmSystem};

/// The longest program that is taken.
const LONGEST: usize = 64 << 10;

struct App {
    vm: VmSystem,
    template: TemplateId,
    sessions: Mutex<HashMap<String, Session>>,
}

impl App {
    fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let vm = VmSystem::in_memory()?;
        let mut new = NewTemplate::named("notebook");
        new.settings.limits.wall_ms = 2_000;
        let template = vm.create_template(new)?.id;
        Ok(Self { vm, template, sessions: Mutex::default() })
    }

    /// The session of a name, which is made when it is first asked for.
    fn session(&self, name: &str) -> Result<Session, vmsys_core::Error> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = sessions.get(name) {
            return Ok(session.clone());
        }
        let session = self.vm.create_session(NewSession::new(self.template, std::env::temp_dir()).workspace(name))?;
        sessions.insert(name.to_owned(), session.clone());
        Ok(session)
    }

    /// `POST /NAME` with code answers its value as JSON.
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> (StatusCode, String) {
        let name = request.uri().path().trim_start_matches('/').to_owned();
        let Ok(body) = Limited::new(request.into_body(), LONGEST).collect().await else {
            return (StatusCode::PAYLOAD_TOO_LARGE, "too long".to_owned());
        };
        let Ok(code) = String::from_utf8(body.to_bytes().to_vec()) else {
            return (StatusCode::BAD_REQUEST, "no text".to_owned());
        };
        // Making a session takes a while and blocks; running code does not.
        let app = self.clone();
        let session = match tokio::task::spawn_blocking(move || app.session(&name)).await {
            Ok(Ok(session)) => session,
            Ok(Err(error)) => return (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
            Err(_) => return (StatusCode::INTERNAL_SERVER_ERROR, "internal error".to_owned()),
        };
        // A client that goes away drops this future, and with it cancels its code.
        match session.eval_async::<serde_json::Value>(code).await {
            Ok(value) => (StatusCode::OK, value.to_string()),
            Err(EvalError::Failed(error)) if error.is_transient() => (StatusCode::CONFLICT, error.to_string()),
            Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
        }
    }
}

async fn serve(app: Arc<App>, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let app = app.clone();
        let service = service_fn(move |request| {
            let app = app.clone();
            async move {
                let (status, body) = app.answer(request).await;
                let mut response = Response::new(Full::new(Bytes::from(body)));
                *response.status_mut() = status;
                Ok::<_, Infallible>(response)
            }
        });
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// A request as a client would make it: the status and the body.
async fn post(address: std::net::SocketAddr, name: &str, code: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address).await?;
    let head =
        format!("POST /{name} HTTP/1.1\r\nhost: app\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", code.len());
    stream.write_all((head + code).as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    Ok((status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = Arc::new(App::new()?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    println!("listening on {address}");
    let server = tokio::spawn(serve(app.clone(), listener));

    assert_eq!(post(address, "ada", "let total = 40; total").await?, (200, "40".to_owned()));
    assert_eq!(post(address, "ada", "total += 2; ({total})").await?, (200, r#"{"total":42}"#.to_owned()));
    let (status, body) = post(address, "bob", "total").await?;
    println!("{status} {body}");
    assert_eq!((status, body.as_str()), (422, "ReferenceError: total is not defined"));

    // A hundred sessions at once, each with its own state.
    let all = (0..100).map(|number| {
        tokio::spawn(
            async move { post(address, &format!("s{number}"), &format!("var n = {number}; await 0; n")).await },
        )
    });
    for (number, answer) in all.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(answer.await??, (200, number.to_string()));
    }
    server.abort();
    tokio::task::spawn_blocking(move || app.vm.shutdown()).await??;
    Ok(())
}
