//! What `require` needs of the engine: who calls, modules that are no files, and functions out of texts.

use std::rc::Rc;

use rquickjs::{Ctx, Exception, IntoJs, Result, Value};

use super::Native;
use crate::engine::builtins::{argument, loadable_modules, module, module_name};
use crate::engine::realm::World;
use crate::engine::{cross, ffi, modules};

pub(in crate::engine::builtins) const NATIVES: &[Native] = &[
    Native { name: "caller", body: caller },
    Native { name: "builtin", body: builtin },
    Native { name: "compile", body: compile },
    Native { name: "job", body: job },
    Native { name: "evaluate", body: evaluate },
];

pub(in crate::engine::builtins) const MODULE_NATIVES: &[Native] =
    &[Native { name: "isModule", body: is_module }, Native { name: "moduleNames", body: module_names }];

/// `caller(levels)`: the name of the script whose function called, so many calls up; empty when it has none.
fn caller<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let levels = argument(args, 0, ctx).as_int().unwrap_or(0);
    ffi::caller(ctx, levels).map_or_else(String::new, |name| world.modules.file_of(&name)).into_js(ctx)
}

/// `builtin(name)`: the exports of a module that is no file; `undefined` when it may be one.
fn builtin<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    match module(ctx, world, &text(ctx, args, 0)?) {
        Some(exports) => exports.map(rquickjs::Object::into_value),
        None => Ok(Value::new_undefined(ctx.clone())),
    }
}

/// `isModule(name)`: whether a name is that of a module that is no file, granted or not.
fn is_module<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    Ok(Value::new_bool(ctx.clone(), module_name(world, &text(ctx, args, 0)?).is_some()))
}

/// `moduleNames()`: the modules that are no files and can be loaded.
fn module_names<'js>(ctx: &Ctx<'js>, world: &Rc<World>, _: &[Value<'js>]) -> Result<Value<'js>> {
    loadable_modules(world).into_js(ctx)
}

/// `job()`: a number that no other execution of the realm has.
fn job<'js>(ctx: &Ctx<'js>, world: &Rc<World>, _: &[Value<'js>]) -> Result<Value<'js>> {
    Ok(Value::new_number(ctx.clone(), world.jobs.get() as f64))
}

/// `compile(path, source)`: the function around a CommonJS module; `null` when it is an ES module.
fn compile<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let (path, source) = (text(ctx, args, 0)?, text(ctx, args, 1)?);
    match modules::compile_common(ctx, world, &path, &source)? {
        Some(function) => Ok(function),
        None => Ok(Value::new_null(ctx.clone())),
    }
}

/// `evaluate(path, marked)`: the namespace of an ES module.
fn evaluate<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    modules::require(ctx, world, &text(ctx, args, 0)?, argument(args, 1, ctx).as_bool() == Some(true))
}

fn text<'js>(ctx: &Ctx<'js>, args: &[Value<'js>], at: usize) -> Result<String> {
    cross::string(&argument(args, at, ctx)).map_err(|_| Exception::throw_type(ctx, "not a string"))
}
