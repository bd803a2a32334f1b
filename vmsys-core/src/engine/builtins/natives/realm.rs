//! What parts ask of the realm itself: what a value is, what time it is, and to be called later.

use std::rc::Rc;

use rquickjs::function::Rest;
use rquickjs::{Ctx, Result, Value};

use super::Native;
use crate::engine::builtins::argument;
use crate::engine::raw;
use crate::engine::realm::World;
use crate::engine::timers::Kind;

/// `classOf(value)`.
pub(in crate::engine::builtins) const CLASSES: &[Native] = &[Native { name: "classOf", body: class_of }];
/// `now()` and `origin()`, in milliseconds since 1970.
pub(in crate::engine::builtins) const CLOCK: &[Native] =
    &[Native { name: "now", body: now }, Native { name: "origin", body: origin }];
/// `backgroundTimeout(callback, ms)`.
pub(in crate::engine::builtins) const TIMERS: &[Native] =
    &[Native { name: "backgroundTimeout", body: background_timeout }];

/// The name of an object's internal class, as in `Map`, whatever its prototype is; `Proxy` for proxies, and an empty
/// text for what is no object.
fn class_of<'js>(ctx: &Ctx<'js>, _: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let value = argument(args, 0, ctx);
    let name = match value {
        value if value.is_proxy() => "Proxy",
        value if value.is_object() => {
            return raw::class_name(&value).map_err(|_| rquickjs::Exception::throw_type(ctx, "an object of no class"));
        }
        _ => "",
    };
    rquickjs::IntoJs::into_js(name, ctx)
}

fn now<'js>(ctx: &Ctx<'js>, world: &Rc<World>, _: &[Value<'js>]) -> Result<Value<'js>> {
    Ok(Value::new_number(ctx.clone(), world.clock.now_ms() as f64))
}

fn origin<'js>(ctx: &Ctx<'js>, world: &Rc<World>, _: &[Value<'js>]) -> Result<Value<'js>> {
    Ok(Value::new_number(ctx.clone(), world.clock.origin_ms() as f64))
}

/// A timer that does not keep an execution alive which has nothing else to do.
fn background_timeout<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let id = world.timers.set(ctx, Kind::Background, Rest(args.to_vec()))?;
    Ok(Value::new_number(ctx.clone(), id as f64))
}
