//! From a part to the host: calls that wait, and calls that are answered later.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use rquickjs::function::Rest;
use rquickjs::{Ctx, Exception, Function, Object, Persistent, Result, Value};

use crate::engine::cross;
use crate::engine::globals::{define, native};
use crate::engine::realm::World;
use crate::isolation::protocol::{Call, Completion};
use crate::value::Value as Data;

/// More calls than any program has open at a time: each may be a thread or a connection of the host's.
const MOST_PENDING: usize = 256;

/// The calls that were begun and not answered yet.
#[derive(Default)]
pub(in crate::engine) struct Bridge {
    last_id: Cell<u64>,
    pending: RefCell<HashMap<u64, Settle>>,
}

struct Settle {
    resolve: Persistent<Function<'static>>,
    reject: Persistent<Function<'static>>,
}

impl Bridge {
    /// Whether an answer is due.
    pub(in crate::engine) fn is_waiting(&self) -> bool {
        !self.pending.borrow().is_empty()
    }

    /// Settles the promise of a call that has been answered.
    pub(in crate::engine) fn complete(&self, ctx: &Ctx<'_>, world: &World, completion: &Completion) -> Result<()> {
        let settle = self.pending.borrow_mut().remove(&completion.id);
        let Some(Settle { resolve, reject }) = settle else { return Ok(()) };
        match &completion.result {
            Ok(value) => resolve.restore(ctx)?.call((cross::to_guest(ctx, &world.intrinsics, value)?,)),
            Err(error) => reject.restore(ctx)?.call((cross::error(ctx, &world.intrinsics, error)?,)),
        }
    }

    /// Forgets all of them.
    pub(in crate::engine) fn clear(&self) {
        // Taken out first: nothing of the engine runs under our borrow.
        let all = std::mem::take(&mut *self.pending.borrow_mut());
        drop(all);
    }
}

/// Gives a part its way to the host.
pub(super) fn install<'js>(ctx: &Ctx<'js>, world: &Rc<World>, internal: &Object<'js>) -> Result<()> {
    define(internal, "call", native(ctx, world, "call", |ctx, world, args| call(ctx, world, args))?)?;
    define(internal, "begin", native(ctx, world, "begin", |ctx, world, args| begin(ctx, world, args))?)
}

/// Makes a function that is the host's.
pub(super) fn host_function<'js>(
    ctx: &Ctx<'js>,
    world: &Rc<World>,
    module: &str,
    function: &str,
    is_async: bool,
) -> Result<Function<'js>> {
    let names = (module.to_owned(), function.to_owned());
    native(ctx, world, function, move |ctx, world, args| {
        let args = cross::to_host(ctx, world, &args.0)?;
        let call = Call { module: names.0.clone(), function: names.1.clone(), args };
        if is_async { begin_call(ctx, world, call).map(|(promise, _)| promise) } else { make_call(ctx, world, call) }
    })
}

fn call<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: Rest<Value<'js>>) -> Result<Value<'js>> {
    make_call(ctx, world, read(ctx, world, &args)?)
}

fn make_call<'js>(ctx: &Ctx<'js>, world: &Rc<World>, call: Call) -> Result<Value<'js>> {
    cross::to_guest(ctx, &world.intrinsics, &ask(ctx, world, call)?)
}

/// Makes a call of the host and waits for its answer, which is plain data.
///
/// # Errors
/// The error is pending, as the script is to catch it.
pub(in crate::engine) fn ask(ctx: &Ctx<'_>, world: &Rc<World>, call: Call) -> Result<Data> {
    let Some(host) = world.budget.host() else { return Err(no_host(ctx)) };
    let answer = host.borrow_mut().call(call);
    drop(host);
    // What the call took counts, and a script that is to end does not get to see what came of it.
    refuse_when_ending(ctx, world)?;
    answer.map_err(|error| cross::throw(ctx, &world.intrinsics, &error))
}

/// Begins a call: `{promise, cancel}`.
fn begin<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: Rest<Value<'js>>) -> Result<Value<'js>> {
    let (promise, id) = begin_call(ctx, world, read(ctx, world, &args)?)?;
    let cancel = native(ctx, world, "cancel", move |_, world, _| {
        let settle = world.bridge.pending.borrow_mut().remove(&id);
        if let (Some(_), Some(host)) = (settle, world.budget.host()) {
            host.borrow_mut().cancel(id);
        }
        Ok(())
    })?;
    let begun = Object::new(ctx.clone())?;
    define(&begun, "promise", promise)?;
    define(&begun, "cancel", cancel)?;
    Ok(begun.into_value())
}

fn begin_call<'js>(ctx: &Ctx<'js>, world: &Rc<World>, call: Call) -> Result<(Value<'js>, u64)> {
    let Some(host) = world.budget.host() else { return Err(no_host(ctx)) };
    refuse_when_ending(ctx, world)?;
    let bridge = &world.bridge;
    if bridge.pending.borrow().len() >= MOST_PENDING {
        return Err(Exception::throw_range(ctx, "too many calls are waiting for an answer: await some of them first"));
    }
    let (promise, resolve, reject) = ctx.promise()?;
    let id = bridge.last_id.get() + 1;
    bridge.last_id.set(id);
    let settle = Settle { resolve: Persistent::save(ctx, resolve), reject: Persistent::save(ctx, reject) };
    bridge.pending.borrow_mut().insert(id, settle);
    host.borrow_mut().begin(id, call);
    Ok((promise.into_value(), id))
}

fn read<'js>(ctx: &Ctx<'js>, world: &World, args: &Rest<Value<'js>>) -> Result<Call> {
    let [module, function, args @ ..] = args.0.as_slice() else {
        return Err(Exception::throw_type(ctx, "a call needs a module and a function"));
    };
    Ok(Call { module: module.get()?, function: function.get()?, args: cross::to_host(ctx, world, args)? })
}

/// Fails when the script is to end.
fn refuse_when_ending(ctx: &Ctx<'_>, world: &World) -> Result<()> {
    match world.budget.check() {
        Some(_) => Err(Exception::throw_message(ctx, "the execution is being ended")),
        None => Ok(()),
    }
}

fn no_host(ctx: &Ctx<'_>) -> rquickjs::Error {
    Exception::throw_message(ctx, "nothing outside can be reached while no code runs")
}
