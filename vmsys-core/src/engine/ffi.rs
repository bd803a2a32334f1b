//! The few calls of QuickJS that rquickjs does not offer.
#![expect(unsafe_code, reason = "calls the engine's C interface")]

use std::ffi::CString;
use std::ptr::NonNull;

use rquickjs::{Ctx, Value, qjs};

use super::raw::{self, Key};

/// How deep scripts may recurse, in bytes of the thread's stack. The thread's own stack is far larger, because chains
/// of native iterator helpers go past this bound (`isolation::thread`).
const STACK_BYTES: usize = 1 << 20;

/// A runtime, for calls that must work while rquickjs holds it.
///
/// It is handed only to things that the realm owns and drops before the runtime.
#[derive(Debug, Clone, Copy)]
pub(super) struct RuntimePtr(NonNull<qjs::JSRuntime>);

impl RuntimePtr {
    pub(super) fn of(ctx: &Ctx<'_>) -> Option<Self> {
        // SAFETY: the context is alive, so its runtime is.
        NonNull::new(unsafe { qjs::JS_GetRuntime(ctx.as_raw().as_ptr()) }).map(Self)
    }

    /// Makes every call of a function fail from now on. An interrupt alone is not enough to end a script: a promise's
    /// constructor turns it into a rejection, and the loop around it goes on.
    pub(super) fn forbid_calls(self) {
        // SAFETY: the runtime is alive (see the type), and this only sets two numbers of it.
        unsafe { qjs::JS_SetMaxStackSize(self.0.as_ptr(), 1) };
    }

    pub(super) fn allow_calls(self) {
        // SAFETY: as in `forbid_calls`.
        unsafe { qjs::JS_SetMaxStackSize(self.0.as_ptr(), STACK_BYTES as _) };
    }
}

/// What an evaluation gave at once.
pub(super) enum Evaluated<'js> {
    /// The completion value of a script that awaits nothing.
    Value(Value<'js>),
    /// The promise of a module, or of a script that awaits; the latter's value is wrapped in an object.
    Promise(Value<'js>),
    /// An exception is pending in the context.
    Threw,
    /// The text is no script, and none of it has run: what the engine says of it is pending.
    Malformed,
}

/// Evaluates a script, in which NUL may stand anywhere.
pub(super) fn evaluate<'js>(ctx: &Ctx<'js>, source: &str, name: &str, strict: bool) -> Evaluated<'js> {
    match read_script(ctx, source, name, 1, strict) {
        Some(script) => script.run(ctx),
        None => Evaluated::Malformed,
    }
}

fn evaluated(value: Option<Value<'_>>, awaits: bool) -> Evaluated<'_> {
    match value {
        None => Evaluated::Threw,
        Some(value) if awaits => Evaluated::Promise(value),
        Some(value) => Evaluated::Value(value),
    }
}

/// A script that is compiled and can be run, more than once.
pub(super) struct Compiled<'js> {
    bytecode: Value<'js>,
    awaits: bool,
}

/// Compiles a script whose first line has the given number; `None` when it has an error.
pub(super) fn compile<'js>(ctx: &Ctx<'js>, source: &str, name: &str, line: i32, strict: bool) -> Option<Compiled<'js>> {
    let script = read_script(ctx, source, name, line, strict);
    if script.is_none() {
        drop(ctx.catch());
    }
    script
}

/// Compiles a script; `None` when an exception is pending.
fn read_script<'js>(ctx: &Ctx<'js>, source: &str, name: &str, line: i32, strict: bool) -> Option<Compiled<'js>> {
    // Without the word there is no top-level await (keywords cannot be written with escapes), and the value comes at
    // once: that is most of what people type.
    let awaits = source.contains("await");
    let bytecode = read(ctx, source, name, line, script_flags(awaits, strict) | qjs::JS_EVAL_FLAG_COMPILE_ONLY)?;
    Some(Compiled { bytecode, awaits })
}

impl<'js> Compiled<'js> {
    pub(super) fn run(&self, ctx: &Ctx<'js>) -> Evaluated<'js> {
        // SAFETY: the context is alive; the call takes over the count that is made for it, and what comes back is ours.
        let value = unsafe {
            let context = ctx.as_raw().as_ptr();
            owned(ctx, qjs::JS_EvalFunction(context, qjs::JS_DupValue(context, self.bytecode.as_raw())))
        };
        evaluated(value, self.awaits)
    }
}

/// Evaluates an expression that awaits nothing, whose first line has the given number.
pub(super) fn expression<'js>(ctx: &Ctx<'js>, source: &str, name: &str, line: i32, strict: bool) -> Option<Value<'js>> {
    read(ctx, source, name, line, script_flags(false, strict))
}

/// Compiles a module without running it; `None` when an exception is pending.
pub(super) fn compile_module<'js>(ctx: &Ctx<'js>, source: &str, name: &str) -> Option<Value<'js>> {
    read(ctx, source, name, 1, qjs::JS_EVAL_TYPE_MODULE | qjs::JS_EVAL_FLAG_COMPILE_ONLY)
}

/// Runs what [`compile_module`] gave.
pub(super) fn run_module<'js>(ctx: &Ctx<'js>, module: &Value<'js>) -> Evaluated<'js> {
    // SAFETY: the context is alive; the call takes over the count that is made for it, and what comes back is ours.
    let value = unsafe {
        let context = ctx.as_raw().as_ptr();
        owned(ctx, qjs::JS_EvalFunction(context, qjs::JS_DupValue(context, module.as_raw())))
    };
    evaluated(value, true)
}

