//! Values are read into owned types.

use vmsys_core::Session;

fn main() {
    let name = |session: &Session| session.eval::<&str>("'ada'").map(str::len);
    let _ = name;
}
