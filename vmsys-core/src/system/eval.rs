//! Values of sessions as values of Rust: code that comes to one, functions that are called, globals.
//!
//! Each of these is an execution like any other, recorded with all that it was given. Data crosses as data: names are all
//! that is ever read as code, and they are checked to be names.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{CANCELLED, Session, VmSystem};
use crate::bell::Listener;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::{Error, Result};
use crate::execution::{ErrorCode, Execution, LiveExecution, Manner, Request};
use crate::identifier::{is_identifier, is_reserved};
use crate::ids::ExecutionId;
use crate::isolation::protocol::Data;
use crate::session::LiveSession;
use crate::value::{CallError, Value, ValueError};

/// Why there is no value.
///
/// Unlike [`Session::repl`], which answers with the [`Execution`] however that ended, calls for a value fail when there is
/// none. The execution is recorded all the same, and is in the error.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum EvalError {
    /// Nothing was run, or how it ended could not be stored: what every call may answer.
    Failed(Error),
    /// The snippet is not JavaScript, or not the TypeScript that can be run, and none of it has run.
    ///
    /// The engine says so, and no code can: `JSON.parse('{')`, `throw new SyntaxError()`, `eval('{')`, and a module that
    /// cannot be read or has no such export are [`Thrown`](Self::Thrown) by code that runs. So is the `SyntaxError` of a
    /// snippet that is well-formed and declares a name that cannot be declared again.
    Syntax {
        /// The execution that it would have been.
        execution: Box<Execution>,
        /// What is wrong.
        message: String,
        /// The line where that was noticed, from 1, as far as it is known.
        line: Option<u32>,
        /// The column in this line, in bytes from 1, as stacks have it.
        column: Option<u32>,
    },
    /// The code threw, or recursed too deep, which it could have caught: then [`code`](Self::code) is
    /// [`StackOverflow`](ErrorCode::StackOverflow).
    Thrown(Box<Thrown>),
    /// A limit or a cancellation ended it, its runtime was lost, or it awaited what never comes: [`code`](Self::code) says
    /// which.
    Stopped(Box<Execution>),
    /// It came to a value that is no data, as a function, or is not of the wanted type.
    Value {
        /// What was run.
        execution: Box<Execution>,
        /// What is wrong with its value.
        message: String,
    },
}

impl EvalError {
    /// Returns what was run, if anything was.
    pub fn execution(&self) -> Option<&Execution> {
        match self {
            Self::Failed(_) => None,
            Self::Thrown(thrown) => Some(&thrown.execution),
            Self::Stopped(execution) | Self::Syntax { execution, .. } | Self::Value { execution, .. } => {
                Some(execution)
            }
        }
    }

    /// Returns the reason, where it is one that vm-system itself knows: a limit, a cancellation, a lost runtime. It is that
    /// of the execution's [error](Execution::error).
    ///
    /// ```
    /// # use vmsys_core::{ErrorCode, EvalError, LimitsPatch, NewSession, NewTemplate, VmSystem};
    /// # let vm = VmSystem::in_memory()?;
    /// # let template = vm.create_template(NewTemplate::named("t"))?;
    /// # let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
    /// let mut limits = LimitsPatch::default();
    /// limits.cpu_ms = Some(50);
    /// let error = session.limited(limits)?.eval::<()>("for (;;);").unwrap_err();
    /// assert_eq!(error.code(), Some(ErrorCode::Timeout));
    ///
    /// let error = session.eval::<()>("(function f() { f() })()").unwrap_err();
    /// assert!(matches!(error, EvalError::Thrown(_)));
    /// assert_eq!(error.code(), Some(ErrorCode::StackOverflow));
    ///
    /// assert_eq!(session.eval::<()>("throw 1").unwrap_err().code(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn code(&self) -> Option<ErrorCode> {
        self.execution()?.error.as_ref()?.code
    }

    /// Returns what the code threw, if that is why.
    pub fn thrown(&self) -> Option<&Thrown> {
        match self {
            Self::Thrown(thrown) => Some(thrown),
            _ => None,
        }
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Thrown(thrown) => thrown.fmt(f),
            Self::Syntax { message, line: Some(line), column: Some(column), .. } => {
                write!(f, "SyntaxError: {message} (line {line}, column {column})")
            }
            Self::Syntax { message, .. } => write!(f, "SyntaxError: {message}"),
            Self::Stopped(execution) => {
                f.write_str(execution.error.as_ref().map_or("the execution was stopped", |error| &error.message))
            }
            Self::Value { message, .. } => f.write_str(message),
        }
    }
}

