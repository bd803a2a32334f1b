//! The seam: jobs go in, outcomes come out, and everything else that guest code does goes through a [`Host`].
//!
//! All of it is plain data. So the same realm runs on a thread of the host's program or at the other end of a socket,
//! and what crosses can be limited, recorded and answered again. The clock crosses as the time at which a job starts:
//! the realm reads on from there by itself, so that a script that asks for the time in a loop costs no round trips.
//! Randomness crosses as a seed.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::event::Payload;
use crate::execution::ExecutionError;
use crate::lookup::{Answer, Question};
use crate::value::{CallError, JsonText, ResultValue, Value};

/// What a host tells a worker process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Make the realm, whoever it will be for: the first order to a warm process.
    Warm(Box<RealmConfig>),
    /// Become two, and let the other one be a worker: two descriptors come with it.
    Fork,
    /// Be the realm of this session: the first order to a worker.
    Adopt(Box<Identity>),
    /// Run a job, the one with this number.
    Run(u64, Box<Job>),
    /// Answer this, while no job runs.
    Ask(Question),
    /// The answer to [`Report::Call`].
    Called(Result<Value, CallError>),
    /// The answer to [`Report::Wait`].
    Woken(Wake),
}

/// What a worker process tells its host.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Report {
    /// It is there, and goes without these parts of its sandbox.
    Ready(Vec<String>),
    /// It has made its realm, or could not.
    Made(Result<(), NotMade>),
    /// It waits for the descriptors of [`Order::Fork`].
    Waiting,
    /// It has become two, and this is the other one's number.
    Forked(i32),
    /// [`Host::emit`], which has no answer: the worker knows how much there may be, and the host stops one that says more.
    Emit(Payload),
    /// [`Host::call`].
    Call(Call),
    /// [`Host::begin`], which has no answer.
    Begin(u64, Call),
    /// [`Host::cancel`], which has no answer.
    Cancel(u64),
    /// [`Host::wait`].
    Wait(Duration),
    /// The job has ended.
    Ended(Outcome),
    /// What the job left due is thrown away, or could not be.
    Cleaned(Cleaned),
    /// The answer to [`Order::Ask`].
    Answered(Answer),
}

/// What became of what a job left due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Cleaned {
    /// It is gone.
    Yes,
    /// It is not.
    No,
    /// It is, but so many blocks are where none of the guest's may be: a fault of ours.
    Astray(i64),
}

/// One JavaScript world, driven by jobs.
pub(crate) trait Realm {
    /// Runs one job to its end, within its limits.
    fn run(&mut self, job: Job, host: SharedHost) -> Outcome;

    /// Throws away what the job left due, before the next one. False says that the realm cannot be used on: so much was
    /// left that it could not be thrown away in time, or no room for another job.
    fn clean_up(&mut self) -> bool;

    /// Looks at what there is, between jobs, without running anything of the session's. None says that it is lost.
    fn ask(&mut self, question: Question) -> Option<Answer>;

    /// Returns the processor time that it has used so far.
    fn cpu_time(&self) -> Duration;

    /// Tells why it is lost, if it is.
    fn lost(&self) -> Option<&str> {
        None
    }
}

/// A realm in another process, as far as it can be reached while it runs a job.
pub(crate) trait Remote: Send + Sync {
    /// Has the job end as soon as the engine can be interrupted.
    fn stop(&self, reason: Stop);

    /// How often the engine could have been interrupted so far.
    fn polls(&self) -> u64;

    /// The processor time that the realm has used for the job so far.
    fn cpu_used(&self) -> Duration;
}

/// A host while a job runs. One thread holds it: a realm never calls it from two places at once.
pub(crate) type SharedHost = Rc<RefCell<dyn Host>>;

/// The world outside of a realm.
pub(crate) trait Host {
    /// Records that something happened; when it is refused, the job is to end at once.
    fn emit(&mut self, payload: Payload) -> Result<(), EmitRefused>;

    /// Calls a function of a module and waits for its answer.
    fn call(&mut self, call: Call) -> Result<Value, CallError>;

    /// Begins a call that is answered later, by [`wait`](Self::wait). The realm counts its calls, so that a replay can
    /// tell them apart.
    fn begin(&mut self, id: u64, call: Call);

    /// Gives a call up: its answer, if there is one, is not wanted any more.
    fn cancel(&mut self, id: u64);

    /// Sleeps until the time has passed, a call has been answered, or the job is to be stopped.
    fn wait(&mut self, at_most: Duration) -> Wake;

    /// Tells why the job is to be stopped, if it is: somebody asked, or what a module printed is past a limit. Called
    /// often, whenever the engine can be interrupted and so also while a script is being ended: it must be cheap, and
    /// says that the realm is not stuck.
    fn stop_reason(&self) -> Option<Stop>;

