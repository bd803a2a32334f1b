//! `module`, `exports`, `__filename` and `__dirname` in the run of a file: a file that ends with `module.exports = …` can
//! be run as well as required.
//!
//! `module` is made when it is touched, by code of ours in JavaScript: within the limits of the run, because a guest can
//! have replaced what that code uses.

use std::cell::RefCell;
use std::rc::Rc;

use rquickjs::object::Property;
use rquickjs::{Ctx, Function, Object, Persistent, Result, Value};

use super::native;
use crate::engine::raw::{self, Content, Key};
use crate::engine::realm::World;
use crate::engine::{builtins, ffi};

/// The names that are there for a run only.
const NAMES: [&str; 4] = ["module", "exports", "__filename", "__dirname"];

/// The `module` of the run that is going on.
#[derive(Default)]
pub(in crate::engine) struct RunModule {
    /// The file that is being run.
    path: RefCell<Option<String>>,
    /// Its `module`, once it was touched.
    module: RefCell<Option<Persistent<Value<'static>>>>,
}

impl RunModule {
    /// Puts the names in place. What a script has made unchangeable stays.
    pub(in crate::engine) fn enter(ctx: &Ctx<'_>, world: &Rc<World>, path: &str) -> Result<()> {
        let file = format!("{}/{path}", world.modules.root());
        let directory = file.rsplit_once('/').map_or("", |(directory, _)| directory);
        *world.run_module.path.borrow_mut() = Some(path.to_owned());
        let globals = ctx.globals();
        for (name, value) in [("__filename", file.as_str()), ("__dirname", directory)] {
            super::process::or_leave(ctx, globals.prop(name, Property::from(value).writable().configurable()));
        }
        for name in ["module", "exports"] {
            let (path, file) = (path.to_owned(), file.clone());
            let get = native(ctx, world, name, move |ctx, world, _| {
                let module = Self::module(ctx, world, &path, &file)?;
                let value = if name == "module" { module.into_value() } else { module.get("exports")? };
                set(ctx, name, &value);
                Ok(value)
            })?;
            let set = native(ctx, world, name, move |ctx, _, args| {
                set(ctx, name, &args.0.first().cloned().unwrap_or_else(|| Value::new_undefined(ctx.clone())));
                Ok(())
            })?;
            if let Ok(key) = Key::name(ctx, name) {
                // What is in the way stays.
                _ = raw::define_accessor(globals.as_value(), &key, get.into_value(), set.into_value());
            }
        }
        Ok(())
    }

    /// The `module` of a file that is being run: others of its cycle require the run, and not a second module.
    pub(in crate::engine) fn of<'js>(ctx: &Ctx<'js>, world: &Rc<World>, path: &str) -> Option<Result<Object<'js>>> {
        let is_run = world.run_module.path.borrow().as_deref() == Some(path);
        is_run.then(|| Self::module(ctx, world, path, &format!("{}/{path}", world.modules.root())))
    }

    fn module<'js>(ctx: &Ctx<'js>, world: &Rc<World>, path: &str, file: &str) -> Result<Object<'js>> {
        let known = world.run_module.module.borrow().clone();
        if let Some(known) = known {
            return known.restore(ctx)?.into_object().ok_or(rquickjs::Error::Unknown);
        }
        let enter: Function<'js> = builtins::part(ctx, world, "commonjs")?.get("enterRun")?;
        let module: Object<'js> = enter.call((path, file))?;
        *world.run_module.module.borrow_mut() = Some(Persistent::save(ctx, module.clone().into_value()));
        Ok(module)
    }

    /// Takes the names away, but for those to which the file gave a value of its own.
    pub(in crate::engine) fn leave(ctx: &Ctx<'_>, world: &World) {
        world.run_module.path.borrow_mut().take();
        let module = world.run_module.module.borrow_mut().take().and_then(|module| module.restore(ctx).ok());
        let globals = ctx.globals();
        for name in NAMES {
            let Ok(key) = Key::name(ctx, name) else { continue };
            let Ok(Some(property)) = raw::own_property(globals.as_value(), &key) else { continue };
            let is_ours = match (name, property.content) {
                ("__filename" | "__dirname", _) | (_, Content::Accessor { .. }) => true,
                ("module", Content::Data(value)) => module.as_ref().is_some_and(|ours| ffi::same_object(ours, &value)),
                // It is what `module` began with; a file that sets it means no global.
                (_, Content::Data(_)) => true,
            };
            if is_ours {
                super::process::or_leave(ctx, globals.remove(name));
            }
        }
    }
}

fn set<'js>(ctx: &Ctx<'js>, name: &str, value: &Value<'js>) {
    super::process::or_leave(ctx, ctx.globals().prop(name, Property::from(value.clone()).writable().configurable()));
}