impl std::error::Error for EvalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed(error) => error.source(),
            _ => None,
        }
    }
}

impl From<Error> for EvalError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What code threw: a JavaScript error as typed Rust data, or any other value.
#[derive(Debug, Clone)]
pub struct Thrown {
    execution: Execution,
    error: CallError,
    value: Option<Value>,
}

impl Thrown {
    /// Returns the error's name, as `TypeError`; empty when something else than an error was thrown.
    pub fn name(&self) -> &str {
        self.error.name()
    }

    /// Returns the error's message; of something else, how it would be printed.
    pub fn message(&self) -> &str {
        self.error.message()
    }

    /// Returns the error's `code`, if it has one that is text.
    pub fn code(&self) -> Option<&str> {
        self.error.code()
    }

    /// Returns the calls that led there, one a line, if it is an error.
    pub fn stack(&self) -> Option<&str> {
        self.execution.error.as_ref()?.stack.as_deref()
    }

    /// Reads one of the error's own properties; `None` when it has none of the name, or one that is no data.
    ///
    /// # Errors
    /// It is not of the type.
    pub fn property<T: DeserializeOwned>(&self, name: &str) -> Option<Result<T, ValueError>> {
        let (_, value) = self.error.properties().iter().find(|(known, _)| known == name)?;
        Some(value.clone().to())
    }

    /// Returns the error's own enumerable properties that are data, `code` among them.
    pub fn properties(&self) -> &[(String, Value)] {
        self.error.properties()
    }

    /// Returns what was thrown, if it is no error but data.
    pub fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }

    /// Returns what was run.
    pub fn execution(&self) -> &Execution {
        &self.execution
    }
}

impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.execution.error.as_ref().map_or(self.error.message(), |error| &error.message))
    }
}

impl std::error::Error for Thrown {}

/// A value that is being worked out: a future that needs no particular runtime.
///
/// The code runs whether or not the future is polled. Dropped before its end, the future cancels the execution, so that
/// timeouts and `select` do what they say. What is asked of the session next waits for the end of that, which is a matter of
/// milliseconds: calls that block wait for it, and a future begins when it is polled after it.
#[must_use = "a future that is dropped cancels its execution"]
pub struct Evaluation<T> {
    state: State,
    value: PhantomData<fn() -> T>,
}

enum State {
    Failed(Error),
    /// Behind what another future has left.
    Waiting {
        left: Arc<LiveExecution>,
        listener: Listener,
        session: Session,
        asked: Box<(Request, String)>,
    },
    Running {
        live: Arc<LiveExecution>,
        listener: Listener,
        _vm: VmSystem,
    },
    Over,
}

impl<T> Evaluation<T> {
    fn of(state: State) -> Self {
        Self { state, value: PhantomData }
    }

    /// Returns the id of the execution; none when it could not be begun, or has not begun yet.
    pub fn execution_id(&self) -> Option<ExecutionId> {
        match &self.state {
            State::Running { live, .. } => Some(live.id),
            State::Failed(_) | State::Waiting { .. } | State::Over => None,
        }
    }
}

