//! `vm-system ops`: looking after a running daemon.

use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use indicatif::{HumanBytes, HumanCount, HumanDuration};

use crate::client::records::{Document, Stats, Times};
use crate::client::{Answer, Client};
use crate::error::{Exit, Result};
use crate::json;
use crate::output::Output;

/// The commands of the group.
#[derive(Debug, Subcommand)]
pub(crate) enum OpsCommand {
    /// Ask the daemon whether it is there; prints {"status":"ok"}
    Health,
    /// Show what is alive in the daemon's memory, whatever its database says
    RuntimeSummary,
    /// Show what the daemon is doing: sessions, executions, rates, latencies, its database
    #[command(after_help = "\
Rates are those of the interval that is watched; everything else counts from the daemon's start. Times are known to a
quarter of themselves.

Examples:
  vm-system ops status
  vm-system ops status --interval 10
  vm-system ops status --json | jq .sessions.ready")]
    Status(StatusArgs),
    /// Print the daemon's metrics in Prometheus's text format
    Metrics,
    /// Print the daemon's API as a document of OpenAPI 3.1
    #[command(after_help = "\
Examples:
  vm-system ops openapi > openapi.json
  vm-system ops openapi | jq '.paths | keys'")]
    Openapi,
}

/// How to look at a daemon.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Seconds to watch the daemon for, to tell its rates; 0 tells none
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=3600))]
    interval: u64,
}

/// Does what the command says.
pub(crate) fn run(command: OpsCommand, client: &Client, out: &mut Output) -> Result<Exit> {
    match command {
        OpsCommand::Health => document(&client.health()?, out),
        OpsCommand::RuntimeSummary => document(&client.runtime_summary()?, out),
        OpsCommand::Metrics => out.text(&client.metrics()?),
        OpsCommand::Openapi => out.json(&client.openapi()?.text),
        OpsCommand::Status(StatusArgs { interval }) => {
            let (first, since) = (client.stats()?, Instant::now());
            if out.is_json() {
                out.json(&first.text);
                return Ok(Exit::Done);
            }
            if interval == 0 {
                status(&first.value, None, out);
                return Ok(Exit::Done);
            }
            thread::sleep(Duration::from_secs(interval));
            let (second, elapsed) = (client.stats()?, since.elapsed());
            status(&second.value, Some((&first.value, elapsed)), out);
        }
    }
    Ok(Exit::Done)
}

fn document(answer: &Answer<Document>, out: &mut Output) {
    if out.is_json() {
        out.json(&answer.text);
    } else {
        // One line also on a terminal: this is the output that the reference shows.
        out.line(json::compact(&answer.text));
    }
}

/// Prints what a daemon does, with rates since an earlier look at it.
fn status(now: &Stats, before: Option<(&Stats, Duration)>, out: &mut Output) {
    let rate = |count: fn(&Stats) -> u64| match before {
        None => String::new(),
        Some((before, elapsed)) => {
            let each = count(now).saturating_sub(count(before)) as f64 / elapsed.as_secs_f64();
            format!(", {each:.1}/s")
        }
    };
    out.line(format_args!("vm-system {}, up {}", now.version, HumanDuration(Duration::from_millis(now.uptime_ms))));
    let sessions = &now.sessions;
    out.line(format_args!(
        "Sessions:   {} ready, {} starting, {} crashed, {} closed; {} created{}",
        HumanCount(sessions.ready),
        HumanCount(sessions.starting),
        HumanCount(sessions.crashed),
        HumanCount(sessions.closed),
        HumanCount(sessions.created),
        rate(|stats| stats.sessions.created),
    ));
    out.line(format_args!(
        "Executions: {} running; {} ended ({}){}",
        HumanCount(now.executions.running),
        HumanCount(ended(now)),
        ends(now),
        rate(ended),
    ));
    let requests = &now.requests;
    let refused: u64 = requests.refused.values().sum();
    out.line(format_args!(
        "Requests:   {} answered, {} of them refused{}; {} connections, {} streams",
        HumanCount(requests.latency.count),
        HumanCount(refused),
        rate(|stats| stats.requests.latency.count),
        HumanCount(requests.connections),
        HumanCount(requests.streams),
    ));
    let store = &now.store;
    out.line(format_args!(
        "Store:      {}; {} events of {} written{}; {} writes in {} commits",
        HumanBytes(store.file_bytes),
        HumanCount(store.events),
        HumanBytes(store.event_bytes),
        rate(|stats| stats.store.events),
        HumanCount(store.writes),
        HumanCount(store.commits.count),
    ));
    let process = &now.process;
    out.line(format_args!(
        "Process:    {} of memory, {} threads, {} open files, {:.1} s of processor time",
        HumanBytes(process.resident_bytes),
        HumanCount(process.threads),
        HumanCount(process.open_files),
        process.cpu_seconds,
    ));
    out.line("");
    let kinds = now.executions.latency.iter().map(|of_kind| (of_kind.kind.as_str(), &of_kind.times));
    let others = [("requests", &requests.latency), ("commits", &store.commits)];
    let rows = kinds.chain(others).filter(|(_, times)| times.count > 0).map(|(name, times)| latency(name, times));
    out.table(&["LATENCY", "COUNT", "MEAN MS", "P50 MS", "P90 MS", "P99 MS"], rows);
    if !requests.refused.is_empty() {
        out.line("");
        let rows = requests.refused.iter().map(|(code, count)| vec![code.clone(), count.to_string()]);
        out.table(&["REFUSED", "COUNT"], rows);
    }
}

