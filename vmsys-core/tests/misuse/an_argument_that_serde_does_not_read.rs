//! Arguments of a host function are types that serde reads.

use vmsys_core::{Call, HostModule};

struct Item;

fn main() {
    HostModule::new("m", "").function("f", |_: &Call, (_,): (Item,)| Ok(1));
}
