//! Native modules: what a template can be given besides JavaScript, seen from the host's side.

mod catalog;

pub(crate) use self::catalog::Catalog;
pub use self::catalog::{FunctionInfo, ModuleInfo};
