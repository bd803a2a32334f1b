//! One JavaScript world over QuickJS: runs jobs, one at a time, each to its very end.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::{Duration, Instant};

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng as _;
use rquickjs::promise::PromiseState;
use rquickjs::{Context, Ctx, Persistent, Promise, Runtime, Value};

use super::act;
use super::budget::Budget;
use super::builtins::{Bridge, Builtins};
use super::cross;
use super::describe::{Thrown, describe, describe_error};
use super::ffi::{self, Evaluated, RuntimePtr};
use super::globals::{self, ConsoleState, ProcessGlobal, RunModule, RunView};
use super::guard_alloc::{GuardAlloc, Meter};
use super::intrinsics::{Intrinsics, lock_error_hooks};
use super::libraries;
use super::lookup;
use super::modules::{self, LoaderHook, Modules};
use super::repl::{self, Declarations};
use super::timers::Timers;
use super::tree;
use crate::execution::{ErrorCode, ExecutionError};
use crate::isolation::os_thread::current_cpu_time;
use crate::isolation::protocol::{
    Act, Data, End, Goal, Granted, Identity, Imports, Job, NotMade, Outcome, Realm, RealmConfig, SharedHost, Stop, Wake,
};
use crate::lookup::{Answer, Question};
use crate::typescript::{self, SyntaxProblem};
use crate::value::TreeText;

/// Processor time that what a job left queued may take to be thrown away, before the realm is given up.
const CLEANUP: Duration = Duration::from_secs(1);
/// A result whose JSON is longer goes without; its preview is bounded anyway.
const MAX_JSON_BYTES: usize = 1 << 20;
/// Asking for the time costs more than a short job, so it is asked once in so many.
const JOBS_PER_CHECK: u32 = 32;

/// A QuickJS runtime with its one context, on the thread that made it.
pub(crate) struct QuickRealm {
    // The order matters: everything that points into the engine goes first.
    world: Rc<World>,
    context: Context,
    _runtime: Runtime,
    /// The engine points at it, so that it goes after the engine.
    _loader: Box<LoaderHook>,
    strict: bool,
    /// Whether the job that runs is that of a file, and sees a command line.
    shows_run: bool,
}

/// What the functions that scripts call share with the realm.
pub(super) struct World {
    pub(super) budget: Rc<Budget>,
    pub(super) timers: Timers,
    pub(super) console: ConsoleState,
    pub(super) process: RefCell<Option<ProcessGlobal>>,
    pub(super) run_module: RunModule,
    /// How many jobs have begun.
    pub(super) jobs: Cell<u64>,
    pub(super) clock: Clock,
    pub(super) dice: RefCell<fastrand::Rng>,
    /// What `crypto` gives: nobody can foretell it who does not know the seed.
    pub(super) random: RefCell<ChaCha20Rng>,
    /// How long a text is worth making in this job.
    pub(super) output_bytes: Cell<usize>,
    /// What trees of values may still take in this job.
    tree_bytes: Cell<usize>,
    /// The names of the globals that were there before anything of the session's ran.
    pub(super) built_in_names: RefCell<HashSet<String>>,
    /// The captured built-ins, for what turns values into text.
    pub(super) intrinsics: Intrinsics,
    pub(super) declarations: Option<Declarations>,
    pub(super) builtins: Builtins,
    pub(super) bridge: Bridge,
    pub(super) granted: Granted,
    pub(super) modules: Modules,
    /// Promises that were rejected while nothing listened.
    rejections: RefCell<Rejections>,
}

/// Rejected promises by their address, each with its place in the order of rejection. Not a list: looking through one
/// whenever a handler is attached makes the `Promise.allSettled` of a few thousand take seconds, without a poll.
#[derive(Default)]
struct Rejections {
    count: u64,
    unhandled: HashMap<usize, (u64, Persistent<Value<'static>>)>,
}

/// The host's time: set when a job starts, carried on by the monotonic clock.
pub(super) struct Clock {
    origin_ms: Cell<i64>,
    base_ms: Cell<i64>,
    since: Cell<Instant>,
}

impl Clock {
    fn set(&self, now_ms: i64) {
        self.base_ms.set(now_ms);
        self.since.set(Instant::now());
    }

