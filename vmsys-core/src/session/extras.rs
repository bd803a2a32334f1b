//! What a program gives a session of its own: data for its functions, and who hears what is printed.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::event::Event;

/// Data of the program's own, one of each type.
#[derive(Clone, Default)]
pub(crate) struct SessionData(BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl SessionData {
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, data: T) {
        self.0.insert(TypeId::of::<T>(), Arc::new(data));
    }

    pub(crate) fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.get(&TypeId::of::<T>())?.downcast_ref()
    }
}

impl fmt::Debug for SessionData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionData").field("types", &self.0.len()).finish()
    }
}

/// The same things, and not things that look alike.
impl PartialEq for SessionData {
    fn eq(&self, other: &Self) -> bool {
        let same = |((a, one), (b, two)): (_, _)| -> bool {
            let (one, two): (&Arc<dyn Any + Send + Sync>, &Arc<dyn Any + Send + Sync>) = (one, two);
            let (a, b): (&TypeId, &TypeId) = (a, b);
            a == b && Arc::ptr_eq(one, two)
        };
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(same)
    }
}

impl Eq for SessionData {}

/// Hears what is printed.
#[derive(Clone)]
pub(crate) struct ConsoleSink(Arc<dyn Fn(&Event) + Send + Sync>);

impl ConsoleSink {
    pub(crate) fn new(hear: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }

    /// A panic of the program's own function is no reason to end what runs.
    pub(crate) fn hear(&self, event: &Event) {
        if catch_unwind(AssertUnwindSafe(|| (self.0)(event))).is_err() {
            tracing::error!(execution_id = %event.execution_id, "the function that hears a session's output panicked");
        }
    }
}

impl fmt::Debug for ConsoleSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConsoleSink")
    }
}

impl PartialEq for ConsoleSink {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for ConsoleSink {}
