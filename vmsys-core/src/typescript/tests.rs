//! What comes of TypeScript.
use super::*;
#[test]
fn try_it() {
    let src = std::env::var("TS_SRC").unwrap_or_default();
    let source = std::fs::read_to_string(src).unwrap_or_default();
    eprintln!("{:?}", strip(&source, Goal::Script));
}
