//! Safe wrappers over the calls of the C engine that look at values without running guest code.
//!
//! rquickjs reads properties with `JS_GetProperty`, which calls getters and proxy traps. What is here reads own property
//! descriptors and internal slots instead. Each function says what it relies on; the claims were read in `quickjs.c`
//! of QuickJS-NG 0.16 and are held by the hostile tests of [`inspect`](super::inspect).
//!
//! A function that can fail takes the engine's exception away before it returns [`Failed`]: after any of these calls
//! no exception is pending that was not pending before. Only [`define_index`] is for callers who let it stand.

#![expect(unsafe_code, reason = "the C engine's own-property calls have no counterpart in rquickjs")]

use std::ffi::c_int;
use std::ptr;

use rquickjs::{Ctx, Value, qjs};

/// The engine could not answer: out of memory, interrupted, or the value was not of the kind that was asked for.
///
/// The exception has been taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failed;

/// What a call into the engine came to.
pub(super) type Answer<T> = Result<T, Failed>;

/// A property key: a string, an index or a symbol.
pub(super) struct Key<'js> {
    ctx: Ctx<'js>,
    atom: qjs::JSAtom,
}

impl<'js> Key<'js> {
    /// Makes the key of an array index.
    pub(super) fn index(ctx: &Ctx<'js>, index: u32) -> Answer<Self> {
        // SAFETY: the context is live while `ctx` is; the call copies a number and returns an atom that we own.
        let atom = unsafe { qjs::JS_NewAtomUInt32(ctx.as_raw().as_ptr(), index) };
        Self::owned(ctx, atom)
    }

    /// Makes the key of a name that QuickJS knows from its start.
    pub(super) fn known(ctx: &Ctx<'js>, name: Known) -> Self {
        let atom = match name {
            Known::Cause => qjs::JS_ATOM_cause,
            Known::Constructor => qjs::JS_ATOM_constructor,
            Known::Errors => qjs::JS_ATOM_errors,
            Known::Length => qjs::JS_ATOM_length,
            Known::Message => qjs::JS_ATOM_message,
            Known::Name => qjs::JS_ATOM_name,
            Known::Prototype => qjs::JS_ATOM_prototype,
            Known::Stack => qjs::JS_ATOM_stack,
            Known::ToStringTag => qjs::JS_ATOM_Symbol_toStringTag,
        };
        Self { ctx: ctx.clone(), atom }
    }

    /// Makes the key of a string.
    pub(super) fn name(ctx: &Ctx<'js>, name: &str) -> Answer<Self> {
        // SAFETY: the bytes are valid UTF-8 and copied; the atom returned is ours.
        let atom = unsafe { qjs::JS_NewAtomLen(ctx.as_raw().as_ptr(), name.as_ptr().cast(), name.len() as _) };
        Self::owned(ctx, atom)
    }

    /// Makes the key of a symbol value.
    pub(super) fn symbol(value: &Value<'js>) -> Answer<Self> {
        if !value.is_symbol() {
            return Err(Failed);
        }
        let ctx = value.ctx();
        // SAFETY: for a symbol the engine takes the atom that it is, and adds a reference, which is ours.
        let atom = unsafe { qjs::JS_ValueToAtom(ctx.as_raw().as_ptr(), value.as_raw()) };
        Self::owned(ctx, atom)
    }

    fn owned(ctx: &Ctx<'js>, atom: qjs::JSAtom) -> Answer<Self> {
        if atom == qjs::__JS_ATOM_NULL {
            clear_exception(ctx);
            return Err(Failed);
        }
        Ok(Self { ctx: ctx.clone(), atom })
    }

    /// Returns the key as a string or symbol value.
    pub(super) fn to_value(&self) -> Answer<Value<'js>> {
        // SAFETY: we hold a reference to the atom. The result is a string or symbol value of its own.
        unsafe { take(&self.ctx, qjs::JS_AtomToValue(self.ctx.as_raw().as_ptr(), self.atom)) }
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.atom == other.atom
    }
}