fn ended(stats: &Stats) -> u64 {
    stats.executions.ended.iter().map(|ended| ended.count).sum()
}

/// How executions ended, whatever their kind.
fn ends(stats: &Stats) -> String {
    let mut ends: Vec<(&str, u64)> = Vec::new();
    for ended in &stats.executions.ended {
        match ends.iter_mut().find(|(status, _)| *status == ended.status) {
            Some((_, count)) => *count += ended.count,
            None => ends.push((&ended.status, ended.count)),
        }
    }
    ends.iter().map(|(status, count)| format!("{} {status}", HumanCount(*count))).collect::<Vec<_>>().join(", ")
}

fn latency(name: &str, times: &Times) -> Vec<String> {
    let Times { count, mean_ms, p50_ms, p90_ms, p99_ms } = times;
    let times = [mean_ms, p50_ms, p90_ms, p99_ms].map(|time| format!("{time:.2}"));
    [name.to_owned(), count.to_string()].into_iter().chain(times).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::kept;

    fn sample(count: u64) -> Stats {
        let times = format!(r#""count":{count},"mean_ms":1.25,"p50_ms":1.0,"p90_ms":2.0,"p99_ms":4.096"#);
        let text = format!(
            r#"{{"version":"0.1.0","started_at":"A","uptime_ms":7200000,"later":1,
            "sessions":{{"starting":0,"ready":2,"crashed":1,"closed":1000,"created":{count}}},
            "executions":{{"running":1,"ended":[{{"kind":"repl","status":"ok","count":{count}}},
                {{"kind":"repl","status":"error","count":3}},{{"kind":"run_file","status":"ok","count":0}}],
                "latency":[{{"kind":"repl",{times}}},
                    {{"kind":"startup","count":0,"mean_ms":0,"p50_ms":0,"p90_ms":0,"p99_ms":0}}]}},
            "requests":{{"refused":{{"NOT_FOUND":2}},"latency":{{{times}}},"connections":4,"streams":1}},
            "store":{{"file_bytes":1048576,"events":{count},"event_bytes":2048,"commits":{{{times}}},"writes":{count}}},
            "process":{{"resident_bytes":52428800,"threads":9,"open_files":20,"cpu_seconds":1.5}}}}"#
        );
        serde_json::from_str(&text).expect("the sample is a daemon's numbers")
    }

    #[test]
    fn numbers_are_shown_for_people() {
        let (mut out, kept, _) = kept::output(false, false);
        status(&sample(1500), Some((&sample(500), Duration::from_secs(2))), &mut out);
        assert_eq!(
            kept.text(),
            "vm-system 0.1.0, up 2 hours\n\
             Sessions:   2 ready, 0 starting, 1 crashed, 1,000 closed; 1,500 created, 500.0/s\n\
             Executions: 1 running; 1,503 ended (1,500 ok, 3 error), 500.0/s\n\
             Requests:   1,500 answered, 2 of them refused, 500.0/s; 4 connections, 1 streams\n\
             Store:      1.00 MiB; 1,500 events of 2.00 KiB written, 500.0/s; 1,500 writes in 1,500 commits\n\
             Process:    50.00 MiB of memory, 9 threads, 20 open files, 1.5 s of processor time\n\
             \n\
             LATENCY   COUNT  MEAN MS  P50 MS  P90 MS  P99 MS\n\
             repl      1500   1.25     1.00    2.00    4.10\n\
             requests  1500   1.25     1.00    2.00    4.10\n\
             commits   1500   1.25     1.00    2.00    4.10\n\
             \n\
             REFUSED    COUNT\n\
             NOT_FOUND  2\n"
        );
    }

    #[test]
    fn without_an_earlier_look_there_are_no_rates() {
        let (mut out, kept, _) = kept::output(false, false);
        status(&sample(1), None, &mut out);
        assert!(!kept.text().contains("/s"), "{}", kept.text());
    }
}
