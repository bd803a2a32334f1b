//! The rules of the code base that no compiler checks, each with what to do when it is broken.
//!
//! ARCHITECTURE.md gives the reasons, and names these tests. `cargo test --workspace --test tidy` runs them alone.

mod code;
mod dependencies;
mod docs;
mod fences;
mod text;
mod tree;

/// Fails a rule with everything that breaks it, and with what to do about that.
#[track_caller]
fn hold(found: impl IntoIterator<Item = String>, advice: &str) {
    let found: Vec<String> = found.into_iter().collect();
    assert!(found.is_empty(), "\n\n  {}\n\n{advice}\n", found.join("\n  "));
}