    /// Takes what reaches a realm that cannot ask for [`stop_reason`](Self::stop_reason) itself.
    fn attach(&mut self, _: std::sync::Arc<dyn Remote>) {}
}

/// The module that finds and reads code. Every session has it; scripts cannot name it.
pub(crate) const LOADER: &str = "vm:loader";

/// The module behind `fetch`. Scripts cannot name it either.
pub(crate) const NET: &str = "vm:net";

/// The modules that every session can load without a grant, because they have no effects. Some have parts, as
/// `path/posix`.
pub(crate) const PURE_MODULES: &[&str] = &[
    "assert",
    "buffer",
    "child_process",
    "console",
    "crypto",
    "events",
    "module",
    "os",
    "path",
    "perf_hooks",
    "process",
    "querystring",
    "stream",
    "string_decoder",
    "timers",
    "tty",
    "url",
    "util",
];

/// Whether a name, or the start of one with slashes, is that of a module that needs no grant.
pub(crate) fn is_pure(name: &str) -> bool {
    name.split('/').next().is_some_and(|module| PURE_MODULES.contains(&module))
}

/// A call of a function that the host offers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) module: String,
    pub(crate) function: String,
    pub(crate) args: Vec<Value>,
}

/// The answer to a call that was begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Completion {
    pub(crate) id: u64,
    pub(crate) result: Result<Value, CallError>,
}

/// An event is past a limit: it was not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EmitRefused {
    /// Past `max_events`.
    Events,
    /// Past `max_output_kb`.
    Output,
}

/// Why a wait ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Wake {
    /// The time has passed.
    Elapsed,
    /// The job is to be stopped.
    StopRequested,
    /// A call has been answered.
    Completed(Completion),
}

/// How a realm is made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RealmConfig {
    /// Whether there is a `console`.
    pub(crate) console: bool,
    /// Whether scripts are strict without saying so.
    pub(crate) strict: bool,
    /// What `Math.random` starts from.
    pub(crate) seed: u64,
    /// What `crypto` starts from: as many bits as its generator has, from the operating system.
    pub(crate) crypto_seed: [u8; 32],
    /// The time at which `performance.now()` is 0, in milliseconds since 1970.
    pub(crate) origin_ms: i64,
    /// The absolute path of the worktree, as scripts see it.
    pub(crate) worktree: String,
    /// What its template grants, as far as scripts see it. Whether a call may be made is for the host to say.
    pub(crate) granted: Granted,
    /// Libraries to be run before anything else, in this order.
    pub(crate) libraries: Vec<LibraryCode>,
    /// What each of them may use.
    pub(crate) limits: JobLimits,
}

/// What makes the realm of one session another than that of the next, when both are made in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) seed: u64,
    pub(crate) crypto_seed: [u8; 32],
    pub(crate) origin_ms: i64,
    pub(crate) worktree: String,
}

impl RealmConfig {
    /// What is this session's alone.
    pub(crate) fn identity(&self) -> Identity {
        let Self { seed, crypto_seed, origin_ms, .. } = *self;
        Identity { seed, crypto_seed, origin_ms, worktree: self.worktree.clone() }
    }

    /// The same for a realm that is nobody's yet: libraries see the time, and chances that no session has.
    pub(crate) fn for_nobody(&self) -> Self {
        let crypto_seed = self.crypto_seed.map(|byte| !byte);
        Self { seed: !self.seed, crypto_seed, worktree: String::new(), ..self.clone() }
    }

    /// What makes realms of one kind: all but the identity, and of libraries not their text, which is large, and which
    /// their integrity stands for.
    pub(crate) fn kind(&self) -> Self {
        let without_text = |library: &LibraryCode| {
            let LibraryCode { file, source: _, integrity, global, sets } = library;
            let (file, integrity, global, sets) = (file.clone(), integrity.clone(), global.clone(), sets.clone());
            LibraryCode { file, source: String::new(), integrity, global, sets }
        };
        // Each field is named: one that is forgotten would let sessions share what they must not.
        let Self { console, strict, seed: _, crypto_seed: _, origin_ms: _, worktree: _, granted, libraries, limits } =
            self;
        Self {
            console: *console,
            strict: *strict,
            granted: granted.clone(),
            libraries: libraries.iter().map(without_text).collect(),
            limits: *limits,
            ..Self::default()
        }
    }
}

/// A library, as a realm runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LibraryCode {
    /// The name of its file, as stacks show it.
    pub(crate) file: String,
    pub(crate) source: String,
    /// Names the source: two with the same are the same.
    pub(crate) integrity: String,
    /// The global that it must have set in the end.
    pub(crate) global: Option<String>,
    /// The global that its own code sets, if that is another.
    pub(crate) sets: Option<String>,
}

