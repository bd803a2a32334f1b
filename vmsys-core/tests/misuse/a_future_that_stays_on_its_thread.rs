//! The future of an async function is polled on other threads.

use vmsys_core::{Call, HostModule};

fn main() {
    HostModule::new("m", "").async_function("f", |_: Call, (): ()| async {
        let local = std::rc::Rc::new(1);
        std::future::ready(()).await;
        Ok(*local)
    });
}
