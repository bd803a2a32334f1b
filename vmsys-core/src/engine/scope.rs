//! The table in which the engine keeps the top-level `let`, `const` and `class` names of a realm.
//!
//! It is a plain object that no script can reach. The engine looks a name up in it each time that the name is used, so
//! an entry that is taken out can be declared again, and every closure sees the newest declaration. The C interface has
//! no way to this object: [`find`] takes it out of the context, where it stands right behind the global object.
//!
//! Nothing here runs code of a guest: the tables have neither accessors nor a prototype.
#![expect(unsafe_code, reason = "calls the engine's C interface, and reads one field of its context")]

use std::ffi::CStr;

use rquickjs::object::Filter;
use rquickjs::{Ctx, Object, Value, qjs};

use super::ffi;

/// The engine versions whose context was read to look as [`find`] expects.
const KNOWN_VERSION: &[u8] = b"0.16.";
/// A name that is declared to see whether a table is the right one.
const PROBE: &str = "__vmsys_scope_probe__";

/// A name's entry in a table.
pub(super) enum Entry<'js> {
    Absent,
    /// Its declaration has not been evaluated.
    Uninitialised,
    /// Its value, and whether it can be assigned to.
    Value(Value<'js>, Flags),
}

/// The flags of a property, as the engine has them.
#[derive(Clone, Copy)]
pub(super) struct Flags(std::ffi::c_int);

/// Finds the table of a fresh realm; `None` when this build of the engine is not laid out as expected.
///
/// Must be called before any code of a guest has run.
pub(super) fn find<'js>(ctx: &Ctx<'js>) -> Option<Object<'js>> {
    // SAFETY: the engine returns a static string.
    let version = unsafe { CStr::from_ptr(qjs::JS_GetVersion()) };
    if !version.to_bytes().starts_with(KNOWN_VERSION) {
        return None;
    }
    let table = behind_global_object(ctx)?.into_object()?;
    // What a script declares must turn up in it.
    drop(ffi::evaluate(ctx, &format!("let {PROBE} = 1"), "probe", false));
    let right = matches!(entry(&table, PROBE), Entry::Value(value, _) if value.as_int() == Some(1));
    remove(&table, PROBE);
    right.then_some(table)
}

/// The value that follows the global object among the fields of the context.
fn behind_global_object<'js>(ctx: &Ctx<'js>) -> Option<Value<'js>> {
    /// More bytes than stand before the global object in the context.
    const REACH: usize = 2048;
    let globals = ctx.globals();
    let wanted = globals.as_raw();
    let fields = ctx.as_raw().as_ptr().cast::<u8>();
    for offset in (0..REACH).step_by(align_of::<qjs::JSValue>()) {
        // SAFETY: the context is one zeroed allocation, aligned as a value is. The global object is among its fields
        // (`JS_GetGlobalObject` reads it there), and the loop ends when it gets to it; what is read before is only
        // compared, bit by bit. The field behind it is read too: in the known versions that is `global_var_obj`.
        let (field, next) = unsafe {
            let at = fields.add(offset).cast::<qjs::JSValue>();
            (at.read(), at.add(1))
        };
        // SAFETY: this takes the values apart and follows no pointer.
        let found = unsafe {
            qjs::JS_VALUE_GET_TAG(field) == qjs::JS_TAG_OBJECT
                && qjs::JS_VALUE_GET_PTR(field) == qjs::JS_VALUE_GET_PTR(wanted)
        };
        if found {
            // SAFETY: see above. A field that bears an object's tag is an object of this context; it gets a count of
            // its own before it goes into a `Value`, which gives it back.
            return unsafe {
                let table = next.read();
                let is_object = qjs::JS_VALUE_GET_TAG(table) == qjs::JS_TAG_OBJECT;
                is_object.then(|| Value::from_raw(ctx.clone(), qjs::JS_DupValue(ctx.as_raw().as_ptr(), table)))
            };
        }
    }
    None
}

/// All names in a table, oldest first.
pub(super) fn names(table: &Object<'_>) -> Vec<String> {
    table.own_keys::<String>(Filter::new().string()).filter_map(Result::ok).collect()
}