impl<T: DeserializeOwned> Evaluation<T> {
    /// Waits on this thread, and returns the value: for code without a runtime, which can meanwhile have the execution
    /// cancelled from another thread.
    ///
    /// # Errors
    /// As [`Session::eval`].
    ///
    /// ```
    /// # use vmsys_core::{EvalError, NewSession, NewTemplate, VmSystem};
    /// # let vm = VmSystem::in_memory()?;
    /// # let template = vm.create_template(NewTemplate::named("t"))?;
    /// # let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
    /// session.repl("const work = async n => { for (;;) { await 0; if (n-- <= 0) return 'done' } }")?;
    /// assert_eq!(session.call_async::<String>("work", (3,)).wait()?, "done");
    ///
    /// let endless = session.call_async::<String>("work", (f64::MAX,));
    /// let canceller = std::thread::spawn(move || session.cancel());
    /// assert!(matches!(endless.wait(), Err(EvalError::Stopped(_))));
    /// assert!(canceller.join().map_err(|_| "it panicked")??.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wait(mut self) -> Result<T, EvalError> {
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Running { live, .. } => {
                    let execution = live.wait()?;
                    return read(execution, live.take_data());
                }
                State::Waiting { left, session, asked, .. } => {
                    // How that ended is nobody's business here.
                    let _ = left.wait();
                    self.state = session.begin_to_ask(Ok(*asked));
                }
                State::Failed(error) => return Err(error.into()),
                State::Over => return Err(polled_late().into()),
            }
        }
    }
}

impl<T> fmt::Debug for Evaluation<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluation").field("execution_id", &self.execution_id()).finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned> Future for Evaluation<T> {
    type Output = Result<T, EvalError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = loop {
            match &mut self.state {
                State::Running { live, listener, .. } => match live.poll_end(listener, context) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(ended) => break ended.map(|execution| (execution, live.take_data())),
                },
                State::Waiting { left, listener, .. } => {
                    if left.poll_end(listener, context).is_pending() {
                        return Poll::Pending;
                    }
                }
                State::Failed(error) => break Err(error.clone()),
                State::Over => break Err(polled_late()),
            }
            if let State::Waiting { session, asked, .. } = std::mem::replace(&mut self.state, State::Over) {
                self.state = session.begin_to_ask(Ok(*asked));
            }
        };
        self.state = State::Over;
        Poll::Ready(ended.map_err(EvalError::Failed).and_then(|(execution, data)| read(execution, data)))
    }
}

impl<T> Drop for Evaluation<T> {
    fn drop(&mut self) {
        if let State::Running { live, .. } = &self.state {
            live.abandon(CANCELLED);
        }
    }
}

fn polled_late() -> Error {
    Error::validation("future", "a future must not be polled after its end")
}

