//! Results of a host function are types that serde writes.

use vmsys_core::{Call, HostModule};

struct Item;

fn main() {
    HostModule::new("m", "").function("f", |_: &Call, (): ()| Ok(Item));
}
