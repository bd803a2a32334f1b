//! The JavaScript engine: the only folder that names rquickjs.
//!
//! A [`QuickRealm`] is one QuickJS runtime with one context, on one thread for life. Its rooms: `guard_alloc` counts
//! and bounds its heap, `budget` ends what runs too long, `timers` keeps what is due, `globals` installs what scripts
//! find at once and `builtins` what is made when it is first touched, `repl` lets names be declared again out of the `scope` that keeps them. What is looked at for people goes
//! through `inspect`, `describe`, `tree`, `lookup` and `console`: nothing in them runs a line of guest code. The calls of the C engine that
//! rquickjs does not offer are in `ffi` (running), `raw` (looking), `bytecode` (scripts compiled once) and `scope` (top-level
//! names). `cross` turns values into plain data and back.

mod budget;
mod builtins;
mod bytecode;
mod console;
mod cross;
mod describe;
mod ffi;
mod globals;
mod guard_alloc;
mod inspect;
mod intrinsics;
mod json;
mod libraries;
mod lookup;
mod modules;
mod raw;
mod realm;
mod repl;
mod scope;
#[cfg(test)]
mod tests;
mod text;
mod timers;
mod tree;

pub(crate) use self::realm::QuickRealm;