impl Session {
    /// Runs a snippet, and returns its value as a Rust type: complete and exact, not what is shown of it.
    ///
    /// A promise is awaited. The value must be data: null, booleans, numbers, bigints, strings, bytes, and arrays and plain
    /// objects of these; see [`Value`]. A `Date` is none: `toISOString()` makes text of it. `undefined` reads as
    /// null, so that `()` and `Option` take it. [`serde::de::IgnoredAny`] takes any data.
    ///
    /// It returns when nothing is due any more, also where the value is known before: timers, intervals and calls of host
    /// functions are waited for, and a rejection that nothing handles is thrown. The crate's documentation says under
    /// *Snippets* how one is read.
    ///
    /// # Errors
    /// [`EvalError::Failed`] as [`repl`](Self::repl) fails; and, where that answers with an execution, the input could not
    /// be compiled ([`Syntax`](EvalError::Syntax)), the code threw ([`Thrown`](EvalError::Thrown)), was stopped
    /// ([`Stopped`](EvalError::Stopped)), or came to no data of the type ([`Value`](EvalError::Value)), also to more than
    /// `mem_mb` of it.
    ///
    /// ```
    /// # use vmsys_core::{EvalError, NewSession, NewTemplate, VmSystem};
    /// # let vm = VmSystem::in_memory()?;
    /// # let template = vm.create_template(NewTemplate::named("t"))?;
    /// # let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
    /// #[derive(serde::Deserialize)]
    /// struct Point {
    ///     x: f64,
    ///     name: Option<String>,
    /// }
    ///
    /// let points: Vec<Point> = session.eval("[{x: 1}, {x: 2.5, name: 'b'}]")?;
    /// assert_eq!((points[1].x, points[1].name.as_deref(), &points[0].name), (2.5, Some("b"), &None));
    ///
    /// let error = session.eval::<u8>("throw Object.assign(new RangeError('too far'), {code: 'E_FAR', by: 7})").unwrap_err();
    /// let thrown = error.thrown().ok_or("it threw")?;
    /// assert_eq!((thrown.name(), thrown.message(), thrown.code()), ("RangeError", "too far", Some("E_FAR")));
    /// assert_eq!(thrown.property::<u32>("by"), Some(Ok(7)));
    ///
    /// assert!(matches!(session.eval::<u8>("'seven'"), Err(EvalError::Value { .. })));
    /// assert!(matches!(session.eval::<u8>("1 +\n  * 2"), Err(EvalError::Syntax { line: Some(2), column: Some(3), .. })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn eval<T: DeserializeOwned>(&self, input: impl Into<String>) -> Result<T, EvalError> {
        let input = input.into();
        self.ask(Request::repl(input.clone()), input)
    }

    /// [`eval`](Self::eval) for async code: the future needs no particular runtime, and cancels the execution when it is
    /// dropped. The code begins at once, also when it is not polled. [`Evaluation::wait`] waits without any runtime.
    ///
    /// ```
    /// # use vmsys_core::{NewSession, NewTemplate, VmSystem};
    /// # let vm = VmSystem::in_memory()?;
    /// # let template = vm.create_template(NewTemplate::named("t"))?;
    /// # let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
    /// # pollster::block_on(async {
    /// let sum: f64 = session.eval_async("await new Promise(done => setTimeout(done, 5)); 20 + 22").await?;
    /// assert_eq!(sum, 42.0);
    /// # Ok::<(), vmsys_core::EvalError>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn eval_async<T: DeserializeOwned>(&self, input: impl Into<String>) -> Evaluation<T> {
        let input = input.into();
        Evaluation::of(self.begin_to_ask(Ok((Request::repl(input.clone()), input))))
    }

    /// Calls a function of the session's, and returns what it returns as a Rust type; a promise is awaited.
    ///
    /// The function is a name, or names with dots between them, as in `tools.add`, and is called with what is before the
    /// last dot as its `this`. The arguments are a tuple, a list, or `()`, of whatever serde can write: they arrive as
    /// values, and are never made part of any code. The record of the execution has all of them.
    ///
    /// # Errors
    /// As [`eval`](Self::eval); [`Validation`](ErrorKind::Validation) for a function that is no such path, and arguments that
    /// are no list, cannot be written, or take more than `mem_mb`. That there is no such function is thrown.
    ///
    /// ```
    /// # use vmsys_core::{NewSession, NewTemplate, VmSystem};
    /// # let vm = VmSystem::in_memory()?;
    /// # let template = vm.create_template(NewTemplate::named("t"))?;
    /// # let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
    /// session.repl("const shop = {tax: 1.5, price(name, n) { return [name, n * this.tax] }}")?;
    /// let price: (String, f64) = session.call("shop.price", ("'); quit(", 4))?;
    /// assert_eq!(price, ("'); quit(".to_owned(), 6.0));
    /// # Ok::<(), vmsys_core::EvalError>(())
    /// ```
    pub fn call<T: DeserializeOwned>(&self, function: &str, args: impl Serialize) -> Result<T, EvalError> {
        self.ask(call(function, &args)?, function.to_owned())
    }

    /// [`call`](Self::call) for async code, as [`eval_async`](Self::eval_async) is [`eval`](Self::eval).
    pub fn call_async<T: DeserializeOwned>(&self, function: &str, args: impl Serialize) -> Evaluation<T> {
        Evaluation::of(self.begin_to_ask(call(function, &args).map(|request| (request, function.to_owned()))))
    }

    /// Imports a module under the name of a global, as `import * as name from 'module'` does: a path of the worktree, as
    /// `./plugins/a.js`, or a name. What it exports can be called as `name.function`. Neither text becomes anything else in
    /// code.
    ///
    /// A module is loaded once in a session: imported again, it is the same, also when its file has changed.
    ///
    /// # Errors
    /// As [`eval`](Self::eval); [`Validation`](ErrorKind::Validation) for what is no name. What the module throws, and that
    /// there is none, is thrown.
    ///
    /// ```
    /// # use vmsys_core::{NewSession, NewTemplate, VmSystem};
    /// # let worktree = tempfile::tempdir()?;
    /// # let vm = VmSystem::in_memory()?;
    /// # let template = vm.create_template(NewTemplate::named("t"))?;
    /// std::fs::write(worktree.path().join("plugin.js"), "export const double = (n) => 2 * n")?;
    /// let session = vm.create_session(NewSession::new(template.id, worktree.path()))?;
    /// session.import("./plugin.js", "plugin")?;
    /// assert_eq!(session.call::<u8>("plugin.double", (4,))?, 8);
    ///
    /// let error = session.import("./'); quit('.js", "plugin").unwrap_err();
    /// assert_eq!(error.thrown().and_then(|thrown| thrown.code()), Some("ERR_MODULE_NOT_FOUND"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn import(&self, module: &str, name: &str) -> Result<(), EvalError> {
        check_global("name", name)?;
        // JSON's way to write a text is one of JavaScript's.
        let module = serde_json::Value::from(module);
        self.eval::<serde::de::IgnoredAny>(format!("import * as {name} from {module}")).map(drop)
    }

    /// Returns the value of a global as a Rust type: of a `let` or `const` as of a property of `globalThis`.
    ///
    /// # Errors
    /// As [`eval`](Self::eval); [`Validation`](ErrorKind::Validation) for what is no name. That there is no such global is
    /// thrown, as a `ReferenceError`.
    ///
    /// ```
    /// # use vmsys_core::{NewSession, NewTemplate, VmSystem};
    /// # let vm = VmSystem::in_memory()?;
    /// # let template = vm.create_template(NewTemplate::named("t"))?;
    /// # let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
    /// session.set_global("rates", &std::collections::BTreeMap::from([("eur", 1.0), ("usd", 1.25)]))?;
    /// session.repl("rates.chf = rates.eur * 2; let count = Object.keys(rates).length")?;
    /// assert_eq!(session.get_global::<u32>("count")?, 3);
    /// let rates: std::collections::BTreeMap<String, f64> = session.get_global("rates")?;
    /// assert_eq!(rates["chf"], 2.0);
    /// # Ok::<(), vmsys_core::EvalError>(())
    /// ```
    pub fn get_global<T: DeserializeOwned>(&self, name: &str) -> Result<T, EvalError> {
        check_global("name", name)?;
        self.eval(name)
    }

    /// Gives a global a value: a `let` or `var` is assigned to, and what is not there yet becomes a property of
    /// `globalThis`.
    ///
    /// # Errors
    /// As [`call`](Self::call). That a `const` cannot be assigned to is thrown, as a `TypeError`.
    pub fn set_global<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<(), EvalError> {
        check_global("name", name)?;
        let value = Value::of(value).map_err(|error| Error::validation("value", error.to_string()))?;
        self.ask::<serde::de::IgnoredAny>(Request::set_global(name.to_owned(), value), name.to_owned()).map(drop)
    }

    fn ask<T: DeserializeOwned>(&self, request: Request, source: String) -> Result<T, EvalError> {
        let session = self.vm.inner.takes_turn(self.id)?;
        let live = self.begin(&session, request)?;
        let execution = self.vm.inner.run_begun(&session, live.clone(), source)?;
        read(execution, live.take_data())
    }

    fn begin_to_ask(&self, asked: Result<(Request, String)>) -> State {
        let begun = asked.and_then(|(request, source)| {
            let session = self.vm.inner.takes_work(self.id)?;
            if let Some(left) = session.running().filter(|left| left.is_abandoned()) {
                let listener = left.listen();
                return Ok(State::Waiting {
                    left,
                    listener,
                    session: self.clone(),
                    asked: Box::new((request, source)),
                });
            }
            let live = self.begin(&session, request)?;
            let listener = live.listen();
            self.vm.inner.submit(&session, &live, source, Manner::Aside);
            Ok(State::Running { live, listener, _vm: self.vm.clone() })
        });
        begun.unwrap_or_else(State::Failed)
    }

    fn begin(&self, session: &Arc<LiveSession>, request: Request) -> Result<Arc<LiveExecution>> {
        let most = usize::try_from(session.settings.limits.mem_mb << 20).unwrap_or(usize::MAX);
        if request.data_bytes() > most {
            return Err(Error::validation("args", "the data takes more than the session's mem_mb"));
        }
        self.vm.inner.begin(session, request.for_data(), &self.limits, LiveSession::begin)
    }
}

