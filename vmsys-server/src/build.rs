//! What this program was built from.

/// What a build of this crate was made from, and for. The same source gives the same build: there is no time in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Build {
    /// The crate's version.
    pub version: &'static str,
    /// The first twelve digits of the commit, or `unknown` where there was no repository. What was changed and not
    /// committed does *not* show.
    pub commit: &'static str,
    /// The platform that it runs on, as the compiler calls it.
    pub target: &'static str,
    /// `release` or `debug`.
    pub profile: &'static str,
    /// The compiler's name and version.
    pub rustc: &'static str,
}

/// This build.
///
/// ```
/// assert_eq!(vmsys_server::BUILD.version, env!("CARGO_PKG_VERSION"));
/// ```
pub const BUILD: Build = Build {
    version: env!("CARGO_PKG_VERSION"),
    commit: env!("VMSYS_BUILD_COMMIT"),
    target: env!("VMSYS_BUILD_TARGET"),
    profile: env!("VMSYS_BUILD_PROFILE"),
    rustc: env!("VMSYS_BUILD_RUSTC"),
};

/// What `--version` tells in full.
///
/// ```
/// assert!(vmsys_server::LONG_VERSION.starts_with(vmsys_server::BUILD.version));
/// ```
pub const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\ncommit: ",
    env!("VMSYS_BUILD_COMMIT"),
    "\ntarget: ",
    env!("VMSYS_BUILD_TARGET"),
    "\nprofile: ",
    env!("VMSYS_BUILD_PROFILE"),
    "\ncompiler: ",
    env!("VMSYS_BUILD_RUSTC"),
);

/// What the header `Server` of every answer says.
pub(crate) const SERVER: &str = concat!("vm-system/", env!("CARGO_PKG_VERSION"), " (", env!("VMSYS_BUILD_COMMIT"), ")");
