//! The engine's original functions, kept out of the guest's reach.

use std::cell::Cell;
use std::rc::Rc;

use rquickjs::{Ctx, Persistent, Value};

use super::raw::{self, Answer, Failed, Key};

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
    SetStackTraceLimit = "set(Error, 'stackTraceLimit')",
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

/// The engine's own functions and prototypes, as they were before any guest code ran.
///
/// Keep it beside the realm and drop it before the runtime: the values are references into it.
pub(crate) struct Intrinsics {
    functions: Vec<Persistent<Value<'static>>>,
    error: Persistent<Value<'static>>,
    object_prototype: Persistent<Value<'static>>,
    classes: Vec<u32>,
}

impl Intrinsics {
    /// Makes an error on the spot, whose stack tells the calls that led to the function of ours that asks.
    pub(super) fn error_here<'js>(&self, ctx: &Ctx<'js>) -> Option<Value<'js>> {
        let constructor = self.error.clone().restore(ctx).ok()?.into_constructor()?;
        constructor.construct(()).ok()
    }

    /// Captures the functions of a pristine realm.
    ///
    /// # Errors
    /// The context lacks an intrinsic, or is out of memory.
    pub(crate) fn capture(ctx: &Ctx<'_>) -> rquickjs::Result<Self> {
        let source = format!(
            "(() => {{
                const get = (o, k) => Object.getOwnPropertyDescriptor(o, k).get;
                const set = (o, k) => Object.getOwnPropertyDescriptor(o, k).set;
                return [[{}], [{}], Error, Object.prototype];
            }})()",
            SOURCES.join(", "),
            SAMPLES.join(", "),
        );
        let captured: Vec<Value<'_>> = ctx.eval(source)?;
        let [functions, samples, error, object_prototype] =
            <[Value<'_>; 4]>::try_from(captured).map_err(|_| rquickjs::Error::Unknown)?;
        let functions: Vec<Value<'_>> = functions.get()?;
        let samples: Vec<Value<'_>> = samples.get()?;
        if functions.len() != SOURCES.len() || functions.iter().any(|function| !function.is_function()) {
            return Err(rquickjs::Error::Unknown);
        }
        Ok(Self {
            functions: functions.into_iter().map(|function| Persistent::save(ctx, function)).collect(),
            error: Persistent::save(ctx, error),
            object_prototype: Persistent::save(ctx, object_prototype),
            classes: samples.iter().map(raw::class_id).collect(),
        })
    }
}

/// Property reads and keys listed in one call from outside; then nested objects are cut. About 0.1 s at the worst.
const MAX_WORK: usize = 1_000_000;

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
/// `Error.prepareStackTrace` and converts `Error.stackTraceLimit` to a number. Realms lock both; inspection does not rely
/// on it. A function found in the first is put back at the end. A limit that is an object is replaced for good: the
/// engine's setter does not free what it replaces, so that setting it twice would leak twice.
pub(super) struct Quiet<'a, 'js> {
    tools: Tools<'a, 'js>,
    error: Value<'js>,
    prepare: Option<Value<'js>>,
}

impl<'a, 'js> Quiet<'a, 'js> {
    pub(super) fn new(tools: &Tools<'a, 'js>) -> Answer<Self> {
        const DEFAULT_LIMIT: usize = 10;
        let error = tools.restore(&tools.intrinsics.error)?;
        let limit = tools.call(Builtin::GetStackTraceLimit, &error, &[])?;
        if limit.is_object() {
            tools.call(Builtin::SetStackTraceLimit, &error, &[tools.int(DEFAULT_LIMIT)])?;
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