    /// When the session began, in milliseconds since 1970.
    pub(super) fn origin_ms(&self) -> i64 {
        self.origin_ms.get()
    }

    /// Milliseconds since 1970.
    pub(super) fn now_ms(&self) -> i64 {
        let elapsed = i64::try_from(self.since.get().elapsed().as_millis()).unwrap_or(i64::MAX);
        self.base_ms.get().saturating_add(elapsed)
    }
}

impl QuickRealm {
    /// Makes a runtime and installs what scripts find in it.
    pub(crate) fn new(config: &RealmConfig) -> Result<Self, NotMade> {
        let meter = Meter::new();
        let failed = |error: rquickjs::Error| NotMade::Engine(error.to_string());
        let runtime = Runtime::new_with_alloc(GuardAlloc(meter.clone())).map_err(failed)?;
        let context = Context::full(&runtime).map_err(failed)?;
        let loader = LoaderHook::new();
        let world = context.with(|ctx| -> rquickjs::Result<Rc<World>> {
            let pointer = RuntimePtr::of(&ctx).ok_or(rquickjs::Error::Unknown)?;
            let budget = Budget::new(pointer, meter);
            let world = Rc::new(World {
                budget: budget.clone(),
                timers: Timers::default(),
                console: ConsoleState::default(),
                process: RefCell::new(None),
                run_module: RunModule::default(),
                jobs: Cell::new(0),
                clock: Clock {
                    origin_ms: Cell::new(config.origin_ms),
                    base_ms: Cell::new(config.origin_ms),
                    since: Cell::new(Instant::now()),
                },
                dice: RefCell::new(fastrand::Rng::with_seed(config.seed)),
                random: RefCell::new(ChaCha20Rng::from_seed(config.crypto_seed)),
                output_bytes: Cell::new(0),
                tree_bytes: Cell::new(0),
                built_in_names: RefCell::default(),
                intrinsics: Intrinsics::capture(&ctx)?.within(budget),
                declarations: Declarations::find(&ctx),
                builtins: Builtins::default(),
                bridge: Bridge::default(),
                granted: config.granted.clone(),
                modules: Modules::new(&ctx, &config.worktree, config.strict),
                rejections: RefCell::default(),
            });
            lock_error_hooks(&ctx)?;
            modules::install(&ctx, &loader);
            pointer.allow_calls();
            globals::install(&ctx, &world, config)?;
            loader.attach(&world);
            Ok(world)
        });
        let world = world.map_err(failed)?;
        let budget = world.budget.clone();
        runtime.set_interrupt_handler(Some(Box::new(move || budget.poll())));
        let tracked = Rc::downgrade(&world);
        runtime.set_host_promise_rejection_tracker(Some(Box::new(move |ctx, promise, _reason, handled| {
            let Some(world) = tracked.upgrade() else { return };
            if handled { world.forget_rejection(&promise) } else { world.note_rejection(&ctx, promise) }
        })));
        let realm =
            Self { world, context, _runtime: runtime, _loader: loader, strict: config.strict, shows_run: false };
        realm.context.with(|ctx| {
            libraries::load(&ctx, &realm.world, config)?;
            globals::install_granted(&ctx, config).map_err(failed)?;
            lookup::note_built_ins(&ctx, &realm.world);
            Ok(())
        })?;
        Ok(realm)
    }

    /// Lets a realm that was made for nobody in particular be that of a session. Nothing of a guest's has run in it.
    pub(crate) fn adopt(&self, identity: Identity) {
        let Identity { seed, crypto_seed, origin_ms, worktree } = identity;
        self.world.clock.origin_ms.set(origin_ms);
        self.world.clock.set(origin_ms);
        *self.world.dice.borrow_mut() = fastrand::Rng::with_seed(seed);
        *self.world.random.borrow_mut() = ChaCha20Rng::from_seed(crypto_seed);
        self.world.modules.set_root(&worktree);
    }

