//! Loading and linking: attempts that leave nothing behind when they fail, and errors that say what was written.

use std::collections::HashMap;

use rquickjs::object::Property;
use rquickjs::{Ctx, Result, Value, qjs};

use super::definition;
use crate::engine::ffi::{self, Evaluated};
use crate::engine::realm::World;

/// Links a module and begins to run it: gives the promise of its end.
///
/// # Errors
/// It imports what is not exported. The error names the module as it was written, which the engine does not know.
pub(super) fn run<'js>(ctx: &Ctx<'js>, world: &World, module: &Value<'js>) -> Result<Value<'js>> {
    match ffi::run_module(ctx, module) {
        Evaluated::Promise(promise) | Evaluated::Value(promise) => return Ok(promise),
        Evaluated::Threw | Evaluated::Malformed => {}
    }
    let error = ctx.catch();
    let message = ffi::own_data_property(ctx, &error, "message");
    let message = message.and_then(|message| message.as_string()?.to_string().ok());
    if let Some(message) = message.and_then(|message| as_written(&message, &world.modules.written.borrow()))
        && let Some(error) = error.as_object()
    {
        error.prop("message", Property::from(message).writable().configurable())?;
    }
    Err(ctx.throw(error))
}

/// What the engine says of a module, with the name that was written for it.
fn as_written(message: &str, written: &HashMap<String, String>) -> Option<String> {
    let (before, rest) = message.rsplit_once(" module '")?;
    let (name, after) = rest.split_once('\'')?;
    Some(format!("{before} module '{}'{after}", written.get(name)?))
}

/// Makes an attempt to load a module with all that it imports.
///
/// When one of them cannot be loaded, the engine frees it while others of the same attempt may point to it already (those
/// of a cycle do), and would find those by their names. So nothing that an attempt has loaded is ever found again when the
/// attempt fails: the next one gives its files other names. Attempts nest: one that fails takes those within along, and
/// those without only if the failure is theirs, too.
pub(super) fn attempt<T>(world: &World, body: impl FnOnce() -> Result<T>) -> Result<T> {
    let modules = &world.modules;
    let begun = modules.fresh.borrow().len();
    modules.depth.set(modules.depth.get() + 1);
    let result = body();
    modules.depth.set(modules.depth.get() - 1);
    if result.is_err() {
        let failed: Vec<String> = modules.fresh.borrow_mut().drain(begun..).collect();
        for path in failed {
            modules.rename(&path);
        }
    }
    if modules.depth.get() == 0 {
        modules.fresh.borrow_mut().clear();
        modules.written.borrow_mut().clear();
    }
    result
}

/// Notes that a module was loaded, and links and runs it when it is the one that was asked for, which the engine does next
/// anyway: here its error can say what was written.
pub(super) fn loaded<'js>(
    ctx: &Ctx<'js>,
    world: &World,
    module: &Value<'js>,
    path: &str,
) -> Result<*mut qjs::JSModuleDef> {
    world.modules.fresh.borrow_mut().push(path.to_owned());
    if world.modules.depth.get() == 1 {
        // The engine waits for the same promise.
        drop(run(ctx, world, module)?);
    }
    Ok(definition(module))
}
