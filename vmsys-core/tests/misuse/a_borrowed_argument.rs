//! Arguments of a host function are owned.

use vmsys_core::{Call, HostModule};

fn main() {
    HostModule::new("m", "").function("f", |_: &Call, (name,): (&str,)| Ok(name.len()));
}