    fn execute(&self, ctx: &Ctx<'_>, job: &Job) -> Ending {
        let (source, goal) = match self.prepare(ctx, job) {
            Ok(prepared) => prepared,
            Err(problem) => {
                let stopped = self.world.budget.stopped();
                return stopped.map_or_else(|| syntax_error(&problem, job), |stop| End::Stopped(stop).into());
            }
        };
        let evaluated = match &job.act {
            Act::Run => repl::evaluate(ctx, &self.world, &job.name, goal, &source, self.strict),
            Act::Call(args) => act::call(ctx, &self.world, &source, &job.name, args),
            Act::Set(value) => act::set(ctx, &self.world, &source, &job.name, value),
        };
        let mut main = match evaluated {
            Evaluated::Value(value) => Main::Settled(value),
            Evaluated::Promise(value) => match value.into_promise() {
                Some(promise) => {
                    Main::Pending { promise, holds: if goal == Goal::Script { Holds::Wrapped } else { Holds::Nothing } }
                }
                None => return internal("an evaluation gave no promise").into(),
            },
            Evaluated::Threw => Main::Threw(ctx.catch()),
            Evaluated::Malformed => {
                let ending = self.malformed(ctx, &ctx.catch(), job);
                return self.world.budget.stopped().map_or(ending, |stop| End::Stopped(stop).into());
            }
        };
        if job.wants_data {
            main = main.awaited(ctx);
        }
        let mut ended = self.run_to_end(ctx, &main);
        // What a script that awaits came to may be one more promise.
        if job.wants_data
            && let Ended::Settled = ended
            && let Main::Pending { holds: Holds::Wrapped, .. } = main
        {
            main = main.awaited(ctx);
            ended = self.run_to_end(ctx, &main);
        }
        let ended = match ended {
            Ended::Settled => self.value_of(ctx, &main, job),
            Ended::Threw(thrown) => self.exception(ctx, &thrown, job),
            Ended::Unsettled => unsettled().into(),
            Ended::Stopped(stop) => End::Stopped(stop).into(),
        };
        // Whatever the script made of it, a limit that was passed is how it ended.
        match self.world.budget.stopped() {
            Some(stop) => End::Stopped(stop).into(),
            None => ended,
        }
    }

    /// The text that the engine is given, and what it is read as.
    fn prepare<'j>(&self, ctx: &Ctx<'_>, job: &'j Job) -> Result<(Cow<'j, str>, Goal), SyntaxProblem> {
        let declares_imports =
            job.goal == Goal::Script && job.imports != Imports::Refused && typescript::mentions_import(&job.source);
        if !declares_imports {
            return Ok((job_source(job)?, job.goal));
        }
        let as_module = if job.typescript {
            typescript::strip(&job.source, Goal::Module)
        } else {
            Ok(Cow::Borrowed(job.source.as_str()))
        };
        match (job.imports, as_module) {
            (Imports::Awaited, Ok(source)) => {
                if let Some(source) = self.world.modules.awaiting_imports(&job.name, &source) {
                    return Ok((Cow::Owned(source), Goal::Script));
                }
            }
            (Imports::Explained, Ok(source)) => {
                let is_script = ffi::compile(ctx, &source, &job.name, 1, self.strict).is_some();
                if !is_script && modules::is_module(&source) {
                    return Err(typescript::no_module(&source));
                }
            }
            (Imports::Refused, _) | (_, Err(_)) => {}
        }
        Ok((job_source(job)?, job.goal))
    }

