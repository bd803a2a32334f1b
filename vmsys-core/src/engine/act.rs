//! What a host does in a realm without any code of its own: calling a function, setting a global.
//!
//! Only names are read as code, and whoever sent them has checked that they are names. Data goes in as values.

use std::rc::Rc;

use rquickjs::function::Args;
use rquickjs::object::Property;
use rquickjs::{Ctx, Exception, Function, Object, Result, Value};

use super::cross;
use super::ffi::{self, Evaluated};
use super::realm::World;
use crate::value::Value as Data;

/// Calls what a path of names leads to, as `tools.add`, with `tools` as its `this`.
pub(super) fn call<'js>(ctx: &Ctx<'js>, world: &Rc<World>, path: &str, name: &str, args: &[Data]) -> Evaluated<'js> {
    evaluated(try_call(ctx, world, path, name, args))
}

/// Gives a global a value: what was declared is assigned to, and what was not becomes a property of the global object.
pub(super) fn set<'js>(ctx: &Ctx<'js>, world: &Rc<World>, global: &str, name: &str, value: &Data) -> Evaluated<'js> {
    evaluated(try_set(ctx, world, global, name, value))
}

fn evaluated(result: Result<Value<'_>>) -> Evaluated<'_> {
    result.map_or(Evaluated::Threw, Evaluated::Value)
}

fn try_call<'js>(ctx: &Ctx<'js>, world: &Rc<World>, path: &str, name: &str, args: &[Data]) -> Result<Value<'js>> {
    if let Some(declarations) = &world.declarations {
        declarations.begin_without();
    }
    let (this, function) = match path.rsplit_once('.') {
        None => (Value::new_undefined(ctx.clone()), read(ctx, path, name)?),
        Some((owner, method)) => {
            let owner = read(ctx, owner, name)?;
            let function = match owner.as_object() {
                Some(object) => object.get(method)?,
                // Of a string or a number; or what fails, as it fails in a script.
                None => read(ctx, path, name)?,
            };
            (owner, function)
        }
    };
    let Ok(function) = Function::from_value(function) else {
        return Err(Exception::throw_type(ctx, &format!("{path} is not a function")));
    };
    let mut given = Args::new(ctx.clone(), args.len());
    given.this(this)?;
    for arg in args {
        given.push_arg(cross::to_guest(ctx, &world.intrinsics, arg)?)?;
    }
    function.call_arg(given)
}

fn try_set<'js>(ctx: &Ctx<'js>, world: &Rc<World>, global: &str, name: &str, value: &Data) -> Result<Value<'js>> {
    let is_declared = world.declarations.as_ref().is_some_and(|declarations| {
        declarations.begin_without();
        declarations.has(ctx, global)
    });
    let value = cross::to_guest(ctx, &world.intrinsics, value)?;
    let globals: Object<'js> = ctx.globals();
    if is_declared || globals.contains_key(global)? {
        // Strict, so that what cannot be assigned to says so.
        let assign = read(ctx, &format!("(function () {{ 'use strict'; {global} = arguments[0] }})"), name)?;
        let Ok(assign) = Function::from_value(assign) else { return Err(rquickjs::Error::Unknown) };
        assign.call::<_, Value<'js>>((value,))
    } else {
        globals.prop(global, Property::from(value).writable().enumerable().configurable())?;
        Ok(Value::new_undefined(ctx.clone()))
    }
}

/// Evaluates what consists of names and nothing else.
fn read<'js>(ctx: &Ctx<'js>, names: &str, name: &str) -> Result<Value<'js>> {
    ffi::expression(ctx, names, name, 1, false).ok_or(rquickjs::Error::Exception)
}
