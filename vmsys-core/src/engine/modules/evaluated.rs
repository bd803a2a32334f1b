//! The engine's records of modules: a fault of the engine is mended there, and one question is answered.
//!
//! A module that awaits nothing itself, but imports one that does, is taken for unfinished for ever, and whatever imports
//! it later never settles: when such a module has been evaluated, the engine forgets to take back the mark that it is
//! being evaluated asynchronously. The C interface has no way to that mark. It is a field of the module's record, which is
//! reached through the list of modules that every record is a part of.
#![expect(unsafe_code, reason = "changes a field of the engine's records of modules")]

use std::collections::HashSet;
use std::ffi::{CStr, c_int, c_void};
use std::ptr::NonNull;
use std::sync::OnceLock;

use rquickjs::{Context, Ctx, Runtime, Value, qjs};

use crate::engine::ffi;

/// The engine versions whose records were read to look like [`Record`].
const KNOWN_VERSION: &[u8] = b"0.16.";
/// The status of a module whose imports are not bound yet.
const UNLINKED: u8 = 0;
/// The status of a module whose imports are bound.
const LINKED: u8 = 2;
/// The status of a module that awaits.
const EVALUATING_ASYNC: u8 = 4;
/// The status of a module that has been evaluated.
const EVALUATED: u8 = 5;

/// A link of the engine's lists.
#[repr(C)]
struct Link {
    prev: *mut Link,
    next: *mut Link,
}

/// A growing array.
#[repr(C)]
struct Entries {
    first: *mut c_void,
    count: c_int,
    size: c_int,
}

/// One of the modules that a module imports.
#[repr(C)]
struct Request {
    name: qjs::JSAtom,
    module: *mut Record,
    attributes: qjs::JSValue,
}

/// Why a module cannot be evaluated now, and to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotNow {
    /// It, or one that it imports, awaits.
    Awaits,
    /// It, or one that it imports, waits for whoever asks.
    Cycle,
}

/// `struct JSModuleDef`, up to the field that matters here.
#[repr(C)]
struct Record {
    name: qjs::JSAtom,
    link: Link,
    requests: Entries,
    exports: Entries,
    star_exports: Entries,
    imports: Entries,
    attributes: qjs::JSValue,
    namespace: qjs::JSValue,
    function: qjs::JSValue,
    init: *mut c_void,
    awaits: bool,
    resolved: bool,
    created: bool,
    status: u8,
    index: c_int,
    ancestor: c_int,
    stack: *mut c_void,
    parents: *mut c_void,
    parents_count: c_int,
    parents_size: c_int,
    pending: c_int,
    is_async: bool,
}

/// The list of a realm's modules.
pub(super) struct Records(NonNull<Link>);

impl Records {
    /// Finds the list of a fresh realm, which has no module yet; `None` when this build of the engine is not laid out as
    /// expected.
    pub(super) fn find(ctx: &Ctx<'_>) -> Option<Self> {
        static KNOWN: OnceLock<bool> = OnceLock::new();
        if !*KNOWN.get_or_init(is_as_expected) {
            tracing::warn!(
                "modules that await cannot be imported twice: this build of the engine is laid out in another way"
            );
            return None;
        }
        Self::of_first_module(ctx)
    }

    /// The first module of a realm stands between the two ends of the list.
    fn of_first_module(ctx: &Ctx<'_>) -> Option<Self> {
        // SAFETY: the context is alive. The record that comes back is one of the known version, whose name and links
        // stand where they are read; of a list with one record both links lead to the list itself, which is a part of
        // the context.
        unsafe {
            let record = qjs::JS_NewCModule(ctx.as_raw().as_ptr(), c"vm:first".as_ptr(), None).cast::<Record>();
            let link = &(*NonNull::new(record)?.as_ptr()).link;
            if link.prev != link.next {
                return None;
            }
            NonNull::new(link.prev).map(Self)
        }
    }

    /// Takes the mark from every module that has been evaluated.
    pub(super) fn mend(&self) {
        self.each(|record| {
            if record.status == EVALUATED {
                record.is_async = false;
            }
        });
    }