fn call(function: &str, args: &impl Serialize) -> Result<Request> {
    let (first, rest) = function.split_once('.').map_or((function, None), |(first, rest)| (first, Some(rest)));
    check_global("function", first)?;
    // Behind a dot, any word is a name.
    rest.into_iter().flat_map(|rest| rest.split('.')).try_for_each(|name| check_name("function", name))?;
    let args = match Value::of(args).map_err(|error| Error::validation("args", error.to_string()))? {
        Value::Array(args) => args,
        Value::Null => Vec::new(),
        _ => {
            let message = "the arguments of a call are a tuple, as in (1, \"a\") or (1,), a list, or ()";
            return Err(Error::validation("args", message));
        }
    };
    Ok(Request::call(function.to_owned(), args))
}

/// Checks that a text is the name of a global, and can be nothing else in code.
fn check_global(field: &'static str, name: &str) -> Result<()> {
    check_name(field, name)?;
    if is_reserved(name) {
        return Err(Error::validation(field, format!("{name:?} is a word of JavaScript's, and no global's name")));
    }
    Ok(())
}

/// Checks that a text is a name as code has it.
fn check_name(field: &'static str, name: &str) -> Result<()> {
    /// More than any name of sense.
    const LONGEST: usize = 1_000;
    if is_identifier(name) && name.len() <= LONGEST {
        return Ok(());
    }
    let shown: String = name.chars().take(100).collect();
    Err(Error::validation(field, format!("{shown:?} is no name of JavaScript's")))
}