/// Why a realm could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum NotMade {
    /// A library failed.
    Library(String),
    /// The engine did.
    Engine(String),
}

/// What scripts see of what their template grants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Granted {
    /// The native modules, by name.
    pub(crate) modules: Vec<GrantedModule>,
    /// Whether there is `fetch`.
    pub(crate) net: bool,
    /// Globals, set before anything runs.
    pub(crate) globals: Vec<(String, JsonText)>,
    /// What `process.env` shows in every run.
    pub(crate) env: Vec<(String, String)>,
}

/// A native module that scripts may load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GrantedModule {
    pub(crate) name: String,
    /// Whether it is the one that comes with the library, for which the engine has a face in JavaScript.
    pub(crate) is_built_in: bool,
    /// Its functions, and whether each answers with a promise.
    pub(crate) functions: Vec<(String, bool)>,
}

/// What is done with the text of a job. Data is data on its way here, and never becomes text that is read as code.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) enum Act {
    /// It is run.
    #[default]
    Run,
    /// It is names with dots between them, and what they name is called with these arguments.
    Call(Vec<Value>),
    /// It is the name of a global, which is given this value.
    Set(Value),
}

/// Code to be run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Job {
    /// The text.
    pub(crate) source: String,
    /// The name of the text, as stacks show it.
    pub(crate) name: String,
    /// What is done with it.
    pub(crate) act: Act,
    /// Whether what it comes to is wanted whole, as data: then a promise is awaited.
    pub(crate) wants_data: bool,
    /// Script or module.
    pub(crate) goal: Goal,
    /// Whether the text may have types, which are taken out before it is run.
    pub(crate) typescript: bool,
    /// What becomes of a script that declares imports, which no script can.
    pub(crate) imports: Imports,
    /// What the run sees of the command line, if it is the run of a file.
    pub(crate) process: Option<ProcessView>,
    /// What it may use.
    pub(crate) limits: JobLimits,
    /// The time now, in milliseconds since 1970.
    pub(crate) clock_ms: i64,
    /// Whether nothing else runs, so that both sides of a line may wait awake for each other.
    pub(crate) alone: bool,
}

/// Script or module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Goal {
    /// Shares its top-level names with every other script of the realm, and comes to a value.
    Script,
    /// Has its own names, and comes to `undefined`. It is run anew each time.
    Module,
    /// A file that is imported: it runs once in a realm, and the loader reads it. Comes to `undefined`.
    Import,
}

/// What becomes of a script that declares imports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Imports {
    /// It is a syntax error.
    #[default]
    Refused,
    /// They are awaited, so that what they bind is there for later scripts.
    Awaited,
    /// It is a syntax error that says how files become modules.
    Explained,
}

/// What `process.argv[0]` says.
pub(crate) const PROGRAM: &str = "vm-system";

/// `__ARGS__`, `__ENV__`, `process.argv` and `process.env` of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessView {
    pub(crate) args: JsonText,
    pub(crate) env: JsonText,
    pub(crate) process_argv: JsonText,
    pub(crate) process_env: JsonText,
}

/// What a job may use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JobLimits {
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
    pub(crate) memory_bytes: usize,
    /// How long a text it is worth making: the host refuses longer ones anyway.
    pub(crate) output_bytes: usize,
    /// How many events there may be: the host refuses more.
    pub(crate) events: u64,
}

/// What came of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) end: End,
    /// What it came to, whole, if that was wanted and it came to its own end.
    pub(crate) data: Option<Data>,
    pub(crate) usage: Usage,
}

/// What a job came to, as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Data {
    /// Its value.
    Value(Value),
    /// It came to a value that is no data, for this reason.
    Unfit(String),
    /// The error that it ended with, and those of its properties that are data.
    Error(CallError),
    /// What was thrown and is no error.
    Thrown(Value),
    /// Nothing was run: the text has a syntax error, in this line and column as far as that is known.
    Malformed(Option<(u32, u32)>),
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum End {
    /// With the value of its last expression.
    Value(ResultValue),
    /// With an exception, or a rejection, that nothing caught.
    Exception(ExecutionError),
    /// By one of the limits, or because somebody asked.
    Stopped(Stop),
}

/// Why a job was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stop {
    Wall,
    Cpu,
    Memory,
    Events,
    Output,
    Requested,
}

/// What a job used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Usage {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
    /// Heap of the realm at the end.
    pub(crate) memory_bytes: usize,
    /// Calls of the interrupt handler: the same from run to run, so it is the clock that a replay goes by.
    pub(crate) polls: u64,
}