impl Clone for Key<'_> {
    fn clone(&self) -> Self {
        // SAFETY: we hold a reference to the atom, so it is live; the call adds another one.
        let atom = unsafe { qjs::JS_DupAtom(self.ctx.as_raw().as_ptr(), self.atom) };
        Self { ctx: self.ctx.clone(), atom }
    }
}

impl Drop for Key<'_> {
    fn drop(&mut self) {
        // SAFETY: gives back the one reference that this key owns. Atoms known from the start are not counted.
        unsafe { qjs::JS_FreeAtom(self.ctx.as_raw().as_ptr(), self.atom) }
    }
}

/// Names that QuickJS has atoms for from its start: their keys cost nothing and cannot fail.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known {
    Cause,
    Constructor,
    Errors,
    Length,
    Message,
    Name,
    Prototype,
    Stack,
    ToStringTag,
}

/// Which own keys to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listing {
    /// All of them.
    All,
    /// All of them, without a look at what they hold: for module namespaces, whose bindings may have no value yet.
    NamesOnly,
    /// Symbols only. Listing the strings of an array or a string object costs time and memory for every element.
    Symbols,
}

/// The own keys of an object: indices in order, then strings, then symbols.
///
/// Those that are not enumerable are always listed, so that [`len`](Self::len) says what the listing has cost.
pub(super) struct Keys<'js> {
    ctx: Ctx<'js>,
    table: *mut qjs::JSPropertyEnum,
    len: u32,
}

impl<'js> Keys<'js> {
    /// Lists an object's own keys. Proxies and primitives are refused.
    pub(super) fn of(value: &Value<'js>, listing: Listing) -> Answer<Self> {
        let flags = match listing {
            Listing::All => qjs::JS_GPN_STRING_MASK | qjs::JS_GPN_SYMBOL_MASK | qjs::JS_GPN_SET_ENUM,
            Listing::NamesOnly => qjs::JS_GPN_STRING_MASK,
            Listing::Symbols => qjs::JS_GPN_SYMBOL_MASK | qjs::JS_GPN_SET_ENUM,
        };
        Self::list(value, flags)
    }

    fn list(value: &Value<'js>, flags: u32) -> Answer<Self> {
        let ctx = value.ctx();
        if !value.is_object() || value.is_proxy() {
            return Err(Failed);
        }
        let mut keys = Self { ctx: ctx.clone(), table: ptr::null_mut(), len: 0 };
        // SAFETY: the value is an object of this context and no proxy, so that this reads its shape and elements. The
        // table, if there is one, belongs to `keys`, whose drop frees it.
        let result = unsafe {
            qjs::JS_GetOwnPropertyNames(
                ctx.as_raw().as_ptr(),
                &raw mut keys.table,
                &raw mut keys.len,
                value.as_raw(),
                flags as c_int,
            )
        };
        if result < 0 {
            clear_exception(ctx);
            return Err(Failed);
        }
        Ok(keys)
    }

    /// Returns how many there are.
    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    /// Returns one of them.
    ///
    /// # Panics
    /// `at` is not less than [`len`](Self::len).
    pub(super) fn get(&self, at: usize) -> Key<'js> {
        assert!(at < self.len(), "a key past the end");
        // SAFETY: the engine filled `len` entries, and `at` is less. The table holds a reference to the atom; the call
        // adds one for the new key.
        let atom = unsafe { qjs::JS_DupAtom(self.ctx.as_raw().as_ptr(), (*self.table.add(at)).atom) };
        Key { ctx: self.ctx.clone(), atom }
    }
}

impl Keys<'_> {
    /// Says whether one of them is enumerable.
    ///
    /// # Panics
    /// `at` is not less than [`len`](Self::len).
    pub(super) fn is_enumerable(&self, at: usize) -> bool {
        assert!(at < self.len(), "a key past the end");
        // SAFETY: the engine filled `len` entries, and `at` is less.
        unsafe { (*self.table.add(at)).is_enumerable }
    }
}