/// Whether a text that is no script is a module. The engine compiles it in a runtime of its own, without limits: the
/// caller bounds its length.
pub(super) fn is_module(source: &str) -> bool {
    let Ok(text) = CString::new(source) else { return false };
    // SAFETY: the text ends with a NUL behind its last byte and outlives the call.
    unsafe { qjs::JS_DetectModule(text.as_ptr(), text.as_bytes().len() as _) }
}

/// The name of the script or module whose function called, so many calls up; `None` when that is a native function.
pub(super) fn caller(ctx: &Ctx<'_>, levels: i32) -> Option<String> {
    // SAFETY: the context is alive. The atom is ours, if there is one, and given back when its text has been copied.
    unsafe {
        let context = ctx.as_raw().as_ptr();
        let atom = qjs::JS_GetScriptOrModuleName(context, levels);
        if atom == qjs::JS_ATOM_NULL {
            return None;
        }
        let name = owned(ctx, qjs::JS_AtomToValue(context, atom));
        qjs::JS_FreeAtom(context, atom);
        name?.as_string()?.to_string().ok()
    }
}

fn script_flags(awaits: bool, strict: bool) -> u32 {
    let mut flags = qjs::JS_EVAL_TYPE_GLOBAL | qjs::JS_EVAL_FLAG_BACKTRACE_BARRIER;
    if strict {
        flags |= qjs::JS_EVAL_FLAG_STRICT;
    }
    if awaits {
        flags |= qjs::JS_EVAL_FLAG_ASYNC;
    }
    flags
}

/// Has the engine read a text; `None` when an exception is pending.
fn read<'js>(ctx: &Ctx<'js>, source: &str, name: &str, line: i32, flags: u32) -> Option<Value<'js>> {
    let name = CString::new(name.replace('\0', "\u{fffd}")).unwrap_or_default();
    let mut text = Vec::with_capacity(source.len() + 1);
    text.extend_from_slice(source.as_bytes());
    text.push(0);
    let mut options = qjs::JSEvalOptions {
        version: qjs::JS_EVAL_OPTIONS_VERSION as _,
        eval_flags: flags as _,
        filename: name.as_ptr(),
        line_num: line,
    };
    // SAFETY: the text is followed by the NUL that the parser looks for at `text.len() - 1`; both buffers and the
    // options outlive the call, and what comes back is ours.
    unsafe {
        let length = text.len() - 1;
        owned(ctx, qjs::JS_Eval2(ctx.as_raw().as_ptr(), text.as_ptr().cast(), length as _, &raw mut options))
    }
}

/// Takes over a value that the engine has returned; `None` when it stands for an exception.
///
/// # Safety
///
/// The value belongs to this context, and its count to the caller.
pub(super) unsafe fn owned<'js>(ctx: &Ctx<'js>, value: qjs::JSValue) -> Option<Value<'js>> {
    // SAFETY: as the caller promises.
    unsafe { (!qjs::JS_IsException(value)).then(|| Value::from_raw(ctx.clone(), value)) }
}

/// Says that somebody looks after a promise, so that it is not reported when it is rejected.
pub(super) fn mark_handled(promise: &Value<'_>) {
    // SAFETY: the value and its context are alive, and any value may be asked about.
    unsafe { qjs::JS_PromiseMarkAsHandled(promise.ctx().as_raw().as_ptr(), promise.as_raw()) };
}

/// Runs the job that has been queued longest, and gives what it threw; `None` when nothing is queued.
///
/// rquickjs throws the exception away: what a `queueMicrotask` callback throws would go unseen.
pub(super) fn run_pending_job<'js>(ctx: &Ctx<'js>) -> Option<Result<(), Value<'js>>> {
    let mut ran_in = std::ptr::null_mut();
    // SAFETY: the runtime of a live context is alive. A realm has one context, so that it is the one in which a job ran
    // and left its exception.
    match unsafe { qjs::JS_ExecutePendingJob(qjs::JS_GetRuntime(ctx.as_raw().as_ptr()), &raw mut ran_in) } {
        0 => None,
        result if result < 0 => Some(Err(ctx.catch())),
        _ => Some(Ok(())),
    }
}

/// Where an object stands: its own address for as long as somebody holds it.
pub(super) fn object_address(value: &Value<'_>) -> Option<usize> {
    // SAFETY: an object's value holds a pointer, which is only turned into a number.
    value.is_object().then(|| unsafe { qjs::JS_VALUE_GET_PTR(value.as_raw()) }.addr())
}

/// Whether two values are the same object.
pub(super) fn same_object(a: &Value<'_>, b: &Value<'_>) -> bool {
    object_address(a).is_some_and(|address| object_address(b) == Some(address))
}

/// Whether a value counts as true. Runs no code of a script's.
pub(super) fn truthy(ctx: &Ctx<'_>, value: &Value<'_>) -> bool {
    // SAFETY: the context and the value are alive; the call takes no ownership.
    unsafe { qjs::JS_ToBool(ctx.as_raw().as_ptr(), value.as_raw()) == 1 }
}

/// Reads an own property that is plain data; getters and proxies are not asked.
pub(super) fn own_data_property<'js>(ctx: &Ctx<'js>, value: &Value<'js>, name: &str) -> Option<Value<'js>> {
    let key = Key::name(ctx, name).ok()?;
    raw::own_property(value, &key).ok()??.into_data()
}
