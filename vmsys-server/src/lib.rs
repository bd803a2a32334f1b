//! The vm-system daemon: `vmsys-core` over HTTP.
//!
//! ```no_run
//! use vmsys_server::{Config, Server};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), vmsys_server::StartError> {
//! let mut config = Config::default();
//! config.listen = "127.0.0.1:0".to_owned(); // any free port
//! config.database = None; // nothing outlives the process
//! let server = Server::bind(&config).await?;
//! println!("{}/api/v1/health", server.url());
//! server.run(std::future::pending()).await;
//! # Ok(())
//! # }
//! ```
//!
//! A program that is a daemon and nothing else calls [`run_blocking`], which brings the runtime, the log and the
//! signals. One that embeds the API binds a [`Server`] on its own runtime and ends it when it likes. [`ServeArgs`] and
//! [`GlobalArgs`] are the daemon's flags, for every command line that offers them.
//!
//! # What happens to a request
//!
//! A connection (`connection`) hands each request to the service, which finds its route (`route`, `routes`), reads the
//! body, and calls the route's handler on a thread that may block. A handler parses the request (`decode`, `query`)
//! into one call of the core and formats the answer. Policy is the core's: nothing here decides what a session may
//! do. Whatever goes wrong becomes an error (`error`) with the one envelope of the API.

mod access;
mod build;
mod config;
mod connection;
mod cors;
mod decode;
mod error;
mod heap;
mod host_env;
mod listen;
mod logging;
mod metrics;
mod net;
mod openapi;
mod param;
mod process;
mod query;
mod rate;
mod reply;
mod request_id;
mod route;
mod routes;
mod server;
mod service;
mod shutdown;
mod stream;
mod token;
mod turned_away;
mod ui;

pub use self::build::{BUILD, Build, LONG_VERSION};
pub use self::config::{CacheArgs, Config, GlobalArgs, LogFormat, LogLevel, ServeArgs};
pub use self::cors::Origin;
pub use self::host_env::HostEnv;
pub use self::net::{Net, Resolve, Resolving};
pub use self::routes::openapi_document;
pub use self::server::{Server, StartError, refuse_to_start, run_blocking, serve};
pub use self::token::AuthToken;
pub use vmsys_core::{WorkerAlloc, become_worker};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
