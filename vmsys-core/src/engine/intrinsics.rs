//! The engine's original functions, kept out of the guest's reach.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::LazyLock;

use rquickjs::object::Property;
use rquickjs::{Ctx, Object, Persistent, Value};

use super::budget::Budget;
use super::bytecode::Script;
use super::raw::{self, Answer, Failed, Key};
use crate::isolation::memory;

/// Declares the captured functions: one name on our side, one expression that yields it in a pristine realm.
macro_rules! builtins {
    ($($name:ident = $source:literal,)+) => {
        /// A function of the engine that has no counterpart in its C interface.
        ///
        /// Each was read in `quickjs.c`: called on a value of its class, with numbers or strings as arguments, it looks at
        /// internal slots only. `RegExp.prototype.flags` and `Error.prototype.toString` are missing because they read
        /// properties.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Builtin { $($name),+ }

        const SOURCES: &[&str] = &[$($source),+];
    };
}

builtins! {
    MapEntries = "Map.prototype.entries",
    MapNext = "Object.getPrototypeOf(new Map().entries()).next",
    MapSize = "get(Map.prototype, 'size')",
    SetValues = "Set.prototype.values",
    SetNext = "Object.getPrototypeOf(new Set().values()).next",
    SetSize = "get(Set.prototype, 'size')",
    DateTime = "Date.prototype.getTime",
    RegExpSource = "get(RegExp.prototype, 'source')",
    RegExpHasIndices = "get(RegExp.prototype, 'hasIndices')",
    RegExpGlobal = "get(RegExp.prototype, 'global')",
    RegExpIgnoreCase = "get(RegExp.prototype, 'ignoreCase')",
    RegExpMultiline = "get(RegExp.prototype, 'multiline')",
    RegExpDotAll = "get(RegExp.prototype, 'dotAll')",
    RegExpUnicode = "get(RegExp.prototype, 'unicode')",
    RegExpUnicodeSets = "get(RegExp.prototype, 'unicodeSets')",
    RegExpSticky = "get(RegExp.prototype, 'sticky')",
    TypedArrayLength = "get(Object.getPrototypeOf(Int8Array.prototype), 'length')",
    BufferLength = "get(ArrayBuffer.prototype, 'byteLength')",
    BufferDetached = "get(ArrayBuffer.prototype, 'detached')",
    SharedBufferLength = "get(SharedArrayBuffer.prototype, 'byteLength')",
    ViewBuffer = "get(DataView.prototype, 'buffer')",
    ViewLength = "get(DataView.prototype, 'byteLength')",
    ViewOffset = "get(DataView.prototype, 'byteOffset')",
    SymbolDescription = "get(Symbol.prototype, 'description')",
    NumberValue = "Number.prototype.valueOf",
    StringValue = "String.prototype.valueOf",
    BooleanValue = "Boolean.prototype.valueOf",
    SymbolValue = "Symbol.prototype.valueOf",
    BigIntValue = "BigInt.prototype.valueOf",
    BigIntText = "BigInt.prototype.toString",
    StringSlice = "String.prototype.slice",
    FunctionText = "Function.prototype.toString",
    ErrorStack = "get(Error.prototype, 'stack')",
    DomName = "get(DOMException.prototype, 'name')",
    DomMessage = "get(DOMException.prototype, 'message')",
    GetPrepareStackTrace = "get(Error, 'prepareStackTrace')",
    SetPrepareStackTrace = "set(Error, 'prepareStackTrace')",
    GetStackTraceLimit = "get(Error, 'stackTraceLimit')",
    ToBigInt = "BigInt",
    ToNumber = "Number",
    ParseInt = "parseInt",
    ParseFloat = "parseFloat",
}

/// Declares the internal classes that are told apart by a sample, because the C interface has no test for them.
macro_rules! classes {
    ($($name:ident = $source:literal,)+) => {
        /// An internal class of the engine.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Class { $($name),+ }

        const SAMPLES: &[&str] = &[$($source),+];
    };
}

