//! How many requests a client may send in a second, and what one is told that sends more.

use std::fs;
use std::time::{Duration, Instant};

use crate::http::Request;
use crate::support::{Daemon, Home, api, wait_for};

/// Longer than anything here takes on a busy machine: only a test that has failed waits for so long.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_client_that_sends_too_much_is_told_so_and_let_in_again() {
    const MOST: f64 = 5.0;
    let daemon = Daemon::with(&Home::new(), |command| {
        command.args(["--max-rate", "5"]);
    });
    let mut connection = daemon.connect();
    let (begun, mut served) = (Instant::now(), 0);
    let refused = loop {
        let answer = connection.call(&Request::new("GET", api("/templates"))).unwrap();
        if answer.status == 429 {
            break answer;
        }
        answer.ok(200);
        served += 1;
        assert!(begun.elapsed() < PATIENCE, "{served} requests, and none was refused");
        assert!(f64::from(served) <= MOST + MOST * begun.elapsed().as_secs_f64() + 1.0, "{served}");
    };
    let details = refused.error(429, "LIMIT_REACHED");
    assert_eq!((&details["limit"], &details["most"]), (&"max_rate".into(), &"5".into()));
    assert!(served >= 5, "{served}");
    for _ in 0..50 {
        assert_eq!(connection.call(&Request::new("GET", api("/health"))).unwrap().status, 200, "health is not counted");
    }
    let wait: u64 = refused.header("Retry-After").unwrap().parse().unwrap();
    std::thread::sleep(Duration::from_secs(wait));
    assert_eq!(connection.call(&Request::new("GET", api("/templates"))).unwrap().status, 200, "on the same connection");
}

#[test]
fn what_is_refused_counts_so_that_no_token_is_guessed_faster() {
    let home = Home::new();
    let file = home.root().join("token");
    fs::write(&file, "a-token-of-these-tests-1\n").unwrap();
    let daemon = Daemon::with(&home, |command| {
        command.arg("--auth-token-file").arg(&file).args(["--max-rate", "3"]);
    });
    // Connections of their own are one client all the same, and what there is no route for counts as well.
    let guess = |path: &str| {
        daemon.send(&Request::new("GET", api(path)).header("Authorization", "Bearer a-token-of-these-tests-2"))
    };
    let refused = wait_for("too many guesses", PATIENCE, || {
        let answers = [guess("/sessions"), guess("/nosuch")];
        assert!(answers.iter().all(|answer| [401, 429].contains(&answer.status)), "{answers:?}");
        answers.into_iter().find(|answer| answer.status == 429)
    });
    assert_eq!(refused.error(429, "LIMIT_REACHED")["limit"], "max_rate");
}

#[test]
fn the_command_line_says_what_to_do_about_it() {
    let daemon = Daemon::with(&Home::new(), |command| {
        command.args(["--max-rate", "1"]);
    });
    let ran = wait_for("a command to be refused", PATIENCE, || {
        let _ = daemon.get("/templates");
        let ran = daemon.cli(&["template", "list"]);
        (ran.code != Some(0)).then_some(ran)
    });
    let ran = ran.expect(1);
    assert!(ran.stderr.contains("LIMIT_REACHED") && ran.stderr.contains("try again in a second"), "{ran:#?}");
}