impl Drop for Keys<'_> {
    fn drop(&mut self) {
        if !self.table.is_null() {
            // SAFETY: the table came from `JS_GetOwnPropertyNames` with this length and is freed once.
            unsafe { qjs::JS_FreePropertyEnum(self.ctx.as_raw().as_ptr(), self.table, self.len) }
        }
    }
}

/// An own property.
pub(super) struct Property<'js> {
    pub(super) configurable: bool,
    pub(super) enumerable: bool,
    pub(super) writable: bool,
    pub(super) content: Content<'js>,
}

/// What an own property holds.
pub(super) enum Content<'js> {
    /// A value.
    Data(Value<'js>),
    /// Functions, which are never called.
    Accessor { get: bool, set: bool },
}

impl<'js> Property<'js> {
    /// Returns the value of a data property.
    pub(super) fn into_data(self) -> Option<Value<'js>> {
        match self.content {
            Content::Data(value) => Some(value),
            Content::Accessor { .. } => None,
        }
    }
}

/// Reads an own property's descriptor. Proxies and primitives are refused; getters are not called.
pub(super) fn own_property<'js>(value: &Value<'js>, key: &Key<'js>) -> Answer<Option<Property<'js>>> {
    let ctx = value.ctx();
    if !value.is_object() || value.is_proxy() {
        return Err(Failed);
    }
    let mut found = qjs::JSPropertyDescriptor {
        flags: 0,
        value: qjs::JS_UNDEFINED,
        getter: qjs::JS_UNDEFINED,
        setter: qjs::JS_UNDEFINED,
    };
    // SAFETY: the value is an object of this context and no proxy: the engine looks into its shape, its elements or,
    // for string objects and module namespaces, its own C code. `found` is filled only when the result is positive.
    let result = unsafe { qjs::JS_GetOwnProperty(ctx.as_raw().as_ptr(), &raw mut found, value.as_raw(), key.atom) };
    if result < 0 {
        clear_exception(ctx);
        return Err(Failed);
    }
    if result == 0 {
        return Ok(None);
    }
    // SAFETY: the three fields are references that are now ours; each goes into a `Value`, which frees it. They are no
    // exceptions but for a failed read of an element, which `take` turns into an error.
    let (data, getter, setter) = unsafe { (take(ctx, found.value), take(ctx, found.getter), take(ctx, found.setter)) };
    let flags = found.flags as u32;
    let content = if flags & qjs::JS_PROP_GETSET != 0 {
        Content::Accessor { get: !getter?.is_undefined(), set: !setter?.is_undefined() }
    } else {
        Content::Data(data?)
    };
    let configurable = flags & qjs::JS_PROP_CONFIGURABLE != 0;
    let enumerable = flags & qjs::JS_PROP_ENUMERABLE != 0;
    Ok(Some(Property { configurable, enumerable, writable: flags & qjs::JS_PROP_WRITABLE != 0, content }))
}

/// Returns the prototype of an object that is no proxy; of anything else, none.
pub(super) fn prototype<'js>(value: &Value<'js>) -> Option<Value<'js>> {
    if !value.is_object() || value.is_proxy() {
        return None;
    }
    let ctx = value.ctx();
    // SAFETY: for an object that is no proxy this reads a field and adds a reference, which the new value owns.
    let found = unsafe { take(ctx, qjs::JS_GetPrototype(ctx.as_raw().as_ptr(), value.as_raw())) };
    found.ok().filter(Value::is_object)
}

/// Returns the target of a proxy, and fails for one that was revoked.
///
/// The failure is an engine error that is made and thrown away: see [`Quiet`](super::intrinsics::Quiet).
pub(super) fn proxy_target<'js>(value: &Value<'js>) -> Answer<Value<'js>> {
    let ctx = value.ctx();
    // SAFETY: reads a field of the proxy, or makes a TypeError; no trap is called.
    unsafe { take(ctx, qjs::JS_GetProxyTarget(ctx.as_raw().as_ptr(), value.as_raw())) }
}

