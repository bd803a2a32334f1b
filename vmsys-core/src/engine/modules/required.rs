//! ES modules that are required: evaluated at once, which is possible where none of them awaits.
//!
//! A module of ours that re-exports the wanted one is compiled, so that the engine finds, loads and links by its own ways.
#![expect(unsafe_code, reason = "asks the engine for a module's namespace")]

use std::rc::Rc;

use rquickjs::promise::PromiseState;
use rquickjs::{Ctx, Exception, Result, Value, qjs};

use super::evaluated::NotNow;
use super::{attempt, definition, run};
use crate::engine::cross;
use crate::engine::ffi;
use crate::engine::realm::World;
use crate::value::CallError;

/// Gives the namespace of an ES module, by its path in the worktree; when it is to be `marked`, one with the same exports
/// and `__esModule`, by which what was compiled to CommonJS knows to look for `default`.
pub(in crate::engine) fn require<'js>(
    ctx: &Ctx<'js>,
    world: &Rc<World>,
    path: &str,
    marked: bool,
) -> Result<Value<'js>> {
    let refuse = |code: &str, message: String| {
        cross::throw(ctx, &world.intrinsics, &CallError::new("Error", message).with_code(code))
    };
    let Some(records) = &world.modules.records else {
        let message = format!("require() of ES module {path} is not supported: use import() instead");
        return Err(refuse("ERR_REQUIRE_ESM", message));
    };
    let target = serde_json::Value::from(format!("./{path}"));
    let source = if marked {
        format!("export * from {target}; export {{ default }} from {target}; export const __esModule = true;")
    } else {
        format!("export * as namespace from {target};")
    };
    let (module, evaluated) = attempt(world, || {
        let module = ffi::compile_module(ctx, &source, "vm:require").ok_or(rquickjs::Error::Exception)?;
        let evaluated = match records.check_evaluable(definition(&module)) {
            Ok(()) => Ok(run(ctx, world, &module)?),
            Err(not_now) => Err(not_now),
        };
        Ok((module, evaluated))
    })?;
    let awaits = || {
        let message = format!(
            "require() cannot be used on {path}: it, or a module that it imports, has a top-level await. Use import() instead"
        );
        refuse("ERR_REQUIRE_ASYNC_MODULE", message)
    };
    let evaluated = match evaluated {
        Ok(evaluated) => evaluated,
        Err(NotNow::Awaits) => return Err(awaits()),
        Err(NotNow::Cycle) => {
            let message = format!("Cannot require() ES Module {path} in a cycle");
            return Err(refuse("ERR_REQUIRE_CYCLE_MODULE", message));
        }
    };
    world.forget_rejection(&evaluated);
    ffi::mark_handled(&evaluated);
    let Some(promise) = evaluated.into_promise() else {
        return Err(Exception::throw_message(ctx, "an evaluation gave no promise"));
    };
    match promise.state() {
        PromiseState::Pending => return Err(awaits()),
        // Throws what the module threw.
        PromiseState::Rejected => drop(promise.result::<Value<'js>>().transpose()?),
        PromiseState::Resolved => {}
    }
    // SAFETY: the module is one of this context, and was linked; what comes back is ours.
    let namespace = unsafe { ffi::owned(ctx, qjs::JS_GetModuleNamespace(ctx.as_raw().as_ptr(), definition(&module))) };
    let namespace = namespace.ok_or(rquickjs::Error::Exception)?;
    if marked {
        return Ok(namespace);
    }
    namespace.as_object().ok_or(rquickjs::Error::Unknown)?.get("namespace")
}
