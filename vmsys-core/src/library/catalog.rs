//! The libraries that this program knows, and the checksums of their files.

use super::name::LibraryId;

/// A library that this program knows.
///
/// The file is the one in the package that a plain script can load and that sets a global, byte for byte as its authors
/// published it: so a content delivery network that serves packages and a package client give the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CatalogLibrary {
    /// The name, which is that of the package too.
    pub name: &'static str,
    /// The version.
    pub version: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// The global by which scripts use it.
    pub global: &'static str,
    /// The global that the file itself sets, when it is another.
    pub sets: Option<&'static str>,
    /// The file's path in the package.
    pub file: &'static str,
    /// The file's size in bytes.
    pub bytes: u64,
    /// The file's checksum, `sha512-…` in base64.
    pub integrity: &'static str,
}

/// All of them, by name.
pub const CATALOG: &[CatalogLibrary] = &[
    CatalogLibrary {
        name: "axios",
        version: "1.6.0",
        description: "HTTP client over promises",
        global: "axios",
        sets: None,
        file: "dist/axios.min.js",
        bytes: 32_316,
        integrity: "sha512-WrdC3CE9vf1nBf58JHepuWT4x24uTacky9fuzw2g/3L9JkihgwZ6Cfv+JGTtNyosOhEmttMtEZ6H3qJWfI7gIQ==",
    },
    CatalogLibrary {
        name: "dayjs",
        version: "1.11.10",
        description: "Dates and times, small and immutable",
        global: "dayjs",
        sets: None,
        file: "dayjs.min.js",
        bytes: 7_160,
        integrity: "sha512-FwNWaxyfy2XlEINoSnZh1JQ5TRRtGow0D6XcmAWmYCRgvqOUTnzCxPc9uF35u5ZEpirk1uhlPVA19tflhvnW1g==",
    },
    CatalogLibrary {
        name: "lodash",
        version: "4.17.21",
        description: "Helpers for arrays, objects, functions and strings",
        global: "_",
        sets: None,
        file: "lodash.min.js",
        bytes: 73_015,
        integrity: "sha512-WFN04846sdKMIP5LKNphMaWzU7YpMyCU245etK3g/2ARYbPK9Ub18eG+ljU96qKRCWh+quCY7yefSmlkQw1ANQ==",
    },
    CatalogLibrary {
        name: "moment",
        version: "2.29.4",
        description: "Dates and times: parsing, arithmetic, formats",
        global: "moment",
        sets: None,
        file: "min/moment.min.js",
        bytes: 58_103,
        integrity: "sha512-CryKbMe7sjSCDPl18jtJI5DR5jtkUWxPXWaLCst6QjH8wxDexfRJic2WRmRXmstr2Y8SxDDWuBO6CQC6IE4KTA==",
    },
    CatalogLibrary {
        name: "ramda",
        version: "0.29.0",
        description: "Functional programming: curried, data last",
        global: "R",
        sets: None,
        file: "dist/ramda.min.js",
        bytes: 52_543,
        integrity: "sha512-5x/n+aOg68Z+O/mq3LW2pC2CvEBSgLl5aLlOJa87AlYM1K8b8qsZ7NTHLe3Hu56aS2W0rgEgVCFA3RM12IXAGw==",
    },
    CatalogLibrary {
        name: "zustand",
        version: "4.4.7",
        description: "Stores for state, without React",
        global: "zustand",
        // The package's main bundle sets `zustand`, and needs React to load at all; this one is its core.
        sets: Some("zustandVanilla"),
        file: "umd/vanilla.production.js",
        bytes: 772,
        integrity: "sha512-iFJ9r7mEQMlYc4EWuXXY81yHkvSNkTF1Lui41EYNHHYAl9wGu5ZacTefH25Ccy5zex9um/t7a8ZKwOD+hdZlyg==",
    },
];

impl CatalogLibrary {
    /// Finds one by its name, or by name and version.
    pub fn find(name: &str) -> Option<&'static Self> {
        CATALOG.iter().find(|library| {
            let version = name.strip_prefix(library.name).and_then(|rest| rest.strip_prefix('-'));
            name == library.name || version == Some(library.version)
        })
    }

    /// Returns name and version: `lodash-4.17.21`.
    pub fn id(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    pub(super) fn is(&self, id: &LibraryId) -> bool {
        id.name() == self.name && id.version().to_string() == self.version
    }

    pub(super) fn of(id: &LibraryId) -> Option<&'static Self> {
        CATALOG.iter().find(|library| library.is(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_sound_and_in_order() {
        assert!(CATALOG.is_sorted_by_key(|library| library.name));
        for library in CATALOG {
            let id = LibraryId::new(library.name, library.version).unwrap();
            assert_eq!(id.to_string(), library.id());
            assert_eq!(library.integrity.len(), "sha512-".len() + 88);
            assert!(!library.file.starts_with('/') && library.file.ends_with(".js"));
        }
    }

    #[test]
    fn a_name_alone_and_a_name_with_its_version_name_the_same() {
        for library in CATALOG {
            assert_eq!(CatalogLibrary::find(library.name), Some(library));
            assert_eq!(CatalogLibrary::find(&library.id()), Some(library));
        }
        for name in ["", "lodas", "lodash-", "lodash-4.17.2", "lodash-4.17.21-", "Lodash", "../lodash"] {
            assert_eq!(CatalogLibrary::find(name), None, "{name}");
        }
    }
}
