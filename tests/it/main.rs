//! End-to-end tests: the real binary, over its real socket, against a database on disk.
//!
//! Nothing here looks inside: a test knows what a user of the REST contract and of the command line knows.

#![allow(clippy::unwrap_used, reason = "tests: a panic is the report")]
#![allow(clippy::print_stderr, reason = "tests: the log of a failing daemon is shown")]

mod cli;
mod cli_grants;
mod cli_help;
mod cli_live;
mod cli_streams;
mod durability;
mod failing_disks;
mod hostile;
mod http;
mod http_access;
mod http_contract;
mod http_events;
mod http_executions;
mod http_fs;
mod http_grants;
mod http_idempotency;
mod http_inspect;
mod http_isolation;
mod http_limits;
mod http_metrics;
mod http_modules;
mod http_native;
mod http_net;
mod http_paths;
mod http_rate;
mod http_retention;
mod http_sessions;
mod http_streams;
mod http_templates;
mod http_typescript;
mod http_ui;
mod libraries;
mod npm;
mod repl;
mod sse;
mod support;