classes! {
    Object = "{}",
    Number = "Object(1)",
    String = "Object('')",
    Boolean = "Object(true)",
    Symbol = "Object(Symbol())",
    BigInt = "Object(1n)",
    Arguments = "function () { 'use strict'; return arguments; }()",
    MappedArguments = "Function('a', 'return arguments')(1)",
    SharedArrayBuffer = "new SharedArrayBuffer(1)",
    BytecodeFunction = "function () {}",
    GeneratorFunction = "function* () {}",
    AsyncFunction = "async function () {}",
    AsyncGeneratorFunction = "async function* () {}",
    Generator = "function* () {}()",
    AsyncGenerator = "async function* () {}()",
    MapIterator = "new Map().entries()",
    SetIterator = "new Set().values()",
    ArrayIterator = "[].values()",
    StringIterator = "''[Symbol.iterator]()",
    DomException = "new DOMException('', '')",
}

/// The constructors of errors; the first is the one of errors with a name of their own.
const ERRORS: [&str; 7] =
    ["Error", "TypeError", "RangeError", "SyntaxError", "ReferenceError", "EvalError", "URIError"];

/// The engine's own functions and prototypes, as they were before any guest code ran.
///
/// Keep it beside the realm and drop it before the runtime: the values are references into it.
pub(crate) struct Intrinsics {
    functions: Vec<Persistent<Value<'static>>>,
    /// The constructors of [`ERRORS`].
    errors: Vec<Persistent<Value<'static>>>,
    object_prototype: Persistent<Value<'static>>,
    classes: Vec<u32>,
    /// What ends the job that values are shown in.
    budget: Option<Rc<Budget>>,
}

impl Intrinsics {
    /// Makes an error on the spot, whose stack tells the calls that led to the function of ours that asks.
    pub(super) fn error_here<'js>(&self, ctx: &Ctx<'js>) -> Option<Value<'js>> {
        self.error().clone().restore(ctx).ok()?.into_constructor()?.construct(()).ok()
    }

    /// Makes an error with a message: of the engine's own kind of that name, or else an `Error` that bears it.
    pub(super) fn new_error<'js>(&self, ctx: &Ctx<'js>, name: &str, message: &str) -> rquickjs::Result<Value<'js>> {
        let known = ERRORS.iter().position(|known| *known == name);
        let constructor = self.errors[known.unwrap_or(0)].clone().restore(ctx)?;
        let constructor = constructor.into_constructor().ok_or(rquickjs::Error::Unknown)?;
        let error: Object<'js> = constructor.construct((message,))?;
        if known.is_none() {
            error.prop("name", Property::from(name).writable().configurable())?;
        }
        Ok(error.into_value())
    }

    fn error(&self) -> &Persistent<Value<'static>> {
        &self.errors[0]
    }

    /// Captures the functions of a pristine realm.
    ///
    /// # Errors
    /// The context lacks an intrinsic, or is out of memory.
    pub(crate) fn capture(ctx: &Ctx<'_>) -> rquickjs::Result<Self> {
        static TEXT: LazyLock<&'static str> = LazyLock::new(|| {
            format!(
                "(() => {{
                const get = (o, k) => Object.getOwnPropertyDescriptor(o, k).get;
                const set = (o, k) => Object.getOwnPropertyDescriptor(o, k).set;
                return [[{}], [{}], [{}], Object.prototype];
            }})()",
                SOURCES.join(", "),
                SAMPLES.join(", "),
                ERRORS.join(", "),
            )
            .leak()
        });
        static CAPTURE: LazyLock<Script> = LazyLock::new(|| Script::new("vm:intrinsics", &TEXT));
        let capture = memory::program(|| &*CAPTURE);
        let captured: Vec<Value<'_>> = capture.run(ctx)?.get()?;
        let [functions, samples, errors, object_prototype] =
            <[Value<'_>; 4]>::try_from(captured).map_err(|_| rquickjs::Error::Unknown)?;
        let errors: Vec<Value<'_>> = errors.get()?;
        let functions: Vec<Value<'_>> = functions.get()?;
        let samples: Vec<Value<'_>> = samples.get()?;
        if functions.len() != SOURCES.len()
            || functions.iter().any(|function| !function.is_function())
            || errors.len() != ERRORS.len()
        {
            return Err(rquickjs::Error::Unknown);
        }
        Ok(Self {
            functions: functions.into_iter().map(|function| Persistent::save(ctx, function)).collect(),
            errors: errors.into_iter().map(|error| Persistent::save(ctx, error)).collect(),
            object_prototype: Persistent::save(ctx, object_prototype),
            classes: samples.iter().map(raw::class_id).collect(),
            budget: None,
        })
    }

    /// Lets a job's budget end what is done with these: nothing else asks while a value is shown.
    pub(super) fn within(self, budget: Rc<Budget>) -> Self {
        Self { budget: Some(budget), ..self }
    }
}

