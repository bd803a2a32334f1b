//! Requests over real sockets: what is reached, what is refused, and what is given up.

mod bounds;
mod reach;
mod redirects;
mod server;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use tokio::runtime::Runtime;
use vmsys_core::JsonObject;

use self::server::Server;
use super::*;

/// A resolver that knows some names, and remembers what it was asked.
#[derive(Debug, Clone, Default)]
struct Names {
    known: HashMap<String, Vec<IpAddr>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Names {
    fn with(mut self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.known.insert(name.to_owned(), addresses);
        self
    }
}

impl Resolve for Names {
    fn resolve(&self, name: &str) -> Resolving {
        self.asked.lock().unwrap().push(name.to_owned());
        let found = self.known.get(name).cloned();
        Box::pin(async move { found.ok_or_else(|| io::Error::other("no such name")) })
    }
}

/// A session of a template with one `net` capability, on a runtime of its own.
struct Client {
    runtime: Runtime,
    session: Arc<Session>,
}

impl Client {
    fn new(hosts: &[&str]) -> Self {
        Self::with(hosts, serde_json::json!({}), Names::default(), &[])
    }

    fn with(hosts: &[&str], settings: serde_json::Value, names: Names, own_ports: &[u16]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mut policy = serde_json::json!({
            "hosts": hosts, "max_bytes": 100_000, "timeout_ms": 20_000, "allow_private": false
        });
        for (key, value) in settings.as_object().unwrap() {
            policy[key] = value.clone();
        }
        let config: JsonObject = serde_json::json!({"policies": [policy]}).as_object().unwrap().clone();
        let net = runtime.block_on(async { Net::new().unwrap().with_resolver(names) });
        let net = own_ports.iter().fold(net, |net, port| net.without_port(*port));
        let session = Arc::new(Session::new(&net.shared, &config).unwrap());
        Self { runtime, session }
    }

    fn send(&self, request: &Value) -> Result<Reply, CallError> {
        let request = Request::parse(request)?;
        let reply = self.runtime.block_on(self.session.fetch(request, usize::MAX));
        Ok(Reply(reply?))
    }

    fn get(&self, url: &str) -> Result<Reply, CallError> {
        self.send(&request(url, "GET", &[], None))
    }

    /// The code of the refusal or failure that a request must end with.
    fn failure(&self, url: &str) -> String {
        match self.get(url) {
            Err(error) => error.code().map_or_else(|| error.message().to_owned(), str::to_owned),
            Ok(reply) => panic!("{url} answered {}: {}", reply.status(), reply.text()),
        }
    }
}

fn request(url: &str, method: &str, headers: &[(&str, &str)], body: Option<&str>) -> Value {
    let headers = headers.iter().map(|(name, value)| Value::Array(vec![(*name).into(), (*value).into()]));
    Value::object([
        ("url", url.into()),
        ("method", method.into()),
        ("headers", headers.collect::<Vec<_>>().into()),
        ("body", body.map(|text| text.as_bytes().to_vec()).into()),
        ("redirect", "follow".into()),
    ])
}

fn redirecting(mut value: Value, redirect: &str) -> Value {
    if let Value::Object(properties) = &mut value {
        properties.retain(|(name, _)| name != "redirect");
        properties.push(("redirect".to_owned(), redirect.into()));
    }
    value
}

#[derive(Debug)]
struct Reply(Value);

impl Reply {
    fn status(&self) -> u16 {
        self.0.get("status").and_then(Value::as_number).unwrap() as u16
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(self.0.get("body").and_then(Value::as_bytes).unwrap()).into_owned()
    }

    fn url(&self) -> &str {
        self.0.get("url").and_then(Value::as_str).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let headers = self.0.get("headers").and_then(Value::as_array).unwrap();
        let pairs = headers.iter().filter_map(Value::as_array);
        pairs.filter(|pair| pair[0].as_str() == Some(name)).find_map(|pair| pair[1].as_str())
    }
}
