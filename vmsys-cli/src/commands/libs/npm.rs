//! Files of packages from the machine's own npm client, whatever registry it is set up for.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use tar::{Archive, EntryType};
use tempfile::TempDir;
use vmsys_core::library::CatalogLibrary;

use crate::error::{Error, Result};

/// How long one package may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How much of a package is looked through, unpacked: a package that says more is not one of the catalogue's.
const MAX_UNPACKED: u64 = 256 << 20;

/// An npm client that answers.
pub(super) struct Npm {
    /// Where it packs, and where it runs: it reads settings of the directory that it is in, and must not read ours.
    directory: TempDir,
}

impl Npm {
    /// Finds the client on the path.
    ///
    /// # Errors
    /// `NPM_NOT_FOUND` when there is none.
    pub(super) fn find() -> Result<Self> {
        let directory = TempDir::new()
            .map_err(|error| Error::failed("IO_ERROR", format!("cannot make a temporary directory: {error}")))?;
        let version = command(&directory).arg("--version").output();
        match version {
            Ok(output) if output.status.success() => Ok(Self { directory }),
            Ok(output) => Err(missing(format!("npm does not work: {}", last_line(&output.stderr)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(missing("there is no npm client on the path".to_owned()))
            }
            Err(error) => Err(missing(format!("npm cannot be run: {error}"))),
        }
    }

    /// Has the client pack one package, and takes the one file out of it.
    pub(super) fn fetch(&self, known: &CatalogLibrary) -> Result<Vec<u8>, String> {
        let failed = |error: io::Error| format!("npm pack cannot be run: {error}");
        let packed = self.directory.path().join(known.id());
        std::fs::create_dir_all(&packed).map_err(failed)?;
        // Into files, not pipes: nobody has to read along for the client to get on.
        let log = packed.join("npm.log");
        let stderr = std::fs::File::create(&log).map_err(failed)?;
        let mut child = command(&self.directory)
            .args(["pack", "--ignore-scripts", "--pack-destination"])
            .arg(&packed)
            .arg(format!("{}@{}", known.name, known.version))
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .map_err(failed)?;
        match wait(&mut child).map_err(failed)? {
            Some(status) if status.success() => {}
            Some(_) => return Err(format!("npm pack failed: {}", last_line(&std::fs::read(&log).unwrap_or_default()))),
            None => return Err(format!("npm pack was stopped after {} seconds", PATIENCE.as_secs())),
        }
        let tarball = tarball(&packed).map_err(failed)?.ok_or("npm pack made no package")?;
        let file = std::fs::File::open(tarball).map_err(failed)?;
        match extract(file, known.file, known.bytes) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(format!("the package has no file {}", known.file)),
            Err(error) => Err(format!("the package cannot be read: {error}")),
        }
    }
}

fn command(directory: &TempDir) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(directory.path()).stdin(Stdio::null());
    command
}

fn missing(message: String) -> Error {
    Error::failed("NPM_NOT_FOUND", message)
        .hint("install Node.js with npm, or use `--from cdn`, or put files there yourself with `vm-system libs add`")
}

/// Waits for the end of a child; one that does not come to it is killed, and answers `None`.
fn wait(child: &mut Child) -> io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(Duration::from_millis(10));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}

fn tarball(directory: &Path) -> io::Result<Option<std::path::PathBuf>> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "tgz") {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Takes one file out of a package, whose first folder may have any name. Nothing is written to disk, so that paths in
/// the package lead nowhere.
///
/// # Errors
/// What is no archive, is larger than any package should be, or has a file of another size in its place.
fn extract(package: impl Read, path: &str, bytes: u64) -> io::Result<Option<Vec<u8>>> {
    let mut archive = Archive::new(GzDecoder::new(package).take(MAX_UNPACKED));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let is_it = entry.path_bytes().splitn(2, |byte| *byte == b'/').nth(1) == Some(path.as_bytes());
        if !is_it || entry.header().entry_type() != EntryType::Regular {
            continue;
        }
        if entry.size() != bytes {
            return Err(io::Error::other(format!("{path} has {} bytes instead of {bytes}", entry.size())));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        return Ok(Some(content));
    }
    Ok(None)
}

/// What a program said last: npm puts its advice before, and the name of its log at the end.
fn last_line(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let error = lines().rfind(|line| line.starts_with("npm error") && !line.contains("complete log"));
    error.or_else(|| lines().next_back()).unwrap_or("it did not say why").to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tar::{Builder, Header};

    use super::*;

    fn package(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, kind, content) in entries {
            let mut header = Header::new_ustar();
            // As bytes: the setter of the crate refuses what an attacker would write.
            header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_cksum();
            archive.append(&header, *content).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn one_regular_file_is_taken_whatever_the_folder_is_called() {
        let other: (&str, _, &[u8]) = ("package/other.js", EntryType::Regular, b"other");
        for folder in ["package", "lodash", "."] {
            let path = format!("{folder}/dist/it.js");
            let bytes = package(&[other, (&path, EntryType::Regular, b"it")]);
            assert_eq!(extract(&*bytes, "dist/it.js", 2).unwrap().as_deref(), Some(&b"it"[..]), "{folder}");
        }
    }

    #[test]
    fn what_is_not_that_file_is_not_taken() {
        for entry in [
            ("package/it.js", EntryType::Symlink, &b""[..]),
            ("package/it.js", EntryType::Directory, b""),
            ("it.js", EntryType::Regular, b"it"),
            ("../it.js/it.js", EntryType::Regular, b"it"),
            ("/it.js/..", EntryType::Regular, b"it"),
            ("package/../it.js", EntryType::Regular, b"it"),
        ] {
            assert_eq!(extract(&*package(&[entry]), "it.js", 2).unwrap(), None, "{entry:?}");
        }
        let long = package(&[("package/it.js", EntryType::Regular, b"longer")]);
        assert!(extract(&*long, "it.js", 2).is_err());
    }

    #[test]
    fn what_is_no_package_is_an_error() {
        let whole =
            package(&[("package/a.js", EntryType::Regular, &[7; 5000]), ("package/it.js", EntryType::Regular, b"it")]);
        assert!(extract(&whole[..whole.len() / 2], "it.js", 2).is_err(), "half a package");
        assert!(extract(&b"<html>not found</html>"[..], "it.js", 2).is_err());
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&[b'x'; 2048]).unwrap();
        assert!(extract(&*gzip.finish().unwrap(), "it.js", 2).is_err(), "no archive inside");
    }

    #[test]
    fn the_reason_is_found_among_what_npm_says() {
        let said = b"npm warn x\nnpm error code E404\nnpm error 404 Not Found\nnpm error A complete log of this run\n";
        assert_eq!(last_line(said), "npm error 404 Not Found");
        assert_eq!(last_line(b"env: node: not found\n\n"), "env: node: not found");
        assert_eq!(last_line(b""), "it did not say why");
    }
}