/// Takes the two hooks away that run guest code whenever the engine makes an error.
///
/// To be called after [`Intrinsics::capture`] and before any guest code. `Error.prepareStackTrace` keeps what is assigned
/// to it, for libraries that save and restore it, and the engine never sees it. `Error.stackTraceLimit` takes numbers
/// only: besides being converted at every error, an object that is replaced there is never freed, and a runtime with an
/// object left over aborts the process when it is dropped.
///
/// # Errors
/// The context is out of memory, or the hooks were locked before.
pub(crate) fn lock_error_hooks(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    LOCK.run(ctx).map(drop)
}

static LOCK: Script = Script::new(
    "vm:errors",
    "(() => {
            const {get, set} = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit');
            const apply = Reflect.apply;
            let prepare;
            Object.defineProperties(Error, {
                stackTraceLimit: {
                    get() { return apply(get, Error, []) },
                    set(limit) { if (typeof limit === 'number') apply(set, Error, [limit]) },
                    enumerable: false,
                    configurable: false,
                },
                prepareStackTrace: {
                    get() { return prepare },
                    set(value) { prepare = value },
                    enumerable: false,
                    configurable: false,
                },
            });
        })()",
);

/// Property reads and keys listed in one call from outside; then nested objects are cut. About 0.1 s at the worst.
const MAX_WORK: usize = 1_000_000;
/// What a step counts for as work of ours that nothing polls within (see [`Budget::charge`]).
const BYTES_PER_STEP: usize = 64;

/// The intrinsics at hand in a context, and the work that may still be done with them.
///
/// Clones share the work: a log of a thousand arguments may cost no more than one of a single argument.
#[derive(Clone)]
pub(super) struct Tools<'a, 'js> {
    pub(super) ctx: Ctx<'js>,
    intrinsics: &'a Intrinsics,
    work: Rc<Cell<usize>>,
}

impl<'a, 'js> Tools<'a, 'js> {
    pub(super) fn new(ctx: &Ctx<'js>, intrinsics: &'a Intrinsics) -> Self {
        Self { ctx: ctx.clone(), intrinsics, work: Rc::new(Cell::new(MAX_WORK)) }
    }

    /// Notes work that was done: a property that was read is one.
    pub(super) fn charge(&self, work: usize) {
        self.work.set(self.work.get().saturating_sub(work));
        self.step(work);
    }

    /// Notes steps that are bounded otherwise. A job whose time is up ends within them.
    pub(super) fn step(&self, steps: usize) {
        let bytes = steps.saturating_mul(BYTES_PER_STEP);
        if self.intrinsics.budget.as_ref().is_some_and(|budget| budget.charge(bytes)) {
            self.work.set(0);
        }
    }

    /// Says whether no more work is to be begun.
    pub(super) fn is_exhausted(&self) -> bool {
        self.work.get() == 0
    }

