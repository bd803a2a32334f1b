//! The JavaScript engine: the one folder that names rquickjs.
//!
//! What is looked at for people goes through [`inspect`]; nothing in it runs a line of guest code. The few raw calls of
//! the C engine that this needs are in [`raw`].

mod console;
mod describe;
mod inspect;
mod intrinsics;
mod json;
mod raw;
mod text;