    /// Runs what is queued and what is due until nothing is.
    fn run_to_end<'js>(&self, ctx: &Ctx<'js>, main: &Main<'js>) -> Ended<'js> {
        let world = &self.world;
        loop {
            if let Some(ended) = world.run_queue(ctx) {
                return ended;
            }
            let settled = match main.state() {
                MainState::Pending => false,
                MainState::Settled => true,
                MainState::Threw(thrown) => return Ended::Threw(thrown),
            };
            if let Some(reason) = world.unhandled_rejection(ctx, main) {
                return Ended::Threw(reason);
            }
            // Somebody may wait for a background timer, as long as there is somebody.
            let due = world.timers.next_due(!settled || world.bridge.is_waiting());
            if due.is_none() && !world.bridge.is_waiting() {
                return if settled { Ended::Settled } else { Ended::Unsettled };
            }
            let until_due = due.map(|due| due.saturating_duration_since(Instant::now()));
            let went_on = match until_due {
                Some(Duration::ZERO) if !world.bridge.is_waiting() => world.timers.fire(ctx),
                Some(Duration::ZERO) => self.take_news(ctx, Duration::ZERO).and_then(|()| world.timers.fire(ctx)),
                until_due => self.take_news(ctx, until_due.unwrap_or(Duration::MAX)),
            };
            if went_on.is_err() && world.budget.stopped().is_none() {
                return Ended::Threw(ctx.catch());
            }
        }
    }

    /// Sleeps until the host has news, but no longer than that.
    fn take_news(&self, ctx: &Ctx<'_>, at_most: Duration) -> rquickjs::Result<()> {
        let budget = &self.world.budget;
        let Some(host) = budget.host() else { return Ok(()) };
        let wake = host.borrow_mut().wait(at_most.min(budget.wall_left()));
        drop(host);
        match wake {
            Wake::Elapsed => Ok(()),
            Wake::StopRequested => {
                budget.check();
                Ok(())
            }
            Wake::Completed(completion) => self.world.bridge.complete(ctx, &self.world, &completion),
        }
    }

    fn value_of<'js>(&self, ctx: &Ctx<'js>, main: &Main<'js>, job: &Job) -> Ending {
        let Some(value) = main.value(ctx) else { return internal("a settled evaluation has no value").into() };
        let shown = describe(ctx, &value, &self.world.intrinsics, job.limits.output_bytes.min(MAX_JSON_BYTES));
        let data = job.wants_data.then(|| match cross::whole(ctx, &self.world, &value) {
            Ok(value) => Data::Value(value),
            Err(why) => Data::Unfit(format!("{why} is no data")),
        });
        Ending { end: End::Value(shown), data }
    }

    fn exception<'js>(&self, ctx: &Ctx<'js>, thrown: &Value<'js>, job: &Job) -> Ending {
        let described = describe_error(ctx, thrown, &self.world.intrinsics);
        let data = job.wants_data.then(|| self.thrown_data(ctx, thrown, &described)).flatten();
        let Thrown { message, stack, name, .. } = described;
        let code = code_of(&message);
        let stack = stack.map(|stack| modules::plain_stack(&stack));
        Ending { end: End::Exception(ExecutionError { message, stack, name, code }), data }
    }

    /// The end of a job whose text is no script. Nothing of the guest's has run that could have thrown the error.
    fn malformed<'js>(&self, ctx: &Ctx<'js>, error: &Value<'js>, job: &Job) -> Ending {
        let mut ending = self.exception(ctx, error, job);
        // That of one which nests too deep, or is too large, is about a limit.
        if let End::Exception(ExecutionError { code: None, stack, .. }) = &ending.end {
            let place = stack.as_deref().and_then(place_of);
            ending.data = job.wants_data.then_some(Data::Malformed(place));
        }
        ending
    }

    fn thrown_data<'js>(&self, ctx: &Ctx<'js>, thrown: &Value<'js>, described: &Thrown) -> Option<Data> {
        if !described.is_error {
            return cross::whole(ctx, &self.world, thrown).ok().map(Data::Thrown);
        }
        let name = described.name.as_deref().unwrap_or("Error");
        let message = described.message.strip_prefix(name).map_or(&*described.message, |rest| {
            rest.strip_prefix(": ").unwrap_or(if rest.is_empty() { "" } else { &described.message })
        });
        Some(Data::Error(cross::error_data(ctx, &self.world, thrown, name, message)))
    }

    /// Runs out what a stopped job left queued, and tells whether all of it is gone.
    ///
    /// It cannot be dropped, only run: with calls forbidden and every poll an interrupt, each job ends within 10,000 steps.
    fn run_out(&self, ctx: &Ctx<'_>) -> bool {
        let started = current_cpu_time();
        let mut jobs: u32 = 0;
        while ffi::run_pending_job(ctx).is_some() {
            drop(self.world.take_rejections());
            jobs = jobs.wrapping_add(1);
            if jobs.is_multiple_of(JOBS_PER_CHECK) && current_cpu_time().saturating_sub(started) > CLEANUP {
                return false;
            }
        }
        true
    }
}