/// Returns the handler of a proxy, as [`proxy_target`] does.
pub(super) fn proxy_handler<'js>(value: &Value<'js>) -> Answer<Value<'js>> {
    let ctx = value.ctx();
    // SAFETY: reads a field of the proxy, or makes a TypeError; no trap is called.
    unsafe { take(ctx, qjs::JS_GetProxyHandler(ctx.as_raw().as_ptr(), value.as_raw())) }
}

/// Calls a function that the caller knows to be a C function of the engine which looks at nothing guest-made.
pub(super) fn call<'js>(function: &Value<'js>, this: &Value<'js>, args: &[Value<'js>]) -> Answer<Value<'js>> {
    let ctx = function.ctx();
    let mut raw: Vec<qjs::JSValue> = args.iter().map(Value::as_raw).collect();
    // SAFETY: all values belong to this context and are held by the caller during the call, which borrows them. The
    // result is ours.
    unsafe {
        let result =
            qjs::JS_Call(ctx.as_raw().as_ptr(), function.as_raw(), this.as_raw(), raw.len() as c_int, raw.as_mut_ptr());
        take(ctx, result)
    }
}

/// Returns the internal class of an object, 0 for primitives.
pub(super) fn class_id(value: &Value<'_>) -> u32 {
    // SAFETY: reads the object's header.
    unsafe { qjs::JS_GetClassID(value.as_raw()) }
}

/// Returns the name of an object's internal class, as in `Array`.
pub(super) fn class_name<'js>(value: &Value<'js>) -> Answer<Value<'js>> {
    let ctx = value.ctx();
    // SAFETY: the runtime belongs to the live context. The atom returned is a new reference, which the key owns.
    let atom = unsafe {
        let runtime = qjs::JS_GetRuntime(ctx.as_raw().as_ptr());
        qjs::JS_GetClassName(runtime, class_id(value))
    };
    Key::owned(ctx, atom)?.to_value()
}

/// The internal kinds that the C engine has a test for; the tests read the object's header only.
#[derive(Debug, Clone, Copy)]
pub(super) enum Slot {
    ArrayBuffer,
    DataView,
    Date,
    Map,
    RegExp,
    Set,
    WeakMap,
    WeakRef,
    WeakSet,
}

/// Says whether a value is of an internal kind, whatever its prototype is.
pub(super) fn has_slot(value: &Value<'_>, slot: Slot) -> bool {
    let raw = value.as_raw();
    // SAFETY: each of these compares the class in the object's header, and takes primitives too.
    unsafe {
        match slot {
            Slot::ArrayBuffer => qjs::JS_IsArrayBuffer(raw),
            Slot::DataView => qjs::JS_IsDataView(raw),
            Slot::Date => qjs::JS_IsDate(raw),
            Slot::Map => qjs::JS_IsMap(raw),
            Slot::RegExp => qjs::JS_IsRegExp(raw),
            Slot::Set => qjs::JS_IsSet(raw),
            Slot::WeakMap => qjs::JS_IsWeakMap(raw),
            Slot::WeakRef => qjs::JS_IsWeakRef(raw),
            Slot::WeakSet => qjs::JS_IsWeakSet(raw),
        }
    }
}