/// What an execution came to, as the type that is wanted.
fn read<T: DeserializeOwned>(execution: Arc<Execution>, data: Option<Data>) -> Result<T, EvalError> {
    let thrown = |execution: Arc<Execution>, error, value| {
        EvalError::Thrown(Box::new(Thrown { execution: Arc::unwrap_or_clone(execution), error, value }))
    };
    let no_value = |message| EvalError::Value { execution: Box::new(Execution::clone(&execution)), message };
    match data {
        Some(Data::Value(value)) => {
            value.to().map_err(|error| no_value(format!("the value is not of the wanted type: {error}")))
        }
        Some(Data::Unfit(why)) => Err(no_value(format!("the value cannot be taken as data: {why}"))),
        Some(Data::Malformed(place)) => {
            let error = execution.error.as_ref().map_or("", |error| &error.message);
            let message = error.strip_prefix("SyntaxError: ").unwrap_or(error).to_owned();
            let (line, column) = place.unzip();
            Err(EvalError::Syntax { execution: Box::new(Arc::unwrap_or_clone(execution)), message, line, column })
        }
        Some(Data::Error(error)) => Err(thrown(execution, error, None)),
        Some(Data::Thrown(value)) => {
            let shown = execution.error.as_ref().map_or_else(String::new, |error| error.message.clone());
            Err(thrown(execution, CallError::new("", shown), Some(value)))
        }
        None => match &execution.error {
            Some(error) if error.code.is_none() => {
                let name = error.name.clone().unwrap_or_default();
                let message = error.message.strip_prefix(&format!("{name}: ")).unwrap_or(&error.message).to_owned();
                Err(thrown(execution, CallError::new(name, message), None))
            }
            _ => Err(EvalError::Stopped(Box::new(Arc::unwrap_or_clone(execution)))),
        },
    }
}