impl Realm for QuickRealm {
    fn run(&mut self, job: Job, host: SharedHost) -> Outcome {
        let world = self.world.clone();
        world.jobs.set(world.jobs.get() + 1);
        world.clock.set(job.clock_ms);
        world.output_bytes.set(job.limits.output_bytes);
        world.tree_bytes.set(TreeText::MAX_BYTES_OF_EXECUTION);
        self.shows_run = job.process.is_some();
        self.context.with(|ctx| {
            // Our own objects are made before the limits begin, so that a full heap cannot keep them from being made.
            let entered = job.process.as_ref().map_or(Ok(()), |view| {
                if job.goal == Goal::Script {
                    RunModule::enter(&ctx, &world, &job.name)?;
                }
                RunView::enter(&ctx, &world, view)
            });
            world.budget.arm(&job.limits, host);
            let Ending { end, data } = match entered {
                Ok(()) => self.execute(&ctx, &job),
                Err(_) => internal("the run's arguments could not be put in place").into(),
            };
            if let (End::Value(_), Some(declarations)) = (&end, &world.declarations) {
                declarations.note_completed();
            }
            Outcome { end, data, usage: world.budget.usage() }
        })
    }

    fn ask(&mut self, question: Question) -> Option<Answer> {
        let world = self.world.clone();
        Some(self.context.with(|ctx| lookup::answer(&ctx, &world, question)))
    }

    fn cpu_time(&self) -> Duration {
        current_cpu_time()
    }

    fn clean_up(&mut self) -> bool {
        let world = self.world.clone();
        self.context.with(|ctx| {
            drop(ctx.catch());
            world.timers.clear_all();
            world.bridge.clear();
            world.modules.end_run();
            let stopped = world.budget.stopped();
            world.budget.begin_cleanup();
            // Whatever ended the job, nothing that it queued may run in the next one: a timer that threw leaves what it
            // had queued before.
            let clean = self.run_out(&ctx);
            drop(world.take_rejections());
            drop(ctx.catch());
            world.console.end_of_job();
            world.budget.disarm();
            if let Some(declarations) = &world.declarations {
                declarations.settle(&ctx);
            }
            if stopped == Some(Stop::Memory) {
                ctx.run_gc();
            }
            if self.shows_run {
                RunModule::leave(&ctx, &world);
                if RunView::leave(&ctx, &world).is_err() {
                    drop(ctx.catch());
                }
            }
            clean && world.budget.has_room()
        })
    }
}

impl World {
    /// The trees of values that an event shows, as long as the job's are not too many.
    pub(super) fn trees<'js>(&self, ctx: &Ctx<'js>, values: &[Value<'js>], other_bytes: usize) -> Vec<TreeText> {
        let left = self.tree_bytes.get();
        if left < TreeText::MAX_BYTES {
            return Vec::new();
        }
        let trees = tree::trees(ctx, values, &self.intrinsics, other_bytes);
        self.tree_bytes.set(left - trees.iter().map(|tree| tree.as_str().len()).sum::<usize>().min(left));
        trees
    }