/// Looks a name up. On any object, without calling a getter or looking at the prototypes.
pub(super) fn entry<'js>(table: &Object<'js>, name: &str) -> Entry<'js> {
    let ctx = table.ctx();
    let mut found = qjs::JSPropertyDescriptor {
        flags: 0,
        value: qjs::JS_UNDEFINED,
        getter: qjs::JS_UNDEFINED,
        setter: qjs::JS_UNDEFINED,
    };
    let Some(atom) = Atom::of(ctx, name) else { return Entry::Absent };
    // SAFETY: context, object and atom are alive. When the call returns 1 the three values are ours: those that are
    // not the mark of an uninitialised entry, which must never get into a script's hands, go into a `Value` each.
    unsafe {
        match qjs::JS_GetOwnProperty(ctx.as_raw().as_ptr(), &raw mut found, table.as_raw(), atom.atom) {
            1 => {
                drop(Value::from_raw(ctx.clone(), found.getter));
                drop(Value::from_raw(ctx.clone(), found.setter));
                if qjs::JS_VALUE_GET_TAG(found.value) == qjs::JS_TAG_UNINITIALIZED {
                    return Entry::Uninitialised;
                }
                Entry::Value(Value::from_raw(ctx.clone(), found.value), Flags(found.flags))
            }
            0 => Entry::Absent,
            _ => {
                drop(ctx.catch());
                Entry::Absent
            }
        }
    }
}

/// Puts a name into a table; false when there was no memory for it.
pub(super) fn define<'js>(table: &Object<'js>, name: &str, value: &Value<'js>, flags: Flags) -> bool {
    let ctx = table.ctx();
    let Some(atom) = Atom::of(ctx, name) else { return false };
    // SAFETY: context, object, atom and value are alive; the call takes over the count that is made for it.
    let defined = unsafe {
        let raw = ctx.as_raw().as_ptr();
        let value = qjs::JS_DupValue(raw, value.as_raw());
        qjs::JS_DefinePropertyValue(raw, table.as_raw(), atom.atom, value, flags.0)
    };
    if defined < 0 {
        drop(ctx.catch());
    }
    defined == 1
}

/// Takes a name out of a table.
pub(super) fn remove(table: &Object<'_>, name: &str) {
    let ctx = table.ctx();
    let Some(atom) = Atom::of(ctx, name) else { return };
    // SAFETY: context, object and atom are alive.
    if unsafe { qjs::JS_DeleteProperty(ctx.as_raw().as_ptr(), table.as_raw(), atom.atom, 0) } < 0 {
        drop(ctx.catch());
    }
}

/// Moves a name from one table to another, over what stands there. What has no value yet is worth nothing and is dropped.
pub(super) fn transfer<'js>(from: &Object<'js>, to: &Object<'js>, name: &str) {
    match entry(from, name) {
        Entry::Absent => {}
        Entry::Uninitialised => remove(from, name),
        Entry::Value(value, flags) => {
            remove(to, name);
            if define(to, name, &value, flags) {
                remove(from, name);
            }
        }
    }
}

impl Flags {
    pub(super) const CONST: Self = Self((qjs::JS_PROP_CONFIGURABLE | qjs::JS_PROP_ENUMERABLE) as _);

    /// Whether the name can be assigned to.
    pub(super) fn is_writable(self) -> bool {
        self.0 & qjs::JS_PROP_WRITABLE as std::ffi::c_int != 0
    }
}

/// A name as the engine keeps it.
struct Atom<'a, 'js> {
    ctx: &'a Ctx<'js>,
    atom: qjs::JSAtom,
}

impl<'a, 'js> Atom<'a, 'js> {
    fn of(ctx: &'a Ctx<'js>, name: &str) -> Option<Self> {
        // SAFETY: the context is alive, and the text is as long as is said.
        let atom = unsafe { qjs::JS_NewAtomLen(ctx.as_raw().as_ptr(), name.as_ptr().cast(), name.len() as _) };
        if atom == qjs::JS_ATOM_NULL {
            drop(ctx.catch());
            return None;
        }
        Some(Self { ctx, atom })
    }
}

impl Drop for Atom<'_, '_> {
    fn drop(&mut self) {
        // SAFETY: the context is alive, and the atom is ours.
        unsafe { qjs::JS_FreeAtom(self.ctx.as_raw().as_ptr(), self.atom) };
    }
}
