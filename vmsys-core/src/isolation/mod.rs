//! Where a realm runs, and what crosses between it and its host.

pub(crate) mod os_thread;
pub(crate) mod protocol;
pub(crate) mod spin;
pub(crate) mod thread;