    /// Runs the jobs that are queued, and those that they queue, under the limits; says how that ends the script, if it
    /// does.
    fn run_queue<'js>(&self, ctx: &Ctx<'js>) -> Option<Ended<'js>> {
        let budget = &self.budget;
        let mut until_check = 0;
        loop {
            if until_check == 0 || budget.stopped().is_some() {
                if let Some(stop) = budget.check() {
                    return Some(Ended::Stopped(stop));
                }
                until_check = JOBS_PER_CHECK;
            }
            until_check -= 1;
            match ffi::run_pending_job(ctx) {
                None => return budget.stopped().map(Ended::Stopped),
                Some(Err(thrown)) if budget.stopped().is_none() => return Some(Ended::Threw(thrown)),
                Some(Ok(()) | Err(_)) => {}
            }
        }
    }

    /// Runs what code that is loaded before any job left queued, under the limits, and forgets the rest: nothing of it
    /// may run in the first job.
    ///
    /// # Errors
    /// What was thrown, or rejected and not handled. A limit that was passed is the budget's to tell.
    pub(super) fn settle<'js>(&self, ctx: &Ctx<'js>) -> Result<(), Value<'js>> {
        let ended = self.run_queue(ctx);
        let rejected = self.unhandled_rejection(ctx, &Main::Settled(Value::new_undefined(ctx.clone())));
        self.timers.clear_all();
        self.bridge.clear();
        match (ended, rejected) {
            (Some(Ended::Threw(thrown)), _) | (_, Some(thrown)) => Err(thrown),
            (_, None) => Ok(()),
        }
    }

    fn note_rejection<'js>(&self, ctx: &Ctx<'js>, promise: Value<'js>) {
        let Some(address) = ffi::object_address(&promise) else { return };
        let mut rejections = self.rejections.borrow_mut();
        rejections.count += 1;
        let place = rejections.count;
        rejections.unhandled.insert(address, (place, Persistent::save(ctx, promise)));
    }

    pub(super) fn forget_rejection(&self, promise: &Value<'_>) {
        let Some(address) = ffi::object_address(promise) else { return };
        let forgotten = self.rejections.borrow_mut().unhandled.remove(&address);
        drop(forgotten);
    }

    /// Takes them out, so that nothing of the engine runs under our borrow when they are dropped.
    fn take_rejections(&self) -> HashMap<usize, (u64, Persistent<Value<'static>>)> {
        std::mem::take(&mut self.rejections.borrow_mut().unhandled)
    }

    /// The reason of the oldest rejection that nothing handles; the main promise's own is not among them.
    fn unhandled_rejection<'js>(&self, ctx: &Ctx<'js>, main: &Main<'js>) -> Option<Value<'js>> {
        let mut rejections: Vec<_> = self.take_rejections().into_values().collect();
        rejections.sort_unstable_by_key(|(place, _)| *place);
        let mut reasons = rejections.into_iter().filter_map(|(_, kept)| {
            let promise = kept.restore(ctx).ok()?;
            if main.is(&promise) {
                return None;
            }
            Some(rejection_of(ctx, &promise.into_promise()?))
        });
        reasons.next()
    }
}

/// The evaluation that a job is about.
enum Main<'js> {
    Settled(Value<'js>),
    Threw(Value<'js>),
    Pending { promise: Promise<'js>, holds: Holds },
}

/// What the promise of an evaluation comes to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// Nothing that anybody wants: that of a module.
    Nothing,
    /// The value, in an object: that of a script that awaits.
    Wrapped,
    /// The value itself: a script's own promise.
    Value,
}

/// How an evaluation ended, and what it came to as data, if that is wanted.
struct Ending {
    end: End,
    data: Option<Data>,
}

impl From<End> for Ending {
    fn from(end: End) -> Self {
        Self { end, data: None }
    }
}

enum MainState<'js> {
    Pending,
    Settled,
    Threw(Value<'js>),
}

enum Ended<'js> {
    Settled,
    Threw(Value<'js>),
    Unsettled,
    Stopped(Stop),
}

impl<'js> Main<'js> {
    /// Goes on to what its value comes to, if that is a promise.
    fn awaited(self, ctx: &Ctx<'js>) -> Self {
        let is_over = matches!(self.state(), MainState::Settled);
        let value = if is_over { self.value(ctx) } else { None };
        match value.and_then(Value::into_promise) {
            Some(promise) => Self::Pending { promise, holds: Holds::Value },
            None => self,
        }
    }

    fn state(&self) -> MainState<'js> {
        match self {
            Self::Settled(_) => MainState::Settled,
            Self::Threw(thrown) => MainState::Threw(thrown.clone()),
            Self::Pending { promise, .. } => match promise.state() {
                PromiseState::Pending => MainState::Pending,
                PromiseState::Resolved => MainState::Settled,
                PromiseState::Rejected => MainState::Threw(rejection_of(promise.ctx(), promise)),
            },
        }
    }

    fn is(&self, promise: &Value<'js>) -> bool {
        matches!(self, Self::Pending { promise: main, .. } if ffi::same_object(main.as_value(), promise))
    }

    fn value(&self, ctx: &Ctx<'js>) -> Option<Value<'js>> {
        match self {
            Self::Settled(value) => Some(value.clone()),
            Self::Threw(_) => None,
            Self::Pending { holds: Holds::Nothing, .. } => Some(Value::new_undefined(ctx.clone())),
            Self::Pending { promise, holds: Holds::Value } => promise.result::<Value<'js>>()?.ok(),
            Self::Pending { promise, holds: Holds::Wrapped } => {
                // A guest that has put a setter for it on every object gets what it made of it: nothing.
                let wrapper = promise.result::<Value<'js>>()?.ok()?;
                let value = ffi::own_data_property(ctx, &wrapper, "value");
                Some(value.unwrap_or_else(|| Value::new_undefined(ctx.clone())))
            }
        }
    }
}

fn rejection_of<'js>(ctx: &Ctx<'js>, promise: &Promise<'js>) -> Value<'js> {
    match promise.result::<Value<'js>>() {
        Some(Err(_)) => ctx.catch(),
        Some(Ok(value)) => value,
        None => Value::new_undefined(ctx.clone()),
    }
}