/// Returns the name of a typed array's kind, as in `Uint8Array`.
pub(super) fn typed_array_kind(value: &Value<'_>) -> Option<&'static str> {
    // The order is the engine's, in quickjs.h: `JSTypedArrayEnum`.
    const NAMES: [&str; 12] = [
        "Uint8ClampedArray",
        "Int8Array",
        "Uint8Array",
        "Int16Array",
        "Uint16Array",
        "Int32Array",
        "Uint32Array",
        "BigInt64Array",
        "BigUint64Array",
        "Float16Array",
        "Float32Array",
        "Float64Array",
    ];
    // SAFETY: compares the class in the object's header; -1 for everything else.
    let kind = unsafe { qjs::JS_GetTypedArrayType(value.as_raw()) };
    NAMES.get(usize::try_from(kind).ok()?).copied()
}

/// A promise's state, with what it came to.
pub(super) enum PromiseState<'js> {
    Pending,
    Fulfilled(Value<'js>),
    Rejected(Value<'js>),
}

/// Returns a promise's state, and none for other values.
pub(super) fn promise_state<'js>(value: &Value<'js>) -> Option<PromiseState<'js>> {
    let ctx = value.ctx();
    // SAFETY: both read internal slots and take any value. The result is a new reference.
    let (state, result) = unsafe {
        let state = qjs::JS_PromiseState(ctx.as_raw().as_ptr(), value.as_raw());
        if state < 0 {
            return None;
        }
        (state, take(ctx, qjs::JS_PromiseResult(ctx.as_raw().as_ptr(), value.as_raw())))
    };
    let result = result.unwrap_or_else(|_| Value::new_undefined(ctx.clone()));
    Some(match state {
        qjs::JSPromiseStateEnum_JS_PROMISE_FULFILLED => PromiseState::Fulfilled(result),
        qjs::JSPromiseStateEnum_JS_PROMISE_REJECTED => PromiseState::Rejected(result),
        _ => PromiseState::Pending,
    })
}

/// Copies the first bytes of an array buffer that is known not to be detached.
pub(super) fn array_buffer_bytes(value: &Value<'_>, max: usize) -> Answer<Vec<u8>> {
    let ctx = value.ctx();
    let mut len = 0;
    // SAFETY: reads the buffer's pointer and length, or makes a TypeError.
    let data = unsafe { qjs::JS_GetArrayBuffer(ctx.as_raw().as_ptr(), &raw mut len, value.as_raw()) };
    if data.is_null() {
        // An empty buffer may have no memory; only a failure leaves an exception.
        if ctx.has_exception() {
            clear_exception(ctx);
            return Err(Failed);
        }
        return Ok(Vec::new());
    }
    let len = usize::try_from(len).map_err(|_| Failed)?.min(max);
    // SAFETY: the engine gave `data` with at least `len` bytes; nothing runs in the engine before the copy is done.
    Ok(unsafe { std::slice::from_raw_parts(data, len) }.to_vec())
}

/// Copies the bytes that a typed array views; a detached one, or one whose buffer became too short, is refused.
pub(super) fn typed_array_bytes(value: &Value<'_>) -> Answer<Vec<u8>> {
    with_bytes([value], |[bytes]| bytes.to_vec())
}

/// Where the bytes of a typed array are.
struct Located<'js> {
    data: *mut u8,
    len: usize,
    buffer: Value<'js>,
}

/// Finds the bytes that a typed array views; a detached one, or one whose buffer became too short, is refused.
fn locate<'js>(value: &Value<'js>) -> Answer<Located<'js>> {
    let ctx = value.ctx();
    let (mut offset, mut len, mut size) = (0, 0, 0);
    // SAFETY: for anything but a typed array whose bytes are there the engine makes a TypeError; else it answers its
    // buffer, with a count of its own, and where in it the array stands.
    let buffer = unsafe {
        let raw = qjs::JS_GetTypedArrayBuffer(
            ctx.as_raw().as_ptr(),
            value.as_raw(),
            &raw mut offset,
            &raw mut len,
            ptr::null_mut(),
        );
        take(ctx, raw)?
    };
    // SAFETY: reads the buffer's pointer and length, or makes a TypeError.
    let data = unsafe { qjs::JS_GetArrayBuffer(ctx.as_raw().as_ptr(), &raw mut size, buffer.as_raw()) };
    let (offset, len, size) = (to_usize(offset)?, to_usize(len)?, to_usize(size)?);
    if data.is_null() {
        let failed = ctx.has_exception();
        clear_exception(ctx);
        let nothing = ptr::NonNull::<u8>::dangling().as_ptr();
        return if failed || len > 0 { Err(Failed) } else { Ok(Located { data: nothing, len: 0, buffer }) };
    }
    offset.checked_add(len).filter(|end| *end <= size).ok_or(Failed)?;
    // SAFETY: the engine gave `data` with `size` bytes, and the offset is not past them.
    Ok(Located { data: unsafe { data.add(offset) }, len, buffer })
}

