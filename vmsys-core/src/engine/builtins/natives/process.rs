//! What `process` needs of the realm: its own object, and the way to the host's outputs.

use std::rc::Rc;

use rquickjs::{Ctx, Exception, Result, Value};

use super::{Native, text_argument};
use crate::engine::builtins::argument;
use crate::engine::globals;
use crate::engine::realm::World;
use crate::event::Payload;

/// `write(fd, text)`: the one function of a part's that is an effect; it is an event, as what the console writes.
pub(in crate::engine::builtins) const OUTPUT: &[Native] = &[Native { name: "write", body: write }];
/// `process()`.
pub(in crate::engine::builtins) const PROCESS: &[Native] = &[Native { name: "process", body: process }];

/// The script ends here when the host takes no more.
fn write<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let text = text_argument(args, 1, ctx, world)?;
    let is_error = argument(args, 0, ctx).as_int() == Some(2);
    globals::emit(ctx, world, if is_error { Payload::Stderr { text } } else { Payload::Stdout { text } })?;
    Ok(Value::new_undefined(ctx.clone()))
}

/// The object that the global `process` names, whatever a script has put under that name.
fn process<'js>(ctx: &Ctx<'js>, world: &Rc<World>, _: &[Value<'js>]) -> Result<Value<'js>> {
    match globals::process(ctx, world)? {
        Some(process) => Ok(process.into_value()),
        None => Err(Exception::throw_message(ctx, "there is no process")),
    }
}
