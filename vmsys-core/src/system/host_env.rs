//! The host's environment, as far as a template may show it to its sessions.

use std::fmt;
use std::sync::Arc;

/// Answers for variables of the host: none of them has a value unless the program that embeds the library says so.
#[derive(Clone)]
pub(super) struct HostEnv(Arc<Lookup>);

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

impl HostEnv {
    pub(super) fn new(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(lookup))
    }

    pub(super) fn get(&self, name: &str) -> Option<String> {
        (self.0)(name)
    }
}

impl Default for HostEnv {
    fn default() -> Self {
        Self::new(|_| None)
    }
}

impl fmt::Debug for HostEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostEnv").finish_non_exhaustive()
    }
}