fn to_usize(number: qjs::size_t) -> Answer<usize> {
    usize::try_from(number).map_err(|_| Failed)
}

/// Lets a function look at the bytes of typed arrays, which may be parts of the same buffer.
///
/// The function has no way to the engine, so nothing can take the bytes away under it.
pub(super) fn with_bytes<const N: usize, T>(
    arrays: [&Value<'_>; N],
    look: impl FnOnce([&[u8]; N]) -> T + Send,
) -> Answer<T>
where
    T: Send,
{
    let mut located = Vec::with_capacity(N);
    for array in arrays {
        located.push(locate(array)?);
    }
    let slices = std::array::from_fn(|at| {
        let Located { data, len, .. } = &located[at];
        // SAFETY: there are `len` bytes at `data`, and their buffer is held by `located`. Nothing runs in the engine
        // until `look` is done: it can be sent to another thread, so it holds nothing of the engine's. To locate a second
        // array moves nothing of the first. All slices are for reading.
        unsafe { std::slice::from_raw_parts(*data, *len) }
    });
    Ok(look(slices))
}

/// Lets a function change the bytes of a typed array; those of an immutable buffer are refused.
pub(super) fn with_bytes_mut<T: Send>(array: &Value<'_>, change: impl FnOnce(&mut [u8]) -> T + Send) -> Answer<T> {
    let Located { data, len, buffer } = locate(array)?;
    // SAFETY: reads a flag of the buffer's.
    if unsafe { qjs::JS_IsImmutableArrayBuffer(buffer.as_raw()) } != 0 {
        return Err(Failed);
    }
    // SAFETY: there are `len` bytes at `data`, and their buffer is held. Nothing else looks at them meanwhile: `change` can
    // be sent to another thread, so it holds nothing of the engine's.
    Ok(change(unsafe { std::slice::from_raw_parts_mut(data, len) }))
}

/// Makes a string of UTF-16 units, which may hold lone surrogates.
pub(super) fn string_of_units<'js>(ctx: &Ctx<'js>, units: &[u16]) -> Answer<Value<'js>> {
    // SAFETY: the units are copied; the result is ours.
    unsafe { take(ctx, qjs::JS_NewStringUTF16(ctx.as_raw().as_ptr(), units.as_ptr(), units.len() as _)) }
}

/// Copies a part of an array buffer; one that is not there as a whole is refused.
pub(super) fn buffer_part(buffer: &Value<'_>, offset: usize, len: usize) -> Answer<Vec<u8>> {
    let ctx = buffer.ctx();
    let mut size = 0;
    // SAFETY: reads the buffer's pointer and length, or makes a TypeError.
    let data = unsafe { qjs::JS_GetArrayBuffer(ctx.as_raw().as_ptr(), &raw mut size, buffer.as_raw()) };
    if data.is_null() {
        let failed = ctx.has_exception();
        clear_exception(ctx);
        return if failed || len > 0 { Err(Failed) } else { Ok(Vec::new()) };
    }
    let size = usize::try_from(size).map_err(|_| Failed)?;
    let end = offset.checked_add(len).filter(|end| *end <= size).ok_or(Failed)?;
    // SAFETY: the engine gave `data` with `size` bytes, and the part ends within; nothing runs in the engine before the
    // copy is done.
    Ok(unsafe { std::slice::from_raw_parts(data, size) }[offset..end].to_vec())
}

/// Returns the length of a string value in UTF-16 units, without flattening it.
pub(super) fn string_len(value: &Value<'_>) -> usize {
    if !value.is_string() {
        return 0;
    }
    let ctx = value.ctx();
    let mut len = 0;
    // SAFETY: for a string primitive the engine answers `length` from the string's header, before any prototype.
    let result = unsafe { qjs::JS_GetLength(ctx.as_raw().as_ptr(), value.as_raw(), &raw mut len) };
    if result < 0 {
        clear_exception(ctx);
        return 0;
    }
    usize::try_from(len).unwrap_or(0)
}

