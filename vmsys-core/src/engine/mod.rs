//! The JavaScript engine: the only folder that names rquickjs.
//!
//! A [`QuickRealm`] is one QuickJS runtime with one context, on one thread for life. Its rooms: `guard_alloc` counts
//! and bounds its heap, `budget` ends what runs too long, `timers` keeps what is due, `globals` installs what scripts
//! find, `repl` lets names be declared again out of the `scope` that keeps them, `inspect` and `console` turn values
//! into text without calling anything that a script could replace.

mod budget;
mod ffi;
mod globals;
mod guard_alloc;
mod inspect;
mod realm;
mod repl;
mod scope;
#[cfg(test)]
mod tests;
mod timers;

pub(crate) use self::realm::QuickRealm;