    /// Calls a captured function.
    pub(super) fn call(&self, builtin: Builtin, this: &Value<'js>, args: &[Value<'js>]) -> Answer<Value<'js>> {
        let function = self.restore(&self.intrinsics.functions[builtin as usize])?;
        raw::call(&function, this, args)
    }

    /// Calls a captured function without arguments that answers a number.
    pub(super) fn number(&self, builtin: Builtin, this: &Value<'js>) -> Answer<f64> {
        self.call(builtin, this, &[])?.as_number().ok_or(Failed)
    }

    /// Says whether a value is an object of an internal class.
    pub(super) fn is(&self, value: &Value<'js>, class: Class) -> bool {
        value.is_object() && self.intrinsics.classes[class as usize] == raw::class_id(value)
    }

    /// Says whether a value is the realm's original `Object.prototype`.
    pub(super) fn is_object_prototype(&self, value: &Value<'js>) -> bool {
        self.restore(&self.intrinsics.object_prototype).is_ok_and(|prototype| prototype == *value)
    }

    /// Copies at most `max` UTF-16 units of a string from its beginning, and says how long it is.
    ///
    /// Only what is copied is allocated, but for a rope, which the engine flattens.
    pub(super) fn units(&self, string: &Value<'js>, max: usize) -> Answer<(Vec<u16>, usize)> {
        let len = raw::string_len(string);
        if len <= max {
            return Ok((raw::utf16(string)?, len));
        }
        let range = [self.int(0), self.int(max)];
        let slice = self.call(Builtin::StringSlice, string, &range)?;
        Ok((raw::utf16(&slice)?, len))
    }

    /// Makes a number value.
    pub(super) fn int(&self, value: usize) -> Value<'js> {
        Value::new_number(self.ctx.clone(), value as f64)
    }

    /// Makes the key of a name.
    pub(super) fn text_key(&self, name: &str) -> Answer<Key<'js>> {
        raw::Key::name(&self.ctx, name)
    }

    fn restore(&self, value: &Persistent<Value<'static>>) -> Answer<Value<'js>> {
        value.clone().restore(&self.ctx).map_err(|_| Failed)
    }
}

/// Keeps the engine's own exceptions from running guest code, for as long as it lives.
///
/// When the engine makes an error (a revoked proxy, an uninitialised binding, out of memory, an interrupt) it calls
/// `Error.prepareStackTrace` and converts `Error.stackTraceLimit` to a number. [`lock_error_hooks`] takes both away from
/// the guest, and is what realms rely on; this is for those that did not call it. A formatter is put back at the end. A
/// limit that is an object makes this fail, so that nothing is looked at: the engine's setter does not free what it
/// replaces, and replacing the guest's object would leak it.
pub(super) struct Quiet<'a, 'js> {
    tools: Tools<'a, 'js>,
    error: Value<'js>,
    prepare: Option<Value<'js>>,
}

impl<'a, 'js> Quiet<'a, 'js> {
    pub(super) fn new(tools: &Tools<'a, 'js>) -> Answer<Self> {
        // Tried twice: a handler that interrupts whenever it is asked is asked only every ten thousand calls.
        Self::begin(tools).or_else(|_| Self::begin(tools))
    }

    fn begin(tools: &Tools<'a, 'js>) -> Answer<Self> {
        let error = tools.restore(tools.intrinsics.error())?;
        if tools.call(Builtin::GetStackTraceLimit, &error, &[])?.is_object() {
            return Err(Failed);
        }
        let prepare = tools.call(Builtin::GetPrepareStackTrace, &error, &[])?;
        let prepare = prepare.is_function().then_some(prepare);
        if prepare.is_some() {
            let nothing = Value::new_undefined(tools.ctx.clone());
            tools.call(Builtin::SetPrepareStackTrace, &error, &[nothing])?;
        }
        Ok(Self { tools: tools.clone(), error, prepare })
    }
}

impl Drop for Quiet<'_, '_> {
    fn drop(&mut self) {
        if let Some(prepare) = self.prepare.take() {
            // A failure here (an interrupt) costs the guest its formatter, nothing else.
            _ = self.tools.call(Builtin::SetPrepareStackTrace, &self.error, &[prepare]);
        }
    }
}
