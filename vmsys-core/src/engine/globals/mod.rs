//! What scripts find: the host's clock and dice, timers, the console, and `process`.

mod console;
mod process;
mod run_module;

use std::rc::{Rc, Weak};

use rquickjs::function::Rest;
use rquickjs::object::Property;
use rquickjs::{Ctx, Exception, Function, Object, Result, Value};

pub(super) use self::console::{ConsoleState, emit};
pub(super) use self::process::{ProcessGlobal, RunView, process};
pub(super) use self::run_module::RunModule;
use super::builtins;
use super::bytecode::Script;
use super::realm::World;
use super::timers::Kind;
use crate::isolation::protocol::RealmConfig;

static PRELUDE: Script = Script::new("vm:prelude", include_str!("prelude.js"));

/// Installs everything, before any code of a guest has run.
pub(super) fn install(ctx: &Ctx<'_>, world: &Rc<World>, config: &RealmConfig) -> Result<()> {
    process::install(ctx, world)?;
    run_prelude(ctx, world)?;
    install_timers(ctx, world)?;
    if config.console {
        console::install(ctx, world)?;
    }
    Ok(())
}

/// Sets the globals that a template grants.
pub(super) fn install_granted(ctx: &Ctx<'_>, config: &RealmConfig) -> Result<()> {
    for (name, value) in &config.granted.globals {
        let value: Value<'_> = ctx.json_parse(value.as_str())?;
        ctx.globals().prop(name.as_str(), Property::from(value).writable().configurable().enumerable())?;
    }
    Ok(())
}

fn run_prelude(ctx: &Ctx<'_>, world: &Rc<World>) -> Result<()> {
    let Some(prelude) = PRELUDE.run(ctx)?.into_function() else {
        return Err(Exception::throw_message(ctx, "the prelude is no function"));
    };
    let now = native(ctx, world, "now", |_, world, _| Ok(world.clock.now_ms() as f64))?;
    let random = native(ctx, world, "random", |_, world, _| Ok(world.dice.borrow_mut().f64()))?;
    let part = builtins::part_function(ctx, world)?;
    let process = process(ctx, world)?;
    let globals = builtins::lazy_globals(ctx, &world.granted)?;
    prelude.call::<_, ()>((now, random, part, globals, process, builtins::lazy_members(ctx)?))
}

fn install_timers(ctx: &Ctx<'_>, world: &Rc<World>) -> Result<()> {
    let kinds = [("setTimeout", Kind::Timeout), ("setInterval", Kind::Interval), ("setImmediate", Kind::Immediate)];
    for (name, kind) in kinds {
        let set = native(ctx, world, name, move |ctx, world, args| Ok(world.timers.set(ctx, kind, args)? as f64))?;
        define(&ctx.globals(), name, set)?;
    }
    for name in ["clearTimeout", "clearInterval", "clearImmediate"] {
        let clear = native(ctx, world, name, |_, world, args| {
            if let Some(id) = args.0.first() {
                world.timers.clear(id);
            }
            Ok(())
        })?;
        define(&ctx.globals(), name, clear)?;
    }
    Ok(())
}

/// Defines a property as built-in ones are: writable, configurable, not enumerable. Calls no setter.
pub(super) fn define<'js, V: rquickjs::IntoJs<'js>>(object: &Object<'js>, name: &str, value: V) -> Result<()> {
    object.prop(name, Property::from(value).writable().configurable())
}

/// Makes a function of ours that scripts can call.
///
/// A panic in it becomes an exception of the script's: rquickjs would carry it on at some later, unrelated place.
pub(super) fn native<'js, R, F>(ctx: &Ctx<'js>, world: &Rc<World>, name: &str, body: F) -> Result<Function<'js>>
where
    R: rquickjs::IntoJs<'js> + 'js,
    F: Fn(&Ctx<'js>, &Rc<World>, Rest<Value<'js>>) -> Result<R> + 'js,
{
    // Weak: the realm owns the world, and the world must be gone before the engine is.
    let world: Weak<World> = Rc::downgrade(world);
    let function = move |ctx: Ctx<'js>, args: Rest<Value<'js>>| -> Result<R> {
        let Some(world) = world.upgrade() else {
            return Err(Exception::throw_message(&ctx, "the runtime is being closed"));
        };
        let run = std::panic::AssertUnwindSafe(|| body(&ctx, &world, args));
        std::panic::catch_unwind(run).unwrap_or_else(|_| {
            tracing::error!("a function of the host panicked");
            Err(Exception::throw_message(&ctx, "internal error in a function of the host"))
        })
    };
    Function::new(ctx.clone(), function)?.with_name(name)
}