/// Copies the UTF-16 units of a string, or of the decimal text of a bigint.
///
/// Anything else is refused: the engine would call its `toString`. The whole string is copied, twice unless it is
/// wide: [`Tools::units`](super::intrinsics::Tools::units) slices first.
pub(super) fn utf16(value: &Value<'_>) -> Answer<Vec<u16>> {
    if !value.is_string() && !value.is_big_int() {
        return Err(Failed);
    }
    let ctx = value.ctx();
    let mut len = 0;
    // SAFETY: for these primitives the conversion is the engine's own. A result that is not null points to `len` units
    // that stay until they are given back.
    unsafe {
        let data = qjs::JS_ToCStringLenUTF16(ctx.as_raw().as_ptr(), &raw mut len, value.as_raw());
        if data.is_null() {
            clear_exception(ctx);
            return Err(Failed);
        }
        let units = std::slice::from_raw_parts(data, len as usize).to_vec();
        qjs::JS_FreeCStringUTF16(ctx.as_raw().as_ptr(), data);
        Ok(units)
    }
}

/// Takes a pending exception away.
pub(super) fn clear_exception(ctx: &Ctx<'_>) {
    drop(ctx.catch());
}

/// Takes a value that the engine handed over, and turns an exception into an error.
///
/// # Safety
/// The value is of this context, and its reference is the caller's to give.
unsafe fn take<'js>(ctx: &Ctx<'js>, raw: qjs::JSValue) -> Answer<Value<'js>> {
    // SAFETY: as the caller promises.
    let value = unsafe { Value::from_raw(ctx.clone(), raw) };
    if value.is_exception() {
        clear_exception(ctx);
        return Err(Failed);
    }
    Ok(value)
}

/// Defines an element of an array as a plain one, whatever the prototypes of arrays have become.
///
/// # Errors
/// The engine's exception is pending, for the script to catch.
pub(super) fn define_index<'js>(array: &Value<'js>, index: u32, value: Value<'js>) -> rquickjs::Result<()> {
    let ctx = array.ctx();
    let flags = qjs::JS_PROP_C_W_E as c_int;
    // SAFETY: array and value are of this context; the call takes over the count that is made for it.
    let defined = unsafe {
        let raw = ctx.as_raw().as_ptr();
        qjs::JS_DefinePropertyValueUint32(raw, array.as_raw(), index, qjs::JS_DupValue(raw, value.as_raw()), flags)
    };
    if defined < 0 { Err(rquickjs::Error::Exception) } else { Ok(()) }
}

/// Defines a property that calls functions of ours, in place of what stands there.
pub(super) fn define_accessor<'js>(
    object: &Value<'js>,
    key: &Key<'js>,
    get: Value<'js>,
    set: Value<'js>,
) -> Answer<()> {
    let ctx = object.ctx();
    let flags = (qjs::JS_PROP_CONFIGURABLE | qjs::JS_PROP_HAS_CONFIGURABLE | qjs::JS_PROP_HAS_ENUMERABLE) as c_int;
    // SAFETY: all values are of this context; the call takes over the counts that are made for the functions.
    let defined = unsafe {
        let raw = ctx.as_raw().as_ptr();
        let (get, set) = (qjs::JS_DupValue(raw, get.as_raw()), qjs::JS_DupValue(raw, set.as_raw()));
        qjs::JS_DefinePropertyGetSet(raw, object.as_raw(), key.atom, get, set, flags)
    };
    if defined < 0 {
        clear_exception(ctx);
        return Err(Failed);
    }
    Ok(())
}

/// Reads an element of an array that is plain data; getters are not asked.
pub(super) fn own_index<'js>(array: &Value<'js>, index: u32) -> Option<Value<'js>> {
    let key = Key::index(array.ctx(), index).ok()?;
    own_property(array, &key).ok()??.into_data()
}

/// Lists the private fields of an object: their keys are symbols that no script can get hold of.
pub(super) fn private_keys<'js>(value: &Value<'js>) -> Answer<Keys<'js>> {
    Keys::list(value, qjs::JS_GPN_PRIVATE_MASK)
}
