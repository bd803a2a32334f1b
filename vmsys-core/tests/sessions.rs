//! Sessions as a program sees them that embeds the library: life cycles, concurrency, limits, and what is left when
//! something goes wrong.
//!
//! Nothing here sleeps to be right. A test that waits for something asks for it again and again, up to [`PATIENCE`].

use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use vmsys_core::*;

/// Longer than anything here takes on a busy machine: only a test that has failed waits for so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A system with a template and a worktree.
struct Bench {
    vm: VmSystem,
    template: Template,
    dir: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(set: impl FnOnce(&mut NewTemplate)) -> Self {
        Self::over(VmSystem::in_memory().unwrap(), set)
    }

    fn on_disk(set: impl FnOnce(&mut NewTemplate)) -> (Self, TempDir) {
        let home = tempfile::tempdir().unwrap();
        (Self::over(VmSystem::open(database(home.path())).unwrap(), set), home)
    }

    fn over(vm: VmSystem, set: impl FnOnce(&mut NewTemplate)) -> Self {
        let mut new = NewTemplate::named("t");
        set(&mut new);
        let template = vm.create_template(new).unwrap();
        Self { vm, template, dir: tempfile::tempdir().unwrap() }
    }

    fn session(&self) -> Session {
        self.try_session().unwrap()
    }

    fn try_session(&self) -> Result<Session> {
        self.vm.create_session(NewSession::new(self.template.id, self.dir.path()))
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }
}

fn database(home: &Path) -> std::path::PathBuf {
    home.join("vm.db")
}

/// Asks until there is an answer.
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "never happened: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_database_can_be_opened_again_as_soon_as_the_last_handle_is_gone() {
    let home = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let vm = VmSystem::open(database(home.path())).unwrap_or_else(|error| panic!("round {round}: {error}"));
        let template = vm.create_template(NewTemplate::named(round.to_string())).unwrap();
        let session = vm.create_session(NewSession::new(template.id, home.path())).unwrap();
        session.repl("1").unwrap();
    }
}
