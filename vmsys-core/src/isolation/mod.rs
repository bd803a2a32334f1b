//! Where a realm runs, and what crosses between it and its host.

mod control;
mod far;
mod fork;
mod handover;
pub(crate) mod home;
pub(crate) mod memory;
pub(crate) mod os_thread;
pub(crate) mod process;
pub(crate) mod protocol;
mod sandbox;
pub(crate) mod spin;
mod thread;
mod wire;
mod worker;
pub(crate) mod workers;

pub use self::memory::WorkerAlloc;
pub(crate) use self::sandbox::ARCH;
pub use self::sandbox::Sandbox;
pub use self::worker::become_worker;
