//! Libraries: run from bytecode in every new realm that is granted them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rquickjs::object::Property;
use rquickjs::{Ctx, Value};

use super::bytecode::Bytecode;
use super::describe::describe_error;
use super::realm::World;
use crate::event::Payload;
use crate::isolation::memory;
use crate::isolation::protocol::{Call, EmitRefused, Host, LibraryCode, NotMade, RealmConfig, Stop, Wake};
use crate::value::{CallError, Value as Data};

/// More libraries than anybody's templates name. A larger set is compiled again now and then.
const MOST: usize = 64;

/// Runs the libraries of a realm, each within its limits.
pub(super) fn load(ctx: &Ctx<'_>, world: &Rc<World>, config: &RealmConfig) -> Result<(), NotMade> {
    for library in &config.libraries {
        let failed = |why: &str| NotMade::Library(format!("the library {} failed: {why}", library.file));
        let code = compiled(library).map_err(|why| failed(&why))?;
        world.budget.arm(&config.limits, Rc::new(RefCell::new(Quiet)));
        let ran = run(ctx, &code, library).map_err(|_| ctx.catch());
        let ran = ran.and_then(|set| world.settle(ctx).map(|()| set));
        let stopped = world.budget.stopped();
        world.budget.disarm();
        match (stopped, ran) {
            (Some(stop), _) => return Err(failed(&format!("it passed a limit of the template ({stop:?})"))),
            (None, Ok(true)) => {}
            (None, Ok(false)) => {
                let global = library.global.as_deref().unwrap_or_default();
                return Err(failed(&format!("it did not set the global {global}")));
            }
            (None, Err(thrown)) => return Err(failed(&describe_error(ctx, &thrown, &world.intrinsics).message)),
        }
    }
    Ok(())
}

/// Runs a library, and tells whether its global is there then.
fn run<'js>(ctx: &Ctx<'js>, code: &Bytecode, library: &LibraryCode) -> rquickjs::Result<bool> {
    code.run(ctx)?;
    let globals = ctx.globals();
    let Some(global) = library.global.as_deref() else { return Ok(true) };
    let value: Value<'js> = globals.get(global)?;
    if !value.is_undefined() {
        return Ok(true);
    }
    let Some(sets) = library.sets.as_deref() else { return Ok(false) };
    let value: Value<'js> = globals.get(sets)?;
    let is_there = !value.is_undefined();
    globals.prop(global, Property::from(value).writable().configurable().enumerable())?;
    Ok(is_there)
}

/// The bytecode of a library: compiled at its first use in this program.
fn compiled(library: &LibraryCode) -> Result<Bytecode, String> {
    memory::program(|| find_or_compile(library))
}

fn find_or_compile(library: &LibraryCode) -> Result<Bytecode, String> {
    static COMPILED: OnceLock<Mutex<HashMap<String, Bytecode>>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(Mutex::default);
    let lock = || compiled.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(code) = lock().get(&library.integrity) {
        return Ok(code.clone());
    }
    let code = Bytecode::compile(&library.source, &library.file)?;
    let mut all = lock();
    if all.len() >= MOST {
        all.clear();
    }
    all.insert(library.integrity.clone(), code.clone());
    Ok(code)
}

/// The host while libraries are run: what they print is nobody's execution, and they have nothing to ask for.
struct Quiet;

impl Host for Quiet {
    fn emit(&mut self, payload: Payload) -> Result<(), EmitRefused> {
        tracing::debug!(?payload, "a library printed");
        Ok(())
    }

    fn call(&mut self, call: Call) -> Result<Data, CallError> {
        Err(CallError::new("Error", format!("a library cannot use the module '{}' while it is loaded", call.module)))
    }

    fn begin(&mut self, _: u64, _: Call) {}

    fn cancel(&mut self, _: u64) {}

    fn wait(&mut self, _: Duration) -> Wake {
        Wake::Elapsed
    }

    fn stop_reason(&self) -> Option<Stop> {
        None
    }
}