    /// Tells whether a module, whose imports have been looked up, can be evaluated now, and to its end.
    pub(super) fn check_evaluable(&self, module: *mut qjs::JSModuleDef) -> Result<(), NotNow> {
        let mut seen = HashSet::new();
        let mut next = vec![module.cast::<Record>()];
        while let Some(record) = next.pop() {
            if !seen.insert(record.addr()) {
                continue;
            }
            // SAFETY: the module is one of the realm's, and so is each that it imports: what could not be loaded is never
            // found again, nor is what points to it (see `attempt` in the parent); and those to come are null. Nobody else
            // looks at them meanwhile.
            let record = unsafe { record.as_ref() }.ok_or(NotNow::Cycle)?;
            match record.status {
                EVALUATED => continue,
                EVALUATING_ASYNC => return Err(NotNow::Awaits),
                UNLINKED | LINKED if record.awaits => return Err(NotNow::Awaits),
                UNLINKED | LINKED => {}
                _ => return Err(NotNow::Cycle),
            }
            let count = usize::try_from(record.requests.count).unwrap_or_default();
            let first = record.requests.first.cast::<Request>();
            // SAFETY: the engine's array has as many entries as it says.
            next.extend((0..count).map(|at| unsafe { (*first.add(at)).module }));
        }
        Ok(())
    }

    fn each(&self, mut body: impl FnMut(&mut Record)) {
        // SAFETY: the realm drops this before its context, which the list is a part of. The engine keeps the list's links
        // right, each of them in a record; nobody else looks at a record meanwhile.
        unsafe {
            let mut link = (*self.0.as_ptr()).next;
            while link != self.0.as_ptr() {
                let record = link.byte_sub(std::mem::offset_of!(Record, link)).cast::<Record>();
                link = (*link).next;
                body(&mut *record);
            }
        }
    }
}

/// Whether records look as they should: tried with a module that awaits, in a runtime of its own.
fn is_as_expected() -> bool {
    // SAFETY: the engine returns a static string.
    let version = unsafe { CStr::from_ptr(qjs::JS_GetVersion()) };
    if !version.to_bytes().starts_with(KNOWN_VERSION) {
        return false;
    }
    let Ok(runtime) = Runtime::new() else { return false };
    let Ok(context) = Context::full(&runtime) else { return false };
    context.with(|ctx| {
        let Some(records) = Records::of_first_module(&ctx) else { return false };
        let Some(module) = ffi::compile_module(&ctx, "await 0", "vm:probe") else { return false };
        let mut seen = Vec::new();
        let mut look = |_: Option<Value<'_>>| records.each(|r| seen.push((r.awaits, r.resolved, r.status, r.is_async)));
        drop(ffi::run_module(&ctx, &module));
        look(None);
        while ffi::run_pending_job(&ctx).is_some() {}
        look(None);
        let first = (false, false, UNLINKED, false);
        // While it waits, and when it is done.
        let expected = [first, (true, true, EVALUATING_ASYNC, true), first, (true, true, EVALUATED, false)];
        seen == expected && requests_are_as_expected(&ctx, &records)
    })
}

/// Whether a module that imports `vm:first`, the one module that this runtime finds by name, points to its record.
fn requests_are_as_expected(ctx: &Ctx<'_>, records: &Records) -> bool {
    let Some(importer) = ffi::compile_module(ctx, "import 'vm:first'; import 'vm:first'", "vm:importer") else {
        return false;
    };
    let mut all = Vec::new();
    records.each(|record| all.push((std::ptr::from_mut(record), record.requests.count, record.requests.first)));
    drop(importer);
    let (Some((first, 0, _)), Some((_, 1, requests))) = (all.first(), all.last()) else { return false };
    // SAFETY: the engine's array has the one entry that it says.
    unsafe { (*requests.cast::<Request>()).module == *first }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_modules_are_as_expected() {
        assert!(is_as_expected());
    }
}
