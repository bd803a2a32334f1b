//! A run of several steps: each is announced and timed, and the first that fails ends the run.

use std::time::{Duration, Instant};

use crate::Result;

/// What became of a step.
pub(crate) enum Done {
    /// It was done.
    Passed,
    /// It was left out, for this reason.
    Skipped(String),
}

/// The steps so far.
pub(crate) struct Steps {
    started: Instant,
    times: Vec<(&'static str, Duration)>,
    skipped: Vec<String>,
    /// Whether a check that is left out is a failure: nobody reads the notes of a run in CI.
    strict: bool,
}

impl Steps {
    pub(crate) fn new(strict: bool) -> Self {
        Self { started: Instant::now(), times: Vec::new(), skipped: Vec::new(), strict }
    }

    /// Does a step.
    ///
    /// # Errors
    /// The step's own, with its name; and a step that was left out, where that is not allowed.
    pub(crate) fn step(&mut self, name: &'static str, step: impl FnOnce() -> Result<Done>) -> Result {
        println!("\n── {name}");
        let started = Instant::now();
        let done = step().map_err(|error| format!("{name}: {error}"))?;
        let time = started.elapsed();
        match done {
            Done::Passed => println!("── {name}: passed in {}", seconds(time)),
            Done::Skipped(reason) if self.strict => {
                return Err(format!("{name}: {reason}; with CI=true that is a failure"));
            }
            Done::Skipped(reason) => {
                println!("── {name}: SKIPPED, {reason}");
                self.skipped.push(format!("{name} ({reason})"));
            }
        }
        self.times.push((name, time));
        Ok(())
    }

    /// Says what was done and what was not.
    pub(crate) fn summary(&self) {
        println!();
        for (name, time) in &self.times {
            println!("{:>10}  {name}", seconds(*time));
        }
        println!("{:>10}  in all", seconds(self.started.elapsed()));
        match self.skipped.as_slice() {
            [] => println!("\nEverything passed."),
            skipped => println!("\nWhat was done passed. Skipped: {}.", skipped.join("; ")),
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip() -> Result<Done> {
        Ok(Done::Skipped("the tool is missing".to_owned()))
    }

    #[test]
    fn a_failure_names_its_step() {
        let error = Steps::new(false).step("lints", || Err("no".to_owned())).unwrap_err();
        assert_eq!(error, "lints: no");
    }

    #[test]
    fn a_check_may_be_left_out_by_people_only() {
        let mut steps = Steps::new(false);
        steps.step("format", skip).unwrap();
        assert_eq!(steps.skipped, ["format (the tool is missing)"]);
        assert!(Steps::new(true).step("format", skip).unwrap_err().contains("CI=true"));
    }
}
