//! Functions in Rust that parts call: pure ones, which reach nothing but their arguments and the realm.

pub(super) mod bytes;

use std::rc::Rc;

use rquickjs::{Ctx, Result, Value};

use crate::engine::realm::World;

/// A function that a part finds under `internal.natives`.
///
/// It may neither call JavaScript nor wait for anything; what it allocates is bounded by a small multiple of what the
/// script's heap holds already.
pub(super) struct Native {
    pub(super) name: &'static str,
    pub(super) body: for<'js> fn(&Ctx<'js>, &Rc<World>, &[Value<'js>]) -> Result<Value<'js>>,
}
