//! `process`, and what a run of a file sees of its command line.

use std::rc::Rc;

use rquickjs::object::Property;
use rquickjs::{Ctx, IntoJs as _, Object, Persistent, Result, Value};

use super::{define, native};
use crate::engine::realm::World;
use crate::execution::JsonObject;
use crate::isolation::protocol::{PROGRAM, ProcessView};
use crate::value::JsonText;

/// The object that `process` names, kept so that a run's view can be put into it whatever scripts do to the name.
pub(in crate::engine) struct ProcessGlobal(Persistent<Object<'static>>);

pub(super) fn install(ctx: &Ctx<'_>, world: &Rc<World>) -> Result<()> {
    let process = Object::new(ctx.clone())?;
    replace(ctx, &process, "platform", "linux".into_js(ctx)?);
    let cwd = native(ctx, world, "cwd", |_, world, _| Ok(world.modules.root()))?;
    replace(ctx, &process, "cwd", cwd.into_value());
    define(&ctx.globals(), "process", process.clone())?;
    *world.process.borrow_mut() = Some(ProcessGlobal(Persistent::save(ctx, process)));
    RunView::show_none(ctx, world)
}

/// The object, once it is made.
pub(in crate::engine) fn process<'js>(ctx: &Ctx<'js>, world: &World) -> Result<Option<Object<'js>>> {
    let process = world.process.borrow().as_ref().map(|ProcessGlobal(process)| process.clone());
    process.map(|process| process.restore(ctx)).transpose()
}

/// `__ARGS__`, `__ENV__`, `process.argv` and `process.env`, there for one run only.
///
/// Everything is defined, never set, so that no setter of a script's is called. Where a script has made one of the names
/// unchangeable it has done so to itself: the rest is still put in place.
pub(in crate::engine) struct RunView;

impl RunView {
    pub(in crate::engine) fn enter(ctx: &Ctx<'_>, world: &World, view: &ProcessView) -> Result<()> {
        let globals = ctx.globals();
        // What an earlier script declared under these names would hide what this run is given.
        if let Some(declarations) = &world.declarations {
            declarations.forget(ctx, &["__ARGS__", "__ENV__", "process"]);
        }
        if let Some(process) = process(ctx, world)? {
            or_leave(ctx, define(&globals, "process", process));
        }
        replace(ctx, &globals, "__ARGS__", parse(ctx, &view.args)?);
        replace(ctx, &globals, "__ENV__", parse(ctx, &view.env)?);
        Self::show(ctx, world, parse(ctx, &view.process_argv)?, env(ctx, world, Some(&view.process_env))?)
    }

    pub(in crate::engine) fn leave(ctx: &Ctx<'_>, world: &World) -> Result<()> {
        for name in ["__ARGS__", "__ENV__"] {
            or_leave(ctx, ctx.globals().remove(name));
        }
        Self::show_none(ctx, world)
    }

    fn show_none(ctx: &Ctx<'_>, world: &World) -> Result<()> {
        Self::show(ctx, world, ctx.json_parse(format!("[{PROGRAM:?}]"))?, env(ctx, world, None)?)
    }

    fn show<'js>(ctx: &Ctx<'js>, world: &World, argv: Value<'js>, env: Value<'js>) -> Result<()> {
        let Some(process) = process(ctx, world)? else { return Ok(()) };
        replace(ctx, &process, "argv", argv);
        replace(ctx, &process, "env", env);
        Ok(())
    }
}

/// What the template grants, and what a run adds to it or puts in its place.
fn env<'js>(ctx: &Ctx<'js>, world: &World, of_run: Option<&JsonText>) -> Result<Value<'js>> {
    let granted = world.granted.env.iter().map(|(name, value)| (name.clone(), value.clone().into()));
    let mut env: JsonObject = granted.collect();
    if let Some(of_run) = of_run {
        env.extend(of_run.decode::<JsonObject>().unwrap_or_default());
    }
    ctx.json_parse(serde_json::Value::Object(env).to_string())
}

fn parse<'js>(ctx: &Ctx<'js>, json: &JsonText) -> Result<Value<'js>> {
    ctx.json_parse(json.as_str())
}

fn replace<'js>(ctx: &Ctx<'js>, object: &Object<'js>, name: &str, value: Value<'js>) {
    or_leave(ctx, object.prop(name, Property::from(value).writable().configurable().enumerable()));
}

/// Goes on where a script does not let a property be changed.
pub(super) fn or_leave(ctx: &Ctx<'_>, changed: Result<()>) {
    if changed.is_err() {
        drop(ctx.catch());
    }
}
