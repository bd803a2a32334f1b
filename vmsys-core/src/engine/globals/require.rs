//! `require`: modules that are no files.

use std::rc::Rc;

use rquickjs::{Ctx, Exception, Result};

use super::{define, native};
use crate::engine::builtins;
use crate::engine::realm::World;

pub(super) fn install(ctx: &Ctx<'_>, world: &Rc<World>) -> Result<()> {
    let require = native(ctx, world, "require", |ctx, world, args| {
        let Some(name) = args.0.first().and_then(|name| name.as_string()?.to_string().ok()) else {
            return Err(Exception::throw_type(ctx, "The \"id\" argument must be of type string"));
        };
        match builtins::module(ctx, world, &name) {
            Some(exports) => exports,
            None => Err(Exception::throw_message(ctx, &format!("Cannot find module '{name}'"))),
        }
    })?;
    define(&ctx.globals(), "require", require)
}
