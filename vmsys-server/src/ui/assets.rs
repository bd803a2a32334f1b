//! The files of the web UI, as they were when the program was built; or, where it was built without, a small page.

use std::collections::HashMap;

use bytes::Bytes;
use http::HeaderValue;
use sha2::{Digest as _, Sha256};

/// What Vite has built.
#[cfg(vm_ui)]
#[derive(rust_embed::RustEmbed)]
#[folder = "ui/dist"]
struct Dist;

/// What there is without: it runs code, and says how to get the rest.
#[cfg(any(test, not(vm_ui)))]
const SMALL: &[(&str, &[u8])] = &[
    ("index.html", include_bytes!("small.html")),
    ("small.js", include_bytes!("small.js")),
    ("small.css", include_bytes!("small.css")),
];

/// The name of the page among the files.
const PAGE: &str = "index.html";

/// The ending of a file that is another one, compressed.
const GZIPPED: &str = ".gz";

/// One file, ready to be sent.
#[derive(Debug)]
pub(super) struct Asset {
    pub(super) content_type: &'static str,
    /// Whether its name says what is in it.
    pub(super) is_immutable: bool,
    pub(super) bytes: Bytes,
    pub(super) etag: HeaderValue,
    /// The same, compressed, where that is worth it, with a tag of its own.
    pub(super) gzipped: Option<(Bytes, HeaderValue)>,
}

/// All files, by path.
#[derive(Debug)]
pub(super) struct Assets {
    files: HashMap<String, Asset>,
    page: Asset,
}

impl Assets {
    /// The files that are in the program.
    pub(super) fn embedded() -> Self {
        Self::of(&embedded())
    }

    /// The file at a path, as it stands in a request.
    pub(super) fn find(&self, path: &str) -> Option<&Asset> {
        self.files.get(path.strip_prefix('/')?)
    }

    /// The page, which shows itself at any path.
    pub(super) fn page(&self) -> &Asset {
        &self.page
    }

    fn of(files: &[(String, Bytes)]) -> Self {
        let find = |name: &str| files.iter().find(|(other, _)| other == name).map(|(_, bytes)| bytes.clone());
        let asset = |name: &str, bytes: Bytes| Asset {
            content_type: content_type(name),
            is_immutable: name.starts_with("assets/"),
            etag: etag(&bytes),
            gzipped: find(&format!("{name}{GZIPPED}")).map(|packed| (packed.clone(), etag(&packed))),
            bytes,
        };
        let whole = files.iter().filter(|(name, _)| name != PAGE && !name.ends_with(GZIPPED));
        let page = asset(PAGE, find(PAGE).unwrap_or_default());
        Self { files: whole.map(|(name, bytes)| (name.clone(), asset(name, bytes.clone()))).collect(), page }
    }

    #[cfg(test)]
    pub(super) fn sample() -> Self {
        let file = |(name, text): (&str, &'static str)| (name.to_owned(), Bytes::from_static(text.as_bytes()));
        let files = [
            ("index.html", "<!doctype html>"),
            ("assets/app-1.js", "let a"),
            ("assets/app-1.js.gz", "packed"),
            ("favicon.svg", "<svg/>"),
        ];
        Self::of(&files.map(file))
    }
}

#[cfg(vm_ui)]
fn embedded() -> Vec<(String, Bytes)> {
    use std::borrow::Cow;

    let bytes = |data: Cow<'static, [u8]>| match data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let files = Dist::iter().filter_map(|name| Some((name.to_string(), bytes(Dist::get(&name)?.data))));
    files.collect()
}

#[cfg(not(vm_ui))]
fn embedded() -> Vec<(String, Bytes)> {
    SMALL.iter().map(|(name, bytes)| ((*name).to_owned(), Bytes::from_static(bytes))).collect()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

/// A tag that is another one as soon as a byte is.
fn etag(bytes: &[u8]) -> HeaderValue {
    use std::fmt::Write as _;

    let digest = Sha256::digest(bytes);
    let hex = digest.iter().take(16).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    // Hexadecimal digits in quotes are fit for a header; without a tag, nothing would be found to be unchanged.
    HeaderValue::try_from(format!("\"{hex}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_always_has_a_page() {
        for assets in [Assets::embedded(), small()] {
            let page = String::from_utf8(assets.page().bytes.to_vec()).unwrap();
            assert!(page.starts_with("<!doctype html>"), "{page}");
            // Whatever it asks for is there, and nothing stands in it that the policy forbids.
            let asked = page
                .split(['"', '\''])
                .filter(|word| word.starts_with('/') && !word.starts_with("/api") && word.contains('.'));
            let asked: Vec<_> = asked.collect();
            assert!(!asked.is_empty() && asked.iter().all(|path| assets.find(path).is_some()), "{asked:?}");
            assert!(!page.contains("<style") && !page.contains("<script>") && !page.contains(" style="), "{page}");
        }
    }

    #[test]
    fn the_small_page_says_how_to_get_the_ui_and_runs_code() {
        let assets = small();
        assert!(String::from_utf8_lossy(&assets.page().bytes).contains("cargo xtask ui"));
        assert!(String::from_utf8_lossy(&assets.find("/small.js").unwrap().bytes).contains("/executions/repl"));
    }

    fn small() -> Assets {
        let files = SMALL.iter().map(|(name, bytes)| ((*name).to_owned(), Bytes::from_static(bytes)));
        Assets::of(&files.collect::<Vec<_>>())
    }

    #[test]
    fn tags_follow_what_is_in_a_file() {
        assert_eq!(etag(b"a"), etag(b"a"));
        assert_ne!(etag(b"a"), etag(b"b"));
        assert_eq!(etag(b"a").len(), 34);
    }
}