/// The engine's own words for limits of its own. A script may throw the same, and is then believed: it gains nothing.
fn code_of(message: &str) -> Option<ErrorCode> {
    match message {
        "RangeError: Maximum call stack size exceeded" => Some(ErrorCode::StackOverflow),
        // A string of more than 1 GiB, which it never holds in one piece.
        "RangeError: string too long" | "InternalError: string too long" => Some(ErrorCode::OutOfMemory),
        "InternalError: out of memory" | "out of memory" => Some(ErrorCode::OutOfMemory),
        _ => None,
    }
}

/// The text of a job without its types.
fn job_source(job: &Job) -> Result<Cow<'_, str>, SyntaxProblem> {
    match (job.typescript, job.goal) {
        (false, _) => Ok(Cow::Borrowed(&job.source)),
        (true, Goal::Script) => typescript::strip_script(&job.source),
        (true, Goal::Module) => typescript::strip(&job.source, Goal::Module),
        // The loader reads it, and takes its types out.
        (true, Goal::Import) => Ok(Cow::Borrowed("")),
    }
}

/// The line and column of a syntax error, which stand at the end of its stack.
fn place_of(stack: &str) -> Option<(u32, u32)> {
    let mut numbers = stack.trim_end_matches(')').rsplitn(3, ':');
    let (column, line) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    Some((line, column))
}

/// What TypeScript that cannot be run ends with: like the engine's own for JavaScript.
fn syntax_error(problem: &SyntaxProblem, job: &Job) -> Ending {
    let file = &job.name;
    let message = format!("SyntaxError: {}", problem.message);
    let code = if problem.unsupported { format!(" [{}]", typescript::UNSUPPORTED) } else { String::new() };
    let stack = format!("SyntaxError{code}: {}\n    at {file}:{}:{}", problem.message, problem.line, problem.column);
    let error = ExecutionError { message, stack: Some(stack), name: Some("SyntaxError".to_owned()), code: None };
    let data = job.wants_data.then_some(Data::Malformed(Some((problem.line, problem.column))));
    Ending { end: End::Exception(error), data }
}

fn unsettled() -> End {
    End::Exception(ExecutionError {
        message: "the awaited promise can never settle: nothing is due".to_owned(),
        stack: None,
        name: None,
        code: Some(ErrorCode::Unsettled),
    })
}

fn internal(message: &str) -> End {
    tracing::error!(message, "internal error in the engine");
    End::Exception(ExecutionError {
        message: format!("internal error: {message}"),
        stack: None,
        name: None,
        code: None,
    })
}
