use vmsys_core::{Call, HostModule};

fn main() {
    HostModule::new("m", "").function("f", |_: &Call, name: String| Ok(name.len()));
}
