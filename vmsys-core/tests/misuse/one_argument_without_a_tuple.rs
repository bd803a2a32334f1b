//! An argument of a host function stands in a tuple, also when it is the only one.

use vmsys_core::{Call, HostModule};

fn main() {
    HostModule::new("m", "").function("f", |_: &Call, name: String| Ok(name.len()));
}
